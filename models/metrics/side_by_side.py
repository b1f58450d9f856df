"""Two bots, desks or versions side by side on the same topics: which fails less, the mix of topics taken out."""

from __future__ import annotations

from itertools import combinations
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lacuna.models.arrays import F64

__all__ = ["COLUMNS", "OUTCOMES", "Difference", "side_by_side", "standardised"]

OUTCOMES = {"failed": "p_failed", "escalated": "escalated"}
LEAST_OF_TOPIC, LEAST_IN_ALL = 5, 50  # conversations on either side
MOST = 4  # values that are compared, those with most conversations
COLUMNS = [
    "outcome", "one", "other", "topic_id", "label", "conversations_one", "conversations_other", "rate_one",
    "rate_other", "difference", "low", "high", "plain_difference", "topics",
]  # fmt: skip


class Difference(NamedTuple):
    """One side's rate less the other's, with its interval."""

    difference: float
    low: float
    high: float


def standardised(n: F64, total: F64, confidence: float = 0.95) -> Difference:
    """The difference of two rates over the same topics, each topic compared with itself.

    Parameters
    ----------
    n, total
        (topics, 2): conversations of each side, at least one; and the outcome (0 to 1) added up.

    Notes
    -----
    Σ w·(p₁ − p₂) ÷ Σ w with w = n₁·n₂ ÷ (n₁ + n₂) (Cochran 1954; Mantel and Haenszel's weights for a difference of
    rates): a topic that one side hardly has hardly counts, so that the mix of topics is no part of the difference. The
    variance is the sum of the topics' binomial ones, each rate with half a success and half a failure more, so that a
    topic without any failure is not sure of itself.

    Examples
    --------
    >>> n, failed = np.array([[90.0, 10.0], [10.0, 90.0]]), np.array([[9.0, 1.0], [5.0, 45.0]])
    >>> found = standardised(n, failed)  # plainly 14 % against 46 %, on the same topics the same
    >>> round(found.difference, 2), found.low < 0 < found.high
    (0.0, True)
    """
    weight = n[:, 0] * n[:, 1] / n.sum(axis=1)
    weight = weight / weight.sum()
    rate, inside = total / n, (total + 0.5) / (n + 1)
    difference = float(weight @ (rate[:, 0] - rate[:, 1]))
    half = NormalDist().inv_cdf(0.5 + confidence / 2) * float(
        np.sqrt(weight**2 @ (inside * (1 - inside) / n).sum(axis=1))
    )
    return Difference(difference, max(-1.0, difference - half), min(1.0, difference + half))


def side_by_side(facts: pd.DataFrame, by: str, labels: dict[str, str], confidence: float = 0.95) -> pd.DataFrame:
    """Each pair of the values of a column, over all topics that both have, and topic by topic.

    Parameters
    ----------
    facts
        One row a conversation of the window: topic_id (str or null), p_failed (float), escalated (bool), and ``by``.
    labels
        What each topic is called.

    Returns
    -------
    DataFrame
        The columns of :data:`COLUMNS`, by outcome and pair: first the row of all topics (topic_id null), with
        ``plain_difference`` (what it is without regard to topics) and ``topics`` (how many both have), then each topic,
        the clearest difference first. Values of fewer than 50 conversations are left out, and all but the four with
        most; topics with fewer than five on either side.
    """
    known = facts[facts[by].notna() & facts["topic_id"].notna()]
    side = known[by].astype(str)
    sizes = side.value_counts()
    values = sorted(sizes[sizes >= LEAST_IN_ALL].sort_index().nlargest(MOST, keep="first").index)
    rows: list[dict[str, Any]] = []
    for outcome, column in OUTCOMES.items():
        value = known[column].fillna(0).astype(float)
        counts = pd.DataFrame({"topic": known["topic_id"], "side": side, "n": 1.0, "total": value})
        table = counts.groupby(["topic", "side"])[["n", "total"]].sum()
        for one, other in combinations(values, 2):
            rows += _pair(outcome, one, other, table, labels, confidence)
    dtypes = dict.fromkeys(COLUMNS, "float64") | dict.fromkeys(("outcome", "one", "other", "topic_id", "label"), "str")
    dtypes |= dict.fromkeys(("conversations_one", "conversations_other"), "int64") | {"topics": "Int64"}
    return pd.DataFrame(rows, columns=COLUMNS).astype(dtypes)


def _pair(
    outcome: str, one: str, other: str, table: pd.DataFrame, labels: dict[str, str], confidence: float
) -> list[dict[str, Any]]:
    wide = table.unstack("side").fillna(0.0)
    n, total = (wide[name][[one, other]].to_numpy(dtype=np.float64) for name in ("n", "total"))
    shared = [at for at, of_topic in enumerate(n) if of_topic.min() >= LEAST_OF_TOPIC]
    if not shared:
        return []

    def row(own: list[int], topic: str | None) -> dict[str, Any]:
        sums, totals = n[own].sum(axis=0), total[own].sum(axis=0)
        found = standardised(n[own], total[own], confidence)
        return {
            "outcome": outcome, "one": one, "other": other, "topic_id": topic,
            "label": "" if topic is None else labels.get(topic, topic), "conversations_one": int(sums[0]),
            "conversations_other": int(sums[1]), "rate_one": totals[0] / sums[0], "rate_other": totals[1] / sums[1],
            **found._asdict(),
        }  # fmt: skip

    over_all, every = row(shared, None), total.sum(axis=0) / n.sum(axis=0)
    over_all |= {"plain_difference": every[0] - every[1], "topics": len(shared)}
    topics = [row([at], str(wide.index[at])) for at in shared]
    # The clearest first: how far the nearer end of the interval lies from 0.
    topics.sort(key=lambda each: (min(-each["low"], each["high"]), each["topic_id"]))
    return [over_all, *topics]
