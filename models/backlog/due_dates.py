"""Due dates of gaps, and which overdue gaps are escalated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

__all__ = ["DueDate", "DueLimits", "due_date"]


@dataclass(frozen=True)
class DueLimits:
    """How long gaps may wait.

    ``due_days`` says how many days a gap may stay in each status; one that is not named has no end. The first
    ``urgent_ranks`` gaps of the backlog have half the time. A gap that is overdue for more than
    ``escalate_after_days`` goes to the manager.
    """

    due_days: Mapping[str, int]
    urgent_ranks: int
    escalate_after_days: int


@dataclass(frozen=True)
class DueDate:
    """When a gap is due, by how many days it is overdue (0: not yet), and whether it has to go to the manager."""

    due: date | None
    overdue: int
    escalated: bool


def due_date(
    status: str, since: date, today: date, limits: DueLimits, *, due: date | None = None, rank: int | None = None
) -> DueDate:
    """When a gap is due.

    Parameters
    ----------
    status
        The gap's status.
    since
        The day on which the gap got this status: of the decision, or of the publication of the run that found it.
    today
        The day for which this is computed.
    due
        A due day that somebody set, which takes precedence.
    rank
        The gap's rank in the backlog, None where it is in none.

    Examples
    --------
    >>> limits = DueLimits({"accepted": 14}, urgent_ranks=0, escalate_after_days=7)
    >>> due_date("accepted", date(2024, 6, 1), date(2024, 6, 23), limits)
    DueDate(due=datetime.date(2024, 6, 15), overdue=8, escalated=True)
    """
    days = limits.due_days.get(status)
    if days is None:
        return DueDate(None, 0, False)
    if due is None:
        urgent = rank is not None and rank <= limits.urgent_ranks
        due = since + timedelta(days=-(-days // 2) if urgent else days)
    overdue = max(0, (today - due).days)
    return DueDate(due, overdue, overdue > limits.escalate_after_days)
