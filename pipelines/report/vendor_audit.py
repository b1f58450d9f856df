"""The audit of the vendor's own metrics: what each claims, what random tags say, and by topic where tags allow it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lacuna.models.accuracy.vendor_audit import ALONE
from lacuna.pipelines.presentation.charts import bar
from lacuna.pipelines.presentation.format import count, line, number, percent, percent_range, plural, text, whole
from lacuna.pipelines.presentation.format import rows as records

__all__ = ["audits"]

METRIC_NAMES = {
    "resolved": ("Resolved by the bot", "the resolution flag, where no human took over"),
    "contained": (
        "Contained by the bot",
        "no human took over; where silence counts as success, that is the vendor's figure",
    ),
    "vendor_score": ("The vendor's score", "its monitor or CX score"),
    "csat": ("Satisfied customers", "CSAT of 4 or 5, among those who rated"),
}
_TRUTHS = dict.fromkeys(ALONE, "answers were right and no human was needed")
_TOPICS = 12


def audits(frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    """One entry a metric: its name, a sentence on all conversations, and the topics that random tags suffice for.

    Parameters
    ----------
    frame : DataFrame or None
        `vendor_audit.parquet`.
    """
    rows = records(frame)
    entries = []
    for metric, (name, means) in METRIC_NAMES.items():
        of_metric = [row for row in rows if text(row.get("metric")) == metric]
        over_all = next((row for row in of_metric if text(row.get("by")) == "all"), None)
        if over_all is None:
            continue
        topics = [row for row in of_metric if text(row.get("by")) == "topic"]
        told = [row for row in topics if number(row.get("estimate")) is not None]
        told.sort(key=lambda row: (-(number(row.get("difference")) or 0.0), text(row.get("key"))))
        entries.append(
            {
                "metric": metric,
                "name": name,
                "means": means,
                "verdict": text(over_all.get("verdict")),
                "claimed": percent(over_all.get("claimed")),
                "estimate": percent(over_all.get("estimate")) if number(over_all.get("estimate")) is not None else "",
                "range": percent_range(over_all.get("low"), over_all.get("high")),
                "bar": bar(over_all.get("estimate"), over_all.get("low"), over_all.get("high"), 120),
                "sentence": _sentence(over_all),
                "basis": _basis(over_all),
                "topics": [_topic(row) for row in told[:_TOPICS]],
                "told": len(told),
                "untold": len(topics) - len(told),
            }
        )
    return entries


def _sentence(row: Mapping[str, Any]) -> str:
    """What the metric says, and what is true: `The vendor's figure is 67 % of …; in 51 % …: too high by 16 points`."""
    says = f"The vendor's figure is {percent(row.get('claimed'))} of {count(row.get('conversations'))} conversations"
    if number(row.get("estimate")) is None:
        return f"{says}. Whether that is so, nobody can tell yet."
    estimate = f"{says}; in {percent(row['estimate'])} {percent_range(row.get('low'), row.get('high'))} "
    estimate += _TRUTHS.get(text(row.get("metric")), "answers were right")
    difference = number(row.get("difference")) or 0.0
    ends = sorted(abs(number(row.get(f"difference_{end}")) or 0.0) for end in ("low", "high"))
    between = f"{_points(difference)} (between {ends[0] * 100:.0f} and {ends[1] * 100:.0f})"
    return {
        "overstated": f"{estimate}: too high by {between}.",
        "understated": f"{estimate}: too low by {between}.",
    }.get(text(row.get("verdict")), f"{estimate}. These tags show no difference.")


def _points(difference: float) -> str:
    return plural(round(abs(difference) * 100), "point")


def _basis(row: Mapping[str, Any]) -> str:
    """What the estimate rests on, what it can't use, and how many more random tags would help."""
    random, other, more = (whole(row.get(name)) or 0 for name in ("random_tags", "other_tags", "more_tags"))
    parts = [f"{plural(random, 'random tag')}."]
    if other:
        parts.append(f"{plural(other, 'other tag')} left out, because those conversations were not chosen at random.")
    if more:
        aim = "±\u202f5 points" if number(row.get("estimate")) is not None else "an estimate"
        parts.append(f"{plural(more, 'more random tag')} for {aim}.")
    return " ".join(parts)


def _topic(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": line(row.get("label_name"), 120) or text(row.get("key")),
        "key": text(row.get("key")),
        "claimed": percent(row.get("claimed")),
        "estimate": percent(row.get("estimate")),
        "range": percent_range(row.get("low"), row.get("high")),
        "verdict": text(row.get("verdict")),
        "tags": count(row.get("random_tags")),
        "conversations": count(row.get("conversations")),
    }
