"""The tables of the state database, and the rows that go into them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "SCHEMA_VERSION",
    "contacts",
    "decisions",
    "deliveries",
    "forgetting_key",
    "forgettings",
    "forgotten",
    "gaps",
    "latest_before",
    "leases",
    "made_by",
    "meetings",
    "metadata",
    "migrate",
    "one_after_another",
    "plain",
    "pushes",
    "rows",
    "runs",
    "schema_version",
    "sessions",
    "subtopic_events",
    "subtopics",
    "tags",
    "topic_edit_results",
    "topic_edits",
    "topic_events",
    "topics",
    "utc",
]

SCHEMA_VERSION = 10
metadata = sa.MetaData()

schema_version = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True))

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("run_id", sa.String(10), primary_key=True),
    sa.Column("input_hash", sa.String(64), nullable=False),
    sa.Column("window_start", sa.String(10), nullable=False),
    sa.Column("window_end", sa.String(10), nullable=False),
    sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
)


def _groups(name: str, key: str, *more: sa.Column[Any]) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        sa.Column("run_id", sa.String(10), primary_key=True),
        sa.Column(key, sa.String(64), primary_key=True),
        *more,
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("embedder", sa.Text, nullable=False),
        sa.Column("centroid", sa.LargeBinary, nullable=False),
        sa.Column("members", sa.JSON, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("lineage", sa.Text),
        sa.Column("first_seen", sa.String(10), nullable=False),
        sa.Column("last_seen", sa.String(10), nullable=False),
        sa.Column("extra", sa.JSON),
        sa.Column("label_centroid", sa.LargeBinary),  # the centroid when the label was given: how far it still fits
    )


def _events(name: str, key: str) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        sa.Column("run_id", sa.String(10), primary_key=True),
        sa.Column(key, sa.String(64), primary_key=True),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("related", sa.JSON, nullable=False),
        sa.Column("shared", sa.Integer, nullable=False),
        sa.Column("cosine", sa.Float),
    )


topics = _groups("topics", "topic_id", sa.Column("theme", sa.Text))
topic_events = _events("topic_events", "topic_id")
subtopics = _groups("subtopics", "subtopic_id", sa.Column("topic_id", sa.String(64)))
subtopic_events = _events("subtopic_events", "subtopic_id")

gaps = sa.Table(
    "gaps",
    metadata,
    sa.Column("run_id", sa.String(10), primary_key=True),
    sa.Column("gap_id", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("topic_id", sa.String(64)),
    sa.Column("article_id", sa.Text),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("status", sa.String(32), nullable=False),
    sa.Column("score", sa.Float),
    sa.Column("rank", sa.Integer),
    sa.Column("first_seen", sa.String(10), nullable=False),
    sa.Column("last_seen", sa.String(10), nullable=False),
    sa.Column("extra", sa.JSON),
)

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("gap_id", sa.String(64), nullable=False, index=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("decision", sa.String(32), nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("payload", sa.JSON),
    sa.Column("after", sa.Integer, nullable=False, server_default="0"),  # the gap's decision before it; 0 = none
    sa.Column("run_id", sa.String(10)),  # the latest run when it was decided: the day in the data's own time
    sa.Column("kind", sa.String(32)),  # the gap's kind at that time
)
# Of two decisions that follow the same one, the database itself takes only one.
one_after_another = sa.Index("decisions_one_after_another", decisions.c.gap_id, decisions.c.after, unique=True)

# What people changed about topics; appended like decisions, and read by every run from then on.
topic_edits = sa.Table(
    "topic_edits",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("topic_id", sa.String(64), nullable=False, index=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("deed", sa.String(16), nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("after", sa.Integer, nullable=False),  # the topic's edit before it; 0 = none
    sa.Column("run_id", sa.String(10)),  # the latest run when it was made: the day in the data's own time
    sa.Index("topic_edits_one_after_another", "topic_id", "after", unique=True),
)

# What became of each edit in a run; a run replaces its own rows.
topic_edit_results = sa.Table(
    "topic_edit_results",
    metadata,
    sa.Column("run_id", sa.String(10), primary_key=True),
    sa.Column("edit_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kept", sa.Boolean, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("topics", sa.JSON, nullable=False),
)

tags = sa.Table(
    "tags",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("conversation_id", sa.Text, nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("tagged_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("tagged_by", sa.Text, nullable=False),
    sa.Column("true_intent", sa.Text),
    sa.Column("article_id", sa.Text),
    sa.Column("note", sa.Text),
    sa.Column("run_id", sa.String(10)),  # the latest run when it was entered: the day in the data's own time
)

# Addresses of owners: kept here and not in run folders, which many people may read.
contacts = sa.Table(
    "contacts",
    metadata,
    sa.Column("owner_id", sa.String(255), primary_key=True),
    sa.Column("name", sa.Text),
    sa.Column("email", sa.Text),
)

# Digests that were sent: one message per run, recipient and channel.
deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("run_id", sa.String(10), primary_key=True),
    sa.Column("recipient", sa.String(255), primary_key=True),
    sa.Column("channel", sa.String(64), primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)

# Drafts that were pushed to where writers work: where each is, and what it was when it was pushed last.
pushes = sa.Table(
    "pushes",
    metadata,
    sa.Column("gap_id", sa.String(64), primary_key=True),
    sa.Column("target", sa.String(64), primary_key=True),
    sa.Column("remote_id", sa.String(255), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("draft_hash", sa.String(16), nullable=False),
    sa.Column("remote_hash", sa.String(16), nullable=False),
    sa.Column("pushed_at", sa.DateTime(timezone=True), nullable=False),
)

# Review meetings: the list that each went through. What was decided in one is in the log of decisions, by the clock.
meetings = sa.Table(
    "meetings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("began_by", sa.Text, nullable=False),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
    sa.Column("run_id", sa.String(10)),
    sa.Column("minutes", sa.Integer, nullable=False),
    sa.Column("gaps", sa.JSON, nullable=False),
)

# Sign-ins to the board: only hashes, so that nobody can sign in with what stands in the table.
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("cookie_sha256", sa.String(64), primary_key=True),
    sa.Column("token_sha256", sa.String(64), nullable=False),
    sa.Column("ends", sa.DateTime(timezone=True), nullable=False),
)

# Who works on which run; times are the database's own (pipelines.state.leases).
leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("token", sa.String(32), nullable=False),  # of one holding: who lost it doesn't take the next for its own
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("machine", sa.Text, nullable=False),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
)

# Conversations that are forgotten, as keyed hashes of their ids (pipelines.state.forgotten); and this database's key.
forgotten = sa.Table("forgotten", metadata, sa.Column("id_hash", sa.String(64), primary_key=True))
forgetting_key = sa.Table("forgetting_key", metadata, sa.Column("secret", sa.String(32), primary_key=True))

# Who has forgotten how many conversations when, and what that removed where. No id and no text stands in it.
forgettings = sa.Table(
    "forgettings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("sort", sa.String(64), nullable=False),
    sa.Column("conversations", sa.Integer, nullable=False),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
    sa.Column("removed", sa.JSON, nullable=False),
    sa.Column("places_left", sa.Integer),  # where something of them was still found; null: it has not ended
)

# Up to version 2 a decision was written as the status that it gives.
_ACTION_OF = {
    "accepted": "accept", "drafting": "draft", "published": "publish", "verified": "verify", "reopened": "reopen",
    "open": "reopen", "snoozed": "snooze", "dismissed": "dismiss",
}  # fmt: skip


def migrate(connection: sa.Connection, version: int) -> None:
    """Migrate a database from ``version`` to ``SCHEMA_VERSION``, within the caller's transaction.

    New tables exist already; this changes the older ones.
    """
    if version < 2:
        _add(connection, topics.c.label_centroid)
    if version < 3:
        for column in (decisions.c.after, decisions.c.run_id, decisions.c.kind):
            _add(connection, column)
        last: dict[str, int] = {}
        old_rows = sa.select(decisions.c.id, decisions.c.gap_id, decisions.c.decision).order_by(decisions.c.id)
        for decision_id, gap, status in connection.execute(old_rows).all():
            values = {"after": last.get(gap, 0), "decision": _ACTION_OF.get(status, status)}
            connection.execute(sa.update(decisions).where(decisions.c.id == decision_id).values(values))
            last[gap] = decision_id
        one_after_another.create(connection)
    if version < 5:  # subtopics were called topics
        for old, new in ((topics, subtopics), (topic_events, subtopic_events)):
            names = [column.name for column in new.columns if column.name in old.columns and column.name != "topic_id"]
            old_rows = sa.select(old.c.topic_id, *(old.c[name] for name in names))
            connection.execute(sa.insert(new).from_select(["subtopic_id", *names], old_rows))
    connection.execute(sa.update(schema_version).values(version=SCHEMA_VERSION))


def _add(connection: sa.Connection, column: sa.Column[Any]) -> None:
    described = sa.schema.CreateColumn(column).compile(dialect=connection.dialect)
    connection.execute(sa.text(f"ALTER TABLE {column.table.name} ADD COLUMN {described}"))


def latest_before(table: sa.Table, key: sa.Column[Any], run_id: str) -> sa.Select[Any]:
    """Every ``key``'s row of its latest run strictly before ``run_id``."""
    latest = (
        sa.select(key.label("key"), sa.func.max(table.c.run_id).label("run_id"))
        .where(table.c.run_id < run_id)
        .group_by(key)
        .subquery()
    )
    return sa.select(table).join(latest, sa.and_(key == latest.c.key, table.c.run_id == latest.c.run_id)).order_by(key)


def made_by(table: sa.Table, run_id: str) -> sa.ColumnElement[bool]:
    """Whether what people did (a decision, a tag, an edit) was done on the view of ``run_id`` or of an earlier run."""
    return sa.or_(table.c.run_id.is_(None), table.c.run_id <= run_id)


def rows(table: sa.Table, frame: pd.DataFrame, run_id: str) -> list[dict[str, Any]]:
    """The frame as rows of ``table``; columns that the table does not have go to its ``extra``."""
    columns = {column.name for column in table.columns}
    table_rows = []
    for record in frame.to_dict("records"):
        values = {str(name): plain(value) for name, value in record.items()}
        row: dict[str, Any] = {name: values.get(name) for name in columns}
        row["run_id"] = run_id
        for day in {"first_seen", "last_seen"} & columns:
            row[day] = row[day] or run_id
        if "extra" in columns:
            rest = {name: value for name, value in sorted(values.items()) if name not in columns}
            row["extra"] = {**(values.get("extra") or {}), **rest} or None
        table_rows.append(row)
    return table_rows


def plain(value: Any) -> Any:
    """A value of a frame as a value that database drivers take."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, str):
        return value.replace("\0", "")  # Postgres takes no NUL
    if hasattr(value, "tobytes") and getattr(value, "ndim", 0) > 0:
        return value.astype("float32").tobytes() if value.dtype.kind == "f" else plain(value.tolist())
    if hasattr(value, "isoformat"):
        return None if value != value else value.isoformat()
    if hasattr(value, "item"):
        value = value.item()
    return None if value is None or value != value or str(value) == "<NA>" else value


def utc(moment: datetime) -> datetime:
    """A moment of the database with its time zone: SQLite keeps none, and all are written in UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
