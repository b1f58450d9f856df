"""The score over many simulated draws: one draw's score is mostly luck, the mean of thirty is not."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, stdev
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.run import make_job
from lacuna.pipelines.runtime.runner import begin
from lacuna.pipelines.steps import STEPS, step_named
from tests.bench.common import SHARED, WINDOW, store_with_cache
from tests.bench.replays import KINDS
from tests.bench.simulation import Pool, draw, pooled

SIZES = (9, 19, 39)  # failed conversations of a gap, by which gaps are told apart


def simulated(folder: Path, draws: int, first: int, store: Path | None = None) -> int:
    """Print the score of ``draws`` simulated draws from seed ``first`` on, their mean and its standard error.

    With ``store``, vectors are kept there from one time to the next: they take most of the time.
    """
    seeds = range(first, first + draws)
    scores, gaps = [], []
    for seed, (score, named, rates) in zip(seeds, all_scored(folder, seeds, store), strict=True):
        scores.append(score)
        gaps.append(named)
        by_kind = "  ".join(f"{k} {score[k]['hits']}/{score[k]['items']} F1 {score[k]['f1']:.2f}" for k in KINDS)
        print(f"draw {seed:4}  macro-F1 {score['headline_macro_f1']:.3f}  {by_kind}  {rates}", flush=True)
    heads = [score["headline_macro_f1"] for score in scores]
    spread = stdev(heads) if draws > 1 else 0.0
    error = spread / draws**0.5
    print(f"mean of {draws}  macro-F1 {mean(heads):.3f} (standard error {error:.3f}, standard deviation {spread:.3f})")
    for kind in KINDS:
        hits, items, truth = (sum(score[kind][what] for score in scores) for what in ("hits", "items", "truth"))
        f1 = mean(score[kind]["f1"] for score in scores)
        print(f"{kind:12} F1 {f1:.3f}  {hits} of {truth}, {items - hits} false")
    print(f"\nnamed, by failed conversations of a gap\n{by_size(pd.concat(gaps))}")
    return 0


def by_size(gaps: pd.DataFrame) -> str:
    """How many gaps of each kind and size are named, as a table in Markdown; ``gaps`` has kind, failed and named."""
    size = pd.cut(gaps["failed"], [-1, *SIZES, np.inf], labels=[f"up to {most}" for most in SIZES] + ["more"])
    counts = gaps.groupby(["kind", size], observed=False)["named"].agg(["sum", "size"])
    table = (counts["sum"].astype(str) + " of " + counts["size"].astype(str)).unstack("kind")[list(KINDS)]
    return str(table.to_markdown())


def all_scored(folder: Path, seeds: range, store: Path | None) -> Iterator[tuple[dict[str, Any], pd.DataFrame, str]]:
    """What :func:`scored` says of each seed's draw; the first draw alone, because it fills the cache."""
    vectors = (store or folder / "vectors").resolve()
    yield scored(folder, seeds[0], vectors)
    with ProcessPoolExecutor(min(len(seeds), os.cpu_count() or 1), mp_context=get_context("spawn")) as workers:
        yield from workers.map(scored, repeat(folder), seeds[1:], repeat(vectors))


def scored(folder: Path, seed: int, vectors: Path) -> tuple[dict[str, Any], pd.DataFrame, str]:
    """The score of one draw's backlog, its planted gaps, and its bundle's rates, by which draws can be compared."""
    place = folder / f"draw-{seed}"
    tables, truth = draw(pool(), seed)
    write(tables, place / "bundle")
    rows = records(backlog(place / "bundle", store_with_cache(place / "store", vectors / "cache")))
    rows = [row | {"conversation_ids": list(row["conversation_ids"])} for row in rows]
    shutil.rmtree(place)
    return scorer().score(rows, truth), planted(rows, truth), rates(tables)


def planted(rows: list[dict[str, Any]], truth: dict[str, Any]) -> pd.DataFrame:
    """The planted gaps: kind, failed (conversations), and whether the backlog names them."""
    named = set()
    for row in rows:
        article, share, known_share = scorer().attribute(row, truth)
        if share >= scorer().MAJORITY and known_share >= scorer().KNOWN_SHARE:
            named.add((scorer().KINDS.get(row["kind"]), article))
    gaps = [
        (kind, gap["demand_failed"], (kind, article) in named) for kind in KINDS for article, gap in truth[kind].items()
    ]
    return pd.DataFrame(gaps, columns=["kind", "failed", "named"])


def backlog(bundle: Path, store: Path) -> pd.DataFrame:
    """The ranked backlog of a bundle, by the pipeline's own verbs in this process; nothing is published."""
    job = make_job(str(bundle), store, WINDOW[1], WINDOW[3])
    begin(job, force=True)
    for name in STEPS[:-1]:
        step_named(name)(job)
    return job.read("rank/backlog")


def write(tables: dict[str, pd.DataFrame], bundle: Path) -> None:
    """Write a bundle."""
    bundle.mkdir(parents=True)
    for name, table in tables.items():
        table.to_parquet(bundle / f"{name}.parquet", index=False)


def rates(tables: dict[str, pd.DataFrame]) -> str:
    """Shares of conversations with a citation, an escalation, a tag."""
    n = len(tables["conversations"])
    cited = tables["messages"].loc[tables["messages"]["role"].eq("bot"), "article_ids"].notna().sum()
    tagged = tables["outcomes"]["conversation_id"].nunique()
    escalated = tables["conversations"]["escalated"].sum()
    return f"cited {cited / n:.2f} escalated {escalated / n:.2f} tagged {tagged / n:.2f}"


@cache
def pool() -> Pool:
    """What draws are made of, read once a process."""
    return pooled()


@cache
def scorer() -> ModuleType:
    """The scorer that lies beside the data."""
    spec = importlib.util.spec_from_file_location("score_backlog", SHARED / "bench" / "score_backlog.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
