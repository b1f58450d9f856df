"""When each gap of the backlog is due, as of a day: for the digest, the board and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from lacuna.models.backlog.due_dates import DueDate, DueLimits, due_date
from lacuna.models.backlog.lifecycle import GapState
from lacuna.models.backlog.small_gaps import is_folded
from lacuna.pipelines.presentation.format import day, record, whole
from lacuna.pipelines.settings import Settings

__all__ = ["due_date_now", "form_day", "today"]


def today() -> date:
    """Today by the reviewers' own clock, which due days are compared with."""
    return datetime.now().astimezone().date()


def form_day(run: Mapping[str, Any], now: date | None = None) -> date:
    """The default day in forms for a publication or the end of a snooze, in the time of the data.

    It is today. A run whose window ended longer ago than it lasted is a replay, as the demo is; there the default is
    the window's last day, since the next run of the replay follows that day.

    Parameters
    ----------
    run
        `run.json`; empty where there is no run.
    now
        The day; today by default.
    """
    now = now or today()
    window = record(run.get("window"))
    until, days = day(window.get("end")), whole(window.get("days"))
    return until if until and days and (now - until).days > days else now


def due_date_now(
    row: Mapping[str, Any], life: GapState, settings: Settings, now: date, visible_since: date | None
) -> DueDate:
    """When a gap is due: the day that somebody set, else ``[review] due_days`` after it was visible in its status.

    If a person set the status, days count from their decision; if a run did, from the run's publication, however old
    its data are. A gap that is too small to act on is never due.

    Parameters
    ----------
    row
        A gap as it stands now: status, rank and too_small.
    life
        What people decided on the gap.
    now
        The day as of which it is computed.
    visible_since
        The day since when people can see the gap in the status that its run gave it
        (:func:`pipelines.gaps.first_seen.visible_since_days`); None where that is not recorded yet, right after
        publication.
    """
    rank = whole(row.get("rank"))
    if rank is None or is_folded(row.get("too_small"), str(row["status"]), life.due):
        return DueDate(None, 0, False)
    set_by_people = life.since is not None and row["status"] == life.status
    since = life.since.astimezone().date() if life.since and set_by_people else visible_since or now
    review = settings.review
    limits = DueLimits(review.due_days, review.urgent_ranks, review.escalate_after_days)
    return due_date(str(row["status"]), since, now, limits, due=day(life.due), rank=rank)
