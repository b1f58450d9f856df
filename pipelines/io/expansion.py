"""How large a packed file may become: counted before its rows are read, so that a small file can't fill the memory.

A gzip file says nothing of its content's size that could be trusted, and a Parquet file of one long text, written a
million times, is a few kilobytes long. A file may always expand to fifty times its own size, as no usual text does.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lacuna.data_contracts.errors import BundleUnreadable

__all__ = ["EXPANDED_BYTES", "bounded_rows", "check_archive", "expanded_size", "limit_of", "unpack"]

EXPANDED_BYTES = 1 << 30
_RATIO = 50
_BLOCK = 1 << 20
_ROWS = 8_192  # of a Parquet file, counted at a time


def limit_of(packed: int, most: int = EXPANDED_BYTES) -> int:
    """Bytes that a file of this size may expand to: ``most``, or fifty times its own where that is more."""
    return max(most, _RATIO * packed)


def unpack(name: str, packed: Path | bytes, target: IO[bytes], most: int = EXPANDED_BYTES) -> None:
    """Unpack a gzip file, block by block.

    Raises
    ------
    BundleUnreadable
        It holds more than :func:`limit_of` allows.
    OSError, EOFError, zlib.error
        It is no whole gzip file.
    """
    size = packed.stat().st_size if isinstance(packed, Path) else len(packed)
    if not size:
        return
    limit, written = limit_of(size, most), 0
    with gzip.open(packed if isinstance(packed, Path) else io.BytesIO(packed), "rb") as source:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > limit:
                raise _too_large(name, size, limit)
            target.write(block)


def expanded_size(name: str, file: Path | bytes, most: int = EXPANDED_BYTES) -> int:
    """Bytes that the rows of a Parquet file take; texts that repeat are counted each time and written out never.

    Raises
    ------
    BundleUnreadable
        They are more than :func:`limit_of` allows.
    ArrowException, OSError
        It is no whole Parquet file.
    """
    size = file.stat().st_size if isinstance(file, Path) else len(file)
    limit, expanded = limit_of(size, most), 0

    def opened() -> Path | io.BytesIO:
        return file if isinstance(file, Path) else io.BytesIO(file)

    with pq.ParquetFile(opened()) as plain:
        schema, rows = plain.schema_arrow, plain.metadata.num_rows
    texts = [column.name for column in schema if _is_text(column.type)]
    if rows * max(1, len(schema)) // 8 > limit:  # a bit a value at least, however it is packed
        raise _too_large(name, size, limit)
    with pq.ParquetFile(opened(), read_dictionary=texts) as counted:
        for batch in counted.iter_batches(_ROWS):
            expanded += sum(_bytes_of(column) for column in batch.columns)
            if expanded > limit:
                raise _too_large(name, size, limit)
    return expanded


def check_archive(name: str, file: Path, most: int = EXPANDED_BYTES) -> None:
    """Check what the parts of a workbook, which is an archive of XML, say that they expand to; no more is ever read.

    Raises
    ------
    BundleUnreadable
        They are more than :func:`limit_of` allows.
    zipfile.BadZipFile, OSError
        It is no whole archive.
    """
    size = file.stat().st_size
    limit = limit_of(size, most)
    with zipfile.ZipFile(file) as archive:
        if sum(part.file_size for part in archive.infolist()) > limit:
            raise _too_large(name, size, limit)


def bounded_rows(
    name: str, file: Path, rows: Iterable[tuple[Any, ...]], most: int = EXPANDED_BYTES
) -> Iterator[tuple[Any, ...]]:
    """The rows of a workbook's sheet; a text that many cells share is counted for each of them.

    Raises
    ------
    BundleUnreadable
        Their texts are more than :func:`limit_of` allows.
    """
    size, expanded = file.stat().st_size, 0
    limit = limit_of(size, most)
    for row in rows:
        expanded += sum(len(value) if isinstance(value, str) else 1 for value in row)
        if expanded > limit:
            raise _too_large(name, size, limit)
        yield row


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind)


def _bytes_of(column: pa.Array) -> int:
    if not pa.types.is_dictionary(column.type):
        return column.nbytes
    if not _is_text(column.type.value_type):
        return 8 * len(column)
    lengths = pc.binary_length(column.dictionary).cast(pa.int64())
    return 8 * len(column) + (pc.sum(lengths.take(column.indices)).as_py() or 0)


def _too_large(name: str, size: int, limit: int) -> BundleUnreadable:
    return BundleUnreadable(
        f"{name} is {size:,} bytes long and expands to more than {limit / 2**20:,.0f} MB, "
        "as files do that were made to fill a disk or a memory",
        "look where it comes from; if it is right, raise [input] expands_to_megabytes, or unpack it yourself",
    )
