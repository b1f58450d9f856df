"""What the benchmarks share: the data beside the repository, and a run as a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from lacuna.pipelines.cli.mine import DEMO_WEEKS
from lacuna.pipelines.demo import write_demo
from lacuna.pipelines.run import run as run_pipeline
from tests.support.paths import SHARED

REPLAY = SHARED / "data" / "thunderbird-replay-2023"
WINDOW = ["--start", "2023-01-01", "--end", "2024-06-30"]
RUN_ID = "2024-06-30"
# Runs the command in a child and prints the child's peak memory, imports included.
CHILD = "import resource, subprocess, sys; r = subprocess.call(sys.argv[1:]); print('PEAK', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024); sys.exit(r)"  # noqa: E501


def demo_runs(folder: Path) -> Path:
    """Write the demo and make its weekly runs; gives the folder of the last one."""
    write_demo(folder / "demo")
    for week in DEMO_WEEKS:
        run_pipeline(str(folder / "demo" / "bundle"), folder / "demo-store", end=week)
    return folder / "demo-store" / "runs" / DEMO_WEEKS[-1]


def store_with_cache(store: Path, cache: Path) -> Path:
    """The store, made where missing, with a cache that others have too: vectors take most of a run's time."""
    cache.mkdir(parents=True, exist_ok=True)
    store.mkdir(parents=True, exist_ok=True)
    if not (store / "cache").exists():
        (store / "cache").symlink_to(cache.resolve())
    return store


def run(bundle: Path, store: Path, *options: str) -> tuple[float, int]:
    """Run ``lacuna run`` as a process of its own; seconds and peak MiB of the whole process."""
    command = [sys.executable, "-m", "lacuna.pipelines.cli.main", "run", str(bundle), "--store", str(store)]
    command += [*WINDOW, *options]
    began = time.perf_counter()
    child = subprocess.run([sys.executable, "-c", CHILD, *command], capture_output=True, text=True, check=False)
    if child.returncode:
        raise SystemExit(child.stderr)
    return time.perf_counter() - began, int(child.stdout.rsplit("PEAK", 1)[1])
