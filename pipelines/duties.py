"""When each gap of the backlog is due, as of a day: what the digest, the board and the command line call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from models.duties import Duty, DutyLimits, duty
from models.life import Life
from pipelines.report.format import day, record, whole
from pipelines.settings import Settings

__all__ = ["duty_now", "review_day"]


def review_day(told: Mapping[str, Any], today: date | None = None) -> date:
    """The day that due days and forms count from: today, by the reviewers' own clock.

    A run whose window ended longer ago than it lasted is a replay, as the demo is: it is reviewed as of its last day,
    or everything in it would have been overdue for years.

    Parameters
    ----------
    told
        `run.json`; empty where there is no run.
    today
        The clock's day where it is not now.
    """
    today = today or datetime.now().astimezone().date()
    window = record(told.get("window"))
    until, days = day(window.get("end")), whole(window.get("days"))
    return until if until and days and (today - until).days > days else today


def duty_now(row: Mapping[str, Any], life: Life, settings: Settings, today: date) -> Duty:
    """When a gap is due: the day that somebody set, else so many days after it got its status.

    That is the run on whose view people gave it, or the run that reopened the gap; where nobody has decided, the first
    run that saw it.

    Parameters
    ----------
    row
        A gap as it stands now: status, rank, first_seen; status_since and decided as its run left them, where it did.
        One that does not say since when it is there is never due.
    life
        What people decided on the gap.
    today
        The day that is asked about.
    """
    as_the_run_left_it = (whole(row.get("decided")) or 0) == life.decided and row.get("status_since")
    since, rank = day(as_the_run_left_it or life.run_id or row.get("first_seen")), whole(row.get("rank"))
    if since is None or rank is None:
        return Duty(None, 0, False)
    review = settings.review
    limits = DutyLimits(review.due_days, review.urgent_ranks, review.escalate_after_days)
    return duty(str(row["status"]), since, today, limits, due=day(life.due), rank=rank)
