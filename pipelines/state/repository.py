"""The state database: topics, gaps and people's decisions over all runs; SQLite by default, Postgres by URL.

A run replaces only its own rows and reads only rows of earlier runs, so that an old week can be run again without
data of later weeks. Decisions are appended and never changed.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.io.addresses import StorePath, is_local
from lacuna.pipelines.io.run_folders import published_runs
from lacuna.pipelines.io.store import usable
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state import schema, topic_edit_log
from lacuna.pipelines.state.checks import check_clock, check_known, check_not_lost, check_readable, has_tables
from lacuna.pipelines.state.engine import engine_of, is_missing, only_reads, unusable, worth_another_try
from lacuna.pipelines.state.recording import RunRecord
from lacuna.pipelines.state.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SCHEMA_VERSION", "State", "check_named", "open_state", "state_engine"]

T = TypeVar("T")


def open_state(settings: Settings, store: StorePath) -> State:
    """Open the state database of ``store``, making its tables where they are missing; use it in a ``with`` block.

    Parameters
    ----------
    settings
        ``[state] url`` names the database; empty means SQLite in ``<store>/state.db``.
    store
        Folder of the store.

    Raises
    ------
    SettingsInvalid
        The URL can't be understood, its driver is not installed, or there is none for a store on an object store.
    StoreUnusable
        The database can't be reached, is of a newer Lacuna, or is missing or empty beside runs. One that may not be
        written is opened for reading.
    """
    engine = state_engine(settings, store)

    def refuse_beside_runs() -> None:
        check_not_lost(engine.url, store, published_runs(store))

    if is_missing(engine.url):  # asked first: opening it would make an empty file
        refuse_beside_runs()
    return State(engine, settings.state.wait_seconds, if_new=refuse_beside_runs)


def state_engine(settings: Settings, store: StorePath) -> sa.Engine:
    """The engine of a store's database, of which nothing is known yet; errors as :func:`open_state`."""
    check_named(settings, store)
    url = settings.state.url or f"sqlite:///{store / 'state.db'}"
    if not settings.state.url:
        with usable(store):
            store.mkdir(parents=True, exist_ok=True)
    return engine_of(url, settings.state.wait_seconds)


def check_named(settings: Settings, store: StorePath) -> None:
    """Check that a store has a state database: SQLite needs a file system.

    Raises
    ------
    SettingsInvalid
        The store is an object store, and no database is set.
    """
    if not settings.state.url and not is_local(store):
        raise SettingsInvalid(
            f"the store {store} is on no file system, and 'state.url' names no database for it",
            'set [state] url to a Postgres, for example "postgresql+psycopg://user@host/database"',
        )


class State:
    """The state database; safe to use from several processes at once. Make it with :func:`open_state`.

    Parameters
    ----------
    engine, wait_seconds
        The database, and how long to wait for other writers.
    if_new
        Called where the database has no tables of ours, before they are made; it may raise.
    fill
        Called once the tables are there, in the transaction that made them: both stay, or neither.
    """

    def __init__(
        self,
        engine: sa.Engine,
        wait_seconds: float = 30.0,
        *,
        if_new: Callable[[], None] | None = None,
        fill: Callable[[sa.Connection], None] | None = None,
    ) -> None:
        self._engine = engine
        self._wait_seconds = wait_seconds
        reads = only_reads(engine.url)
        if not reads:
            self._prepare(if_new, fill)
        with self.reading() as connection:
            if reads:
                check_readable(connection)
            check_clock(connection)

    # -- reading ------------------------------------------------------------------------------------------------------

    def previous_run(self, run_id: str) -> str | None:
        """The latest run strictly before ``run_id``, or None."""
        query = sa.select(sa.func.max(schema.runs.c.run_id)).where(schema.runs.c.run_id < run_id)
        with self.reading() as connection:
            return connection.execute(query).scalar()

    def last_run(self) -> str | None:
        """The latest recorded run, or None."""
        with self.reading() as connection:
            return connection.execute(sa.select(sa.func.max(schema.runs.c.run_id))).scalar()

    def input_hash(self, run_id: str) -> str | None:
        """The hash of the input that ``run_id`` was recorded with, or None if it was not."""
        with self.reading() as connection:
            return connection.execute(
                sa.select(schema.runs.c.input_hash).where(schema.runs.c.run_id == run_id)
            ).scalar()

    def runs(self) -> pd.DataFrame:
        """All recorded runs, oldest first: run_id, input_hash, window_start, window_end, published_at."""
        return self._frame(sa.select(schema.runs).order_by(schema.runs.c.run_id))

    def topics_before(self, run_id: str, level: str = "topics") -> pd.DataFrame:
        """The latest row of every topic, or subtopic, over all runs before ``run_id``, by its id.

        ``centroid`` is bytes of float32, ``members`` a list of question keys; ``run_id`` is the row's run.
        """
        table, key = (schema.topics, "topic_id") if level == "topics" else (schema.subtopics, "subtopic_id")
        return self._frame(schema.latest_before(table, table.c[key], run_id))

    def topics(self, topic_id: str | None = None) -> pd.DataFrame:
        """Every recorded row of every topic, or of one, by run and topic."""
        return self._rows_of_topic(schema.topics, topic_id)

    def topic_events(self, topic_id: str | None = None) -> pd.DataFrame:
        """What happened to every topic, or to one, by run and topic: event, related, shared, cosine."""
        return self._rows_of_topic(schema.topic_events, topic_id)

    def topic_of(self, subtopic_id: str) -> str | None:
        """The topic of a subtopic in the latest run that has it; None where no run does."""
        with self.reading() as connection:
            return topic_edit_log.topic_of_subtopic(connection, subtopic_id)

    def subtopic_events(self) -> pd.DataFrame:
        """What happened to every subtopic, by run and subtopic: event, related, shared, cosine."""
        events = schema.subtopic_events
        return self._frame(sa.select(events).order_by(events.c.run_id, events.c.subtopic_id))

    def gaps_about(self, topic_id: str) -> pd.DataFrame:
        """The recorded rows of the gaps of a topic, by run and rank."""
        return self._rows_of_topic(schema.gaps, topic_id).sort_values(["run_id", "rank"]).reset_index(drop=True)

    def gaps_before(self, run_id: str) -> pd.DataFrame:
        """The latest row of every gap over all runs before ``run_id``, by gap_id."""
        return self._frame(schema.latest_before(schema.gaps, schema.gaps.c.gap_id, run_id))

    def gaps_of(self, run_id: str) -> pd.DataFrame:
        """The gaps that ``run_id`` recorded, by rank."""
        return self._frame(
            sa.select(schema.gaps)
            .where(schema.gaps.c.run_id == run_id)
            .order_by(schema.gaps.c.rank, schema.gaps.c.gap_id)
        )

    def gap_titles(self, run_id: str) -> list[dict[str, Any]]:
        """The gaps that ``run_id`` recorded, by rank, with gap_id, title and rank alone: fast where there are many."""
        columns = schema.gaps.c
        query = sa.select(columns.gap_id, columns.title, columns.rank).where(columns.run_id == run_id)
        with self.reading() as connection:
            return [dict(row) for row in connection.execute(query.order_by(columns.rank, columns.gap_id)).mappings()]

    def decisions(self) -> pd.DataFrame:
        """All decisions, oldest first: id, gap_id, at (UTC), who, decision, why, payload, after, run_id."""
        return self._frame(sa.select(schema.decisions).order_by(schema.decisions.c.id))

    def fingerprint(self, run_id: str) -> str:
        """A hash (hex SHA-256) of all that a run reads here.

        These are earlier runs; decisions, tags and edits up to its own; and which conversations are forgotten.
        """
        earlier = (
            sa.select(schema.runs.c.run_id, schema.runs.c.input_hash)
            .where(schema.runs.c.run_id < run_id)
            .order_by(schema.runs.c.run_id)
        )
        decision = schema.decisions.c
        decided = sa.select(decision.id, decision.gap_id, decision.decision, decision.payload).where(
            schema.made_by(schema.decisions, run_id)
        )
        tag = schema.tags.c
        tagged = sa.select(tag.id, tag.conversation_id, tag.outcome, tag.true_intent, tag.article_id, tag.note).where(
            schema.made_by(schema.tags, run_id)
        )
        edit = schema.topic_edits.c
        edited = sa.select(edit.id, edit.topic_id, edit.deed, edit.payload).where(
            schema.made_by(schema.topic_edits, run_id)
        )
        with self.reading() as connection:
            rows = [list(row) for row in connection.execute(earlier)]
            rows += [list(row) for row in connection.execute(decided.order_by(decision.id))]
            rows += [list(row) for row in connection.execute(tagged.order_by(schema.tags.c.id))]
            rows += [list(row) for row in connection.execute(edited.order_by(edit.id))]
            hashes = schema.forgotten.c.id_hash
            rows += [list(row) for row in connection.execute(sa.select(hashes).order_by(hashes))]
        return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()

    # -- writing ------------------------------------------------------------------------------------------------------

    def record_run(
        self,
        run_id: str,
        input_hash: str,
        topics: pd.DataFrame,
        gaps: pd.DataFrame,
        window: tuple[date, date] | None = None,
        events: pd.DataFrame | None = None,
        subtopics: pd.DataFrame | None = None,
        subtopic_events: pd.DataFrame | None = None,
        published_at: datetime | None = None,
        edit_results: pd.DataFrame | None = None,
        require: Callable[[sa.Connection], None] | None = None,
    ) -> None:
        """Record a run in one transaction; rows of the same run recorded earlier are replaced.

        Parameters
        ----------
        run_id, input_hash, topics, gaps, window, events, subtopics, subtopic_events, published_at, edit_results
            As :class:`RunRecord` has them.
        require
            Raises, in the same transaction, where the run is no longer the caller's to record (``Lease.require``).
        """
        record = RunRecord(
            run_id, input_hash, topics, gaps, window, events, subtopics, subtopic_events, published_at, edit_results
        )

        def write(connection: sa.Connection) -> None:
            _one_at_a_time(connection)
            if require is not None:
                require(connection)
            record.write(connection)

        self.write(write)

    def __enter__(self) -> State:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; leaving a ``with`` block does it too."""
        self._engine.dispose()

    def overwrite_deleted(self) -> bool:
        """See to it that the database's files hold nothing of rows that were deleted or changed.

        Returns
        -------
        bool
            False where somebody who reads keeps an older state of SQLite's file alive: then it is to be done again.

        Raises
        ------
        StoreUnusable
            The database can't be written, or another process writes for too long.
        """
        is_sqlite = self._engine.dialect.name == "sqlite"
        options = {"lacuna_no_transaction": True} if is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        try:
            with self._engine.connect().execution_options(**options) as connection:
                connection.exec_driver_sql("VACUUM" if is_sqlite else "VACUUM (FULL)")
                if not is_sqlite:
                    return True
                # VACUUM writes the file anew, into the log of changes first.
                busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
                return not busy
        except sa.exc.DBAPIError as error:
            raise unusable(error, self._engine.url) from error

    # -- below --------------------------------------------------------------------------------------------------------

    def _prepare(self, if_new: Callable[[], None] | None, fill: Callable[[sa.Connection], None] | None) -> None:
        def write(connection: sa.Connection) -> int:
            _one_at_a_time(connection)
            if if_new is not None and not has_tables(connection):
                if_new()
            schema.metadata.create_all(connection)
            version = connection.execute(sa.select(sa.func.max(schema.schema_version.c.version))).scalar()
            if version is None:
                connection.execute(sa.insert(schema.schema_version), {"version": SCHEMA_VERSION})
            elif version < SCHEMA_VERSION:
                schema.migrate(connection, version)
            if fill is not None:
                fill(connection)
            return version or SCHEMA_VERSION

        check_known(self.write(write))

    def _rows_of_topic(self, table: sa.Table, topic_id: str | None) -> pd.DataFrame:
        query = sa.select(table).order_by(table.c.run_id, table.c.topic_id)
        return self._frame(query if topic_id is None else query.where(table.c.topic_id == topic_id))

    def _frame(self, query: sa.Select[Any]) -> pd.DataFrame:
        import pandas as pd

        with self.reading() as connection:
            result = connection.execute(query)
            columns = list(result.keys())
            frame = pd.DataFrame([tuple(row) for row in result], columns=columns)
        for moment in {"at", "published_at"} & set(columns):
            frame[moment] = pd.to_datetime(frame[moment], utc=True).astype("datetime64[us, UTC]")
        return frame

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection that only reads.

        Raises
        ------
        StoreUnusable
            The database can't be read.
        """
        try:
            with self._engine.connect() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise unusable(error, self._engine.url) from error

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a connection in a transaction that writes, which is committed at the end of the block.

        Raises
        ------
        StoreUnusable
            The database can't be written, or another process writes for too long.
        """
        try:
            with self._engine.connect().execution_options(lacuna_writes=True) as connection, connection.begin():
                yield connection
        except sa.exc.DBAPIError as error:
            raise unusable(error, self._engine.url) from error

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Do ``work`` in one transaction, waiting for other writers as long as the settings allow.

        Raises
        ------
        StoreUnusable
            The database can't be written, or another process writes for too long.
        """
        give_up = time.monotonic() + self._wait_seconds
        pause = 0.05
        while True:
            try:
                with self._engine.connect().execution_options(lacuna_writes=True) as connection, connection.begin():
                    return work(connection)
            except sa.exc.DBAPIError as error:
                if not worth_another_try(error) or time.monotonic() + pause > give_up:
                    raise unusable(error, self._engine.url) from error
                time.sleep(pause)
                pause = min(2 * pause, 1.0)


def _one_at_a_time(connection: sa.Connection) -> None:
    """Keep other processes from making tables or replacing a run's rows meanwhile; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(7310452)"))
