"""Reading a raw column as its contract type: one dtype whatever the file's format, and no value lost on the way."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from lacuna.data_contracts.contract import UNREADABLE, Table
from lacuna.data_contracts.ids import EXACT, NUMBER_FORMS, plain_id, whole_float, without_address, without_addresses
from lacuna.data_contracts.lists import pieces
from lacuna.data_contracts.times import as_timestamp
from lacuna.data_contracts.values import NO_NAME, NO_VALUE, cells, is_null, storable, text_of, text_series

__all__ = ["DTYPES", "cast", "conform", "empty"]

# Any, as the stubs of pandas know literal names of dtypes only.
DTYPES: dict[str, Any] = {
    "id": "str",
    "name": "str",
    "str": "str",
    "text": "str",
    "timestamp": "datetime64[us, UTC]",
    "bool": "boolean",
    "float": "float64",
    "int": "Int64",
    "list": "object",
    "ids": "object",
    "record": "object",
    "records": "object",
}

# Ids of people who work there: they are named on purpose, and an owner may be known by an address.
_OF_STAFF = {"owner_id", "author_id", "tagged_by"}
_TRUE = ["true", "t", "yes", "y", "1", "1.0"]
_FALSE = ["false", "f", "no", "n", "0", "0.0"]


def empty(type_: str, index: pd.Index) -> pd.Series:
    """An all-null column of a contract type."""
    if DTYPES[type_] == "object":
        return pd.Series([None] * len(index), index=index, dtype="object")
    return pd.Series(np.nan, index=index, dtype="float64").astype(DTYPES[type_])


def cast(raw: pd.Series, type_: str) -> tuple[pd.Series, pd.Series]:
    """Read a raw column as a contract type.

    Parameters
    ----------
    raw
        A column as its file gave it: text, numbers, times, lists, or a mix of them.
    type_
        id, name, str, text, timestamp, bool, float, int, list, ids, record or records. A text, such as a message, is
        taken as it is and may hold nothing but a line break; of a str, a blank is no value; of a name, neither are the
        words that programs write for "no value" (nan, None, NULL …); an id is also one and the same whether it was
        written as 1001, 1001.0 or 1.001E+03.

    Returns
    -------
    typed
        The column with the dtype of ``DTYPES``; null where there was no value or it could not be read.
    unreadable
        bool, same index: a value was there and is none of that type. Times without a zone are read as UTC; numbers
        are no times (an epoch doesn't say its unit), nor are years that can't be; infinity is no number; a float
        of 2**53 or more is no id.

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
        The contract's columns, and `__unreadable__`: the first column of the row that could not be read and without
        which the row is none, else null.
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
        if column.type in ("id", "ids") and column.name not in _OF_STAFF:
            typed[column.name] = _pseudonyms(typed[column.name])
        if bad.any():
            raw[column.name] = frame[column.name].astype("object").where(bad, None)
            if column.name in table.vital:
                first = first.mask(bad & first.isna(), column.name)
    typed[UNREADABLE] = first
    return pd.DataFrame(typed, index=frame.index), pd.DataFrame(raw, index=frame.index, dtype="object")


def _pseudonyms(ids: pd.Series) -> pd.Series:
    """Ids, or lists of ids, without addresses and phone numbers."""
    if ids.dtype != object:
        return without_addresses(ids)
    return ids.map(lambda own: [without_address(one) for one in own], na_action="ignore").astype("object")


def _uniform(raw: pd.Series) -> pd.Series:
    """A column of Python objects that are all of one kind, with the dtype of that kind: quicker to read."""
    if raw.dtype != object:
        return raw
    kinds = {type(v) for v in raw} - {type(None)}
    if kinds == {str}:
        return text_series(raw.tolist(), raw.index)
    if kinds == {bool}:
        return raw.astype("boolean")
    return raw.astype("Float64").astype("float64") if kinds == {float} else raw


def _as_str(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    text, blank = _as_text(raw, present)
    blank |= (text.str.strip() == "").astype(bool)
    return text.mask(blank), blank


def _as_name(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    text, blank = _as_str(raw, present)
    blank |= text.str.strip().isin(NO_NAME)
    return text.mask(blank), blank


def _as_id(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    if raw.dtype == object or pd.api.types.is_float_dtype(raw.dtype):
        text = text_series([_id(v) for v in raw], raw.index)
    else:
        text = raw.astype("str").where(present)
    text = text.str.strip()
    blank = text.str.lower().isin(NO_VALUE)
    text = text.mask(blank)
    number = text.str.contains(NUMBER_FORMS, regex=True, na=False).astype(bool)
    if number.any():
        text = text.mask(number, text[number].map(plain_id).astype("str"))
    return text, blank


def _id(v: Any) -> str | None:
    if isinstance(v, float | np.floating) and not math.isnan(v):
        return whole_float(float(v))
    if isinstance(v, Decimal) and v.is_finite() and v == v.to_integral_value():
        return str(int(v))
    return text_of(v)


def _as_text(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    if raw.dtype == object:
        text = text_series([text_of(v) for v in raw], raw.index)
    elif pd.api.types.is_float_dtype(raw.dtype):
        text = pd.Series([text_of(v) for v in raw.astype("object")], index=raw.index, dtype="str")
    elif pd.api.types.is_bool_dtype(raw.dtype):
        text = raw.astype("str").str.lower()
    else:
        text = raw.astype("str")
    text = text.where(present)
    blank = (text == "").astype(bool)
    return text.mask(blank), blank


def _as_bool(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    if pd.api.types.is_bool_dtype(raw.dtype):
        return raw.astype("boolean"), ~present
    text, blank = cells(raw, lambda v: str(v) if isinstance(v, bool | int | float) else v)
    text = text.str.lower()
    typed = pd.Series(pd.NA, index=raw.index, dtype="boolean")
    return typed.mask(text.isin(_TRUE), True).mask(text.isin(_FALSE), False), blank


def _as_float(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    if pd.api.types.is_numeric_dtype(raw.dtype) and not pd.api.types.is_bool_dtype(raw.dtype):
        number, blank = raw.astype("float64"), ~present
    else:
        text, blank = cells(raw, _number_text)
        # "1_000" is a Python number and nobody else's.
        number = pd.to_numeric(text.where(~text.str.contains("_", regex=False, na=False)), errors="coerce")
        number = number.astype("float64")
    return number.where(np.isfinite(number)), blank


def _as_int(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    if pd.api.types.is_signed_integer_dtype(raw.dtype):
        return raw.astype("Int64"), ~present
    if raw.dtype == object and all(type(v) is int and abs(v) < EXACT for v in raw if v is not None):
        return raw.astype("Int64"), ~present
    number, blank = _as_float(raw, present)
    # From EXACT on a float no longer holds every integer; no count or position is that large.
    is_whole = (number % 1 == 0) & (number.abs() < EXACT)
    return number.where(is_whole).astype("Int64"), blank


def _as_list(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    return _lists(raw, present, text_of, lambda v: v.strip() in NO_NAME)


def _as_ids(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    def whole(v: Any) -> str | None:
        text = _id(v)
        return None if text is None else plain_id(text.strip())

    return _lists(raw, present, whole, lambda v: v.strip().lower() in NO_VALUE)


def _as_record(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    return _objects([v if isinstance(v, dict) else None for v in raw], raw.index), ~present


def _as_records(raw: pd.Series, present: pd.Series) -> tuple[pd.Series, pd.Series]:
    def records(v: Any) -> list[dict[str, Any]] | None:
        items_ = list(v) if isinstance(v, list | tuple | np.ndarray) else None
        return items_ if items_ is not None and all(isinstance(r, dict) for r in items_) else None

    return _objects([records(v) for v in raw], raw.index), ~present


_READERS: dict[str, Callable[[pd.Series, pd.Series], tuple[pd.Series, pd.Series]]] = {
    "id": _as_id,
    "name": _as_name,
    "str": _as_str,
    "text": _as_text,
    "timestamp": as_timestamp,
    "bool": _as_bool,
    "float": _as_float,
    "int": _as_int,
    "list": _as_list,
    "ids": _as_ids,
    "record": _as_record,
    "records": _as_records,
}


def _number_text(v: Any) -> Any:
    return str(v) if isinstance(v, int | float | Decimal | np.number) and not isinstance(v, bool) else v


def _lists(
    raw: pd.Series, present: pd.Series, read: Callable[[Any], str | None], nothing: Callable[[str], bool]
) -> tuple[pd.Series, pd.Series]:
    """Each value as a list of texts, those left out that stand for no value; a cell that holds only such is blank."""
    raw = raw.astype("object")
    blank = pd.Series([isinstance(v, str) and nothing(v) for v in raw], index=raw.index, dtype=bool)

    def items(v: Any) -> list[str] | None:
        items_ = pieces(v) if isinstance(v, str) else v
        if not isinstance(items_, list | tuple | np.ndarray):
            return None
        texts = [read(i) for i in items_ if not is_null(i) and not (isinstance(i, str) and nothing(i))]
        return None if None in texts else [storable(t.strip()) for t in texts if t is not None]

    lists = [items(v) if p else None for v, p in zip(raw, present & ~blank, strict=True)]
    return _objects(lists, raw.index), blank


def _objects(values: list[Any], index: pd.Index) -> pd.Series:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return pd.Series(out, index=index, dtype="object")
