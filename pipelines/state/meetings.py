"""Review meetings in the state database: who began one when, and the list of gaps that it goes through.

What a meeting decided is not kept here: the log of decisions has it, by the clock. So nothing is lost where a page is
loaded again or a browser goes away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from lacuna.pipelines.state import schema
from lacuna.pipelines.state.repository import State

__all__ = ["Meeting", "begin_meeting", "end_meeting", "latest_meetings", "meeting_of", "reopen_meeting"]


@dataclass(frozen=True)
class Meeting:
    """A review meeting.

    Attributes
    ----------
    id : its number; 0 for a span of time that nobody began as a meeting
    began_at, began_by, ended_at : when it began and by whom, and when it ended (None: it has not)
    run_id : the latest run when it began
    minutes : how long it was planned to take
    gaps : the gap_ids that it goes through, in order
    """

    id: int
    began_at: datetime
    began_by: str
    ended_at: datetime | None
    run_id: str | None
    minutes: int
    gaps: tuple[str, ...]


def begin_meeting(state: State, who: str, gaps: Sequence[str], minutes: int) -> int:
    """Write down that a meeting begins now, and return its number; meetings that have not ended are ended."""
    now = datetime.now(UTC)
    row = {"began_at": now, "began_by": schema.plain(who), "minutes": minutes, "gaps": list(gaps)}

    def write(connection: sa.Connection) -> int:
        run = connection.execute(sa.select(sa.func.max(schema.runs.c.run_id))).scalar()
        still_open = schema.meetings.c.ended_at.is_(None)
        connection.execute(sa.update(schema.meetings).where(still_open).values(ended_at=now))
        inserted = sa.insert(schema.meetings).returning(schema.meetings.c.id)
        return int(connection.execute(inserted, row | {"run_id": run}).scalar_one())

    return state.write(write)


def end_meeting(state: State, meeting_id: int) -> None:
    """Write down that a meeting ends now; one that has ended stays as it is."""
    _set_end(state, sa.and_(schema.meetings.c.id == meeting_id, schema.meetings.c.ended_at.is_(None)), True)


def reopen_meeting(state: State, meeting_id: int) -> None:
    """Take back that a meeting has ended."""
    _set_end(state, schema.meetings.c.id == meeting_id, False)


def _set_end(state: State, which: sa.ColumnElement[bool], ended: bool) -> None:
    values = {"ended_at": datetime.now(UTC) if ended else None}

    def write(connection: sa.Connection) -> None:
        connection.execute(sa.update(schema.meetings).where(which).values(values))

    state.write(write)


def meeting_of(state: State, meeting_id: int) -> Meeting | None:
    """A meeting by its number; None where there is none."""
    return next(iter(_read(state, sa.select(schema.meetings).where(schema.meetings.c.id == meeting_id))), None)


def latest_meetings(state: State, limit: int) -> list[Meeting]:
    """The meetings that began last, the newest first."""
    return _read(state, sa.select(schema.meetings).order_by(schema.meetings.c.id.desc()).limit(limit))


def _read(state: State, query: sa.Select[tuple[object, ...]]) -> list[Meeting]:
    with state.reading() as connection:
        return [
            Meeting(
                row.id, schema.utc(row.began_at), row.began_by, schema.utc(row.ended_at) if row.ended_at else None,
                row.run_id, row.minutes, tuple(row.gaps),
            )
            for row in connection.execute(query)
        ]  # fmt: skip
