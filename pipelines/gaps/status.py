"""The status and owner of a gap as of now, by the decisions made since its run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from lacuna.models.backlog.lifecycle import GapState, status_at_run

__all__ = ["as_decided", "status_now"]


def status_now(row: Mapping[str, Any], life: GapState) -> tuple[str, str]:
    """The status of a gap as of now, and the reason where a run changed it.

    Parameters
    ----------
    row
        The gap as its latest run left it: status, status_note, decided (the decision behind that status), first_seen,
        last_seen, conversations, carried, effect.
    life
        The decisions up to now.
    """
    decided_at_run = int(row.get("decided") or 0)
    if decided_at_run == life.decided:
        return str(row["status"]), str(row.get("status_note") or "")
    # Whoever decided after the run has seen its result; if a decision was undone, the run's result holds again.
    decided_since = life.decided > decided_at_run
    carried = row.get("carried") or {}
    return status_at_run(
        life,
        day=str(row["last_seen"]),
        seen_before=str(row["first_seen"]) < str(row["last_seen"]),
        was=None,
        came_back=not decided_since and bool(carried.get("came_back")),
        conversations=int(row.get("conversations") or 0),
        grow_factor=math.inf,
        effect=None if decided_since else row.get("effect"),
    )


def as_decided(row: Mapping[str, Any], life: GapState, owner_name: Callable[[str], str | None]) -> dict[str, Any]:
    """Owner, due day, end of the snooze and target of the merger; an owner whom people chose goes before the run's.

    A chosen owner who is no longer active (``owner_left``) is ignored.
    """
    owner, reason, name = row.get("owner_id"), row.get("owner_reason"), row.get("owner_name")
    if life.assigned and (life.owner_id is None or life.owner_id != row.get("owner_left")):
        owner, name = life.owner_id, owner_name(life.owner_id) if life.owner_id else None
        reason = f"chosen by {life.assigned_by}" if owner else f"left unowned by {life.assigned_by}"
    return {
        "owner_id": owner, "owner_reason": reason, "owner_name": name,
        "due": life.due, "until": life.until, "merged_into": life.merged_into,
    }  # fmt: skip
