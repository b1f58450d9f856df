"""Answer accuracy by article, intent and so on, and the calibration of the model behind it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lacuna.pipelines.presentation.charts import bar
from lacuna.pipelines.presentation.format import (
    count,
    line,
    number,
    percent,
    percent_range,
    plural,
    text,
    whole,
)
from lacuna.pipelines.presentation.format import rows as records

_ACCURACY_BY = ("article", "intent", "product", "language", "topic")
_ACCURACY_ROWS = 12
_BASIS = {
    "escalated only": "holds among escalated conversations only",
    "estimated": "no tags, estimated from similar answers",
    "pooled": "few tags, so it leans on similar answers",
}


def accuracy(frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    """The lowest answer accuracies by article, intent and so on, each with its interval and its tags."""
    if frame is None or frame.empty or not {"by", "key", "accuracy"} <= set(frame.columns):
        return []
    groups = []
    for by in _ACCURACY_BY:
        rows = [row for row in records(frame[frame["by"].astype(str) == by]) if number(row["accuracy"]) is not None]
        if not rows:
            continue
        rows.sort(key=lambda row: (number(row["accuracy"]), -(number(row.get("conversations")) or 0), text(row["key"])))
        groups.append(
            {
                "by": by,
                "total": len(rows),
                "rows": [
                    {
                        "name": line(row.get("label_name"), 160) or text(row["key"]),
                        "key": text(row["key"]),
                        "accuracy": percent(row["accuracy"]),
                        "range": percent_range(row.get("low"), row.get("high")),
                        "bar": bar(row["accuracy"], row.get("low"), row.get("high"), 120),
                        "conversations": count(row.get("conversations")),
                        "labels": count(row.get("n_tagged")),
                        "basis": _BASIS.get(text(row.get("basis")), ""),
                    }
                    for row in rows[:_ACCURACY_ROWS]
                ],
            }
        )
    return groups


def article_accuracy(frame: pd.DataFrame | None) -> dict[str, str]:
    """One sentence on each article's accuracy, by article_id, for the side panel."""
    if frame is None or frame.empty or not {"by", "key", "accuracy"} <= set(frame.columns):
        return {}
    sentences = {}
    for row in records(frame[frame["by"].astype(str) == "article"]):
        if number(row["accuracy"]) is not None:
            limits = percent_range(row.get("low"), row.get("high"))
            basis = _BASIS.get(text(row.get("basis")), "")
            sentences[text(row["key"])] = " ".join(
                part
                for part in (
                    f"Its answers are right {percent(row['accuracy'])}",
                    limits,
                    f"of the time, by {plural(whole(row.get('n_tagged')) or 0, 'tagged answer')}"
                    + (f" ({basis})." if basis else "."),
                )
                if part
            )
    return sentences


def calibration(frame: pd.DataFrame | None) -> list[dict[str, str]]:
    """Predicted and observed accuracy of answers whose tags were held out from the model, by band of the prediction."""
    return [
        {
            "band": f"{percent(row['low'])} to {percent(row['high'])}",
            "tags": count(row["tags"]),
            "predicted": percent(row["predicted"]),
            "observed": percent(row["observed"]),
            "range": percent_range(row["observed_low"], row["observed_high"]),
        }
        for row in records(frame)
    ]
