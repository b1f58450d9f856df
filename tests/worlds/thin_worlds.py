"""Planted topics and fixes that are too thin to judge, and what more of the same brings."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import logit

from lacuna.models.impact.effect import Group, change_of
from lacuna.models.impact.fixes import verdict
from lacuna.models.metrics.power import more_until_excess, more_until_verdict
from lacuna.models.topics.failure_tree import excess
from tests.worlds.fix_worlds import LIMITS, Scenario, planted

EVIDENCE = 1.5  # as [diagnosis] excess_evidence


class Foretold(NamedTuple):
    """How many were undecided, and for how many of these it was foretold how many more it takes.

    Of those: the median of how many, and the share that were decided after as many, should the observed rate go on, and
    as the true one did; NaN without any.
    """

    undecided: int
    cases: int
    more: float
    as_observed: float
    in_truth: float


def thin_topics(rate: float, base: float, seen: int, times: int, seed: int = 1) -> Foretold:
    """Topics that fail at ``rate``, of which ``seen`` conversations show more failures than usual, but too few."""
    rng = np.random.default_rng(seed)
    undecided, more, observed, true = 0, [], [], []
    for _ in range(times):
        bad = int(rng.binomial(seen, rate))
        needed = more_until_excess(bad, seen, base, EVIDENCE)
        undecided += needed != 0 and bad / seen > base
        if not needed or needed > 1000:
            continue
        more.append(needed)
        for chance, decided in ((bad / seen, observed), (rate, true)):
            decided.append(excess(bad + rng.binomial(needed, chance), seen + needed, base) >= EVIDENCE)
    return _foretold(undecided, more, observed, true)


def early_fixes(scenario: Scenario, times: int, seed: int = 1) -> Foretold:
    """Fixes of which it is too early to tell; conversations come on at the observed rate, and at the true one."""
    rng = np.random.default_rng(seed)
    undecided, more, observed, true = 0, [], [], []
    for turn in range(times):
        groups, fixed, drop = planted(scenario, rng)
        group, others = groups[fixed], groups[:fixed] + groups[fixed + 1 :]
        change = change_of(group, others, seed=turn)
        n = int(group.n_after)
        if n < LIMITS.least_conversations or verdict(change, n, 7 * scenario.after, LIMITS)[0] != "too early":
            continue
        undecided += 1
        error = (change.shift_high - change.shift_low) / (2 * 1.959964)
        target = float(logit(change.expected * (1 - LIMITS.drop_at_least)) - logit(change.expected))
        needed = more_until_verdict(change.shift, error, change.error, n, target, 0.95)
        if not needed:
            continue
        more.append(needed)
        without = change.expected  # what the fixed topic would have come to, as far as anybody can tell
        for chance, decided in ((change.after, observed), (without * (1 - drop), true)):
            failed = float(rng.binomial(needed, min(max(chance, 0.0), 1.0)))
            later = _after(group, n + needed, group.total_after + failed)
            settled = verdict(change_of(later, others, seed=turn), n + needed, 84, LIMITS)[0]
            decided.append(settled != "too early")
    return _foretold(undecided, more, observed, true)


def _foretold(undecided: int, more: list[int], observed: list[bool], true: list[bool]) -> Foretold:
    if not more:
        return Foretold(undecided, 0, np.nan, np.nan, np.nan)
    return Foretold(undecided, len(more), float(np.median(more)), float(np.mean(observed)), float(np.mean(true)))


def _after(group: Group, n: float, total: float) -> Group:
    return replace(group, n_after=n, total_after=total, squares_after=total)
