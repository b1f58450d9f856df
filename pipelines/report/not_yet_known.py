"""The table of what is too thin to judge: what is still needed, and by when that comes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from lacuna.pipelines.presentation.format import day, decimal, line, plural, record, short_day, text, whole
from lacuna.pipelines.presentation.format import rows as records
from lacuna.pipelines.report.vendor_audit import METRIC_NAMES

__all__ = ["open_questions"]

SHOWN = 12
_NOUNS = {"conversations": ("conversation",), "random tags": ("random tag",)}
_QUESTIONS = {"topic": "Is it a gap?", "fix": "Did it work?", "metric": "Is the vendor's figure true?"}


def open_questions(frame: pd.DataFrame | None, run: dict[str, Any]) -> dict[str, Any]:
    """The rows with a day, fixes and metrics before topics, and a sentence on those that waiting does not settle.

    Parameters
    ----------
    frame : DataFrame or None
        `not_yet_known.parquet`.
    run : dict
        `run.json`, for the window: what an earlier start of the window holds could be told now.
    """
    today = day(record(run.get("window")).get("end"))
    rows = records(frame)
    dated = [row for row in rows if text(row.get("by"))]
    dated.sort(key=lambda row: (text(row.get("what")) == "topic", text(row.get("by")), text(row.get("id"))))
    never = len(rows) - len(dated)
    questions = plural(never, "other question" if dated else "question")
    return {
        "rows": [_question(row, today) for row in dated[:SHOWN]],
        "left": max(0, len(dated) - SHOWN),
        "shown": plural(len(dated), "question that time will settle", "questions that time will settle"),
        "never": f"{questions} would not be settled within a year by waiting alone." if never else "",
    }


def _question(row: dict[str, Any], today: date | None) -> dict[str, str]:
    what, more, days = text(row.get("what")), whole(row.get("more")) or 0, whole(row.get("window_days"))
    name = METRIC_NAMES.get(text(row.get("id")), ("",))[0] if what == "metric" else ""
    return {
        "name": name or line(row.get("name"), 160),
        "question": _QUESTIONS.get(what, ""),
        "why": text(row.get("why"), 400),
        "more": plural(more, *_NOUNS.get(text(row.get("of")), ("",))) if more else "time alone",
        "rate": f"{decimal(row.get('a_week'))} a week",
        "by": "now" if day(row.get("by")) == today else short_day(row.get("by"), year=True),
        "window": f"in a window of {plural(days, 'day')}" if days else "",
    }
