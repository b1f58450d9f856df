"""Sections for those who tag answers and those who train intents."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lacuna.pipelines.presentation.format import (
    count,
    decimal,
    items,
    line,
    number,
    percent,
    percent_range,
    plural,
    text,
    whole,
)
from lacuna.pipelines.presentation.format import rows as records

_INTENTS = 12  # rows and columns that a heat map has room for
_PAIRS = 12
_SUSPECTS = 15
_SHADES = 5


def tag_next(frame: pd.DataFrame | None) -> list[dict[str, str]]:
    """The conversations whose tags would most change the backlog, best first."""
    return [
        {
            "id": text(row.get("conversation_id")),
            "question": line(row.get("question"), 300),
            "topic": line(row.get("topic_label"), 120),
            "link": "#topic=" + text(row.get("topic_id")),
            "article": text(row.get("article_id")),
            "chance": percent(row.get("chance")),
            "worth": "<0.01" if (worth := number(row.get("worth")) or 0.0) < 0.01 else f"{worth:.2f}",
        }
        for row in records(frame)
    ]


def intents(confusion: pd.DataFrame | None, suspects: pd.DataFrame | None) -> dict[str, Any]:
    """Confused intents as a heat map and as pairs, and the intent labels that look wrong.

    Returns
    -------
    dict
        Empty where no tag shows a confusion and no label looks wrong.
    """
    rows = records(confusion)
    wrong = [row for row in rows if text(row["predicted_intent"]) != text(row["true_intent"])]
    doubtful = records(suspects)
    if not wrong and not doubtful:
        return {}
    return {
        "tags": plural(sum(whole(row["tags"]) or 0 for row in wrong), "conversation"),
        "suspected": plural(len(doubtful), "label"),
        "map": _heat(rows, wrong),
        "pairs": [
            {
                "predicted": text(row["predicted_intent"]),
                "true": text(row["true_intent"]),
                "tags": f"{count(row['tags'])} of {count(row['of'])}",
                "share": percent(row["share"]),
                "range": percent_range(row.get("share_low"), row.get("share_high")),
                "a_week": decimal(row.get("a_week")),
                "matters": bool(row.get("matters")),
            }
            for row in wrong[:_PAIRS]
        ],
        "more": max(0, len(wrong) - _PAIRS),
        "suspects": [
            {
                "id": text(row["conversation_id"]),
                "question": line(row.get("question"), 240),
                "label": text(row["label"]),
                "given_by": text(row.get("given_by")),
                "confidence": percent(row["confidence"]),
                "likelier": text(row["likelier"]),
                "likelier_confidence": percent(row["likelier_confidence"]),
            }
            for row in doubtful[:_SUSPECTS]
        ],
    }


def _heat(rows: list[dict[str, Any]], wrong: list[dict[str, Any]]) -> dict[str, Any]:
    """A square of shares, predicted by true, over the intents that are confused most; empty with fewer than two."""
    names: list[str] = []
    for row in wrong:  # the costliest pairs come first
        names += [name for name in (text(row["predicted_intent"]), text(row["true_intent"])) if name not in names]
    names = sorted(names[:_INTENTS])
    cell = {(text(row["predicted_intent"]), text(row["true_intent"])): row for row in rows}
    if len(names) < 2:
        return {}
    return {
        "names": names,
        "rows": [{"name": p, "cells": [_cell(cell.get((p, t)), p == t) for t in names]} for p in names],
    }


def _cell(row: dict[str, Any] | None, right: bool) -> dict[str, str]:
    share = number(row["share"]) if row else None
    if row is None or share is None:
        return {"shade": "", "shown": "", "note": ""}
    shade = min(_SHADES, 1 + int(share * 2 * _SHADES)) if not right else 0
    ids = len(items(row.get("conversation_ids")))
    return {
        "shade": "hit" if right else f"h{shade}",
        "shown": percent(share),
        "note": plural(ids, "tagged conversation"),
    }
