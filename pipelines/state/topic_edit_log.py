"""People's edits of topics in the state database: appended, never changed; and what runs have made of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from lacuna.models.topics.edits import Outcome, TopicEdit
from lacuna.pipelines.state import schema

__all__ = [
    "append", "last", "last_of", "latest_topics", "read", "results", "results_before",
    "topic_of_subtopic", "topic_row",
]  # fmt: skip


def read(connection: sa.Connection, up_to: str | None = None) -> list[TopicEdit]:
    """All edits, by id; with ``up_to``, those made before a later run existed."""
    query = sa.select(schema.topic_edits).order_by(schema.topic_edits.c.id)
    if up_to is not None:
        query = query.where(schema.made_by(schema.topic_edits, up_to))
    return [
        TopicEdit(
            id=row.id, deed=row.deed, topic_id=row.topic_id, at=schema.utc(row.at), who=row.who, why=row.why,
            payload=row.payload or {}, run_id=row.run_id,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def append(
    connection: sa.Connection, deed: str, topic_id: str, who: str, why: str, payload: Mapping[str, Any], after: int
) -> int:
    """Append an edit of a topic and return its id; ``after`` is the topic's edit before it, or 0.

    Raises
    ------
    sqlalchemy.exc.IntegrityError
        Another edit of this topic follows that one already.
    """
    row = {
        "topic_id": topic_id, "at": datetime.now(UTC), "who": schema.plain(who), "deed": deed,
        "why": schema.plain(why), "payload": schema.plain(dict(payload)), "after": after,
        "run_id": connection.execute(sa.select(sa.func.max(schema.runs.c.run_id))).scalar(),
    }  # fmt: skip
    return int(connection.execute(sa.insert(schema.topic_edits).returning(schema.topic_edits.c.id), row).scalar_one())


def last(connection: sa.Connection) -> int:
    """The id of the last edit of any topic; 0 for none."""
    return connection.execute(sa.select(sa.func.max(schema.topic_edits.c.id))).scalar() or 0


def last_of(connection: sa.Connection, topic_id: str) -> int:
    """The id of a topic's last edit, undo included; 0 for none."""
    edits = schema.topic_edits.c
    return connection.execute(sa.select(sa.func.max(edits.id)).where(edits.topic_id == topic_id)).scalar() or 0


def results(connection: sa.Connection, run_id: str) -> dict[int, Outcome]:
    """What became of each edit in a run, by the edit's id."""
    table = schema.topic_edit_results
    rows = connection.execute(sa.select(table).where(table.c.run_id == run_id).order_by(table.c.edit_id))
    return {row.edit_id: Outcome(row.edit_id, row.kept, row.note, tuple(row.topics)) for row in rows}


def results_before(connection: sa.Connection, run_id: str) -> dict[int, Outcome]:
    """What became of each edit in the run before ``run_id``."""
    before = connection.execute(sa.select(sa.func.max(schema.runs.c.run_id)).where(schema.runs.c.run_id < run_id))
    return results(connection, before.scalar() or "")


def topic_row(connection: sa.Connection, topic_id: str) -> Mapping[str, Any] | None:
    """A topic's row of the latest run that had it, with ``is_latest``: whether that is the latest run of all."""
    query = sa.select(schema.topics).where(schema.topics.c.topic_id == topic_id)
    row = connection.execute(query.order_by(schema.topics.c.run_id.desc()).limit(1)).mappings().first()
    if row is None:
        return None
    latest = connection.execute(sa.select(sa.func.max(schema.runs.c.run_id))).scalar()
    return {**row, "is_latest": row["run_id"] == latest}


def latest_topics(connection: sa.Connection) -> dict[str, tuple[str, int]]:
    """The label of each of the latest run's topics, and how many questions it has, by topic_id."""
    latest = sa.select(sa.func.max(schema.runs.c.run_id)).scalar_subquery()
    columns = schema.topics.c
    query = sa.select(columns.topic_id, columns.label, columns.size).where(columns.run_id == latest)
    return {row.topic_id: (row.label, row.size) for row in connection.execute(query)}


def topic_of_subtopic(connection: sa.Connection, subtopic_id: str) -> str | None:
    """The topic of a subtopic in the latest run that has it; None where no run does."""
    columns = schema.subtopics.c
    query = sa.select(columns.topic_id).where(columns.subtopic_id == subtopic_id).order_by(columns.run_id.desc())
    return connection.execute(query.limit(1)).scalar()
