"""The ids of a run's gaps: those of the known gaps that they are, and new ones for the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from lacuna.models.backlog.matching import heirs, match_gaps, subject
from lacuna.pipelines.presentation.spreadsheet import records

__all__ = ["gap_ids", "moves", "subtopics_since"]


def gap_ids(
    gaps: Sequence[Mapping[str, Any]],
    before: Sequence[Mapping[str, Any]],
    events: pd.DataFrame,
    run_id: str,
    previous: str | None,
) -> list[str]:
    """The id of each gap of a run.

    Parameters
    ----------
    gaps
        kind, article_id, other_article_id, subtopics.
    before
        The latest row of every gap of earlier runs: gap_id, run_id, kind, article_id, topic_id; other_article_id and
        subtopics where recorded.
    events
        What happened to subtopics up to this run: run_id, subtopic_id, event, related.
    run_id, previous
        This run and the one before it.
    """
    told = moves(events)
    known = []
    for row in before:
        subtopics, later = subtopics_since(row, told)
        known.append({**row, "subtopics": subtopics, "heirs": later})
    found = match_gaps(gaps, known, previous)
    taken = {str(row["gap_id"]) for row in before}
    named: dict[int, str] = {}
    for i in sorted(range(len(gaps)), key=lambda i: (str(gaps[i]["kind"]), list(gaps[i]["subtopics"]))):
        named[i] = found[i] or _new(gaps[i], run_id, taken)
        taken.add(named[i])
    return [named[i] for i in range(len(gaps))]


def moves(events: pd.DataFrame) -> list[dict[str, Any]]:
    """The splits and mergers among subtopics' events, the oldest first."""
    return records(events[events["event"].isin(["split", "merge"])].sort_values(["run_id", "subtopic_id"]))


def subtopics_since(row: Mapping[str, Any], told: Sequence[Mapping[str, Any]]) -> tuple[list[str], set[str]]:
    """The subtopics of a gap's latest row, and those that came of them since (by :func:`moves`).

    A row from before there were two levels has topics alone, which went on as subtopics.
    """
    own = [str(each) for each in row.get("subtopics") or row.get("topics") or [row["topic_id"]]]
    return own, heirs(own, [event for event in told if event["run_id"] > row["run_id"]])


def _new(gap: Mapping[str, Any], run_id: str, taken: Collection[str]) -> str:
    """An id that says what the gap is about, and the same one if the run is done again."""
    about = f"topic:{gap['subtopics'][0]}" if subject(gap)[0] == "missing" else f"{gap['kind']}:{gap['article_id']}"
    # What this id stands for may have gone on as another gap: then the run makes the difference.
    for name in (about, f"{about}:{run_id}", f"{about}:{run_id}:{gap['subtopics'][0]}"):
        found = "g-" + hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
        if found not in taken:
            return found
    raise AssertionError(f"two gaps about {about} in one run")
