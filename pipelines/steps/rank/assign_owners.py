"""The work that owners have already, and the order in which a run assigns its gaps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd

from lacuna.models.backlog.lifecycle import CLOSED, IN_PROGRESS, GapState
from lacuna.models.backlog.owners import OwnerBook
from lacuna.models.backlog.workload import Workload
from lacuna.pipelines.gaps.history import Past
from lacuna.pipelines.runtime.job import Job

__all__ = ["order_of_assignment"]

DONE = ("published", *CLOSED)


def order_of_assignment(job: Job, past: Past, gaps: Sequence[dict[str, Any]]) -> tuple[OwnerBook, list[dict[str, Any]]]:
    """The owners with their work on gaps that this run does not have, and the gaps in the order of assignment.

    Gaps in progress come first, then the others by rank, then closed ones, which are no work.
    """
    owners = job.read("load/owners")
    ids_of_run = {gap["gap_id"] for gap in gaps}
    other_work = Counter(
        owner
        for gap, life in past.lives.items()
        if life.status in IN_PROGRESS and gap not in ids_of_run and (owner := _owner(past, gap, life))
    )
    capacities = zip(owners["owner_id"], owners["weekly_capacity"], strict=True)
    capacity = {str(owner): int(number) for owner, number in capacities if pd.notna(number)}
    work = Workload(capacity, other_work, job.settings.owners.weeks_ahead)
    book = OwnerBook(owners, job.read("load/articles"), job.read("load/article_revisions"), work)

    def order(gap: dict[str, Any]) -> tuple[int, int]:
        status = past.lives.get(gap["gap_id"], GapState()).status
        return (0 if status in IN_PROGRESS else 2 if status in DONE else 1), int(gap["rank"])

    return book, sorted(gaps, key=order)


def _owner(past: Past, gap: str, life: GapState) -> str | None:
    if life.assigned:
        return life.owner_id
    owner = past.before.get(gap, {}).get("owner_id")
    return owner if isinstance(owner, str) else None
