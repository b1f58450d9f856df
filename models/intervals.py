"""Intervals, pooling and trends: how sure a rate, a mean or a change is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

__all__ = [
    "Surge",
    "Trend",
    "beta_binomial_pool",
    "mean_interval",
    "poisson_rate_interval",
    "rate_trend",
    "surge",
    "wilson",
]

FloatArray = NDArray[np.float64]

_WEAKEST, _STRONGEST = 0.5, 1e4


@dataclass(frozen=True)
class Trend:
    """Where a rate goes: ``direction`` is up, down or flat; ``ratio`` is the recent rate over the earlier one."""

    direction: str
    ratio: float
    p_value: float


@dataclass(frozen=True)
class Surge:
    """Whether the last period stands out: its count over the expected one, the chance of that, where it began."""

    ratio: float
    p_value: float
    started: int | None


def wilson(
    successes: ArrayLike, n: ArrayLike, confidence: float = 0.95, effective: ArrayLike | None = None
) -> tuple[FloatArray, FloatArray]:
    """Wilson's score interval of a proportion.

    Parameters
    ----------
    successes, n
        Counts, or sums of weights, broadcast against each other; ``0 <= successes <= n``.
    confidence
        Coverage, between 0 and 1.
    effective
        Effective number of observations where ``n`` is a sum of weights (Kish: ``sum(w)**2 / sum(w**2)``).

    Returns
    -------
    low, high : ndarray of float64
        NaN where there is no observation.

    Notes
    -----
    Wilson (1927), "Probable inference, the law of succession, and statistical inference".

    Examples
    --------
    >>> low, high = wilson(8, 10)
    >>> round(float(low), 3), round(float(high), 3)
    (0.49, 0.943)
    """
    count, total = np.broadcast_arrays(np.asarray(successes, float), np.asarray(n, float))
    size = total if effective is None else np.broadcast_to(np.asarray(effective, float), total.shape)
    known = (total > 0) & (size > 0)
    total, size = np.where(known, total, 1.0), np.where(known, size, 1.0)
    share = np.clip(count / total, 0.0, 1.0)
    z2 = stats.norm.ppf(0.5 + confidence / 2) ** 2
    centre = (share + z2 / (2 * size)) / (1 + z2 / size)
    half = np.sqrt(z2 * (share * (1 - share) / size + z2 / (4 * size**2))) / (1 + z2 / size)
    low = np.where(share == 0, 0.0, np.minimum(np.maximum(centre - half, 0.0), share))
    high = np.where(share == 1, 1.0, np.maximum(np.minimum(centre + half, 1.0), share))
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def beta_binomial_pool(
    successes: ArrayLike, trials: ArrayLike, strength: float | None = None, confidence: float = 0.95
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Proportions of many groups, each drawn towards the common one as far as its few trials ask for.

    Every group's proportion is taken as a draw from one Beta distribution, whose mean and strength (its weight in
    trials) are those that make the counts most likely. Groups of one rate are pooled almost wholly, groups that differ
    hardly at all. A single group, or none with trials, gets Jeffreys' Beta(1/2, 1/2).

    Parameters
    ----------
    successes, trials
        One entry a group; effective (weighted) counts are allowed; ``0 <= successes <= trials``.
    strength
        Weight of the common proportion in trials; None finds it from the counts.
    confidence
        Coverage of the interval.

    Returns
    -------
    mean, low, high : ndarray of float64
        Posterior mean and equal-tailed interval of every group; a group without trials gets the common distribution.

    Examples
    --------
    >>> mean, low, high = beta_binomial_pool([90, 85, 1], [100, 100, 1])
    >>> bool(0.85 < mean[2] < 0.95)
    True
    """
    count = np.atleast_1d(np.asarray(successes, float))
    total = np.atleast_1d(np.asarray(trials, float))
    count = np.clip(count, 0.0, total)
    seen = total > 0
    if seen.sum() < 2:
        a0, b0 = 0.5, 0.5
    else:
        a0, b0 = _beta_prior(count[seen], total[seen], strength)
    a, b = count + a0, total - count + b0
    tail = (1 - confidence) / 2
    mean = a / (a + b)
    low = np.minimum(stats.beta.ppf(tail, a, b), mean)
    high = np.maximum(stats.beta.ppf(1 - tail, a, b), mean)
    return mean, low, high


def _beta_prior(count: FloatArray, total: FloatArray, strength: float | None) -> tuple[float, float]:
    """Parameters of the Beta distribution that makes the groups' counts most likely (type II maximum likelihood)."""
    # Half a success and half a failure keep the common mean off 0 and 1, where no interval would have any width.
    start = (count.sum() + 0.5) / (total.sum() + 1.0)

    def loss(theta: FloatArray) -> float:
        mean, weight = special.expit(theta[0]), np.exp(theta[1])
        a, b = mean * weight, (1 - mean) * weight
        likelihood = special.betaln(count + a, total - count + b) - special.betaln(a, b)
        # A weak log-normal prior on the strength decides where the counts don't: a few groups of one trial each.
        return float(-likelihood.sum() + 0.5 * ((theta[1] - np.log(10.0)) / 2.0) ** 2)

    if strength is not None:
        return float(start * strength), float((1 - start) * strength)
    bounds = [(special.logit(start) - 4, special.logit(start) + 4), (np.log(_WEAKEST), np.log(_STRONGEST))]
    found = optimize.minimize(loss, np.array([special.logit(start), np.log(10.0)]), method="L-BFGS-B", bounds=bounds)
    mean, weight = float(special.expit(found.x[0])), float(np.exp(found.x[1]))
    return mean * weight, (1 - mean) * weight


def mean_interval(values: ArrayLike, confidence: float = 0.95) -> tuple[float, float, float]:
    """Mean and Student's t interval of values; NaN values are left out.

    Returns
    -------
    mean, low, high : float
        All NaN without values; the bounds are NaN with a single one.

    Examples
    --------
    >>> mean_interval([4.0, 4.0, 5.0, 3.0])[0]
    4.0
    """
    given = np.asarray(values, float).ravel()
    given = given[~np.isnan(given)]
    if not given.size:
        return np.nan, np.nan, np.nan
    mean = float(given.mean())
    if given.size == 1:
        return mean, np.nan, np.nan
    half = float(stats.t.ppf(0.5 + confidence / 2, given.size - 1) * given.std(ddof=1) / np.sqrt(given.size))
    return mean, mean - half, mean + half


def poisson_rate_interval(
    counts: ArrayLike, exposure: ArrayLike, confidence: float = 0.95
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Rates of events and their exact intervals (Garwood 1936).

    Parameters
    ----------
    counts, exposure
        Events, and the time (or any exposure) in which they came, broadcast against each other.

    Returns
    -------
    rate, low, high : ndarray of float64
        Events per unit of exposure; NaN where the exposure is not positive.

    Examples
    --------
    >>> rate, low, high = poisson_rate_interval(10, 4)
    >>> float(rate), round(float(low), 2), round(float(high), 2)
    (2.5, 1.2, 4.6)
    """
    count, time = np.broadcast_arrays(np.asarray(counts, float), np.asarray(exposure, float))
    known = time > 0
    time = np.where(known, time, 1.0)
    tail = (1 - confidence) / 2
    low = np.where(count > 0, special.gammaincinv(np.maximum(count, 1e-12), tail), 0.0) / time
    high = special.gammaincinv(count + 1, 1 - tail) / time
    blank = np.where(known, 0.0, np.nan)
    return count / time + blank, low + blank, high + blank


def rate_trend(counts: ArrayLike, exposure: ArrayLike | None = None, alpha: float = 0.05) -> Trend:
    """Whether events become more or fewer: the score test of a log-linear slope, with spread beyond Poisson's allowed.

    Parameters
    ----------
    counts
        Events by week, in order of time.
    exposure
        What each week could have brought, for example all conversations; None for weeks of equal exposure. Weeks
        without exposure are left out.
    alpha
        Below this p-value the direction is up or down.

    Returns
    -------
    Trend
        ``ratio`` is the rate in the last quarter of the weeks over that before, half an event added to both; with
        fewer than four weeks or no event the trend is flat with ratio 1 and p-value 1. Many topics need their
        p-values adjusted together.

    Notes
    -----
    Cochran-Armitage score statistic for a Poisson rate, divided by the Pearson dispersion about the fitted slope where
    that exceeds 1, as in quasi-Poisson regression; against Student's t, as few weeks ask for it.

    Examples
    --------
    >>> rate_trend([2, 3, 2, 4, 9, 12, 15, 14]).direction
    'up'
    """
    count = np.asarray(counts, float).ravel()
    offered = np.ones_like(count) if exposure is None else np.asarray(exposure, float).ravel()
    used = offered > 0
    week = np.arange(count.size, dtype=float)[used]
    count, offered = count[used], offered[used]
    if count.size < 4 or count.sum() == 0:
        return Trend("flat", 1.0, 1.0)
    recent = week > week[0] + 0.75 * (week[-1] - week[0])
    share = offered[recent].sum() / offered.sum()
    ratio = (count[recent].sum() + 0.5) / share / ((count[~recent].sum() + 0.5) / (1 - share))
    mean = count.sum() * offered / offered.sum()
    centred = week - (week * offered).sum() / offered.sum()
    score, information = float((centred * count).sum()), float((centred**2 * mean).sum())
    if information <= 0:
        return Trend("flat", float(ratio), 1.0)
    slope = score / information
    fitted = offered * np.exp(np.clip(slope * centred, -20, 20))
    fitted *= count.sum() / fitted.sum()
    dispersion = max(1.0, float(((count - fitted) ** 2 / np.maximum(fitted, 1e-9)).sum()) / (count.size - 2))
    z = score / np.sqrt(information * dispersion)
    p_value = float(2 * (stats.t.sf(abs(z), count.size - 2) if dispersion > 1 else stats.norm.sf(abs(z))))
    if p_value >= alpha:
        return Trend("flat", float(ratio), p_value)
    return Trend("up" if score > 0 else "down", float(ratio), p_value)


def surge(counts: ArrayLike, exposure: ArrayLike | None = None, last: int = 1, baseline: int = 56) -> Surge:
    """Whether the last periods bring more events than those before them let one expect.

    Parameters
    ----------
    counts
        Events by period (days or weeks), in order of time.
    exposure
        What each period could have brought; None for equal exposure.
    last
        Number of periods looked at: 1 for weeks, 7 for days.
    baseline
        Number of periods before them at most that tell what to expect.

    Returns
    -------
    Surge
        ``p_value`` is one-sided: the chance of so many events or more given those before (negative binomial
        predictive distribution, wider where the earlier periods spread more than Poisson's). ``started`` is the index
        of the period where the surge most likely began, None where nothing rose or the p-value is 0.05 or more.

    Examples
    --------
    >>> found = surge([3, 4, 2, 3, 4, 3, 19])
    >>> found.started, found.p_value < 0.001
    (6, True)
    """
    count = np.asarray(counts, float).ravel()
    offered = np.ones_like(count) if exposure is None else np.asarray(exposure, float).ravel()
    if count.size < last + 2:
        return Surge(1.0, 1.0, None)
    first = max(0, count.size - last - baseline)
    before, after = count[first:-last], count[-last:]
    offered_before, offered_after = offered[first:-last].sum(), offered[-last:].sum()
    if offered_before <= 0 or offered_after <= 0:
        return Surge(1.0, 1.0, None)
    # Jeffreys' half event: what was never seen before may still come once without being a surge.
    shape, rate = before.sum() + 0.5, offered_before
    expected = shape / rate * offered_after
    mean = np.maximum(before.sum() * offered[first:-last] / offered_before, 1e-9)
    spread = max(1.0, float(((before - mean) ** 2 / mean).sum()) / max(before.size - 1, 1)) if before.sum() else 1.0
    # Dividing counts and expectation by the dispersion widens the predictive distribution to the spread seen.
    p_value = float(stats.nbinom.sf(np.ceil(after.sum() / spread) - 1, shape / spread, rate / (rate + offered_after)))
    ratio = float((after.sum() + 0.5) / (expected + 0.5))
    started = _start(count, offered, first, shape / rate) if p_value < 0.05 and after.sum() > expected else None
    return Surge(ratio, min(p_value, 1.0), started)


def _start(count: FloatArray, offered: FloatArray, first: int, base: float) -> int:
    """The period from which on the counts exceed the base rate most clearly (likelihood ratio of a step)."""
    best, start = -np.inf, count.size - 1
    for place in range(first + 1, count.size):
        events, time = count[place:].sum(), offered[place:].sum()
        if time <= 0 or events <= base * time:
            continue
        gain = events * np.log(events / (base * time)) - (events - base * time)
        if gain > best:
            best, start = gain, place
    return int(start)
