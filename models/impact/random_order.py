"""Accepted fixes in random order: a queue by lot, and what the lot makes of the effect: a causal estimate."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lacuna.models.arrays import F64, Flags

__all__ = ["QueuedGap", "WedgeEffect", "out_of_turn", "stepped_wedge", "suggested_order"]

LOTS = 999  # other orders that are drawn
GRID = np.round(np.linspace(-1.0, 1.0, 401), 3)  # effects that are tried for the interval


@dataclass(frozen=True)
class QueuedGap:
    """A gap that was accepted, week by week; weeks are numbered from 0.

    Parameters
    ----------
    gap_id
        The gap.
    accepted
        The first week in which it waited from the first day on.
    fixed
        The week in which it was fixed; None while it waits.
    conversations, failed
        Of each week, (weeks,): how many, and chances of failure added up.
    """

    gap_id: str
    accepted: int
    fixed: int | None
    conversations: F64
    failed: F64


class WedgeEffect(NamedTuple):
    """By how much fewer answers fail in a fixed gap than in one that still waits, per answer, with its interval.

    ``p_value`` is that of no effect at all; ``fixed`` and ``waited`` count the gaps that were compared.
    """

    fewer: float
    low: float
    high: float
    p_value: float
    fixed: int
    waited: int


def suggested_order(gap_ids: Iterable[str], seed: int) -> dict[str, int]:
    """The place of each gap in the queue, from 1, by lot: the same for the same seed, whatever else is in the queue.

    Two gaps keep their order when others come or go.

    Examples
    --------
    >>> suggested_order(["g-1", "g-2", "g-3"], seed=7)
    {'g-1': 1, 'g-3': 2, 'g-2': 3}
    """
    drawn = sorted(set(gap_ids), key=lambda gap: (_lot(gap, seed), gap))
    return {gap: place for place, gap in enumerate(drawn, start=1)}


def _lot(gap_id: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{gap_id}".encode()).hexdigest()


def out_of_turn(gaps: Sequence[QueuedGap], seed: int) -> list[str]:
    """The gaps that were fixed although another one, that waited as well, came before them."""
    place = suggested_order((gap.gap_id for gap in gaps), seed)
    jumped = []
    for gap in gaps:
        if gap.fixed is None:
            continue
        waited = [
            other for other in gaps if other.accepted <= gap.fixed and (other.fixed is None or other.fixed > gap.fixed)
        ]
        if any(place[other.gap_id] < place[gap.gap_id] for other in waited):
            jumped.append(gap.gap_id)
    return jumped


def stepped_wedge(gaps: Sequence[QueuedGap], confidence: float = 0.95, seed: int = 0) -> WedgeEffect | None:
    """The effect of fixing, where the order of fixes was drawn by lot.

    Returns
    -------
    WedgeEffect or None
        None where no week has a fixed gap beside one that waits.

    Notes
    -----
    A stepped-wedge trial, of which the design is the queue: each gap crosses from waiting to fixed at some time, and
    which one at which is the lot's doing. In every week the failing share of fixed gaps is compared with that of gaps
    that were accepted and wait, each less its own share before it was accepted, weighted by conversations, and weeks by
    n₁·n₂ ÷ (n₁ + n₂) (Hussey and Hughes 2007; vertical comparison as in Thompson et al. 2018). Season, a new bot, the
    way back to the mean and whatever else comes with being accepted are the same on both sides.

    The interval needs no model: the fixes' days and who waited when are kept, and the lot is drawn :data:`LOTS` times
    again. An effect lies in the interval if, taken off, the observed order does not stand out among those (Fisher 1935;
    test inversion as in Rosenbaum 2002). It takes the effect to be the same for all gaps.
    """
    n = np.stack([gap.conversations for gap in gaps]) if gaps else np.zeros((0, 0))
    share = np.divide(np.stack([gap.failed for gap in gaps]), n, out=np.zeros_like(n), where=n > 0) if gaps else n
    if not gaps:
        return None
    weeks = np.arange(n.shape[1])
    for at, gap in enumerate(gaps):
        before = (weeks < gap.accepted) & (n[at] > 0)
        size = n[at][before].sum()
        share[at] -= float(gap.failed[before].sum() / size) if size else 0.0
    accepted = np.array([gap.accepted for gap in gaps])
    fixed = np.array([n.shape[1] + 1 if gap.fixed is None else gap.fixed for gap in gaps])
    treated, waiting = _sides(accepted, fixed, weeks)
    weight = _weights(n, treated, waiting)
    if weight is None:
        return None
    observed = float((weight * share).sum())
    rng = np.random.default_rng(seed)
    times = np.sort(fixed[fixed <= n.shape[1]])
    moved, carried = np.zeros(LOTS), np.zeros(LOTS)
    for turn in range(LOTS):
        other = _weights(n, *_sides(accepted, _drawn(accepted, times, rng, n.shape[1]), weeks))
        if other is not None:
            moved[turn], carried[turn] = (other * share).sum(), (other * treated).sum()
    gone = np.abs(moved - GRID[:, None] * carried) >= np.abs(observed - GRID)[:, None] - 1e-12
    p_values = (1 + gone.sum(axis=1)) / (LOTS + 1)
    held = GRID[p_values >= 1 - confidence]
    low, high = (float(held.min()), float(held.max())) if len(held) else (observed, observed)
    no_effect = float(p_values[np.flatnonzero(GRID == 0)[0]])
    fixed_gaps, waited = int(treated.any(axis=1).sum()), int(waiting.any(axis=1).sum())
    return WedgeEffect(-observed, min(-high, -observed), max(-low, -observed), no_effect, fixed_gaps, waited)


def _sides(accepted: np.ndarray, fixed: np.ndarray, weeks: np.ndarray) -> tuple[Flags, Flags]:
    """In which weeks each gap counts as fixed, and in which as waiting; the week of the fix is neither."""
    return weeks > fixed[:, None], (weeks >= accepted[:, None]) & (weeks < fixed[:, None])


def _weights(n: F64, treated: Flags, waiting: Flags) -> F64 | None:
    """The weight of each gap's week: positive where fixed, negative where waiting; None where nothing is compared."""
    sums = [(n * side).sum(axis=0) for side in (treated, waiting)]
    both = sums[0] + sums[1]
    of_week = np.divide(sums[0] * sums[1], both, out=np.zeros_like(both), where=both > 0)
    if not of_week.sum():
        return None
    of_week = of_week / of_week.sum()
    one, other = (
        np.divide(n * side * of_week, total, out=np.zeros_like(n), where=total > 0)
        for side, total in zip((treated, waiting), sums, strict=True)
    )
    return np.asarray(one - other)


def _drawn(accepted: np.ndarray, times: np.ndarray, rng: np.random.Generator, weeks: int) -> np.ndarray:
    """The week in which each gap is fixed under another lot: at each time the first in the queue of those accepted."""
    place, fixed = rng.permutation(len(accepted)), np.full(len(accepted), weeks + 1)
    for time in times:
        waits = np.flatnonzero((accepted <= time) & (fixed > weeks))
        if len(waits):
            fixed[waits[place[waits].argmin()]] = time
    return fixed
