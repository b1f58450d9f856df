"""Audit of the vendor's own metric: what it claims, against what random tags say of the same conversations."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from lacuna.models.accuracy.prediction_powered import powered_mean
from lacuna.models.arrays import F64, Flags
from lacuna.models.metrics.intervals import wilson

__all__ = ["COLUMNS", "LEAST_TAGS", "METRICS", "VERDICTS", "Audited", "audited_share", "vendor_audit"]

LEAST_TAGS = 20  # random tags below which nothing is said
AIM = 0.05  # half an interval's width that is aimed at where more tags are asked for
GOOD_RATING = 4  # CSAT from which on a rating counts as good
METRICS = ("resolved", "contained", "vendor_score", "csat")
ALONE = ("resolved", "contained")  # metrics by which the bot did it without a human
VERDICTS = ("overstated", "understated", "no difference shown", "can't tell")
COLUMNS = [
    "metric", "by", "key", "label_name", "conversations", "claimed", "random_tags", "other_tags", "estimate", "low",
    "high", "difference", "difference_low", "difference_high", "power", "verdict", "more_tags",
]  # fmt: skip


class Audited(NamedTuple):
    """A share, its interval, and how much weight the vendor's verdicts got in it; NaN where nothing can be said."""

    estimate: float
    low: float
    high: float
    power: float


def audited_share(claimed: F64, right: F64, confidence: float = 0.95) -> Audited:
    """The true share where a vendor has judged all conversations and a random sample of them is tagged.

    Parameters
    ----------
    claimed
        The vendor's verdict on each conversation, 0 to 1, (n,).
    right
        1 or 0 where a random tag says so, else NaN, (n,).

    Returns
    -------
    Audited
        All NaN with fewer than :data:`LEAST_TAGS` tags.

    Notes
    -----
    PPI++ (:func:`models.accuracy.prediction_powered.powered_mean`) with the vendor's verdicts as predictions: however
    biased they are, the estimate is not, because the mean error on the tagged is taken off. To its variance, with n − 2
    in place of n because mean and weight were learned from the same tags, that of two more tags, one of each kind, is
    added, so that a handful of equal tags does not claim to be sure. The interval is Wilson's for as many tags as would
    have that variance.

    Examples
    --------
    >>> claimed = np.array([1.0] * 67 + [0.0] * 33)
    >>> right = np.full(100, np.nan)
    >>> right[:40], right[80:] = [1.0, 1.0, 1.0, 0.0] * 10, 0.0
    >>> share = audited_share(claimed, right)
    >>> round(share.estimate, 2), round(share.low, 2), round(share.high, 2)
    (0.5, 0.39, 0.62)
    """
    tagged = ~np.isnan(right)
    n = int(tagged.sum())
    if n < LEAST_TAGS:
        return Audited(np.nan, np.nan, np.nan, np.nan)
    mean = powered_mean(right[tagged], claimed[tagged], claimed[~tagged])
    variance = mean.error**2 * n / (n - 2) + 0.5 / (n + 2) ** 2
    inside = float(np.clip(mean.mean, 0.005, 0.995))
    effective = inside * (1 - inside) / variance
    low, high = (float(end) for end in wilson(inside * effective, effective, confidence))
    return Audited(float(np.clip(mean.mean, low, high)), low, high, mean.power)


def vendor_audit(facts: pd.DataFrame, names: dict[str, str], confidence: float = 0.95) -> pd.DataFrame:
    """The vendor's metrics against random tags: over all conversations that each has judged, and by topic.

    Parameters
    ----------
    facts
        One row a conversation of the window: answered, escalated (bool), resolved (bool or null), vendor_score and csat
        (float or null), right (1 or 0 where a reviewer tagged the answer, else null), tag_sample (str or null),
        topic_id (str or null).
    names
        What each topic is called, by topic_id.

    Returns
    -------
    DataFrame
        The columns of :data:`COLUMNS`; of each metric first the row of all, then the topics by their size. A metric
        that has judged nothing, or only what a human took over, has no row.

    Notes
    -----
    Each metric is held to what it claims of the conversations that it has judged, and to those alone:

    - ``resolved``: the bot solved it, no human was needed. True where the flag is set and nobody took over; in truth,
      where the answer was right and nobody took over. Escalated conversations need no tag for that.
    - ``contained``: no human took over; what counts silence as success claims that. In truth as for ``resolved``.
    - ``vendor_score``: the vendor's monitor or CX score, 0 to 1. In truth, whether the answer was right.
    - ``csat``: the rating was 4 or 5. In truth, whether the answer was right; among those who rated.

    Only tags of a random audit correct it. Others were put on what somebody chose to look at (mostly escalated
    conversations), and a correction by them would be as biased as that choice; they are counted as ``other_tags``.
    """
    parts = []
    for metric in METRICS:
        judged, claimed = _claims(metric, facts)
        own = facts[judged].reset_index(drop=True)
        open_ = _open(metric, own)
        if not open_.any():
            continue
        parts.append(_row(metric, "all", "window", "", own, claimed, confidence))
        topics = own.groupby("topic_id", sort=True).indices
        for topic in sorted(topics, key=lambda each: (-len(topics[each]), each)):
            rows = topics[topic]
            if not open_[rows].any():
                continue
            label = names.get(str(topic), str(topic))
            parts.append(_row(metric, "topic", str(topic), label, own.iloc[rows], claimed[rows], confidence))
    table = pd.DataFrame(parts, columns=COLUMNS)
    counts, texts = ("conversations", "random_tags", "other_tags"), ("metric", "by", "key", "label_name", "verdict")
    dtypes = dict.fromkeys(COLUMNS, "float64") | dict.fromkeys(counts, "int64") | dict.fromkeys(texts, "str")
    return table.astype(dtypes | {"more_tags": "Int64"})


def _claims(metric: str, facts: pd.DataFrame) -> tuple[Flags, F64]:
    """Which conversations the metric has judged, and its verdict on each of these."""
    answered = facts["answered"].fillna(False).to_numpy(dtype=bool)
    if metric == "contained":
        return answered, np.where(_escalated(facts[answered]), 0.0, 1.0)
    value = facts[metric].astype("Float64").astype("float64")
    judged = answered & value.notna().to_numpy()
    claimed: F64 = np.asarray(value[judged], dtype=np.float64)
    if metric == "csat":
        claimed = np.where(claimed >= GOOD_RATING, 1.0, 0.0)
    if metric == "resolved":
        claimed = np.where(_escalated(facts[judged]), 0.0, claimed)
    return judged, claimed


def _escalated(facts: pd.DataFrame) -> Flags:
    return facts["escalated"].fillna(False).to_numpy(dtype=bool)


def _open(metric: str, facts: pd.DataFrame) -> Flags:
    """Of which conversations it takes a tag to know: what a human took over, the bot did not solve."""
    return ~_escalated(facts) if metric in ALONE else np.ones(len(facts), dtype=bool)


def _row(
    metric: str, by: str, key: str, label: str, own: pd.DataFrame, claimed: F64, confidence: float
) -> dict[str, object]:
    right, random = own["right"].to_numpy(dtype=float), own["tag_sample"].eq("random").to_numpy(dtype=bool)
    open_, drawn = _open(metric, own), np.where(random, right, np.nan)
    estimate, low, high, power = audited_share(claimed[open_], drawn[open_], confidence)
    estimate, low, high = (float(value * open_.mean()) for value in (estimate, low, high))
    says, tags = float(claimed.mean()), int((random & open_ & ~np.isnan(right)).sum())
    return {
        "metric": metric, "by": by, "key": key, "label_name": label, "conversations": len(own), "claimed": says,
        "random_tags": tags, "other_tags": int((~random & ~np.isnan(right)).sum()),
        "estimate": estimate, "low": low, "high": high, "difference": says - estimate, "difference_low": says - high,
        "difference_high": says - low, "power": power, "verdict": _verdict(says, low, high),
        "more_tags": _more_tags(tags, int(open_.sum()), (high - low) / 2),
    }  # fmt: skip


def _verdict(claimed: float, low: float, high: float) -> str:
    if np.isnan(low):
        return "can't tell"
    return "overstated" if high < claimed else "understated" if low > claimed else "no difference shown"


def _more_tags(tags: int, conversations: int, half: float) -> int | None:
    """How many more random tags: until something can be said, or until the interval is ± 5 points; None for none."""
    needed = LEAST_TAGS if np.isnan(half) else int(np.ceil(tags * (half / AIM) ** 2))
    more = min(needed, conversations) - tags
    return more if more > 0 and conversations >= LEAST_TAGS else None
