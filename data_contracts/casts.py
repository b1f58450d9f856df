"""Reading a raw column as its contract type: one dtype whatever the file's format, and no value lost on the way."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from lacuna.data_contracts.contract import UNREADABLE, Table

__all__ = ["DTYPES", "cast", "conform", "empty", "is_null", "storable"]

# Any, as the stubs of pandas know literal names of dtypes only.
DTYPES: dict[str, Any] = {
    "str": "str",
    "text": "str",
    "timestamp": "datetime64[us, UTC]",
    "bool": "boolean",
    "float": "float64",
    "int": "Int64",
    "list": "object",
    "record": "object",
    "records": "object",
}

# What exports write into a CSV cell of a typed column where there is no value.
_NO_VALUE = ["", "nan", "nat", "null", "none", "na", "n/a", "\\n"]
_TRUE = ["true", "t", "yes", "y", "1", "1.0"]
_FALSE = ["false", "f", "no", "n", "0", "0.0"]

# A year first, then month and day: other orders are ambiguous, and bare digits may be an epoch or a date.
_TIME = r"^\d{4}[-/]\d{2}[-/]\d{2}(?:$|[T ]\d)|^\d{8}T\d{4}"


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


def empty(type_: str, index: pd.Index) -> pd.Series:
    """An all-null column of a contract type."""
    if type_ in ("list", "record", "records"):
        return pd.Series([None] * len(index), index=index, dtype="object")
    return pd.Series(np.nan, index=index, dtype="float64").astype(DTYPES[type_])


def cast(raw: pd.Series, type_: str) -> tuple[pd.Series, pd.Series]:
    """Read a raw column as a contract type.

    Parameters
    ----------
    raw
        A column as its file gave it: text, numbers, times, lists, or a mix of them.
    type_
        str, text, timestamp, bool, float, int, list, record or records. Of a str, a blank is no value; a text, such
        as a message, may hold nothing but a line break.

    Returns
    -------
    typed
        The column with the dtype of ``DTYPES``; null where there was no value or it could not be read.
    unreadable
        bool, same index: a value was there and is none of that type. Times without a zone are read as UTC; numbers
        are no times (an epoch doesn't say its unit); infinity is no number.

    Examples
    --------
    >>> typed, bad = cast(pd.Series(["4", "oops", ""]), "float")
    >>> typed.tolist(), bad.tolist()
    ([4.0, nan, nan], [False, True, False])
    """
    raw = _uniform(raw)
    present = raw.notna()
    typed, blank = _READERS[type_](raw, present)
    unreadable = present & ~blank & typed.isna()
    return typed, unreadable.astype(bool)


def conform(table: Table, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read every column of a table's contract from a raw frame; an absent column is all null, extra ones are left out.

    Returns
    -------
    typed
        The contract's columns, and `__unreadable__`: the first column of the row that could not be read, else null.
    raw
        object, same index: for each column with unreadable values their raw value, elsewhere None.
    """
    typed: dict[str, pd.Series] = {}
    raw: dict[str, pd.Series] = {}
    first: pd.Series = pd.Series(None, index=frame.index, dtype="str")
    for column in table.columns:
        if column.name not in frame.columns:
            typed[column.name] = empty(column.type, frame.index)
            continue
        typed[column.name], bad = cast(frame[column.name], column.type)
        if bad.any():
            raw[column.name] = frame[column.name].astype("object").where(bad, None)
            first = first.mask(bad & first.isna(), column.name)
    typed[UNREADABLE] = first
    return pd.DataFrame(typed, index=frame.index), pd.DataFrame(raw, index=frame.index, dtype="object")


def _uniform(raw: pd.Series) -> pd.Series:
    """A column of Python objects that are all of one kind, with the dtype of that kind: quicker to read."""
    if raw.dtype != object:
        return raw
    kinds = {type(v) for v in raw} - {type(None)}
    if kinds == {str}:
        return _text_series(raw.tolist(), raw.index)
    if kinds == {bool}:
        return raw.astype("boolean")
    return raw.astype("Float64").astype("float64") if kinds == {float} else raw


def _as_str(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    text, blank = _as_text(raw, present)
    blank |= (text.str.strip() == "").astype(bool)
    return text.mask(blank), blank


def _as_text(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    if raw.dtype == object:
        text = _text_series([_text(v) for v in raw], raw.index)
    elif pd.api.types.is_float_dtype(raw.dtype):
        text = pd.Series([_text(v) for v in raw.astype("object")], index=raw.index, dtype="str")
    elif pd.api.types.is_bool_dtype(raw.dtype):
        text = raw.astype("str").str.lower()
    else:
        text = raw.astype("str")
    text = text.where(present)
    blank = (text == "").astype(bool)
    return text.mask(blank), blank


def _as_timestamp(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    if isinstance(raw.dtype, pd.DatetimeTZDtype):
        return raw.dt.tz_convert("UTC").dt.as_unit("us"), ~present
    if pd.api.types.is_datetime64_dtype(raw.dtype):
        return raw.dt.as_unit("us").dt.tz_localize("UTC"), ~present
    text, blank = _cells(raw, lambda v: v.isoformat() if isinstance(v, date | datetime) else v)
    text = text.where(text.str.contains(_TIME, regex=True).astype(bool))
    text = text.str.replace(r"\s*(?:UTC|GMT|z)$", "Z", regex=True)
    text = text.str.replace(r"[.,](\d{1,6})\d*", r".\1", regex=True)
    times = pd.to_datetime(text, utc=True, format="ISO8601", errors="coerce")
    return times.astype(DTYPES["timestamp"]), blank


def _as_bool(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    if pd.api.types.is_bool_dtype(raw.dtype):
        return raw.astype("boolean"), ~present
    text, blank = _cells(raw, lambda v: str(v) if isinstance(v, bool | int | float) else v)
    text = text.str.lower()
    typed = pd.Series(pd.NA, index=raw.index, dtype="boolean")
    return typed.mask(text.isin(_TRUE), True).mask(text.isin(_FALSE), False), blank


def _as_float(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    if pd.api.types.is_numeric_dtype(raw.dtype) and not pd.api.types.is_bool_dtype(raw.dtype):
        number, blank = raw.astype("float64"), ~present
    else:
        text, blank = _cells(raw, _number_text)
        # "1_000" is a Python number and nobody else's.
        number = pd.to_numeric(text.where(~text.str.contains("_", regex=False, na=False)), errors="coerce")
        number = number.astype("float64")
    return number.where(np.isfinite(number)), blank


def _as_int(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    if pd.api.types.is_signed_integer_dtype(raw.dtype):
        return raw.astype("Int64"), ~present
    if raw.dtype == object and all(type(v) is int and abs(v) < 2**53 for v in raw if v is not None):
        return raw.astype("Int64"), ~present
    number, blank = _as_float(raw, present)
    # Beyond 2**53 a float no longer holds every integer; no count or position is that large.
    whole = (number % 1 == 0) & (number.abs() < 2**53)
    return number.where(whole).astype("Int64"), blank


def _as_list(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    raw = raw.astype("object")
    blank = pd.Series([isinstance(v, str) and not v.strip() for v in raw], index=raw.index, dtype=bool)
    lists = [_items(v) if p else None for v, p in zip(raw, present & ~blank, strict=True)]
    return _objects(lists, raw.index), blank


def _as_record(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    return _objects([v if isinstance(v, dict) else None for v in raw], raw.index), ~present


def _as_records(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    def records(v: Any) -> list[dict[str, Any]] | None:
        found = list(v) if isinstance(v, list | tuple | np.ndarray) else None
        return found if found is not None and all(isinstance(r, dict) for r in found) else None

    return _objects([records(v) for v in raw], raw.index), ~present


_READERS: dict[str, Callable[[pd.Series, pd.Series], tuple[pd.Series, pd.Series]]] = {
    "str": _as_str,
    "text": _as_text,
    "timestamp": _as_timestamp,
    "bool": _as_bool,
    "float": _as_float,
    "int": _as_int,
    "list": _as_list,
    "record": _as_record,
    "records": _as_records,
}


def _cells(raw: pd.Series, keep: Callable[[Any], Any]) -> tuple[pd.Series, pd.Series]:
    """Stripped text of each value that is text or that `keep` makes text, and where it says "no value"."""
    if raw.dtype == "str":
        text = raw.str.strip()
    else:
        kept = [None if is_null(v) else keep(v) for v in raw.astype("object")]
        text = _text_series([v.strip() if isinstance(v, str) else None for v in kept], raw.index)
    blank = text.str.lower().isin(_NO_VALUE)
    return text.mask(blank), blank


def _number_text(v: Any) -> Any:
    return str(v) if isinstance(v, int | float | Decimal | np.number) and not isinstance(v, bool) else v


def _text(v: Any) -> str | None:
    if is_null(v) or isinstance(v, list | tuple | dict | set | np.ndarray):
        return None
    if isinstance(v, str):
        return v
    if isinstance(v, bool | np.bool_):
        return str(v).lower()
    if isinstance(v, float | np.floating):
        # An id column with a hole comes out of many tools as floats: 1001.0 is the id 1001.
        return str(int(v)) if float(v).is_integer() else repr(float(v))
    if isinstance(v, date | datetime):
        return v.isoformat()
    if isinstance(v, bytes):
        try:
            return v.decode("utf-8")
        except UnicodeDecodeError:
            return None
    return str(v)


def _text_series(values: list[str | None], index: pd.Index) -> pd.Series:
    try:
        return pd.Series(values, index=index, dtype="str")
    except UnicodeEncodeError:
        return pd.Series([None if v is None else storable(v) for v in values], index=index, dtype="str")


def _items(v: Any) -> list[str] | None:
    if type(v) is list and all(type(i) is str and i.isascii() for i in v):
        return [i.strip() for i in v if i and not i.isspace()]
    if isinstance(v, str):
        v = v.strip()
        if v.startswith("["):
            try:
                v = json.loads(v)
            except (ValueError, RecursionError):
                return None
        else:
            v = v.split(";")
    if not isinstance(v, list | tuple | np.ndarray):
        return None
    kept = [i for i in v if not is_null(i)]
    texts = [_text(i) for i in kept]
    if any(t is None for t in texts):
        return None
    return [storable(t.strip()) for t in texts if t is not None and t.strip()]


def _objects(values: list[Any], index: pd.Index) -> pd.Series:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return pd.Series(out, index=index, dtype="object")
