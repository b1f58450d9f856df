"""When each gap of the backlog is due, as of a day: what the digest, the board and the command line call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from lacuna.models.backlog.due_dates import Duty, DutyLimits, duty
from lacuna.models.backlog.lifecycle import Life
from lacuna.pipelines.presentation.format import day, record, whole
from lacuna.pipelines.settings import Settings

__all__ = ["duty_now", "form_day", "today"]


def today() -> date:
    """The day by the reviewers' own clock, which due days are held against."""
    return datetime.now().astimezone().date()


def form_day(told: Mapping[str, Any], now: date | None = None) -> date:
    """The day that forms offer for what happens in the data's own time, a publication or the end of a snooze.

    It is today. A run whose window ended longer ago than it lasted is a replay, as the demo is: there it is the
    window's last day, since the next run knows nothing of the years between.

    Parameters
    ----------
    told
        `run.json`; empty where there is no run.
    now
        The clock's day where it is not now.
    """
    now = now or today()
    window = record(told.get("window"))
    until, days = day(window.get("end")), whole(window.get("days"))
    return until if until and days and (now - until).days > days else now


def duty_now(row: Mapping[str, Any], life: Life, settings: Settings, now: date, seen: date | None) -> Duty:
    """When a gap is due: the day that somebody set, else so many days after people could see it in its status.

    Where a person gave it the status, that is the day of their decision; where a run did, the day on which the run was
    published, however old its data are.

    Parameters
    ----------
    row
        A gap as it stands now: status and rank.
    life
        What people decided on the gap.
    now
        The day that is asked about.
    seen
        Since when people can see it as its run left it (:func:`pipelines.gaps.first_seen.seen_days`); None where that
        is not recorded yet, as in the moment after a run was published.
    """
    rank = whole(row.get("rank"))
    if rank is None:
        return Duty(None, 0, False)
    by_people = life.since is not None and row["status"] == life.status
    since = life.since.astimezone().date() if life.since and by_people else seen or now
    review = settings.review
    limits = DutyLimits(review.due_days, review.urgent_ranks, review.escalate_after_days)
    return duty(str(row["status"]), since, now, limits, due=day(life.due), rank=rank)
