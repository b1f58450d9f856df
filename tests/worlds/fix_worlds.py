"""Planted worlds of topics, one of which is the worst and is fixed: what a fix did is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from lacuna.models.impact.effect import Change, Group, change_of
from lacuna.models.impact.fixes import VERDICTS, Limits, verdict

LIMITS = Limits(before_days=56, after_days=84, least_days=14, least_conversations=10, drop_at_least=0.3)


@dataclass(frozen=True)
class Scenario:
    """How topics are: log-odds of failing (``base``, ``spread``), their drift, and what happens at the fix.

    ``season`` moves every topic, ``falls`` multiplies the fixed topic's demand, ``effect`` its log-odds of failing;
    ``noise`` is the spread of single weeks; ``broken`` is the share of topics that fail for good, as gaps do.
    """

    topics: int = 40
    before: int = 8
    after: int = 4
    slowest: float = 3.0
    busiest: float = 20.0
    base: float = -1.2
    spread: float = 1.0
    broken: float = 0.1
    drift: float = 0.3
    noise: float = 0.2
    season: float = 0.0
    falls: float = 1.0
    effect: float = 0.0


WORLDS = {
    "nothing happens": Scenario(),
    "topics drift hardly at all": Scenario(drift=0.05, noise=0.0),
    "topics drift far": Scenario(drift=0.6),
    "few topics": Scenario(topics=6),
    "small topics": Scenario(slowest=1.0, busiest=4.0),
    "a bad season": Scenario(season=0.7),
    "a good season": Scenario(season=-0.7),
    "demand falls by itself": Scenario(falls=0.3),
    "only a week was bad before": Scenario(before=2, noise=0.6),
}
FIXES = {
    "the fix works": Scenario(effect=-2.5),
    "it works in a bad season": Scenario(effect=-2.5, season=0.7),
    "it works, and demand falls": Scenario(effect=-2.5, falls=0.4),
    "it works on a small topic": Scenario(effect=-2.5, slowest=2.0, busiest=5.0),
    "it works, eight weeks on": Scenario(effect=-2.5, after=8),
    "it makes it worse": Scenario(effect=1.5, broken=0.0),
}


def planted(scenario: Scenario, rng: np.random.Generator) -> tuple[list[Group], int, float]:
    """Every topic's counts, which one was fixed (the worst before, as people pick), and the true relative drop."""
    n = scenario.topics
    demand = rng.uniform(scenario.slowest, scenario.busiest, n)
    broken = rng.random(n) < scenario.broken
    level = np.where(broken, rng.normal(1.5, 0.6, n), rng.normal(scenario.base, scenario.spread, n))
    before, later = (level + rng.normal(0, scenario.drift / np.sqrt(2), n) for _ in range(2))
    later = later + scenario.season
    periods = [_weeks(rng, demand, before, scenario.before, scenario.noise)]
    fixed = int(np.argmax((periods[0][1] + 0.5) / (periods[0][0] + 1)))
    demand[fixed] *= scenario.falls
    untouched = expit(later[fixed])
    later[fixed] += scenario.effect
    periods.append(_weeks(rng, demand, later, scenario.after, scenario.noise))
    (n0, y0), (n1, y1) = periods
    groups = [Group(*map(float, (n0[i], y0[i], y0[i], n1[i], y1[i], y1[i]))) for i in range(n)]
    return groups, fixed, 1 - float(expit(later[fixed]) / untouched)


def _weeks(
    rng: np.random.Generator, demand: np.ndarray, level: np.ndarray, weeks: int, noise: float
) -> tuple[np.ndarray, np.ndarray]:
    conversations = rng.poisson(demand, (weeks, len(demand)))
    failed = rng.binomial(conversations, expit(level + rng.normal(0, noise, conversations.shape)))
    return conversations.sum(axis=0), failed.sum(axis=0)


Method = Callable[[Group, list[Group], int], tuple[float, float, float]]


def ours(group: Group, others: list[Group], seed: int) -> tuple[float, float, float]:
    """Relative drop, low and high, as Lacuna measures it."""
    change = change_of(group, others, seed=seed)
    return change.drop, change.drop_low, change.drop_high


def before_and_after(group: Group, _: list[Group], __: int) -> tuple[float, float, float]:
    """The naive way: the rate after over the rate before, normal interval of the log ratio (Katz 1978)."""
    return _ratio(*_part(group))


def differences(group: Group, others: list[Group], _: int) -> tuple[float, float, float]:
    """Difference in differences of the log rates against all others taken together."""
    added = Group(*(sum(values) for values in zip(*(vars(g).values() for g in others), strict=True)))
    (own, error), (common, more) = _part(group), _part(added)
    return _ratio(own - common, error + more)


def _part(group: Group) -> tuple[float, float]:
    n0, y0, n1, y1 = group.n_before + 1, group.total_before + 0.5, group.n_after + 1, group.total_after + 0.5
    return float(np.log(y1 / n1) - np.log(y0 / n0)), 1 / y0 - 1 / n0 + 1 / y1 - 1 / n1


def _ratio(log: float, variance: float) -> tuple[float, float, float]:
    half = 1.96 * np.sqrt(variance)
    return 1 - float(np.exp(log)), 1 - float(np.exp(log + half)), 1 - float(np.exp(log - half))


def judged(scenario: Scenario, times: int, method: Method = ours, seed: int = 1) -> tuple[float, dict[str, float]]:
    """Share of the intervals that hold the true relative drop, and the share of each verdict."""
    rng = np.random.default_rng(seed)
    n_covered, counts = 0, dict.fromkeys(VERDICTS, 0)
    for turn in range(times):
        groups, fixed, truth = planted(scenario, rng)
        drop, low, high = method(groups[fixed], groups[:fixed] + groups[fixed + 1 :], turn)
        n_covered += low <= truth <= high
        change = Change(0.5, 0.5, 0.5, drop, low, high, 0, 0, 0, 0, 0, 0)
        counts[verdict(change, int(groups[fixed].n_after), 7 * scenario.after, LIMITS)[0]] += 1
    return n_covered / times, {name: count / times for name, count in counts.items()}
