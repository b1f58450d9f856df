"""Pull a source into a bundle: slice by slice, each kept before the next is asked for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from lacuna.data_contracts.contract import INPUTS
from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.io.addresses import StorePath, store_path
from lacuna.pipelines.io.formats import SUFFIXES
from lacuna.pipelines.io.store import usable
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.sources.merging import merge
from lacuna.pipelines.sources.registry import make_source
from lacuna.pipelines.sources.source import Source, Stream
from lacuna.pipelines.sources.staging import Staging
from lacuna.pipelines.state.leases import lease

__all__ = ["Pulled", "pull", "pull_source"]

SLICE_ROWS = 20_000  # of a load; what a pull that is killed has to ask for again
MERGE_ROWS = 200_000  # staged rows that are put into the bundle together


@dataclass(frozen=True)
class Pulled:
    """What a pull brought: rows by table, and whether the source has nothing more for now."""

    rows: dict[str, int]
    finished: bool


def pull(
    settings: Settings, name: str, into: str | StorePath, since: date | None = None, minutes: float | None = None
) -> Pulled:
    """Pull what is new at a source into a bundle.

    Parameters
    ----------
    settings
        ``[sources.<name>]`` describes the source.
    name
        The source.
    into
        The bundle: a folder, or an fsspec URL of one; made where it is missing.
    since
        The day from which on conversations are pulled; all of them by default. It says where a first pull begins: a
        later one goes on where the last one ended.
    minutes
        After so long, stop; the next pull goes on from there.

    Raises
    ------
    SettingsInvalid
        The settings don't describe the source.
    SourceUnreadable
        The source can't be reached or refuses. What was pulled before is kept.
    StoreUnusable
        The bundle can't be written, or another pull of the source is at work.
    """
    return pull_source(settings, make_source(settings, name, since), into, minutes)


def pull_source(settings: Settings, source: Source, into: str | StorePath, minutes: float | None = None) -> Pulled:
    """As :func:`pull`, of a source that is made already."""
    bundle = store_path(into)
    stop = time.monotonic() + 60 * minutes if minutes else None
    streams = source.streams()
    _check_place(bundle, streams)
    with lease(settings, bundle / "_pull", f"pull-{source.name}"), TemporaryDirectory(prefix="lacuna-pull-") as folder:
        staging = Staging(bundle, source.name, settings.privacy.phone_regions if source.redacts else None)
        total: dict[str, int] = {}
        finished = True
        _merge_staged(bundle, source, streams, staging, Path(folder))
        for stream in streams:
            waiting = 0
            while True:
                done = staging.stage(stream, SLICE_ROWS, stop)
                for table, rows in done.rows.items():
                    total[table] = total.get(table, 0) + rows
                waiting += sum(done.rows.values())
                progress.say(_line(source.name, stream, total))
                stopped = stop is not None and time.monotonic() > stop
                if waiting >= MERGE_ROWS or done.finished or stopped:
                    _merge_staged(bundle, source, streams, staging, Path(folder))
                    waiting = 0
                if done.finished or stopped:
                    finished = finished and done.finished
                    break
        return Pulled(total, finished)


def _merge_staged(
    bundle: StorePath, source: Source, streams: Sequence[Stream], staging: Staging, scratch: Path
) -> None:
    files = staging.loads()
    if files:
        merge(bundle, source.name, streams, files, scratch)
        staging.clear(files)


def _check_place(bundle: StorePath, streams: Sequence[Stream]) -> None:
    """Check that no file of the bundle is where a folder of pulled rows has to be."""
    for table in dict.fromkeys(table for stream in streams for table in stream.tables):
        assert table in INPUTS
        for suffix in SUFFIXES:
            file = bundle / f"{table}{suffix}"
            with usable(bundle):
                there = file.is_file()
            if there:
                raise SettingsInvalid(
                    f"{file} is in the way: pulled rows go to the folder {table}/, and a bundle has one or the other",
                    f"move it to {bundle / table / file.name}, or pull into another bundle",
                )


def _line(name: str, stream: Stream, rows: dict[str, int]) -> str:
    counts = ", ".join(f"{rows[table]:,} {table.replace('_', ' ')}" for table in stream.tables if rows.get(table))
    return f"{name}: {counts or f'nothing new of {stream.name}'}"
