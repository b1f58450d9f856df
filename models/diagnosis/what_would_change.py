"""By how much a subtopic misses being a gap: how many of its conversations would have to fail, all else the same."""

from __future__ import annotations

from math import ceil

from lacuna.models.topics.failure_tree import excess

__all__ = ["further_failures", "least_failures"]

MOST = 100_000  # further conversations that are looked at


def least_failures(size: int, usual: float, evidence: float, least: int) -> int | None:
    """The fewest of ``size`` conversations that must fail to be a gap; None where not even all of them would do.

    Parameters
    ----------
    size
        Conversations about the subtopic.
    usual
        The failing share that it is compared with, 0 to 1.
    evidence
        Log-likelihood ratio (:func:`models.topics.failure_tree.excess`) that is needed.
    least
        Failed conversations that are needed at all.

    Examples
    --------
    >>> least_failures(20, 0.3, 1.5, 4), least_failures(3, 0.3, 1.5, 4)
    (10, None)
    """
    fewest = max(least, ceil(usual * size))
    return next((bad for bad in range(fewest, size + 1) if excess(bad, size, usual) >= evidence), None)


def further_failures(failed: float, size: int, usual: float, evidence: float, missing: int) -> int | None:
    """How many further conversations would make it a gap if all of them failed.

    Parameters
    ----------
    failed, size
        Failed conversations, of ``size``; chances of failure added up.
    usual, evidence
        As :func:`least_failures`.
    missing
        Failed conversations that are lacking at least.

    Returns
    -------
    int or None
        None where no number would do.

    Examples
    --------
    >>> further_failures(6.0, 20, 0.3, 1.5, 0), further_failures(3.0, 3, 0.3, 1.5, 1)
    (7, 1)
    """
    low, high = max(0, missing), max(1, missing)
    while excess(failed + high, size + high, usual) < evidence:
        low, high = high, 2 * high
        if high > MOST:
            return None
    return next(more for more in range(low, high + 1) if excess(failed + more, max(1, size + more), usual) >= evidence)
