"""Files of any format as raw columns, a chunk of rows at a time, each row with its number."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lacuna.data_contracts.errors import LacunaError, SourceUnreadable
from lacuna.pipelines.io.chunks import CHUNK_BYTES, read_chunks
from lacuna.pipelines.io.expansion import EXPANDED_BYTES, bounded_rows, check_archive
from lacuna.pipelines.io.raw import Raw
from lacuna.pipelines.sources.files_listing import SourceFile, on_this_machine
from lacuna.pipelines.sources.files_settings import Entry

__all__ = ["chunks_of", "format_of"]

_FORMATS = {
    "csv": "csv", "tsv": "csv", "txt": "csv", "jsonl": "jsonl", "ndjson": "jsonl", "json": "json", "parquet": "parquet",
    "xlsx": "xlsx", "xlsm": "xlsx",
}  # fmt: skip
_SHEET_ROWS = 20_000


def format_of(file: SourceFile, given: str = "") -> str:
    """A file's format: the one that is given, else by its name's ending.

    Raises
    ------
    SourceUnreadable
        The ending says nothing.
    """
    ending = file.name.removesuffix(".gz").rsplit(".", 1)[-1].lower()
    kind = given or _FORMATS.get(ending)
    if kind is None:
        raise SourceUnreadable(
            f"{file.address}: its ending says no format that is read", f"give format, one of {', '.join(_FORMATS)}"
        )
    return kind


def chunks_of(
    file: SourceFile,
    entry: Entry,
    columns: Collection[str],
    chunk_bytes: int = CHUNK_BYTES,
    expanded: int = EXPANDED_BYTES,
) -> Iterator[Raw]:
    """A file's rows, a chunk at a time; ``columns`` are some that it should have, by which a CSV's separator is found.

    ``expanded`` are the bytes that it may expand to where it is packed: see :mod:`lacuna.pipelines.io.expansion`.

    Raises
    ------
    SourceUnreadable, BundleUnreadable
        The file can't be read.
    """
    kind = format_of(file, entry.format)
    with on_this_machine(file, entry.encoding, expanded) as place:
        if kind == "xlsx":
            yield from _sheet_chunks(file, place, entry.sheet, expanded)
        else:
            name = file.name if file.name.endswith(f".{kind}") else f"{file.name}.{kind}"
            yield from read_chunks(name, place, columns, chunk_bytes, expanded)


def _sheet_chunks(file: SourceFile, place: Path, sheet: str, expanded: int) -> Iterator[Raw]:
    import openpyxl

    try:
        check_archive(file.address, place, expanded)
        with place.open("rb") as opened:
            book = openpyxl.load_workbook(opened, read_only=True, data_only=True)
            if sheet and sheet not in book.sheetnames:
                raise SourceUnreadable(f"{file.address} has no sheet '{sheet}'", f"it has {', '.join(book.sheetnames)}")
            page: Any = book[sheet] if sheet else book.worksheets[0]
            page.reset_dimensions()  # what some programs write there is not so
            rows = bounded_rows(file.address, place, page.iter_rows(values_only=True), expanded)
            numbered = enumerate(rows, 1)
            filled = ((number, row) for number, row in numbered if any(value not in (None, "") for value in row))
            _, first = next(filled, (0, ()))
            header = [
                str(name).strip() if name is not None else f"column_{place}" for place, name in enumerate(first, 1)
            ]
            yield from _table_chunks(header, filled)
    except LacunaError:
        raise
    except Exception as error:  # a broken workbook raises whatever its zip, its XML or a number in it raises
        raise SourceUnreadable(f"{file.address} is no readable workbook: {error}", "save it again as .xlsx") from error


def _table_chunks(header: list[str], rows: Iterator[tuple[int, tuple[Any, ...]]]) -> Iterator[Raw]:
    width, empty = len(header), True
    while chunk := list(islice(rows, _SHEET_ROWS)):
        empty = False
        values = [[*row[:width], *[None] * (width - len(row))] for _, row in chunk]
        columns = zip(*values, strict=True)
        frame = pd.DataFrame(
            {name: pd.Series(list(of), dtype="object") for name, of in zip(header, columns, strict=True)}
        )
        yield Raw(frame, np.array([number for number, _ in chunk], dtype=np.int64))
    if empty:
        yield Raw(pd.DataFrame(columns=header), np.empty(0, dtype=np.int64))
