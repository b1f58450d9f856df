"""Mapped rows as typed ones: a value that can't be read is told of and left empty, and costs no row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from lacuna.data_contracts.casts import cast, conform
from lacuna.data_contracts.contract import TABLES
from lacuna.data_contracts.errors import SourceUnreadable
from lacuna.pipelines.io.expansion import EXPANDED_BYTES
from lacuna.pipelines.presentation.suggestions import likely
from lacuna.pipelines.sources.files_listing import SourceFile
from lacuna.pipelines.sources.files_mapping import Mapped, columns_read, map_rows
from lacuna.pipelines.sources.files_reading import chunks_of, format_of
from lacuna.pipelines.sources.files_settings import Entry, FilesSettings
from lacuna.pipelines.sources.files_troubles import Troubles
from lacuna.pipelines.sources.tables import columns_of

__all__ = ["Rows", "rows_of"]

_LEFT_OUT = "the row can't be told from others and is left out"
_RUN = "the run's quarantine will hold the row"


@dataclass(frozen=True)
class Rows:
    """Rows of one table: the columns of the contract that the entry maps, and people's names and addresses by row."""

    table: str
    typed: pa.Table
    people: list[list[str]]


def rows_of(
    source: str, settings: FilesSettings, entry: Entry, file: SourceFile, expanded: int = EXPANDED_BYTES
) -> Iterator[Rows]:
    """The rows of a file, typed, a chunk at a time; ``expanded`` are the bytes that it may expand to.

    Raises
    ------
    SourceUnreadable
        It lacks a column that the settings name, or too many of its rows lack a required value.
    """
    uses = columns_read(entry)
    troubles = Troubles(file.address, settings.bad_rows_at_most)
    nested = format_of(file, entry.format) in ("json", "jsonl")
    absent: set[str] | None = None
    for raw in chunks_of(file, entry, list(uses), expanded=expanded):
        if not nested and len(raw.frame.columns):
            _check_columns(source, file, uses, [str(column) for column in raw.frame.columns])
        troubles.rows += len(raw.rows) + len(raw.broken)
        for broken in raw.broken:
            troubles.lacks(f"the row; {broken.why}: left out", broken.row, None)
        for rule, note in raw.notes:
            if rule == "encoding":
                troubles.empty(f"the file; it {note}", 1, None)
        of_chunk: set[str] = set()
        for table, mapped in map_rows(entry, raw).items():
            if len(mapped.frame):
                of_chunk |= mapped.absent
                yield _typed(settings, table, mapped, troubles)
        if len(raw.rows):
            absent = of_chunk if absent is None else absent & of_chunk
    for theirs in sorted(absent or ()):
        troubles.absent(theirs, uses.get(theirs, "a value"))
    troubles.tell()


def _check_columns(source: str, file: SourceFile, uses: dict[str, str], columns: list[str]) -> None:
    for theirs, use in uses.items():
        if theirs not in columns and not any(theirs.startswith(f"{column}.") for column in columns):
            close = likely(theirs, columns)
            meant = f"did you mean '{close}'? " if close else ""
            raise SourceUnreadable(
                f"{file.address} has no column '{theirs}', which [sources.{source}] reads as {use}",
                f"{meant}it has {', '.join(columns[:30])}",
            )


def _typed(settings: FilesSettings, table: str, mapped: Mapped, troubles: Troubles) -> Rows:
    contract, frame, rows = TABLES[table], mapped.frame, mapped.rows
    typed, raw = conform(contract, frame)
    if table == "conversations" and "updated_at" in frame.columns:
        typed["updated_at"], bad = cast(frame["updated_at"], "timestamp")
        raw["updated_at"] = frame["updated_at"].astype("object").where(bad, None)
    keep = np.ones(len(frame), dtype=bool)
    for name in [name for name in frame.columns if name in typed.columns]:
        unread = raw[name].notna().to_numpy() if name in raw.columns else np.zeros(len(frame), dtype=bool)
        if name in contract.needed:
            lacking = typed[name].isna().to_numpy()
            if lacking.any():
                is_key = name in contract.key and name.endswith("_id")
                first = int(np.argmax(lacking))
                became = _LEFT_OUT if is_key else _RUN
                troubles.lacks(
                    f"{table}.{name}; {became}", int(rows[first]), _raw(frame, name, first), int(lacking.sum())
                )
                keep &= ~lacking if is_key else True
        elif unread.any():
            first = int(np.argmax(unread))
            said = f"{table}.{name}; it is left empty"
            troubles.empty(said, int(rows[first]), _raw(frame, name, first), int(unread.sum()))
    schema = pa.schema([(name, kind) for name, kind in columns_of(table).items() if name in frame.columns])
    arrays = [
        pa.array(typed[name][keep], kind, from_pandas=True)
        for name, kind in zip(schema.names, schema.types, strict=True)
    ]
    out = pa.Table.from_arrays(arrays, schema=schema)
    out = _prefixed(out, settings.id_prefix) if settings.id_prefix else out
    return Rows(table, out, [of for of, kept in zip(mapped.people, keep, strict=True) if kept])


def _raw(frame: pd.DataFrame, name: str, place: int) -> object:
    value = frame[name].iloc[place]
    return None if value is None or value is pd.NA or value != value else value


def _prefixed(rows: pa.Table, prefix: str) -> pa.Table:
    import pyarrow.compute as pc

    if "conversation_id" not in rows.column_names:
        return rows
    place = rows.column_names.index("conversation_id")
    column = rows.column(place)
    return rows.set_column(place, "conversation_id", pc.binary_join_element_wise(pa.scalar(prefix), column, ""))
