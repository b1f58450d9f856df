"""A run's gaps and their past: ids, status, owner by people's choice, and what moved since the run before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_records import Carried
from lacuna.models.backlog.lifecycle import GapState, gap_state, last_targets, status_at_run
from lacuna.models.backlog.precision import Precision, by_kind
from lacuna.pipelines.gaps.decisions import decided
from lacuna.pipelines.gaps.ids import gap_ids
from lacuna.pipelines.gaps.status import as_decided, as_found
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.state.repository import open_state

__all__ = ["Past", "name_gaps", "read_past", "with_history"]


@dataclass(frozen=True)
class Past:
    """What a run reads of earlier ones: the run before, each gap's latest row, subtopics' events, people's decisions.

    ``replaced`` are the rows that this run recorded when it was made before.
    """

    run_id: str
    previous: str | None
    before: Mapping[str, Mapping[str, Any]] = field(repr=False)
    replaced: Mapping[str, Mapping[str, Any]] = field(repr=False)
    events: pd.DataFrame = field(repr=False)
    lives: Mapping[str, GapState] = field(repr=False)
    precision: Sequence[Precision]


def read_past(job: Job) -> Past:
    """Read earlier runs, and the decisions made while this run or an earlier one was the latest."""
    with open_state(job.settings, job.store) as state:
        previous, before, events = (
            state.previous_run(job.run_id),
            state.gaps_before(job.run_id),
            state.subtopic_events(),
        )
        decisions, replaced = decided(state, up_to=job.run_id), state.gaps_of(job.run_id)
    events_of_run = job.read("understand/subtopic_events").assign(run_id=job.run_id)
    events = pd.concat([events[events["run_id"] < job.run_id], events_of_run])
    lives = last_targets({gap: gap_state(gap_decisions) for gap, gap_decisions in decisions.items()})
    precision = by_kind(decisions, job.settings.accuracy.confidence)
    return Past(job.run_id, previous, _by_id(before), _by_id(replaced), events, lives, precision)


def _by_id(rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Each gap's row as it was found: by that, and not by what people made of it, later runs know it again."""
    return {str(row["gap_id"]): as_found({**row, **(row["extra"] or {})}) for row in records(rows)}


def name_gaps(gaps: pd.DataFrame, past: Past) -> pd.Series:
    """The id of each gap; a gap of an earlier run keeps its id."""
    rows = records(gaps)
    ids = gap_ids(rows, list(past.before.values()), past.events, past.run_id, past.previous)
    return pd.Series(ids, index=gaps.index, dtype="str")


def with_history(
    gap: Gap,
    past: Past,
    owner_name: Callable[[str], str | None],
    grow_factor: float,
    effect: str | None = None,
) -> Gap:
    """A gap as its past makes it: status, owner by people's choice, first_seen, and what moved since the run before.

    Parameters
    ----------
    gap
        As the run found it, as if it was new.
    named
        Name of an owner by id.
    grow_factor
        A dismissed gap comes back with this many times its conversations.
    effect
        Effect of the published fix; None where it was not measured.
    """
    last_row = past.before.get(gap.gap_id)
    life = past.lives.get(gap.gap_id, GapState())
    # Whoever decided while this run, or a later one, was the latest has seen what this run reports.
    decided_since = life.run_id is not None and life.run_id >= past.run_id
    same_decisions = last_row is not None and int(last_row.get("decided") or 0) == life.decided
    came_back = last_row is not None and last_row["run_id"] != past.previous
    status_before = str(last_row["status"]) if last_row and same_decisions else None
    status, note = status_at_run(
        life, day=past.run_id, seen_before=last_row is not None, was=status_before,
        came_back=came_back and not decided_since, conversations=gap.conversations, grow_factor=grow_factor,
        effect=None if decided_since else effect,
    )  # fmt: skip
    if not note and last_row and status == status_before:
        note = str(last_row.get("status_note") or "")  # the reason for reopening holds until somebody decides
    first_seen = str(last_row["first_seen"]) if last_row else past.run_id
    if status == life.status or (life.status is None and status in ("new", "open")):
        since = life.run_id or first_seen
    else:  # a run set the status
        since = (
            str(last_row.get("status_since") or past.run_id) if last_row and status == status_before else past.run_id
        )
    return replace(
        gap, status=status, status_note=note or _written_for(gap, past), status_since=since, decided=life.decided,
        effect=effect, first_seen=first_seen, carried=_carried(gap, last_row, status, past, came_back),
        **as_decided(gap.as_row(), life, owner_name),
    )  # fmt: skip


def _written_for(gap: Gap, past: Past) -> str:
    """A note that names the gap that the article was written for, if the article once closed a gap."""
    for other, life in sorted(past.lives.items()):
        if gap.article_id and life.article_id == gap.article_id and other != gap.gap_id:
            return f"the article was written for {other} on {life.published_on}"
    return ""


def _carried(gap: Gap, last_row: Mapping[str, Any] | None, status: str, past: Past, came_back: bool) -> Carried:
    if last_row is None:
        return {
            "weeks_open": 0, "previous_rank": None, "previous_score": None, "change": "new", "previous_run": None,
            "previous_status": None, "came_back": False,
        }  # fmt: skip
    previous_rank = int(last_row["rank"])
    change = "same" if previous_rank == gap.rank else "up" if previous_rank > gap.rank else "down"
    days = (pd.Timestamp(past.run_id) - pd.Timestamp(last_row["first_seen"])).days
    return {
        "weeks_open": days // 7, "previous_rank": previous_rank, "previous_score": float(last_row["score"]),
        "change": "reopened" if status == "reopened" != last_row["status"] or came_back else change,
        "previous_run": str(last_row["run_id"]), "previous_status": str(last_row["status"]), "came_back": came_back,
    }  # fmt: skip
