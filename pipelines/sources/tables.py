"""The contract's tables as Arrow: what a batch's rows are written as."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from lacuna.data_contracts.contract import TABLES
from lacuna.data_contracts.errors import SourceUnreadable
from lacuna.pipelines.sources.source import Row

__all__ = ["BATCH", "arrow_table", "columns_of"]

BATCH = "batch"  # the number of the batch that a row came with: a later one is newer
_TIME = pa.timestamp("us", tz="UTC")
_TYPES = {
    "id": pa.string(), "name": pa.string(), "text": pa.string(), "str": pa.string(), "bool": pa.bool_(),
    "int": pa.int64(), "float": pa.float64(), "timestamp": _TIME, "list": pa.list_(pa.string()),
    "ids": pa.list_(pa.string()),
}  # fmt: skip


def columns_of(table: str) -> dict[str, pa.DataType]:
    """The columns of a pulled table with their types: the contract's, and of conversations when they last changed."""
    columns = {column.name: _TYPES[column.type] for column in TABLES[table].columns}
    return columns | ({"updated_at": _TIME} if table == "conversations" else {})


def arrow_table(table: str, rows: Sequence[Row], batch: int) -> pa.Table:
    """The rows of one table.

    Raises
    ------
    SourceUnreadable
        A value is not of its column's type.
    """
    columns = columns_of(table)
    arrays = []
    for name, kind in columns.items():
        try:
            arrays.append(pa.array([row.get(name) for row in rows], kind))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise _unlike(table, name, kind, rows) from error
    schema = pa.schema([*columns.items(), (BATCH, pa.int64())])
    return pa.table([*arrays, pa.array([batch] * len(rows), pa.int64())], schema=schema)


def _unlike(table: str, column: str, kind: Any, rows: Sequence[Row]) -> SourceUnreadable:
    for row in rows:
        try:
            pa.array([row.get(column)], kind)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            of = row.get("conversation_id") or row.get("article_id") or ""
            return SourceUnreadable(
                f"{table}.{column} of '{of}' is {row.get(column)!r:.80}, which is no {kind}",
                "the source's answers have changed, or its mapping reads another field than it should",
            )
    return SourceUnreadable(f"{table}.{column} can't be written as {kind}")
