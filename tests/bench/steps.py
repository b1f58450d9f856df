"""Time and peak memory of each step on the replay, and how they grow."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd

from tests.bench.common import REPLAY, RUN_ID, run


def steps(folder: Path) -> int:
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
    process = run(bundle, store, *options)
    steps = json.loads((store / "runs" / RUN_ID / "run.json").read_text(encoding="utf-8"))["steps"]
    return {step["name"]: (step["seconds"], step["peak_mb"]) for step in steps} | {"whole process": process}


def grown(all_rows: float, quarter: float) -> str:
    """How many times longer four times the data took, for example ``×3.2``."""
    return f"×{all_rows / quarter:.1f}" if quarter >= 0.05 else "–"


def part_of(bundle: Path, share: float, folder: Path) -> Path:
    """A bundle with the first ``share`` of the conversations by time and what belongs to them."""
    shutil.copytree(bundle, folder)
    conversations = pd.read_parquet(bundle / "conversations.parquet").sort_values(["started_at", "conversation_id"])
    conversations_kept = conversations.head(round(share * len(conversations)))
    ids = set(conversations_kept["conversation_id"])
    conversations_kept.to_parquet(folder / "conversations.parquet")
    messages = pd.read_parquet(bundle / "messages.parquet")
    messages[messages["conversation_id"].isin(ids)].to_parquet(folder / "messages.parquet")
    outcomes = pd.read_csv(bundle / "outcomes.csv")
    outcomes[outcomes["conversation_id"].isin(ids)].to_csv(folder / "outcomes.csv", index=False)
    return folder
