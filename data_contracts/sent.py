"""What people and programs send: whole numbers within bounds, and text that steers nothing. Imports nothing heavy."""

from __future__ import annotations

import unicodedata
from typing import Any

__all__ = ["LARGEST_ID", "plain", "whole_number"]

LARGEST_ID = 2**63 - 1  # that a database holds


def whole_number(value: Any, most: int = LARGEST_ID) -> int | None:
    """A whole number from 0 to ``most`` that somebody sent, as a number or in digits; None for anything else.

    Examples
    --------
    >>> whole_number(" 12 "), whole_number(12.0), whole_number("9" * 5000), whole_number(float("inf"))
    (12, 12, None, None)
    """
    if isinstance(value, str):
        digits = value.strip()
        # Python refuses thousands of digits, and a database those beyond its largest.
        value = int(digits) if digits.isdecimal() and len(digits) <= len(str(LARGEST_ID)) else None
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
    return value if good else None


# Marks that turn the order of what follows, and those that end it: embeddings, overrides and isolates.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: str, also: str = "\n\t") -> str:
    """Text that can be shown, and can't steer what shows it: without control characters and halves of characters.

    Parameters
    ----------
    text
        Any text.
    also
        The control characters that stay; all others, and halves of characters (a file's name that is not UTF-8), become
        U+FFFD, and marks that turn the direction go.

    Examples
    --------
    >>> plain("a" + chr(27) + "[31mred") == "a" + chr(0xFFFD) + "[31mred"
    True
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        "\ufffd" if unicodedata.category(letter) in ("Cc", "Cs") and letter not in also else letter
        for letter in text.replace("\r\n", "\n")
        if letter not in _TURNS
    )
