"""Published runs: which there are, and their folders, of which a reader sees one run's files and never two runs'.

A run on an object store is read from a copy in the user's cache, which is made once and checked against the manifest.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from lacuna.data_contracts.errors import LacunaError, StoreUnusable
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.publishing import MANIFEST, read_manifest
from lacuna.pipelines.io.store import usable

__all__ = [
    "Stamp",
    "drop_copies",
    "find_run",
    "latest_stamp",
    "published_at",
    "published_runs",
    "run_folder",
    "run_place",
    "user_cache",
    "whole_run",
]

Stamp: TypeAlias = tuple[Any, ...]
_TRIES = 5
_AT_ONCE = 8  # downloads
_KEEP_SECONDS = 86_400.0  # a copy of a run that was replaced: somebody may read it still


def published_runs(store: StorePath) -> list[str]:
    """The ids of the runs that lie in the store, oldest first."""
    with usable(store):
        whole = "run.json" if isinstance(store, Path) else MANIFEST
        return sorted(path.parent.name for path in (store / "runs").glob(f"[0-9]*/{whole}"))


def published_at(store: StorePath, run_id: str) -> datetime:
    """When a run was published, by the date of the file that publishes it: copying a store may have changed it."""
    place = store / "runs" / run_id
    with usable(place):
        if isinstance(place, Path):
            return datetime.fromtimestamp((place / "run.json").stat().st_mtime, UTC)
        manifest = place / MANIFEST
        modified = manifest.fs.modified(manifest.path)
    return modified.replace(tzinfo=UTC) if modified.tzinfo is None else modified.astimezone(UTC)


def find_run(store: StorePath, run_id: str | None = None) -> Path:
    """The folder of a run, on this machine: the run named, else the latest.

    Raises
    ------
    StoreUnusable
        There is no such store or no run in it, or it can't be read.
    LacunaError
        There are runs, but not this one.
    """
    run_ids = published_runs(store)
    if not run_ids:
        there = not isinstance(store, Path) or store.is_dir()
        problem = f"no run in {store}" if there else f"there is no store {store}"
        raise StoreUnusable(problem, f"make one with `lacuna run BUNDLE --store {store}`, or check the path")
    if run_id is not None and run_id not in run_ids:
        raise LacunaError(f"there is no run '{run_id}' in {store}", f"there are: {', '.join(run_ids)}")
    folder = run_folder(store, run_id or run_ids[-1])
    if folder is None:
        raise StoreUnusable(f"run {run_id or run_ids[-1]} was removed from {store} just now", "try again")
    return folder


@contextmanager
def whole_run(store: StorePath, run_id: str | None = None) -> Iterator[Path]:
    """Give the folder of a run, as :func:`find_run`, for a block that reads several of its files.

    Raises
    ------
    StoreUnusable
        The run was replaced meanwhile, so that what was read may be of both.
    """
    run = find_run(store, run_id)
    before = _stamp(run)
    yield run
    if _stamp(run) != before:
        raise StoreUnusable(f"run {run.name} was replaced while it was read", "do the same again")


def latest_stamp(store: StorePath) -> Stamp | None:
    """What tells the latest run from any other, its id first; None where there is none."""
    names: list[str] = []
    with usable(store), suppress(FileNotFoundError, NotADirectoryError):
        names = sorted((path.name for path in (store / "runs").iterdir() if path.name[:1].isdigit()), reverse=True)
    for run_id in names:
        place = store / "runs" / run_id
        if isinstance(place, Path):
            stamp = _stamp(place)
        else:
            with usable(place):
                manifest = read_manifest(place)
            stamp = (manifest["version"],) if manifest else None
        if stamp is not None:
            return (run_id, *stamp)
    return None


def run_place(store: StorePath, run_id: str) -> StorePath | None:
    """Where the files of a published run are, be it here or on an object store; None where there is no such run."""
    place = store / "runs" / run_id
    if isinstance(place, Path):
        return place if (place / "run.json").exists() else None
    manifest = read_manifest(place)
    return place / manifest["version"] if manifest else None


def run_folder(store: StorePath, run_id: str) -> Path | None:
    """The folder of a published run on this machine; None where there is no such run.

    Raises
    ------
    StoreUnusable
        The run can't be read, or its files are not those of its manifest.
    """
    place = store / "runs" / run_id
    if isinstance(place, Path):
        return place if (place / "run.json").exists() else None
    for _ in range(_TRIES):
        with usable(place):
            manifest = read_manifest(place)
        if manifest is None:
            return None
        try:
            return _copy(store, run_id, manifest)
        except FileNotFoundError as error:
            # Replaced meanwhile: the new manifest names other files.
            if read_manifest(place) == manifest:
                raise StoreUnusable(f"run {run_id} in {store} lacks a file: {error}", "run that week again") from error
    raise StoreUnusable(f"run {run_id} in {store} is being replaced again and again", "try again later")


def user_cache() -> Path:
    """Where copies of runs are kept, and vectors of texts that belong to no store."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "lacuna"


def drop_copies(store: StorePath, run_id: str) -> None:
    """Delete the copies in the user's cache of earlier versions of a run, even where somebody may read them still."""
    place = store / "runs" / run_id
    if isinstance(place, Path):
        return
    version = (read_manifest(place) or {}).get("version")
    for copy in _copies(store).glob(f"{run_id}-*"):
        if copy.name != f"{run_id}-{version}":
            shutil.rmtree(copy, ignore_errors=True)


def _copies(store: StorePath) -> Path:
    return user_cache() / "runs" / hashlib.sha256(str(store).encode()).hexdigest()[:16]


def _stamp(run: Path) -> Stamp | None:
    try:
        stat = (run / "run.json").stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino


def _copy(store: StorePath, run_id: str, manifest: dict[str, Any]) -> Path:
    """The copy of one version of a run in the user's cache; made where it is missing."""
    runs = _copies(store)
    whole = runs / f"{run_id}-{manifest['version']}"
    if not whole.exists():
        half = runs / f".tmp-{uuid.uuid4().hex}"
        try:
            _download(store / "runs" / run_id / manifest["version"], manifest["files"], half / run_id)
            with suppress(OSError):  # another process was quicker
                half.rename(whole)
        finally:
            shutil.rmtree(half, ignore_errors=True)
        for old in runs.glob(f"{run_id}-*"):
            if old != whole and time.time() - old.stat().st_mtime > _KEEP_SECONDS:
                shutil.rmtree(old, ignore_errors=True)
    return whole / run_id


def _download(source: StorePath, files: dict[str, Any], into: Path) -> None:
    def fetch(name: str) -> None:
        content = (source / name).read_bytes()
        # A draft may have been edited where it lies; nothing else may.
        if not name.startswith("drafts/") and hashlib.sha256(content).hexdigest() != files[name]["sha256"]:
            raise StoreUnusable(f"{source / name} is not what was published", "run that week again with --force")
        target = into / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        except OSError as error:
            remedy = "a run is copied there to be read: make room, or name another folder with XDG_CACHE_HOME"
            raise StoreUnusable(f"{target} can't be written: {error.strerror}", remedy) from error

    with usable(source, passing=FileNotFoundError), ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(fetch, files))
