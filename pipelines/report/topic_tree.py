"""Themes, topics and subtopics as one tree, with what a slider needs to show fewer or more of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from lacuna.pipelines.presentation.format import items, line, number, percent, plural, record, text, whole
from lacuna.pipelines.presentation.format import rows as records

__all__ = ["tree_view"]


def tree_view(
    frame: pd.DataFrame | None,
    tree: Mapping[str, Any] | None,
    link: Callable[[str], str],
    names: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The tree as nested lists, largest first, each leaf with its number in the order of mergers.

    Parameters
    ----------
    frame
        `topics.parquet`.
    tree
        `topic_tree.json`; without it there is a tree and no slider.
    link
        The address of a topic.
    names
        Names that people gave since the run, by topic_id.

    Returns
    -------
    dict
        branches (name, topics, asked, fails), merges (JSON), fewest, topics and most (how many groups there can be);
        empty where there is no topic.
    """
    numbers: dict[str, dict[str, int]] = {}
    for place, leaf in enumerate(items(record(tree).get("leaves"))):
        numbers.setdefault(text(leaf.get("topic_id")), {})[text(leaf.get("subtopic_id"))] = place
    branches: dict[str, list[dict[str, Any]]] = {}
    for row in records(frame):
        topic = _topic(row, numbers.get(text(row.get("topic_id")), {}), link, names or {})
        branches.setdefault(line(row.get("theme"), 120), []).append(topic)
    if not branches:
        return {}
    listed = [_branch(name, topics) for name, topics in branches.items()]
    listed.sort(key=lambda branch: (-branch["conversations"], branch["name"]))
    topics = sum(len(branch["topics"]) for branch in listed)
    leaves = sum(len(topic["parts"]) or 1 for branch in listed for topic in branch["topics"])
    merges = [list(merge)[:2] for merge in items(record(tree).get("merges"))]
    return {
        "branches": listed,
        "merges": json.dumps(merges, separators=(",", ":")),
        "fewest": len(listed),
        "topics": topics,
        "most": leaves,
        "slides": bool(merges) and leaves > len(listed),
    }


def _topic(
    row: Mapping[str, Any], numbers: Mapping[str, int], link: Callable[[str], str], names: Mapping[str, str]
) -> dict[str, Any]:
    topic = text(row.get("topic_id"))
    conversations, failure = whole(row.get("conversations")) or 0, number(row.get("failure_rate"))
    parts = [
        {
            "label": line(part.get("label"), 200),
            "leaf": numbers.get(text(part.get("subtopic_id")), -1),
            **_figures(whole(part.get("conversations")) or 0, number(part.get("failed")) or 0.0),
        }
        for part in items(row.get("subtopics"))
    ]
    return {
        "topic_id": topic,
        "label": names.get(topic) or line(row.get("label"), 200) or "Unnamed topic",
        "link": link(topic),
        "leaf": min(numbers.values(), default=-1),  # of a topic whose parts are not shown
        "parts": sorted(parts, key=lambda part: (-part["conversations"], part["leaf"])),
        **_figures(conversations, (failure or 0.0) * conversations),
    }


def _figures(conversations: int, failed: float) -> dict[str, Any]:
    return {
        "conversations": conversations,
        "failed": round(failed, 1),
        "asked": plural(conversations, "conversation"),
        "fails": percent(failed / conversations) if conversations else "",
    }


def _branch(name: str, topics: list[dict[str, Any]]) -> dict[str, Any]:
    topics.sort(key=lambda topic: (-topic["conversations"], topic["topic_id"]))
    figures = _figures(sum(t["conversations"] for t in topics), sum(t["failed"] for t in topics))
    return {"name": name, "topics": topics, "n_topics": plural(len(topics), "topic"), **figures}
