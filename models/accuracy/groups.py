"""Answer accuracy of many groups at once, where some have plenty of tags, most have few, and many have none."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from lacuna.models.accuracy.outcome_model import Chances
from lacuna.models.accuracy.prediction_powered import powered_mean
from lacuna.models.arrays import F64, Flags, Ints
from lacuna.models.metrics.intervals import wilson

ENOUGH_TAGS = 30  # in a group, for an estimate of its own …
ENOUGH_A_SIDE = 10  # … of which this many among its escalated conversations, and among the others
NEGLIGIBLE = 0.03  # a side with a smaller share of the group's conversations need not have them
UNTAGGED = 0.2  # prior standard deviation of a group's accuracy where there is no tag at all
COLUMNS = ["key", "conversations", "n_tagged", "sampled", "accuracy", "low", "high", "basis"]
# Grids over a group's deviation from the model in log-odds, the deviation that all groups share, and the spread of
# groups around it; and the scales of the priors of the last two (normal and half-normal).
_SHIFT = np.linspace(-4, 4, 121)
_COMMON = np.linspace(-1.2, 1.2, 25)
_SPREAD = np.linspace(0.02, 2.5, 26)
_COMMON_SCALE, _SPREAD_SCALE = 0.4, 1.0
_LEVELS = np.linspace(0.01, 0.99, 99)


def group_accuracy(
    group: pd.Series, right: F64, chances: Chances, escalated: Flags, random: Flags, confidence: float = 0.95
) -> pd.DataFrame:
    """The share of right answers in each group, with its interval and the basis of the estimate.

    A group with many tags gets an estimate of its own: prediction-powered means
    (:func:`models.accuracy.prediction_powered.powered_mean`) of its escalated and its other conversations, because
    reviewers tag the former more often, weighted by their numbers. A group with few tags is pooled: the model's chances
    are shifted, in log-odds, by what its own tags and those of all groups together make likely.

    Parameters
    ----------
    group
        Key of each conversation's group, (n,); null for none.
    right
        1 or 0 where a reviewer tagged the answer, else NaN, (n,).
    chances
        From :func:`models.accuracy.outcome_model.chance_right`.
    escalated, random
        Whether the conversation was escalated, and whether its tag is that of a random audit, (n,).

    Returns
    -------
    DataFrame
        One row a group, by key: conversations, n_tagged, sampled (int, tags of random audits), accuracy, low, high
        (float), basis. The basis is "all" (tags enough on both sides), "pooled" (few tags), "estimated" (no tag in the
        group), or "escalated only": nobody tagged a conversation that was not escalated, so that the figure says how
        often answers were right in escalated conversations, and nothing of the others.

    Notes
    -----
    The pooling is a random-intercept logistic model with the model's log-odds as offset, integrated over a grid
    (Gelman 2006 on the half-normal prior of the spread). Tags are assumed to be missing at random given the model's
    features, escalation included. The interval is Wilson's for the number of observations with the estimate's variance.
    It covers the share among these very conversations; for a group with many tags it covers the underlying rate, and
    is a little wider.
    """
    used = group.notna().to_numpy()
    codes, keys = pd.factorize(group[used], sort=True)
    if not len(keys):
        return pd.DataFrame(columns=COLUMNS)
    right, chance, escalated, random = right[used], chances.chance[used], escalated[used], random[used]
    tagged = ~np.isnan(right)
    blind = bool((tagged & escalated).any()) and not (tagged & ~escalated).any()
    size, labels = _count(codes, len(keys)), _count(codes[tagged], len(keys))
    basis = np.where(labels > 0, "escalated only" if blind else "pooled", "estimated").astype(object)
    looked_at = escalated if blind else np.ones(len(codes), dtype=bool)
    data = codes[looked_at], len(keys), right[looked_at]
    mean, variance = _pooled(*data, _in_context(*data, chance[looked_at]))
    if chances.drafts is not None:
        drafts = [_in_context(*data, draft[used][looked_at]) for draft in chances.drafts]
        variance += _unsure(codes[looked_at], len(keys), drafts)
    if blind:  # groups without a tag get the model's chances, with the variance of the prior
        dark = labels == 0
        mean[dark] = (np.bincount(codes, chance, len(keys)) / np.maximum(size, 1))[dark]
        variance[dark] = UNTAGGED**2
    elif not tagged.any():
        variance[:] = UNTAGGED**2
    for number in np.flatnonzero(labels >= ENOUGH_TAGS):
        rows = (codes == number) & looked_at
        sides = [side for side in (rows & escalated, rows & ~escalated) if side.sum() > NEGLIGIBLE * rows.sum()]
        if all((side & tagged).sum() >= ENOUGH_A_SIDE for side in sides):
            mean[number], variance[number] = _own(sides, right, chance)
            basis[number] = "escalated only" if blind else "all"
    n_looked_at = _count(codes[looked_at], len(keys))
    low, high = _interval(mean, variance, np.where(n_looked_at > 0, n_looked_at, size), confidence)
    table = pd.DataFrame(
        {
            "key": pd.array([str(key) for key in keys], dtype="str"),
            "conversations": size,
            "n_tagged": labels,
            "sampled": _count(codes[tagged & random], len(keys)),
            "accuracy": np.clip(mean, low, high),
            "low": low,
            "high": high,
            "basis": pd.array(basis, dtype="str"),
        }
    )
    return table[COLUMNS]


def _count(codes: Ints, groups: int) -> Ints:
    return np.bincount(codes, minlength=groups).astype(np.int64)


def _pooled(codes: Ints, groups: int, right: F64, chance: F64) -> tuple[F64, F64]:
    """Mean and variance of each group's accuracy from the model, its own tags and what the groups have in common."""
    level = np.clip(np.round(chance * 100).astype(int) - 1, 0, len(_LEVELS) - 1)

    def counted(rows: Flags) -> F64:
        flat = np.bincount(codes[rows] * len(_LEVELS) + level[rows], minlength=groups * len(_LEVELS))
        return flat.reshape(groups, len(_LEVELS)).astype(float)

    moved = expit(logit(_LEVELS)[:, None] + _SHIFT)
    log_likelihood = counted(right > 0.5) @ np.log(moved) + counted(right < 0.5) @ np.log1p(-moved)
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    common, spread = (axis.ravel() for axis in np.meshgrid(_COMMON, _SPREAD))
    prior = np.exp(-0.5 * ((_SHIFT - common[:, None]) / spread[:, None]) ** 2)
    prior /= prior.sum(axis=1, keepdims=True)
    evidence = np.maximum(likelihood @ prior.T, 1e-300)
    log_weight = np.log(evidence).sum(axis=0)
    log_weight -= 0.5 * (common / _COMMON_SCALE) ** 2 + 0.5 * (spread / _SPREAD_SCALE) ** 2
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    shift = likelihood * ((weight / evidence) @ prior)
    shift /= shift.sum(axis=1, keepdims=True)
    untagged, n_right = counted(np.isnan(right)), np.bincount(codes, np.nan_to_num(right), groups)
    size = np.maximum(_count(codes, groups), 1)[:, None]
    share = (n_right[:, None] + untagged @ moved) / size
    mean = (shift * share).sum(axis=1)
    variance = (shift * share**2).sum(axis=1) - mean**2
    luck = (shift * (untagged @ (moved * (1 - moved)))).sum(axis=1) / size[:, 0] ** 2
    return mean, np.maximum(variance, 0) + luck


def _in_context(codes: Ints, groups: int, right: F64, chance: F64) -> F64:
    """The chances, corrected for the mean of the group.

    The same features may mean less where most conversations of the group have them. So the group's mean log-odds,
    less the mean of all, is added with a weight that is fitted to the tags (Mundlak 1978).
    """
    odds = logit(chance)
    size = np.maximum(_count(codes, groups), 1)
    mean = np.bincount(codes, odds, groups) / size - odds.mean()
    # The mean of few conversations is noisy: it is shrunk by the variance between groups that chance does not explain.
    noise = odds.var() / size
    differ = max(0.0, float(np.average(mean**2 - noise, weights=size)))
    about = (mean * differ / np.maximum(differ + noise, 1e-12))[codes]
    tagged = ~np.isnan(right)
    x = np.column_stack([np.ones(int(tagged.sum())), about[tagged]])
    y, offset, weight = right[tagged], odds[tagged], np.zeros(2)
    penalty = np.diag([1 / _COMMON_SCALE**2, 1.0])
    for _ in range(20):
        p = expit(offset + x @ weight)
        slope = x.T @ (y - p) - penalty @ weight
        weight = weight + np.linalg.solve(x.T @ (x * (p * (1 - p))[:, None]) + penalty, slope)
    return np.clip(expit(odds + weight[1] * about), 0.01, 0.99)


def _unsure(codes: Ints, groups: int, drafts: list[F64]) -> F64:
    """Variance of each group's mean due to the model's own error, by the jackknife over its folds (Quenouille)."""
    size = np.maximum(_count(codes, groups), 1)
    means = np.stack([np.bincount(codes, draft, groups) / size for draft in drafts])
    return (len(drafts) - 1) * means.var(axis=0)


def _own(sides: list[Flags], right: F64, chance: F64) -> tuple[float, float]:
    """Mean and variance of one group from its own tags, summed over its escalated and its other conversations."""
    total = sum(int(side.sum()) for side in sides)
    mean, square, variance = 0.0, 0.0, 0.0
    for side in sides:
        tagged = side & ~np.isnan(right)
        n, weight = int(tagged.sum()), side.sum() / total
        own_mean = powered_mean(right[tagged], chance[tagged], chance[side & np.isnan(right)])
        mean, square = mean + weight * own_mean.mean, square + weight * own_mean.mean**2
        # A handful of equal tags would have an error of 0: the variance of two more, one of each kind, is added.
        variance += weight**2 * (own_mean.error**2 * n / (n - 1) + 0.5 / (n + 2) ** 2)
    return mean, variance + max(0.0, square - mean**2) / total


def _interval(mean: F64, variance: F64, size: Ints, confidence: float) -> tuple[F64, F64]:
    inside = np.clip(mean, 0.005, 0.995)
    effective_size = inside * (1 - inside) / np.maximum(variance, 1e-9)
    low, high = wilson(inside * effective_size, effective_size, confidence)
    # The share among five answers is a multiple of a fifth: the ends go out to the next one.
    return np.floor(low * size) / size, np.ceil(high * size) / size
