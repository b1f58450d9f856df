"""The decisions in the state database: appended, read in order, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from lacuna.models.backlog.lifecycle import Decision
from lacuna.pipelines.state import schema

__all__ = ["append", "gap_ids", "gap_row", "is_owner", "owner_ids", "read", "take_turns"]


def read(
    connection: sa.Connection, gap_id: str | None = None, up_to: str | None = None, since: int = 0
) -> list[Decision]:
    """The decisions of one gap or of all, by id; with ``up_to``, those made before a later run existed.

    With ``since``, only those after that id.
    """
    query = sa.select(schema.decisions).order_by(schema.decisions.c.id)
    if gap_id is not None:
        query = query.where(schema.decisions.c.gap_id == gap_id)
    if since:
        query = query.where(schema.decisions.c.id > since)
    if up_to is not None:
        query = query.where(schema.made_by(schema.decisions, up_to))
    return [
        Decision(
            id=row.id, gap_id=row.gap_id, at=schema.utc(row.at), who=row.who, verb=row.decision, why=row.why,
            payload=row.payload or {}, run_id=row.run_id, kind=row.kind,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def append(
    connection: sa.Connection, gap: Mapping[str, Any], action: str, who: str, why: str, payload: Mapping[str, Any],
    after: int,
) -> int:  # fmt: skip
    """Append a decision on a gap and return its id; the kind that was found goes with it.

    Parameters
    ----------
    gap
        gap_id, kind, found_as.
    after
        The gap's decision before it, or 0.

    Raises
    ------
    sqlalchemy.exc.IntegrityError
        Another decision of this gap follows that one already.
    """
    row = {
        "gap_id": gap["gap_id"], "kind": (gap.get("found_as") or gap)["kind"],
        "at": datetime.now(UTC), "who": schema.plain(who),
        "decision": action, "why": schema.plain(why), "payload": schema.plain(dict(payload)), "after": after,
        "run_id": connection.execute(sa.select(sa.func.max(schema.runs.c.run_id))).scalar(),
    }  # fmt: skip
    return int(connection.execute(sa.insert(schema.decisions).returning(schema.decisions.c.id), row).scalar_one())


def take_turns(connection: sa.Connection) -> None:
    """Serialise decisions, so that what was checked still holds when it is written.

    Does not wait for a run that is being recorded. SQLite has a single writer anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(7310453)"))


def gap_row(connection: sa.Connection, gap_id: str) -> dict[str, Any] | None:
    """A gap's row of the latest run that had it, with the fields in ``extra``; None for an unknown gap."""
    query = sa.select(schema.gaps).where(schema.gaps.c.gap_id == gap_id).order_by(schema.gaps.c.run_id.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else {**row, **(row["extra"] or {})}


def gap_ids(connection: sa.Connection) -> list[str]:
    """Every gap that any run has recorded."""
    return list(connection.execute(sa.select(schema.gaps.c.gap_id).distinct().order_by(schema.gaps.c.gap_id)).scalars())


def is_owner(connection: sa.Connection, owner_id: str) -> bool:
    """Whether the latest run had an owner of this id; fast, however many gaps there are."""
    query = sa.select(schema.contacts.c.owner_id).where(schema.contacts.c.owner_id == owner_id)
    return connection.execute(query).first() is not None


def owner_ids(connection: sa.Connection) -> list[str]:
    """Everybody who may own a gap: the owners in the latest run's data, and those of its gaps."""
    owners = set(connection.execute(sa.select(schema.contacts.c.owner_id)).scalars())
    latest = sa.select(sa.func.max(schema.runs.c.run_id)).scalar_subquery()
    extras = connection.execute(sa.select(schema.gaps.c.extra).where(schema.gaps.c.run_id == latest)).scalars()
    owners |= {str(extra["owner_id"]) for extra in extras if extra and extra.get("owner_id")}
    return sorted(owners)
