"""A copy of the state database in a file, and back: for SQLite; a Postgres has tools of its own."""

from __future__ import annotations

import os
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from lacuna.data_contracts.errors import SettingsInvalid, StoreUnusable
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.run_folders import published_runs
from lacuna.pipelines.io.store import usable
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state import schema
from lacuna.pipelines.state.checks import check_known
from lacuna.pipelines.state.forgotten import take_over_forgotten
from lacuna.pipelines.state.repository import open_state, state_engine

__all__ = ["back_up", "restore"]


def back_up(settings: Settings, store: StorePath, file: Path) -> None:
    """Copy the state database into a file, whole, while others may go on using it; its owner alone may read it.

    Raises
    ------
    SettingsInvalid
        The database is none of SQLite.
    StoreUnusable
        There is such a file already, or it can't be written.
    """
    database = _sqlite_file(settings, store)
    open_state(settings, store).close()  # a lost database is no backup
    if file.exists():
        raise StoreUnusable(f"{file} is there already", "name another, for example with the day in it, or remove it")
    _copy(database, file)


def restore(settings: Settings, store: StorePath, file: Path) -> list[str]:
    """Put a backup in the place of a lost state database.

    Returns
    -------
    list of str
        The published runs that the backup does not know.

    Raises
    ------
    SettingsInvalid
        The database is none of SQLite.
    StoreUnusable
        A database is there, or the file is no backup of one.
    """
    database = _sqlite_file(settings, store)
    if _tables_of(database):
        raise StoreUnusable(
            f"the state database {database} is there: a backup takes the place of a lost one alone",
            "move it away first, with what begins with its name",
        )
    if schema.schema_version.name not in _tables_of(file):
        raise StoreUnusable(f"{file} is no state database of Lacuna", "name a file that `lacuna state backup` wrote")
    with closing(_connected(file)) as connection:
        check_known(connection.execute("SELECT max(version) FROM schema_version").fetchone()[0] or 0)
    with usable(database.parent):
        for log in ("-wal", "-shm"):  # of the lost one
            database.with_name(database.name + log).unlink(missing_ok=True)
    _copy(file, database)
    with open_state(settings, store) as state:
        state.write(lambda connection: take_over_forgotten(connection, store))
        known = set(state.runs()["run_id"])
    return [run_id for run_id in published_runs(store) if run_id not in known]


def _sqlite_file(settings: Settings, store: StorePath) -> Path:
    url: sa.URL = state_engine(settings, store).url
    if url.get_backend_name() != "sqlite" or not url.database:
        raise SettingsInvalid(
            f"the state database {url.render_as_string(hide_password=True)} is no file of SQLite",
            "use its own tools: for Postgres, pg_dump and pg_restore",
        )
    return Path(url.database)


def _tables_of(file: Path) -> set[str]:
    """The names of the tables in a file; none where it is missing, empty, or no database."""
    if not file.is_file() or not file.stat().st_size:
        return set()
    try:
        with closing(_connected(file)) as connection:
            return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.DatabaseError:
        return set()


def _connected(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)


def _copy(source: Path, target: Path) -> None:
    """Copy a database whole or not at all, readable by its owner alone: addresses and hashes of sign-ins are in it."""
    half = target.with_name(f".tmp-{uuid.uuid4().hex}-{target.name}")
    with usable(target.parent, disk_only=True):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.close(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with closing(_connected(source)) as read, closing(sqlite3.connect(half)) as written:
                read.backup(written)
                written.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
            os.replace(half, target)
        except sqlite3.Error as error:
            raise StoreUnusable(f"{source} can't be copied to {target}: {error}", "check both, and the disk") from error
        finally:
            half.unlink(missing_ok=True)
