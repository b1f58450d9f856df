"""How long a weekly run takes on several workers, and how many machine hours: simulated from measured parts.

Each part's time is taken to be a fixed cost and a cost a conversation, fitted to the ``run.json`` of runs of several
sizes (``make bench ARGS=scale`` measures such). Parts by shard are dealt to the workers one shard at a time; parts that
are single keep one worker busy while the others wait. What a scheduler takes for itself is added for each task.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

TASK_SECONDS = 6.0  # from one task's end to the next one's first line: scheduler, interpreter, imports
WORKERS = (1, 2, 4, 8, 16)
SIZES = (100_000, 1_000_000, 10_000_000)


@dataclass(frozen=True)
class PartCost:
    """Seconds of a part: fixed, and a conversation; and whether it is dealt out by shard."""

    step: str
    part: str
    by_shard: bool
    fixed: float
    each: float


def fitted(runs: dict[int, dict[str, object]]) -> list[PartCost]:
    """The cost of each part, from ``run.json`` documents by number of conversations; a single one has no fixed cost."""
    rows = pd.DataFrame(
        [row | {"conversations": n} for n, run in runs.items() for row in run["parts"]]  # type: ignore[attr-defined]
    )
    costs = []
    for (step, part), own in rows.groupby(["step", "part"], sort=False):
        n, seconds = own["conversations"].to_numpy(float), own["seconds"].to_numpy(float)
        slope, fixed = np.polyfit(n, seconds, 1) if len(own) > 1 else (seconds[0] / n[0], 0.0)
        if fixed < 0 or slope < 0:  # noise: the largest run decides
            slope, fixed = (seconds[-1] / n[-1], 0.0) if fixed < 0 else (0.0, float(seconds.mean()))
        costs.append(PartCost(str(step), str(part), bool(own["shards"].notna().any()), float(fixed), float(slope)))
    return costs


def simulated(costs: Sequence[PartCost], conversations: int, shards: int, workers: int) -> tuple[float, float]:
    """Seconds from the first task to the last, and seconds in which a worker was busy.

    Examples
    --------
    >>> costs = [PartCost("a", "one", False, 10.0, 0.0), PartCost("a", "many", True, 0.0, 1.0)]
    >>> simulated(costs, 100, 4, 2)
    (78.0, 140.0)
    """
    clock = busy = 0.0
    for cost in costs:
        tasks = shards if cost.by_shard else 1
        seconds = TASK_SECONDS + (cost.fixed + cost.each * conversations) / tasks
        free = [0.0] * min(workers, tasks)
        for _ in range(tasks):
            heapq.heappush(free, heapq.heappop(free) + seconds)
        clock, busy = clock + max(free), busy + tasks * seconds
    return clock, busy


def schedule(files: Sequence[Path], shard_conversations: int = 40_000) -> int:
    """Print hours by the clock and machine hours, by conversations and workers; and what of it is single.

    Parameters
    ----------
    files
        ``run.json`` of runs of different sizes.
    shard_conversations
        How many conversations a shard holds.
    """
    documents = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    costs = fitted({document["tables"]["conversations"]["rows_kept"]: document for document in documents})
    print(pd.DataFrame([cost.__dict__ | {"each": f"{cost.each * 1e6:,.0f} s a million"} for cost in costs]).to_string())
    rows = []
    for conversations in SIZES:
        shards = max(1, round(conversations / shard_conversations))
        row: dict[str, object] = {"conversations": f"{conversations:,}", "shards": shards}
        for workers in WORKERS:
            clock, busy = simulated(costs, conversations, shards, workers)
            row[f"{workers} workers"] = f"{clock / 3600:.2f} h"
            row["machine hours"] = f"{busy / 3600:.2f}"
        single = sum(cost.fixed + cost.each * conversations for cost in costs if not cost.by_shard)
        rows.append(row | {"single": f"{single / 3600:.2f} h"})
    print(pd.DataFrame(rows).to_string(index=False))
    return 0
