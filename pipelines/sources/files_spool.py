"""Rows of conversations out of several files, in any order, brought together: sorted on disk, given one by one."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lacuna.pipelines.sources.files_rows import Rows
from lacuna.pipelines.sources.source import OF_CONVERSATIONS, Conversation, Row
from lacuna.pipelines.sources.tables import columns_of

if TYPE_CHECKING:
    from lacuna.pipelines.io.duck import Connection

__all__ = ["Spool"]

_ROWS = 10_000  # that are turned into Python's values together
_UTC = pa.timestamp("us", tz="UTC")


class Spool:
    """Rows of conversations, messages and outcomes until all of them are read.

    Parameters
    ----------
    connection
        A database with a folder for what does not fit into memory.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._seq = 0
        self._mapped: dict[str, set[str]] = {}
        for table in OF_CONVERSATIONS:
            empty = pa.schema([*columns_of(table).items(), ("seq", pa.int64())]).empty_table()
            self._make(table, empty)
        self._make("people", pa.schema([("conversation_id", pa.string()), ("name", pa.string())]).empty_table())

    def add(self, rows: Rows) -> None:
        """Keep rows of one of the three tables, and the names that stand with them."""
        typed = rows.typed
        self._mapped.setdefault(rows.table, set()).update(typed.column_names)
        seq = pa.array(range(self._seq, self._seq + len(typed)), pa.int64())
        self._seq += len(typed)
        self._insert(rows.table, typed.append_column("seq", seq))
        of = zip(typed.column("conversation_id").to_pylist(), rows.people, strict=True)
        people = dict.fromkeys((key, name) for key, names in of for name in names)
        if people:
            columns = [pa.array(column, pa.string()) for column in zip(*people, strict=True)]
            self._insert("people", pa.Table.from_arrays(columns, names=["conversation_id", "name"]))

    def conversations(self, escalated_by_agents: bool) -> Iterator[tuple[Conversation, bool]]:
        """Every conversation by its id, and whether it has a row of its own: others may only name it."""
        mapped = self._mapped.get("conversations", set())
        derived = {
            "started_at": "first_at" if "started_at" not in mapped else None,
            "escalated": "has_agent" if escalated_by_agents and "escalated" not in mapped else None,
        }
        derived["escalated_at"] = "agent_at" if derived["escalated"] and "escalated_at" not in mapped else None
        heads = self._ordered(_query("conversations", columns=_newest()), "heads")
        parts = {
            "messages": _Grouped(self._ordered(_query("messages"), "in_order")),
            "outcomes": _Grouped(self._ordered(_ORDERED.format(table="outcomes"), "tags")),
            "people": _Grouped(self._ordered(_ORDERED.format(table="people"), "names")),
        }
        for head in heads:
            key = head["conversation_id"]
            row = {name: head.get(name) for name in columns_of("conversations")}
            for name, shown in derived.items():
                row[name] = head[shown] if shown else row[name]
            of = {table: next(rows) if (rows := part).peek() == key else [] for table, part in parts.items()}
            people = [str(person["name"]) for person in of["people"]]
            yield Conversation(row, of["messages"], of["outcomes"], people), bool(head["is_stated"]) or not mapped

    def _make(self, table: str, rows: pa.Table) -> None:
        self._connection.register("arriving", rows)
        self._connection.execute(f"CREATE TABLE {table} AS SELECT * FROM arriving")  # noqa: S608
        self._connection.unregister("arriving")

    def _insert(self, table: str, rows: pa.Table) -> None:
        self._connection.register("arriving", rows)
        self._connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM arriving")  # noqa: S608
        self._connection.unregister("arriving")

    def _ordered(self, query: str, name: str) -> Iterator[Row]:
        """The rows of a query, which is sorted once and then read part by part."""
        self._connection.execute(f"CREATE TABLE {name} AS SELECT *, ROW_NUMBER() OVER () AS place FROM ({query})")  # noqa: S608
        first = 0
        while True:
            here = f"place > {first} AND place <= {first + _ROWS}"
            part = f"SELECT * EXCLUDE (place) FROM {name} WHERE {here} ORDER BY place"  # noqa: S608
            rows = _in_utc(self._connection.sql(part).to_arrow_table()).to_pylist()
            if not rows:
                return
            yield from rows
            first += _ROWS


class _Grouped:
    """Rows that are sorted by conversation, given one conversation at a time."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._groups = ((key, list(of)) for key, of in groupby(rows, key=lambda row: row["conversation_id"]))
        self._next = next(self._groups, None)

    def peek(self) -> str | None:
        """The conversation that comes next."""
        return self._next[0] if self._next else None

    def __next__(self) -> list[Row]:
        assert self._next is not None
        rows = self._next[1]
        self._next = next(self._groups, None)
        return rows


_ORDERED = "SELECT * FROM {table} ORDER BY conversation_id"


def _newest() -> str:
    """Of each column the newest value that there is, in SQL."""
    plain = [name for name in columns_of("conversations") if name not in ("conversation_id", "started_at", "escalated")]
    by = "(COALESCE(updated_at, TIMESTAMPTZ '1970-01-01 00:00:00+00'), seq)"
    return ",\n        ".join(f"ARG_MAX({name}, {by}) AS {name}" for name in plain)


def _query(name: str, **words: str) -> str:
    text = resources.files("lacuna.pipelines.sources").joinpath(f"files_{name}.sql").read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace(f"{{{word}}}", value)
    return text


def _in_utc(rows: pa.Table) -> pa.Table:
    kinds: list[Any] = [_UTC if pa.types.is_timestamp(kind) else kind for kind in rows.schema.types]
    return rows.cast(pa.schema(list(zip(rows.schema.names, kinds, strict=True))))
