"""A run's gaps and their past: ids, status, owner by people's choice, and what moved since the run before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_records import Carried
from lacuna.models.backlog.lifecycle import Life, last_targets, life_of, status_in
from lacuna.models.backlog.precision import Precision, by_kind
from lacuna.pipelines.gaps.decisions import decided
from lacuna.pipelines.gaps.ids import gap_ids
from lacuna.pipelines.gaps.status import as_decided
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.state.repository import open_state

__all__ = ["Past", "name_gaps", "read_past", "with_history"]


@dataclass(frozen=True)
class Past:
    """What was known before a run: the run before, each gap's latest row, subtopics' events, people's decisions.

    ``replaced`` are the rows that this very run recorded when it was made before.
    """

    run_id: str
    previous: str | None
    before: Mapping[str, Mapping[str, Any]] = field(repr=False)
    replaced: Mapping[str, Mapping[str, Any]] = field(repr=False)
    events: pd.DataFrame = field(repr=False)
    lives: Mapping[str, Life] = field(repr=False)
    precision: Sequence[Precision]


def read_past(job: Job) -> Past:
    """Read what the run may know: earlier runs, and decisions made when this run or an earlier was the latest."""
    with open_state(job.settings, job.store) as state:
        previous, before, events = (
            state.previous_run(job.run_id),
            state.gaps_before(job.run_id),
            state.subtopic_events(),
        )
        told, replaced = decided(state, up_to=job.run_id), state.gaps_of(job.run_id)
    now = job.read("understand/subtopic_events").assign(run_id=job.run_id)
    events = pd.concat([events[events["run_id"] < job.run_id], now])
    lives = last_targets({gap: life_of(said) for gap, said in told.items()})
    precision = by_kind(told, job.settings.accuracy.confidence)
    return Past(job.run_id, previous, _by_id(before), _by_id(replaced), events, lives, precision)


def _by_id(rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    return {str(row["gap_id"]): {**row, **(row["extra"] or {})} for row in records(rows)}


def name_gaps(gaps: pd.DataFrame, past: Past) -> pd.Series:
    """The id of each gap, known ones under their old ids."""
    rows = records(gaps)
    found = gap_ids(rows, list(past.before.values()), past.events, past.run_id, past.previous)
    return pd.Series(found, index=gaps.index, dtype="str")


def with_history(
    gap: Gap,
    past: Past,
    named: Callable[[str], str | None],
    grow_factor: float,
    effect: str | None = None,
) -> Gap:
    """A gap as its past makes it: status, owner by people's choice, first_seen, and what moved since the run before.

    Parameters
    ----------
    gap
        As the run found it, as if it was new.
    named
        Gives the name of an owner whom people chose.
    grow_factor
        How many times as large a dismissed gap must be to come back.
    effect
        What the published fix did; None where that is not known.
    """
    known = past.before.get(gap.gap_id)
    life = past.lives.get(gap.gap_id, Life())
    # Who decided on this run's view, or a later one, has seen what the run is about to find.
    seen = life.run_id is not None and life.run_id >= past.run_id
    settled = known is not None and int(known.get("decided") or 0) == life.decided
    came_back = known is not None and known["run_id"] != past.previous
    was = str(known["status"]) if known and settled else None
    status, note = status_in(
        life, day=past.run_id, seen_before=known is not None, was=was, came_back=came_back and not seen,
        conversations=gap.conversations, grow_factor=grow_factor, effect=None if seen else effect,
    )  # fmt: skip
    if not note and known and status == was:
        note = str(known.get("status_note") or "")  # what reopened it still holds while nobody has decided
    first = str(known["first_seen"]) if known else past.run_id
    if status == life.status or (life.status is None and status in ("new", "open")):
        since = life.run_id or first
    else:  # what a run made of it
        since = str(known.get("status_since") or past.run_id) if known and status == was else past.run_id
    return replace(
        gap, status=status, status_note=note or _written_for(gap, past), status_since=since, decided=life.decided,
        effect=effect, first_seen=first, carried=_carried(gap, known, status, past, came_back),
        **as_decided(gap.as_row(), life, named),
    )  # fmt: skip


def _written_for(gap: Gap, past: Past) -> str:
    """Which gap the article was written for, where something is wrong with an article that closed one."""
    for other, life in sorted(past.lives.items()):
        if gap.article_id and life.article_id == gap.article_id and other != gap.gap_id:
            return f"the article was written for {other} on {life.published_on}"
    return ""


def _carried(gap: Gap, known: Mapping[str, Any] | None, status: str, past: Past, came_back: bool) -> Carried:
    if known is None:
        return {
            "weeks_open": 0, "previous_rank": None, "previous_score": None, "change": "new", "previous_run": None,
            "previous_status": None, "came_back": False,
        }  # fmt: skip
    old = int(known["rank"])
    moved = "same" if old == gap.rank else "up" if old > gap.rank else "down"
    days = (pd.Timestamp(past.run_id) - pd.Timestamp(known["first_seen"])).days
    return {
        "weeks_open": days // 7, "previous_rank": old, "previous_score": float(known["score"]),
        "change": "reopened" if status == "reopened" != known["status"] or came_back else moved,
        "previous_run": str(known["run_id"]), "previous_status": str(known["status"]), "came_back": came_back,
    }  # fmt: skip
