"""Drafts that were pushed to where writers work, in the state database."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lacuna.pipelines.state.schema import pushes

if TYPE_CHECKING:
    from lacuna.pipelines.state.repository import State

__all__ = ["Push", "pushed", "remember_push"]


@dataclass(frozen=True)
class Push:
    """Where a gap's draft is, and the hashes of the draft and of what its target held, as it was pushed last."""

    gap_id: str
    target: str
    remote_id: str
    url: str
    draft_hash: str
    remote_hash: str


def pushed(state: State, target: str) -> dict[str, Push]:
    """What was pushed to a target, by gap."""
    columns = [pushes.c[name] for name in Push.__dataclass_fields__]
    with state.reading() as connection:
        rows = connection.execute(sa.select(*columns).where(pushes.c.target == target)).all()
    return {row.gap_id: Push(*row) for row in rows}


def remember_push(state: State, push: Push) -> None:
    """Keep where a gap's draft is now."""

    def write(connection: sa.Connection) -> None:
        of = sa.and_(pushes.c.gap_id == push.gap_id, pushes.c.target == push.target)
        connection.execute(sa.delete(pushes).where(of))
        connection.execute(sa.insert(pushes), {**asdict(push), "pushed_at": datetime.now(UTC)})

    state.write(write)
