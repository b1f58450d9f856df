"""What owners have in hand when a run gives out its gaps, and in which order it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd

from lacuna.models.backlog.lifecycle import CLOSED, IN_PROGRESS, Life
from lacuna.models.backlog.owners import OwnerBook
from lacuna.models.backlog.workload import Workload
from lacuna.pipelines.gaps.history import Past
from lacuna.pipelines.runtime.job import Job

__all__ = ["share_out"]

DONE = ("published", *CLOSED)


def share_out(job: Job, past: Past, gaps: Sequence[dict[str, Any]]) -> tuple[OwnerBook, list[dict[str, Any]]]:
    """The book of owners with the work that this run does not see, and the gaps in the order to ask about them.

    What is in progress comes first, then the rest by rank; what is closed is nobody's work.
    """
    owners = job.read("load/owners")
    here = {gap["gap_id"] for gap in gaps}
    elsewhere = Counter(
        owner
        for gap, life in past.lives.items()
        if life.status in IN_PROGRESS and gap not in here and (owner := _owner(past, gap, life))
    )
    known = zip(owners["owner_id"], owners["weekly_capacity"], strict=True)
    capacity = {str(owner): int(number) for owner, number in known if pd.notna(number)}
    work = Workload(capacity, elsewhere, job.settings.owners.weeks_ahead)
    book = OwnerBook(owners, job.read("load/articles"), job.read("load/article_revisions"), work)

    def turn(gap: dict[str, Any]) -> tuple[int, int]:
        status = past.lives.get(gap["gap_id"], Life()).status
        return (0 if status in IN_PROGRESS else 2 if status in DONE else 1), int(gap["rank"])

    return book, sorted(gaps, key=turn)


def _owner(past: Past, gap: str, life: Life) -> str | None:
    if life.assigned:
        return life.owner_id
    owner = past.before.get(gap, {}).get("owner_id")
    return owner if isinstance(owner, str) else None
