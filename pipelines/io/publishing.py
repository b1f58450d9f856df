"""Run folders that are published whole or not at all, on this machine and on object stores.

On a file system, a run is built beside its place and swapped in in one step. An object store has no such step: there,
a run's files go to a folder of their own, ``runs/<run_id>/<version>/``, and one put of ``runs/<run_id>/manifest.json``,
which names that folder and all files in it, publishes them. What no manifest names is not there for any reader.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, TypeAlias

from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.processes import temporary_place
from lacuna.pipelines.io.store import remove_folder, sync_folder, sync_tree, usable, write_bytes

__all__ = ["MANIFEST", "Hold", "clean_leftovers", "leftovers", "publishing", "read_manifest", "withdraw"]

MANIFEST = "manifest.json"
# Gives a block in which nobody else publishes the run, or raises where somebody else has taken it over.
Hold: TypeAlias = Callable[[], AbstractContextManager[None]]


@contextmanager
def publishing(store: StorePath, run_id: str, hold: Hold = nullcontext) -> Iterator[Path]:
    """Give an empty folder to fill; on leaving it becomes the run, in one step, or vanishes on an error.

    Where a run is already there, readers see the old one or the new one, never a part of either.

    Parameters
    ----------
    store, run_id
        The run is ``<store>/runs/<run_id>``.
    hold
        Entered for the step that publishes; where it raises, nothing is published.

    Raises
    ------
    StoreUnusable
        The store can't be written, or another worker has taken the run over.

    Examples
    --------
    >>> with publishing(Path("store"), "2024-06-30") as folder:  # doctest: +SKIP
    ...     (folder / "run.json").write_text("{}")
    """
    runs = store / "runs"
    if isinstance(runs, Path):
        building = _half_built(runs / run_id)
        with usable(runs):
            building.mkdir(parents=True)
    else:
        building = temporary_place(run_id)
    try:
        with usable(building, disk_only=True):
            yield building
        with usable(runs):
            if isinstance(runs, Path):
                sync_tree(building)
                with hold():
                    _swap(building, runs / run_id)
            else:
                _upload(building, runs / run_id, hold)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def read_manifest(run: StorePath) -> dict[str, Any] | None:
    """The manifest of a run on an object store: its version, and size and SHA-256 of each file; None without one."""
    try:
        with usable(run, passing=FileNotFoundError):
            return json.loads((run / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def withdraw(store: StorePath, run_id: str) -> None:
    """Delete a published run: from one moment to the next it is not there for any reader, then its files go.

    Only whoever holds the run may do that.
    """
    run = store / "runs" / run_id
    with usable(run):
        if isinstance(run, Path):
            aside = _half_built(run)  # whoever comes next cleans up
            with suppress(FileNotFoundError):
                os.rename(run, aside)
            shutil.rmtree(aside, ignore_errors=True)
        else:
            with suppress(FileNotFoundError):
                (run / MANIFEST).unlink()
            remove_folder(run)


def _half_built(run: Path) -> Path:
    """A new place beside a run, named as :func:`clean_leftovers` knows what was not finished."""
    return run.with_name(f".tmp-{run.name}-{uuid.uuid4().hex[:12]}")


def _upload(building: Path, run: StorePath, hold: Hold) -> None:
    version = uuid.uuid4().hex[:12]
    files = {}
    try:
        for path in sorted(path for path in building.rglob("*") if path.is_file()):
            content = path.read_bytes()
            name = path.relative_to(building).as_posix()
            write_bytes(run / version / name, content)
            files[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        manifest = json.dumps({"version": version, "files": files}, indent=2)
        with hold():
            write_bytes(run / MANIFEST, f"{manifest}\n".encode())
    except BaseException:
        # After a put whose answer was lost, the manifest may name the folder.
        with suppress(Exception):
            if (read_manifest(run) or {}).get("version") != version:
                remove_folder(run / version)
        raise
    _remove_others(run, version)


def _remove_others(run: StorePath, version: str | None) -> None:
    """Delete the folders of a run on an object store that its manifest doesn't name."""
    for folder in run.iterdir():
        if folder.name not in (MANIFEST, version):
            remove_folder(folder)


def _swap(new: Path, place: Path) -> None:
    if not place.exists():
        os.rename(new, place)
    elif not _exchange(new, place):
        aside = place.with_name(f".old-{place.name}")
        shutil.rmtree(aside, ignore_errors=True)
        os.rename(place, aside)
        os.rename(new, place)
        shutil.rmtree(aside, ignore_errors=True)
    sync_folder(place.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step, where the system can (Linux); False where it can't."""
    if sys.platform != "linux":
        return False
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    at_cwd, exchange = -100, 2
    return bool(rename(at_cwd, os.fsencode(one), at_cwd, os.fsencode(other), exchange) == 0)


def leftovers(store: StorePath) -> set[str]:
    """The ids of the runs of which a crash left something behind on a file system."""
    runs = store / "runs"
    if not isinstance(runs, Path):
        return set()
    aside = {path.name.removeprefix(".old-") for path in runs.glob(".old-*")}
    return aside | {path.name.removeprefix(".tmp-").rpartition("-")[0] for path in runs.glob(".tmp-*")}


def clean_leftovers(store: StorePath, run_id: str) -> None:
    """Put right what a crash left of a run: half-built folders go, a run that was set aside comes back.

    Only whoever holds the run may do that: what another worker is building looks the same.
    """
    runs = store / "runs"
    with usable(runs):
        if not isinstance(runs, Path):
            run = runs / run_id
            if run.is_dir():
                _remove_others(run, (read_manifest(run) or {}).get("version"))
            return
        aside, place = runs / f".old-{run_id}", runs / run_id
        if aside.exists() and not place.exists():
            os.rename(aside, place)
        shutil.rmtree(aside, ignore_errors=True)
        for half in runs.glob(f".tmp-{run_id}-*"):
            shutil.rmtree(half, ignore_errors=True)
