"""The file formats of a bundle: bytes in, raw columns out, with the row number of every row and what broke.

A row that can't be parsed (a CSV row with too many fields, a JSON line cut short) is reported with its raw text and
never stops the file.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lacuna.data_contracts.casts import cast, is_null, storable
from lacuna.data_contracts.errors import BundleUnreadable

__all__ = ["SUFFIXES", "Broken", "Raw", "parse", "storable_extra"]

SUFFIXES = (".parquet", ".jsonl.gz", ".csv.gz", ".jsonl", ".csv")


@dataclass(frozen=True)
class Broken:
    """A row that could not be parsed: where it stands, why, and its raw text."""

    row: int
    why: str
    text: str


@dataclass(frozen=True)
class Raw:
    """A parsed file: raw columns, the row (Parquet) or line (CSV, JSONL) of each row, and what was odd."""

    frame: pd.DataFrame
    rows: np.ndarray
    broken: list[Broken] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)


def parse(name: str, data: bytes, known: Collection[str]) -> Raw:
    """Parse a file by its name's ending.

    Parameters
    ----------
    name
        The file's name, for its ending and for messages.
    data
        Its bytes, as stored.
    known
        Columns that the table may have; they tell a comma-separated file from one with semicolons or tabs.

    Raises
    ------
    BundleUnreadable
        The file is not what its name says.
    """
    if name.endswith(".gz"):
        data = _gunzip(name, data)
        name = name.removesuffix(".gz")
    if name.endswith(".parquet"):
        return _parquet(name, data)
    text, encoding = _decode(data)
    raw = _csv(name, text, known) if name.endswith(".csv") else _jsonl(text)
    if encoding:
        raw.notes.append(("encoding", f"is not UTF-8 and was read as {encoding}; save it as UTF-8 to be sure"))
    return raw


def _gunzip(name: str, data: bytes) -> bytes:
    try:
        return gzip.decompress(data) if data else b""
    except (OSError, EOFError, zlib.error) as e:
        raise BundleUnreadable(f"{name} can't be unpacked: {e}", "compress it again with gzip, or copy it again") from e


def _decode(data: bytes) -> tuple[str, str]:
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


def _csv(name: str, text: str, known: Collection[str]) -> Raw:
    limit = csv.field_size_limit(sys.maxsize if sys.maxsize < 2**31 else 2**31 - 1)
    try:
        return _csv_rows(name, text, known)
    finally:
        csv.field_size_limit(limit)


def _csv_rows(name: str, text: str, known: Collection[str]) -> Raw:
    lines = list(io.StringIO(text, newline=""))
    start = next((i for i, line in enumerate(lines) if line.strip()), len(lines))
    if start == len(lines):
        return Raw(pd.DataFrame(), np.empty(0, dtype=np.int64), notes=[("empty_file", "is empty")])
    delimiter = _delimiter(lines[start], known)
    header: list[str] = []
    kept: list[list[str]] = []
    rows: list[int] = []
    broken: list[Broken] = []
    for line, record, why in _records(lines, start, delimiter):
        if not header:
            header = _header(name, record)
        elif why:
            broken.append(Broken(line, why, "".join(record).rstrip("\r\n")))
        else:
            kept.append(record)
            rows.append(line)
    columns = list(zip(*kept, strict=True)) if kept else [()] * len(header)
    series = {h: pd.Series(c, dtype="str") for h, c in zip(header, columns, strict=True)}
    frame = pd.DataFrame(series, index=range(len(rows)))
    notes = [] if delimiter == "," else [("delimiter", f"is separated by {delimiter!r}, not by commas")]
    return Raw(frame, np.array(rows, dtype=np.int64), broken, notes)


def _delimiter(line: str, known: Collection[str]) -> str:
    def hits(delimiter: str) -> int:
        return sum(name.strip() in known for name in next(csv.reader([line], delimiter=delimiter), []))

    return max((",", ";", "\t"), key=hits)


def _header(name: str, record: list[str]) -> list[str]:
    header = [h.strip() or f"column_{i}" for i, h in enumerate(record, 1)]
    twice = sorted({h for h in header if header.count(h) > 1})
    if twice:
        raise BundleUnreadable(f"{name} has two columns named '{twice[0]}'", "rename or remove one of them")
    return header


def _records(lines: list[str], start: int, delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """Line number, fields and fault of each record; after a fault, reading resumes on the very next line.

    An unclosed quote swallows the lines after it. So a record over several lines, or one that ends the file, must
    also parse strictly; where it doesn't, only its first line is given up.
    """
    width = 0
    while start < len(lines):
        reader = csv.reader(lines[start:] if start else lines, delimiter=delimiter)
        before = 0
        for record in reader:
            first, end = start + before, start + reader.line_num
            before = reader.line_num
            if not record or (width > 1 and record == [""]):
                continue
            width = width or len(record)
            doubtful = end - first > 1 or end == len(lines)
            if doubtful and not _strict(lines[first:end], delimiter):
                yield first + 1, [lines[first]], "a quote is never closed"
            elif len(record) != width:
                yield first + 1, [lines[first]], f"{len(record)} fields where the header has {width}"
            else:
                yield first + 1, record, ""
                continue
            if end - first > 1:
                start = first + 1
                break
        else:
            return


def _strict(lines: list[str], delimiter: str) -> bool:
    try:
        return len(list(csv.reader(lines, delimiter=delimiter, strict=True))) == 1
    except csv.Error:
        return False


def _jsonl(text: str) -> Raw:
    found: list[dict[str, Any]] = []
    rows: list[int] = []
    broken: list[Broken] = []
    # Only line feeds end a JSON line: str.splitlines would also cut at U+2028 inside a string.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as e:
            broken.append(Broken(number, f"not JSON: {e}", line.rstrip("\r")))
            continue
        if isinstance(value, dict):
            found.append(value)
            rows.append(number)
        else:
            broken.append(Broken(number, "not a JSON object", line.rstrip("\r")))
    # A dict keeps the order in which names first came: no set, whose order would differ from process to process.
    names = list(dict.fromkeys(k for d in found for k in d))
    columns = {storable(k): pd.Series([d.get(k) for d in found], dtype="object") for k in names}
    frame = pd.DataFrame(columns, index=range(len(found)))
    notes = [] if found or broken else [("empty_file", "is empty")]
    return Raw(frame, np.array(rows, dtype=np.int64), broken, notes)


def _parquet(name: str, data: bytes) -> Raw:
    try:
        table = pq.ParquetFile(io.BytesIO(data)).read()
    except (pa.ArrowException, OSError) as e:
        raise BundleUnreadable(f"{name} is no readable Parquet file: {e}", "write it again, or copy it again") from e
    twice = [n for n in table.column_names if table.column_names.count(n) > 1]
    if twice:
        raise BundleUnreadable(f"{name} has two columns named '{twice[0]}'", "rename or remove one of them")
    frame = pd.DataFrame({n: _arrow(table.column(n)) for n in table.column_names}, index=range(table.num_rows))
    return Raw(frame, np.arange(1, table.num_rows + 1, dtype=np.int64))


def _arrow(column: pa.ChunkedArray) -> pd.Series:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
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
    if raw.dtype != object:
        return raw
    values = [v for v in raw if not is_null(v)]
    for kind, is_kind in (
        ("bool", lambda v: isinstance(v, bool)),
        ("int", lambda v: isinstance(v, int) and not isinstance(v, bool) and abs(v) < 2**53),
        ("float", lambda v: isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 2**53),
        ("list", lambda v: isinstance(v, list) and all(isinstance(i, str) for i in v)),
    ):
        if values and all(is_kind(v) for v in values):
            return cast(raw, kind)[0]
    return pd.Series(
        [None if is_null(v) else storable(_json(v) if isinstance(v, dict | list | bool) else str(v)) for v in raw],
        index=raw.index,
        dtype="str",
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
