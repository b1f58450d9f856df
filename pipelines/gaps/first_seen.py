"""Since when people can see each gap in its status: the day by the clock on which a run first published it so.

It is kept in the state database alone. Run folders hold days of the data and no clock, so that a run made again has the
same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from lacuna.pipelines.state import schema

__all__ = ["keep_seen", "visible_since_days"]

_SEEN_AT = "seen_at"


def keep_seen(connection: sa.Connection, run_id: str, rows: list[dict[str, Any]], now: datetime) -> None:
    """Add to each gap's row when people could first see it, before earlier rows of the same run are replaced.

    Parameters
    ----------
    rows
        The run's gaps as rows of the table, changed in place. A gap keeps its moment if an earlier run left it in the
        same status, or if this run had it before it was repeated.
    now
        The moment of publication.
    """
    columns = schema.gaps.c
    made_before = sa.select(schema.gaps).where(columns.run_id == run_id)
    published = _published(connection)
    moments: dict[tuple[str, str], str] = {}
    for query in (schema.latest_before(schema.gaps, columns.gap_id, run_id), made_before):
        for recorded in _rows(connection, query):
            moment = _moment(recorded, published)
            if moment:
                moments[_gap_and_status_since(recorded)] = min(
                    moment, moments.get(_gap_and_status_since(recorded), moment)
                )
    for row in rows:
        row["extra"] = {
            **(row["extra"] or {}),
            _SEEN_AT: moments.get(_gap_and_status_since(row), now.astimezone(UTC).isoformat()),
        }


def visible_since_days(connection: sa.Connection, run_id: str) -> dict[str, date]:
    """The day, by the reviewers' own clock, since when people can see each gap of a run in its status."""
    published = _published(connection)
    rows = _rows(connection, sa.select(schema.gaps).where(schema.gaps.c.run_id == run_id))
    moments = {str(row["gap_id"]): _moment(row, published) for row in rows}
    return {gap: datetime.fromisoformat(moment).astimezone().date() for gap, moment in moments.items() if moment}


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in connection.execute(query).mappings()]


def _gap_and_status_since(row: Mapping[str, Any]) -> tuple[str, str]:
    """The gap, and the run since which it is in its status: after a change of status it is seen anew."""
    return str(row["gap_id"]), str((row["extra"] or {}).get("status_since") or row["first_seen"])


def _moment(row: Mapping[str, Any], published: Mapping[str, str]) -> str | None:
    """When a recorded gap could first be seen; rows of older versions, without it, go by their run's publication."""
    return (row["extra"] or {}).get(_SEEN_AT) or published.get(str(row["run_id"]))


def _published(connection: sa.Connection) -> dict[str, str]:
    rows = connection.execute(sa.select(schema.runs.c.run_id, schema.runs.c.published_at))
    return {row.run_id: schema.utc(row.published_at).isoformat() for row in rows}
