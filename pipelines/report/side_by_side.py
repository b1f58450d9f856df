"""Two bots, desks or versions side by side: which fails less on the same topics, and on which topics."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lacuna.pipelines.presentation.format import count, line, number, percent, plural, text, whole
from lacuna.pipelines.presentation.format import rows as records

__all__ = ["sides"]

_TOPICS = 8
_OUTCOMES = {"failed": "answers failed", "escalated": "conversations went to a human"}


def sides(frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    """One entry a pair and outcome: a sentence on all topics that both have, and the topics that differ most clearly.

    Parameters
    ----------
    frame : DataFrame or None
        `side_by_side.parquet`.
    """
    entries: list[dict[str, Any]] = []
    for row in records(frame):
        if not text(row.get("topic_id")):
            entries.append(
                {"one": line(row["one"], 60), "other": line(row["other"], 60), "topics": []} | _over_all(row)
            )
        elif entries and len(entries[-1]["topics"]) < _TOPICS:
            entries[-1]["topics"].append(
                {
                    "label": line(row.get("label"), 120) or text(row["topic_id"]),
                    "one": f"{percent(row['rate_one'])} of {count(row['conversations_one'])}",
                    "other": f"{percent(row['rate_other'])} of {count(row['conversations_other'])}",
                    "difference": _difference(row),
                    "clear": _is_clear(row),
                }
            )
    return entries


def _over_all(row: dict[str, Any]) -> dict[str, Any]:
    one, other, outcome = line(row["one"], 60), line(row["other"], 60), _OUTCOMES.get(text(row["outcome"]), "")
    difference = number(row["difference"]) or 0.0
    topics = plural(whole(row["topics"]) or 0, "topic that both have", "topics that both have")
    verdict = "no clear difference" if not _is_clear(row) else f"{one if difference < 0 else other} does better"
    return {
        "heading": f"{one} and {other}, {outcome}: {verdict}",
        "sentence": f"On {topics}, {_difference(row)} for {one} against {other}. Without regard to topics it is "
        f"{_points(row['plain_difference'])}; the rest is what each is asked.",
    }


def _is_clear(row: dict[str, Any]) -> bool:
    return (number(row["low"]) or 0.0) > 0 or (number(row["high"]) or 0.0) < 0


def _difference(row: dict[str, Any]) -> str:
    return f"{_points(row['difference'])} (between {_points(row['low'], '')} and {_points(row['high'], '')})"


def _points(value: object, unit: str = " points") -> str:
    return f"{(number(value) or 0.0) * 100:+.0f}{unit}".replace("-", "−")
