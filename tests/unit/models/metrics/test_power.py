"""How many more it takes until something can be told: the rule is met about as often as promised, and never before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.metrics.power import more_until_enough, more_until_excess, more_until_verdict
from lacuna.models.topics.failure_tree import excess
from tests.worlds.thin_worlds import EVIDENCE, thin_topics


@pytest.mark.parametrize(("rate", "base", "seen"), [(0.5, 0.25, 8), (0.7, 0.4, 8), (0.4, 0.25, 16)])
def test_what_was_foretold_comes_about(rate: float, base: float, seen: int) -> None:
    """Four of five topics are decided after as many conversations as were foretold, should their rate go on."""
    told = thin_topics(rate, base, seen, times=300)
    assert told.cases > 80
    assert 0.75 <= told.as_observed <= 0.95
    assert told.in_truth >= 0.75  # these topics do fail more than usual


@given(st.integers(0, 30), st.integers(1, 30), st.floats(0.05, 0.6))
def test_nothing_more_is_needed_exactly_where_the_rule_holds(bad: int, more: int, base: float) -> None:
    """0 where the evidence is there, None where the topic fails no more than usual."""
    size = bad + more
    needed = more_until_excess(bad, size, base, EVIDENCE)
    assert (needed == 0) == (excess(bad, size, base) >= EVIDENCE)
    if bad / size <= base:
        assert needed is None


def test_clearer_cases_need_less() -> None:
    """The farther a rate lies above the usual one, the sooner it shows."""
    needed = [more_until_excess(bad, 20, 0.3, 5.0) for bad in (8, 10, 12)]
    assert needed == sorted(needed, key=lambda each: -(each or 0))
    assert more_until_enough(1, 0.2, 4) > more_until_enough(1, 0.6, 4)  # type: ignore[operator]
    assert more_until_enough(1, 0.0, 4) is None


def test_what_untouched_topics_do_is_not_outwaited() -> None:
    """An effect whose uncertainty lies in the comparison is never told by waiting; one that is merely thin is."""
    thin = more_until_verdict(-1.2, error=0.7, own_error=0.65, seen=12, target=-0.5, confidence=0.95)
    assert thin is not None
    assert 1 <= thin < 200
    assert more_until_verdict(-0.6, error=0.7, own_error=0.1, seen=12, target=-0.5, confidence=0.95) is None


def test_a_fix_is_decided_as_often_as_foretold() -> None:
    """The shift after as many more conversations, drawn anew: the interval leaves 0 out in about four of five draws."""
    seen, own, rest = 12, 0.6, 0.2
    more = more_until_verdict(-1.1, float(np.hypot(own, rest)), own, seen, -0.5, 0.95)
    assert more
    n = seen + more
    rng = np.random.default_rng(1)
    moved = -1.1 + rng.normal(0, own * np.sqrt(seen * more) / n, 4000)
    half = 1.96 * np.hypot(rest, own * np.sqrt(seen / n))
    assert np.mean((moved + half < 0) & (moved <= -0.5)) == pytest.approx(0.8, abs=0.03)
