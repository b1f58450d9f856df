"""What is known of single words: names, words that are never names, and what a corpus itself teaches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NoReturn

from lacuna.models.redaction.words import ALSO_WORDS, FIRST_NAMES, NEVER_NAMES

__all__ = ["Lexicon", "WatchedLexicon", "one_typo_apart"]

# Thresholds on the share of a word's texts in which it stands where names stand.
_NAME_TEXTS, _NAME_SHARE = 2, 0.3
_WORD_TEXTS, _WORD_SHARE = 3, 0.2


@dataclass(frozen=True)
class Lexicon:
    """Words in lower case that a corpus adds to the lists of `words`.

    Parameters
    ----------
    names
        First names: the corpus shows them as names, and hardly uses them otherwise.
    words
        Words: the corpus uses them all over, and hardly ever where a name stands.
    kept
        Words that are never names here, such as products.
    """

    names: frozenset[str] = field(default=frozenset())
    words: frozenset[str] = field(default=frozenset())
    kept: frozenset[str] = field(default=frozenset())

    @classmethod
    def of(
        cls, first: Mapping[str, int], named: Mapping[str, int], texts: Mapping[str, int], kept: Iterable[str]
    ) -> Lexicon:
        """The lexicon of a corpus: in how many texts each word is the first of a name, in a name, and there at all."""
        phrases = {str(phrase).lower() for phrase in kept}
        none = frozenset(phrases | {word for phrase in phrases for word in phrase.split()})
        names = frozenset(
            word
            for word, count in first.items()
            if count >= _NAME_TEXTS and count >= _NAME_SHARE * texts[word] and word not in none
        )
        listed = FIRST_NAMES | ALSO_WORDS
        words = frozenset(
            word
            for word, count in texts.items()
            if count >= _WORD_TEXTS and named.get(word, 0) < _WORD_SHARE * count and word not in listed
        )
        return cls(names, words, none)

    @cached_property
    def sure(self) -> frozenset[str]:
        """First names that are no words besides, so that they need no sentence to show them."""
        return (FIRST_NAMES - ALSO_WORDS) | self.names

    def listed(self, word: str) -> bool:
        """Whether a word may be a first name."""
        return word in self.sure or word in ALSO_WORDS

    def never(self, word: str) -> bool:
        """Whether a word, or a part of one with hyphens, is no name wherever it stands."""
        if word in NEVER_NAMES or word in self.kept:
            return True
        return "-" in word and any(part in NEVER_NAMES or part in self.kept for part in word.split("-"))


class _WatchedWords(frozenset[str]):
    """Words, and those that anybody asked for; asking is all that can be done with them."""

    asked: set[str]

    @classmethod
    def of(cls, words: frozenset[str], asked: set[str]) -> _WatchedWords:
        """These words; ``asked`` gets the words that are asked for."""
        watched = cls(words)
        watched.asked = asked
        return watched

    def __contains__(self, word: object) -> bool:
        """Whether a word is one of them."""
        self.asked.add(str(word))
        return super().__contains__(word)

    def isdisjoint(self, words: Iterable[object]) -> bool:
        """Whether none of the words is one of them."""
        own = list(words)
        self.asked.update(map(str, own))
        return super().isdisjoint(own)

    def _refused(self, *_: object) -> NoReturn:
        raise TypeError("of watched words, only single ones can be asked for")

    __and__ = __or__ = __sub__ = __xor__ = __rand__ = __ror__ = __rsub__ = __rxor__ = __iter__ = _refused
    intersection = union = difference = symmetric_difference = issubset = issuperset = _refused


class WatchedLexicon(Lexicon):
    """A lexicon that remembers of which words it was asked whether they are names, and whether they are words.

    Whatever was made with its help, another lexicon leads to the same where it says the same of these words.

    Parameters
    ----------
    lexicon
        What it says.
    """

    asked_names: set[str]
    asked_words: set[str]

    def __init__(self, lexicon: Lexicon) -> None:
        names, words = set[str](), set[str]()
        super().__init__(_WatchedWords.of(lexicon.names, names), _WatchedWords.of(lexicon.words, words), lexicon.kept)
        # A frozen dataclass takes no other way; ``sure`` is what the cached property of that name would compute.
        self.__dict__.update(asked_names=names, asked_words=words, sure=_WatchedWords.of(lexicon.sure, names))


def one_typo_apart(typed: str, intended: str) -> bool:
    """Whether one letter too many, too few, wrong, or swapped with the next makes one word of the other."""
    if abs(len(typed) - len(intended)) > 1 or typed == intended:
        return False
    at = next((i for i, (one, other) in enumerate(zip(typed, intended, strict=False)) if one != other), None)
    if at is None:
        return True
    typed_rest, intended_rest = typed[at:], intended[at:]
    swapped = typed_rest[:2] == intended_rest[1::-1] and typed_rest[2:] == intended_rest[2:]
    return swapped or typed_rest[1:] in (intended_rest, intended_rest[1:]) or typed_rest == intended_rest[1:]
