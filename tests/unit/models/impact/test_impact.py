"""Did it work? Which conversations count, what a verdict needs, and what was saved."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lacuna.models.impact.effect import Change
from lacuna.models.impact.fixes import Fix, Limits, main_articles, measure, totals, verdict, weekly

LIMITS = Limits(before_days=56, after_days=84, least_days=14, least_conversations=10, drop_at_least=0.3)
DAY = date(2024, 7, 1)
LAST = DAY + timedelta(days=28)


def world(rates: dict[str, tuple[float, float]], each: int = 3, days: tuple[int, int] = (-42, 28)) -> pd.DataFrame:
    """Conversations of topics with a failure rate before and after ``DAY``, ``each`` a day."""
    rng = np.random.default_rng(3)
    rows = []
    for topic, (before, after) in rates.items():
        for away in range(*days):
            for _ in range(each):
                failed = bool(rng.random() < (before if away < 0 else after))
                day = DAY + timedelta(days=away)
                monday = day - timedelta(days=day.weekday())
                rows.append(
                    (day, monday.isoformat(), topic, f"kb-{topic}", float(failed), failed, not failed and away % 2 == 0)
                )
    columns = ["day", "week", "subtopic_id", "cited_first", "p_failed", "escalated", "confirmed"]
    facts = pd.DataFrame(rows, columns=columns).astype({"subtopic_id": "str", "cited_first": "str"})
    return facts.assign(day=pd.to_datetime(facts["day"]))


OTHERS = {f"h{i}": (0.2, 0.2) for i in range(8)}
FIX = Fix("g-1", "missing", DAY, ("bad",))


def measured(facts: pd.DataFrame, fix: Fix = FIX, touched: tuple[str, ...] = (), last: date = LAST) -> dict[str, Any]:
    return measure(facts, fix, touched, last, LIMITS, unit_cost=10.0)


def test_a_fix_that_works_saves_conversations_and_money() -> None:
    """Failures fall from 85 to 10 %: verified, and what was avoided splits into confirmed and silent."""
    effect = measured(world({"bad": (0.85, 0.1), **OTHERS}))
    assert effect["verdict"] == "verified"
    assert effect["avoided_weekly_low"] < 21 * 0.7 < effect["avoided_weekly_high"] + 2
    assert effect["avoided_cost"] == pytest.approx(10 * effect["avoided_since"])
    assert effect["confirmed_since"] + effect["assumed_since"] == pytest.approx(effect["avoided_since"])
    assert 0 < effect["confirmed_since"] < effect["avoided_since"]
    assert effect["compared"] == 8


def test_a_fix_without_effect_saves_nothing_sure() -> None:
    """Failures stay: no effect, and the interval of what was avoided holds 0."""
    effect = measured(world({"bad": (0.85, 0.85), **OTHERS}))
    assert effect["verdict"] == "no effect"
    assert effect["avoided_since_low"] <= 0 <= effect["avoided_since_high"]


def test_a_fix_that_harms_is_told() -> None:
    """Failures rise from 30 to 80 %: worse."""
    assert measured(world({"bad": (0.3, 0.8), **OTHERS}))["verdict"] == "worse"


def test_what_falls_everywhere_is_not_the_fix_s() -> None:
    """All topics fall alike, as in a good season: nothing is verified."""
    better = {f"h{i}": (0.5, 0.15) for i in range(8)}
    assert measured(world({"bad": (0.6, 0.25), **better}))["verdict"] != "verified"
    assert measured(world({"bad": (0.6, 0.25), **OTHERS}))["verdict"] == "verified"


def test_a_verdict_takes_time() -> None:
    """A week after the fix, or with a handful of conversations, it is too early, and the reason says why."""
    facts = world({"bad": (0.85, 0.1), **OTHERS})
    soon = measured(facts, last=DAY + timedelta(days=6))
    assert (soon["verdict"], soon["days_after"]) == ("too early", 6)
    assert "6 days" in soon["why"]
    few = measured(facts[~(facts["subtopic_id"].eq("bad") & facts["day"].gt(pd.Timestamp(DAY + timedelta(days=2))))])
    assert few["verdict"] == "too early"
    assert "6 conversations" in few["why"]
    assert measured(facts[facts["day"] >= pd.Timestamp(DAY)])["why"].startswith("No conversation of before")


def test_the_day_itself_and_what_came_before_the_gap_count_for_neither_side() -> None:
    """Conversations of the day of the fix, and those before the article went stale, are left out."""
    facts = world({"bad": (0.85, 0.1), **OTHERS})
    full_effect = measured(facts)
    assert full_effect["conversations_before"] == 42 * 3
    assert full_effect["conversations_after"] == 27 * 3
    late = measured(facts, Fix("g-1", "stale", DAY, ("bad",), "kb-bad", since=DAY - timedelta(days=10)))
    assert late["conversations_before"] == 30


def test_an_article_s_gap_is_met_wherever_it_is_cited() -> None:
    """Conversations count by citation too, but for an unfindable article, which is cited more once it is found."""
    facts = world({"bad": (0.85, 0.1), **OTHERS})
    stale = measured(facts, Fix("g-1", "stale", DAY, ("bad",), "kb-h0"))
    unfindable = measured(facts, Fix("g-1", "unfindable", DAY, ("bad",), "kb-h0"))
    assert stale["conversations_before"] == 2 * unfindable["conversations_before"]


def test_touched_topics_are_no_comparison() -> None:
    """Topics that something else was done about are not compared with, and the count says so."""
    facts = world({"bad": (0.6, 0.25), **OTHERS})
    assert measured(facts, touched=("h0", "h1"))["compared"] == 6


def test_the_order_of_the_rows_does_not_matter() -> None:
    """Shuffled conversations give the same figures."""
    facts = world({"bad": (0.85, 0.1), **OTHERS})
    shuffled = facts.sample(frac=1, random_state=1).reset_index(drop=True)
    assert measured(facts) == measured(shuffled)
    assert weekly(facts, FIX, ()) == weekly(shuffled, FIX, ())


def test_weeks_show_the_gap_beside_the_others() -> None:
    """One entry a week, with counts of the gap and the share that failed in untouched topics."""
    weeks = weekly(world({"bad": (1.0, 0.0), **OTHERS}), FIX, ("h0",))
    assert [entry["conversations"] for entry in weeks] == [21] * 10
    assert [entry["failed"] for entry in weeks] == [21.0] * 6 + [0.0] * 4
    assert all(0.05 < entry["compared"] < 0.4 for entry in weeks)


def test_main_articles_are_those_cited_often() -> None:
    """A topic whose citations are spread has none."""
    facts = pd.DataFrame(
        {"subtopic_id": ["a"] * 4 + ["b"] * 4, "cited_first": ["x", "x", "y", None, "p", "q", "r", "s"]}
    )
    assert main_articles(facts, 0.35) == {"a": "x"}


def saving(avoided: float, half: float, **other: Any) -> dict[str, Any]:
    row = {"conversations_before": 10, "conversations_after": 10, "counted_with": None, "avoided_weekly": avoided / 4}
    for name, value in (("avoided", avoided), ("confirmed", avoided / 2), ("assumed", avoided / 2)):
        row |= {f"{name}_since": value, f"{name}_cost": 2 * value}
    for side, sign in (("low", -1), ("high", 1)):
        row |= {f"avoided_since_{side}": avoided + sign * half, f"avoided_cost_{side}": 2 * (avoided + sign * half)}
    return row | other


def test_totals_add_up_every_measured_fix_once() -> None:
    """Failures count against the total, the unmeasured and the doubly counted do not, and intervals add in squares."""
    rows = [saving(40, 3), saving(-4, 4), saving(99, 1, counted_with="g-1"), saving(99, 1, conversations_after=0)]
    rows[1]["counted_with"] = float("nan")
    sums = totals(rows)
    assert (sums["fixes"], sums["avoided"], sums["cost"]) == (2, 36, 72)
    assert (sums["avoided_low"], sums["avoided_high"]) == (31, 41)
    assert sums["confirmed"] + sums["assumed"] == sums["avoided"]
    assert totals([])["fixes"] == 0


@pytest.mark.parametrize(
    ("drop", "low", "high", "expected"),
    [
        (0.7, 0.5, 0.9, "verified"),
        (0.2, 0.1, 0.4, "too early"),
        (0.6, -0.1, 0.9, "too early"),
        (0.05, -0.2, 0.25, "no effect"),
        (0.2, 0.1, 0.28, "no effect"),
        (-0.5, -0.9, -0.1, "worse"),
    ],
)
def test_verdicts_ask_for_a_sure_and_a_large_fall(drop: float, low: float, high: float, expected: str) -> None:
    """Verified is sure and large; no effect is surely not large; in between it is too early."""
    change = Change(0.8, 0.3, 0.8, drop, low, high, 0, 0, 0, 0, 0, 0)
    outcome, why = verdict(change, 50, 28, LIMITS)
    assert outcome == expected
    assert "%" in why
