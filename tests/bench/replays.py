"""The score of the replays' backlogs against their known truth."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import mean, pstdev

import pandas as pd

from tests.bench.common import REPLAY, RUN_ID, SHARED, run

DRAWS = ["", "-s12", "-s13", "-s14", "-s15"]


def replays(folder: Path, tags: float = 1.0) -> int:
    """Print the score of each draw's backlog, their mean and spread, and the control's false alarms.

    With ``tags`` below 1, only that share of the tagged outcomes is left in each bundle.
    """
    kinds, heads = ("missing", "stale", "unfindable"), []
    for draw in [*DRAWS, "-control"]:
        data = REPLAY.with_name(REPLAY.name + draw)
        store = folder / f"store{draw}"
        bundle = data / "bundle" if tags >= 1 else fewer_tags(data / "bundle", tags, folder / data.name)
        run(bundle, store)
        command = [sys.executable, str(SHARED / "bench" / "score_backlog.py"), str(data / "truth.json")]
        command += [str(store / "runs" / RUN_ID / "backlog.jsonl"), "--json"]
        score = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        told = "  ".join(f"{k} {score[k]['hits']}/{score[k]['items']} F1 {score[k]['f1']:.2f}" for k in kinds)
        print(f"{data.name:34} macro-F1 {score['headline_macro_f1']:.3f}  {told}", flush=True)
        if draw != "-control":
            heads.append(score["headline_macro_f1"])
    print(f"{'mean of the five draws':34} macro-F1 {mean(heads):.3f} (standard deviation {pstdev(heads):.3f})")
    return 0


def fewer_tags(bundle: Path, share: float, copy: Path) -> Path:
    """A copy of the bundle with this share of its tags, the same ones every time."""
    shutil.copytree(bundle, copy)
    tags = pd.read_csv(bundle / "outcomes.csv")
    drawn = [int(hashlib.blake2b(str(c).encode(), digest_size=4).hexdigest(), 16) for c in tags["conversation_id"]]
    tags[pd.Series(drawn) < share * 2**32].to_csv(copy / "outcomes.csv", index=False)
    return copy
