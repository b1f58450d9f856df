"""A run as the state database records it: by whoever publishes it, and from its folder where a database was lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lacuna.pipelines.gaps.first_seen import keep_seen
from lacuna.pipelines.state import schema

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RunRecord"]


@dataclass(frozen=True)
class RunRecord:
    """What a run leaves for later ones.

    Attributes
    ----------
    run_id, input_hash
        The run, and the hash of its input.
    topics
        topic_id, label, embedder, centroid (bytes, or a float32 array), members (list of question keys), size;
        optional theme, lineage, first_seen, last_seen. Columns that the table does not have go to ``extra``.
    gaps
        gap_id, kind, title, status; optional topic_id, article_id, score, rank, first_seen, last_seen. Columns
        that the table does not have go to ``extra``.
    window
        First and last day; the last day is ``run_id`` where this is left out.
    events
        Events of topics: topic_id, event, related (list of topic ids), shared, cosine; one row per topic.
    subtopics, subtopic_events
        The same for subtopics, with subtopic_id; topic_id is the topic that they belong to.
    published_at
        When people could first see the run, by the clock; now where this is left out.
    edit_results
        What became of people's edits of topics: edit_id, kept, note, topics (list of topic ids).
    """

    run_id: str
    input_hash: str
    topics: pd.DataFrame
    gaps: pd.DataFrame
    window: tuple[date, date] | None = None
    events: pd.DataFrame | None = None
    subtopics: pd.DataFrame | None = None
    subtopic_events: pd.DataFrame | None = None
    published_at: datetime | None = None
    edit_results: pd.DataFrame | None = None

    def write(self, connection: sa.Connection) -> None:
        """Write it within the caller's transaction; rows of the same run recorded earlier are replaced."""
        now = self.published_at or datetime.now(UTC)
        first, last = (day.isoformat() for day in self.window) if self.window else (self.run_id, self.run_id)
        run = {
            "run_id": self.run_id, "input_hash": self.input_hash, "window_start": first, "window_end": last,
            "published_at": now,
        }  # fmt: skip
        frames = {
            schema.topics: self.topics, schema.topic_events: self.events, schema.gaps: self.gaps,
            schema.subtopics: self.subtopics, schema.subtopic_events: self.subtopic_events,
            schema.topic_edit_results: self.edit_results,
        }  # fmt: skip
        rows = {table: schema.rows(table, frame, self.run_id) for table, frame in frames.items() if frame is not None}
        keep_seen(connection, self.run_id, rows[schema.gaps], now)
        for table in (*frames, schema.runs):
            connection.execute(sa.delete(table).where(table.c.run_id == self.run_id))
        connection.execute(sa.insert(schema.runs), run)
        for table, table_rows in rows.items():
            if table_rows:
                connection.execute(sa.insert(table), table_rows)
