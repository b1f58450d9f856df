"""Trends and surges: whether something comes more or less often than it did, and whether that is luck."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

__all__ = ["Surge", "Trend", "adjusted", "least_p", "rate_trend", "surge"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Trend:
    """Where a rate goes: ``direction`` is up, down or flat; ``ratio`` is the recent rate over the earlier one."""

    direction: str
    ratio: float
    p_value: float


@dataclass(frozen=True)
class Surge:
    """Whether the last period stands out: its count over the expected one, the chance of that, where it began.

    ``ratio`` adds half an event to both counts; ``expected`` is the plain count of the periods before, at their rate.
    """

    ratio: float
    p_value: float
    started: int | None
    expected: float


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


def least_p(total: float, exposure: ArrayLike) -> float:
    """The smallest p-value that :func:`rate_trend` can give to so many events, whenever they come.

    Nothing rises more clearly than what comes in the last week alone, nor falls more clearly than what comes in the
    first alone; spread beyond Poisson's, which would weaken that, is left out.

    Parameters
    ----------
    total
        Events of all weeks together.
    exposure
        What each week could have brought.

    Examples
    --------
    >>> [round(least_p(total, [100] * 12), 4) for total in (1, 3, 6)]
    [0.1111, 0.0058, 0.0001]
    """
    offered = np.asarray(exposure, float).ravel()
    week = np.arange(offered.size, dtype=float)[offered > 0]
    offered = offered[offered > 0]
    if week.size < 4 or total <= 0:
        return 1.0
    centred = week - (week * offered).sum() / offered.sum()
    spread = np.sqrt((centred**2 * offered).sum() / offered.sum())
    return float(2 * stats.norm.sf(np.abs(centred).max() / spread * np.sqrt(total)))


def adjusted(p_values: ArrayLike, least: ArrayLike, level: float = 0.05) -> FloatArray:
    """P-values of many tests at once, those left out that could not have come out whatever happened.

    Among those found below ``level``, at most that share are there by luck (Benjamini and Hochberg 1995). A test that
    can't reach ``level`` even if it were one of the K tests that can (Tarone 1990) only makes the others weaker. It is
    known by its number of events alone, which says nothing of whether they rise or fall, so that leaving it out
    loosens nothing (Gilbert 2005; Bourgon, Gentleman and Huber 2010).

    Parameters
    ----------
    p_values, least
        Of each test: its p-value, and the smallest that it could have had.
    level
        Share of false discoveries that is allowed.

    Returns
    -------
    ndarray of float64
        Adjusted p-values; 1 for a test that is left out.

    Examples
    --------
    >>> adjusted([0.01, 0.2, 0.3, 0.4], [0.001, 0.1, 0.1, 0.1]).tolist()
    [0.01, 1.0, 1.0, 1.0]
    """
    p, least_p = np.asarray(p_values, float).ravel(), np.asarray(least, float).ravel()
    tests = next((k for k in range(1, p.size) if (least_p < level / k).sum() <= k), max(1, p.size))
    able = least_p < level / tests
    result = np.ones(p.size)
    if able.any():
        result[able] = stats.false_discovery_control(p[able])
    return result


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
        return Surge(1.0, 1.0, None, 0.0)
    first = max(0, count.size - last - baseline)
    before, after = count[first:-last], count[-last:]
    offered_before, offered_after = offered[first:-last].sum(), offered[-last:].sum()
    if offered_before <= 0 or offered_after <= 0:
        return Surge(1.0, 1.0, None, 0.0)
    # Jeffreys' half event: what was never seen before may still come once without being a surge.
    shape, rate = before.sum() + 0.5, offered_before
    expected = shape / rate * offered_after
    mean = np.maximum(before.sum() * offered[first:-last] / offered_before, 1e-9)
    spread = max(1.0, float(((before - mean) ** 2 / mean).sum()) / max(before.size - 1, 1)) if before.sum() else 1.0
    # Dividing counts and expectation by the dispersion widens the predictive distribution to the spread seen.
    p_value = float(stats.nbinom.sf(np.ceil(after.sum() / spread) - 1, shape / spread, rate / (rate + offered_after)))
    ratio = float((after.sum() + 0.5) / (expected + 0.5))
    started = _start(count, offered, first, shape / rate) if p_value < 0.05 and after.sum() > expected else None
    return Surge(ratio, min(p_value, 1.0), started, float(before.sum() / rate * offered_after))


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
