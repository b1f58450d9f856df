"""Intervals hold what they promise, pooling pools, and trends and surges are found where they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from models.intervals import beta_binomial_pool, mean_interval, poisson_rate_interval, rate_trend, surge, wilson

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
        rate, rate_low, rate_high = poisson_rate_interval(3, 0)
    assert np.isnan([low[0], high[0]]).all()
    assert not np.isnan(low[1])
    assert np.isnan([rate, rate_low, rate_high]).all()
    assert np.isnan(mean_interval([np.nan])).all()
    assert mean_interval([4.0])[0] == 4.0
    assert np.isnan(mean_interval([4.0])[1])


def test_wilson_covers_the_truth_as_often_as_promised() -> None:
    """Over many draws the 95 % interval holds the true share 93 to 97 times in a hundred."""
    rng = np.random.default_rng(7)
    for truth in (0.1, 0.5, 0.85):
        low, high = wilson(rng.binomial(40, truth, 20_000), 40)
        assert 0.93 <= ((low <= truth) & (truth <= high)).mean() <= 0.97


@given(st.lists(PAIRS, min_size=1, max_size=12))
def test_pooled_means_lie_inside_their_intervals(pairs: list[tuple[int, int]]) -> None:
    """Every pooled mean is a proportion between its bounds, whatever the counts."""
    successes, trials = zip(*pairs, strict=True)
    mean, low, high = beta_binomial_pool(successes, trials)
    assert np.isfinite(mean).all()
    assert ((low >= 0) & (low <= mean) & (mean <= high) & (high <= 1)).all()


def test_few_trials_borrow_strength_and_many_keep_their_own() -> None:
    """A group of two trials moves to the common share; a group of a thousand stays where it is."""
    mean, low, high = beta_binomial_pool([90, 88, 92, 0, 500, 0], [100, 100, 100, 2, 1000, 0])
    assert mean[3] > 0.25
    assert mean[4] == pytest.approx(0.5, abs=0.01)
    assert high[3] - low[3] > high[4] - low[4]
    assert 0.4 < mean[5] < 0.95


def test_groups_of_one_share_are_pooled_almost_wholly() -> None:
    """Where all groups draw from one share, pooled means spread far less than the raw ones."""
    rng = np.random.default_rng(3)
    successes = rng.binomial(10, 0.7, 60)
    mean, _, _ = beta_binomial_pool(successes, np.full(60, 10))
    assert mean.std() < 0.35 * (successes / 10).std()


def test_pooled_intervals_cover_the_truth_as_often_as_promised() -> None:
    """Groups drawn from a Beta distribution are covered by their 95 % intervals about 95 times in a hundred."""
    rng = np.random.default_rng(11)
    hits = []
    for _ in range(60):
        truth = rng.beta(6, 3, 40)
        trials = rng.integers(1, 25, 40)
        _, low, high = beta_binomial_pool(rng.binomial(trials, truth), trials)
        hits.append((low <= truth) & (truth <= high))
    assert 0.92 <= np.mean(hits) <= 0.98


def test_rate_and_mean_intervals_cover_the_truth() -> None:
    """Exact Poisson intervals cover at least, t intervals about, 95 times in a hundred."""
    rng = np.random.default_rng(5)
    _, low, high = poisson_rate_interval(rng.poisson(2.5 * 4, 20_000), 4.0)
    assert ((low <= 2.5) & (high >= 2.5)).mean() >= 0.95
    means = np.array([mean_interval(row) for row in rng.normal(3.0, 1.0, (4000, 6))])
    assert 0.93 <= ((means[:, 1] <= 3.0) & (means[:, 2] >= 3.0)).mean() <= 0.97


@given(st.integers(0, 10_000), st.floats(0.1, 1000))
def test_the_rate_lies_inside_its_interval(count: int, exposure: float) -> None:
    """Low, rate and high are in order."""
    rate, low, high = poisson_rate_interval(count, exposure)
    assert 0 <= low <= rate < high


@pytest.mark.parametrize(
    ("weeks", "direction"),
    [
        ([1, 2, 1, 3, 4, 6, 9, 11, 14, 13], "up"),
        ([20, 22, 18, 15, 12, 9, 5, 4], "down"),
        ([5, 7, 4, 6, 5, 6, 7, 5], "flat"),
        ([3, 9], "flat"),
        ([0, 0, 0, 0, 0], "flat"),
    ],
)
def test_a_trend_is_named(weeks: list[int], direction: str) -> None:
    """Rising, falling and level counts are told apart; two weeks make no trend."""
    trend = rate_trend(weeks)
    assert trend.direction == direction
    assert {"up": trend.ratio > 1.2, "down": trend.ratio < 0.8, "flat": True}[direction]


def test_more_conversations_overall_are_no_trend() -> None:
    """Counts that grow with the exposure are flat."""
    assert rate_trend([5, 10, 15, 20, 25, 30], [50, 100, 150, 200, 250, 300]).direction == "flat"


def test_level_topics_raise_few_false_trends() -> None:
    """Of topics without trend, also of bursty ones, about 5 % at most are called up or down."""
    rng = np.random.default_rng(13)
    level = [rate_trend(rng.poisson(4, 12)).direction != "flat" for _ in range(2000)]
    bursty = [rate_trend(rng.negative_binomial(2, 2 / 8, 12)).direction != "flat" for _ in range(2000)]
    assert np.mean(level) < 0.065
    assert np.mean(bursty) < 0.08


def test_a_surge_is_found_with_its_first_day() -> None:
    """Seven days of thrice the usual counts are a surge that began on their first day."""
    rng = np.random.default_rng(2)
    days = np.concatenate([rng.poisson(4, 49), rng.poisson(14, 7)])
    found = surge(days, last=7)
    assert found.p_value < 1e-4
    assert found.ratio > 2
    assert found.started == 49


def test_usual_weeks_are_no_surge() -> None:
    """Of ordinary last weeks about 5 % at most have a p-value under 0.05; what never came before may come once."""
    rng = np.random.default_rng(4)
    p_values = np.array([surge(rng.poisson(3, 12)).p_value for _ in range(3000)])
    assert (p_values < 0.05).mean() < 0.06
    assert surge([0, 0, 0, 0, 1]).p_value > 0.05
    assert surge([4, 40]).p_value == 1.0
