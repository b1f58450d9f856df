"""Since when people can see each gap as it is: the clock's day on which a run first published it so.

It is kept in the state database alone. Run folders hold days of the data and no clock, so that a run made again has the
same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from lacuna.pipelines.state import schema

__all__ = ["keep_seen", "seen_days"]

_SEEN = "seen_at"


def keep_seen(connection: sa.Connection, run_id: str, rows: list[dict[str, Any]], now: datetime) -> None:
    """Write into each gap's row when people could first see it, before the rows of this run made earlier are replaced.

    Parameters
    ----------
    rows
        The run's gaps as rows of the table, changed in place. One that an earlier run left in the same status, or that
        this run had when it was made before, keeps its moment.
    now
        The moment of publication.
    """
    told = schema.gaps.c
    made_before = sa.select(schema.gaps).where(told.run_id == run_id)
    published = _published(connection)
    known: dict[tuple[str, str], str] = {}
    for query in (schema.latest_before(schema.gaps, told.gap_id, run_id), made_before):
        for found in _rows(connection, query):
            moment = _moment(found, published)
            if moment:
                known[_standing(found)] = min(moment, known.get(_standing(found), moment))
    for row in rows:
        row["extra"] = {**(row["extra"] or {}), _SEEN: known.get(_standing(row), now.astimezone(UTC).isoformat())}


def seen_days(connection: sa.Connection, run_id: str) -> dict[str, date]:
    """The day, by the reviewers' own clock, since when people can see each gap of a run as the run left it."""
    published = _published(connection)
    rows = _rows(connection, sa.select(schema.gaps).where(schema.gaps.c.run_id == run_id))
    moments = {str(row["gap_id"]): _moment(row, published) for row in rows}
    return {gap: datetime.fromisoformat(found).astimezone().date() for gap, found in moments.items() if found}


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in connection.execute(query).mappings()]


def _standing(row: Mapping[str, Any]) -> tuple[str, str]:
    """The gap, and since which run it is in its status: what has changed between two runs, people see anew."""
    return str(row["gap_id"]), str((row["extra"] or {}).get("status_since") or row["first_seen"])


def _moment(row: Mapping[str, Any], published: Mapping[str, str]) -> str | None:
    """When a recorded gap could first be seen; rows of before that was kept go by their run's publication."""
    return (row["extra"] or {}).get(_SEEN) or published.get(str(row["run_id"]))


def _published(connection: sa.Connection) -> dict[str, str]:
    rows = connection.execute(sa.select(schema.runs.c.run_id, schema.runs.c.published_at))
    return {row.run_id: schema.utc(row.published_at).isoformat() for row in rows}
