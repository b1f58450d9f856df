"""Databases with planted tables to pull from, one of each kind, and what reading a source's streams comes to."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa

from lacuna.pipelines.settings import Settings, load_settings
from lacuna.pipelines.sources.registry import make_source
from lacuna.pipelines.sources.source import Row, Source

URL = "LACUNA_TEST_WAREHOUSE"


class Warehouse:
    """A database that a test writes to and a source reads from."""

    def __init__(self, url: str, schema: str = "") -> None:
        self.url, self.schema = url, schema

    def create(self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]] = ()) -> None:
        """Make a table, with rows in the order of its columns."""
        described = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        self.run(f'CREATE TABLE {{}}"{table}" ({described})')
        self.insert(table, rows)

    def insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows to a table."""
        if not rows:
            return
        if self.url.startswith("duckdb"):
            with duckdb.connect(self.url.removeprefix("duckdb:///")) as connection:
                marks = ", ".join("?" for _ in rows[0])
                connection.executemany(f"INSERT INTO {self._name(table)} VALUES ({marks})", [list(row) for row in rows])
            return
        marks = ", ".join(f":v{place}" for place in range(len(rows[0])))
        values = [{f"v{place}": value for place, value in enumerate(row)} for row in rows]
        engine = sa.create_engine(self.url)
        with engine.begin() as connection:
            connection.execute(sa.text(f"INSERT INTO {self._name(table)} VALUES ({marks})"), values)
        engine.dispose()

    def run(self, statement: str) -> None:
        """Run a statement in which ``{}`` stands before tables' names, for the schema."""
        if self.url.startswith("duckdb"):
            with duckdb.connect(self.url.removeprefix("duckdb:///")) as connection:
                connection.execute(statement.replace("{}", ""))
            return
        engine = sa.create_engine(self.url)
        with engine.begin() as connection:
            prefix = f'"{self.schema}".' if self.schema else ""
            connection.exec_driver_sql(statement.replace("{}", prefix))
        engine.dispose()

    def _name(self, table: str) -> str:
        return f'"{self.schema}"."{table}"' if self.schema else f'"{table}"'


KINDS = ("sqlite", "duckdb", "postgres")
every_kind = pytest.mark.parametrize("warehouse", KINDS, indirect=True)


@pytest.fixture(params=["sqlite"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    """An empty database, whose URL is in the environment; with the mark ``every_kind``, one of each kind."""
    if request.param == "postgres":
        made = Warehouse(request.getfixturevalue("postgres"), f"w{uuid.uuid4().hex[:8]}")
        made.run(f'CREATE SCHEMA "{made.schema}"')
    else:
        made = Warehouse(f"{request.param}:///{tmp_path / 'warehouse.db'}")
    monkeypatch.setenv(URL, made.url)
    yield made
    if made.schema:
        made.run(f'DROP SCHEMA "{made.schema}" CASCADE')


def settings_of(warehouse: Warehouse, **section: Any) -> Settings:
    """Settings with one source, "dwh", that reads a warehouse."""
    described = {"type": "sql", "url_env": URL, "schema": warehouse.schema, **section}
    return load_settings().model_copy(update={"sources": {"dwh": described}})


def source_of(warehouse: Warehouse, since: Any = None, **section: Any) -> Source:
    """The source of :func:`settings_of`."""
    return make_source(settings_of(warehouse, **section), "dwh", since)


@dataclass
class Collected:
    """What the batches of a source's streams come to, and the cursors behind them."""

    conversations: dict[str, Row] = field(default_factory=dict)
    messages: dict[str, list[Row]] = field(default_factory=dict)
    outcomes: dict[str, list[Row]] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    cursors: dict[str, Any] = field(default_factory=dict)

    def read(self, source: Source, batches: int | None = None) -> Collected:
        """Read on from the cursors; with ``batches``, only so many of each stream."""
        self.asked, self.gone = [], []
        for stream in source.streams():
            if stream.whole:
                self.rows |= {table: [] for table in stream.tables}
            reading = stream.read(None if stream.whole else self.cursors.get(stream.name))
            for number, batch in enumerate(reading):
                if batches is not None and number >= batches:
                    break
                self._take(batch)
                self.cursors[stream.name] = batch.cursor
            reading.close()  # type: ignore[attr-defined]
        return self

    def _take(self, batch: Any) -> None:
        for one in batch.conversations:
            key = one.row["conversation_id"]
            self.asked.append(key)
            self.conversations[key], self.names[key] = dict(one.row), set(one.names)
            self.messages[key] = [dict(row) for row in one.messages]
            self.outcomes[key] = [dict(row) for row in one.outcomes]
        for key in batch.gone:
            self.gone.append(key)
            for held in (self.conversations, self.messages, self.outcomes, self.names):
                held.pop(key, None)  # type: ignore[attr-defined]
        for table, rows in batch.rows.items():
            self.rows.setdefault(table, []).extend(dict(row) for row in rows)
        self.cursors = dict(self.cursors)

    def held(self) -> dict[str, Any]:
        """All that is there, for comparison: conversations with their parts, in the order of their ids."""
        return {
            key: (self.conversations[key], self.messages[key], self.outcomes[key], sorted(self.names[key]))
            for key in sorted(self.conversations)
        }
