"""Which day it is on the board, and until when each gap has to be dealt with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from models.duties import Duty
from models.life import Life
from pipelines.duties import duty_now
from pipelines.report.format import day, plural, record, short_day, whole
from pipelines.settings import Settings

__all__ = ["due_words", "duty_of", "review_day"]


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


def duty_of(row: Mapping[str, Any], life: Life, settings: Settings, today: date) -> Duty:
    """When a gap is due; never, where its row does not say since when it is there."""
    if not (life.run_id or day(row.get("first_seen"))) or whole(row.get("rank")) is None:
        return Duty(None, 0, False)
    return duty_now(row, life, settings, today)


def due_words(duty: Duty) -> str:
    """`due 12 Jul`, `overdue 3 days`, or nothing."""
    if duty.overdue:
        return f"overdue {plural(duty.overdue, 'day')}"
    return f"due {short_day(duty.due)}" if duty.due else ""
