"""Fixes in the order of a lot: the order itself, and the effect that it gives, in queues whose effect is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.impact.random_order import QueuedGap, out_of_turn, stepped_wedge, suggested_order
from tests.worlds.queue_worlds import QUEUES, effects_of, queued


@given(st.sets(st.text(min_size=1, max_size=6), min_size=2, max_size=12), st.integers(0, 99))
def test_two_gaps_keep_their_order_whatever_else_is_queued(gaps: set[str], seed: int) -> None:
    """Whoever is taken out of the queue, or comes into it, changes nothing between the others."""
    every = suggested_order(gaps, seed)
    fewer = suggested_order(sorted(gaps)[1:], seed)
    assert sorted(fewer, key=lambda gap: every[gap]) == sorted(fewer, key=lambda gap: fewer[gap])
    assert sorted(every.values()) == list(range(1, len(gaps) + 1))


def test_the_planted_effect_is_found_and_held() -> None:
    """A fix by which 35 of 100 answers fail less, and one that does nothing."""
    for name in ("a fix works", "a fix does nothing"):
        found = effects_of(QUEUES[name], times=8)
        effect = QUEUES[name].effect
        assert np.mean([each.fewer for each in found]) == pytest.approx(effect, abs=0.05)
        assert sum(each.low <= effect <= each.high for each in found) >= 7


def test_gaps_that_heal_by_themselves_are_not_credited_to_the_lots_fixes() -> None:
    """By lot, nothing is found; where the writers choose those that heal, the same comparison is deceived."""
    lot, chosen = (
        np.mean([each.fewer for each in effects_of(QUEUES[name], times=8)])
        for name in (
            "nothing, and half of them heal by themselves",
            "the same, but the writers choose those first",
        )
    )
    assert abs(lot) < 0.08
    assert chosen > 0.15


def test_what_was_fixed_out_of_turn_is_named() -> None:
    """The queue keeps its order, until somebody takes the last one first."""
    gaps = queued(QUEUES["few gaps"], seed=1)
    assert out_of_turn(gaps, seed=1) == []
    order = suggested_order([gap.gap_id for gap in gaps], seed=1)
    last = max(gaps, key=lambda gap: order[gap.gap_id])
    jumped = [replace(gap, fixed=gap.accepted) if gap is last else gap for gap in gaps]
    assert out_of_turn(jumped, seed=1) == [last.gap_id]


def test_without_a_fixed_gap_beside_a_waiting_one_nothing_is_said() -> None:
    """All wait, all are fixed at once, or there are none."""
    n, failed = np.full(10, 5.0), np.full(10, 3.0)
    waits = [QueuedGap(f"g-{i}", 3, None, n, failed) for i in range(4)]
    assert stepped_wedge(waits) is None
    assert stepped_wedge([replace(gap, fixed=5) for gap in waits]) is None
    assert stepped_wedge([]) is None
