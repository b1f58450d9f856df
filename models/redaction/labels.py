"""What announces personal data, in seven languages: the lists of ``vocabulary`` as pieces of patterns.

All languages are read together, since a message rarely says which one it is in, and many mix two.

To add a language: a file in `models/redaction/vocabulary/`; every list in it may be left out.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from lacuna.models.redaction.spans import words_of

__all__ = ["Phrases", "alternatives", "announced", "phrases", "words_in"]


def _read() -> dict[str, dict[str, Any]]:
    """The lists by language code, in ABC order of the codes."""
    folder = resources.files("lacuna.models.redaction.vocabulary")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return {file.name.removesuffix(".toml"): tomllib.loads(file.read_text(encoding="utf-8")) for file in files}


_VOCABULARY = _read()


class Phrases(NamedTuple):
    """Phrases of all languages: a pattern of them, without groups, and the words of which a text has one, or no phrase."""

    pattern: str
    words: frozenset[str]


def words_in(name: str) -> frozenset[str]:
    """The words of a list that is one text, of all languages together."""
    return frozenset(word for lists in _VOCABULARY.values() for word in lists.get(name, "").split())


def phrases(*names: str, without: Iterable[str] = ()) -> Phrases:
    """The phrases of lists, of all languages together; ``without`` names languages to leave out."""
    every = {
        phrase
        for code, lists in _VOCABULARY.items()
        if code not in without
        for name in names
        for phrase in lists.get(name, ())
    }
    return Phrases(alternatives(every), frozenset(max(_parts(phrase), key=lambda part: (len(part), part)) for phrase in every))


def alternatives(every: Iterable[str]) -> str:
    """A pattern of any of the phrases, the longest first; a space in one stands for one or two of any kind."""
    spelt = sorted(set(every), key=lambda phrase: (-len(phrase), phrase))
    return "(?:" + "|".join(re.escape(phrase).replace(r"\ ", r"[ \u00a0]{1,2}").replace("'", "['’]") for phrase in spelt) + ")"


def announced(text: str, words: frozenset[str]) -> bool:
    """Whether a text has one of the words: a cheap test that spares most texts a pattern."""
    return not words.isdisjoint(_words(text))


@lru_cache(maxsize=4)
def _words(text: str) -> frozenset[str]:
    """The words of a text, and what stands before and behind their apostrophes: "l'adresse" is also "adresse"."""
    words = words_of(text)
    if "'" in text or "’" in text:
        words |= {part for word in words for part in word.replace("’", "'").split("'")}
    return words


def _parts(phrase: str) -> frozenset[str]:
    return frozenset(part for word in words_of(phrase) for part in word.replace("’", "'").split("'") if part) or frozenset([phrase])
