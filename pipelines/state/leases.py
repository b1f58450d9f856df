"""Leases: who works on which run, across machines, in the state database and by its clock.

A lease is held for a while and renewed by a thread of its holder. One whose holder is gone is taken over: at once where
it was a process of this machine, else when its time is up. Who was suspended meanwhile finds out before it publishes.
"""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from lacuna.data_contracts.errors import LacunaError, StoreUnusable
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.processes import machine, process_exists
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state.repository import State, open_state
from lacuna.pipelines.state.schema import leases, utc

__all__ = ["Lease", "lease"]

_RENEWALS = 4  # in the time that a lease lasts
_POLL_SECONDS = 0.2
_HOLD_SECONDS = 120  # to publish what is ready
# Tokens of leases that this process could not give back, for the database was away: they bind nobody here.
_LEFT: set[str] = set()


class _Clock(sa.sql.expression.ColumnElement[Any]):
    """The database's own time, so many seconds from now."""

    inherit_cache = False
    type = sa.DateTime(timezone=True)

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = float(seconds)


@compiles(_Clock, "sqlite")
def _sqlite_clock(element: _Clock, _compiler: Any, **_: Any) -> str:
    # As SQLAlchemy writes a time there: comparisons are of text.
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', '{element.seconds:+.3f} seconds') || '000')"


@compiles(_Clock, "postgresql")
def _postgres_clock(element: _Clock, _compiler: Any, **_: Any) -> str:
    return f"(clock_timestamp() + make_interval(secs => {element.seconds:.3f}))"


@dataclass(frozen=True)
class Holder:
    """Who holds a lease."""

    name: str
    token: str
    host: str
    pid: int
    machine: str
    since: datetime
    expired: bool
    left: float

    @property
    def gone(self) -> bool:
        """Whether it was a process of this machine that has ended, or this one, which could not give it back."""
        return self.token in _LEFT or (self.machine == machine() and not process_exists(self.pid))

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} since {self.since:%Y-%m-%d %H:%M:%S} UTC"


class Lease:
    """A lease that is held; made by :func:`lease`."""

    def __init__(self, state: State, name: str, token: str) -> None:
        self.name = name
        self._state, self.token = state, token

    def check(self) -> None:
        """Refuse to go on where another worker has taken the lease over.

        Raises
        ------
        StoreUnusable
            It has; the message says who.
        """
        with self._state.reading() as connection:
            self.require(connection)

    def require(self, connection: sa.Connection) -> None:
        """As :meth:`check`; in a transaction that writes, nobody takes the lease over before the transaction ends."""
        mine = sa.select(leases.c.token).where(leases.c.name == self.name, leases.c.token == self.token)
        if connection.get_execution_options().get("lacuna_writes"):
            mine = mine.with_for_update()
        if connection.execute(mine).first() is None:
            raise _lost(self.name, next(iter(_conflicts(connection, self.name)), None))

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Give a block, of a few seconds at most, during which nobody can take the lease over.

        Raises
        ------
        StoreUnusable
            Another worker has taken it over already.
        """
        with self._state.writing() as connection:
            if connection.dialect.name == "postgresql":  # a machine that is gone must not keep the row for hours
                connection.execute(sa.text(f"SET LOCAL idle_in_transaction_session_timeout = '{_HOLD_SECONDS}s'"))
            self.require(connection)
            yield

    def renew(self, seconds: float) -> bool:
        """Prolong it; False where another worker has taken it over. Time that is up may still be prolonged."""
        values = {"renewed_at": _Clock(), "expires_at": _Clock(seconds)}
        own = sa.update(leases).where(leases.c.name == self.name, leases.c.token == self.token).values(values)
        return self._state.write(lambda connection: connection.execute(own).rowcount) == 1

    def release(self) -> None:
        """Let go of it."""
        own = sa.delete(leases).where(leases.c.name == self.name, leases.c.token == self.token)
        self._state.write(lambda connection: connection.execute(own))


@contextmanager
def lease(settings: Settings, store: StorePath, name: str, wait_seconds: float = 0.0) -> Iterator[Lease]:
    """Hold the lease ``name`` of a store while the block runs.

    A lease excludes those of the same name and, as a folder does, those below and above: who holds
    ``2024-06-30`` holds ``2024-06-30/redact/0001`` too.

    Parameters
    ----------
    settings
        ``[state]`` says where the database is and for how long a holder may be silent.
    store
        Whose lease it is.
    name
        What is held: a run's id, or a part of a run.
    wait_seconds
        How long to wait for another holder.

    Raises
    ------
    StoreUnusable
        Somebody else holds it for longer; the message says who and since when.
    """
    seconds = settings.state.lease_seconds
    with open_state(settings, store) as state:
        held = _acquired(state, name, seconds, wait_seconds)
        ended = threading.Event()
        renewing = threading.Thread(target=_keep_renewing, args=(held, seconds, ended), daemon=True)
        renewing.start()
        try:
            yield held
        finally:
            ended.set()
            renewing.join()
            try:
                held.release()
            except LacunaError as error:  # it ends by itself
                _LEFT.add(held.token)
                progress.log.warning("the lease on '%s' could not be given back: %s", name, error.problem)


def _acquired(state: State, name: str, seconds: float, wait_seconds: float) -> Lease:
    import time

    token = uuid.uuid4().hex
    give_up = time.monotonic() + wait_seconds
    while True:
        holder = state.write(lambda connection: _acquire(connection, name, token, seconds))
        if holder is None:
            return Lease(state, name, token)
        if time.monotonic() + _POLL_SECONDS > give_up:
            raise StoreUnusable(
                f"another run holds '{holder.name}' in this store ({holder})",
                "wait until it is done, or stop it; its finished steps are kept. If it is gone with its machine, this "
                f"is free in {max(holder.left, 0):.0f} seconds",
            )
        time.sleep(_POLL_SECONDS)


def _acquire(connection: sa.Connection, name: str, token: str, seconds: float) -> Holder | None:
    """Take the lease and return None, or return who holds it; leases of holders that are gone are deleted."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(7310453)"))
    for holder in _conflicts(connection, name):
        if not (holder.expired or holder.gone):
            return holder
        connection.execute(sa.delete(leases).where(leases.c.name == holder.name, leases.c.token == holder.token))
        progress.log.warning("'%s' was held by %s, which is gone: taken over", holder.name, holder)
    row = {
        "name": name, "token": token, "host": socket.gethostname(), "pid": os.getpid(), "machine": machine(),
        "since": _Clock(), "renewed_at": _Clock(), "expires_at": _Clock(seconds),
    }  # fmt: skip
    connection.execute(sa.insert(leases).values(row))
    return None


def _conflicts(connection: sa.Connection, name: str) -> list[Holder]:
    """Holders of the lease, of one above it, or of one below it."""
    columns = leases.c
    rows = connection.execute(sa.select(leases, _Clock().label("now")).order_by(columns.name)).mappings().all()
    return [
        Holder(
            row["name"], row["token"], row["host"], row["pid"], row["machine"], utc(row["since"]),
            expired=utc(row["expires_at"]) <= utc(row["now"]),
            left=(utc(row["expires_at"]) - utc(row["now"])).total_seconds(),
        )
        for row in rows
        if f"{row['name']}/".startswith(f"{name}/") or f"{name}/".startswith(f"{row['name']}/")
    ]  # fmt: skip


def _keep_renewing(held: Lease, seconds: float, ended: threading.Event) -> None:
    while not ended.wait(seconds / _RENEWALS):
        try:
            if not held.renew(seconds):
                progress.log.warning("another worker has taken '%s' over: nothing will be published here", held.name)
                return
        except LacunaError as error:
            progress.log.warning("the lease on '%s' could not be renewed: %s", held.name, error.problem)


def _lost(name: str, holder: Holder | None) -> StoreUnusable:
    by = f"{holder} has taken it over" if holder else "it was taken over, and is free again"
    return StoreUnusable(
        f"this process held '{name}' and was silent for too long: {by}",
        "nothing was published here; see what the other one published, and run again if need be",
    )
