"""CSV files: well-formed ones by DuckDB, faster and in half the memory; any other record by record.

Exports are mended by people who look up the line that they are told. So every row keeps the line that it begins on, and
after a quote that is never closed reading resumes on the very next line. DuckDB's reader does neither (its rejects
count records, not lines, and an open quote takes the rest of the file with it), but it can tell that nothing is wrong.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from lacuna.data_contracts.errors import BundleUnreadable
from lacuna.pipelines.io.duck import NEVER, connect, count_csv, csv_chunks, read_csv
from lacuna.pipelines.io.raw import Broken, Raw

__all__ = ["exact", "regular", "regular_chunks"]

_BOM = b"\xef\xbb\xbf"


def regular(name: str, data: bytes, known: Collection[str]) -> Raw | None:
    """A file of which every character is accounted for: in a value, between two, around one, or at the end of a line.

    Returns
    -------
    Raw or None
        None where that doesn't hold: a row is too short or too long, a line is blank, a quote stands
        where none is due, the text is not UTF-8. Then :func:`exact` says what is wrong, and where.
    """
    end = data.find(b"\n") + 1
    try:
        line = data[:end].removeprefix(_BOM).decode("utf-8")
        delimiter = _delimiter(line, known)
        header = next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return None
    ends, returns, quotes = (data.count(mark, end) for mark in (b"\n", b"\r", b'"'))
    # A blank line is no record of two columns; of one column it might be an empty value.
    if len(header) < 2 or returns != data.count(b"\r\n", end):
        return None
    if not _well_quoted(data, end, delimiter):
        return None
    with connect() as connection:
        read = read_csv(connection, data, len(header), delimiter, skip=1)
    if read is None:
        return None
    lines = 1 + read.pop("line_ends").to_numpy()
    last = 0 if data.endswith(b"\n") else 1
    between = (len(header) - 1) * len(read)
    if lines.sum() != ends + last or read.pop("letters").sum() + between != len(data) - end - ends - returns - quotes:
        return None
    read.columns = pd.Index(_header(name, header))
    return Raw(read, (2 + np.cumsum(lines) - lines).astype(np.int64), notes=_notes(delimiter))


def regular_chunks(name: str, path: Path, known: Collection[str], chunk_bytes: int) -> Iterator[Raw] | None:
    """The same of a file that is too large for memory, in chunks; None where :func:`regular` would give None."""
    with path.open("rb") as file:
        start = file.readline()
    try:
        line = start.removeprefix(_BOM).decode("utf-8")
        delimiter = _delimiter(line, known)
        header = next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return None
    if len(header) < 2 or not start.endswith(b"\n"):
        return None
    marks = _marks(path, len(start), delimiter)
    if marks is None:
        return None
    with connect() as connection:
        counts = count_csv(connection, path, len(header), delimiter, skip=1)
    if counts is None:
        return None
    rows, line_ends, letters = counts
    ends, returns, quotes, last = marks
    between = (len(header) - 1) * rows
    size = path.stat().st_size - len(start)
    if rows + line_ends != ends + last or letters + between != size - ends - returns - quotes:
        return None
    return _regular_chunks(path, _header(name, header), delimiter, max(1, rows * chunk_bytes // max(1, size)))


def _regular_chunks(path: Path, header: list[str], delimiter: str, rows: int) -> Iterator[Raw]:
    line = 2
    with connect() as connection:
        for read in csv_chunks(connection, path, len(header), delimiter, skip=1, rows=rows):
            lines = 1 + read.pop("line_ends").to_numpy()
            del read["letters"]
            read.columns = pd.Index(header)
            numbers = (line + np.cumsum(lines) - lines).astype(np.int64)
            line += int(lines.sum())
            yield Raw(read, numbers, notes=_notes(delimiter) if numbers[0] == 2 else [])


def _marks(path: Path, start: int, delimiter: str) -> tuple[int, int, int, int] | None:
    """Line feeds, carriage returns, quotes, and 1 where the last line has no end; None where a mark is out of place.

    As `_well_quoted`, a block at a time: whether a quote begins or ends a value goes on from block to block.
    """
    edges = np.frombuffer(f'{delimiter}\r\n"'.encode(), dtype=np.uint8)
    ends = returns = pairs = quotes = 0
    before = b"\n"  # the last byte of the block before
    waiting = False  # a quote that ends a value was that byte: what follows it must be an edge
    with path.open("rb") as file:
        file.seek(start)
        while block := file.read(16 << 20):
            if NEVER.encode() in before[-2:] + block:
                return None
            letters = np.frombuffer(before[-1:] + block, dtype=np.uint8)
            if waiting and not np.isin(letters[1], edges):
                return None
            places = 1 + np.flatnonzero(letters[1:] == ord('"'))
            opening, closing = places[quotes % 2 :: 2], places[1 - quotes % 2 :: 2]
            after = closing + 1
            if not (
                np.isin(letters[opening - 1], edges).all()
                and np.isin(letters[after[after < len(letters)]], edges).all()
            ):
                return None
            quotes += len(places)
            waiting = quotes % 2 == 0 and letters[-1] == ord('"')
            ends += int((letters[1:] == 10).sum())
            returns += int((letters[1:] == 13).sum())
            pairs += int(((letters[:-1] == 13) & (letters[1:] == 10)).sum())
            before = (before + block)[-2:]
    if quotes % 2 or returns != pairs:
        return None
    return ends, returns, quotes, 0 if before.endswith(b"\n") else 1


def _well_quoted(data: bytes, start: int, delimiter: str) -> bool:
    """Whether every quote from ``start`` on begins a value, ends one, or is written twice within one.

    Elsewhere readers differ: of `"" "a"`, DuckDB makes one value without its quotes.
    """
    letters = np.frombuffer(data, dtype=np.uint8)
    places = start + np.flatnonzero(letters[start:] == ord('"'))
    edges = np.frombuffer(f'{delimiter}\r\n"'.encode(), dtype=np.uint8)
    after = places[1::2] + 1
    return (
        len(places) % 2 == 0
        and bool(np.isin(letters[places[::2] - 1], edges).all())
        and bool(np.isin(letters[after[after < len(data)]], edges).all())
    )


def exact(name: str, text: str, known: Collection[str]) -> Raw:
    """Any file, record by record: what can't be parsed is told of by its line, and never stops the file."""
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
        if not header and why:
            raise BundleUnreadable(
                f"{name}, line {line}: the names of its columns can't be read: {why}", "export the file again"
            )
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
    return Raw(frame, np.array(rows, dtype=np.int64), broken, _notes(delimiter))


def _delimiter(line: str, known: Collection[str]) -> str:
    def hits(delimiter: str) -> int:
        return sum(name.strip() in known for name in next(csv.reader([line], delimiter=delimiter), []))

    return max((",", ";", "\t", "|"), key=hits)


def _notes(delimiter: str) -> list[tuple[str, str]]:
    return [] if delimiter == "," else [("delimiter", f"is separated by {delimiter!r}, not by commas")]


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
