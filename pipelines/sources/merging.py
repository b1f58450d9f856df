"""Staged rows into the bundle: each source has files of its own, one a month of conversations, replaced in one step.

A conversation that was pulled again replaces all that was there of it; an older version than the bundle's changes
nothing. Doing it twice gives the same bytes, so a pull that was killed here is simply begun again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from lacuna.data_contracts.contract import TABLES
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.duck import connect
from lacuna.pipelines.io.store import files_in, local_copies, put_file, read_parquet, usable
from lacuna.pipelines.sources.source import OF_CONVERSATIONS, Stream
from lacuna.pipelines.sources.staging import GONE
from lacuna.pipelines.sources.tables import BATCH, columns_of

if TYPE_CHECKING:
    from lacuna.pipelines.io.duck import Connection

__all__ = ["conversation_ids", "merge"]

Files = Mapping[str, Sequence[StorePath]]
MEMORY = "1GB"  # beyond it, a month is sorted on disk


def merge(bundle: StorePath, name: str, streams: Sequence[Stream], staged: Files, scratch: Path) -> None:
    """Put what a source staged into the bundle.

    Parameters
    ----------
    bundle
        The bundle's folder.
    name
        The source's name, with which its files begin.
    streams
        The source's streams: a table of one that is read whole holds afterwards what was staged, and nothing else.
    staged
        Parquet files by table, in order.
    scratch
        A folder of this machine for what does not fit into memory.
    """
    whole = {
        table
        for stream in streams
        if stream.whole and any(table in staged for table in stream.tables)
        for table in stream.tables
    }
    with connect(scratch, memory=MEMORY) as connection:
        for table in sorted({*staged, *whole} - {GONE, *OF_CONVERSATIONS}):
            _merge_rows(connection, bundle, name, table, staged.get(table, ()), table in whole, scratch)
        if any(table in staged for table in (*OF_CONVERSATIONS, GONE)):
            _merge_conversations(connection, bundle, name, staged, "conversations" in whole, scratch)


def conversation_ids(bundle: StorePath, name: str, since: datetime | None = None) -> set[str]:
    """The ids of the conversations that a bundle has from a source, of those that began since a time."""
    files = files_in(bundle / "conversations", f"{name}-*.parquet")
    if not files:
        return set()
    rows = read_parquet(files, ["conversation_id", "started_at"])
    return set(rows["conversation_id"] if since is None else rows.loc[rows["started_at"] >= since, "conversation_id"])


def _merge_rows(
    connection: Connection,
    bundle: StorePath,
    name: str,
    table: str,
    staged: Sequence[StorePath],
    whole: bool,
    scratch: Path,
) -> None:
    """A table whose rows stand by themselves: the newest of each key."""
    place = bundle / table / f"{name}.parquet"
    with ExitStack() as stack:
        _view(connection, stack, "staged", table, staged)
        _view(connection, stack, "present", table, [] if whole or not place.exists() else [place])
        key = ", ".join(f'"{column}"' for column in TABLES[table].key)
        # Rows of some tables may be alike and yet two; of what is read whole, each is there once as it is.
        query = _query("rows", key=key, columns=_columns(table))
        if whole and not TABLES[table].merges:
            query = f"SELECT {_columns(table)} FROM staged ORDER BY {key}"  # noqa: S608
        _write(connection, place, query, scratch)


def _merge_conversations(
    connection: Connection, bundle: StorePath, name: str, staged: Files, whole: bool, scratch: Path
) -> None:
    present = {
        table: {_month(path): path for path in files_in(bundle / table, f"{name}-*.parquet")}
        for table in OF_CONVERSATIONS
    }
    with ExitStack() as stack:
        _view(connection, stack, "staged", "conversations", staged.get("conversations", ()))
        if whole:
            for table in ("messages", "outcomes"):
                _view(connection, stack, f"staged_{table}", table, staged.get(table, ()))
            connection.execute(f"CREATE TABLE changed AS {_query('all')}")
            months = {month for (month,) in connection.execute("SELECT DISTINCT month FROM changed").fetchall()}
            months |= {month for files in present.values() for month in files}
        else:
            _view(connection, stack, "present", "conversations", [*present["conversations"].values()])
            _view_gone(connection, stack, staged.get(GONE, ()))
            connection.execute(f"CREATE TABLE changed AS {_query('changed')}")
            months = {month for (month,) in connection.execute(_MONTHS).fetchall()}
    # Messages first: a conversation without its messages would count as one that nobody wrote anything in.
    for table in OF_CONVERSATIONS:
        for month in sorted(months):
            old = present[table].get(month)
            with ExitStack() as stack:
                _view(connection, stack, "staged", table, staged.get(table, ()))
                _view(connection, stack, "present", table, [old] if old and not whole else [])
                order = ", ".join(f'"{column}"' for column in TABLES[table].key)
                query = _query("all_month" if whole else "month", month=month, columns=_columns(table), order=order)
                _write(connection, bundle / table / f"{name}-{month}.parquet", query, scratch)


_MONTHS = "SELECT month FROM changed WHERE NOT is_gone UNION SELECT old_month FROM changed WHERE old_month IS NOT NULL"


def _view_gone(connection: Connection, stack: ExitStack, paths: Sequence[StorePath]) -> None:
    local = [str(path) for path in stack.enter_context(local_copies(paths))]
    empty = f"SELECT NULL::VARCHAR AS conversation_id, NULL::BIGINT AS {BATCH} WHERE FALSE"
    source = f"SELECT * FROM read_parquet({local})" if local else empty  # noqa: S608
    connection.execute(f"CREATE OR REPLACE VIEW gone AS {source}")


def _view(connection: Connection, stack: ExitStack, view: str, table: str, paths: Sequence[StorePath]) -> None:
    """A view of a table's files, without rows where there are none; every column is there."""
    local = [str(path) for path in stack.enter_context(local_copies(paths))]
    empty = ", ".join(f'NULL::{_SQL[str(kind)]} AS "{column}"' for column, kind in columns_of(table).items())
    query = f"SELECT {empty}, NULL::BIGINT AS {BATCH} WHERE FALSE"
    if local:
        query += f" UNION ALL BY NAME SELECT * FROM read_parquet({local}, union_by_name = true)"  # noqa: S608
    connection.execute(f"CREATE OR REPLACE VIEW {view} AS {query}")


_SQL = {
    "string": "VARCHAR", "bool": "BOOLEAN", "int64": "BIGINT", "double": "DOUBLE",
    "timestamp[us, tz=UTC]": "TIMESTAMP WITH TIME ZONE", "list<item: string>": "VARCHAR[]",
}  # fmt: skip


def _query(name: str, **words: str) -> str:
    text = resources.files("lacuna.pipelines.sources").joinpath(f"merge_{name}.sql").read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace(f"{{{word}}}", value)
    return text


def _columns(table: str) -> str:
    return ", ".join(f'"{column}"' for column in columns_of(table))


def _month(path: StorePath) -> str:
    return path.name.removesuffix(".parquet")[-len("2024-06") :]


def _write(connection: Connection, place: StorePath, query: str, scratch: Path) -> None:
    """Write a query's rows as the file; a file without rows is deleted."""
    file = scratch / "merged.parquet"
    options = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100_000"
    (rows,) = connection.execute(f"COPY ({query}) TO '{file}' ({options})").fetchone() or (0,)
    if rows:
        put_file(place, file)
    else:
        with usable(place):
            place.unlink(missing_ok=True)
