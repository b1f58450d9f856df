"""The effect of a fix: the interval holds the truth, and what would have come by itself is not credited."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lacuna.models.impact.effect import Group, change_of
from tests.worlds.fix_worlds import FIXES, WORLDS, before_and_after, differences, judged

TIMES = 60


@pytest.mark.parametrize(
    "name",
    ["topics drift far", "a good season", "demand falls by itself", "only a week was bad before"],
)
def test_what_comes_by_itself_is_not_credited(name: str) -> None:
    """Season, falling demand, drift and the way back to the mean: the interval holds 0, and hardly any is verified."""
    covered, verdicts = judged(WORLDS[name], TIMES)
    assert covered >= 0.86  # three standard errors below 0.95
    assert verdicts["verified"] <= 0.05


@pytest.mark.parametrize("name", ["the fix works", "it works in a bad season"])
def test_a_fix_that_works_is_verified(name: str) -> None:
    """The interval holds the true effect, and most such fixes are verified within four weeks; none is called worse."""
    covered, verdicts = judged(FIXES[name], TIMES)
    assert covered >= 0.86
    assert verdicts["verified"] >= 0.6
    assert verdicts["worse"] == 0


def test_simpler_ways_are_misled() -> None:
    """Before and after alone, and plain difference in differences, miss the truth far too often in these worlds."""
    assert judged(WORLDS["only a week was bad before"], TIMES, before_and_after)[0] < 0.88
    assert judged(WORLDS["a good season"], TIMES, differences)[0] < 0.6


def test_without_a_topic_to_compare_with_the_interval_is_wider() -> None:
    """One group alone can still be measured; how far it may change by itself is then not known."""
    fixed = Group(60, 48, 48, 60, 9, 9)
    others = [Group(200, 40 + i, 40 + i, 200, 40 + i, 40 + i) for i in range(20)]
    alone, compared = change_of(fixed, []), change_of(fixed, others)
    assert alone.drop_low > 0
    assert alone.shift_high - alone.shift_low > 1.5 * (compared.shift_high - compared.shift_low)


def test_what_came_after_other_fixes_says_nothing() -> None:
    """A topic that was fixed too is no measure of what comes by itself, whatever became of it."""
    fixed, others = Group(60, 48, 48, 60, 9, 9), [Group(50, 10, 10, 50, 10, 10)] * 5
    other = Group(60, 48, 48, 60, 9, 9)
    first = change_of(fixed, others, [other])
    assert first == change_of(fixed, others, [replace(other, n_after=10, total_after=10, squares_after=10)])
    assert first != change_of(fixed, [*others, other])


def test_a_chance_in_between_counts_as_less_unsure_than_yes_or_no() -> None:
    """Outcomes that are chances vary less than yes and no, and the interval is narrower for it."""
    others = [Group(80, 16, 16, 80, 16, 16)] * 8
    sure, unsure = Group(60, 42, 42 * 0.8, 60, 12, 12 * 0.25), Group(60, 42, 42, 60, 12, 12)
    narrow, wide = (change_of(group, others) for group in (sure, unsure))
    assert narrow.drop_high - narrow.drop_low < wide.drop_high - wide.drop_low


counts = st.tuples(st.integers(0, 200), st.floats(0, 1)).map(lambda pair: (pair[0], round(pair[0] * pair[1])))
groups = st.tuples(counts, counts).map(lambda g: Group(*(float(g[i][j]) for i in (0, 1) for j in (0, 1, 1))))


@settings(max_examples=30)
@given(fixed=groups, others=st.lists(groups, max_size=12), seed=st.integers(0, 99))
def test_any_counts_give_an_ordered_interval(fixed: Group, others: list[Group], seed: int) -> None:
    """Low, middle and high are in order and finite, and the order of the other groups does not matter."""
    change = change_of(fixed, others, seed=seed)
    for name in ("drop", "fewer", "shift"):
        low, middle, high = (getattr(change, f"{name}{side}") for side in ("_low", "", "_high"))
        assert np.isfinite([low, middle, high]).all()
        assert low <= middle <= high
    assert change_of(fixed, others[::-1], seed=seed).drop == pytest.approx(change.drop, abs=0.02)
