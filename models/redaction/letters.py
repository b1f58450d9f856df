"""Letters of every script as pieces of patterns: Python's ``re`` has no class for capitals beyond A to Z."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

__all__ = ["CAPITAL", "CASELESS", "SMALL"]

# Blocks of scripts with capitals: Latin, Greek, Cyrillic, Armenian, and their extensions.
_WITH_CASE = (range(0x41, 0x590), range(0x1E00, 0x2000), range(0x2C60, 0x2C80), range(0xA640, 0xA7FF))
# Hebrew to Khmer, kana. Georgian has capitals that nobody writes a name with.
_WITHOUT_CASE = (range(0x590, 0x18B0), range(0x3041, 0x3100))
_WITHOUT_CASE_ENTIRE = "\u200c\u200d\u3005\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\ufb1d-\ufb4f"


def _ranges(chars: Iterable[int]) -> str:
    """Code points as the inside of a character class."""
    runs: list[list[int]] = []
    for char in chars:
        if runs and char == runs[-1][1] + 1:
            runs[-1][1] = char
        else:
            runs.append([char, char])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in runs)


def _of(blocks: Iterable[range], *categories: str) -> str:
    return _ranges(char for block in blocks for char in block if unicodedata.category(chr(char)).startswith(categories))


CAPITAL = _of(_WITH_CASE, "Lu", "Lt")
"""Capitals."""

SMALL = _of(_WITH_CASE, "Ll", "Lm", "Mn")
"""Small letters, and accents that stand as characters of their own."""

CASELESS = _of(_WITHOUT_CASE, "L", "M") + _WITHOUT_CASE_ENTIRE
"""Letters and vowel signs of scripts without capitals."""
