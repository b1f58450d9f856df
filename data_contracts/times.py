"""Times: which texts are a time, which years are allowed, and which unit a bare number most likely counts."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from lacuna.data_contracts.units import FIRST_YEAR, LAST_YEAR, UNITS
from lacuna.data_contracts.values import cells, is_null

__all__ = ["as_timestamp", "counted_since", "from_numbers", "outside"]

UTC_MICROSECONDS: Any = "datetime64[us, UTC]"

# A year first, then month and day: other orders are ambiguous, and bare digits may be an epoch or a date.
_TIME = r"^\d{4}[-/]\d{2}[-/]\d{2}(?:$|[T ]\d)|^\d{8}T\d{4}"

_EXCEL_ZERO = pd.Timestamp("1899-12-30")


def as_timestamp(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    """A column as UTC times, null where it holds none, and where it says "no value"."""
    blank = ~present
    if isinstance(raw.dtype, pd.DatetimeTZDtype):
        times = raw.dt.tz_convert("UTC").dt.as_unit("us")
    elif pd.api.types.is_datetime64_dtype(raw.dtype):
        times = raw.dt.as_unit("us").dt.tz_localize("UTC")
    else:
        text, blank = cells(raw, lambda v: v.isoformat() if isinstance(v, date | datetime) else v)
        text = text.where(text.str.contains(_TIME, regex=True).astype(bool))
        text = text.str.replace(r"\s*(?:UTC|GMT|z)$", "Z", regex=True)
        text = text.str.replace(r"[.,](\d{1,6})\d*", r".\1", regex=True)
        times = pd.to_datetime(text, utc=True, format="ISO8601", errors="coerce").astype(UTC_MICROSECONDS)
    return times.where(times.dt.year.between(FIRST_YEAR, LAST_YEAR)), blank


def outside(value: Any) -> int | None:
    """The year of a value that would be a time if its year were allowed, else None.

    Examples
    --------
    >>> [outside(value) for value in ("9999-12-31T23:59:59Z", "2024-06-30", "soon")]
    [9999, None, None]
    """
    text = value.isoformat() if isinstance(value, date | datetime) else str(value)
    year = int(text[:4]) if pd.Series([text]).str.contains(_TIME, regex=True).any() else FIRST_YEAR
    return None if FIRST_YEAR <= year <= LAST_YEAR else year


def counted_since(value: Any) -> str | None:
    """The unit that a number in a column of times most likely has, by its size; None where no unit gives a time.

    Examples
    --------
    >>> [counted_since(value) for value in (1704103200, "1704103200000", 45292.5, 7, "soon")]
    ['epoch_s', 'epoch_ms', 'excel_days', None, None]
    """
    number = _number(value)
    return next((name for name, (_, _, low, high) in UNITS.items() if low <= number < high), None)


def from_numbers(raw: pd.Series, unit: str) -> pd.Series:
    """A column of numbers as UTC times, by a unit of ``UNITS``; what is no number, or too large, stays as it is."""
    scale = UNITS[unit][1]
    seconds = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "D": 86_400.0}[scale]
    out: list[Any] = raw.astype("object").tolist()
    for place, value in enumerate(out):
        number = _number(value)
        if abs(number * seconds) < 1e10:
            zero = _EXCEL_ZERO if scale == "D" else pd.Timestamp(0)
            out[place] = (zero + pd.Timedelta(round(number * seconds * 1000), "ms")).isoformat() + "Z"
    return pd.Series(out, index=raw.index, dtype="object")


def _number(value: Any) -> float:
    """A number, or the number that a text is; infinity for all else."""
    if is_null(value) or isinstance(value, bool | np.bool_):
        return np.inf
    if isinstance(value, int | float | Decimal | np.number):
        return float(value)
    try:
        return float(value) if isinstance(value, str) and "_" not in value else np.inf
    except ValueError:
        return np.inf
