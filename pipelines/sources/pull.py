"""Pull a source into a bundle: slice by slice, each kept before the next is asked for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from lacuna.data_contracts.contract import INPUTS
from lacuna.data_contracts.errors import SettingsInvalid, SourceUnreadable
from lacuna.pipelines.io.addresses import StorePath, store_path
from lacuna.pipelines.io.formats import SUFFIXES
from lacuna.pipelines.io.processes import remove_abandoned_files, temporary_folder
from lacuna.pipelines.io.store import usable
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.sources.merging import conversation_ids, merge
from lacuna.pipelines.sources.registry import make_source
from lacuna.pipelines.sources.source import PULL, Batch, Source, Stream
from lacuna.pipelines.sources.staging import Staging
from lacuna.pipelines.state.forgotten import read_forgotten
from lacuna.pipelines.state.leases import lease
from lacuna.pipelines.state.repository import open_state

__all__ = ["Pulled", "pull", "pull_source"]

SLICE_ROWS = 20_000  # of a load; what a pull that is killed has to ask for again
MERGE_ROWS = 200_000  # staged rows that are put into the bundle together


@dataclass(frozen=True)
class Pulled:
    """What a pull brought: rows by table, whether the source has nothing more for now, and conversations passed over.

    Those are forgotten (:mod:`lacuna.pipelines.forgetting`).
    """

    rows: dict[str, int]
    finished: bool
    forgotten: int = 0


def pull(
    settings: Settings,
    name: str,
    into: str | StorePath,
    since: date | None = None,
    minutes: float | None = None,
    find_deleted: bool = False,
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
    find_deleted
        List all conversations of the source besides, and drop those of the bundle that no longer exist: for vendors
        that do not say when one is deleted.

    Raises
    ------
    SettingsInvalid
        The settings don't describe the source.
    SourceUnreadable
        The source can't be reached or refuses. What was pulled before is kept.
    StoreUnusable
        The bundle can't be written, or another pull of the source is at work.
    """
    return pull_source(settings, make_source(settings, name, since), into, minutes, find_deleted)


def pull_source(
    settings: Settings,
    source: Source,
    into: str | StorePath,
    minutes: float | None = None,
    find_deleted: bool = False,
    sample: int = 0,
) -> Pulled:
    """As :func:`pull`, of a source that is made already; with ``sample``, about so many rows of each stream."""
    bundle = store_path(into)
    stop = time.monotonic() + 60 * minutes if minutes else None
    streams = source.streams()
    _check_place(bundle, streams)
    with lease(settings, bundle / PULL, f"pull-{source.name}"), temporary_folder("pull") as folder:
        if isinstance(bundle, Path):
            remove_abandoned_files(bundle)
        regions = settings.privacy.phone_regions if source.redacts else None
        with open_state(settings, bundle / PULL) as state:
            staging = Staging(bundle, source.name, regions, read_forgotten(state))
        one = _Pull(bundle, source, streams, staging, folder, stop, sample)
        one.merge_staged()
        finished = [one.pull_stream(stream) for stream in streams]
        listed = source.listed_ids() if find_deleted and all(finished) else None
        if listed is not None:
            one.drop_deleted(set(listed))
        return Pulled(one.rows, all(finished), one.forgotten)


@dataclass
class _Pull:
    """A pull at work."""

    bundle: StorePath
    source: Source
    streams: Sequence[Stream]
    staging: Staging
    scratch: Path
    stop: float | None
    sample: int
    rows: dict[str, int] = field(default_factory=dict)
    forgotten: int = 0

    def pull_stream(self, stream: Stream) -> bool:
        """Pull a stream slice by slice; False where time was up before its end."""
        waiting = 0
        while True:
            done = self.staging.stage(stream, self.sample or SLICE_ROWS, self.stop, sample=bool(self.sample))
            for table, rows in done.rows.items():
                self.rows[table] = self.rows.get(table, 0) + rows
            waiting += sum(done.rows.values())
            self.forgotten += done.forgotten
            progress.say(self._line(stream))
            ended = done.finished or bool(self.sample) or (self.stop is not None and time.monotonic() > self.stop)
            if waiting >= MERGE_ROWS or ended:
                self.merge_staged()
                waiting = 0
            if ended:
                return done.finished

    def merge_staged(self) -> None:
        """Put into the bundle what is staged, also what an earlier pull left there."""
        files = self.staging.loads()
        if files:
            merge(self.bundle, self.source.name, self.streams, files, self.scratch)
            self.staging.clear(files)

    def drop_deleted(self, listed: set[str]) -> None:
        """Drop the source's conversations that are not listed."""
        present = conversation_ids(self.bundle, self.source.name, self.source.since)
        gone = sorted(present - listed)
        if gone and not listed:
            raise SourceUnreadable(
                f"{self.source.name} lists no conversation at all, and the bundle has {len(present):,}",
                "nothing was dropped. See whether the credentials still may read conversations",
            )
        if gone:
            self.staging.stage(Stream("deleted", ("conversations",), lambda _: iter([Batch(gone=gone)])), len(gone) + 1)
            self.merge_staged()
        progress.say(f"{self.source.name}: {len(gone):,} conversations no longer exist")

    def _line(self, stream: Stream) -> str:
        counts = (f"{self.rows[name]:,} {name.replace('_', ' ')}" for name in stream.tables if self.rows.get(name))
        return f"{self.source.name}: {', '.join(counts) or f'nothing new of {stream.name}'}"


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
