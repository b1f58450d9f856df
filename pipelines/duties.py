"""When each gap of the backlog is due, as of a day: what the digest, the board and the command line call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from models.duties import Duty, DutyLimits, duty
from models.life import Life
from pipelines.settings import Settings

__all__ = ["duty_now"]


def duty_now(row: Mapping[str, Any], life: Life, settings: Settings, today: date) -> Duty:
    """When a gap is due: the day that somebody set, else so many days after the run on whose view it got its status.

    Parameters
    ----------
    row
        One row of :func:`pipelines.decisions.backlog_now`: status, rank, first_seen.
    life
        What people decided on the gap.
    today
        The day that is asked about.
    """
    review = settings.review
    limits = DutyLimits(review.due_days, review.urgent_ranks, review.escalate_after_days)
    since = date.fromisoformat(life.run_id or str(row["first_seen"]))
    due = date.fromisoformat(life.due) if life.due else None
    return duty(str(row["status"]), since, today, limits, due=due, rank=int(row["rank"]))
