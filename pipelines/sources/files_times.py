"""Times as files write them: numbers, other orders of day and month, and clocks of a time zone."""

from __future__ import annotations

import re
from datetime import datetime

import pandas as pd

from lacuna.data_contracts.casts import cast
from lacuna.data_contracts.times import from_numbers
from lacuna.data_contracts.units import UNITS

__all__ = ["read_times"]

_ZONE = re.compile(r"(?:[Zz]|UTC|GMT|:\d{2}(?:[.,]\d+)?\s*[+-]\d{2}(?::?\d{2})?)\s*$")


def read_times(raw: pd.Series, how: str, zone: str) -> pd.Series:
    """A raw column of times, those that can be read as UTC times; all others stay as they are.

    Parameters
    ----------
    raw
        The column.
    how
        A unit of numbers, or a format as ``%d.%m.%Y %H:%M``; empty for times that begin with the year.
    zone
        Where the clock hangs that times without a zone were read from. Of the hour that autumn has twice, the first.
    """
    if how in UNITS:
        numbers = from_numbers(raw, how)
        if how != "excel_days" or zone == "UTC":
            return numbers
        raw = numbers.map(lambda value: value.removesuffix("Z") if isinstance(value, str) else value)
    elif how:
        # One after the other, since a column may mix zones, and pandas refuses all of it then.
        raw = pd.Series([_parsed(value, how) for value in raw], index=raw.index, dtype="object")
    if zone == "UTC" or isinstance(raw.dtype, pd.DatetimeTZDtype):
        return raw
    times, _ = cast(raw, "timestamp")
    local = times.notna() & pd.Series([_is_local(value) for value in raw], index=raw.index, dtype=bool)
    clock = times[local].dt.tz_localize(None)
    first = pd.Series(True, index=clock.index).to_numpy()
    at = clock.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward").dt.tz_convert("UTC")
    read = raw.astype("object").copy()
    read[local] = at.astype("object")
    return read


def _parsed(value: object, how: str) -> object:
    if not isinstance(value, str):
        return value
    try:
        return datetime.strptime(value.strip(), how)  # noqa: DTZ007 - its zone, where it has none, is given afterwards
    except ValueError:
        return value


def _is_local(value: object) -> bool:
    if isinstance(value, datetime):
        return value.tzinfo is None
    return not (isinstance(value, str) and bool(_ZONE.search(value)))
