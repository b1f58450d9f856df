"""How long the light commands take, from the shell to the answer, on a store of the demo's."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.common import demo_runs

TIMES = 5
COMMANDS = {
    "lacuna --help": ("--help",),
    "lacuna backlog": ("backlog", "--store"),
    "lacuna runs": ("runs", "--store"),
    "lacuna explain": ("explain", "1", "--store"),
    "lacuna decide": ("decide", "1", "note", "--why", "measured", "--store"),
    "lacuna impact": ("impact", "--store"),
    "lacuna drafts": ("drafts", "--store"),
    "lacuna topic": ("topic", "--store"),
}


def startup(folder: Path, store: Path | None = None) -> int:
    """Print the median seconds of each; the store is made where none is given."""
    store = store or demo_runs(folder).parents[1]
    print(f"{'command':16} {'median s':>9} {'least s':>9}   of {TIMES}, after one that fills the system's caches")
    for name, words in COMMANDS.items():
        command = [
            sys.executable,
            "-m",
            "lacuna.pipelines.cli.main",
            *words,
            *([str(store)] if words[-1] == "--store" else []),
        ]
        seconds = [_seconds(command) for _ in range(TIMES + 1)][1:]
        print(f"{name:16} {statistics.median(seconds):9.2f} {min(seconds):9.2f}", flush=True)
    return 0


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    if child.returncode:
        raise SystemExit(child.stderr)
    return time.perf_counter() - began
