"""Words for the gaps that are too small to act on, and those apart from the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lacuna.models.backlog.gap import Gap
from lacuna.pipelines.presentation.format import decimal, number, plural, record

__all__ = ["apart", "folded_sentence", "least_effect", "small_gap_sentence"]


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
