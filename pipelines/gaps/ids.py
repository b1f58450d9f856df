"""The ids of a run's gaps: a gap that continues an earlier one keeps its id, the others get new ones."""

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
        Events of subtopics up to this run: run_id, subtopic_id, event, related.
    run_id, previous
        This run and the one before it.
    """
    all_moves = moves(events)
    earlier = []
    for row in before:
        subtopics, successors = subtopics_since(row, all_moves)
        earlier.append({**row, "subtopics": subtopics, "heirs": successors})
    matched = match_gaps(gaps, earlier, previous)
    used_ids = {str(row["gap_id"]) for row in before}
    ids: dict[int, str] = {}
    for i in sorted(range(len(gaps)), key=lambda i: (str(gaps[i]["kind"]), list(gaps[i]["subtopics"]))):
        ids[i] = matched[i] or _new(gaps[i], run_id, used_ids)
        used_ids.add(ids[i])
    return [ids[i] for i in range(len(gaps))]


def moves(events: pd.DataFrame) -> list[dict[str, Any]]:
    """The splits and mergers among subtopics' events, the oldest first."""
    return records(events[events["event"].isin(["split", "merge"])].sort_values(["run_id", "subtopic_id"]))


def subtopics_since(row: Mapping[str, Any], all_moves: Sequence[Mapping[str, Any]]) -> tuple[list[str], set[str]]:
    """The subtopics of a gap's latest row, and their successors since then (by :func:`moves`).

    Rows of older versions have topics alone, which became the subtopics.
    """
    subtopics = [str(each) for each in row.get("subtopics") or row.get("topics") or [row["topic_id"]]]
    return subtopics, heirs(subtopics, [event for event in all_moves if event["run_id"] > row["run_id"]])


def _new(gap: Mapping[str, Any], run_id: str, used_ids: Collection[str]) -> str:
    """An id derived from what the gap is about, the same if the run is repeated."""
    key = f"topic:{gap['subtopics'][0]}" if subject(gap)[0] == "missing" else f"{gap['kind']}:{gap['article_id']}"
    # The id may be taken by an earlier gap that now is about something else: then the run is added.
    for name in (key, f"{key}:{run_id}", f"{key}:{run_id}:{gap['subtopics'][0]}"):
        gap_id = "g-" + hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
        if gap_id not in used_ids:
            return gap_id
    raise AssertionError(f"two gaps about {key} in one run")
