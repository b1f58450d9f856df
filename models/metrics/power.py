"""Power: how many more observations until what is too thin to judge could be judged, if things go on as they are."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, sqrt
from statistics import NormalDist

from scipy.stats import binom

from lacuna.models.topics.failure_tree import excess

__all__ = ["POWER", "days_until", "more_until_enough", "more_until_excess", "more_until_verdict"]

POWER = 0.8  # the chance of a decision at which it counts as in reach
FARTHEST = 20_000  # observations ahead that are looked at


def more_until_excess(bad: float, size: float, base: float, evidence: float, power: float = POWER) -> int | None:
    """How many more conversations until a topic's failure rate shows to be above the usual one.

    Parameters
    ----------
    bad, size
        Failed conversations (chances added up), and all of them.
    base
        The usual failing share.
    evidence
        The log-likelihood ratio that :func:`models.topics.failure_tree.excess` has to reach.

    Returns
    -------
    int or None
        0 where it shows already; None where the topic fails no more than usual, or where it would take more than
        :data:`FARTHEST`.

    Notes
    -----
    Conditional power at the observed rate (Lan and Wittes 1988, "The B-value"): with m more conversations of which
    Binomial(m, bad/size) fail, added to those that were seen, the rule holds with a chance of ``power``. What was seen
    stays as it is; the observed rate is taken for the true one.

    Examples
    --------
    >>> more_until_excess(4, 10, 0.25, 1.5)
    52
    >>> more_until_excess(2, 10, 0.25, 1.5) is None
    True
    """
    if size <= 0 or bad / size <= base:
        return None
    rate = min(bad / size, 0.98)

    def chance(more: int) -> float:
        """The chance that so many more show it: the rule holds from some number of failures among them on."""
        low, high = -1, more + 1
        while high - low > 1:
            middle = (low + high) // 2
            if excess(bad + middle, size + more, base) >= evidence:
                high = middle
            else:
                low = middle
        return float(binom.sf(high - 1, more, rate)) if high <= more else 0.0

    if excess(bad, size, base) >= evidence:
        return 0
    return _first(chance, power)


def more_until_enough(seen: int, rate: float, least: int, power: float = POWER) -> int | None:
    """How many more conversations until so many of them failed, at this failing share; 0 if they did already.

    Examples
    --------
    >>> more_until_enough(3, 0.5, 4), more_until_enough(4, 0.5, 4)
    (3, 0)
    """
    missing = least - seen
    if missing <= 0:
        return 0
    return _first(lambda more: float(binom.sf(missing - 1, more, min(rate, 1.0))), power) if rate > 0 else None


def more_until_verdict(
    shift: float, error: float, own_error: float, seen: int, target: float, confidence: float, power: float = POWER
) -> int | None:
    """How many more conversations since a fix until its effect is surely there, or surely smaller than what counts.

    Parameters
    ----------
    shift
        The effect so far, in log-odds; negative where fewer answers fail.
    error, own_error
        Its standard error, and the part of it that is the sampling error of what was seen since the fix. The rest, how
        untouched topics change, does not get smaller by waiting.
    seen
        Conversations since the fix.
    target
        The shift that is just worth an article, in log-odds, below 0.
    confidence
        Of the interval that decides.

    Returns
    -------
    int or None
        0 where it is decided; None where waiting alone decides nothing.

    Notes
    -----
    Conditional power at the observed effect: with m more conversations the own error falls to own_error · √(seen/n),
    n = seen + m, and the shift moves with standard deviation own_error · √(seen · m)/n. At or beyond the target, the
    interval has to leave 0 out; short of it, the interval has to leave the target out.
    """
    z, sure = NormalDist().inv_cdf(0.5 + confidence / 2), NormalDist()
    rest = max(error**2 - own_error**2, 0.0)

    def chance(more: int) -> float:
        n = seen + more
        half = z * sqrt(rest + own_error**2 * seen / n)
        moves = max(own_error * sqrt(seen * more) / n, 1e-9)
        if shift <= target:
            return min(sure.cdf((-half - shift) / moves), sure.cdf((target - shift) / moves) if shift < target else 1.0)
        return sure.cdf((shift - target - half) / moves)

    return _first(chance, power)


def days_until(more: int, a_week: float) -> int | None:
    """Days until so many more have come at this rate; None without any.

    Examples
    --------
    >>> days_until(10, 5.0), days_until(0, 0.0), days_until(1, 0.0)
    (14, 0, None)
    """
    if more <= 0:
        return 0
    return ceil(more / a_week * 7) if a_week > 0 else None


def _first(chance: Callable[[int], float], power: float) -> int | None:
    """The smallest number at which the chance reaches the power, to within a fiftieth; None up to FARTHEST.

    The chance may fall a little from one number to the next (counts are whole), so that it has to hold at the next too.
    """
    step, before = 1, 0
    while chance(step) < power or chance(step + 1) < power:
        before, step = step, max(step + 1, step * 5 // 4)
        if step > FARTHEST:
            return None
    return next(n for n in range(before + 1, step + 1) if chance(n) >= power)
