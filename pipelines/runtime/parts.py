"""The parts of a step: functions that are performed once, or once for each shard, and kept when a run is resumed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lacuna.pipelines.presentation import progress
from lacuna.pipelines.runtime.job import Job

__all__ = ["Part", "perform_part", "perform_parts", "shards_of_part"]


@dataclass(frozen=True)
class Part:
    """A part of a step.

    Attributes
    ----------
    function
        Takes the job; and the name of a shard too, where ``by_shards_of`` is given.
    by_shards_of
        The table whose shards it works on, one at a time and in any order; None for a part that is done once.
    """

    function: Callable[..., None]
    by_shards_of: str | None = None

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.__name__


def shards_of_part(job: Job, part: Part) -> list[str | None]:
    """The shards that a part is performed for; None alone for a part that is done once, or for a table in one file."""
    return job.shards_of(part.by_shards_of) if part.by_shards_of else [None]


def perform_parts(job: Job, step: str, parts: Sequence[Part]) -> None:
    """Perform all parts of a step in order, save those that were done before the run was interrupted."""
    for part in parts:
        shards = shards_of_part(job, part)
        undone = [shard for shard in shards if not job.exists(_marker(step, part, shard))]
        if len(undone) < len(shards):
            progress.say(f"  {part.name}: {len(shards) - len(undone)} of {len(shards)} done before, kept")
        with progress.bar(part.name.replace("_", " ")) as tick:
            for number, shard in enumerate(undone):
                tick(number, len(undone))
                perform_part(job, step, part, shard)


def perform_part(job: Job, step: str, part: Part, shard: str | None) -> None:
    """Perform one part of a step, for one shard where it works on shards, and mark it done."""
    arguments: list[Any] = [shard] if part.by_shards_of else []
    part.function(job, *arguments)
    job.write_json(_marker(step, part, shard), {})


def _marker(step: str, part: Part, shard: str | None) -> str:
    return f"parts/{step}/{part.name}" + ("" if shard is None else f"/{shard}")
