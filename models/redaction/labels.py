"""What announces personal data, in seven languages: the lists of ``vocabulary`` as pieces of patterns.

All languages are read together, since a message rarely says which one it is in, and many mix two.

To add a language: a file in `models/redaction/vocabulary/`; every list in it may be left out.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from lacuna.models.redaction.spans import words_of

__all__ = ["Phrases", "alternatives", "announced", "parts_of", "phrases", "words_in"]


def _read() -> dict[str, dict[str, Any]]:
    """The lists by language code, in ABC order of the codes."""
    folder = resources.files("lacuna.models.redaction.vocabulary")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return {file.name.removesuffix(".toml"): tomllib.loads(file.read_text(encoding="utf-8")) for file in files}


_VOCABULARY = _read()
_GATES: set[str] = set()  # the words that phrases are told by


class Phrases(NamedTuple):
    """Phrases, as a pattern without groups, and by their words: a cheap test that spares most texts the pattern."""

    pattern: str
    by_word: Mapping[str, tuple[frozenset[str], ...]]

    @classmethod
    def of(cls, every: Iterable[str], pattern: str = "") -> Phrases:
        """These phrases, by a pattern of them where they are given one."""
        by_word: dict[str, list[frozenset[str]]] = {}
        for phrase in dict.fromkeys(every):
            parts = _parts(phrase)
            by_word.setdefault(max(parts, key=lambda part: (len(part), part)), []).append(parts)
        _GATES.update(by_word)
        return cls(f"(?:{pattern or alternatives(every)})", {word: tuple(parts) for word, parts in by_word.items()})

    def among(self, words: frozenset[str], gates: Iterable[str]) -> bool:
        """Whether all words of any of the phrases are among these; ``gates`` are those of the words that any phrase is told by."""
        by_word = self.by_word
        for word in gates:
            if word in by_word:
                for parts in by_word[word]:
                    if parts <= words:
                        return True
        return False


def words_in(name: str) -> frozenset[str]:
    """The words of a list that is one text, of all languages together."""
    return frozenset(word for lists in _VOCABULARY.values() for word in lists.get(name, "").split())


def phrases(*names: str) -> Phrases:
    """The phrases of lists, of all languages together."""
    return Phrases.of([phrase for lists in _VOCABULARY.values() for name in names for phrase in lists.get(name, ())])


def alternatives(every: Iterable[str]) -> str:
    """A pattern of any of the phrases, the longest possible; a space in one stands for one or two of any kind.

    Phrases that begin alike share their beginning, which makes the pattern many times faster than a plain list.
    """
    tree: dict[str, Any] = {}
    for phrase in every:
        node = tree
        for char in phrase:
            node = node.setdefault(_ATOMS.get(char) or re.escape(char), {})
        node[""] = {}
    return _pattern_of(tree)


_ATOMS = {" ": r"[ \u00a0]{1,2}", "'": "['’]", "’": "['’]"}


def _pattern_of(tree: dict[str, Any]) -> str:
    """A pattern of what a tree holds; an empty key says that a phrase may end there."""
    branches = [atom + _pattern_of(rest) for atom, rest in sorted(tree.items()) if atom]
    if not branches:
        return ""
    if len(branches) == 1 and "" not in tree:
        return branches[0]
    return f"(?:{'|'.join(branches)})" + "?" * ("" in tree)


def announced(text: str, labels: Phrases) -> bool:
    """Whether a text may have one of the phrases."""
    return labels.among(*parts_of(text))


@lru_cache(maxsize=4)
def parts_of(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The words of a text, those beside apostrophes too ("l'adresse" is also "adresse"), and those that phrases are told by."""
    words = words_of(text)
    if "'" in text or "’" in text:
        words |= {part for word in words for part in word.replace("’", "'").split("'")}
    return words, words & _GATES


def _parts(phrase: str) -> frozenset[str]:
    """A phrase's words, as those of a text are told apart."""
    return frozenset(part for word in words_of(phrase) for part in word.split("'") if part) or frozenset([phrase])
