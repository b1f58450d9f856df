"""The backlog as files: JSON lines, Parquet, CSV and a workbook. The same run gives the same bytes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_fields import gap_fields, value_type
from lacuna.pipelines.presentation.spreadsheet import flat, plain, records, safe_csv_text
from lacuna.pipelines.steps.publish.sheets import workbook

__all__ = ["arrow_type", "to_csv", "write_backlog"]


def write_backlog(
    folder: Path,
    gaps: Sequence[Gap],
    run: dict[str, Any],
    topics: pd.DataFrame | None = None,
    kpis: pd.DataFrame | None = None,
    not_content: Iterable[dict[str, Any]] = (),
    accuracy: pd.DataFrame | None = None,
    record: type[Gap] = Gap,
) -> None:
    """Write `backlog.jsonl`, `.parquet`, `.csv` and `.xlsx` into a run's folder.

    All but the workbook have every column of the contract, in its order, also where there is no gap. The CSV is UTF-8
    with a byte order mark, without which Excel reads it in the machine's old code page; every reader of tables skips
    the mark. Lists are joined by `; ` there and in the workbook, and every text that a spreadsheet might run is
    guarded (`pipelines.presentation.spreadsheet`).

    Parameters
    ----------
    folder : Path
        The run's folder; it exists.
    gaps : sequence of Gap
        By rank.
    run : dict
        `run.json`, for the window and the settings that the workbook tells.
    topics, kpis, accuracy : DataFrame or None
        The run's tables, for sheets of their own; None or empty leaves a sheet that says so.
    not_content : iterable of dict
        The lines of `not_content.jsonl`.
    record : type
        The record whose fields are the columns.

    Raises
    ------
    OSError
        The folder can't be written.
    """
    rows, schema = [gap.as_row() for gap in gaps], schema_of(record)
    (folder / "backlog.jsonl").write_text(
        "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows),
        encoding="utf-8",
        newline="",
    )
    pq.write_table(pa.Table.from_pylist(rows, schema), folder / "backlog.parquet", compression="zstd")
    (folder / "backlog.csv").write_bytes(to_csv(rows, schema.names))
    (folder / "backlog.xlsx").write_bytes(
        workbook(gaps, run, records(topics), records(kpis), list(not_content), records(accuracy), record)
    )


def schema_of(record: type[Gap]) -> pa.Schema:
    """The Parquet types of the columns. They come from the fields' types: a run without a change point has them too."""
    pairs = []
    for field in gap_fields(record):
        kind = arrow_type(field.type)
        pairs += [(name, kind) for name in (field.name, field.alias) if name]
    return pa.schema(pairs)


def arrow_type(annotation: Any) -> pa.DataType:
    """The Parquet type of a field's type; records become structs.

    Examples
    --------
    >>> arrow_type(list[str] | None)
    ListType(list<item: string>)
    """
    plain_type = value_type(annotation)
    if get_origin(plain_type) is list:
        return pa.list_(arrow_type(get_args(plain_type)[0]))
    if is_typeddict(plain_type):
        return pa.struct([(name, arrow_type(hint)) for name, hint in get_type_hints(plain_type).items()])
    return {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}[plain_type]


def to_csv(rows: list[dict[str, Any]], names: Sequence[str]) -> bytes:
    """The columns ``names`` of the rows as CSV, safe to open in a spreadsheet."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([safe_csv_text(name) for name in names])
    for row in rows:
        cells = (flat(plain(row[name])) for name in names)
        writer.writerow(
            [safe_csv_text(cell) if isinstance(cell, str) else "" if cell is None else cell for cell in cells]
        )
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")
