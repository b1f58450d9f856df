"""A vendor's tables, read by a layout: which tables and columns, and the query that makes rows of the contract of them.

A layout is two files of ``layouts/``: a ``.toml`` names the tables, a ``.sql`` for DuckDB says what their rows mean. So
the meaning is written once, in one dialect, whatever database the tables are in.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlalchemy as sa

from lacuna.data_contracts.errors import SettingsInvalid, SourceUnreadable
from lacuna.pipelines.io.duck import connect
from lacuna.pipelines.presentation.suggestions import similar
from lacuna.pipelines.sources.source import Row
from lacuna.pipelines.sources.sql_changes import Changes, Tracked
from lacuna.pipelines.sources.sql_database import Database
from lacuna.pipelines.sources.sql_values import CONVERTERS, text

if TYPE_CHECKING:
    from lacuna.pipelines.io.duck import Connection

__all__ = ["Layout", "LayoutStream", "VendorTables", "read_layout"]

_ARROW = {
    "text": pa.string(), "bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "timestamp": pa.timestamp("us"),
}  # fmt: skip
_JUDGED = pa.schema({"tag": pa.string(), "outcome": pa.string()})
_NOTHING = ("", "[]")  # of a column that has to be filled


@dataclass(frozen=True)
class LayoutTable:
    """One table of a layout; the keys are told at the head of ``layouts/fivetran_zendesk.toml``."""

    name: str
    table: str = ""
    stream: str = ""
    key: str = ""
    changed: str = ""
    started: str = ""
    lookup: Mapping[str, Any] = field(default_factory=dict)
    whole: bool = False
    only: Mapping[str, list[str]] = field(default_factory=dict)
    filled: str = ""
    must: bool = False
    needed: Mapping[str, str] = field(default_factory=dict)
    optional: Mapping[str, str] = field(default_factory=dict)
    chosen: Sequence[str] = ()

    @property
    def columns(self) -> dict[str, str]:
        """The columns of the table as the query sees it, with their types."""
        return {**self.needed, **self.optional, **{f"chosen_{one}": "text" for one in self.chosen}}


@dataclass(frozen=True)
class LayoutStream:
    """What is read by one main table: the contract's tables that it gives, and whether it is read as a whole."""

    name: str
    main: str
    gives: tuple[str, ...]
    whole: bool = False


@dataclass(frozen=True)
class Layout:
    """A layout, as its two files say."""

    name: str
    title: str
    streams: tuple[LayoutStream, ...]
    tables: tuple[LayoutTable, ...]
    lacks: Mapping[str, str]
    query: str


def read_layout(name: str) -> Layout:
    """Read the files of a layout."""
    folder = files("lacuna.pipelines.sources").joinpath("layouts")
    content = tomllib.loads(folder.joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    streams = [
        LayoutStream(key, one["main"], tuple(one["gives"]), one.get("whole", False))
        for key, one in content["streams"].items()
    ]
    tables = [LayoutTable(key, **one) for key, one in content["tables"].items()]
    query = folder.joinpath(f"{name}.sql").read_text(encoding="utf-8")
    return Layout(name, content["title"], tuple(streams), tuple(tables), content["lacks"], query)


class VendorTables:
    """The tables of a layout in one database.

    Parameters
    ----------
    source
        The source's name, for messages.
    database
        Where the tables are.
    layout
        What they mean.
    chosen
        The columns that settings name, by what they are chosen for.
    variables
        The settings that the query reads.
    outcome_tags
        Outcomes by the tag that stands for them.

    Raises
    ------
    SourceUnreadable
        A table or column that the layout can't do without is missing or may not be read.
    SettingsInvalid
        A column that a setting names is missing.
    """

    def __init__(
        self,
        source: str,
        database: Database,
        layout: Layout,
        chosen: Mapping[str, str],
        variables: Mapping[str, Any],
        outcome_tags: Mapping[str, str],
    ) -> None:
        self._source, self._database, self._layout = source, database, layout
        self._variables, self._outcome_tags = variables, outcome_tags
        self._there: dict[str, tuple[sa.TableClause, dict[str, str]]] = {}
        self._whole: dict[str, pa.Table] = {}
        self._chosen: dict[str, str] = {}
        self._samples: dict[tuple[str, str | None], list[Any]] = {}
        for table in layout.tables:
            self._look_up(table, chosen)

    def streams(self) -> list[LayoutStream]:
        """The streams whose main table is there."""
        return [stream for stream in self._layout.streams if stream.main in self._there]

    def changes(self, stream: LayoutStream, page: int, overlap: timedelta) -> Changes:
        """The ids of a stream that change."""
        tracked = {
            table.name: self._tracked(table)
            for table in self._layout.tables
            if table.stream == stream.name and table.key and table.name in self._there
        }
        return Changes(self._database, tracked[stream.main], list(tracked.values()), page, overlap)

    @contextmanager
    def mapping(self) -> Iterator[Connection]:
        """A DuckDB with the settings, and with the tables that are read as a whole; the others are empty."""
        with connect() as connection:
            connection.execute("CREATE SCHEMA vendor")
            for name, value in self._variables.items():
                connection.execute(f"SET VARIABLE {name} = $1", [value])
            judged = {"tag": [tag.lower() for tag in self._outcome_tags], "outcome": [*self._outcome_tags.values()]}
            _put(connection, "outcome_tag", pa.table(judged, schema=_JUDGED))
            _put(connection, "asked", pa.table({"id": pa.array([], pa.string())}))
            for table in self._layout.tables:
                _put(connection, table.name, self._all_of(table) if table.whole else self._arrow(table, []))
            yield connection

    def fill(self, connection: Connection, stream: LayoutStream, ids: Sequence[Any]) -> None:
        """Make the contract's rows of some ids: read these, and what they name, in the place of those before."""
        rows: dict[str, list[dict[str, Any]]] = {}
        for table in self._layout.tables:
            if table.stream != stream.name:
                continue
            column, wanted = table.key, ids
            if table.lookup:
                column, wanted = table.lookup["column"], _named(rows, table.lookup["from"])
            rows[table.name] = self._read(table, column, wanted)
            _put(connection, table.name, self._arrow(table, rows[table.name]))
        _put(connection, "asked", pa.table({"id": pa.array([text(one) for one in ids], pa.string())}))
        connection.execute(self._layout.query)

    def _look_up(self, table: LayoutTable, chosen: Mapping[str, str]) -> None:
        name = table.table or table.name
        there = self._database.table(name)
        expects = f"{self._layout.title} have: {', '.join(table.needed)}"
        if there is None:
            if table.must:
                raise SourceUnreadable(
                    f"[sources.{self._source}] there is no table '{name}', which the layout {self._layout.name} needs",
                    f"check `schema`, and that the loader syncs the table. {expects}",
                )
            return
        missing = [column for column in table.needed if column not in there[1]]
        if missing:
            raise SourceUnreadable(
                f"[sources.{self._source}] the table '{name}' has no column '{missing[0]}', which the layout "
                f"{self._layout.name} needs",
                f"check `layout`, and that the loader syncs the column. {expects}",
            )
        for purpose in table.chosen:
            column = chosen.get(purpose, "").lower()
            if column and column not in there[1]:
                close = similar(column, there[1])
                raise SettingsInvalid(
                    f"[sources.{self._source}] {purpose} = '{chosen[purpose]}': the table '{name}' has no such column",
                    f"did you mean '{close[0]}'?" if close else f"it has: {', '.join(sorted(there[1]))}",
                )
        self._there[table.name] = there
        self._chosen |= {one: chosen.get(one, "").lower() for one in table.chosen}

    def _tracked(self, table: LayoutTable) -> Tracked:
        source, names = self._there[table.name]
        wanted = [one for one in (table.key, table.changed, table.started) if one in names]
        column: dict[str, sa.ColumnElement[Any]] = {one: sa.column(names[one]) for one in wanted}
        rows: sa.FromClause = source
        if table.only:
            query = sa.select(*column.values()).select_from(source)
            rows = query.where(*(sa.column(names[one]).in_(of) for one, of in table.only.items())).subquery("tracked")
            column = {one: rows.c[names[one]] for one in wanted}
        return Tracked(rows, column[table.key], column.get(table.changed), column.get(table.started))

    def _select(self, table: LayoutTable) -> tuple[sa.Select[Any], list[str]]:
        """A query of all rows of a table, and the names that its columns have in the layout."""
        source, names = self._there[table.name]
        stored = {column: names[column] for column in (*table.needed, *table.optional) if column in names}
        stored |= {f"chosen_{one}": names[self._chosen[one]] for one in table.chosen if self._chosen[one]}
        columns: list[sa.ColumnElement[Any]] = [sa.column(one) for one in stored.values()]
        query = sa.select(*columns).select_from(source)
        for column, values in table.only.items():
            query = query.where(sa.column(names[column]).in_(values))
        if table.filled:
            query = query.where(sa.column(names[table.filled]).is_not(None))
        return query, list(stored)

    def _read(self, table: LayoutTable, column: str, ids: Sequence[Any]) -> list[dict[str, Any]]:
        if table.name not in self._there or not ids:
            return []
        query, names = self._select(table)
        key: sa.ColumnElement[Any] = sa.column(self._there[table.name][1][column])
        ids = self._typed(table, key, ids)
        return [dict(zip(names, row, strict=True)) for row in self._database.rows_of(query, key, ids)]

    def _typed(self, table: LayoutTable, key: sa.ColumnElement[Any], ids: Sequence[Any]) -> list[Any]:
        """Ids as a column holds them: where one table has numbers and another text, few databases compare the two."""
        if (table.name, key.key) not in self._samples:
            source, _ = self._there[table.name]
            self._samples[table.name, key.key] = self._database.rows(
                sa.select(key).select_from(source).where(key.is_not(None)).limit(1)
            )
        sample = self._samples[table.name, key.key]
        if not sample or all(isinstance(one, type(sample[0][0])) for one in ids):
            return list(ids)
        words = [text(one) or "" for one in ids]
        return words if isinstance(sample[0][0], str) else [int(word) for word in words if word.isdecimal()]

    def _all_of(self, table: LayoutTable) -> pa.Table:
        if table.name not in self._whole:
            parts = [self._arrow(table, [])]
            if table.name in self._there:
                query, names = self._select(table)
                for rows in self._database.stream(query):
                    filled = [dict(zip(names, row, strict=True)) for row in rows]
                    if table.filled:
                        filled = [row for row in filled if text(row[table.filled]) not in _NOTHING]
                    parts.append(self._arrow(table, filled))
            self._whole[table.name] = pa.concat_tables(parts)
        return self._whole[table.name]

    def _arrow(self, table: LayoutTable, rows: Sequence[Row]) -> pa.Table:
        arrays = {}
        for column, kind in table.columns.items():
            values = []
            for row in rows:
                try:
                    value = CONVERTERS[kind](row.get(column))
                except (ValueError, TypeError, OverflowError) as error:
                    raise SourceUnreadable(
                        f"[sources.{self._source}] {table.table or table.name}.{column} is "
                        f"{row.get(column)!r:.60}, which is no {kind}",
                        "the table is not as the layout expects it; check `layout`",
                    ) from error
                values.append(value.replace(tzinfo=None) if isinstance(value, datetime) else value)
            arrays[column] = pa.array(values, _ARROW[kind])
        return pa.table(arrays)


def _named(rows: Mapping[str, list[dict[str, Any]]], places: Sequence[str]) -> list[Any]:
    """The values of some columns of rows that were read, each once."""
    values: dict[Any, None] = {}
    for place in places:
        table, column = place.split(".")
        values |= {row[column]: None for row in rows.get(table, ()) if row.get(column) is not None}
    return list(values)


def _put(connection: Connection, name: str, table: pa.Table) -> None:
    connection.register("incoming", table)
    connection.execute(f'CREATE OR REPLACE TABLE vendor."{name}" AS SELECT * FROM incoming')  # noqa: S608
    connection.unregister("incoming")
