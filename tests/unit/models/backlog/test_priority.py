"""Gaps are ranked by what closing them would avoid, with intervals that hold and bands that say how sure it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lacuna.models.backlog.priority import FIXABLE, rank_gaps, reach_of

RANKED = ["rank", "rank_low", "rank_high", "score", "score_low", "score_high", "demand", "p_fail", "p_fixable"]
RANKED += ["failure_rate", "failure_low", "failure_high"]


def gap(name: str, reached: float, failed: float, kind: str = "missing", probability: float = 0.9) -> dict[str, Any]:
    """One gap as diagnose writes it."""
    return {"gap_id": name, "kind": kind, "probability": probability, "reached": reached, "failed": failed}


def ranked(*gaps: dict[str, Any], weeks: float = 4.0, seed: int = 7) -> pd.DataFrame:
    """The gaps in order, by gap_id."""
    return rank_gaps(pd.DataFrame(list(gaps)), weeks, 0.95, seed).set_index("gap_id")


def test_a_gap_of_several_topics_is_reached_by_the_healthy_conversations_of_each() -> None:
    """Two of a gap's topics hold three healthy conversations; all lower its failure rate, others' do not."""
    facts = pd.DataFrame(
        {
            "subtopic_id": ["t-a", "t-a", "t-b", "t-b", "t-b", "t-c", None, "t-b"],
            "cited_first": [None, "kb-1", None, "kb-1", None, "kb-9", "kb-9", None],
            "in_window": [True] * 7 + [False],
            "p_failed": [1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        },
        index=[f"c-{i}" for i in range(8)],
    )
    missing = {"subtopics": ["t-a", "t-b"], "article_id": None, "conversation_ids": ["c-0", "c-2"]}
    stale = {"subtopics": ["t-c"], "article_id": "kb-9", "conversation_ids": ["c-6"]}
    reach = reach_of(pd.DataFrame([missing, stale]), facts)
    assert reach["reached"].tolist() == [5.0, 2.0]
    assert reach["failed"].tolist() == [2.0, 1.0]


GAPS = st.lists(
    st.tuples(st.integers(0, 300), st.floats(0, 1), st.sampled_from(sorted(FIXABLE)), st.floats(0, 1)),
    min_size=1,
    max_size=8,
).map(lambda rows: [gap(f"g-{i}", float(n), n * share, kind, p) for i, (n, share, kind, p) in enumerate(rows)])


def test_the_score_is_demand_by_failure_by_what_an_article_mends() -> None:
    """40 conversations in 4 weeks of which half fail, surely missing: 10 × 0.5 × 0.7."""
    row = ranked(gap("g", 40, 20, probability=1.0)).loc["g"]
    assert (row["demand"], row["p_fail"], row["p_fixable"]) == (10.0, 0.5, 0.7)
    assert row["score"] == pytest.approx(3.5)


def test_a_planted_order_is_found() -> None:
    """More conversations, more failure and a surer verdict each put a gap first, all else the same."""
    assert ranked(gap("a", 10, 5), gap("b", 40, 20)).index[0] == "b"
    assert ranked(gap("a", 40, 8), gap("b", 40, 30)).index[0] == "b"
    assert ranked(gap("a", 40, 20, probability=0.3), gap("b", 40, 20)).index[0] == "b"


def test_gaps_far_apart_have_sure_ranks_and_twins_have_not() -> None:
    """A gap fifty times as large is first for sure; two alike share each other's ranks."""
    far = ranked(gap("big", 500, 400), gap("small", 10, 2))
    assert far.loc["big", ["rank", "rank_low", "rank_high"]].tolist() == [1, 1, 1]
    twins = ranked(gap("one", 40, 20), gap("two", 40, 20))
    assert (twins["rank_low"] == 1).all()
    assert (twins["rank_high"] == 2).all()


@settings(max_examples=40)
@given(GAPS)
def test_every_figure_lies_in_its_interval(gaps: list[dict[str, Any]]) -> None:
    """Ranks are 1 to n, once each, by score; every score, rate and rank is within its bounds, and none is negative."""
    ranking = ranked(*gaps)
    assert ranking["rank"].tolist() == list(range(1, len(gaps) + 1))
    assert ranking["score"].is_monotonic_decreasing
    for name in ("score", "rank"):
        assert (ranking[f"{name}_low"] <= ranking[name]).all()
        assert (ranking[name] <= ranking[f"{name}_high"]).all()
    assert (ranking["failure_low"] <= ranking["failure_rate"]).all()
    assert (ranking["failure_rate"] <= ranking["failure_high"]).all()
    assert ranking[RANKED].notna().all(axis=None)
    assert (ranking[RANKED] >= 0).all(axis=None)
    assert (ranking["failure_high"] <= 1).all()
    assert (ranking["rank_high"] <= len(gaps)).all()


@settings(max_examples=20)
@given(GAPS, st.integers(0, 2**32 - 1))
def test_a_gap_s_score_does_not_depend_on_the_others_or_their_order(gaps: list[dict[str, Any]], seed: int) -> None:
    """Scores and their intervals are the same alone, in company and in another order; the same seed gives the same."""
    together, backwards = ranked(*gaps, seed=seed), ranked(*gaps[::-1], seed=seed)
    assert together.equals(backwards)
    alone = ranked(gaps[0], seed=seed).loc[gaps[0]["gap_id"]]
    columns = ["score", "score_low", "score_high", "failure_low", "failure_high"]
    assert alone[columns].tolist() == together.loc[gaps[0]["gap_id"], columns].tolist()


def test_more_data_narrows_the_interval() -> None:
    """The same rates from ten times the weeks are surer."""
    little = ranked(gap("g", 20, 10), weeks=2).loc["g"]
    much = ranked(gap("g", 200, 100), weeks=20).loc["g"]
    assert much["score"] == pytest.approx(little["score"])
    assert much["score_high"] - much["score_low"] < little["score_high"] - little["score_low"]
    assert much["failure_high"] - much["failure_low"] < little["failure_high"] - little["failure_low"]


def test_the_failure_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Of 300 worlds with a known failure rate, about 95 % have it within the interval."""
    rng = np.random.default_rng(3)
    truth = rng.uniform(0.1, 0.9, 300)
    gaps = [gap(f"g-{i:03d}", 40.0, float(rng.binomial(40, rate))) for i, rate in enumerate(truth)]
    ranking = ranked(*gaps).sort_index()
    covered = (ranking["failure_low"].to_numpy() <= truth) & (truth <= ranking["failure_high"].to_numpy())
    assert 0.91 <= covered.mean() <= 0.99


def test_a_verdict_without_any_certainty_avoids_nothing() -> None:
    """A probability of 0 gives a score of 0, not an error."""
    row = ranked(gap("g", 40, 20, probability=0.0)).loc["g"]
    assert (row["score"], row["p_fixable"]) == (0.0, 0.0)


def test_more_failures_than_conversations_is_a_rate_of_one() -> None:
    """Chances added up may exceed the count; the rate never exceeds 1."""
    assert ranked(gap("g", 3, 5)).loc["g", "failure_rate"] == 1.0


def test_no_gap_gives_an_empty_table_with_every_column() -> None:
    """A quiet week has the same columns as any other."""
    empty = pd.DataFrame({name: [] for name in gap("g", 1, 1)})
    table = rank_gaps(empty, 4.0, 0.95, 7)
    assert table.empty
    assert set(RANKED) <= set(table.columns)
