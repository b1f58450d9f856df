"""A list in a cell, in the ways that tools write one: JSON, Python, NumPy, Postgres, and with semicolons."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["pieces"]

_BRACKETS = {"[": "]", "(": ")", "{": "}"}
_WRAPPED = re.compile(r"^(?:array|set|frozenset|tuple|list)\((?P<inside>.*?)(?:,\s*dtype=[^)]*)?\)$", re.DOTALL)
# One piece: in single or double quotes, or bare; then a comma, or blanks as NumPy has them, or the end.
_PIECE = re.compile(
    r"""\s*(?:'(?P<single>(?:[^'\\]|\\.)*)'|"(?P<double>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s,;'"\[\](){}:]+))"""
    r"""(?P<after>\s*,\s*|\s+|$)""",
    re.DOTALL,
)


def pieces(text: str) -> list[Any] | None:
    """The items of a list that is written as text; None where the text is not clearly a list.

    Examples
    --------
    >>> for text in ('["a", "b"]', "['a', 'b']", "['a' 'b']", '{a,"b"}', "a; b", "[]", "['a'", "[['a']]"):
    ...     print(pieces(text))
    ['a', 'b']
    ['a', 'b']
    ['a', 'b']
    ['a', 'b']
    ['a', ' b']
    []
    None
    None
    """
    text = text.strip()
    if wrapped := _WRAPPED.match(text):
        text = wrapped["inside"].strip()
    if text[:1] not in _BRACKETS:
        return list(text.split(";"))
    if text[-1] != _BRACKETS[text[0]]:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _unquoted_items(text[1:-1].strip())
    if value == {}:
        return []
    return value if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value) else None


def _unquoted_items(inside: str) -> list[Any] | None:
    items: list[Any] = []
    between = set()
    place = 0
    while place < len(inside):
        piece = _PIECE.match(inside, place)
        if piece is None:
            return None
        quoted = piece["single"] if piece["single"] is not None else piece["double"]
        items.append(piece["bare"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        place = piece.end()
        if place < len(inside):
            between.add(piece["after"].strip())
    # "[kb a, kb b]" may be two names or four.
    return items if len(between) < 2 else None
