"""What is checked of a state database when it is opened: that it is not lost, is not newer, and its clock is right."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from lacuna.data_contracts.errors import StoreUnusable
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.state import schema
from lacuna.pipelines.state.schema import SCHEMA_VERSION

__all__ = ["check_clock", "check_known", "check_not_lost", "check_readable", "has_tables", "recorded_ahead"]

_log = logging.getLogger(__name__)
_CLOCKS_DIFFER = timedelta(minutes=5)
_warned: set[datetime] = set()


def has_tables(connection: sa.Connection) -> bool:
    """Whether a database has our tables."""
    return sa.inspect(connection).has_table(schema.schema_version.name)


def check_not_lost(url: sa.URL, store: StorePath, runs: Sequence[str]) -> None:
    """Refuse a database that is missing, or without our tables, where there are runs that it should know."""
    if runs:
        where = url.database if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
        raise StoreUnusable(
            f"the state database {where} is missing or empty, and there are "
            f"runs in {store}, the latest of {runs[-1]}: it was lost, and with it the ids of topics and gaps and what "
            "people decided",
            f"`lacuna state restore BACKUP --store {store}` brings a backup back; without one, `lacuna state rebuild "
            f"--store {store}` makes it again from the runs, with what was decided before the latest; to start afresh "
            f"on purpose, `lacuna state new --store {store}`",
        )


def check_known(version: int) -> None:
    """Refuse a database of a newer Lacuna."""
    if version > SCHEMA_VERSION:
        raise StoreUnusable(
            f"the state database has schema {version}; this Lacuna knows up to {SCHEMA_VERSION}",
            "upgrade lacuna-kb on this machine to the version that wrote it",
        )


def check_readable(connection: sa.Connection) -> None:
    """Refuse a database that may not be written and is not of today's schema, which it can't be brought to."""
    version = (
        has_tables(connection) and connection.execute(sa.select(sa.func.max(schema.schema_version.c.version))).scalar()
    )
    if not version or version < SCHEMA_VERSION:
        raise StoreUnusable(
            f"the state database has schema {version or 0}, and may not be written to bring it to {SCHEMA_VERSION}",
            "open it once as a user who may write it, for example with `lacuna backlog`",
        )
    check_known(version)


def check_clock(connection: sa.Connection) -> None:
    """Warn, once, where what is recorded lies in the future: a clock was set back, or runs ahead elsewhere."""
    recorded = recorded_ahead(connection)
    if recorded is not None and recorded not in _warned:
        _warned.add(recorded)
        _log.warning(
            "the clock of this machine is behind: something was recorded at %s, and it is %s (UTC) now. Decisions "
            "count by when they were made: set the clock right before you decide or run",
            f"{recorded:%Y-%m-%d %H:%M}",
            f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        )


def recorded_ahead(connection: sa.Connection) -> datetime | None:
    """When the latest run was published or the latest decision made, where that lies in the future; else None."""
    latest = [sa.select(sa.func.max(schema.runs.c.published_at)), sa.select(sa.func.max(schema.decisions.c.at))]
    moments = [connection.execute(query).scalar() for query in latest]
    recorded = max((schema.utc(moment) for moment in moments if moment), default=None)
    is_ahead = recorded is not None and recorded - datetime.now(UTC) > _CLOCKS_DIFFER
    return recorded if is_ahead else None
