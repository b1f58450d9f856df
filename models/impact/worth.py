"""What fixes were worth in the last quarter: conversations, hours and money, confirmed and assumed apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import hypot, nan
from typing import Any

__all__ = ["QUARTER_DAYS", "HandlingTime", "quarter_worth", "total_worth"]

QUARTER_DAYS = 91
PARTS = ("avoided", "confirmed", "assumed")
_SIDES = ("_low", "_high")
_UNITS = ("conversations", "hours", "cost")


@dataclass(frozen=True)
class HandlingTime:
    """What one human-handled conversation takes and costs.

    Parameters
    ----------
    hours, hours_error
        Mean time and its standard error; NaN where no handling time is known.
    cost, cost_error
        The same in the settings' currency.
    """

    hours: float
    hours_error: float
    cost: float
    cost_error: float


def quarter_worth(row: Mapping[str, Any], end: date, handling: HandlingTime, z: float = 1.96) -> dict[str, Any]:
    """One fix's worth in the :data:`QUARTER_DAYS` up to a day.

    Parameters
    ----------
    row
        Of the table impact (:func:`models.impact.fixes.measure`), with gap_id, title, owner_id, fixed_on, verdict,
        weekly, credited and counted_with.
    end
        The quarter's last day.
    z
        Half an interval's width in standard errors.

    Returns
    -------
    dict
        gap_id, title, owner_id, fixed_on, verdict; counted (bool: part of the total); conversations (about the gap, in
        the quarter and after the fix); escalated_before, escalated_expected, escalated_after (shares); hours_before,
        hours_expected, hours_after (humans' hours a week at the demand since the fix); and for avoided, confirmed and
        assumed ``…_conversations``, ``…_hours`` and ``…_cost``, each with _low and _high.

    Notes
    -----
    What the fix avoided since it was made (`avoided_since`) is spread over the conversations about the gap since then;
    those in the quarter give its part. Of a product, such as conversations × hours each, the error is that of the delta
    method. What is assumed is the rest of what is not confirmed; its interval takes the two as independent, and is
    rather too wide for that.
    """
    fixed_on, start = date.fromisoformat(str(row["fixed_on"])), end - timedelta(days=QUARTER_DAYS - 1)
    since = _conversations(row["weekly"], fixed_on + timedelta(days=1), end)
    inside = _conversations(row["weekly"], max(start, fixed_on + timedelta(days=1)), end)
    measured = bool(row["conversations_before"] and row["conversations_after"])
    part = inside / since if since and measured else 0.0
    avoided, confirmed = (
        {side: float(row[f"{name}_since{side}"]) * part if measured else nan for side in ("", *_SIDES)}
        for name in ("avoided", "confirmed")
    )
    assumed = {"": avoided[""] - confirmed[""]}
    assumed["_low"] = assumed[""] - hypot(avoided[""] - avoided["_low"], confirmed["_high"] - confirmed[""])
    assumed["_high"] = assumed[""] + hypot(avoided["_high"] - avoided[""], confirmed[""] - confirmed["_low"])
    days = int(row["days_after"])
    a_week = float(row["conversations_after"]) / days * 7 if days else nan
    out: dict[str, Any] = {
        "gap_id": row["gap_id"], "title": row["title"], "owner_id": row["owner_id"], "fixed_on": row["fixed_on"],
        "verdict": row["verdict"], "counted": measured and part > 0 and _is_counted(row),
        "conversations": round(inside, 1),
    }  # fmt: skip
    for when in ("before", "expected", "after"):
        share = float(row[f"escalated_{when}"])
        out |= {f"escalated_{when}": share, f"hours_{when}": share * a_week * handling.hours}
    for name, amount in zip(PARTS, (avoided, confirmed, assumed), strict=True):
        for unit, (each, error) in zip(
            _UNITS,
            ((1.0, 0.0), (handling.hours, handling.hours_error), (handling.cost, handling.cost_error)),
            strict=True,
        ):
            out |= {f"{name}_{unit}{side}": value for side, value in _times(amount, each, error * z).items()}
    return out


def total_worth(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The sum over the fixes that count, those without effect included; intervals are added as if independent.

    What is credited to an article without a decision is left out, because only what worked is seen in that way; and so
    is a second fix of the same conversations.

    Returns
    -------
    dict
        fixes, hours_before, hours_expected, hours_after (a week), and every ``…_conversations``, ``…_hours`` and
        ``…_cost`` of :func:`quarter_worth`.
    """
    counted = [row for row in rows if row["counted"]]
    out: dict[str, float] = {"fixes": len(counted)}
    for name in ("hours_before", "hours_expected", "hours_after"):
        out[name] = float(sum(row[name] for row in counted))
    for name in (f"{part}_{unit}" for part in PARTS for unit in _UNITS):
        value = float(sum(row[name] for row in counted))
        below, above = (hypot(*(row[f"{name}{side}"] - row[name] for row in counted)) for side in _SIDES)
        out |= {name: value, f"{name}_low": value - below, f"{name}_high": value + above}
    return out


def _conversations(weekly: Sequence[Mapping[str, Any]], first: date, last: date) -> float:
    """Conversations between two days, both included; of a week that lies in it in part, as large a part."""
    total = 0.0
    for week in weekly:
        monday = date.fromisoformat(str(week["week"]))
        days = (min(last, monday + timedelta(days=6)) - max(first, monday)).days + 1
        total += float(week["conversations"]) * max(0, days) / 7
    return total


def _is_counted(row: Mapping[str, Any]) -> bool:
    return row.get("credited") is not True and not isinstance(row.get("counted_with"), str)


def _times(amount: Mapping[str, float], each: float, half: float) -> dict[str, float]:
    """The amount × what each is worth, with its interval."""
    value = amount[""] * each
    below = hypot((amount[""] - amount["_low"]) * each, amount[""] * half)
    above = hypot((amount["_high"] - amount[""]) * each, amount[""] * half)
    return {"": value, "_low": value - below, "_high": value + above}
