"""A job: the parameters of one run, and the work folder through which its steps hand each other tables."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lacuna.data_contracts.errors import WorkerUnfit
from lacuna.data_contracts.step_tables import check_step_table, extension, step_table
from lacuna.pipelines.embedders.choice import AUTO, ENGLISH
from lacuna.pipelines.io.addresses import StorePath, store_path
from lacuna.pipelines.io.store import (
    add_columns,
    read_array_blocks,
    read_arrays,
    read_parquet,
    read_rows,
    usable,
    write_bytes,
    write_parquet,
)
from lacuna.pipelines.settings import Settings, load_settings

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from lacuna.pipelines.state.leases import Lease

__all__ = ["CHOSEN_EMBEDDER", "Job", "of_shard"]

CHOSEN_EMBEDDER = "understand/embedder"  # the document that says by which embedder topics are found, and why


@dataclass(frozen=True)
class Job:
    """One run of the pipeline over one window.

    Parameters
    ----------
    bundle
        Folder or fsspec URL of the input.
    store
        Where runs, caches and, on this machine by default, the state database are.
    start, end
        First and last day of the window, both included.
    config
        Path of the user's settings file, or None.
    settings
        The settings of this run.
    lease
        What this process holds while it works on the run; None where nobody else can.
    """

    bundle: str
    store: StorePath
    start: date
    end: date
    config: str | None
    settings: Settings = field(repr=False)
    lease: Lease | None = field(default=None, repr=False, compare=False)

    @property
    def run_id(self) -> str:
        """The window's last day, for example ``2024-06-30``."""
        return self.end.isoformat()

    @property
    def days(self) -> int:
        """Length of the window in days."""
        return (self.end - self.start).days + 1

    @property
    def start_ts(self) -> datetime:
        """First instant of the window, UTC."""
        return datetime.combine(self.start, time(), UTC)

    @property
    def end_ts(self) -> datetime:
        """First instant after the window, UTC."""
        return datetime.combine(self.end + timedelta(days=1), time(), UTC)

    @property
    def embedder(self) -> str:
        """The name of the embedder that a run compares texts by, and finds subtopics."""
        name = self.settings.embedder.name
        return ENGLISH if name == AUTO else name

    @property
    def topic_embedder(self) -> str:
        """The name of the embedder that topics are found by: for several languages, one that understands them all.

        It was chosen once the run's questions were read. Every task reads that choice, and none chooses anew.
        """
        name = self.settings.embedder.name
        return str(self.read_json(CHOSEN_EMBEDDER)["name"]) if name == AUTO else name

    @property
    def work(self) -> StorePath:
        """The folder of the steps' tables; deleted once the run is published."""
        return self.store / ".work" / self.run_id

    @property
    def runs(self) -> StorePath:
        """The folder of all published runs."""
        return self.store / "runs"

    @property
    def folder(self) -> StorePath:
        """Where this run is, or will be, published; its files are where ``run_place`` says."""
        return self.runs / self.run_id

    def path(self, name: str) -> StorePath:
        """Path of ``name`` in the work folder, for example ``load/conversations.parquet``."""
        return self.work / name

    def read(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Read a table that a step wrote, for example ``load/conversations``; of one in shards, all of them in order.

        ``columns`` are those to read; all by default. A table that grows with the texts is better read a shard at a
        time (:meth:`read_shards`).
        """
        return read_parquet(self.files(name), columns)

    def files(self, name: str) -> list[StorePath]:
        """The Parquet files of a table: one, or one a shard in the order of :attr:`shards`."""
        whole = self.path(f"{name}.parquet")
        if whole.exists() or not self.path(name).is_dir():
            return [whole]
        return [self.shard_path(name, shard) for shard in self.shards]

    @property
    def shards(self) -> list[str]:
        """The names of the run's shards, in order; the step load decides on them."""
        return [str(shard["shard"]) for shard in self.read_json("load/shards")]

    def shards_of(self, name: str) -> list[str | None]:
        """The shards of a table, in order; None alone where it lies in one file."""
        return [None] if self.files(name) == [self.path(f"{name}.parquet")] else list(self.shards)

    def read_shard(self, name: str, shard: str | None, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Read one shard of a table; None for the whole of one that has no shards."""
        return read_parquet([self.shard_path(name, shard)], columns)

    def read_shards(self, name: str, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """Read a table file by file: a shard at a time, or the whole table at once where it has none."""
        for file in self.files(name):
            yield read_parquet([file], columns)

    def read_rows(self, name: str, conversations: Collection[str], columns: Sequence[str]) -> pd.DataFrame:
        """Read the rows of some conversations, in order; ``columns`` has ``conversation_id`` among them."""
        return read_rows(self.files(name), "conversation_id", conversations, columns)

    def read_arrays(self, name: str, shard: str | None, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Columns of numbers, and of equally long lists of numbers, as arrays (n,) and (n, length), of one shard."""
        return read_arrays(self.shard_path(name, shard), columns)

    def read_array_blocks(
        self, name: str, shard: str | None, columns: Sequence[str], rows: int
    ) -> Iterator[dict[str, NDArray[Any]]]:
        """As :meth:`read_arrays`, so many rows at a time; one block at least, which may be empty."""
        return read_array_blocks(self.shard_path(name, shard), columns, rows)

    def write_shard(self, name: str, shard: str | None, frame: pd.DataFrame) -> None:
        """Write one shard of a table, whole or not at all; None for a table without shards. The index is dropped.

        Raises
        ------
        TableWrong
            It is not as ``data_contracts/tables/steps/`` declares it.
        """
        check_step_table(step_table(name), frame)
        write_parquet(self.shard_path(name, shard), frame)

    def shard_path(self, name: str, shard: str | None) -> StorePath:
        """Path of one shard of a table; None for a table without shards."""
        return self.path(f"{of_shard(name, shard)}.parquet")

    def write(self, name: str, frame: pd.DataFrame) -> None:
        """Write a table of this run, whole or not at all; the index is dropped.

        Raises
        ------
        TableWrong
            It is not as ``data_contracts/tables/steps/`` declares it.
        """
        check_step_table(step_table(name), frame)
        write_parquet(self.path(f"{name}.parquet"), frame)

    def write_extended(self, name: str, frame: pd.DataFrame) -> None:
        """Write a table that extends another: that one's columns, which are never whole in memory, then the frame's.

        ``frame`` has the rows of the table that is extended, in its order.

        Raises
        ------
        TableWrong
            The columns are not as ``data_contracts/tables/steps/`` declares them.
        """
        added = extension(name)
        check_step_table(added, frame)
        add_columns(self.path(f"{name}.parquet"), self.path(f"{added.extends}.parquet"), frame)

    def read_json(self, name: str) -> Any:
        """Read a JSON document that a step wrote, for example ``load/load``."""
        return json.loads(self.path(f"{name}.json").read_text(encoding="utf-8"))

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON document of this run, whole or not at all."""
        text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
        write_bytes(self.path(f"{name}.json"), f"{text}\n".encode())

    def exists(self, name: str) -> bool:
        """Whether a step wrote the JSON document ``name``."""
        return self.path(f"{name}.json").exists()

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write a file of this run, whole or not at all; ``name`` has its ending."""
        write_bytes(self.path(name), content)

    def read_bytes(self, name: str) -> bytes:
        """Read what :meth:`write_bytes` wrote."""
        return self.path(name).read_bytes()

    def as_json(self) -> dict[str, str | None]:
        """The job as workers pass it on: paths and dates only, never rows."""
        return {
            "bundle": self.bundle,
            "store": str(self.store),
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "config": self.config,
        }

    @classmethod
    def from_json(cls, document: dict[str, str | None]) -> Job:
        """Build the job again from :meth:`as_json`, with the settings that the run was planned with.

        A settings file that changes meanwhile changes the next run. The sections ``[state]``, ``[delivery]`` and
        ``[board]`` are read anew: they may hold passwords, which are never written.

        Raises
        ------
        SettingsInvalid
            The settings file is gone or no longer valid.
        StoreUnusable
            The store can't be read.
        WorkerUnfit
            The run was planned with a version of Lacuna that has other settings.
        """
        bundle, store, start, end = (str(document[key]) for key in ("bundle", "store", "start", "end"))
        config = document.get("config")
        job = cls(
            bundle=bundle,
            store=store_path(store),
            start=date.fromisoformat(start),
            end=date.fromisoformat(end),
            config=config,
            settings=load_settings(config),
        )
        with usable(job.store, disk_only=True):
            if not job.path("settings.json").exists():  # published: only the digest is left to do
                return job
            planned = job.read_json("settings")
            try:
                return replace(job, settings=job.settings.with_sections(planned))
            except ValidationError as error:
                raise _of_another_version(job) from error


def of_shard(name: str, shard: str | None) -> str:
    """The name of one shard of a table or of a document; None where it has no shards."""
    return name if shard is None else f"{name}/{shard}"


def _of_another_version(job: Job) -> WorkerUnfit:
    from lacuna.pipelines.runtime.runner import version

    planned_with = job.read_json("run")["version"]
    return WorkerUnfit(
        f"run {job.run_id} was planned with Lacuna {planned_with}, which has other settings than that of this worker, "
        f"{version()}",
        "give all workers the same version; to run with this one, plan the run again",
    )
