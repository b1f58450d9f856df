"""The engine of the state database: how it is opened, which writes are tried again, and messages for errors."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lacuna.data_contracts.errors import SettingsInvalid, StoreUnusable

__all__ = ["engine_of", "is_missing", "only_reads", "unusable", "worth_another_try"]


def engine_of(url: str, wait_seconds: float) -> sa.Engine:
    """Make the engine of a database URL; for SQLite in WAL mode, with one writer at a time and readers meanwhile.

    A file of SQLite that may not be written is opened for reading alone: see :func:`only_reads`.

    Raises
    ------
    SettingsInvalid
        The URL can't be understood, or its driver is not installed.
    """
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() == "sqlite":
            if only_reads(parsed):
                return _reading_engine(parsed, wait_seconds)
            engine = sa.create_engine(parsed, connect_args={"timeout": wait_seconds}, poolclass=sa.NullPool)
            sa.event.listen(engine, "connect", _tune_sqlite)
            sa.event.listen(engine, "begin", _begin_immediate)
            return engine
        return sa.create_engine(parsed, pool_pre_ping=True)
    except sa.exc.ArgumentError:
        raise SettingsInvalid(
            "'state.url' is not a database URL",
            'leave it empty for SQLite, or write for example "postgresql+psycopg://user@host/database"',
        ) from None
    except ModuleNotFoundError as error:
        raise SettingsInvalid(
            f"'state.url' needs the Python package '{error.name}', which is not installed",
            "install lacuna-kb[postgres], and write the URL as postgresql+psycopg://…",
        ) from None


def is_missing(url: sa.URL) -> bool:
    """Whether this is a file of SQLite that is not there."""
    return url.get_backend_name() == "sqlite" and bool(url.database) and not Path(str(url.database)).exists()


def only_reads(url: sa.URL) -> bool:
    """Whether this is a file of SQLite, and it or its folder may not be written by this user."""
    if url.get_backend_name() != "sqlite" or not url.database:
        return False
    file = Path(url.database)
    # SQLite writes into the folder too, even to read beside a writer.
    return file.is_file() and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK))


def _reading_engine(url: sa.URL, wait_seconds: float) -> sa.Engine:
    file = Path(str(url.database)).resolve()
    log = file.with_name(f"{file.name}-wal")
    # Without a log of changes nobody writes, and SQLite needs no files of its own beside it.
    mode = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    address = f"{file.as_uri()}?{mode}"
    engine = sa.create_engine(
        url, creator=lambda: sqlite3.connect(address, uri=True, timeout=wait_seconds), poolclass=sa.NullPool
    )

    def begin_ourselves(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    sa.event.listen(engine, "connect", begin_ourselves)
    sa.event.listen(engine, "begin", _begin_immediate)
    return engine


def _tune_sqlite(connection: Any, _record: Any) -> None:
    # The driver opens transactions late and as readers, which may fail to become writers: we begin them ourselves.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    # What was acknowledged outlives a power cut; that costs some milliseconds a commit.
    connection.execute("PRAGMA synchronous=FULL")


def _begin_immediate(connection: sa.Connection) -> None:
    if connection.get_execution_options().get("lacuna_no_transaction", False):
        return
    writes = connection.get_execution_options().get("lacuna_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def worth_another_try(error: sa.exc.DBAPIError) -> bool:
    """Whether another writer held the lock, so that the same write may succeed later."""
    text = str(error.orig).lower()
    return any(sign in text for sign in ("database is locked", "database is busy", "deadlock", "could not serialize"))


def unusable(error: sa.exc.DBAPIError, url: sa.URL) -> StoreUnusable:
    """The driver's error with the database's address, without its password, and a remedy."""
    text = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
    where = url.render_as_string(hide_password=True)
    lowered = text.lower()
    if "locked" in lowered or "busy" in lowered:
        remedy = "another process writes for too long: stop it, or raise [state] wait_seconds"
    elif "readonly" in lowered or "read-only" in lowered or "unable to open" in lowered or "permission" in lowered:
        remedy = "give this user the right to write it, or choose another --store or [state] url"
    elif "full" in lowered:
        remedy = "free some space, and run again"
    elif "not a database" in lowered or "malformed" in lowered:
        remedy = (
            "the file is damaged or not ours: move it away, then `lacuna state restore` brings a backup back, and "
            "`lacuna state rebuild` what the runs hold"
        )
    else:
        remedy = "check that the database runs and that [state] url names it"
    return StoreUnusable(f"state database {where}: {text}", remedy)
