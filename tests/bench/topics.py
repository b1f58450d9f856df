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

import numpy as np
import pandas as pd

from tests.support.paths import REPO, SHARED

DATA = SHARED / "data"
THEIRS = REPO / ".venv-bench" / "bin" / "python"
SIZES = (5_000, 20_000, 40_000)
PARTS = (2, 4, 8)
CHILD = Path(__file__).with_name("topics_child.py")


def main(data: Path, embedder: str, store: Path | None, sizes: tuple[int, ...]) -> int:
    """Print quality where the truth is known, then time, memory and agreement as the number of questions grows."""
    with tempfile.TemporaryDirectory(prefix="lacuna-bench-") as scratch:
        folder = Path(scratch)
        cache = store or folder / "store"
        print(f"vectors: {embedder}; ACC, NMI and ARI in percent, of all texts: unassigned is wrong\n")
        for name, texts in known(data).items():
            side_by_side(name, texts, folder, cache, embedder)
            loss(name, texts, folder, cache, embedder)
        questions = firefox(data)
        for size in sizes:
            side_by_side(f"firefox {size:,}", questions.head(size), folder, cache, embedder)
        loss("firefox 20,000", questions.head(20_000), folder, cache, embedder)
        again(questions.head(max(sizes)), folder, embedder)
    return 0


def known(data: Path) -> dict[str, pd.DataFrame]:
    """The sets with one true intent a text: id, text, truth."""
    from lacuna.pipelines.demo import load_truth, write_demo

    banking = pd.read_json(data / "dstc11-banking" / "utterances.jsonl", lines=True, dtype=False)
    banking77 = pd.read_csv(data / "banking77" / "test.csv")
    with tempfile.TemporaryDirectory(prefix="lacuna-bench-") as scratch:
        write_demo(Path(scratch))
        truth = load_truth(Path(scratch) / "truth.json")
        messages = pd.read_json(Path(scratch) / "bundle" / "messages.jsonl.gz", lines=True, dtype=False)
    planted = {c: name for name, topic in truth.topics.items() for c in topic.conversation_ids}
    said = messages[messages["role"].eq("customer") & messages["conversation_id"].isin(planted)]
    first = said.sort_values("position").groupby("conversation_id")["text"].first()
    ids = first.index.to_numpy()
    return {
        "dstc11-banking": frame(banking["turn_id"], banking["utterance"], banking["reference_label"]),
        "banking77": frame(range(len(banking77)), banking77["text"], banking77["category"]),
        "demo": frame(ids, first, [planted[c] for c in ids]),
    }


def firefox(data: Path) -> pd.DataFrame:
    """Real support questions in an order that has nothing to do with time, and their coarse topic."""
    found = pd.read_parquet(data / "firefox-questions" / "2021-2022.parquet")
    found = found[found["text"].fillna("").str.strip() != ""].sort_values("id")
    return frame(found["id"], found["text"], found["topic"])


def frame(ids: object, texts: object, truth: object) -> pd.DataFrame:
    """Columns id, text and truth, all text."""
    columns = {"id": ids, "text": texts, "truth": truth}
    return pd.DataFrame({name: np.asarray(list(values), dtype=str) for name, values in columns.items()})


def side_by_side(name: str, texts: pd.DataFrame, folder: Path, cache: Path, embedder: str) -> None:
    """Print one line for all that Lacuna does, one for its grouping alone, and one for BERTopic, which groups alone."""
    texts.to_json(folder / "texts.jsonl", orient="records", lines=True)
    runs = [("vectors", sys.executable), ("lacuna", sys.executable), ("grouping", sys.executable)]
    if THEIRS.exists():
        runs += [("bertopic", str(THEIRS))]
    for what, python in runs:
        found = child(python, what, folder, cache, embedder)
        if what != "vectors":
            print(told(name, what, found), flush=True)


def loss(name: str, texts: pd.DataFrame, folder: Path, cache: Path, embedder: str) -> None:
    """Print what is lost where topics are found on a part and the others join them."""
    texts.to_json(folder / "texts.jsonl", orient="records", lines=True)
    for part in PARTS:
        found = child(sys.executable, "lacuna", folder, cache, embedder, len(texts) // part)
        print(told(name, f"  found on 1/{part}", found), flush=True)


def again(texts: pd.DataFrame, folder: Path, embedder: str) -> None:
    """Print what the whole of `lacuna topics` costs, with nothing known, and once more with 5 % new texts."""
    with tempfile.TemporaryDirectory(prefix="lacuna-bench-") as fresh:
        known = texts.iloc[np.arange(len(texts)) % 20 > 0]
        for what, some in (("all new", known), ("5 % new", texts), ("nothing new", texts)):
            some.to_json(folder / "texts.jsonl", orient="records", lines=True)
            found = child(sys.executable, "whole", folder, Path(fresh), embedder)
            print(told(f"whole {len(some):,}", what, found), flush=True)


def child(python: str, what: str, folder: Path, cache: Path, embedder: str, fit_at_most: int = 0) -> dict[str, float]:
    """Run one grouping as a process of its own; its figures."""
    command = [python, str(CHILD), what, str(folder), str(cache), embedder, str(fit_at_most)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPO)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def told(name: str, what: str, found: dict[str, float]) -> str:
    """One line of the table."""
    figures = "  ".join(f"{key} {found[key]:5.1f}" for key in ("ACC", "NMI", "ARI"))
    return (
        f"{name:16} {what:15} {figures}  K {found['K']:4.0f}/{found['K_true']:.0f}  unassigned {found['outside']:5.1%}"
        f"  first {found['seconds']:6.1f} s ({found['cpu']:6.1f} s of processor)"
        f"  warm {found['warm_seconds']:6.1f} s ({found['warm_cpu']:6.1f})  {found['peak']:6,.0f} MiB"
        + (f"  loading {found['import']:.1f} s" if found.get("import") else "")
    )
