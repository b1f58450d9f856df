"""The parts of a step performed: once, or once for each shard; what was done before an interruption is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lacuna.pipelines.io.store import remove_folder
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.runtime.job import Job, of_shard
from lacuna.pipelines.runtime.kept_results import KeptResults
from lacuna.pipelines.steps import PARTS, Part, parts_of

__all__ = ["cost_of", "forget_parts", "is_done", "part_costs", "perform_part", "perform_parts", "shards_of_part"]


def shards_of_part(job: Job, part: Part) -> list[str | None]:
    """The shards that a part is performed for; None alone for a part that is done once, or for a table in one file."""
    return job.shards_of(part.by_shards_of) if part.by_shards_of else [None]


def perform_parts(job: Job, step: str) -> None:
    """Perform all parts of a step in order, save those that were done before the run was interrupted."""
    for part in parts_of(step):
        shards = shards_of_part(job, part)
        undone = [shard for shard in shards if not is_done(job, part, shard)]
        if len(undone) < len(shards):
            progress.say(f"  {part.name}: {len(shards) - len(undone)} of {len(shards)} done before, kept")
        with progress.bar(part.name.replace("_", " ")) as tick:
            for number, shard in enumerate(undone):
                tick(number, len(undone))
                perform_part(job, part, shard)
        markers = [_marker(part, shard) for shard in undone]
        reused = sum(job.read_json(marker)["reused"] for marker in markers if job.exists(marker))
        if reused:
            progress.say(f"  {part.name}: {reused} of {len(shards)} unchanged since an earlier run, used again")


def perform_part(job: Job, part: Part, shard: str | None) -> None:
    """Perform one part of a step, for one shard where it works on shards, and mark it done with what it took.

    Where an earlier run has kept the results for the same input, these are put in place instead.
    """
    with progress.measured(part.name) as cost:
        reused = _perform_or_reuse(job, part, shard)
    # After publishing, the work folder is gone, with the markers in it.
    if job.exists("run"):
        job.write_json(_marker(part, shard), {"seconds": cost.seconds, "peak_mb": cost.peak_mb, "reused": reused})


def _perform_or_reuse(job: Job, part: Part, shard: str | None) -> bool:
    results = KeptResults(job, part, shard) if part.kept and job.settings.shards.keep_results else None
    if results and results.put_in_place():
        return True
    arguments: list[Any] = [shard] if part.by_shards_of else []
    part.function(job, *arguments)
    if results:
        results.keep()
    return False


def is_done(job: Job, part: Part, shard: str | None) -> bool:
    """Whether the part was performed, for that shard, in this run."""
    return job.exists(_marker(part, shard))


def cost_of(job: Job, step: str) -> progress.Cost:
    """What the parts of a step took: their seconds added up, and the highest peak among them."""
    markers = [_marker(part, shard) for part in parts_of(step) for shard in shards_of_part(job, part)]
    costs = [job.read_json(marker) for marker in markers if job.exists(marker)]
    seconds = round(sum(cost["seconds"] for cost in costs), 3)
    return progress.Cost(step, seconds, max((cost["peak_mb"] for cost in costs), default=0.0))


def part_costs(job: Job) -> list[dict[str, Any]]:
    """What each part of the steps that are done took, for run.json: seconds over all its shards, and the highest peak.

    One dict a part, in order: step, part, shards, seconds, longest (seconds of the slowest shard), peak_mb.
    """
    rows = []
    for part in PARTS:
        shards = shards_of_part(job, part) if not part.by_shards_of or job.exists(f"steps/{part.step}") else []
        costs = [job.read_json(_marker(part, shard)) for shard in shards if is_done(job, part, shard)]
        if not costs and len(parts_of(part.step)) == 1 and job.exists(f"steps/{part.step}"):
            costs = [job.read_json(f"steps/{part.step}")]
        if costs:
            seconds = [cost["seconds"] for cost in costs]
            row = {"step": part.step, "part": part.name, "shards": len(costs) if part.by_shards_of else None}
            peak = max(cost["peak_mb"] for cost in costs)
            rows.append(row | {"seconds": round(sum(seconds), 3), "longest": max(seconds), "peak_mb": peak})
    return rows


def forget_parts(job: Job, steps: Iterable[str]) -> None:
    """Forget that parts of some steps were done."""
    for step in steps:
        remove_folder(job.path(f"parts/{step}"))


def _marker(part: Part, shard: str | None) -> str:
    return of_shard(f"parts/{part.step}/{part.name}", shard)
