"""The KPIs follow their definitions, by week and segment, and never invent what isn't known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.weightstats import DescrStatsW

from lacuna.models.accuracy.kpis import COLUMNS, weekly_kpis
from lacuna.models.accuracy.outcome_model import Chances
from lacuna.models.metrics.intervals import wilson

COST = SimpleNamespace(currency="EUR", per_escalation=7.5, agent_hour=36.0)
WEEK = "2024-06-24"


def facts_of(count: int, **columns: Any) -> pd.DataFrame:
    """Facts of ``count`` conversations of one week that nobody escalated, with the given columns put over them."""
    defaults: dict[str, Any] = {
        "conversation_id": [f"c{i:04d}" for i in range(count)],
        "week": WEEK,
        "escalated": False,
    }
    return pd.DataFrame(defaults | columns)


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
    assert row["confirmed_resolution"] == pytest.approx(0.3)
    assert row["abandoned"] == pytest.approx(0.5)
    assert row["assumed_resolution"] == pytest.approx(0.1)
    assert row["escalation_ratio"] == pytest.approx(0.1)


def test_the_escalation_ratio_has_wilsons_interval() -> None:
    """Seven of forty escalated: the ratio and its published interval."""
    row = row_of(facts_of(40, escalated=[i < 7 for i in range(40)]))
    low, high = wilson(7, 40)
    assert row["escalation_ratio"] == 0.175
    assert (row["escalation_ratio_low"], row["escalation_ratio_high"]) == pytest.approx((float(low), float(high)))


def test_accuracy_is_estimated_for_all_answers_and_not_for_the_tagged_alone() -> None:
    """Tags on escalated conversations do not drag the week's accuracy down to theirs."""
    escalated = np.arange(200) < 50
    right = np.full(200, np.nan)
    right[:40], right[50:65] = 0.0, 1.0
    facts = facts_of(200, escalated=escalated, right=right, tag_sample=None)
    kpis = weekly_kpis(facts, COST, chances=Chances(np.where(escalated, 0.1, 0.9), None))
    row = kpis.iloc[0]
    assert row["resolution_accuracy_n"] == 55
    assert row["resolution_accuracy_basis"] == "all"
    assert row["resolution_accuracy_low"] < 0.75 < row["resolution_accuracy_high"]
    assert row["resolution_accuracy"] > 0.65


def contacts(*days: int, topic: str | list[str] = "t-1", solved: bool | list[bool | None] = True) -> pd.DataFrame:
    """One customer's conversations on these days of June, and somebody else's on the 30th."""
    start = [pd.Timestamp("2024-06-01", tz="UTC") + pd.Timedelta(days=day - 1) for day in (*days, 30)]
    n = len(days)
    frame = facts_of(n + 1, started_at=start, customer_id=["u1"] * n + ["u2"])
    frame["topic_id"] = [*([topic] * n if isinstance(topic, str) else topic), "t-9"]
    frame["resolved"] = pd.array([*([solved] * n if isinstance(solved, bool) else solved), None], dtype="boolean")
    return frame


def first_contacts(frame: pd.DataFrame) -> tuple[float, int]:
    """First-contact resolution and how many first contacts are known."""
    row = row_of(frame)
    return row["first_contact_resolution"], row["first_contact_resolution_n"]


def test_who_comes_back_was_not_helped_the_first_time() -> None:
    """A return within a week undoes a success, is no first contact itself, and another topic is another problem."""
    assert first_contacts(contacts(3, 6)) == (0.0, 1)
    assert first_contacts(contacts(3, 12)) == (1.0, 2)
    assert first_contacts(contacts(3, 6, topic=["t-1", "t-2"])) == (1.0, 2)
    assert first_contacts(contacts(3, solved=False)) == (0.0, 1)


def test_silence_and_the_last_week_are_not_first_contact_resolutions() -> None:
    """Nothing known is not counted, nor what is too recent for a return, whichever way it went."""
    assert first_contacts(contacts(3, solved=[None]))[1] == 0
    assert first_contacts(contacts(26))[1] == 0
    assert first_contacts(contacts(26, solved=False))[1] == 0


def test_deflection_has_the_interval_of_a_ratio_over_customers() -> None:
    """In repeated draws of customers, 95 % intervals of deflection hold the true share about 95 times in 100."""
    rng = np.random.default_rng(5)
    n_covered = 0
    for _ in range(30):
        times = rng.integers(1, 4, 150)
        users = np.repeat(np.arange(150), times)
        row = row_of(facts_of(len(users), customer_id=[f"u{u}" for u in users], escalated=rng.random(len(users)) < 0.2))
        n_covered += row["deflection_low"] <= 0.6 <= row["deflection_high"]
    assert n_covered >= 25


def test_self_service_csat_leaves_escalated_conversations_out() -> None:
    """Only ratings of conversations without a human count, with Student's interval inside the scale."""
    ratings = [5.0, 4.0, 4.0, 2.0, np.nan, 1.0]
    row = row_of(facts_of(6, csat=ratings, escalated=[False] * 5 + [True]))
    low, _ = DescrStatsW(ratings[:4]).tconfint_mean(0.05)
    assert (row["csat_self_service"], row["csat_self_service_n"]) == (3.75, 4)
    assert row["csat_self_service_low"] == pytest.approx(low)
    assert row["csat_self_service_high"] == 5.0


def test_cost_comes_from_handling_times_where_they_are_known() -> None:
    """Two confirmed conversations avoid twice ten minutes at 36 an hour, or twice the flat rate."""
    facts = facts_of(
        3, resolved=[True, True, False], escalated=[False, False, True], handle_seconds=[np.nan, 9e9, 600.0]
    )
    row = row_of(facts)
    assert (row["handle_seconds_mean"], row["cost_avoided"], row["currency"]) == (600.0, 12.0, "EUR")
    assert row_of(facts.drop(columns="handle_seconds"))["cost_avoided"] == 15.0


def test_what_is_unknown_is_missing_and_nothing_is_divided_by_nought() -> None:
    """Without tags, ratings or answers the figures are NaN, and counts are nought."""
    with np.errstate(all="raise"):
        row = row_of(facts_of(3, answered=False))
    unknown = [
        "first_contact_resolution",
        "cost_avoided",
        "deflection",
        "confirmed_resolution",
        "assumed_resolution",
        "abandoned",
        "resolution_accuracy",
        "csat_self_service",
    ]
    assert row[unknown].isna().all()
    assert row["resolution_accuracy_n"] == row["csat_self_service_n"] == 0
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


@pytest.mark.slow
@settings(max_examples=80)
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
        shares = row[
            ["deflection", "confirmed_resolution", "assumed_resolution", "abandoned", "escalation_ratio"]
        ].dropna()
        assert shares.between(0, 1).all()
        if row["week"] in escalated.index:
            parts = row["confirmed_resolution"] + row["assumed_resolution"] + row["abandoned"] + escalated[row["week"]]
            assert parts == pytest.approx(1.0)
        for figure in (
            "deflection", "confirmed_resolution", "assumed_resolution", "abandoned", "escalation_ratio", "cost_avoided",
        ):  # fmt: skip
            if not np.isnan(row[figure]):
                if np.isnan(row[f"{figure}_low"]):  # one customer alone tells of no spread
                    assert figure == "deflection"
                    continue
                assert row[f"{figure}_low"] <= row[figure] <= row[f"{figure}_high"]
