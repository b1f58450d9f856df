"""A run: seven steps over one bundle and one window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lacuna.data_contracts.errors import NothingToMine
from lacuna.pipelines.io.addresses import StorePath, is_local, store_path
from lacuna.pipelines.io.bundle import read_bundle, refuse
from lacuna.pipelines.io.run_files import run_table
from lacuna.pipelines.io.run_folders import find_run, run_place
from lacuna.pipelines.io.store import usable
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.runtime.parts import shards_of_part
from lacuna.pipelines.runtime.runner import (
    begin,
    begun,
    check_worker,
    finish,
    perform,
    perform_alone,
    published,
    resume,
)
from lacuna.pipelines.runtime.window import resolve_window, scheduled_window
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.leases import lease
from lacuna.pipelines.state.repository import check_named
from lacuna.pipelines.steps import PARTS, STEPS, Step, part_named, step_named

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RunResult", "make_job", "plan_scheduled", "run", "run_part", "run_step", "shards_for"]


@dataclass(frozen=True)
class RunResult:
    """What became of a run: its id, its folder, and whether it was published, replaced, or there already.

    ``address`` is where it was published; ``folder`` is that place, or a copy on this machine of one that is not.
    """

    run_id: str
    address: StorePath
    folder: Path
    state: Literal["published", "replaced", "unchanged"]

    @property
    def backlog(self) -> pd.DataFrame:
        """The ranked backlog, one row a gap."""
        return run_table(self.folder / "backlog.parquet")


def make_job(
    bundle: str,
    store: str | StorePath,
    start: str | date | None = None,
    end: str | date | None = None,
    config: str | None = None,
) -> Job:
    """Read the settings, resolve the window, and return the job; nothing is written.

    Raises
    ------
    SettingsInvalid
        A setting or a day is wrong, the store is where none can be, or it lacks a state database.
    NothingToMine
        No window is given and the bundle has no conversation.
    """
    place = store_path(store)
    settings = load_settings(config)
    check_named(settings, place)
    first, last = resolve_window(start, end, settings, str(bundle))
    return Job(str(bundle), place, first, last, config, settings)


def run(
    bundle: str,
    store: str | StorePath,
    start: str | date | None = None,
    end: str | date | None = None,
    config: str | None = None,
    *,
    force: bool = False,
    steps: Sequence[Step] | None = None,
) -> RunResult:
    """Run the pipeline over a bundle and publish ``<store>/runs/<last day>``.

    The same input again changes nothing; changed input replaces the run in one step; a run that was interrupted goes
    on from the first step that was not done.

    Parameters
    ----------
    bundle
        Folder or fsspec URL of the input.
    store
        Folder, or fsspec URL, of runs, caches and state; made where missing.
    start, end
        First and last day, both included; the default is the bundle's last ``[window] days``.
    config
        Path of a settings file, or None.
    force
        Do everything again, even where nothing changed.
    steps
        The steps' functions; all seven by default.

    Raises
    ------
    LacunaError
        Anything that a user can put right; the message says how.
    """
    job = make_job(bundle, store, start, end, config)
    # The store may go away at any moment, and be asked anywhere.
    with usable(job.store, disk_only=True), lease(job.settings, job.store, job.run_id) as held:
        job = replace(job, lease=held)
        if not begin(job, force):
            return _result(job, "unchanged")
        there = run_place(job.store, job.run_id) is not None
        resume(job, steps or [step_named(name) for name in STEPS])
        finish(job)
        return _result(job, "replaced" if there else "published")


def _result(job: Job, state: Literal["published", "replaced", "unchanged"]) -> RunResult:
    place = run_place(job.store, job.run_id) or job.folder
    return RunResult(job.run_id, place, find_run(job.store, job.run_id), state)


def plan_scheduled(
    params: Mapping[str, Any], interval_start: datetime | None = None, interval_end: datetime | None = None
) -> dict[str, str | None] | None:
    """Get a scheduled run ready: its job as plain data, or None where the same input has been published already.

    Parameters
    ----------
    params
        ``bundle`` and ``store``; ``start``, ``end`` and ``config`` may be left out.
    interval_start, interval_end
        The schedule's data interval, where it has one.

    Raises
    ------
    LacunaError
        As :func:`run`.
    """
    # Tasks may run in other folders than this one: what they are handed must not depend on it.
    bundle, config = (_absolute(params.get(name)) for name in ("bundle", "config"))
    store = store_path(params["store"])
    if is_local(store):
        store = store.absolute()
    interval = (interval_start, interval_end) if interval_start and interval_end else None
    days = scheduled_window(params.get("start"), params.get("end"), interval, store, load_settings(config), str(bundle))
    job = make_job(str(bundle), store, *days, config=config)
    _refuse_empty(job)
    with usable(job.store, disk_only=True), lease(job.settings, job.store, job.run_id) as held:
        return job.as_json() if begin(replace(job, lease=held), scheduled=True) else None


def _refuse_empty(job: Job) -> None:
    """Raise an error if the window has no conversation, before seven tasks are started for nothing."""
    read = read_bundle(job.bundle, ["conversations"], job.settings.input)
    refuse(read.problems)
    started = read.tables["conversations"].frame["started_at"]
    if not started.between(job.start_ts, job.end_ts, inclusive="left").any():
        first, last = started.min(), started.max()
        held_days = f"it holds those from {first.date()} to {last.date()}" if started.notna().any() else "it holds none"
        raise NothingToMine(
            f"no conversation of {job.bundle} started from {job.start} to {job.end}: {held_days}",
            "see that the export ran and reached its end, or trigger the run again with other days",
        )


def _absolute(path: str | None) -> str | None:
    return str(Path(path).absolute()) if path and "://" not in path else path or None


def run_step(name: str, job_json: dict[str, str | None]) -> dict[str, str | None]:
    """Perform one step, all parts of it, by name; the job is plain data (:func:`plan_scheduled`)."""
    job = Job.from_json(job_json)
    with _at_work(job, job.run_id) as working:
        if working:
            perform(working, step_named(name), STEPS)
            if name == STEPS[-1]:
                finish(working)
    return job_json


@contextmanager
def _at_work(job: Job, name: str) -> Iterator[Job | None]:
    """Give the job, with the lease ``name``; None where the run is published: a task that had ended is tried again."""
    with usable(job.store, disk_only=True), lease(job.settings, job.store, name) as held:
        job = replace(job, lease=held)
        if not begun(job) and published(job):
            yield None
            return
        check_worker(job)
        yield job


def shards_for(step: str, part: str, job_json: dict[str, str | None]) -> list[str | None]:
    """The shards that a part of a step is performed for, for a scheduler; None alone for one that is performed once."""
    job = Job.from_json(job_json)
    with usable(job.store, disk_only=True):
        return shards_of_part(job, part_named(step, part))


def run_part(step: str, part: str, job_json: dict[str, str | None], shard: str | None = None) -> dict[str, str | None]:
    """Perform one part of a step by name for a scheduler, which hands the job from task to task as plain data.

    Parts of several shards may be performed at once, each by another worker.

    Parameters
    ----------
    step, part
        As in :data:`pipelines.steps.PARTS`.
    job_json
        From :func:`plan_scheduled`.
    shard
        One of :func:`shards_for`.

    Raises
    ------
    LacunaError
        As :func:`run`; another worker performs the same part, or another run of the same window goes on.
    """
    job, chosen = Job.from_json(job_json), part_named(step, part)
    name = job.run_id if chosen.by_shards_of is None else f"{job.run_id}/{step}/{part}/{shard or 'whole'}"
    with _at_work(job, name) as working:
        if working:
            perform_alone(working, chosen, shard)
            if chosen == PARTS[-1]:
                finish(working)
    return job_json
