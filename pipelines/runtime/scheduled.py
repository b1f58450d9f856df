"""What a scheduler's tasks need besides the parts: retry or not, what to look at, what was or will be published."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from lacuna.data_contracts.errors import (
    BundleUnreadable,
    ContractBroken,
    LacunaError,
    NotDelivered,
    SettingsInvalid,
    SourceUnreadable,
    StoreUnusable,
    WorkerUnfit,
)
from lacuna.pipelines.io.addresses import worth_a_retry
from lacuna.pipelines.io.run_folders import run_place
from lacuna.pipelines.presentation.markdown import inline
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.runtime.runner import BundleChanging

__all__ = ["approval_text", "log_failure", "published_run", "retry_mends", "what_to_look_at"]

_log = logging.getLogger(__name__)
_GAPS_SHOWN = 10


def retry_mends(error: LacunaError) -> bool:
    """Whether the same task may succeed in a while, with nothing changed by a person.

    True for a lock, a full disk or a busy database, for a bundle that is being written or whose server does not answer,
    for a source that does not answer or whose limit is used up, and for a message that was not accepted. Broken
    contracts, empty windows and wrong settings need a person.
    """
    if isinstance(error, BundleUnreadable):
        return isinstance(error, BundleChanging) or worth_a_retry(error)
    if isinstance(error, SourceUnreadable):
        return not error.is_lasting
    return isinstance(error, StoreUnusable | NotDelivered)


def what_to_look_at(task: str, params: Mapping[str, Any], error: BaseException | None) -> str:
    """One or two sentences for whoever is on call: where to look first after a task failed for good.

    Parameters
    ----------
    task
        The task's id.
    params
        The run's parameters, of which ``bundle``, ``store`` and ``config`` are named.
    error
        What the task ended with; None where its worker was killed.
    """
    # A scheduler's own error replaces ours, and keeps it as its context.
    cause = error if isinstance(error, LacunaError) or error is None else error.__context__
    bundle, store, config = (params.get(name) for name in ("bundle", "store", "config"))
    if error is None:
        return (
            "the worker's own log and its memory at that time: the task ended without an error of ours, so it was "
            "killed, mostly for want of memory, or lost the scheduler. What was done is kept"
        )
    if isinstance(cause, ContractBroken | BundleUnreadable):
        return f"the bundle {bundle}: `lacuna check {bundle}` lists all that is wrong with it"
    if isinstance(cause, WorkerUnfit):
        return "the versions that the message names: install the same on every worker, then clear 'plan'"
    if isinstance(cause, SettingsInvalid):
        return f"the settings file {config or '(none: the defaults, or a parameter of this run)'}, at the setting named"
    if isinstance(cause, SourceUnreadable):
        return (
            f"the source, at the address in {config}: `lacuna sources check` asks it the same. What was pulled is kept"
        )
    if isinstance(cause, NotDelivered):
        return "the section [delivery] of the settings; the run is published, and clearing this task sends what failed"
    if isinstance(cause, StoreUnusable):
        return f"the store {store}: who holds the run, whether there is room, and whether its state database answers"
    if task == "approve":
        return "nobody answered in time: ask whoever approves, and clear 'approve'"
    return f"the traceback above: an error that Lacuna does not expect. Bundle {bundle}, store {store}; see also 'plan'"


def log_failure(
    task: str, map_index: int, attempt: int, params: Mapping[str, Any], error: BaseException | None
) -> None:
    """Log which task failed, for which shard, at which attempt, and what to look at."""
    shard = f" [{map_index}]" if map_index >= 0 else ""
    look = what_to_look_at(task, params, error)
    _log.error("%s%s failed at attempt %s.\nWhat to look at: %s.", task, shard, attempt, look)


def published_run(job_json: Mapping[str, str | None]) -> dict[str, str]:
    """What a published backlog's event says: ``run_id``, ``store``, and ``run``, the address of the run's files."""
    job = Job.from_json(dict(job_json))
    place = run_place(job.store, job.run_id) or job.folder
    return {"run_id": job.run_id, "store": str(job.store), "run": str(place)}


def approval_text(job_json: Mapping[str, str | None]) -> str:
    """What somebody who has to approve a run sees of it, as Markdown: its window and the first gaps of its backlog."""
    job = Job.from_json(dict(job_json))
    backlog = job.read("rank/backlog").sort_values("rank")
    gaps = "gap" if len(backlog) == 1 else "gaps"
    lines = [f"**{job.start} to {job.end}**, {inline(job.bundle)}: {len(backlog):,} {gaps} ready to be published.", ""]
    first = backlog.head(_GAPS_SHOWN).to_dict("records")
    lines += [f"{row['rank']}. {inline(row['title'])} ({row['kind']})" for row in first]
    if len(backlog) > _GAPS_SHOWN:
        lines.append(f"\nand {len(backlog) - _GAPS_SHOWN:,} more.")
    return "\n".join(lines)
