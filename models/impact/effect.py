"""Did a rate fall more than it would have by itself? One group that was changed, against groups that nobody touched.

A gap is picked because it is bad, and what is bad by luck gets better by itself. So the group is not compared with its
own past alone, but with what untouched groups as bad as it was came to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy.special import expit, log_expit

from lacuna.models.arrays import F64

__all__ = ["Change", "Group", "change_of"]


DRAWS = 4000
# How far groups lie apart and how far they drift, in log-odds: what is tried, and what is thought likely beforehand
# (half-normal with these standard deviations; Röver et al. 2021 for rates that are compared).
SPREADS, SPREAD_PRIOR = np.geomspace(0.1, 3.0, 12), 1.5
DRIFTS, DRIFT_PRIOR = np.geomspace(0.03, 1.5, 14), 0.5
# The group that was picked may lie far outside of the others: its variance as a multiple of theirs, and how likely.
OUTSIDE, OUTSIDE_PRIOR = (1.0, 4.0, 16.0), (0.8, 0.15, 0.05)
LEVEL_PRIOR, COMMON_PRIOR = 3.0, 0.5  # of the groups' mean log-odds, and of the change that all share


@dataclass(frozen=True)
class Group:
    """What happened in a group of conversations, before and after a day.

    ``n`` counts conversations, ``total`` adds up the outcome (0 to 1) over them, ``squares`` its squares (for a
    yes-or-no outcome the same as ``total``).
    """

    n_before: float
    total_before: float
    squares_before: float
    n_after: float
    total_after: float
    squares_after: float


@dataclass(frozen=True)
class Change:
    """How a group's rate changed, beyond what would have come by itself.

    Parameters
    ----------
    before, after
        The observed rates; NaN where there is no conversation.
    expected
        The rate that an untouched group as bad as this one would have come to (median).
    drop, drop_low, drop_high
        Relative fall against the expected rate, with its interval: 0.6 says that of ten failures six are gone;
        negative where it rose.
    fewer, fewer_low, fewer_high
        The same as a difference of rates: per conversation, so many fewer.
    shift, shift_low, shift_high
        The same in log-odds, in which the groups are compared; negative where the rate fell.
    error
        The part of its standard error that is the sampling error of what came after, and gets smaller by waiting.
    """

    before: float
    after: float
    expected: float
    drop: float
    drop_low: float
    drop_high: float
    fewer: float
    fewer_low: float
    fewer_high: float
    shift: float
    shift_low: float
    shift_high: float
    error: float = np.nan


def change_of(
    group: Group, untouched: Sequence[Group], touched: Sequence[Group] = (), confidence: float = 0.95, seed: int = 0
) -> Change:
    """Measure how a group's rate changed against groups that nobody touched.

    Parameters
    ----------
    group
        What was changed.
    untouched
        Groups to compare with, over the same days. With none, the interval says how far a rate may change by itself.
    touched
        Other groups that were changed: how they were before says how bad groups are, what came after says nothing.
    confidence
        Coverage of the intervals.
    seed
        Of the draws that the intervals are read from.

    Returns
    -------
    Change

    Notes
    -----
    Difference in differences with partial pooling. In log-odds, every group has a level of its own, drawn from a
    normal distribution (standard deviation s; wider tails for the one that was picked), around which its rates
    before and after lie at random (τ apart); all groups may move together (m1 − m0); what is observed adds the
    sampling error of each rate. The means m0 and m1 are integrated out in closed form, s and τ over a grid. Given
    how bad the group was before, this predicts where it would have come untouched: what all share is taken off
    (season, a new bot); so is the way back to the mean of a group that was picked because it was bad (a prediction
    given the data is not biased by a choice that was made on these data: Dawid 1994, "Selection paradoxes of
    Bayesian inference"); and the interval is as wide as untouched groups' changes are (the prediction interval of
    Higgins, Thompson and Spiegelhalter 2009). `docs/impact.md` has its coverage in planted worlds.

    Examples
    --------
    >>> fixed = Group(60, 48, 48, 60, 9, 9)
    >>> others = [Group(50, 10 + i, 10 + i, 50, 11 + i, 11 + i) for i in range(8)]
    >>> change = change_of(fixed, others)
    >>> change.drop_low > 0.5, round(change.after, 2)
    (True, 0.15)
    """
    groups = [group, *touched, *untouched]
    z0, v0 = _log_odds([(g.n_before, g.total_before, g.squares_before) for g in groups])
    z1, v1 = _log_odds([(g.n_after, g.total_after, g.squares_after) for g in groups])
    after, error = float(z1[0]), float(v1[0])
    v1[: 1 + len(touched)] = np.inf
    weights, means, variances = _expected(z0, v0, z1, v1)
    rng = np.random.default_rng(seed)
    cell = rng.choice(len(weights), DRAWS, p=weights)
    expected = means[cell] + np.sqrt(variances[cell]) * rng.standard_normal(DRAWS)
    got = after + np.sqrt(error) * rng.standard_normal(DRAWS)
    return replace(_summary(group, expected, got, confidence), error=float(np.sqrt(error)))


def _log_odds(counts: Sequence[tuple[float, float, float]]) -> tuple[F64, F64]:
    """Log-odds of each rate and their sampling variance; a half success and a half failure keep both finite."""
    n, total, squares = np.array(counts, dtype=float).T + np.array([[1.0], [0.5], [0.5]])
    share = total / n
    per_one = np.maximum(squares / n - share**2, 0.02 * share * (1 - share))
    return np.log(share / (1 - share)), per_one / n / (share * (1 - share)) ** 2


def _expected(z0: F64, v0: F64, z1: F64, v1: F64) -> tuple[F64, F64, F64]:
    """The first group's expected rate without the fix: weight, mean and variance of each normal of a mixture.

    A group with infinite ``v1`` has no after.
    """
    prior = np.linalg.inv(LEVEL_PRIOR**2 * np.ones((2, 2)) + COMMON_PRIOR**2 * np.diag([0.0, 1.0]))
    measured = np.isfinite(v1)
    later = np.where(measured, z1, 0.0)
    logs, means, variances = [], [], []
    for spread, drift, (outside, chance) in product(SPREADS, DRIFTS, zip(OUTSIDE, OUTSIDE_PRIOR, strict=True)):
        if drift >= spread:
            continue
        # Each group's covariance is [[a, shared], [shared, d]], and its inverse [[p00, p01], [p01, p11]].
        square = spread**2 * np.append(outside, np.ones(len(z0) - 1))
        shared = square - drift**2 / 2
        a, d = square + v0, square + np.where(measured, v1, 0.0)
        det = np.where(measured, a * d - shared**2, a)
        p00, p01, p11 = (
            np.where(measured, d / det, 1 / a),
            np.where(measured, -shared / det, 0),
            np.where(measured, a / det, 0),
        )
        precision = prior + np.array([[p00.sum(), p01.sum()], [p01.sum(), p11.sum()]])
        pull = np.array([(p00 * z0 + p01 * later).sum(), (p01 * z0 + p11 * later).sum()])
        cover = np.linalg.inv(precision)
        centre = cover @ pull
        fit = (p00 * z0**2 + 2 * p01 * z0 * later + p11 * later**2).sum() - pull @ centre
        likely = -0.5 * (np.log(det).sum() + fit + np.log(np.linalg.det(precision)))
        believed = np.log(chance) - 0.5 * ((spread / SPREAD_PRIOR) ** 2 + (drift / DRIFT_PRIOR) ** 2)
        # The grid is even in the logarithm: a cell is as wide as its values.
        logs.append(likely + believed + np.log(spread * drift))
        slope = shared[0] / a[0]
        lean = np.array([-slope, 1.0])
        means.append(centre[1] + slope * (z0[0] - centre[0]))
        variances.append(square[0] - shared[0] * slope + lean @ cover @ lean)
    weight = np.exp(np.array(logs) - max(logs))
    return weight / weight.sum(), np.array(means), np.array(variances)


def _summary(group: Group, expected: F64, got: F64, confidence: float) -> Change:
    """Medians and intervals of the draws (log-odds), as rates too."""
    sides = [(1 - confidence) / 2, 0.5, (1 + confidence) / 2]

    def interval(values: F64) -> tuple[float, float, float]:
        low, middle, high = (float(x) for x in np.quantile(values, sides))
        return middle, low, high

    return Change(
        group.total_before / group.n_before if group.n_before else np.nan,
        group.total_after / group.n_after if group.n_after else np.nan,
        float(np.median(expit(expected))),
        *interval(1 - np.exp(log_expit(got) - log_expit(expected))),
        *interval(expit(expected) - expit(got)),
        *interval(got - expected),
    )
