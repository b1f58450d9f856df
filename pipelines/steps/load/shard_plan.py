"""The shards of a bundle: which conversations are worked on together, by their week and by how much text they hold.

A shard is some neighbouring weeks, one week, or a part of a week by a hash of the conversation's id. Weeks are joined
from the oldest on, until the next one would be too much; so a new week leaves the shards of earlier weeks as they are,
all but the last one, which it may join.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["OTHER", "plan_shards"]

OTHER = "other"
"""The shard of messages whose conversation is not in the bundle."""


def plan_shards(started: pd.Series, text_bytes: pd.Series, limit: float) -> pd.Series:
    """The shard of each conversation.

    Parameters
    ----------
    started
        When each conversation started, in UTC; its id is the index.
    text_bytes
        Bytes of text of each id that messages name; its id is the index. Ids that are no conversation's are shard
        ``OTHER``, or in the one shard that there is.
    limit
        Bytes of text of a shard. One conversation is never parted: one that is larger makes a shard larger. Parts of
        a week come out equal only on average.

    Returns
    -------
    Series
        Names of shards, which sort by time, by id; the order of ``started``, then of ``text_bytes``.

    Examples
    --------
    >>> days = pd.to_datetime(["2024-06-03", "2024-06-10", "2024-06-17"], utc=True)
    >>> started = pd.Series(days, index=["a", "b", "c"])
    >>> plan_shards(started, pd.Series([40, 50, 60], index=["a", "b", "c"]), 100).tolist()
    ['2024-W23', '2024-W23', '2024-W25']
    """
    strangers = text_bytes.index.difference(started.index, sort=False)
    ids = started.index.append(strangers)
    weeks = np.r_[_weeks(started), np.full(len(strangers), OTHER, dtype=object)]
    # Only as much of a conversation counts as can be parted from others.
    sizes = text_bytes.reindex(ids).fillna(0).clip(upper=limit).to_numpy(dtype=np.float64)
    codes, names = pd.factorize(weeks, sort=True)
    totals = np.bincount(codes, weights=sizes, minlength=len(names))
    if totals.sum() <= limit:
        return pd.Series(names[0] if len(names) else OTHER, index=ids, dtype="str")
    shards = np.empty(len(ids), dtype=object)
    firsts = _joined([str(name) for name in names], totals, limit)
    bits = np.ceil(np.log2(np.maximum(totals / limit, 1.0))).astype(np.int64)
    shards[:] = np.array(firsts, dtype=object)[codes]
    for week in np.flatnonzero(bits):
        mine = np.flatnonzero(codes == week)
        of = 1 << int(bits[week])
        parts = _hashes(ids[mine]) >> np.uint64(64 - int(bits[week]))
        width = len(str(of))
        shards[mine] = [f"{names[week]}-{int(part) + 1:0{width}d}-of-{of}" for part in parts]
    return pd.Series(shards, index=ids, dtype="str")


def _weeks(started: pd.Series) -> np.ndarray:
    days = started.dt.tz_convert("UTC").dt.isocalendar() if len(started) else None
    if days is None:
        return np.empty(0, dtype=object)
    return np.array(
        [f"{year}-W{week:02d}" for year, week in zip(days["year"], days["week"], strict=True)], dtype=object
    )


def _joined(weeks: list[str], totals: np.ndarray, limit: float) -> list[str]:
    """For each week the first of the weeks that it is joined with."""
    firsts: list[str] = []
    held = 0.0
    for week, total in zip(weeks, totals, strict=True):
        alone = week == OTHER or total > limit
        if not firsts or alone or held + total > limit:
            firsts.append(week)
            held = 0.0
        else:
            firsts.append(firsts[-1])
        held = limit + 1 if alone else held + total
    return firsts


def _hashes(ids: pd.Index) -> np.ndarray:
    hashes: Any = pd.util.hash_array(np.array(ids, dtype=object), categorize=False)
    return hashes
