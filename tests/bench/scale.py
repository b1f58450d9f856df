"""How time and memory of each step grow with the number of conversations, and what a weekly rerun costs.

The bundles are those of :mod:`tests.bench.scale_bundle`, the embedder is ``lexical``. Each step is run by
``run_step``, as a scheduler does, in an interpreter of its own: its peak is its own, its imports included.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from lacuna.pipelines.steps import STEPS
from tests.bench.scale_bundle import START, WEEK, Plan, subjects_for, write_bundle, write_week
from tests.bench.scale_texts import Corpus, read_corpus

QUESTIONS = Path("firefox-questions", "2021-2022.parquet")
NEW_SHARE = 0.02
GROWTH_FROM = 10_000  # below, imports and other fixed costs are most of the time
PARTS = ("plan", *STEPS)
# Performs one part of a run and prints what became of the job, its seconds by the clock and of the processor, and its
# peak. What a step imports at once is imported before the clock starts.
CHILD = """
import json, os, sys
from lacuna.pipelines.presentation.progress import configure, measured
from lacuna.pipelines.run import plan_scheduled, run_step
from lacuna.pipelines.steps import step_named
configure(quiet=True)
part, job = sys.argv[1], json.loads(sys.argv[2])
if part != "plan":
    step_named(part)
began = sum(os.times()[:4])
with measured(part) as cost:
    job = plan_scheduled(job) if part == "plan" else run_step(part, job)
answer = {"job": job, "seconds": cost.seconds, "processor": sum(os.times()[:4]) - began, "peak": cost.peak_mb}
print(json.dumps(answer))
"""


@dataclass(frozen=True)
class Cost:
    """What one part of a run took: seconds by the clock and of the processor, peak MiB, why it failed where it did."""

    seconds: float
    processor: float
    peak: float
    failure: str = ""


def scale(
    data: Path,
    sizes: Sequence[int],
    articles: int,
    weeks: int,
    *,
    parent: Path | None = None,
    into: Path | None = None,
) -> int:
    """Print the cost of each step at each size, how it grows, and the cost of the rerun a week later.

    Parameters
    ----------
    data
        The folder with ``firefox-questions``.
    sizes
        Numbers of conversations; the larger ones are left out where a step fails.
    articles
        Number of articles.
    weeks
        How many weeks the conversations last.
    parent
        Where a folder for bundles and stores is made; it is deleted in the end. That of the system by default.
    into
        Where the bundle of the first size is written and kept; then nothing is measured.
    """
    if not (data / QUESTIONS).exists():
        print(f"{data / QUESTIONS} is not there: nothing to measure")
        return 0
    began = time.perf_counter()
    corpus = read_corpus(data / QUESTIONS, subjects_for(articles), seed=7)
    subjects = f"{len(corpus.topic):,} subjects of {len(corpus.topics)} topics"
    seconds = time.perf_counter() - began
    print(f"{len(corpus.questions):,} real questions cut into {subjects} in {seconds:.0f} s; {weeks} weeks, lexical.")
    print("Beyond the real questions, texts are made by recombining sentences of questions of the same topic.")
    if into:
        write_bundle(Plan(corpus, sizes[0], weeks), into)
        print(f"{sizes[0]:,} conversations written into {into}, from {START.date()} on")
        return 0
    print("Each step in an interpreter of its own: seconds by the clock, of the processor, and the process's peak.")
    firsts: dict[int, dict[str, Cost]] = {}
    reruns: dict[int, dict[str, Cost]] = {}
    for size in sorted(sizes):
        with tempfile.TemporaryDirectory(prefix="lacuna-bench-", dir=parent) as folder:
            firsts[size], reruns[size] = measured_at(Path(folder), corpus, size, weeks)
        if failed(firsts[size]):
            break
    print(f"\n{cost_table(firsts)}\n\nShare of the time:\n{share_table(firsts)}\n\n{growth_lines(firsts)}")
    print(
        f"\nA week later, {NEW_SHARE:.0%} more conversations, same store, window a week longer:\n{cost_table(reruns)}"
    )
    for size, rerun in reruns.items():
        if rerun and not failed(rerun):
            after, before = total(rerun), total(firsts[size])
            shares = (
                f"{after.seconds / before.seconds:.2f} by the clock, {after.processor / before.processor:.2f} processor"
            )
            print(f"{size:,}: of the first run's time {shares} (asked for: at most 0.20)")
    return 1 if any(failed(costs) for costs in [*firsts.values(), *reruns.values()]) else 0


def measured_at(folder: Path, corpus: Corpus, size: int, weeks: int) -> tuple[dict[str, Cost], dict[str, Cost]]:
    """The costs of the first run at a size, and of the rerun a week later; the latter empty where the first failed."""
    plan, bundle = Plan(corpus, size, weeks), folder / "bundle"
    began = time.perf_counter()
    real = write_bundle(plan, bundle)
    mib = sum(file.stat().st_size for file in bundle.rglob("*.parquet")) >> 20
    kinds = f"{real:,} real, {size - real:,} made up, {len(plan.articles):,} articles"
    print(f"\n{size:,} conversations: {kinds}; {mib:,} MiB, written in {time.perf_counter() - began:.0f} s", flush=True)
    config = folder / "lacuna.toml"
    config.write_text('[embedder]\nname = "lexical"\n', encoding="utf-8")
    first = run_parts(bundle, folder / "store", config, plan.end)
    if failed(first):
        return first, {}
    write_week(plan, bundle, round(NEW_SHARE * size))
    return first, run_parts(bundle, folder / "store", config, plan.end + WEEK)


def run_parts(bundle: Path, store: Path, config: Path, end: pd.Timestamp) -> dict[str, Cost]:
    """Plan a run and perform its steps, each in an interpreter of its own; stops at the first that fails."""
    last: date = (end - pd.Timedelta(days=1)).date()
    given: dict[str, str | None] = {
        "bundle": str(bundle), "store": str(store), "start": START.date().isoformat(), "end": last.isoformat(),
        "config": str(config),
    }  # fmt: skip
    costs: dict[str, Cost] = {}
    for part in PARTS:
        began = time.perf_counter()
        command = [sys.executable, "-c", CHILD, part, json.dumps(given)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            why = lines[-1] if lines else f"ended by signal {-done.returncode}"
            costs[part] = Cost(time.perf_counter() - began, math.nan, math.nan, why)
            print(f"  {part} failed after {costs[part].seconds:.0f} s: {why}", flush=True)
            break
        answer = json.loads(done.stdout.splitlines()[-1])
        given = answer["job"]
        costs[part] = Cost(answer["seconds"], answer["processor"], answer["peak"])
        print(f"  {part}: {_cell(costs[part]).strip()}", flush=True)
    return costs


def failed(costs: dict[str, Cost]) -> bool:
    """Whether a part failed."""
    return any(cost.failure for cost in costs.values())


def total(costs: dict[str, Cost]) -> Cost:
    """The sum of the seconds, and the highest peak."""
    seconds, processor = sum(cost.seconds for cost in costs.values()), sum(cost.processor for cost in costs.values())
    return Cost(seconds, processor, max((cost.peak for cost in costs.values()), default=0.0))


def cost_table(by_size: dict[int, dict[str, Cost]]) -> str:
    """Seconds and peak MiB, a row a part and a column a size."""
    table = {
        f"{size:,}": {name: _cell(cost) for name, cost in (costs | {"total": total(costs)}).items()}
        for size, costs in by_size.items()
        if costs
    }
    return pd.DataFrame(table, index=[*PARTS, "total"]).fillna("not run").to_string() if table else "not run"


def _cell(cost: Cost) -> str:
    return "failed" if cost.failure else f"{cost.seconds:8.1f} s {cost.processor:8.1f} s {cost.peak:7,.0f} MiB"


def share_table(by_size: dict[int, dict[str, Cost]]) -> str:
    """Each part's share of the time, a row a part and a column a size."""
    table = {
        f"{size:,}": {name: f"{cost.seconds / total(costs).seconds:.0%}" for name, cost in costs.items()}
        for size, costs in by_size.items()
    }
    return pd.DataFrame(table, index=list(PARTS)).fillna("–").to_string()


def growth(seconds: dict[int, float]) -> float:
    """The exponent with which time grows: slope of log seconds on log size, from 10,000 on; nan with under two sizes.

    Examples
    --------
    >>> round(growth({10_000: 2.0, 20_000: 4.0, 40_000: 8.0}), 2)
    1.0
    """
    sizes = [size for size in seconds if size >= GROWTH_FROM and seconds[size] > 0]
    if len(sizes) < 2:
        return math.nan
    return float(np.polyfit(np.log(sizes), np.log([seconds[size] for size in sizes]), 1)[0])


def growth_lines(by_size: dict[int, dict[str, Cost]]) -> str:
    """The growth exponent of each part and of the total, by the sizes whose run came to its end."""
    whole = {size: costs | {"total": total(costs)} for size, costs in by_size.items() if costs and not failed(costs)}
    if sum(size >= GROWTH_FROM for size in whole) < 2:
        return f"No growth exponent: it needs two sizes from {GROWTH_FROM:,} on whose run came to its end."
    table = {
        title: {
            name: round(growth({n: at(costs[name]) for n, costs in whole.items()}), 2) for name in (*PARTS, "total")
        }
        for title, at in (("by the clock", lambda cost: cost.seconds), ("processor", lambda cost: cost.processor))
    }
    title = f"Growth exponent, from {GROWTH_FROM:,} on (asked for: at most 1.10 in total):"
    return f"{title}\n{pd.DataFrame(table).to_string()}"
