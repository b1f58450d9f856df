"""The accepted gaps in the order of the lot, and what it makes of their effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lacuna.pipelines.presentation.format import confidence_text, line, number, plural, record, short_day, text, whole
from lacuna.pipelines.presentation.format import rows as records

__all__ = ["by_lot"]


def by_lot(frame: pd.DataFrame | None, run: dict[str, Any]) -> dict[str, Any]:
    """The queue's rows, how many wait, and a sentence on the effect.

    Parameters
    ----------
    frame : DataFrame or None
        `random_order.parquet`.
    run : dict
        `run.json`: `random_order` has the effect.
    """
    rows = records(frame)
    waiting = [row for row in rows if not text(row.get("fixed_on"))]
    return {
        "rows": [{"title": line(row["title"], 160), "state": _state(row)} for row in rows],
        "waiting": f"{plural(len(waiting), 'gap waits', 'gaps wait')}"
        + (f", next: {line(waiting[0]['title'], 120)}" if waiting else ""),
        "sentence": _sentence(record(run.get("random_order")), confidence_text(run)),
    }


def _state(row: Mapping[str, Any]) -> str:
    if not text(row.get("fixed_on")):
        return f"accepted {short_day(row.get('accepted_on'), year=True)}, waits"
    turn = ", out of turn" if row.get("out_of_turn") else ""
    return f"fixed {short_day(row['fixed_on'], year=True)}{turn}"


def _sentence(effect: Mapping[str, Any], sure: str) -> str:
    fewer, low, high = (number(effect.get(name)) for name in ("fewer", "low", "high"))
    if fewer is None or low is None or high is None:
        return "Nothing to compare yet: it takes weeks in which some of these gaps are fixed and others still wait."
    figures = (
        f"Of 100 answers, {fewer * 100:.0f} fewer fail in a fixed gap than in one that waits (between {low * 100:.0f} "
        f"and {high * 100:.0f} with {sure} confidence), by {plural(whole(effect.get('fixed')) or 0, 'fixed gap')} "
        f"beside {plural(whole(effect.get('waited')) or 0, 'gap')} that waited."
    ).replace("-", "−")
    if effect.get("causal") is True:
        return f"{figures} The order was drawn by lot and kept: this is what fixing causes."
    return f"{figures} Some were fixed out of turn, so that a choice may be part of it: no causal estimate."
