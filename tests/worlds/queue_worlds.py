"""Planted queues of accepted gaps that are fixed one after the other, by lot or by choice: what a fix does is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from lacuna.models.impact.random_order import QueuedGap, WedgeEffect, stepped_wedge, suggested_order

WEEKS_BEFORE = 8


@dataclass(frozen=True)
class Queue:
    """How gaps are, and in which order they are fixed.

    One gap is fixed every ``pace`` weeks, ``fixes`` of them; each has ``demand`` conversations a week. ``effect`` is by
    how much fewer answers fail after it. ``season`` moves all gaps' log-odds from week to week, up to so much at the
    end; ``heals`` moves those of half of the gaps down without any fix, and where the order is chosen, these are first.
    """

    gaps: int = 12
    fixes: int = 8
    pace: int = 1
    demand: float = 8.0
    effect: float = 0.35
    season: float = 0.0
    heals: float = 0.0
    by_lot: bool = True


QUEUES = {
    "a fix does nothing": Queue(effect=0.0),
    "a fix works": Queue(),
    "it works in a bad season": Queue(season=1.0),
    "it works in a good season": Queue(season=-1.0),
    "nothing, and half of them heal by themselves": Queue(effect=0.0, heals=1.5),
    "the same, but the writers choose those first": Queue(effect=0.0, heals=1.5, by_lot=False),
    "few gaps": Queue(gaps=6, fixes=4),
    "little is asked": Queue(demand=3.0),
}


def queued(queue: Queue, seed: int) -> list[QueuedGap]:
    """The gaps of one such queue, all accepted in the same week, eight weeks after the first that is known."""
    rng = np.random.default_rng(seed)
    weeks = WEEKS_BEFORE + queue.fixes * queue.pace + 3
    names = [f"g-{seed}-{number}" for number in range(queue.gaps)]
    heals = np.arange(queue.gaps) < queue.gaps // 2
    order = suggested_order(names, seed) if queue.by_lot else {name: at + 1 for at, name in enumerate(names)}
    gaps = []
    for at, name in enumerate(names):
        place = order[name]
        fixed = WEEKS_BEFORE + (place - 1) * queue.pace if place <= queue.fixes else None
        late = np.clip(np.arange(weeks) - WEEKS_BEFORE, 0, None) / max(1, weeks - WEEKS_BEFORE)
        healing = queue.heals * (np.arange(weeks) >= WEEKS_BEFORE) * heals[at]
        chance = expit(rng.normal(0.8, 0.5) + queue.season * late - healing + rng.normal(0, 0.2, weeks))
        after = np.zeros(weeks) if fixed is None else (np.arange(weeks) > fixed)
        conversations = rng.poisson(queue.demand, weeks)
        failed = rng.binomial(conversations, np.clip(chance - queue.effect * after, 0, 1))
        gaps.append(QueuedGap(name, WEEKS_BEFORE, fixed, conversations.astype(float), failed.astype(float)))
    return gaps


def effects_of(queue: Queue, times: int) -> list[WedgeEffect]:
    """What the wedge says of so many of these queues."""
    found = [stepped_wedge(queued(queue, seed), seed=seed) for seed in range(times)]
    return [effect for effect in found if effect is not None]
