"""Gaps that are too small to act on: what closing them would avoid is below a set effect a month."""

from __future__ import annotations

from lacuna.models.backlog.lifecycle import UNDECIDED

__all__ = ["WEEKS_A_MONTH", "is_folded", "is_too_small", "weeks_to_pay"]

WEEKS_A_MONTH = 365.25 / 12 / 7


def is_too_small(score: float, least_a_month: float) -> bool:
    """Whether a gap would avoid fewer human-handled conversations a month than the set number.

    Parameters
    ----------
    score
        Human-handled conversations a week that closing the gap is expected to avoid.
    least_a_month
        The set number, ``[review] least_effect_a_month``; 0 makes no gap too small.

    Examples
    --------
    >>> is_too_small(0.22, 1.0), is_too_small(0.24, 1.0)
    (True, False)
    """
    return score * WEEKS_A_MONTH < least_a_month


def weeks_to_pay(saved_a_week: float, writer_hour: float) -> float:
    """How many weeks it takes until a closed gap has saved what an hour of a writer costs.

    Parameters
    ----------
    saved_a_week
        The cost of the human-handled conversations that closing the gap is expected to avoid in a week.
    writer_hour
        ``[cost] writer_hour``, in the same currency.

    Returns
    -------
    float
        Infinity where it saves nothing.

    Examples
    --------
    >>> weeks_to_pay(9.0, 45.0), weeks_to_pay(0.0, 45.0)
    (5.0, inf)
    """
    return writer_hour / saved_a_week if saved_a_week > 0 else float("inf")


def is_folded(too_small: bool | None, status: str, due: str | None) -> bool:
    """Whether a gap is put with those that are too small to act on.

    What people have taken up is work like any other, however small: a gap that somebody accepted, or gave a due day.

    Parameters
    ----------
    too_small
        As :func:`is_too_small`; None in a run of an earlier version.
    status
        The gap's status as of now.
    due
        The day that somebody set.

    Examples
    --------
    >>> is_folded(True, "new", None), is_folded(True, "accepted", None), is_folded(True, "open", "2024-07-12")
    (True, False, False)
    """
    return bool(too_small) and status in UNDECIDED and not due
