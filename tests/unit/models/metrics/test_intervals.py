"""Intervals hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from lacuna.models.metrics.intervals import wilson

PAIRS = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(PAIRS, st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_agrees_with_statsmodels_and_holds_the_share(pair: tuple[int, int], confidence: float) -> None:
    """Wilson's interval is the published one, lies in [0, 1] and covers the observed share."""
    successes, n = pair
    low, high = wilson(successes, n, confidence)
    expected = proportion_confint(successes, n, 1 - confidence, "wilson")
    assert (float(low), float(high)) == pytest.approx(expected, abs=1e-9)
    assert 0 <= low <= successes / n <= high <= 1


@given(PAIRS)
def test_wilson_narrows_with_more_and_widens_with_fewer_effective_observations(pair: tuple[int, int]) -> None:
    """Ten times the data narrows the interval; weights that waste data widen it."""
    successes, n = pair
    low, high = wilson(successes, n)
    more_low, more_high = wilson(successes * 10, n * 10)
    weak_low, weak_high = wilson(successes, n, effective=n / 2)
    assert more_high - more_low < high - low < weak_high - weak_low


def test_without_observations_there_is_no_interval() -> None:
    """No data gives NaN, never a division by zero."""
    with np.errstate(all="raise"):
        low, high = wilson([0, 1], [0, 2])
    assert np.isnan([low[0], high[0]]).all()
    assert not np.isnan(low[1])


def test_wilson_covers_the_truth_as_often_as_promised() -> None:
    """Over many draws the 95 % interval holds the true share 93 to 97 times in a hundred."""
    rng = np.random.default_rng(7)
    for truth in (0.1, 0.5, 0.85):
        low, high = wilson(rng.binomial(40, truth, 20_000), 40)
        assert 0.93 <= ((low <= truth) & (truth <= high)).mean() <= 0.97
