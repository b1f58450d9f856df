"""The page for whoever pays: what fixes were worth in the last quarter, confirmed and assumed apart."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd

from lacuna.models.impact.worth import QUARTER_DAYS, total_worth
from lacuna.pipelines.presentation.format import (
    NONE,
    confidence_text,
    day,
    line,
    money,
    number,
    percent,
    period,
    plural,
    record,
    rounded,
    short_day,
    text,
)
from lacuna.pipelines.presentation.format import rows as records
from lacuna.pipelines.report.impact import VERDICTS
from lacuna.pipelines.report.templates import template

__all__ = ["render_worth", "worth_view"]

PARTS = (
    ("avoided", "Avoided", "by what was fixed, against what was to be expected without it"),
    ("confirmed", "Confirmed", "of that: the customer or a reviewer said that it was solved"),
    ("assumed", "Assumed", "the rest: nobody said anything"),
)


def worth_view(frame: pd.DataFrame | None, run: dict[str, Any]) -> dict[str, Any]:
    """What the page prints: the totals as cards, a sentence of before and after, and one entry a fix.

    Parameters
    ----------
    frame : DataFrame or None
        `worth.parquet`.
    run : dict
        `run.json`, for title, company and the intervals' confidence.
    """
    rows = records(frame)
    settings = record(record(run.get("settings")).get("report"))
    currency = text(rows[0].get("currency")) if rows else ""
    end = day(rows[0].get("quarter_end")) if rows else None
    total = total_worth(rows) if rows else {"fixes": 0.0}
    counted = int(total["fixes"])
    return {
        "company": line(settings.get("company"), 120),
        "quarter": period(end - timedelta(days=QUARTER_DAYS - 1), end) if end else "",
        "sure": confidence_text(run),
        "fixes": plural(counted, "fix", "fixes"),
        "counted": counted,
        "cards": [_amounts(total, name, label, means, currency) for name, label, means in PARTS] if counted else [],
        "before_after": _before_after(total) if counted else "",
        "rows": [_fix(row, currency) for row in rows],
        "left_out": plural(len(rows) - counted, "fix is", "fixes are") if len(rows) > counted else "",
    }


def render_worth(frame: pd.DataFrame | None, run: dict[str, Any]) -> str:
    """The page as one self-contained HTML file without any script; the same tables give the same text."""
    return template("worth.html.jinja").render(worth_view(frame, run))


def _amounts(row: dict[str, Any], name: str, label: str, means: str, currency: str) -> dict[str, str]:
    return {
        "label": label,
        "means": means,
        "cost": money(row[f"{name}_cost"], currency),
        "cost_range": f"[{money(row[f'{name}_cost_low'], currency)} to {money(row[f'{name}_cost_high'], currency)}]",
        "hours": _hours(row[f"{name}_hours"]),
        "hours_range": _range(row, f"{name}_hours"),
        "conversations": _plain(row[f"{name}_conversations"]),
        "conversations_range": _range(row, f"{name}_conversations"),
    }


def _fix(row: dict[str, Any], currency: str) -> dict[str, Any]:
    measured = number(row.get("avoided_cost")) is not None
    amounts = [_amounts(row, name, label, means, currency) for name, label, means in PARTS] if measured else []
    return {
        "title": line(row.get("title"), 160) or text(row.get("gap_id")),
        "day": short_day(row.get("fixed_on"), year=True),
        "verdict": VERDICTS.get(text(row.get("verdict")), ("Unknown", ""))[0],
        "counted": bool(row.get("counted")),
        "before": percent(row.get("escalated_before")),
        "expected": percent(row.get("escalated_expected")) if measured else NONE,
        "after": percent(row.get("escalated_after")) if measured else NONE,
        "amounts": amounts,
    }


def _before_after(total: dict[str, float]) -> str:
    """Hours a week about the fixed topics: before, as they would be, as they are; "" without handling times."""
    if number(total["hours_after"]) is None:
        return ""
    before, expected, after = (_hours(total[f"hours_{when}"]) for when in ("before", "expected", "after"))
    return (
        f"At today's demand, people would spend {before} a week on these topics as they were before, {expected} as "
        f"they would be without the fixes, and spend {after}."
    )


def _hours(value: object) -> str:
    hours = _plain(value)
    return hours if hours == NONE else f"{hours} h"


def _plain(value: object) -> str:
    amount = number(value)
    if amount is None:
        return NONE
    digits = rounded(amount, 1) if abs(amount) < 9.95 else rounded(amount)
    return f"{digits + 0:,}".replace("-", "−")


def _range(row: dict[str, Any], name: str) -> str:
    low, high = _plain(row[f"{name}_low"]), _plain(row[f"{name}_high"])
    return "" if NONE in (low, high) else f"[{low} to {high}]"
