"""How steps are run: once for the same input, again from where a crash left them, one process a run at a time."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import fsspec

from lacuna.data_contracts.contract import INPUTS
from lacuna.data_contracts.errors import BundleUnreadable
from lacuna.pipelines.io.addresses import unreachable
from lacuna.pipelines.io.store import check_writable, clean_leftovers, usable
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.state.repository import open_state
from lacuna.pipelines.steps import Step

__all__ = [
    "BundleChanging",
    "begin",
    "begun",
    "file_hashes",
    "finish",
    "input_hash",
    "perform",
    "published",
    "resume",
    "version",
]


class BundleChanging(BundleUnreadable):
    """The bundle is being written while it is read: later it will be readable."""


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
        found = {path[len(root) :].lstrip("/"): path for path in fs.find(root)}
        mine = {name: path for name, path in found.items() if name.split("/")[0].split(".")[0] in INPUTS}
        return {name: _sha256(fs, path) for name, path in sorted(mine.items())}
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
        remembered = state.fingerprint(job.run_id)
    parts = [files, job.start.isoformat(), job.end.isoformat(), settings, version(), remembered]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def begin(job: Job, force: bool = False) -> bool:
    """Get the store ready for the job; False where the same input has been published already.

    What an interrupted run of the same input left in the work folder is kept, anything else is cleared away.

    Raises
    ------
    StoreUnusable
        The store can't be written, or the state database can't be used.
    BundleUnreadable
        A file can't be read.
    """
    check_writable(job.store)
    clean_leftovers(job.store)
    files = file_hashes(job.bundle)
    digest = input_hash(job, files)
    if not force and published(job) == digest:
        finish(job)
        return False
    if force or begun(job) != digest:
        shutil.rmtree(job.work, ignore_errors=True)
    if not job.path("run.json").exists():
        with open_state(job.settings, job.store) as state:
            previous = state.previous_run(job.run_id)
        job.write_json("settings", job.settings.that_decide())
        job.write_json("run", {"input_hash": digest, "files": files, "previous_run": previous, "version": version()})
    return True


def published(job: Job) -> str | None:
    """The input hash of the published run, where folder and database agree that it was published; else None."""
    try:
        found = json.loads((job.folder / "run.json").read_text(encoding="utf-8"))["input_hash"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    with open_state(job.settings, job.store) as state:
        recorded = state.input_hash(job.run_id)
    return found if found == recorded else None


def begun(job: Job) -> str | None:
    """The input hash of the run that is under way in the work folder; else None."""
    try:
        return job.read_json("run")["input_hash"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def resume(job: Job, steps: Sequence[Step]) -> None:
    """Perform the steps that are not done yet."""
    names = [step.__name__ for step in steps]
    for step in steps:
        if _marker(job, step.__name__).exists():
            progress.say(f"{step.__name__}: done before, kept")
        else:
            perform(job, step, names)


def perform(job: Job, step: Step, names: Sequence[str]) -> None:
    """Perform one step, measure it, and mark it done; whatever stands on it has to be done again.

    Parameters
    ----------
    job
        A job that :func:`begin` has made ready.
    step
        The function.
    names
        The names of all steps of the run, in order.
    """
    number = names.index(step.__name__)
    for name in names[number:]:
        _marker(job, name).unlink(missing_ok=True)
    with usable(job.store, disk_only=True), progress.step(step.__name__, number + 1, len(names)) as cost:
        step(job)
    if step.__name__ == "load":
        _account_for_rows(job)
    # After publishing, the work folder may be gone with all that was marked in it.
    if job.work.exists():
        job.write_json(f"steps/{step.__name__}", {"name": cost.name, "seconds": cost.seconds, "peak_mb": cost.peak_mb})


def finish(job: Job) -> None:
    """Clear the work folder away."""
    shutil.rmtree(job.work, ignore_errors=True)


def _marker(job: Job, name: str) -> Path:
    return job.path(f"steps/{name}.json")


def _account_for_rows(job: Job) -> None:
    """Print where every row of the input went, and see that it is the input the run began with."""
    if not job.path("load/load.json").exists():
        return
    loaded = job.read_json("load/load")
    for table, rows in loaded["tables"].items():
        wheres = ("kept", "quarantined", "superseded", "later")
        rows_in, (kept, bad, old, later) = rows["rows_in"], (rows[f"rows_{where}"] for where in wheres)
        if rows_in != kept + bad + old + later:
            told = f"{kept} + {bad} + {old} + {later} accounted for"
            raise AssertionError(f"rows of {table} were lost: {rows_in} in, {told}")
        if rows_in:
            progress.say(
                f"  {table}: {rows_in:,} rows = {kept:,} kept + {bad:,} quarantined + {old:,} older versions or doubles"
                f" + {later:,} after the window"
            )
    begun = job.read_json("run")["files"]
    if any(begun.get(read["file"], read["sha256"]) != read["sha256"] for read in loaded["inputs"]):
        raise BundleChanging("the bundle changed while it was being read", "run again once it is written completely")
