"""One grouping in a process of its own: ``topics_child.py WHAT FOLDER CACHE EMBEDDER FIT_AT_MOST``; prints JSON.

Runs in Lacuna's environment and in BERTopic's, so it imports nothing of Lacuna before it knows which.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

TIMES = 2


def main() -> None:
    """Group ``FOLDER/texts.jsonl`` and print figures."""
    what, folder, cache, embedder, fit_at_most = sys.argv[1:]
    if what == "draws":
        print(json.dumps(without_outliers(sorted(Path(folder).glob("draw-*")))))
        return
    texts = pd.read_json(Path(folder) / "texts.jsonl", lines=True, dtype=False)
    if what == "bertopic":
        labels, cost = bertopic(texts["text"].tolist(), np.load(Path(folder) / "vectors.npy"))
    else:
        labels, cost = lacuna(texts, Path(folder), Path(cache), embedder, int(fit_at_most), what)
    print(json.dumps(score(texts["truth"].to_numpy(), labels) | cost))


def lacuna(
    texts: pd.DataFrame, folder: Path, cache: Path, embedder: str, fit_at_most: int, what: str
) -> tuple[np.ndarray, dict[str, Any]]:
    """What Lacuna does to the texts, once their vectors and what was redacted are in the cache.

    ``lacuna`` times all that the command does but reading the file; ``grouping`` times the part that BERTopic does too,
    from redacted texts and vectors in memory to topics and their words; ``vectors`` fills the cache, and times nothing.
    A process does it twice: the first time loads and compiles what it needs, as a weekly run does, the second is warm.
    """
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from lacuna.models.topics.text_space import sentences
    from lacuna.pipelines.io.vector_cache import embed
    from lacuna.pipelines.settings import load_settings
    from lacuna.pipelines.topic_finder import distinct_texts, grouped, topics_of

    settings = load_settings(None)
    topics = settings.topics.model_copy(update={"fit_at_most": fit_at_most or settings.topics.fit_at_most})
    settings = settings.model_copy(
        update={"topics": topics, "embedder": settings.embedder.model_copy(update={"name": embedder})}
    )
    if what == "vectors":
        np.save(folder / "vectors.npy", embed(texts["text"].tolist(), embedder, cache, "embedding"))
        topics_of(texts[["id", "text"]], cache, settings)  # leaves the vectors of its own texts in the cache
        return np.full(len(texts), -1), {}
    if what == "grouping":
        distinct, row = distinct_texts(texts["text"].tolist(), cache, settings)
        all_texts = [*distinct, *(part for text in distinct[: topics.fit_at_most] for part in sentences(text))]
        at = {text: i for i, text in enumerate(all_texts)}
        vectors = embed(all_texts, embedder, cache, "embedding")
        (topic, *_), spent = timed(
            lambda: grouped(distinct, lambda some, _: vectors[[at[text] for text in some]], topics.fit_at_most), TIMES
        )
        return np.append(topic, -1)[row], spent
    (assigned, *_), spent = timed(
        lambda: topics_of(texts[["id", "text"]], cache, settings), 1 if what in ("whole", "draw") else TIMES
    )
    topic = assigned.set_index("id")["topic_id"].reindex(texts["id"])
    return topic.fillna(-1).to_numpy(dtype=np.int64), spent


def bertopic(texts: list[str], vectors: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    """BERTopic as it comes, given the vectors; ``import`` is the time that loading it takes."""
    began = time.perf_counter()
    from bertopic import BERTopic

    loaded = time.perf_counter() - began
    (labels, _), spent = timed(lambda: BERTopic(embedding_model=None).fit_transform(texts, embeddings=vectors), TIMES)
    return np.asarray(labels), spent | {"import": loaded}


def without_outliers(folders: list[Path]) -> dict[str, list[dict[str, Any]]]:
    """BERTopic as it comes, and with every outlier moved to the topic nearest in meaning: the figures of each draw."""
    from bertopic import BERTopic

    figures: dict[str, list[dict[str, Any]]] = {"bertopic": [], "outliers reduced": []}
    for folder in folders:
        texts = pd.read_json(folder / "texts.jsonl", lines=True, dtype=False)
        vectors, truth = np.load(folder / "vectors.npy"), texts["truth"].to_numpy()
        model = BERTopic(embedding_model=None)
        labels, _ = model.fit_transform(texts["text"].tolist(), embeddings=vectors)
        figures["bertopic"].append(score(truth, np.asarray(labels)))
        if -1 in labels and max(labels) >= 0:
            labels = model.reduce_outliers(texts["text"].tolist(), labels, strategy="embeddings", embeddings=vectors)
        figures["outliers reduced"].append(score(truth, np.asarray(labels)))
    return figures


def timed(work: Callable[[], Any], times: int) -> tuple[Any, dict[str, float]]:
    """What ``work`` gives, the seconds that the first and the last time took, and the process's peak memory in MiB."""
    spent = []
    for _ in range(times):
        began, busy = time.perf_counter(), time.process_time()
        result = work()
        spent.append((time.perf_counter() - began, time.process_time() - busy))
    unit = 2**20 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    first, last = (dict(zip(("seconds", "cpu"), one, strict=True)) for one in (spent[0], spent[-1]))
    return result, first | {f"warm_{key}": value for key, value in last.items()} | {"peak": peak}


def score(truth: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """ACC (one-to-one by the Hungarian method, unassigned is wrong), NMI, ARI in percent, and counts."""
    table = pd.crosstab(labels, truth)
    table = table[table.index >= 0].to_numpy()
    rows, columns = linear_sum_assignment(-table)
    return {
        "ACC": 100 * table[rows, columns].sum() / len(truth),
        "NMI": 100 * normalized_mutual_info_score(truth, labels),
        "ARI": 100 * adjusted_rand_score(truth, labels),
        "K": len(table),
        "K_true": len(set(truth)),
        "outside": float((labels < 0).mean()),
    }


if __name__ == "__main__":
    main()
