"""Words for the gaps that are too small to act on or not worth writing, and those apart from the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.lifecycle import UNDECIDED
from lacuna.models.backlog.small_gaps import weeks_to_pay
from lacuna.pipelines.presentation.format import decimal, line, money, number, plural, record, text
from lacuna.pipelines.report.gaps import link_to_gap

__all__ = ["apart", "folded_sentence", "least_effect", "not_worth_writing", "small_gap_sentence"]


def apart(gaps: Sequence[Gap]) -> tuple[list[Gap], list[Gap]]:
    """The gaps to act on, and those that are too small, both in their order."""
    return [gap for gap in gaps if not gap.folded], [gap for gap in gaps if gap.folded]


def least_effect(run: Mapping[str, Any] | None) -> str:
    """The effect below which the run's gaps are too small: `one human-handled conversation a month`."""
    review = record(record(record(run).get("settings")).get("review"))
    least = number(review.get("least_effect_a_month"))
    if least is None or least == 1:
        return "one human-handled conversation a month"
    return f"{decimal(least)} human-handled conversations a month"


def folded_sentence(many: int, run: Mapping[str, Any] | None) -> str:
    """How many gaps are too small to act on, and what that means, as a sentence; "" where there are none."""
    if not many:
        return ""
    gaps, each = plural(many, "gap is", "gaps are"), "it" if many == 1 else "each"
    return f"{gaps} too small to act on: {each} would avoid less than {least_effect(run)}."


def small_gap_sentence(gap: Gap, run: Mapping[str, Any] | None) -> str:
    """That a gap is too small to act on, on its own page; "" for any other."""
    return f"Too small to act on: it would avoid less than {least_effect(run)}." if gap.folded else ""


def not_worth_writing(gaps: Sequence[Gap], run: Mapping[str, Any] | None, currency: str) -> dict[str, Any]:
    """The undecided gaps that would save less within ``[cost] pays_within_weeks`` than an hour of a writer costs.

    Returns
    -------
    dict
        `words` (a sentence) and `rows`, the nearest to being worth it first; empty in a run of an earlier version.
    """
    cost = record(record(record(run).get("settings")).get("cost"))
    hour, weeks = number(cost.get("writer_hour")), number(cost.get("pays_within_weeks"))
    if not hour or not weeks:
        return {"words": "", "rows": []}
    rows = []
    for gap in gaps:
        saved, score = number(gap.cost_avoidable) or 0.0, number(gap.score) or 0.0
        pays = weeks_to_pay(saved, hour)
        if gap.status not in UNDECIDED or gap.due or pays <= weeks:
            continue
        # An interval of the score is one of the money: both are conversations times the same price.
        high = saved * (number(gap.score_high) or score) / score if score > 0 else 0.0
        rows.append(
            {
                "pays": pays,
                "title": line(gap.title, 160),
                "link": link_to_gap(text(gap.gap_id)),
                "saves": f"{money(saved * weeks, currency)} in {decimal(weeks)} weeks",
                "sure": "surely" if weeks_to_pay(high, hour) > weeks else "probably",
            }
        )
    rows.sort(key=lambda row: (row["pays"], row["link"]))
    gaps_are = plural(len(rows), "gap is", "gaps are")
    each = "it" if len(rows) == 1 else "each"
    words = (
        f"{gaps_are} not worth writing: in {decimal(weeks)} weeks {each} would save less than an hour of a writer costs"
    )
    return {"words": f"{words} ({money(hour, currency)})." if rows else "", "rows": rows}
