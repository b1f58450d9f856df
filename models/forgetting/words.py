"""Words that only forgotten conversations hold, found in any text and taken out of it.

What people wrote goes on into names of topics, titles of gaps, drafts and reports, and there nothing says any more
whose words they are. They are told by comparison: four words in a row, or one long word, that stand in a forgotten
conversation and in no other known text. What others wrote too stays: it tells of nobody.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

__all__ = ["MARK", "OwnWords"]

MARK = "<FORGOTTEN>"  # a placeholder like those of redaction
ROW = 4  # words in a row that are one conversation's own
LONG = 4  # letters of a single word that is one's own
FIGURES = 5  # of a number that is one's own: shorter ones stand for anything

_WORD = re.compile(r"[^\W_]+")
_PLACEHOLDER = re.compile(r"<[A-Z_]+>")
Word = tuple[str, int, int]


class OwnWords:
    """The words of some conversations that no other text holds.

    First :meth:`add` all texts of these conversations, then :meth:`spare` what others say.

    Examples
    --------
    >>> own = OwnWords()
    >>> own.add("Hello, my parrot Zeno ate the charger of my bike")
    >>> own.spare("Hello, the charger of my bike is broken")
    >>> own.without("Parrot ate the charger; the charger of my bike")
    '<FORGOTTEN> ate the charger; the charger of my bike'
    >>> own.without("where is my order?")
    'where is my order?'
    """

    def __init__(self) -> None:
        self._vocabulary: set[str] = set()
        self._rows: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._rows)

    def add(self, text: str) -> None:
        """Add a text of one of the conversations."""
        for segment in _segments(unicodedata.normalize("NFC", text)):
            words = [word for word, _, _ in segment]
            self._vocabulary.update(words)
            self._rows.update(_rows(words))

    def spare(self, text: str) -> None:
        """Leave out what another text holds too."""
        for words in self._shared(unicodedata.normalize("NFC", text)):
            self._rows.difference_update(_rows([word for word, _, _ in words]))

    def found(self, text: str) -> bool:
        """Whether a text holds any of the words."""
        return any(True for _ in self._places(unicodedata.normalize("NFC", text)))

    def without(self, text: str) -> str:
        """A text with :data:`MARK` in place of the words; the same text where it holds none."""
        places = list(self._places(text))
        if not places:
            return text
        pieces, end = [], 0
        for first, last in _merged(places, text):
            pieces += [text[end:first], MARK]
            end = last
        return "".join([*pieces, text[end:]])

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        """Where words are that have to go, in order; places may overlap."""
        if not self._rows:
            return
        whole = list(_segments(text))
        if len(whole) == 1 and 0 < len(whole[0]) < ROW:  # a name or a key word: all of it is one's own
            (words,) = whole
            if " ".join(word for word, _, _ in words) in self._rows and not all(
                word.isdecimal() for word, _, _ in words
            ):
                yield words[0][1], words[-1][2]
                return
        for words in self._shared(text):
            for place, (word, start, end) in enumerate(words):
                if place + ROW <= len(words):
                    row = words[place : place + ROW]
                    if " ".join(one for one, _, _ in row) in self._rows:
                        yield start, row[-1][2]
                if _distinct(word) and word in self._rows:
                    yield start, end

    def _shared(self, text: str) -> Iterator[list[Word]]:
        """The longest rows of words of a text that all occur in the conversations."""
        for segment in _segments(text):
            row: list[Word] = []
            for word in segment:
                if word[0] in self._vocabulary:
                    row.append(word)
                elif row:
                    yield row
                    row = []
            if row:
                yield row


def _segments(text: str) -> Iterator[list[Word]]:
    """The words of a text with their places, apart where a placeholder stands."""
    end = 0
    for placeholder in [*_PLACEHOLDER.finditer(text), None]:
        until = placeholder.start() if placeholder else len(text)
        yield [(m.group().casefold(), m.start(), m.end()) for m in _WORD.finditer(text, end, until)]
        end = placeholder.end() if placeholder else until


def _rows(words: list[str]) -> Iterator[str]:
    """Every row of one to :data:`ROW` words."""
    for length in range(1, ROW + 1):
        for start in range(len(words) - length + 1):
            yield " ".join(words[start : start + length])


def _distinct(word: str) -> bool:
    """Whether a single word can be one person's own, rather than a figure or a word of any language."""
    return len(word) >= (FIGURES if word.isdecimal() else LONG)


def _merged(places: list[tuple[int, int]], text: str) -> Iterator[tuple[int, int]]:
    """Places that overlap as one, and those with a few words of one line between them, which tell little alone."""
    first, last = places[0]
    for start, end in sorted(places)[1:]:
        between = text[last:start]
        if start <= last or ("\n" not in between and len(_WORD.findall(between)) < ROW):
            last = max(last, end)
        else:
            yield first, last
            first, last = start, end
    yield first, last
