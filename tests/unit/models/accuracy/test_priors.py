"""The chance that an answer failed is learned from few, biased and erring tags."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lacuna.models.accuracy.priors import SITUATIONS, TAG_TRUST, failure_chance, guess_on_topic, situation

COLUMNS = ("escalated", "fallbacks", "cited_first", "csat", "outcome", "sample")


def facts(*rows: tuple[object, ...]) -> pd.DataFrame:
    """Conversations by :data:`COLUMNS`."""
    kinds = {"csat": "float64", "outcome": "str", "sample": "str"}
    return pd.DataFrame(list(rows), columns=list(COLUMNS)).astype(kinds)


def deployment(seed: int, n: int = 3000) -> tuple[pd.DataFrame, np.ndarray]:
    """A made-up bot: what became of each conversation, and whether its answer had failed."""
    rng = np.random.default_rng(seed)
    failed = rng.random(n) < 0.45
    nothing = failed & (rng.random(n) < 0.4)
    escalated = rng.random(n) < np.where(failed, 0.85, 0.08)
    csat = np.where(rng.random(n) < 0.3, np.where(failed, 1 + 2 * rng.random(n), 3.5 + 1.5 * rng.random(n)), np.nan)
    tagged = rng.random(n) < np.where(escalated, 0.4, 0.05)
    outcomes = np.where(np.where(rng.random(n) < TAG_TRUST, failed, ~failed), "wrong", "correct")
    frame = pd.DataFrame(
        {
            "escalated": escalated,
            "fallbacks": nothing.astype(int),
            "cited_first": pd.array([None if no else "kb-1" for no in nothing], dtype="str"),
            "csat": csat,
            "outcome": pd.array(np.where(tagged, outcomes, None), dtype="str"),
            "sample": pd.array(["escalated" if e else "random" for e in escalated], dtype="str"),
        }
    )
    return frame, failed


@pytest.mark.parametrize("seed", range(3))
def test_chances_are_calibrated(seed: int) -> None:
    """Where the chance says a third, a third failed; and it tells failures from successes."""
    frame, failed = deployment(seed)
    chance = failure_chance(frame).to_numpy()
    for low, high in ((0, 0.2), (0.2, 0.5), (0.8, 0.95), (0.95, 1)):
        here = (chance >= low) & (chance <= high)
        if here.sum() > 100:
            assert failed[here].mean() == pytest.approx(chance[here].mean(), abs=0.08)
    assert -np.mean(np.log(np.where(failed, chance, 1 - chance))) < 0.35


def test_the_first_situation_that_holds_counts() -> None:
    """No answer is graver than an escalation, and an escalation than a good mark."""
    rows = facts(
        (True, 1, None, 5.0, None, None),
        (True, 1, "kb-1", 5.0, None, None),
        (True, 0, "kb-1", None, None, None),
        (False, 0, "kb-1", 5.0, None, None),
        (False, 0, "kb-1", 1.0, None, None),
        (False, 0, "kb-1", None, None, None),
    )
    assert situation(rows).tolist() == list(SITUATIONS)
    assert failure_chance(rows).tolist() == pytest.approx([0.97, 0.5, 0.85, 0.05, 0.6, 0.2])


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.booleans(), st.integers(0, 2), st.sampled_from([None, "kb-1"]), st.sampled_from([None, 1.0, 3.0, 5.0]),
            st.sampled_from([None, "correct", "partial", "wrong", "no_answer", "misclassified"]),
            st.sampled_from([None, "random", "escalated", "feedback"]),
        ),
        min_size=1,
        max_size=30,
    )
)  # fmt: skip
def test_a_tag_moves_the_chance_its_way(rows: list[tuple[object, ...]]) -> None:
    """Every chance lies between 0 and 1; a tag of failure never lowers it, a tag of success never raises it."""
    frame = facts(*rows)
    chance = failure_chance(frame)
    assert chance.between(0, 1).all()
    untagged = failure_chance(frame.assign(sample="feedback"))  # learned from nothing, each tag still weighed
    bare = failure_chance(frame.assign(outcome=pd.Series([None] * len(frame), dtype="str")))
    bad, good = frame["outcome"].isin(["wrong", "no_answer", "misclassified"]), frame["outcome"].eq("correct")
    assert (untagged[bad] >= bare[bad]).all()
    assert (untagged[good] <= bare[good]).all()
    assert (chance[frame["outcome"].eq("partial")] >= 0.5).all()


def test_complaints_teach_nothing_about_others() -> None:
    """Tags by feedback leave the chance of untagged conversations alone."""
    quiet = (False, 0, "kb-1", None, None, None)
    angry = [(False, 0, "kb-1", None, "wrong", "feedback")] * 30
    assert failure_chance(facts(quiet, *angry)).iloc[0] == failure_chance(facts(quiet)).iloc[0]


def test_success_tells_what_a_citation_was_about() -> None:
    """Citations that match their question are told from lucky ones by success alone."""
    rng = np.random.default_rng(0)
    about = rng.random(600) < 0.5
    match = np.where(about, 1.5, 0.0) + rng.normal(size=600)
    success = rng.random(600) < np.where(about, 0.95, 0.3)
    weight, off_topic = guess_on_topic(pd.DataFrame({"match": match}), success.astype(float))
    assert weight[about].mean() > weight[~about].mean() + 0.2
    assert 0.5 < off_topic < 0.8
