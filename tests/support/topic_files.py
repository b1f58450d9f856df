"""What a run publishes of its topics beside their table: their parts, some of their questions, and their tree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.text.vectors import unit
from lacuna.models.topics.tree import topic_tree

__all__ = ["questions_of_topics", "tree_of_topics", "with_parts"]


def with_parts(topics: pd.DataFrame) -> pd.DataFrame:
    """The topics, each with two parts."""
    parts = [
        [
            {
                "subtopic_id": f"{row['topic_id']}-{side}", "label": f"{row['label']}, {words}",
                "conversations": int(row["conversations"]) // 2,
                "failed": row["failure_rate"] * row["conversations"] / 2,
            }
            for side, words in (("a", "by post"), ("b", "in a shop"))
        ]
        for row in topics.to_dict("records")
    ]  # fmt: skip
    return topics.assign(subtopics=pd.Series(parts, index=topics.index, dtype=object))


def questions_of_topics(topics: pd.DataFrame) -> pd.DataFrame:
    """Four questions of each topic, two of each part; the conversations are named after topic and number."""
    rows = [
        {
            "topic_id": topic, "subtopic_id": f"{topic}-{'ab'[number % 2]}", "conversation_id": f"c-{topic}-{number}",
            "key": f"key-{topic}-{number}", "question": f"{label}, how is that, number {number}?", "strength": 0.9,
        }
        for topic, label in zip(topics["topic_id"], topics["label"], strict=True) for number in range(4)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def tree_of_topics(topics: pd.DataFrame) -> dict[str, Any]:
    """`topic_tree.json` of topics from :func:`with_parts`, whose centres are drawn."""
    draw = np.random.default_rng(1)
    centres = unit(draw.normal(size=(len(topics), 8)).astype(np.float32))
    parts = unit(np.repeat(centres, 2, axis=0) + 0.1 * draw.normal(size=(2 * len(topics), 8)).astype(np.float32))
    tree = topic_tree(centres, topics["theme"].tolist(), parts, np.repeat(np.arange(len(topics)), 2))
    ids = topics["topic_id"].tolist()
    leaves = [
        {"topic_id": ids[topic], "subtopic_id": f"{ids[topic]}-{'ab'[part - 2 * topic]}"} for topic, part in tree.leaves
    ]
    return {"leaves": leaves, "merges": [list(merge) for merge in tree.merges]}
