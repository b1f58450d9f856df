"""Time and peak memory of each step on a replayed deployment, and how they grow.

With --replays, the backlog's score instead; with --stability, how well topics keep their ids from run to run.
The data lies beside the repository in ../shared and is not part of it; without it the benchmark says so and stops.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, pstdev

import pandas as pd

from tests.bench.stability import stability

SHARED = Path(__file__).resolve().parents[3] / "shared"
REPLAY = SHARED / "data" / "thunderbird-replay-2023"
DRAWS = ["", "-s12", "-s13", "-s14", "-s15"]
WINDOW = ["--start", "2023-01-01", "--end", "2024-06-30"]
# Runs the command in a child and prints the child's peak memory, imports included.
CHILD = "import resource, subprocess, sys; r = subprocess.call(sys.argv[1:]); print('PEAK', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024); sys.exit(r)"  # noqa: E501


def main() -> int:
    """Run what is asked for and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--replays", action="store_true", help="score the five draws and the control instead")
    parser.add_argument("--stability", action="store_true", help="follow topics from run to run instead")
    chosen = parser.parse_args()
    if chosen.stability:
        with tempfile.TemporaryDirectory(prefix="lacuna-bench-") as folder:
            return stability(Path(folder), REPLAY / "bundle")
    if not REPLAY.is_dir():
        print(f"{REPLAY} is not there: nothing to measure")
        return 0
    with tempfile.TemporaryDirectory(prefix="lacuna-bench-") as folder:
        return replays(Path(folder)) if chosen.replays else growth(Path(folder))


def run(bundle: Path, store: Path, *options: str) -> tuple[float, int]:
    """Run ``lacuna run`` as a process of its own; seconds and peak MiB of the whole process."""
    command = [sys.executable, "-m", "pipelines.cli", "run", str(bundle), "--store", str(store), *WINDOW, *options]
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", CHILD, *command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return time.perf_counter() - began, int(done.stdout.rsplit("PEAK", 1)[1])


def part_of(bundle: Path, share: float, folder: Path) -> Path:
    """A bundle with the first ``share`` of the conversations by time and what belongs to them."""
    shutil.copytree(bundle, folder)
    conversations = pd.read_parquet(bundle / "conversations.parquet").sort_values(["started_at", "conversation_id"])
    kept = conversations.head(round(share * len(conversations)))
    ids = set(kept["conversation_id"])
    kept.to_parquet(folder / "conversations.parquet")
    messages = pd.read_parquet(bundle / "messages.parquet")
    messages[messages["conversation_id"].isin(ids)].to_parquet(folder / "messages.parquet")
    outcomes = pd.read_csv(bundle / "outcomes.csv")
    outcomes[outcomes["conversation_id"].isin(ids)].to_csv(folder / "outcomes.csv", index=False)
    return folder


def growth(folder: Path) -> int:
    """Print seconds and peak MiB of each step at a quarter, a half and the whole, cold; then the whole again, warm."""
    columns = {}
    for name, share in (("quarter", 0.25), ("half", 0.5), ("whole", 1.0)):
        bundle = part_of(REPLAY / "bundle", share, folder / name)
        columns[name] = measured(bundle, folder / f"store-{name}")
    columns["again"] = measured(folder / "whole", folder / "store-whole", "--force")
    table = pd.DataFrame(columns)
    table["whole / quarter"] = [grown(w[0], q[0]) for w, q in zip(table["whole"], table["quarter"], strict=True)]
    for name in columns:
        table[name] = [f"{seconds:7.1f} s {peak:6,.0f} MiB" for seconds, peak in table[name]]
    print(table.to_string())
    print("\nAgain: the same bundle, done anew with the embeddings that the store has kept. Four times the data.")
    return 0


def measured(bundle: Path, store: Path, *options: str) -> dict[str, tuple[float, float]]:
    """Seconds and peak MiB by step, and of the whole process."""
    whole = run(bundle, store, *options)
    steps = json.loads((store / "runs" / "2024-06-30" / "run.json").read_text(encoding="utf-8"))["steps"]
    return {step["name"]: (step["seconds"], step["peak_mb"]) for step in steps} | {"whole process": whole}


def grown(whole: float, quarter: float) -> str:
    """How many times longer four times the data took, for example ``×3.2``."""
    return f"×{whole / quarter:.1f}" if quarter >= 0.05 else "–"


def replays(folder: Path) -> int:
    """Print the score of each draw's backlog, their mean and spread, and the control's false alarms."""
    kinds, heads = ("missing", "stale", "unfindable"), []
    for draw in [*DRAWS, "-control"]:
        data = REPLAY.with_name(REPLAY.name + draw)
        store = folder / f"store{draw}"
        run(data / "bundle", store)
        command = [sys.executable, str(SHARED / "bench" / "score_backlog.py"), str(data / "truth.json")]
        command += [str(store / "runs" / "2024-06-30" / "backlog.jsonl"), "--json"]
        score = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        told = "  ".join(f"{k} {score[k]['hits']}/{score[k]['items']} F1 {score[k]['f1']:.2f}" for k in kinds)
        print(f"{data.name:34} macro-F1 {score['headline_macro_f1']:.3f}  {told}", flush=True)
        if draw != "-control":
            heads.append(score["headline_macro_f1"])
    print(f"{'mean of the five draws':34} macro-F1 {mean(heads):.3f} (standard deviation {pstdev(heads):.3f})")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
