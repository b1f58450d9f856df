"""One grouping in a process of its own: ``topics_child.py WHAT FOLDER CACHE EMBEDDER FIT_AT_MOST``; prints JSON.

Runs in Lacuna's environment and in BERTopic's, so it imports nothing of Lacuna before it knows which.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score


def main() -> None:
    """Group ``FOLDER/texts.jsonl`` and print figures."""
    what, folder, cache, embedder, fit_at_most = sys.argv[1:]
    texts = pd.read_json(Path(folder) / "texts.jsonl", lines=True, dtype=False)
    if what == "bertopic":
        found, cost = bertopic(texts["text"].tolist(), np.load(Path(folder) / "vectors.npy"))
    else:
        found, cost = lacuna(texts, Path(folder), Path(cache), embedder, int(fit_at_most), what)
    print(json.dumps(score(texts["truth"].to_numpy(), found) | cost))


def lacuna(
    texts: pd.DataFrame, folder: Path, cache: Path, embedder: str, fit_at_most: int, what: str
) -> tuple[np.ndarray, dict[str, float]]:
    """What Lacuna does to the texts, once their vectors and what was redacted are in the cache.

    ``lacuna`` times all that the command does but reading the file; ``grouping`` times the part that BERTopic does too,
    from redacted texts and vectors in memory to topics and their words; ``vectors`` fills the cache, and times nothing.
    """
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from models.gist import sentences
    from pipelines.settings import load_settings
    from pipelines.texts import distinct_texts, grouped, topics_of
    from pipelines.vectors import embed

    chosen = load_settings(None)
    topics = chosen.topics.model_copy(update={"fit_at_most": fit_at_most or chosen.topics.fit_at_most})
    chosen = chosen.model_copy(
        update={"topics": topics, "embedder": chosen.embedder.model_copy(update={"name": embedder})}
    )
    if what == "vectors":
        np.save(folder / "vectors.npy", embed(texts["text"].tolist(), embedder, cache, "embedding"))
        topics_of(texts[["id", "text"]], cache, chosen)  # leaves the vectors of its own texts in the cache
        return np.full(len(texts), -1), cost(0.0, 0.0)
    if what == "grouping":
        plain, row = distinct_texts(texts["text"].tolist(), cache, chosen)
        known = [*plain, *(part for text in plain[: topics.fit_at_most] for part in sentences(text))]
        at = {text: i for i, text in enumerate(known)}
        vectors = embed(known, embedder, cache, "embedding")
        began, busy = time.perf_counter(), time.process_time()
        topic, *_ = grouped(plain, lambda some, _: vectors[[at[text] for text in some]], topics.fit_at_most)
        return np.append(topic, -1)[row], cost(time.perf_counter() - began, time.process_time() - busy)
    began, busy = time.perf_counter(), time.process_time()
    assigned, _, _ = topics_of(texts[["id", "text"]], cache, chosen)
    spent = cost(time.perf_counter() - began, time.process_time() - busy)
    topic = assigned.set_index("id")["topic_id"].reindex(texts["id"])
    return topic.fillna(-1).to_numpy(dtype=np.int64), spent


def bertopic(texts: list[str], vectors: np.ndarray) -> tuple[np.ndarray, dict[str, float]]:
    """BERTopic as it comes, given the vectors; ``import`` is the time that loading it takes."""
    began = time.perf_counter()
    from bertopic import BERTopic

    loaded = time.perf_counter() - began
    began, busy = time.perf_counter(), time.process_time()
    found, _ = BERTopic(embedding_model=None).fit_transform(texts, embeddings=vectors)
    spent = cost(time.perf_counter() - began, time.process_time() - busy)
    return np.asarray(found), spent | {"import": loaded}


def cost(seconds: float, cpu: float) -> dict[str, float]:
    """Seconds, and the most memory that this process held, in MiB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return {"seconds": seconds, "cpu": cpu, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit}


def score(truth: np.ndarray, found: np.ndarray) -> dict[str, Any]:
    """ACC (one-to-one by the Hungarian method, unassigned is wrong), NMI, ARI in percent, and counts."""
    table = pd.crosstab(found, truth)
    table = table[table.index >= 0].to_numpy()
    rows, columns = linear_sum_assignment(-table)
    return {
        "ACC": 100 * table[rows, columns].sum() / len(truth),
        "NMI": 100 * normalized_mutual_info_score(truth, found),
        "ARI": 100 * adjusted_rand_score(truth, found),
        "K": len(table),
        "K_true": len(set(truth)),
        "outside": float((found < 0).mean()),
    }


if __name__ == "__main__":
    main()
