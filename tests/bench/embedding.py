"""How good and how fast each embedder is, and what a second run with 5 % new texts costs.

The bound: a network's multiply-adds are matrix products of known shapes, so a text of n tokens costs at least
``layers × n × (8 h² + 4 h i + 4 h n)`` floating-point operations (hidden size h, inner size i), and a core does no
more of them a second than numpy's best product of single-precision matrices. Both are taken in seconds of the
processor on one core; a machine that does other things besides still disturbs them by a fifth.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from lacuna.pipelines.embedders.choice import MULTILINGUAL
from tests.support.paths import SHARED

QUESTIONS = SHARED / "data" / "firefox-questions" / "2021-2022.parquet"
TEXTS, SPEED_TEXTS = 3000, 600
ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT"), "1")


def embedding(names: list[str], store: Path | None = None) -> int:
    """Print quality, then the table of speeds, then first and second run, each embedder in a process of its own."""
    from tests.bench.embedding_quality import quality

    if (SHARED / "data" / "intents").is_dir():
        with tempfile.TemporaryDirectory(prefix="lacuna-bench-") as scratch:
            print(quality([*names, MULTILINGUAL], SHARED / "data", store or Path(scratch)).to_string(), "\n")
    if not QUESTIONS.exists():
        print(f"{QUESTIONS} is not there: nothing to measure")
        return 0
    rows = [json.loads(_child("speed", name, ONE_CORE)) for name in names]
    print(pd.DataFrame(rows).to_string(index=False))
    print("\nOn one core, by its own clock; share: of the products that numpy does in the same time.\n")
    with tempfile.TemporaryDirectory(prefix="lacuna-bench-") as store:
        for name in names:
            first, second = (json.loads(_child("again", name, {}, store, share)) for share in ("0.95", "1"))
            ratio = second["cpu_s"] / first["cpu_s"]
            print(f"{name:20} first run {first}, again with 5 % new {second}: {ratio:.3f} of the first", flush=True)
    return 0


def speed(name: str) -> dict[str, float | str]:
    """Tokens and texts a second of one core, and the share of its bound."""
    from lacuna.pipelines.embedders.encoder import Encoder
    from lacuna.pipelines.embedders.registry import embedder

    texts, model = _texts(SPEED_TEXTS), embedder(name)
    model.embed(texts[:8])
    seconds = min(_seconds(lambda: model.embed(texts)) for _ in range(3))
    row: dict[str, float | str] = {"embedder": model.name, "texts/s": round(len(texts) / seconds)}
    if isinstance(model, Encoder) and (model._folder / "config.json").exists():
        lengths = np.array([len(encoded.ids) for encoded in model._tokenizer.encode_batch(texts)])
        row |= {"tokens/s": round(lengths.sum() / seconds), "tokens/text": round(lengths.mean(), 1)}
        config = json.loads((model._folder / "config.json").read_text(encoding="utf-8"))
        h, inner = config["hidden_size"], config["intermediate_size"]
        flops = config["num_hidden_layers"] * (lengths * (8 * h * h + 4 * h * inner + 4 * h * lengths)).sum()
        operations_limit = _bound(h, inner)
        row |= {"GFLOP/s": round(flops / seconds / 1e9, 1), "bound": round(operations_limit, 1)}
        row["share"] = round(flops / seconds / 1e9 / operations_limit, 2)
    return row


def again(name: str, store: str, share: str) -> dict[str, float]:
    """Seconds, by the clock and of the processor, to have the vectors of a share of the texts, loading included."""
    from lacuna.pipelines.io.vector_cache import embed

    texts = _texts(TEXTS)
    texts = texts[: round(float(share) * len(texts))]
    began, busy = time.perf_counter(), time.process_time()
    embed(texts, name, Path(store), "")
    return {"s": round(time.perf_counter() - began, 2), "cpu_s": round(time.process_time() - busy, 2)}


def _texts(n: int) -> list[str]:
    """``n`` distinct texts, spread over all."""
    distinct = sorted(set(pd.read_parquet(QUESTIONS, columns=["text"])["text"]))
    return [distinct[i] for i in np.random.default_rng(0).choice(len(distinct), n, replace=False)]


def _bound(hidden: int, inner: int) -> float:
    """GFLOP a second of numpy's best single-precision product, of the shape of the largest layer or square."""
    rates = []
    for shape in ((512, hidden, inner), (1024, 1024, 1024)):
        a, b = (np.random.default_rng(0).random(s, dtype=np.float32) for s in (shape[:2], shape[1:]))
        rates.append(2 * np.prod(shape) / 1e9 / min(_seconds(lambda a=a, b=b: a @ b) for _ in range(200)))
    return float(max(rates))


def _seconds(work: object) -> float:
    began = time.process_time()
    work()  # type: ignore[operator]
    return time.process_time() - began


def _child(what: str, name: str, variables: dict[str, str], *more: str) -> str:
    command = [sys.executable, "-m", "tests.bench.embedding", what, name, *more]
    child = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)
    if child.returncode:
        raise SystemExit(child.stderr)
    return child.stdout


if __name__ == "__main__":
    print(json.dumps({"speed": speed, "again": again}[sys.argv[1]](*sys.argv[2:])))
