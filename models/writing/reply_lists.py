"""Lists in agents' replies: those written on one line are unfolded, and unmarked ones are recognised."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from lacuna.models.text.markup import LIST_ITEM
from lacuna.models.text.words import REPLY_SENTENCE_END

__all__ = ["Unit", "unfolded", "units"]

FEWEST_DASHES = 3  # items of a list of dashes on one line; two may be a parenthesis
FEWEST_WORDS = 2.5  # mean words of such an item; fewer are a path through menus ("Tools - Settings - General")
SHORT_LINE, FEWEST_LINES = 60, 3  # characters of a line without a mark, and lines in a row, that are a list

_NUMBER = re.compile(r"(?:^|(?<=\s)|(?<=[:;,]))(\d{1,2})[.)]\s*(?=[^\W\d_\"“'(<])")
_DASH = re.compile(r"(?:^|(?<=\s)|(?<=[:.]))[-–*•](?:\s+)(?=\S)")
_WRAPPED = re.compile(r"(?<=:)\s*\n+\s*(?![-*•\d])|(?<=[^\n]{50})(?<![.!?\s])[ \t]*\n[ \t]*(?=[a-zäöüß])")


class Unit(NamedTuple):
    """A sentence, or an item of a list, which may hold several."""

    text: str
    is_item: bool


def unfolded(text: str) -> str:
    r"""A text in which each item of a list that was written on one line has a line of its own.

    Examples
    --------
    >>> unfolded("Do this: 1. Open Orders. 2. Press Return.")
    'Do this:\n1. Open Orders.\n2. Press Return.'
    >>> unfolded("- exit the app - copy the folder - start the app")
    '- exit the app\n- copy the folder\n- start the app'
    >>> unfolded("Open Tools - Settings - General.")
    'Open Tools - Settings - General.'
    """
    return "\n".join(_unfold(line) for line in text.split("\n"))


def _unfold(line: str) -> str:
    return _numbered(line) or _dashed(line) or line


def _numbered(line: str) -> str:
    """A line with the numbers 1, 2 … in a row, cut before each; empty where there are none."""
    starts: list[int] = []
    for match in _NUMBER.finditer(line):
        if int(match[1]) == len(starts) + 1:
            starts.append(match.start())
    return _cut(line, starts) if len(starts) > 1 else ""


def _dashed(line: str) -> str:
    matches = list(_DASH.finditer(line))
    items = _cut(line, [match.start() for match in matches]).split("\n")
    if len(matches) < FEWEST_DASHES:
        return ""
    texts = [LIST_ITEM.sub("", item) for item in items if LIST_ITEM.match(item)]
    is_list = sum(len(text.split()) for text in texts) >= FEWEST_WORDS * len(texts)
    return "\n".join(items) if is_list else ""


def _cut(line: str, starts: list[int]) -> str:
    bounds = [0, *starts, len(line)]
    parts = (line[start:end].strip() for start, end in pairwise(bounds))
    return "\n".join(part.replace("–", "-", 1) if part.startswith("– ") else part for part in parts if part)


def units(text: str) -> list[Unit]:
    """The sentences and list items of a reply, in order, items without their marks.

    An item is a line with a mark, or one of at least three short lines in a row that end in no full stop.

    Examples
    --------
    >>> [tuple(unit) for unit in units("Do this. Then: - open Orders, now - press Return twice - close the page")]
    [('Do this.', False), ('Then:', False), ('open Orders, now', True), ('press Return twice', True), \
('close the page', True)]
    """
    lines = [line.strip() for line in unfolded(text).split("\n")]
    items = _items(lines)
    parts: list[Unit] = []
    prose: list[str] = []

    def close() -> None:
        joined = _WRAPPED.sub(" ", "\n".join(prose))
        parts.extend(
            Unit(" ".join(part.split()), False) for part in REPLY_SENTENCE_END.split(joined) if part and part.strip()
        )
        prose.clear()

    for line, is_item in zip(lines, items, strict=True):
        if is_item:
            close()
            parts.append(Unit(" ".join(LIST_ITEM.sub("", line).split()), True))
        elif line:
            prose.append(line)
        else:
            close()
    close()
    return [part for part in parts if part.text]


def _items(lines: list[str]) -> list[bool]:
    """Which lines are items of a list."""
    marked = [bool(LIST_ITEM.match(line)) and len(line) > 2 for line in lines]
    bare = [
        bool(line) and not mark and len(line) <= SHORT_LINE and line[-1] not in ".!?:,"
        for line, mark in zip(lines, marked, strict=True)
    ]
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and bare[end]:
            end += 1
        if end - start >= FEWEST_LINES:
            marked[start:end] = [True] * (end - start)
        start = max(end, start + 1)
    return marked
