"""Gaps whose demand jumped within days, which stand before all others: somebody should look today."""

from __future__ import annotations

from collections.abc import Iterable

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.lifecycle import CLOSED
from lacuna.pipelines.presentation.format import line
from lacuna.pipelines.report.gap_figures import movement

__all__ = ["incident_sentences", "incidents"]


def _surging(gaps: Iterable[Gap]) -> list[Gap]:
    """The open gaps that surge, the steepest first; none that is too small to act on."""
    surging = [gap for gap in gaps if gap.status not in CLOSED and not gap.folded and movement(gap).surges]
    return sorted(surging, key=lambda gap: (-(movement(gap).ratio or 0.0), gap.gap_id))


def incidents(gaps: Iterable[Gap]) -> list[dict[str, str]]:
    """What the report and the board pin first, in words: title, times (`×10.1`), since (`since 25 Jun`) and rate."""
    rows = []
    for gap in _surging(gaps):
        moving = movement(gap)
        rows.append(
            {
                "id": gap.gap_id,
                "title": line(gap.title, 160) or "Untitled gap",
                "times": moving.times,
                "since": moving.since,
                "rate": moving.rate,
                "owner": gap.owner or "nobody",
            }
        )
    return rows


def incident_sentences(gaps: Iterable[Gap]) -> list[str]:
    """The same as sentences for texts, which begin with `Surging now`."""
    return [f"Surging now: {line(gap.title, 160)} {movement(gap).in_figures()}." for gap in _surging(gaps)]
