"""How steps are run: once for the same input, resumed after a crash, one process at a time for each run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import fsspec

from lacuna.data_contracts.contract import INPUTS
from lacuna.data_contracts.errors import BundleUnreadable, StoreUnusable, WorkerUnfit
from lacuna.pipelines.embedders.choice import AUTO, MULTILINGUAL
from lacuna.pipelines.embedders.registry import embedder
from lacuna.pipelines.io.addresses import StorePath, unreachable
from lacuna.pipelines.io.processes import remove_abandoned_files
from lacuna.pipelines.io.publishing import clean_leftovers, leftovers
from lacuna.pipelines.io.raw_texts import add_mark, are_whole, holds_raw_texts, remove_raw_texts
from lacuna.pipelines.io.run_folders import run_place
from lacuna.pipelines.io.store import check_writable, remove_folder, usable
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.runtime.parts import cost_of, forget_parts, perform_part, shards_of_part
from lacuna.pipelines.state.dead_runs import SCHEDULED, clear_dead_runs
from lacuna.pipelines.state.leases import lease
from lacuna.pipelines.state.repository import open_state
from lacuna.pipelines.steps import STEPS, Part, Step, parts_of, step_named

__all__ = [
    "BundleChanging",
    "begin",
    "begun",
    "check_worker",
    "file_hashes",
    "finish",
    "input_hash",
    "perform",
    "perform_alone",
    "published",
    "resume",
    "version",
]


_RESTORED_WITHIN = 3600.0  # seconds that the tasks of a run wait for the one that loads its texts again


class BundleChanging(BundleUnreadable):
    """The bundle changes while it is read; once it is complete it will be readable."""


def version() -> str:
    """The installed version of Lacuna."""
    try:
        return metadata.version("lacuna-kb")
    except metadata.PackageNotFoundError:
        return "0+unknown"


def file_hashes(bundle: str) -> dict[str, str]:
    """SHA-256 of every file of the bundle's tables, by its path in the bundle.

    Raises
    ------
    BundleUnreadable
        The folder or a file can't be read.
    """
    try:
        fs, root = fsspec.core.url_to_fs(bundle)
        root = root.rstrip("/")
        paths = {path[len(root) :].lstrip("/"): path for path in fs.find(root)}
        of_tables = {name: path for name, path in paths.items() if name.split("/")[0].split(".")[0] in INPUTS}
        return {name: _sha256(fs, path) for name, path in sorted(of_tables.items())}
    except Exception as error:  # every file system has errors of its own
        raise unreachable(bundle, error) from error


def _sha256(fs: Any, path: str) -> str:
    digest = hashlib.sha256()
    with fs.open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def input_hash(job: Job, files: dict[str, str]) -> str:
    """A hash of all that can change a run: files, window, settings, version, earlier runs and decisions."""
    settings = job.settings.that_decide()
    with open_state(job.settings, job.store) as state:
        state_hash = state.fingerprint(job.run_id)
    parts = [files, job.start.isoformat(), job.end.isoformat(), settings, version(), state_hash]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def begin(job: Job, force: bool = False, scheduled: bool = False) -> bool:
    """Prepare the store for the job; False where the same input has been published already.

    The work folder of an interrupted run of the same input is kept; any other content of it is deleted. ``scheduled``
    says that the run is performed in tasks, and that nobody holds it between them.

    Raises
    ------
    StoreUnusable
        The store can't be written, or the state database can't be used.
    BundleUnreadable
        A file can't be read.
    """
    check_writable(job.store)
    _clean_up(job)
    files = file_hashes(job.bundle)
    digest = input_hash(job, files)
    if not force and published(job) == digest:
        finish(job)
        return False
    model = _model(job)
    if force or begun(job) != digest or job.read_json("run").get("embedder") != model:
        remove_folder(job.work)
    _make_private(job.work)
    if scheduled:
        job.write_json(SCHEDULED, {"since": datetime.now(UTC).isoformat(timespec="seconds")})
    else:
        job.path(f"{SCHEDULED}.json").unlink(missing_ok=True)
    if not job.path("run.json").exists():
        with open_state(job.settings, job.store) as state:
            previous = state.previous_run(job.run_id)
        job.write_json("settings", job.settings.that_decide())
        plan = {"input_hash": digest, "files": files, "previous_run": previous, "version": version(), "embedder": model}
        job.write_json("run", plan)
    return True


def _make_private(folder: StorePath) -> None:
    """Make a work folder that its owner alone can look into: texts lie there as they came in."""
    if isinstance(folder, Path):
        with usable(folder, disk_only=True):
            folder.mkdir(parents=True, exist_ok=True)
            for place in (folder.parent, folder):
                with suppress(PermissionError):  # another user's, who has seen to it
                    place.chmod(0o700)


def _clean_up(job: Job) -> None:
    """Put right what crashes left in the store, save what another worker may be building."""
    if isinstance(job.store, Path):
        remove_abandoned_files(job.store)
    clear_dead_runs(job.settings, job.store, but=job.run_id)
    clean_leftovers(job.store, job.run_id)
    for run_id in sorted(leftovers(job.store) - {job.run_id}):
        with suppress(StoreUnusable), lease(job.settings, job.store, run_id):
            clean_leftovers(job.store, run_id)


def _model(job: Job) -> dict[str, str]:
    """All that ``auto`` may come to stand for, or the embedder that was set."""
    model = embedder(MULTILINGUAL if job.settings.embedder.name == AUTO else job.embedder)
    return {"name": model.name, "version": model.version}


def check_worker(job: Job) -> None:
    """Refuse to work on a run that was planned with another version of Lacuna, or of the embedder, than this one.

    Raises
    ------
    WorkerUnfit
        The versions differ; the message names both.
    StoreUnusable
        The store holds no plan of the run, or can't be read.
    """
    with usable(job.store, disk_only=True):
        try:
            plan = job.read_json("run")
        except FileNotFoundError as error:
            raise StoreUnusable(f"{job.work} holds no plan of run {job.run_id}", "plan the run again") from error
    planned, model = plan.get("embedder"), _model(job)
    named = {"Lacuna": (plan["version"], version())}
    if planned is not None:
        named["the embedder"] = (f"{planned['name']} {planned['version']}", f"{model['name']} {model['version']}")
    for what, (wanted, here) in named.items():
        if wanted != here:
            raise WorkerUnfit(
                f"run {job.run_id} was planned with {what} {wanted}, and this worker has {here}",
                "give all workers the same version; to run with this one, plan the run again",
            )


def published(job: Job) -> str | None:
    """The input hash of the published run if folder and database agree on it, else None."""
    with usable(job.store, disk_only=True):
        place = run_place(job.store, job.run_id)
        try:
            digest = json.loads((place / "run.json").read_text(encoding="utf-8"))["input_hash"] if place else None
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
    with open_state(job.settings, job.store) as state:
        recorded = state.input_hash(job.run_id)
    return digest if digest == recorded else None


def begun(job: Job) -> str | None:
    """The input hash of the unfinished run in the work folder, else None."""
    with usable(job.store, disk_only=True):
        try:
            return job.read_json("run")["input_hash"]
        except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
            return None


def resume(job: Job, steps: Sequence[Step]) -> None:
    """Perform the steps that are not done yet."""
    names = [step.__name__ for step in steps]
    for step in steps:
        if _marker(job, step.__name__).exists():
            progress.say(f"{step.__name__}: done before, kept")
            _remove_raw(job, step.__name__)
        else:
            perform(job, step, names)


def perform(job: Job, step: Step, names: Sequence[str]) -> None:
    """Perform one step, measure its time and memory, and mark it done; later steps have to be done again.

    Parameters
    ----------
    job
        A job that :func:`begin` has prepared.
    step
        The step's function.
    names
        The names of all steps of the run, in order.
    """
    number = names.index(step.__name__)
    if job.lease is not None:
        job.lease.check()
    with usable(job.store, disk_only=True):
        if _marker(job, step.__name__).exists():  # it is wanted anew, and so is all that stands on it
            forget_parts(job, names[number:])
        for name in names[number:]:
            _marker(job, name).unlink(missing_ok=True)
    with usable(job.store, disk_only=True), progress.step(step.__name__, number + 1, len(names)) as cost:
        if step.__name__ == "redact" and not are_whole(job.work):
            forget_parts(job, ["redact"])
            _load_again(job)
            add_mark(job.work)
        step(job)
        if step.__name__ == "load":
            add_mark(job.work)
    if step.__name__ == "load":
        _account_for_rows(job)
    _mark_done(job, step.__name__, cost.seconds, max(cost.peak_mb, cost_of(job, step.__name__).peak_mb))


def perform_alone(job: Job, part: Part, shard: str | None) -> None:
    """Perform one part of a step, for one shard where it works on shards, as a task of its own.

    The last part of a step marks the step done. Once all of redact is done, the texts are gone, and its parts are kept
    as they are.
    """
    if job.lease is not None:
        job.lease.check()
    with usable(job.store, disk_only=True):
        if part.step == "redact" and _marker(job, "redact").exists():
            progress.say("redact: done before, kept")
            _remove_raw(job, "redact")
            return
        if part.step == "load":
            for name in STEPS:
                _marker(job, name).unlink(missing_ok=True)
        elif part.step == "redact":
            _restore(job, part)
        perform_part(job, part, shard)
        if part.step == "load":
            add_mark(job.work)
            _account_for_rows(job)
    if part == parts_of(part.step)[-1]:
        cost = cost_of(job, part.step)
        _mark_done(job, part.step, cost.seconds, cost.peak_mb)


def _mark_done(job: Job, step: str, seconds: float, peak_mb: float) -> None:
    # After publishing, the work folder may be gone, with the markers in it.
    if job.exists("run"):
        job.write_json(f"steps/{step}", {"name": step, "seconds": seconds, "peak_mb": peak_mb})
        _remove_raw(job, step)


def _remove_raw(job: Job, done: str) -> None:
    """Remove texts as they came in once the step redact is done."""
    with usable(job.store, disk_only=True):
        if done == "redact" and holds_raw_texts(job.work):
            remove_raw_texts(job.work)


def _load_again(job: Job) -> None:
    """Load the texts of a run that were removed because it seemed to be dead, or because they had been redacted."""
    progress.say(f"the texts of run {job.run_id} as they came in were removed: they are loaded again")
    step_named("load")(job)
    _account_for_rows(job)


def _restore(job: Job, part: Part) -> None:
    """Load a run's texts again where they were removed, and perform what of redact comes before a part of it."""
    if are_whole(job.work):
        return
    is_held = job.lease is None or job.lease.name == job.run_id
    name = f"{job.run_id}/load"
    with nullcontext() if is_held else lease(job.settings, job.store, name, wait_seconds=_RESTORED_WITHIN):
        if not are_whole(job.work):  # no other task has done it meanwhile
            _load_again(job)
            parts = parts_of("redact")
            for earlier in parts[: parts.index(part)]:
                for shard in shards_of_part(job, earlier):
                    perform_part(job, earlier, shard)
            add_mark(job.work)


def finish(job: Job) -> None:
    """Delete the work folder."""
    remove_folder(job.work)


def _marker(job: Job, name: str) -> StorePath:
    return job.path(f"steps/{name}.json")


def _account_for_rows(job: Job) -> None:
    """Print what became of every row of the input, and check that the run began with this input."""
    if not job.path("load/load.json").exists():
        return
    loaded = job.read_json("load/load")
    for table, rows in loaded["tables"].items():
        counts = ("kept", "quarantined", "superseded", "later", "forgotten")
        rows_in, (kept, bad, old, later, gone) = rows["rows_in"], (rows.get(f"rows_{count}", 0) for count in counts)
        if rows_in != kept + bad + old + later + gone:
            accounted = f"{kept} + {bad} + {old} + {later} + {gone} accounted for"
            raise AssertionError(f"rows of {table} were lost: {rows_in} in, {accounted}")
        if rows_in:
            progress.say(
                f"  {table}: {rows_in:,} rows = {kept:,} kept + {bad:,} quarantined + {old:,} older versions or doubles"
                f" + {later:,} after the window" + (f" + {gone:,} of forgotten conversations" if gone else "")
            )
    begun = job.read_json("run")["files"]
    if any(begun.get(read["file"], read["sha256"]) != read["sha256"] for read in loaded["inputs"]):
        raise BundleChanging("the bundle changed while it was being read", "run again once it is written completely")
