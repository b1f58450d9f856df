"""Answer accuracy from few and biased tags: the estimator, the model, the pooling, and whether intervals hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lacuna.models.accuracy.groups import group_accuracy
from lacuna.models.accuracy.outcome_model import (
    Chances,
    calibration,
    chance_right,
    features,
    known_outcomes,
    tag_weights,
)
from lacuna.models.accuracy.prediction_powered import powered_mean
from tests.bench.coverage import deployment, estimated

# What ppi-python 0.2.3 gives for these (ppi_mean_pointestimate, and half of ppi_mean_ci by 1.96).
OBSERVED = [1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1]
PREDICTED = [0.9, 0.3, 0.8, 0.7, 0.4, 0.6, 0.9, 0.8, 0.1, 0.7, 0.9, 0.5]
ELSEWHERE = [0.9, 0.8, 0.2, 0.6, 0.7, 0.9, 0.95, 0.4, 0.3, 0.85, 0.75, 0.65, 0.5, 0.9, 0.1, 0.6]


def test_the_powered_mean_is_that_of_the_reference() -> None:
    """Mean, error and power agree with ppi-python to the last digits that it was run for."""
    estimate = powered_mean(OBSERVED, PREDICTED, ELSEWHERE)
    assert estimate.mean == pytest.approx(0.7483731019522777, rel=1e-12)
    assert estimate.error == pytest.approx((0.93831698 - 0.55842922) / 2 / 1.959963984540054, rel=1e-7)
    assert estimate.power == pytest.approx(0.7809110629067244, rel=1e-12)
    assert powered_mean(OBSERVED, PREDICTED, []).mean == np.mean(OBSERVED)


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=2, max_size=40), st.lists(st.floats(0, 1), max_size=40)
)
def test_tuned_predictions_never_widen_the_error_much(tagged: list[tuple[bool, float]], elsewhere: list[float]) -> None:
    """The power lies in [0, 1], and a useless model costs next to nothing against the plain mean."""
    observed, predicted = [float(y) for y, _ in tagged], [f for _, f in tagged]
    tuned, untuned = powered_mean(observed, predicted, elsewhere), powered_mean(observed, predicted, elsewhere, power=0)
    assert 0 <= tuned.power <= 1
    assert tuned.error <= untuned.error * 1.05 + 1e-9


@pytest.mark.parametrize(("audited", "escalated_too"), [(0.2, 0.0), (0.05, 0.3), (0.01, 0.05), (0.0, 0.3), (0.0, 0.0)])
def test_intervals_hold_the_truth_whatever_is_tagged(audited: float, escalated_too: float) -> None:
    """Of the 95 % intervals at least 91 % hold the true share, with many tags, few, biased ones and none."""
    table = pd.concat([estimated(deployment(seed, audited, escalated_too)) for seed in range(4)])
    assert table["truth"].between(table["low"], table["high"]).mean() >= 0.91
    if audited == 0.05:  # the plain interval on the tags as they come holds far less often
        assert table["truth"].between(table["plain_low"], table["plain_high"]).mean() < 0.8
    bases = set(table.loc[table["n_tagged"] > 0, "basis"])
    assert bases <= ({"escalated only"} if audited == 0 else {"all", "pooled"})
    assert set(table.loc[table["n_tagged"] == 0, "basis"]) <= {"estimated"}


def test_chances_are_out_of_fold_and_calibrated() -> None:
    """Where the model says a third, a third of the tags that it had not seen say so; and it knows good from bad."""
    deployed = deployment(3, 0.2, 0.3)
    facts = deployed.facts.merge(known_outcomes(deployed.outcomes), how="left", on="conversation_id")
    right, escalated = facts["right"].to_numpy(dtype=float), facts["escalated"].to_numpy(dtype=bool)
    chances = chance_right(features(facts), right, escalated)
    bands = calibration(chances.chance, right, escalated)
    assert (bands["predicted"] - bands["observed"]).abs().max() < 0.12
    assert chances.chance[deployed.right].mean() > chances.chance[~deployed.right].mean() + 0.3
    untagged = np.isnan(right)
    assert chances.chance[untagged].mean() == pytest.approx(deployed.right[untagged].mean(), abs=0.05)


def test_a_tag_by_chance_goes_before_one_that_was_chosen() -> None:
    """A random audit speaks for a conversation that was also tagged as escalated; customers speak for themselves."""
    rows = [
        ("c1", "wrong", "escalated"),
        ("c1", "correct", "random"),
        ("c2", "wrong", "feedback"),
        ("c3", "partial", None),
    ]
    outcomes = known_outcomes(pd.DataFrame(rows, columns=["conversation_id", "outcome", "sample"]))
    by_id = outcomes.set_index("conversation_id")
    assert (by_id["right"]["c1"], by_id["sample"]["c1"]) == (1.0, "random")
    assert np.isnan(by_id["right"]["c2"])
    assert by_id["feedback"]["c2"] == 0.0
    assert (by_id["right"]["c3"], by_id["sample"]["c3"]) == (0.0, "unknown")


def test_a_tag_speaks_for_as_many_as_are_like_it() -> None:
    """One of two escalated conversations tagged, one of four others: weights two and four."""
    right = np.array([0.0, np.nan, 1.0, np.nan, np.nan, np.nan])
    assert tag_weights(right, np.array([True, True, False, False, False, False])).tolist() == [2, 0, 4, 0, 0, 0]


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from([0.0, 1.0, None]), st.floats(0, 1), st.booleans()),
        min_size=1,
        max_size=60,
    )
)
def test_any_tags_give_a_share_within_its_interval(rows: list[tuple[str | None, float | None, float, bool]]) -> None:
    """Accuracy lies in its interval and that in [0, 1], and holds what the tags leave possible; order is no matter."""
    frame = pd.DataFrame(rows, columns=["group", "right", "chance", "escalated"])
    chance = frame["chance"].clip(0.01, 0.99).to_numpy()
    right, escalated = frame["right"].to_numpy(dtype=float), frame["escalated"].to_numpy(dtype=bool)
    group = frame["group"].astype("str")
    accuracy = group_accuracy(group, right, Chances(chance, None), escalated, ~np.isnan(right))
    assert ((accuracy["low"] >= 0) & (accuracy["low"] <= accuracy["accuracy"] + 1e-12)).all()
    assert ((accuracy["high"] <= 1) & (accuracy["high"] >= accuracy["accuracy"] - 1e-12)).all()
    assert accuracy["conversations"].sum() == frame["group"].notna().sum()
    back = slice(None, None, -1)
    again = group_accuracy(
        group[back].reset_index(drop=True),
        right[back],
        Chances(chance[back], None),
        escalated[back],
        ~np.isnan(right[back]),
    )
    pd.testing.assert_frame_equal(accuracy, again)
