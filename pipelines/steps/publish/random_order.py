"""The queue of accepted gaps by lot, and the effect of fixes that the lot makes causal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.backlog.lifecycle import IN_PROGRESS, Decision, in_force
from lacuna.models.impact.fixes import Fix, weekly
from lacuna.models.impact.random_order import QueuedGap, out_of_turn, stepped_wedge, suggested_order
from lacuna.pipelines.gaps.decisions import decided
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.state.repository import open_state

__all__ = ["random_order"]

COLUMNS = ["gap_id", "title", "place", "accepted_on", "fixed_on", "out_of_turn"]
_FACTS = ["conversation_id", "week", "subtopic_id", "cited_first", "p_failed", "escalated"]


def random_order(job: Job, backlog: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any] | None]:
    """The accepted gaps that wait or were fixed, in the order that the lot suggests; and the effect of those fixes.

    Returns
    -------
    DataFrame, dict or None
        The columns of `random_order` in `published.toml`, empty where ``[impact] randomise`` is off; and fewer, low,
        high, p_value, fixed, waited (:class:`models.impact.random_order.WedgeEffect`) with causal (bool: nothing was
        fixed out of turn), None where nothing can be compared yet.
    """
    table = pd.DataFrame(columns=COLUMNS)
    if not job.settings.impact.randomise:
        return table, None
    accepted = _accepted_on(job)
    fixed = [
        row for row in records(job.read("rank/impact")) if row["gap_id"] in accepted and row.get("credited") is not True
    ]
    waiting = [row for row in records(backlog) if row["status"] in IN_PROGRESS and row["gap_id"] in accepted]
    known = {str(row["gap_id"]): row for row in [*waiting, *fixed]}
    if not known:
        return table, None
    seed = job.settings.run.seed
    queue = _queue(job, known, accepted)
    late = set(out_of_turn(queue, seed))
    table = pd.DataFrame(
        [
            (gap, str(known[gap]["title"]), place, accepted[gap], known[gap].get("fixed_on"), gap in late)
            for gap, place in suggested_order(known, seed).items()
        ],
        columns=COLUMNS,
    )
    effect = stepped_wedge(queue, job.settings.accuracy.confidence, seed)
    return table, None if effect is None else effect._asdict() | {"causal": not late}


def _accepted_on(job: Job) -> dict[str, str]:
    """The day, in the data's time, on which each gap was first accepted, of those whose acceptance stands."""
    with open_state(job.settings, job.store) as state:
        decisions = decided(state, up_to=job.run_id)
    return {gap: day for gap, of_gap in decisions.items() if (day := _first_accepted(of_gap)) is not None}


def _first_accepted(decisions: Sequence[Decision]) -> str | None:
    standing = [decision for decision in in_force(decisions) if decision.verb == "accept"]
    return (standing[0].run_id or standing[0].at.date().isoformat()) if standing else None


def _queue(job: Job, known: Mapping[str, Mapping[str, Any]], accepted: Mapping[str, str]) -> list[QueuedGap]:
    facts = job.read("measure/facts", _FACTS)
    weeks = sorted(facts["week"].unique())
    # The first and the last week may be there in part alone; the others are whole.
    inside = [week for week in weeks if date.fromisoformat(week) + timedelta(days=6) <= job.end]
    queue = []
    for gap, row in sorted(known.items()):
        fixed_on = row.get("fixed_on")
        if fixed_on:
            series = {str(each["week"]): each for each in row["weekly"]}
        else:
            article = row["article_id"] if isinstance(row["article_id"], str) else None
            own = Fix(gap, str(row["kind"]), job.end, tuple(row["subtopics"]), article)
            series = {str(each["week"]): each for each in weekly(facts, own, ())}
        counts = [
            [float(series[week][name]) if week in series else 0.0 for week in inside]
            for name in ("conversations", "failed")
        ]
        waits_from = sum(week <= accepted[gap] for week in inside)  # whole weeks after the day of acceptance
        at = None if not fixed_on else sum(week <= fixed_on for week in inside) - 1
        queue.append(QueuedGap(gap, waits_from, at, np.array(counts[0]), np.array(counts[1])))
    return queue
