"""What fixes were worth in a quarter: which part of it falls there, what is confirmed, and what counts in the sum."""

from __future__ import annotations

from datetime import date, timedelta
from math import hypot
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.impact.worth import HandlingTime, quarter_worth, total_worth
from lacuna.pipelines.report.worth import render_worth

END = date(2024, 6, 30)
HANDLING = HandlingTime(hours=0.2, hours_error=0.01, cost=6.0, cost_error=0.3)
AVOIDED, CONFIRMED = (20.0, 12.0, 26.0), (8.0, 2.0, 13.0)


def fix(fixed_on: date, avoided: tuple[float, ...] = AVOIDED, **changed: Any) -> dict[str, Any]:
    """A row of the table impact; ten conversations a week for a year, the last on 30 June."""
    monday = date(2024, 6, 24)
    row: dict[str, Any] = {
        "gap_id": "g-1", "title": "Add “Customs”", "owner_id": "ada", "fixed_on": fixed_on.isoformat(),
        "verdict": "verified", "credited": False, "counted_with": None, "conversations_before": 80,
        "conversations_after": 40, "days_after": 28, "escalated_before": 0.8, "escalated_expected": 0.7,
        "escalated_after": 0.2,
        "weekly": [
            {"week": (monday - timedelta(weeks=w)).isoformat(), "conversations": 10, "failed": 5} for w in range(52)
        ],
    }  # fmt: skip
    for name, values in (("avoided", avoided), ("confirmed", CONFIRMED)):
        row |= {f"{name}_since{side}": value for side, value in zip(("", "_low", "_high"), values, strict=True)}
    return row | changed


def test_all_of_a_recent_fix_falls_into_the_quarter() -> None:
    """Conversations, hours and money agree, and what is not confirmed is assumed."""
    row = quarter_worth(fix(date(2024, 6, 2)), END, HANDLING)
    assert row["conversations"] == pytest.approx(40)
    assert row["avoided_conversations"] == pytest.approx(20)
    assert (row["avoided_hours"], row["avoided_cost"]) == (pytest.approx(4.0), pytest.approx(120.0))
    assert (row["confirmed_hours"], row["assumed_hours"]) == (pytest.approx(1.6), pytest.approx(2.4))
    assert row["avoided_cost_low"] == pytest.approx(120 - hypot(8 * 6, 20 * 0.3 * 1.96))
    assert (row["hours_before"], row["hours_expected"], row["hours_after"]) == pytest.approx((1.6, 1.4, 0.4))


def test_only_the_quarters_part_of_an_old_fix_counts() -> None:
    """A fix of 26 weeks ago: half of what it avoided was in the last 13."""
    row = quarter_worth(fix(date(2023, 12, 31)), END, HANDLING)
    assert row["conversations"] == pytest.approx(130)
    assert row["avoided_conversations"] == pytest.approx(10)
    assert row["avoided_conversations_high"] == pytest.approx(13)


def test_the_sum_has_what_did_harm_and_leaves_out_what_flatters() -> None:
    """A fix that made it worse counts; one that nobody decided on, or that shares its conversations, does not."""
    day = date(2024, 6, 2)
    rows = [
        fix(day),
        fix(day, (-5.0, -9.0, -1.0), verdict="worse"),
        fix(day, credited=True),
        fix(day, counted_with="g-0"),
        fix(day, conversations_after=0),
    ]
    total = total_worth([quarter_worth(row, END, HANDLING) for row in rows])
    assert total["fixes"] == 2
    assert total["avoided_conversations"] == pytest.approx(15)
    assert total["avoided_conversations_low"] == pytest.approx(15 - hypot(8, 4))
    assert total["avoided_cost"] == pytest.approx(total["confirmed_cost"] + total["assumed_cost"])


@given(st.floats(-20, 50), st.floats(0, 20), st.floats(0, 20), st.integers(1, 300))
def test_intervals_hold_their_figure(middle: float, below: float, above: float, days: int) -> None:
    """Of everything that is told, whatever was avoided and whenever it was fixed."""
    avoided = (middle, middle - below, middle + above)
    row = quarter_worth(fix(END - timedelta(days=days), avoided), END, HANDLING)
    for name in (f"{part}_{unit}" for part in ("avoided", "confirmed", "assumed") for unit in ("hours", "cost")):
        assert row[f"{name}_low"] <= row[name] + 1e-9
        assert row[name] <= row[f"{name}_high"] + 1e-9


def test_the_page_says_what_is_confirmed_and_what_is_assumed() -> None:
    """Money, hours and intervals; a title from outside is text, and without handling times no hours are made up."""
    unknown = HandlingTime(float("nan"), float("nan"), 7.5, 0.0)
    run = {"settings": {"report": {"company": "Birk & Co"}, "accuracy": {"confidence": 0.95}}}
    pages = []
    for handling in (HANDLING, unknown):
        row = quarter_worth(fix(date(2024, 6, 2), title="<b>Customs</b>"), END, handling)
        pages.append(render_worth(pd.DataFrame([row | {"quarter_end": "2024-06-30", "currency": "EUR"}]), run))
    assert "€\u202f120" in pages[0]
    assert "4.0 h" in pages[0]
    assert "1.6 h a week on these topics as they were before" in pages[0]
    assert "Birk &amp; Co" in pages[0]
    assert "&lt;b&gt;Customs" in pages[0]
    assert "€\u202f150" in pages[1]
    assert "a week on these topics" not in pages[1]
