"""Single values: which of them mean "no value", how any value is written as text, and whether it is an allowed one."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

__all__ = [
    "NO_NAME",
    "NO_VALUE",
    "among",
    "cells",
    "is_null",
    "storable",
    "text_of",
    "text_series",
]

# What exports write into a cell of an id's, a number's or a time's column where there is no value, in any case.
NO_VALUE = frozenset(
    ("", "nan", "nat", "null", "none", "na", "n/a", "\\n", "<na>", "#n/a", "<null>", "(null)", "undefined")
)
# What programs write into a column of names, in exactly these letters: "NA" may be Namibia, and Null or Nan somebody.
NO_NAME = frozenset(
    ("", "nan", "NaN", "NaT", "<NA>", "None", "NULL", "null", "\\N", "N/A", "n/a", "#N/A", "<null>", "(null)",
     "undefined")
)  # fmt: skip


def is_null(value: Any) -> bool:
    """Whether a raw value stands for "no value": None, NaN, NaT, NA."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    return isinstance(value, float) and math.isnan(value)


def storable(text: str) -> str:
    """Text that UTF-8 can hold: a lone surrogate (half an emoji, from broken JSON) becomes U+FFFD.

    Examples
    --------
    >>> storable("café" + chr(0xD83D)) == "café" + chr(0xFFFD)
    True
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def text_of(value: Any) -> str | None:
    """A value as text; None for no value, for a collection, and for bytes that are no text."""
    if is_null(value) or isinstance(value, list | tuple | dict | set | np.ndarray):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, float | np.floating):
        # A column of whole numbers with a hole comes out of many tools as floats: 1001.0 is 1001.
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return None
    return str(value)


def text_series(values: list[str | None], index: pd.Index) -> pd.Series:
    """A text column, storable whatever its values hold."""
    try:
        return pd.Series(values, index=index, dtype="str")
    except UnicodeEncodeError:
        return pd.Series([None if v is None else storable(v) for v in values], index=index, dtype="str")


def cells(raw: pd.Series, keep: Callable[[Any], Any]) -> tuple[pd.Series, pd.Series]:
    """Stripped text of each value that is text or that `keep` makes text, and where it says "no value"."""
    if raw.dtype == "str":
        text = raw.str.strip()
    else:
        values = [None if is_null(v) else keep(v) for v in raw.astype("object")]
        text = text_series([v.strip() if isinstance(v, str) else None for v in values], raw.index)
    blank = text.str.lower().isin(NO_VALUE)
    return text.mask(blank), blank


def among(values: pd.Series, allowed: pd.Series | pd.Index) -> pd.Series:
    """Whether each value is one of ``allowed``: bool, with the index of ``values``.

    As Python objects, because `isin` on Arrow text turns every allowed value into a scalar first: 20 times slower.
    """
    return values.astype("object").isin(allowed.astype("object"))
