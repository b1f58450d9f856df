"""Prediction-powered means: a few tags, and a model's predictions for everything that nobody tagged."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class PoweredMean(NamedTuple):
    """A mean, its standard error, and how much weight the predictions got: 0 (none) to 1."""

    mean: float
    error: float
    power: float


def powered_mean(
    tagged: ArrayLike, predicted: ArrayLike, elsewhere: ArrayLike, power: float | None = None
) -> PoweredMean:
    """The mean of an outcome that is tagged for a few conversations and predicted for all (PPI++).

    The mean prediction for the untagged is corrected by the mean error on the tagged, so that a bad model widens the
    interval but does not bias it. The weight of the predictions is the one with the smallest variance.

    Parameters
    ----------
    tagged
        Outcomes of the tagged, (n,), n ≥ 1.
    predicted
        Predictions for the same by a model that was fitted without them, (n,).
    elsewhere
        Predictions for the untagged, (m,); without any the plain mean is returned.
    power
        Weight of the predictions; None finds it, 1 is prediction-powered inference without tuning, 0 the plain mean.

    Notes
    -----
    Angelopoulos, Duchi and Zrnic (2023), "PPI++: Efficient prediction-powered inference", arXiv 2311.01453, example 1:
    mean = λ·mean(f elsewhere) + mean(y − λf), with λ = cov(y, f) ÷ ((1 + n/m) · var(f)), kept between 0 and 1. Both
    samples must come from one population: where tags are chosen by stratum, do this stratum by stratum.

    Examples
    --------
    >>> estimate = powered_mean([1, 0, 1, 1], [0.9, 0.2, 0.8, 0.7], [0.9, 0.9, 0.1, 0.8, 0.7, 0.9])
    >>> round(estimate.mean, 3), round(estimate.error, 3), round(estimate.power, 3)
    (0.801, 0.15, 0.77)
    """
    y, own, rest = (np.asarray(values, dtype=float).ravel() for values in (tagged, predicted, elsewhere))
    n, m = len(y), len(rest)
    if not m:
        return PoweredMean(float(y.mean()), float(y.std() / np.sqrt(n)), 0.0)
    if power is None:
        spread = float(np.var(np.concatenate([own, rest]), ddof=1))
        shared = float(((y - y.mean()) * (own - own.mean())).mean())
        power = float(np.clip(shared / ((1 + n / m) * spread), 0, 1)) if spread > 1e-12 else 0.0
    rectifier = y - power * own
    error = np.sqrt(rectifier.var() / n + power**2 * rest.var() / m)
    return PoweredMean(float(power * rest.mean() + rectifier.mean()), float(error), power)
