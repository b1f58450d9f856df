"""Seasons: whether a topic comes back every year at the same time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

YEAR = 365.25 / 7
WHOLE_YEARS = 2  # one year alone can't tell a season from a change
FEWEST = 40  # conversations; fewer show no season that would not be luck


@dataclass(frozen=True)
class Season:
    """A yearly rhythm: the week (0 to 52) of its peak, its peak over its trough, the p-value, and weekly factors."""

    peak_week: float
    ratio: float
    p_value: float
    factor: NDArray[np.float64]


def season(counts: ArrayLike, exposure: ArrayLike, week_of_year: ArrayLike) -> Season | None:
    """The yearly rhythm of weekly counts; None where the history is shorter than two years or too thin.

    Parameters
    ----------
    counts, exposure
        Events by week in order of time, and what each week could have brought, such as all conversations.
    week_of_year
        Each week's place in the year, in weeks from 1 January, 0 to 52.

    Notes
    -----
    A Poisson regression with one yearly sine and cosine and a log-linear trend, against the trend alone; the likelihood
    ratio is divided by the Pearson dispersion where that exceeds 1 (F test of quasi-Poisson regression).

    Examples
    --------
    >>> weeks = np.arange(160)
    >>> found = season(20 + 15 * np.cos(2 * np.pi * (weeks - 10) / YEAR), np.ones(160), weeks % YEAR)
    >>> found is not None and round(found.peak_week)
    10
    """
    count, offered = np.asarray(counts, float).ravel(), np.asarray(exposure, float).ravel()
    turn = 2 * np.pi * np.asarray(week_of_year, float).ravel() / YEAR
    used = offered > 0
    if used.sum() < WHOLE_YEARS * YEAR or count[used].sum() < FEWEST:
        return None
    time = np.linspace(-1, 1, count.size)
    trend_terms = np.column_stack([np.ones_like(time), time])
    full = np.column_stack([trend_terms, np.cos(turn), np.sin(turn)])
    loss_trend, _ = _poisson(trend_terms[used], count[used], offered[used])
    loss_full, weight = _poisson(full[used], count[used], offered[used])
    fitted = offered[used] * np.exp(full[used] @ weight)
    free = int(used.sum()) - full.shape[1]
    dispersion = max(1.0, float(((count[used] - fitted) ** 2 / np.maximum(fitted, 1e-9)).sum()) / free)
    p_value = float(stats.f.sf(max(0.0, loss_trend - loss_full) / dispersion, 2, free))
    size, peak = float(np.hypot(weight[2], weight[3])), float(np.arctan2(weight[3], weight[2]) % (2 * np.pi))
    factor = np.exp(weight[2] * np.cos(turn) + weight[3] * np.sin(turn))
    return Season(peak / (2 * np.pi) * YEAR, float(np.exp(2 * size)), p_value, factor)


def _poisson(
    x: NDArray[np.float64], count: NDArray[np.float64], offered: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    start = np.zeros(x.shape[1])
    start[0] = np.log(count.sum() / offered.sum())

    def loss(weight: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        mean = offered * np.exp(np.clip(x @ weight, -30, 30))
        ridge = 1e-6 * weight
        return float((mean - count * (x @ weight)).sum() + (ridge * weight).sum() / 2), x.T @ (mean - count) + ridge

    fit = optimize.minimize(loss, start, jac=True, method="L-BFGS-B")
    return float(fit.fun), np.asarray(fit.x)
