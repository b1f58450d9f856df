"""How well the demo's planted problems become gaps: one gap each, in all words and languages, and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lacuna.pipelines.demo import load_truth, write_demo
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.run import run
from tests.bench.common import RUN_ID, store_with_cache

PLANTED = ("missing", "stale", "incomplete", "contradictory", "unfindable")


def demo_gaps(folder: Path, seeds: Sequence[int]) -> int:
    """Print a row of figures for each draw of the demo, which are other conversations with the same problems.

    *Own* is the share of a gap's conversations that are about its problem, *covered* the share of the planted problems'
    failed conversations that are in a gap about it, and *in German* that of the German ones.
    """
    progress.configure(quiet=True)
    print(f"{'seed':>5}{'gaps':>6}{'problems':>10}{'twice':>7}{'others':>8}{'own':>7}{'covered':>9}{'in German':>11}")
    for seed in seeds:
        print(_figures(folder / str(seed), folder / "cache", seed), flush=True)
    return 0


def _figures(folder: Path, cache: Path, seed: int) -> str:
    write_demo(folder, seed=seed)
    store = store_with_cache(folder / "store", cache)
    run(str(folder / "bundle"), store, end=RUN_ID)
    topics = load_truth(folder / "truth.json").topics
    problem_of = {c: name for name, topic in topics.items() if topic.kind in PLANTED for c in topic.conversation_ids}
    asked = pd.read_parquet(folder / "bundle" / "conversations").drop_duplicates("conversation_id")
    asked = asked[asked["escalated"].fillna(False) & asked["started_at"].ge(_start(store))]
    german = set(asked["conversation_id"][asked["language"].str[:2].eq("de")])
    lines = (store / "runs" / RUN_ID / "backlog.jsonl").read_text(encoding="utf-8").splitlines()
    gaps = [set(json.loads(line)["conversation_ids"]) for line in lines]
    problems, found, own = Counter[str](), set[str](), 0
    for conversations in gaps:
        (problem, count), *_ = Counter(problem_of.get(c, "") for c in conversations).most_common(1)
        problems[problem] += 1
        own += count if problem else 0
        found |= {c for c in conversations if problem_of.get(c) == problem and problem}
    failed = set(asked["conversation_id"]) & set(problem_of)
    planted = {name: n for name, n in problems.items() if name}
    shares = [own / max(1, sum(map(len, gaps))), _share(found, failed), _share(found, failed & german)]
    return (
        f"{seed:>5}{len(gaps):>6}{len(planted):>10}{sum(n - 1 for n in planted.values()):>7}{problems['']:>8}"
        + "".join(f"{share:>{width}.0%}" for share, width in zip(shares, (7, 9, 11), strict=True))
    )


def _start(store: Path) -> pd.Timestamp:
    window = json.loads((store / "runs" / RUN_ID / "run.json").read_text(encoding="utf-8"))["window"]
    return pd.Timestamp(window["start"], tz="UTC")


def _share(some: set[str], of: set[str]) -> float:
    return len(some & of) / max(1, len(of))
