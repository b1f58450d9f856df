"""The table of two bots, desks or versions side by side on the same topics."""

from __future__ import annotations

import pandas as pd

from lacuna.models.metrics.side_by_side import COLUMNS, side_by_side
from lacuna.models.metrics.small_groups import without_small_groups
from lacuna.pipelines.runtime.job import Job

__all__ = ["compared_sides"]


def compared_sides(job: Job) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """The table for the column that ``[compare] by`` names, and a warning where conversations have no such column."""
    by = job.settings.compare.by
    if not by:
        return pd.DataFrame(columns=COLUMNS), []
    if by not in next(job.read_shards("load/conversations")):
        message = f"[compare] by = {by!r}, and conversations have no column of this name: nothing is compared"
        return pd.DataFrame(columns=COLUMNS), [{"rule": "compare", "message": message}]
    facts = job.read("measure/facts", ["conversation_id", "in_window", "topic_id", "p_failed", "escalated"])
    window = facts[facts["in_window"]].drop(columns="in_window")
    columns = list(dict.fromkeys(("conversation_id", "customer_id", by)))
    window = window.merge(job.read("load/conversations", columns), on="conversation_id")
    window = without_small_groups(window, [by], job.settings.topics.min_customers)
    topics = job.read("understand/topics")
    labels = dict(zip(topics["topic_id"], topics["label"], strict=True))
    return side_by_side(window, by, labels, job.settings.accuracy.confidence), []
