"""Text that a spreadsheet never runs as a formula, and frames as plain Python values.

A cell that begins with `=`, `+`, `-` or `@` is a formula to a spreadsheet, also behind blanks and in the full-width
forms that some of them fold; tab, carriage return and NUL open a cell in other ways. Such a text gets a leading
apostrophe, which every spreadsheet reads as "this is text".
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

LONGEST_CELL = 32_767
CUT = " … [cut]"

_SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫−"
_BLANKS = "\\s\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u2064\ufeff"
_RUNS = re.compile(f"^(?:[\t\r\x00]|[{_BLANKS}]*[{_SIGNS}])")
_RUNS_INSIDE = re.compile(f"([;\t\r\n][{_BLANKS}]*)(?=[{_SIGNS}])")
# What XML 1.0 cannot hold; the lone surrogates cannot be written as UTF-8 either.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def plain(value: object) -> Any:
    """A value as JSON knows it: no NaN, no infinity, no NumPy or pandas type, times as ISO text.

    Examples
    --------
    >>> plain({"rate": float("nan"), "ids": np.array(["a", "b"])})
    {'rate': None, 'ids': ['a', 'b']}
    """
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    return str(value)


def records(frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    """The rows of a frame as plain dicts; None gives no rows."""
    return [] if frame is None else [plain(row) for row in frame.to_dict("records")]


def safe_text(value: str) -> str:
    """A text that stays a text in any spreadsheet, fits into a cell and into XML.

    Examples
    --------
    >>> safe_text("=1+1")
    "'=1+1"
    >>> safe_text("two words")
    'two words'
    """
    guarded = "'" + value if _RUNS.match(value) else value
    return shorten(_ILLEGAL.sub("", guarded))


def safe_csv_text(value: str) -> str:
    """`safe_text` on one line, guarded after every `;` too: many spreadsheets split a CSV file there."""
    guarded = _RUNS_INSIDE.sub(r"\1'", value)
    if _RUNS.match(value):
        guarded = "'" + guarded
    return shorten(_ILLEGAL.sub("", re.sub(r"\s*[\r\n]+\s*", " ", guarded)))


def unguarded(value: str) -> str:
    """A cell without the apostrophe that :func:`safe_csv_text` added; any other cell is returned unchanged.

    Examples
    --------
    >>> unguarded("'=1+1"), unguarded("'tis")
    ('=1+1', "'tis")
    """
    bare = value.removeprefix("'")
    return bare if bare != value and safe_csv_text(bare) == value else value


def shorten(value: str) -> str:
    """Cut a text to what one cell holds, counted as spreadsheets count (an emoji is two), and mark the cut."""
    units = value.encode("utf-16-le", "replace")
    if len(units) <= 2 * LONGEST_CELL:
        return value
    return units[: 2 * (LONGEST_CELL - len(CUT))].decode("utf-16-le", "ignore") + CUT


def flat(value: Any) -> str | int | float | bool | None:
    """One cell's value: a list becomes `a; b`, a dict `name value, …`, with each text guarded on its own."""
    if value is None or isinstance(value, int | float | bool):
        return value
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(_item(item) for item in value)
    if isinstance(value, dict):
        return _item(value)
    return str(value)


def _item(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_item(item)}" for name, item in value.items() if item is not None)
    if isinstance(value, float):
        return f"{value:.6g}"
    printed = str(value)
    return "'" + printed if _RUNS.match(printed) else printed
