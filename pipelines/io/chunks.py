"""Large files of a bundle read a chunk of rows at a time: the same rows, numbers and faults as :func:`formats.parse`.

A file up to a chunk's size is parsed whole. Of a larger one, Parquet is read by batches of rows, JSON lines by lines,
and a CSV file of which nothing has to be mended by DuckDB from its path. What is read whole whatever its size is a CSV
file with broken rows or another encoding than UTF-8, and JSON that is one array.
"""

from __future__ import annotations

import codecs
import hashlib
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lacuna.pipelines.io.csv_files import regular_chunks
from lacuna.pipelines.io.expansion import EXPANDED_BYTES, expanded_size, unpack
from lacuna.pipelines.io.formats import json_lines, parquet_frame, parse, unreadable_parquet, unreadable_zip
from lacuna.pipelines.io.raw import Raw
from lacuna.pipelines.io.store import usable

__all__ = ["CHUNK_BYTES", "copied", "read_chunks"]

CHUNK_BYTES = 32 << 20
_BLOCK = 1 << 20
_BATCH_ROWS = 100_000  # of a Parquet file, at most


def copied(fs: Any, address: str, place: Path) -> tuple[str, int]:
    """Copy a file of any file system to a local path; its SHA-256 and its size in bytes."""
    digest, size = hashlib.sha256(), 0
    with fs.open(address, "rb") as source, usable(place), place.open("wb") as target:
        while block := source.read(_BLOCK):
            digest.update(block)
            size += len(block)
            target.write(block)
    return digest.hexdigest(), size


def read_chunks(
    name: str,
    path: Path,
    known: Collection[str],
    chunk_bytes: int = CHUNK_BYTES,
    expanded: int = EXPANDED_BYTES,
) -> Iterator[Raw]:
    """Parse a local file by its name's ending, a chunk at a time; at least one, which may be empty.

    Parameters
    ----------
    name
        The file's name in the bundle, for its ending and for messages.
    path
        Where its bytes lie. A packed file is unpacked beside it.
    known
        Columns that the table may have, as for :func:`formats.parse`.
    chunk_bytes
        The size from which a file is read in chunks, and about the size of each.
    expanded
        The bytes that it may expand to where it is packed: see :mod:`lacuna.pipelines.io.expansion`.

    Raises
    ------
    BundleUnreadable
        The file is not what its name says, or expands to more.
    """
    if name.endswith(".gz"):
        name, path = name.removesuffix(".gz"), _unpacked(name, path, expanded)
    if name.endswith(".parquet"):
        yield from _parquet_chunks(name, path, chunk_bytes, expanded)
        return
    if path.stat().st_size > chunk_bytes:
        if name.endswith(".csv"):
            chunks = regular_chunks(name, path, known, chunk_bytes)
            if chunks is not None:
                yield from chunks
                return
        if name.endswith(".jsonl") and _is_utf8(path):
            yield from _line_chunks(path, chunk_bytes)
            return
    yield parse(name, path.read_bytes(), known, expanded)


def _unpacked(name: str, path: Path, expanded: int) -> Path:
    place = path.with_name(f"{path.name}.unpacked")
    try:
        with place.open("wb") as target:
            unpack(name, path, target, expanded)
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno:  # a full disk is no fault of the file
            raise
        raise unreadable_zip(name, error) from error
    return place


def _parquet_chunks(name: str, path: Path, chunk_bytes: int, expanded: int) -> Iterator[Raw]:
    try:
        size = expanded_size(name, path, expanded)
        if max(size, path.stat().st_size) <= chunk_bytes:
            yield parse(name, path.read_bytes(), (), expanded)
            return
        with pq.ParquetFile(path) as file:
            first, rows = 1, file.metadata.num_rows
            batch_rows = min(_BATCH_ROWS, rows * chunk_bytes // size)
            for batch in file.iter_batches(max(1, batch_rows)):
                table = pa.Table.from_batches([batch])
                yield Raw(parquet_frame(name, table), np.arange(first, first + len(table), dtype=np.int64))
                first += len(table)
    except (pa.ArrowException, OSError) as error:
        raise unreadable_parquet(name, error) from error


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            return False
        file.seek(0)
        try:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _line_chunks(path: Path, chunk_bytes: int) -> Iterator[Raw]:
    # Only line feeds end a JSON line.
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        first, empty = 1, True
        while lines := _lines(file, chunk_bytes):
            raw = json_lines(lines, first)
            first += len(lines)
            if len(raw.rows) or raw.broken:
                empty = False
                raw.notes.clear()
                yield raw
        if empty:
            yield json_lines([])


def _lines(file: IO[str], size: int) -> list[str]:
    return [line.removesuffix("\n") for line in file.readlines(size)]
