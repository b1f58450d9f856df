"""When an article's answers began to fail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lacuna.models.arrays import F64

HEALTHY, BROKEN = 0.07, 0.88  # failing share of answers from the right article, before and after it went stale
MIN_SIDE = 3


@dataclass(frozen=True)
class Change:
    """A change for the worse.

    Attributes
    ----------
    at
        Position of the first conversation after the change.
    low, high
        Positions between which the change lies with 95 % of the likelihood.
    evidence
        Log-likelihood that the change gains over the best constant rate.
    before, after
        Failing share of answers on topic, on each side.
    weight_before, weight_after
        Conversations on topic on each side (float, chances added up).
    """

    at: int
    low: int
    high: int
    evidence: float
    before: float
    after: float
    weight_before: float
    weight_after: float


def worsening(failed: F64, weight: F64, off_topic: float) -> Change | None:
    """The most likely point from which on an article's answers fail, in order of time.

    Every conversation is a mixture: on topic with its ``weight``, where a healthy article fails rarely and a stale one
    mostly; off topic otherwise, where answers fail at ``off_topic`` whatever the article. A single change from healthy
    to broken is compared with the best constant failing share.

    Parameters
    ----------
    failed, weight : float (n,)
        Chance that the answer failed; chance that the article is the one the question is about. In order of time.
    off_topic : float

    Returns
    -------
    Change or None
        None where there are fewer than ``2 * MIN_SIDE`` conversations or no point beats a constant rate.
    """
    n = len(failed)
    if n < 2 * MIN_SIDE:
        return None

    def gain(rate: float) -> F64:
        expected = weight * rate + (1 - weight) * off_topic
        return np.log(failed * expected + (1 - failed) * (1 - expected))

    constant = max(float(gain(rate).sum()) for rate in np.linspace(0.02, 0.95, 32))
    before = np.concatenate([[0.0], np.cumsum(gain(HEALTHY))])
    after = np.concatenate([np.cumsum(gain(BROKEN)[::-1])[::-1], [0.0]])
    points = np.arange(MIN_SIDE, n - MIN_SIDE + 1)
    evidence = (before + after)[points] - constant
    best = int(evidence.argmax())
    if evidence[best] <= 0:
        return None
    at = int(points[best])
    likely = np.exp(evidence - evidence[best])
    mass = np.cumsum(likely) / likely.sum()
    low, high = (int(points[min(int(np.searchsorted(mass, edge)), len(points) - 1)]) for edge in (0.025, 0.975))
    return Change(
        at, low, high, float(evidence[best]), _share(failed[:at], weight[:at]), _share(failed[at:], weight[at:]),
        float(weight[:at].sum()), float(weight[at:].sum()),
    )  # fmt: skip


def _share(failed: F64, weight: F64) -> float:
    return float((failed * weight).sum() / max(weight.sum(), 1e-9))
