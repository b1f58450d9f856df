"""Data coverage, for the first screen of the report and of the board."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lacuna.models.data_coverage.coverage import ABSENT, THERE, lacking, unknown
from lacuna.pipelines.presentation.format import line
from lacuna.pipelines.steps.load.coverage import coverage_of

__all__ = ["coverage"]


def coverage(run: Mapping[str, Any]) -> dict[str, Any]:
    """One sentence on what the run can't know, a row for each thing that its data lack, and what they contain.

    Returns
    -------
    dict
        Empty where the run has no coverage recorded (one of an earlier version).
    """
    parts = coverage_of(run)
    if not parts:
        return {}
    return {
        "summary": unknown(parts),
        "rows": [
            {
                "label": _capital(part.label),
                "partly": part.state != ABSENT,
                "figures": part.figures,
                "with_it": ", ".join(part.with_it),
                "cost": line(part.cost),
                "step": _marked(_capital(part.step)),
            }
            for part in lacking(parts)
        ],
        "there": [(part.label, part.figures) for part in parts if part.state == THERE],
    }


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _marked(text: str) -> list[tuple[str, bool]]:
    """A text split at its backticks, as (piece, whether it is code)."""
    return [(piece, bool(place % 2)) for place, piece in enumerate(text.split("`")) if piece]
