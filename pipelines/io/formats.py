"""The file formats of a bundle: bytes in, raw columns out, with the row number of every row and what broke.

A row that can't be parsed (a CSV row with too many fields, a JSON line cut short) is reported with its raw text and
never stops the file.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable, Collection, Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lacuna.data_contracts.casts import cast
from lacuna.data_contracts.errors import BundleUnreadable
from lacuna.data_contracts.values import is_null, storable
from lacuna.pipelines.io.csv_files import exact, regular
from lacuna.pipelines.io.expansion import EXPANDED_BYTES, expanded_size, unpack
from lacuna.pipelines.io.raw import Broken, Raw

__all__ = [
    "SUFFIXES",
    "as_extra",
    "decode_text",
    "extra_kind",
    "extra_kinds",
    "json_lines",
    "parquet_frame",
    "parse",
    "storable_extra",
    "unreadable_parquet",
    "unreadable_zip",
]

SUFFIXES = (".parquet", ".jsonl.gz", ".csv.gz", ".json.gz", ".jsonl", ".csv", ".json")


def parse(name: str, data: bytes, known: Collection[str], expanded: int = EXPANDED_BYTES) -> Raw:
    """Parse a file by its name's ending.

    Parameters
    ----------
    name
        The file's name, for its ending and for messages.
    data
        Its bytes, as stored.
    known
        Columns that the table may have; they tell a comma-separated file from one with semicolons, tabs or bars.

    expanded
        The bytes that it may expand to where it is packed: see :mod:`lacuna.pipelines.io.expansion`.

    Raises
    ------
    BundleUnreadable
        The file is not what its name says, or expands to more.
    """
    if name.endswith(".gz"):
        data = _gunzip(name, data, expanded)
        name = name.removesuffix(".gz")
    if name.endswith(".parquet"):
        return _parquet(name, data, expanded)
    read = regular(name, data, known) if name.endswith(".csv") else None
    if read is not None:
        return read
    text, encoding = decode_text(data)
    raw = exact(name, text, known) if name.endswith(".csv") else _json_text(name, text)
    if encoding:
        raw.notes.append(("encoding", f"is not UTF-8 and was read as {encoding}; save it as UTF-8 to be sure"))
    return raw


def _gunzip(name: str, data: bytes, expanded: int) -> bytes:
    unpacked = io.BytesIO()
    try:
        unpack(name, data, unpacked, expanded)
        return unpacked.getvalue()
    except (OSError, EOFError, zlib.error) as e:
        raise unreadable_zip(name, e) from e


def unreadable_zip(name: str, error: Exception) -> BundleUnreadable:
    """What to say of a packed file that can't be unpacked."""
    return BundleUnreadable(f"{name} can't be unpacked: {error}", "compress it again with gzip, or copy it again")


def decode_text(data: bytes) -> tuple[str, str]:
    """The text, and the encoding's name where it is not UTF-8."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), "UTF-16"
    try:
        return data.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252"), "Windows-1252 (Western European)"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "ISO 8859-1 (Western European)"


def _json_text(name: str, text: str) -> Raw:
    """JSON lines; of a file that ends in .json also one array of objects, or an object that holds one."""
    if name.endswith(".json") and text.strip():
        try:
            whole = json.loads(text)
        except (ValueError, RecursionError):
            whole = None
        if isinstance(whole, dict):
            lists = [value for value in whole.values() if isinstance(value, list)]
            whole = lists[0] if len(lists) == 1 and len(whole) == 1 else whole
        if isinstance(whole, list):
            return _objects(list(enumerate(whole, 1)), [json.dumps(item, ensure_ascii=False) for item in whole])
        raw = json_lines(text.split("\n"))
        if raw.frame.empty or (whole is not None and not _flat(whole)):
            raise BundleUnreadable(
                f"{name} is neither an array of objects nor one object a line",
                "write [{…}, {…}], or one object a line; in pandas: to_json(path, orient='records', lines=True)",
            )
        return raw
    # Only line feeds end a JSON line: str.splitlines would also cut at U+2028 inside a string.
    return json_lines(text.split("\n"))


def _flat(record: dict[str, Any]) -> bool:
    """Whether an object is one row; one of objects, as pandas writes a frame by default, is a table on its side."""
    return not all(isinstance(value, dict) for value in record.values())


def json_lines(lines: Iterable[str], first: int = 1) -> Raw:
    """JSON lines, of which the first is number ``first`` of its file; blank ones are left out."""
    read: list[tuple[int, Any]] = []
    texts: list[str] = []
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        try:
            read.append((number, json.loads(line)))
        except (ValueError, RecursionError) as e:
            read.append((number, e))
        texts.append(line.rstrip("\r"))
    return _objects(read, texts)


def _objects(read: list[tuple[int, Any]], texts: list[str]) -> Raw:
    """What was read of each line or item, and its text, as a frame; what is no object is broken."""
    rows = [(number, value) for number, value in read if isinstance(value, dict)]
    broken = [
        Broken(number, f"not JSON: {value}" if isinstance(value, Exception) else "not a JSON object", text)
        for (number, value), text in zip(read, texts, strict=True)
        if not isinstance(value, dict)
    ]
    # A dict keeps the order in which names first came: no set, whose order would differ from process to process.
    names = list(dict.fromkeys(k for _, d in rows for k in d))
    columns = {storable(k): pd.Series([d.get(k) for _, d in rows], dtype="object") for k in names}
    frame = pd.DataFrame(columns, index=range(len(rows)))
    notes = [] if read else [("empty_file", "is empty")]
    return Raw(frame, np.array([number for number, _ in rows], dtype=np.int64), broken, notes)


def _parquet(name: str, data: bytes, expanded: int) -> Raw:
    try:
        expanded_size(name, data, expanded)
        table = pq.ParquetFile(io.BytesIO(data)).read()
    except (pa.ArrowException, OSError) as e:
        raise unreadable_parquet(name, e) from e
    return Raw(parquet_frame(name, table), np.arange(1, table.num_rows + 1, dtype=np.int64))


def unreadable_parquet(name: str, error: Exception) -> BundleUnreadable:
    """What to say of a Parquet file that can't be read."""
    return BundleUnreadable(f"{name} is no readable Parquet file: {error}", "write it again, or copy it again")


def parquet_frame(name: str, table: pa.Table) -> pd.DataFrame:
    """Rows of a Parquet file as raw columns.

    Raises
    ------
    BundleUnreadable
        Two columns have one name.
    """
    twice = [n for n in table.column_names if table.column_names.count(n) > 1]
    if twice:
        raise BundleUnreadable(f"{name} has two columns named '{twice[0]}'", "rename or remove one of them")
    return pd.DataFrame({n: _arrow(table.column(n)) for n in table.column_names}, index=range(table.num_rows))


def _arrow(column: pa.ChunkedArray) -> pd.Series:
    kind = column.type
    if pa.types.is_dictionary(kind):
        # Written out, it may be more than the 2 GiB that an array of plain strings holds.
        kind = pa.large_string() if pa.types.is_string(kind.value_type) else kind.value_type
        column = pa.chunked_array([part.dictionary.cast(kind).take(part.indices) for part in column.chunks], kind)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pd.Series(column.to_pandas(), dtype="str")
    if pa.types.is_boolean(kind):
        return pd.Series(column.to_pandas(types_mapper={kind: pd.BooleanDtype()}.get))
    if pa.types.is_signed_integer(kind):
        return pd.Series(column.cast(pa.int64()).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get))
    if pa.types.is_floating(kind):
        return pd.Series(column.cast(pa.float64()).to_pandas(), dtype="float64")
    if pa.types.is_timestamp(kind):
        return pd.Series(column.cast(pa.timestamp("us", kind.tz), safe=False).to_pandas())
    return pd.Series(column.to_pylist(), dtype="object")


def storable_extra(raw: pd.Series) -> pd.Series:
    """An extra column as a column that Parquet can hold, its values untouched where they are of one kind.

    Text stays text; a column of only booleans, whole numbers, numbers, times or lists of text becomes one; whatever
    else (objects, mixed kinds) becomes its JSON text.
    """
    return raw if raw.dtype != object else as_extra(raw, extra_kind([extra_kinds(raw)]))


_KINDS: dict[str, Callable[[Any], bool]] = {
    "bool": lambda v: isinstance(v, bool),
    "int": lambda v: isinstance(v, int) and not isinstance(v, bool) and abs(v) < 2**53,
    "float": lambda v: isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 2**53,
    "list": lambda v: isinstance(v, list) and all(isinstance(i, str) for i in v),
}


def extra_kinds(raw: pd.Series) -> frozenset[str] | None:
    """The kinds that every value of a raw column of Python objects is of; None where it has no value."""
    values = [v for v in raw if not is_null(v)]
    return frozenset(kind for kind, of in _KINDS.items() if all(of(v) for v in values)) if values else None


def extra_kind(kinds: Iterable[frozenset[str] | None]) -> str:
    """The kind of a column, given the kinds of its parts (:func:`extra_kinds`): the first in which all parts agree."""
    there = [part for part in kinds if part is not None]
    return next((kind for kind in _KINDS if there and all(kind in part for part in there)), "text")


def as_extra(raw: pd.Series, kind: str) -> pd.Series:
    """A raw column of Python objects as a column of a kind (:func:`extra_kind`)."""
    if kind != "text":
        return cast(raw, kind)[0]
    return pd.Series(
        [None if is_null(v) else storable(_json(v) if isinstance(v, dict | list | bool) else str(v)) for v in raw],
        index=raw.index,
        dtype="str",
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
