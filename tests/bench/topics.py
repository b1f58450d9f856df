"""Lacuna's topics beside BERTopic as it comes, on the same texts and the same vectors.

BERTopic as it comes brings umap-learn and hdbscan, which Lacuna leaves out; `make bench-topics` installs them, from a
lock of their own, into an environment of their own. Each run is a process of its own, so that memory is its own too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.bench.granularity import leave_one_family_out, prepared
from tests.support.paths import REPO, SHARED

DATA = SHARED / "data"
BENCH_PYTHON = REPO / ".venv-bench" / "bin" / "python"
SIZES = (5_000, 20_000, 40_000)
PARTS = (2, 4, 8)
DRAWS = 5
CHILD = Path(__file__).with_name("topics_child.py")


def main(data: Path, embedder: str, store: Path | None, sizes: tuple[int, ...]) -> int:
    """Print quality where the truth is known, then time, memory and agreement as the number of questions grows."""
    with tempfile.TemporaryDirectory(prefix="lacuna-bench-") as scratch:
        folder = Path(scratch)
        cache = store or folder / "store"
        print(f"vectors: {embedder}; ACC, NMI and ARI in percent, of all texts: unassigned is wrong")
        print(f"mean of {DRAWS} draws of nine tenths of the texts, ± their standard deviation\n")
        public = labelled(data)
        compare(public, folder, cache, embedder)
        leave_one_family_out({name: prepared(texts, cache, embedder) for name, texts in public.items()})
        for name, texts in public.items() if sizes else ():
            loss(name, texts, folder, cache, embedder)
        questions = firefox(data)
        for size in sizes:
            side_by_side(f"firefox {size:,}", questions.head(size), folder, cache, embedder)
        if sizes:
            loss("firefox 20,000", questions.head(20_000), folder, cache, embedder)
            again(questions.head(max(sizes)), folder, embedder)
    return 0


def compare(sets: dict[str, pd.DataFrame], folder: Path, cache: Path, embedder: str) -> None:
    """Print a line a set and method, over draws of the texts in another order each time, and the mean over the sets."""
    means: dict[str, list[float]] = {}
    for name, texts in sets.items():
        folders = [folder / f"draw-{draw}" for draw in range(DRAWS)]
        drawn: dict[str, list[dict[str, float]]] = {"lacuna": []}
        for draw, own in enumerate(folders):
            own.mkdir(exist_ok=True)
            texts.sample(frac=0.9, random_state=draw).to_json(own / "texts.jsonl", orient="records", lines=True)
            child(sys.executable, "vectors", own, cache, embedder)
            drawn["lacuna"].append(child(sys.executable, "draw", own, cache, embedder))
        if BENCH_PYTHON.exists():
            drawn |= child(str(BENCH_PYTHON), "draws", folder, cache, embedder)
        for what, figures_of in drawn.items():
            table = pd.DataFrame(figures_of)
            shares = "  ".join(
                f"{key} {table[key].mean():5.1f} ± {table[key].std():3.1f}" for key in ("ACC", "NMI", "ARI")
            )
            found, true = table["K"].mean(), table["K_true"].mean()
            print(f"{name:24} {what:17} {shares}  K {found:5.1f}/{true:.0f} ({found / true:.2f})", flush=True)
            means.setdefault(what, []).append(table["ACC"].mean())
    print("\nmean ACC over the sets: " + ", ".join(f"{what} {np.mean(of):.1f}" for what, of in means.items()) + "\n")


def labelled(data: Path) -> dict[str, pd.DataFrame]:
    """The sets with one true intent a text: id, text, truth."""
    from lacuna.pipelines.demo import load_truth, write_demo

    banking = pd.read_json(data / "dstc11-banking" / "utterances.jsonl", lines=True, dtype=False)
    banking77 = pd.read_csv(data / "banking77" / "test.csv")
    with tempfile.TemporaryDirectory(prefix="lacuna-bench-") as scratch:
        write_demo(Path(scratch))
        truth = load_truth(Path(scratch) / "truth.json")
        messages = pd.read_json(Path(scratch) / "bundle" / "messages.jsonl.gz", lines=True, dtype=False)
    planted = {c: name for name, topic in truth.topics.items() for c in topic.conversation_ids}
    questions = messages[messages["role"].eq("customer") & messages["conversation_id"].isin(planted)]
    first = questions.sort_values("position").groupby("conversation_id")["text"].first()
    ids = first.index.to_numpy()
    intents = {
        path.stem: frame(intent["turn_id"], intent["utterance"], intent["reference_label"])
        for path in sorted((data / "intents").glob("*.jsonl"))
        for intent in [pd.read_json(path, lines=True, dtype=False)]
    }
    return {
        "dstc11-banking": frame(banking["turn_id"], banking["utterance"], banking["reference_label"]),
        "banking77": frame(range(len(banking77)), banking77["text"], banking77["category"]),
        **intents,
        "demo": frame(ids, first, [planted[c] for c in ids]),
    }


def firefox(data: Path) -> pd.DataFrame:
    """Real support questions in an order that has nothing to do with time, and their coarse topic."""
    questions = pd.read_parquet(data / "firefox-questions" / "2021-2022.parquet")
    questions = questions[questions["text"].fillna("").str.strip() != ""].sort_values("id")
    return frame(questions["id"], questions["text"], questions["topic"])


def frame(ids: object, texts: object, truth: object) -> pd.DataFrame:
    """Columns id, text and truth, all text."""
    columns = {"id": ids, "text": texts, "truth": truth}
    return pd.DataFrame({name: np.asarray(list(values), dtype=str) for name, values in columns.items()})


def side_by_side(name: str, texts: pd.DataFrame, folder: Path, cache: Path, embedder: str) -> None:
    """Print one line for all that Lacuna does, one for its grouping alone, and one for BERTopic, which groups alone."""
    texts.to_json(folder / "texts.jsonl", orient="records", lines=True)
    runs = [("vectors", sys.executable), ("lacuna", sys.executable), ("grouping", sys.executable)]
    if BENCH_PYTHON.exists():
        runs += [("bertopic", str(BENCH_PYTHON))]
    for what, python in runs:
        figures = child(python, what, folder, cache, embedder)
        if what != "vectors":
            print(line(name, what, figures), flush=True)


def loss(name: str, texts: pd.DataFrame, folder: Path, cache: Path, embedder: str) -> None:
    """Print what is lost where topics are found on a part and the others join them."""
    texts.to_json(folder / "texts.jsonl", orient="records", lines=True)
    for part in PARTS:
        figures = child(sys.executable, "lacuna", folder, cache, embedder, len(texts) // part)
        print(line(name, f"  found on 1/{part}", figures), flush=True)


def again(texts: pd.DataFrame, folder: Path, embedder: str) -> None:
    """Print what the whole of `lacuna topics` costs, with nothing known, and once more with 5 % new texts."""
    with tempfile.TemporaryDirectory(prefix="lacuna-bench-") as fresh:
        earlier_texts = texts.iloc[np.arange(len(texts)) % 20 > 0]
        for what, some in (("all new", earlier_texts), ("5 % new", texts), ("nothing new", texts)):
            some.to_json(folder / "texts.jsonl", orient="records", lines=True)
            figures = child(sys.executable, "whole", folder, Path(fresh), embedder)
            print(line(f"whole {len(some):,}", what, figures), flush=True)


def child(python: str, what: str, folder: Path, cache: Path, embedder: str, fit_at_most: int = 0) -> dict[str, Any]:
    """Run one grouping as a process of its own; its figures."""
    command = [python, str(CHILD), what, str(folder), str(cache), embedder, str(fit_at_most)]
    process = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPO)
    if process.returncode:
        raise SystemExit(process.stderr)
    return json.loads(process.stdout.splitlines()[-1])


def line(name: str, what: str, figures: dict[str, float]) -> str:
    """One line of the table."""
    shares = "  ".join(f"{key} {figures[key]:5.1f}" for key in ("ACC", "NMI", "ARI"))
    return (
        f"{name:16} {what:15} {shares}  K {figures['K']:4.0f}/{figures['K_true']:.0f}"
        f"  unassigned {figures['outside']:5.1%}"
        f"  first {figures['seconds']:6.1f} s ({figures['cpu']:6.1f} s of processor)"
        f"  warm {figures['warm_seconds']:6.1f} s ({figures['warm_cpu']:6.1f})  {figures['peak']:6,.0f} MiB"
        + (f"  loading {figures['import']:.1f} s" if figures.get("import") else "")
    )
