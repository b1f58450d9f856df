"""Which ids have changed: read in pages, from where a cursor says, so that memory does not grow with a table.

A first round goes through the ids of the main table. Later rounds go through the ids that any tracked table has
changed rows of, in the order of (time of the change, id). Each begins some hours before the last one ended: a loader
writes rows later than the time that it puts on them, and its clock may be wrong. No round goes on from a time that
lies ahead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from lacuna.pipelines.sources.sql_database import Database
from lacuna.pipelines.sources.sql_values import as_stored, earlier, from_cursor, moment, to_cursor

__all__ = ["Changes", "Tracked"]

Page = tuple[list[Any], dict[str, Any]]


@dataclass(frozen=True)
class Tracked:
    """A table or query of which rows change.

    Attributes
    ----------
    rows
        The table.
    key
        The column with the id of what the row belongs to.
    changed
        The column that says when the row last changed; None where nothing does.
    started
        Of the main table, the column that says when it began.
    """

    rows: sa.FromClause
    key: sa.ColumnElement[Any]
    changed: sa.ColumnElement[Any] | None = None
    started: sa.ColumnElement[Any] | None = None


class Changes:
    """The changed ids of one stream.

    Parameters
    ----------
    database
        Where the tables are.
    main
        The table with a row for each id.
    tracked
        All tables whose changes count, the main one among them.
    page
        How many ids come at a time.
    overlap
        How far back a round begins before the end of the last one.
    """

    def __init__(
        self, database: Database, main: Tracked, tracked: Sequence[Tracked], page: int, overlap: timedelta
    ) -> None:
        self._database, self._main = database, main
        self._tracked = [one for one in tracked if one.changed is not None]
        self._page, self._overlap = page, overlap

    def pages(self, cursor: dict[str, Any] | None, since: datetime | None) -> Iterator[Page]:
        """Pages of ids, each with the cursor behind it; the last one is empty, and its cursor ends the round."""
        if cursor is None or ("id" not in cursor and cursor["mark"] is None):
            mark = self._latest()
            yield from self._first(mark, None, since)
        elif "id" in cursor:
            yield from self._first(from_cursor(cursor["mark"]), from_cursor(cursor["id"]), since)
        else:
            mark = from_cursor(cursor["mark"])
            at = [from_cursor(one) for one in cursor["at"]] if "at" in cursor else [earlier(mark, self._overlap), None]
            yield from self._later(mark, at[0], at[1])

    def _first(self, mark: Any, after: Any, since: datetime | None) -> Iterator[Page]:
        key, started = self._main.key, self._main.started
        query = sa.select(key).distinct().select_from(self._main.rows).where(key.is_not(None)).order_by(key)
        if since is not None and started is not None:
            sample = self._database.rows(
                sa.select(started).select_from(self._main.rows).where(started.is_not(None)).limit(1)
            )
            if sample:
                query = query.where(started >= as_stored(since, sample[0][0]))
        while True:
            page = query.limit(self._page) if after is None else query.where(key > after).limit(self._page)
            ids = [row[0] for row in self._database.rows(page)]
            if not ids:
                break
            after = ids[-1]
            yield ids, {"mark": to_cursor(mark), "id": to_cursor(after)}
        yield [], {"mark": to_cursor(mark)}

    def _later(self, mark: Any, at: Any, after: Any) -> Iterator[Page]:
        now = datetime.now(UTC)
        size = self._page
        while True:
            rows = self._database.rows(self._changed(at, after).limit(size))
            if not rows:
                break
            # A database may know its times finer than Python does: a page of one microsecond does not bring us on.
            if after is not None and len(rows) == size and (rows[-1][1], rows[-1][0]) == (at, after):
                size *= 2
                continue
            after, at = rows[-1]
            if (moment(at) or now) <= now:
                mark = at
            yield [row[0] for row in rows], {"mark": to_cursor(mark), "at": [to_cursor(at), to_cursor(after)]}
            if len(rows) < size:
                break
        yield [], {"mark": to_cursor(mark)}

    def _changed(self, at: Any, after: Any) -> sa.Select[Any]:
        changes = sa.union_all(
            *(
                sa.select(one.key.label("changed_id"), one.changed.label("changed_at"))
                .select_from(one.rows)
                .where(one.changed >= at, one.key.is_not(None))
                for one in self._tracked
                if one.changed is not None
            )
        ).subquery("changes")
        latest = (
            sa.select(changes.c.changed_id, sa.func.max(changes.c.changed_at).label("changed_at"))
            .group_by(changes.c.changed_id)
            .subquery("latest")
        )
        query = sa.select(latest.c.changed_id, latest.c.changed_at)
        if after is not None:
            later = latest.c.changed_at > at
            query = query.where(sa.or_(later, sa.and_(latest.c.changed_at == at, latest.c.changed_id > after)))
        return query.order_by(latest.c.changed_at, latest.c.changed_id)

    def _latest(self) -> Any:
        """The latest time of any change that does not lie ahead."""
        now, latest = datetime.now(UTC), None
        for one in self._tracked:
            assert one.changed is not None
            ((newest,),) = self._database.rows(sa.select(sa.func.max(one.changed)).select_from(one.rows))
            at = moment(newest)
            if at is None:
                continue
            newest = newest if at <= now else as_stored(now, newest)
            if latest is None or min(at, now) > (moment(latest) or now):
                latest = newest
        return latest
