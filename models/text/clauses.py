"""Customers' messages as clauses: the pieces between marks, as people write and say them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from lacuna.models.text.lexicon import APOSTROPHES, BREAK, VOCABULARY
from lacuna.models.text.words import LABEL_WORD

__all__ = ["Clause", "clauses", "joined"]

LEAD = 70  # first words of a message from which names are taken
NAME = 3  # most words after a greeting or a sign-off that count as a name
REPEATED = 4  # most words in a row that a speaker says twice

# "l'adresse" is an article and a noun, and written as one word again.
_ELIDED = r"(?:[ldjncsmt]|qu|jusqu|lorsqu|puisqu)'"
_ELISION, _APART = re.compile(_ELIDED + r"(?=\w{2})", re.I), re.compile(rf"(?<!\w)({_ELIDED}) ", re.I)
_NOT_ELIDED = {"aujourd'hui", "d'accord", "quelqu'un"}


@dataclass(frozen=True)
class Clause:
    """A piece of a question between marks: its words as written, the same folded, and whether it asks."""

    words: tuple[str, ...]
    folded: tuple[str, ...]
    asks: bool
    opens: bool

    def corrected(self, spellings: dict[str, str]) -> Clause:
        """The clause with slips of the pen put right."""
        if spellings.keys().isdisjoint(self.folded):
            return self
        words = tuple(spellings.get(f, w) for w, f in zip(self.words, self.folded, strict=True))
        return replace(self, words=words, folded=tuple(spellings.get(f, f) for f in self.folded))

    def fluent(self, code: str) -> Clause:
        """The clause without what a speaker of a language says while thinking, and without words said twice.

        Examples
        --------
        >>> spoken = clauses("um what's what's the, I mean what is the fee")
        >>> [" ".join(clause.fluent("en").words) for clause in spoken]
        ["what's the", 'what is the fee']
        """
        kept = _without_fillers(self.folded, code)
        kept = _without_repeats(self.folded, kept)
        if len(kept) == len(self.words):
            return self
        words, folded = (tuple(some[i] for i in kept) for some in (self.words, self.folded))
        return replace(self, words=words, folded=folded)


def clauses(text: str) -> list[Clause]:
    """The pieces of ``text`` between marks, placeholders and line ends.

    Examples
    --------
    >>> [" ".join(c.words) for c in clauses("Hi, my Tarn 2 pole snapped. Can I get a new one?")]
    ['my Tarn 2 pole snapped', 'Can I get a new one']
    """
    pieces, start, opens, signed = [], 0, True, False
    ends = [(m.start(), m.end(), m[0]) for m in BREAK.finditer(text)] + [(len(text), len(text), "")]
    left = LEAD
    for at, after, mark in ends:
        words = LABEL_WORD.findall(text[start:at].replace("’", "'"))[:left]
        if "'" in text[start:at] or "’" in text[start:at]:
            words = [part for word in words for part in _split(word)]
        if words and not (signed and len(words) <= NAME):
            folded = tuple(map(_folded, words))
            pieces.append(Clause(tuple(words), folded, "?" in mark, opens))
            left -= len(words)
        opens = not mark or mark[0] not in ",:(" or not words
        start, signed = after, bool(mark[:1].isalpha() or (signed and not words))
        if left <= 0:
            break
    return pieces


def joined(words: Sequence[str]) -> str:
    """Words as one text; an article without its vowel stands close to its noun.

    Examples
    --------
    >>> joined(["changer", "l'", "adresse"])
    "changer l'adresse"
    """
    return _APART.sub(r"\1", " ".join(words))


def _split(word: str) -> list[str]:
    match = _ELISION.match(word)
    if not match or word.casefold() in _NOT_ELIDED:
        return [word]
    return [match[0], word[match.end() :]]


@lru_cache(maxsize=200_000)
def _folded(word: str) -> str:
    return APOSTROPHES.get(word.casefold(), word.casefold())


@cache
def _fillers(code: str) -> re.Pattern[str] | None:
    alternatives = VOCABULARY[code].get("fillers")
    return re.compile(rf"(?<![^ ])(?:{'|'.join(alternatives)})(?![^ ])") if alternatives else None


def _without_fillers(words: tuple[str, ...], code: str) -> list[int]:
    """The positions of the words that are no filler."""
    pattern = _fillers(code)
    text = " ".join(words)
    if pattern is None or not pattern.search(text):
        return list(range(len(words)))
    kept, at = [], 0
    spans = [match.span() for match in pattern.finditer(text)]
    for i, word in enumerate(words):
        if not any(start <= at < end for start, end in spans):
            kept.append(i)
        at += len(word) + 1
    return kept


def _without_repeats(words: tuple[str, ...], kept: list[int]) -> list[int]:
    """The positions without those of words that stand there a second time in a row: "to the to the"."""
    for length in range(1, REPEATED + 1):
        i = 0
        while i + 2 * length <= len(kept):
            first, second = kept[i : i + length], kept[i + length : i + 2 * length]
            if [words[k] for k in first] == [words[k] for k in second]:
                kept = kept[:i] + kept[i + length :]
            else:
                i += 1
    return kept
