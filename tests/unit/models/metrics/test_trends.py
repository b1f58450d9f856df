"""Trends and surges are found where they are, and hardly where nothing but luck is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.metrics.trends import adjusted, least_p, rate_trend, surge


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


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 90)), min_size=1, max_size=30))
def test_no_trend_is_clearer_than_its_number_of_events_allows(weeks: list[tuple[int, int]]) -> None:
    """However the events lie, the p-value is not below the least that so many could give."""
    counts, exposure = ([week[i] for week in weeks] for i in (0, 1))
    counts = [count if offered else 0 for count, offered in zip(counts, exposure, strict=True)]
    assert rate_trend(counts, exposure).p_value >= least_p(sum(counts), exposure) - 1e-12


def test_tests_that_could_not_come_out_are_left_out() -> None:
    """With none left out the p-values are Benjamini and Hochberg's; one that can't come out weakens no other."""
    assert adjusted([0.01, 0.02, 0.9], [0.0, 0.0, 0.0]) == pytest.approx([0.03, 0.03, 0.9])
    assert adjusted([0.01, 0.02, 0.9, 0.3], [0.0, 0.0, 0.0, 0.04]) == pytest.approx([0.03, 0.03, 0.9, 1.0])
    assert adjusted([0.04], [0.06]).tolist() == [1.0]
    assert adjusted([], []).size == 0


def test_a_surge_is_found_with_its_first_day() -> None:
    """Seven days of thrice the usual counts are a surge that began on their first day."""
    rng = np.random.default_rng(2)
    days = np.concatenate([rng.poisson(4, 49), rng.poisson(14, 7)])
    surge_of_days = surge(days, last=7)
    assert surge_of_days.p_value < 1e-4
    assert surge_of_days.ratio > 2
    assert surge_of_days.started == 49


def test_usual_weeks_are_no_surge() -> None:
    """Of ordinary last weeks about 5 % at most have a p-value under 0.05; what never came before may come once."""
    rng = np.random.default_rng(4)
    p_values = np.array([surge(rng.poisson(3, 12)).p_value for _ in range(3000)])
    assert (p_values < 0.05).mean() < 0.06
    assert surge([0, 0, 0, 0, 1]).p_value > 0.05
    assert surge([4, 40]).p_value == 1.0
