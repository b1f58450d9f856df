"""The KPIs follow their definitions, by week and segment, and never invent what isn't known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.intervals import mean_interval, wilson
from models.kpis import COLUMNS, weekly_kpis

COST = SimpleNamespace(currency="EUR", per_escalation=7.5, agent_hour=36.0)
WEEK = "2024-06-24"


def facts_of(count: int, **columns: Any) -> pd.DataFrame:
    """Facts of ``count`` conversations of one week that nobody escalated, with the given columns put over them."""
    given: dict[str, Any] = {"conversation_id": [f"c{i:04d}" for i in range(count)], "week": WEEK, "escalated": False}
    return pd.DataFrame(given | columns)


def row_of(facts: pd.DataFrame, segment: str = "all") -> pd.Series:
    """The single week's row of one segment."""
    kpis = weekly_kpis(facts, COST)
    return kpis[kpis["segment"] == segment].iloc[0]


def test_eight_hundred_users_and_two_hundred_tickets_are_three_quarters_deflected() -> None:
    """Deflection is one less tickets by users, users counted once however often they come."""
    facts = facts_of(1000, escalated=[i < 200 for i in range(1000)], customer_id=[f"u{i % 800}" for i in range(1000)])
    row = row_of(facts)
    assert (row["self_service_users"], row["tickets"], row["deflection"]) == (800, 200, 0.75)


def test_a_conversation_without_customer_is_a_user_of_its_own() -> None:
    """Two conversations without customer_id are two users; one that the bot never answered is none."""
    facts = facts_of(4, customer_id=["u1", "u1", None, None], answered=[True, True, True, False])
    assert row_of(facts)["self_service_users"] == 2


def test_more_tickets_than_users_is_no_deflection() -> None:
    """Deflection never falls below nought."""
    facts = facts_of(3, escalated=True, customer_id="u1")
    assert row_of(facts)["deflection"] == 0.0


def test_silence_is_neither_success_nor_failure() -> None:
    """Confirmed, abandoned and silent are kept apart; evidence against goes first; escalated ones are none of them."""
    facts = facts_of(
        10,
        resolved=pd.array([True, None, None, False, None, None, None, None, True, True], dtype="boolean"),
        outcome=[None, "correct", None, None, "wrong", None, None, None, "wrong", None],
        csat=[np.nan, np.nan, 5, 5, np.nan, 1, np.nan, 3, np.nan, np.nan],
        abandoned=[False] * 6 + [True] + [False] * 3,
        escalated=[False] * 9 + [True],
    )
    row = row_of(facts)
    assert row["deflection_confirmed"] == pytest.approx(0.3)
    assert row["abandoned"] == pytest.approx(0.5)
    assert row["silent"] == pytest.approx(0.1)
    assert row["escalation_ratio"] == pytest.approx(0.1)


def test_the_escalation_ratio_has_wilsons_interval() -> None:
    """Seven of forty escalated: the ratio and its published interval."""
    row = row_of(facts_of(40, escalated=[i < 7 for i in range(40)]))
    low, high = wilson(7, 40)
    assert row["escalation_ratio"] == 0.175
    assert (row["escalation_ratio_low"], row["escalation_ratio_high"]) == pytest.approx((float(low), float(high)))


def test_random_audits_go_before_other_tags() -> None:
    """Five random tags are enough to leave the biased ones out; with four, all count and the row says so."""
    outcomes = ["correct"] * 4 + ["wrong"] * 6
    audited = row_of(facts_of(10, outcome=outcomes, sample=["random"] * 5 + ["escalated"] * 5))
    mixed = row_of(facts_of(10, outcome=outcomes, sample=["random"] * 4 + ["escalated"] * 6))
    assert (audited["resolution_accuracy"], audited["resolution_accuracy_n"]) == (0.8, 5)
    assert audited["resolution_accuracy_basis"] == "random"
    assert (mixed["resolution_accuracy"], mixed["resolution_accuracy_n"]) == (0.4, 10)
    assert mixed["resolution_accuracy_basis"] == "all tags"


def test_self_service_csat_leaves_escalated_conversations_out() -> None:
    """Only ratings of conversations without a human count, with Student's interval inside the scale."""
    ratings = [5.0, 4.0, 4.0, 2.0, np.nan, 1.0]
    row = row_of(facts_of(6, csat=ratings, escalated=[False] * 5 + [True]))
    mean, low, _ = mean_interval(ratings[:4])
    assert (row["csat_self_service"], row["csat_self_service_n"]) == (mean, 4)
    assert row["csat_self_service_low"] == pytest.approx(low)
    assert row["csat_self_service_high"] == 5.0


def test_cost_comes_from_handling_times_where_they_are_known() -> None:
    """Two confirmed conversations avoid twice ten minutes at 36 an hour, or twice the flat rate."""
    known = facts_of(
        3, resolved=[True, True, False], escalated=[False, False, True], handle_seconds=[np.nan, 9e9, 600.0]
    )
    row = row_of(known)
    assert (row["handle_seconds_mean"], row["cost_avoided"], row["currency"]) == (600.0, 12.0, "EUR")
    assert row_of(known.drop(columns="handle_seconds"))["cost_avoided"] == 15.0


def test_what_is_unknown_is_missing_and_nothing_is_divided_by_nought() -> None:
    """Without tags, ratings or answers the figures are NaN, and counts are nought."""
    with np.errstate(all="raise"):
        row = row_of(facts_of(3, answered=False))
    unknown = ["deflection", "deflection_confirmed", "silent", "abandoned", "resolution_accuracy", "csat_self_service"]
    assert row[unknown].isna().all()
    assert row["resolution_accuracy_n"] == row["csat_self_service_n"] == row["cost_avoided"] == 0
    assert weekly_kpis(facts_of(0), COST).columns.tolist() == COLUMNS


def test_small_segments_are_left_out_and_weeks_stay_apart() -> None:
    """A segment needs twenty conversations in all; rows come in order of segment and week, "all" first."""
    facts = facts_of(45, product=["lamp"] * 25 + ["desk"] * 19 + [None], language="de")
    facts["week"] = ["2024-06-17", WEEK] * 22 + [WEEK]
    kpis = weekly_kpis(facts.sample(frac=1, random_state=3), COST)
    assert list(zip(kpis["segment"], kpis["week"], kpis["conversations"], strict=True)) == [
        ("all", "2024-06-17", 22),
        ("all", WEEK, 23),
        ("language:de", "2024-06-17", 22),
        ("language:de", WEEK, 23),
        ("product:lamp", "2024-06-17", 13),
        ("product:lamp", WEEK, 12),
    ]


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "escalated": st.booleans(),
            "answered": st.booleans(),
            "abandoned": st.booleans(),
            "resolved": st.sampled_from([True, False, None]),
            "outcome": st.sampled_from(["correct", "partial", "wrong", "no_answer", "misclassified", None]),
            "sample": st.sampled_from(["random", "escalated", None]),
            "csat": st.sampled_from([1.0, 3.0, 5.0, np.nan]),
            "customer_id": st.sampled_from(["u1", "u2", None]),
            "week": st.sampled_from(["2024-06-17", WEEK]),
        }
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=80, deadline=None)
@given(ROWS)
def test_the_parts_add_up(rows: list[dict[str, Any]]) -> None:
    """In every week the shares lie in [0, 1], fit inside their intervals, and the parts of the answered ones add up."""
    facts = pd.DataFrame(rows).assign(conversation_id=[f"c{i}" for i in range(len(rows))])
    facts["resolved"] = facts["resolved"].astype("boolean")
    kpis = weekly_kpis(facts, COST)
    assert kpis["conversations"].sum() == len(facts)
    answered = facts[facts["answered"]].groupby("week")
    escalated = answered["escalated"].mean()
    for _, row in kpis.iterrows():
        shares = row[["deflection", "deflection_confirmed", "silent", "abandoned", "escalation_ratio"]].dropna()
        assert shares.between(0, 1).all()
        if row["week"] in escalated.index:
            parts = row["deflection_confirmed"] + row["silent"] + row["abandoned"] + escalated[row["week"]]
            assert parts == pytest.approx(1.0)
        for figure in ("escalation_ratio", "resolution_accuracy"):
            if not np.isnan(row[figure]):
                assert row[f"{figure}_low"] <= row[figure] <= row[f"{figure}_high"]
