"""What every finder shares: the span, the kinds, and how found text is hidden from the finders after it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache

__all__ = ["BLANK", "KINDS", "PLACEHOLDER", "LazyPattern", "Span", "blank", "blank_matches", "words_of"]

Span = tuple[int, int, str]

KINDS: tuple[str, ...] = (
    "ADDRESS",
    "CARD",
    "DATE_OF_BIRTH",
    "DEVICE",
    "EMAIL",
    "IBAN",
    "IP",
    "NAME",
    "NATIONAL_ID",
    "ORDER",
    "PHONE",
    "PLATE",
    "SECRET",
    "URL",
    "USERNAME",
)
"""Kinds of personal data, each written ``<KIND>`` in redacted text. ORDER is any order, ticket, tracking, customer or
other reference number; SECRET a password, PIN, one-time code, key or token;
NATIONAL_ID a number that a state gives, such as a tax or insurance number; PLATE that of a car; DEVICE a MAC address, IMEI or serial."""

PLACEHOLDER = re.compile("<(?:" + "|".join(KINDS) + ")>")

BLANK = "\x00"
# NUL is neither a word character, a digit nor white space, so no finder can match across it by accident.

_SPACES = {ord(char): " " for char in ',.;:!?¡¿()[]{}<>"„“”«»=-_/#*\n' + BLANK}


class LazyPattern:
    """A pattern that is compiled when it is first used: those with letters of all scripts take long.

    Parameters
    ----------
    source, flags
        As of :func:`re.compile`.
    """

    def __init__(self, source: str, flags: int = 0) -> None:
        self.source = source
        self.flags = flags

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.source, self.flags)

    @property
    def groups(self) -> Iterable[str]:
        """Names of its groups."""
        return self._compiled.groupindex

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """As of a compiled pattern."""
        return self._compiled.finditer(text)


def blank(text: str, spans: Iterable[Span]) -> str:
    """The text with every span overwritten by ``BLANK``, length unchanged. Spans must not overlap."""
    parts: list[str] = []
    at = 0
    for start, end, _ in sorted(spans):
        parts += (text[at:start], BLANK * (end - start))
        at = end
    parts.append(text[at:])
    return "".join(parts)


def blank_matches(pattern: re.Pattern[str], text: str) -> str:
    """The text with every match of a pattern overwritten by ``BLANK``, length unchanged."""
    return pattern.sub(lambda match: BLANK * len(match.group()), text)


@lru_cache(maxsize=4)
def words_of(text: str) -> frozenset[str]:
    """The lower-case words of a text: a cheap test that spares most texts a finder's patterns.

    Cached because the finders ask for the same text one after another.
    """
    return frozenset(text.lower().translate(_SPACES).split())
