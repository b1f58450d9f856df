"""Queries of somebody's own: one a table of the contract, with the contract's column names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from lacuna.data_contracts.contract import TABLES
from lacuna.data_contracts.errors import SettingsInvalid, SourceUnreadable
from lacuna.pipelines.presentation.section import Section
from lacuna.pipelines.sources.source import OF_CONVERSATIONS, Row
from lacuna.pipelines.sources.sql_changes import Changes, Tracked
from lacuna.pipelines.sources.sql_database import Database
from lacuna.pipelines.sources.sql_values import CONVERTERS, text

__all__ = ["GONE", "OwnQueries", "QuerySettings"]

GONE = "gone"  # the query of conversations that were deleted
KEY = "conversation_id"


class QuerySettings(Section):
    """One table of ``[sources.<name>.tables]``; what is optional may be left out of the settings."""

    query: str
    updated_at: str = ""
    changed: str = ""


@dataclass(frozen=True)
class _Query:
    rows: sa.Subquery
    columns: Mapping[str, str]
    updated_at: str


class OwnQueries:
    """The queries of one source.

    Parameters
    ----------
    source
        The source's name, for messages.
    database
        What is asked.
    tables
        The queries by table of the contract; "gone" besides.

    Raises
    ------
    SettingsInvalid
        A table is none of the contract, or a query lacks a required column.
    SourceUnreadable
        The database does not take a query.
    """

    def __init__(self, source: str, database: Database, tables: Mapping[str, QuerySettings]) -> None:
        self._source, self._database, self._settings = source, database, tables
        if not tables:
            raise SettingsInvalid(
                f"[sources.{source}] has neither a layout nor queries",
                f'set `layout`, or write a query: [sources.{source}.tables.conversations] query = "SELECT …"',
            )
        self._queries = {name: self._checked(name, settings) for name, settings in tables.items()}
        self._changed: _Query | None = None
        if "conversations" in tables and tables["conversations"].changed:
            rows, columns = database.query("conversations.changed", tables["conversations"].changed)
            for column in (KEY, "changed_at"):
                self._need(f"{'conversations'}.changed", column, columns)
            self._changed = _Query(rows, columns, "changed_at")

    @property
    def of_conversations(self) -> bool:
        """Whether conversations are asked for."""
        return "conversations" in self._queries

    @property
    def incremental(self) -> bool:
        """Whether anything says what has changed; without it, everything is read each time."""
        return self._changed is not None or any(
            self._queries[table].updated_at for table in (*OF_CONVERSATIONS, GONE) if table in self._queries
        )

    def others(self) -> list[str]:
        """The tables that are read by themselves, as a whole."""
        alone = [table for table in self._queries if table not in (*OF_CONVERSATIONS, GONE)]
        return alone if self.of_conversations else [*alone, *(t for t in OF_CONVERSATIONS if t in self._queries)]

    def changes(self, page: int, overlap: timedelta) -> Changes:
        """The ids of conversations that change."""
        tracked = {
            name: self._tracked(query)
            for name, query in self._queries.items()
            if name in OF_CONVERSATIONS or name == GONE
        }
        every = [self._tracked(self._changed)] if self._changed else list(tracked.values())
        return Changes(self._database, tracked["conversations"], every, page, overlap)

    def rows_of(self, table: str, ids: Sequence[Any]) -> list[Row]:
        """The rows of a table that go with some conversations."""
        if table not in self._queries:
            return []
        query = self._queries[table]
        key = query.rows.c[query.columns[KEY]]
        return [self._row(table, query, row) for row in self._database.rows_of(sa.select(query.rows), key, ids)]

    def all_rows(self, table: str) -> Iterator[list[Row]]:
        """All rows of a table, some at a time."""
        query = self._queries[table]
        for rows in self._database.stream(sa.select(query.rows)):
            yield [self._row(table, query, row) for row in rows]

    def _tracked(self, query: _Query) -> Tracked:
        column = {name: query.rows.c[stored] for name, stored in query.columns.items()}
        return Tracked(query.rows, column[KEY], column.get(query.updated_at), column.get("started_at"))

    def _checked(self, name: str, settings: QuerySettings) -> _Query:
        if name != GONE and (name not in TABLES or TABLES[name].role != "input"):
            inputs = [one for one, table in TABLES.items() if table.role == "input"]
            raise SettingsInvalid(
                f"[sources.{self._source}.tables.{name}] is no table of the contract", f"{', '.join(inputs)}, or {GONE}"
            )
        rows, columns = self._database.query(name, settings.query)
        needed = [KEY] if name == GONE else [one for one in TABLES[name].needed if one != "position"]
        for column in (*needed, *([settings.updated_at.lower()] if settings.updated_at else ())):
            self._need(name, column, columns)
        return _Query(rows, columns, settings.updated_at.lower())

    def _need(self, name: str, column: str, columns: Mapping[str, str]) -> None:
        if column not in columns:
            raise SettingsInvalid(
                f"[sources.{self._source}.tables.{name}]: the query gives no column '{column}'",
                f"name it so: SELECT … AS {column}. It gives: {', '.join(columns)}",
            )

    def _row(self, table: str, query: _Query, values: Sequence[Any]) -> Row:
        given = dict(zip(query.columns, values, strict=True))
        if table == GONE:
            return {KEY: text(given[KEY])}
        row: Row = {}
        for column in TABLES[table].columns:
            try:
                row[column.name] = CONVERTERS[column.type](given.get(column.name))
            except (ValueError, TypeError, OverflowError) as error:
                key = given.get(TABLES[table].key[0])
                raise SourceUnreadable(
                    f"[sources.{self._source}.tables.{table}] {column.name} of {key!r} is "
                    f"{given[column.name]!r:.60}, which is no {column.type}",
                    "convert it in the query",
                ) from error
        if table == "conversations":
            row["updated_at"] = CONVERTERS["timestamp"](given.get(query.updated_at or "updated_at"))
        return row
