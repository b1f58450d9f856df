"""Intervals: how sure a share is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["wilson"]

FloatArray = NDArray[np.float64]


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
    defined = (total > 0) & (size > 0)
    if not defined.any():
        return np.full(total.shape, np.nan), np.full(total.shape, np.nan)
    # Half a second to import; most backlogs that are printed have no share to judge yet.
    from scipy import special

    total, size = np.where(defined, total, 1.0), np.where(defined, size, 1.0)
    share = np.clip(count / total, 0.0, 1.0)
    z2 = special.ndtri(0.5 + confidence / 2) ** 2
    centre = (share + z2 / (2 * size)) / (1 + z2 / size)
    half = np.sqrt(z2 * (share * (1 - share) / size + z2 / (4 * size**2))) / (1 + z2 / size)
    low = np.where(share == 0, 0.0, np.minimum(np.maximum(centre - half, 0.0), share))
    high = np.where(share == 1, 1.0, np.maximum(np.minimum(centre + half, 1.0), share))
    return np.where(defined, low, np.nan), np.where(defined, high, np.nan)
