"""Lacuna's names beside BERTopic's own representations of the same topics, for a reader to compare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.topic_finder import topics_of
from tests.bench.topics import labelled
from tests.support.paths import SHARED

WORDS = 4  # of a representation that are shown
SPACY_MODEL = "en_core_web_sm"


def representations(folder: Path, name: str) -> int:
    """Print the name of each topic of a set and what BERTopic calls it, by each of its models that can run here."""
    texts = read(name)
    settings = load_settings(None)
    folder.mkdir(parents=True, exist_ok=True)

    def vectors(some: Sequence[str]) -> np.ndarray:
        return embed(list(some), settings.embedder.name, folder, "embedding")

    assigned, topics, _ = topics_of(texts[["id", "text"]], folder, settings)
    topic = texts["id"].map(assigned.set_index("id")["topic_id"]).fillna(0).to_numpy(dtype=int) - 1
    of_models = bertopic_words(texts["text"].tolist(), topic, vectors)
    for row in topics.itertuples():
        print(f"{row.label}   ({row.core + row.nearest})")
        for model, words in of_models.items():
            print(f"    {model:24} {', '.join(words.get(row.topic_id - 1, [])[:WORDS])}")
    return 0


def read(name: str) -> pd.DataFrame:
    """The texts of a set: one of those with a truth, or a file of intents."""
    file = SHARED / "data" / "intents" / f"{name}.jsonl"
    if not file.exists():
        return labelled(SHARED / "data")[name]
    rows = pd.read_json(file, lines=True, dtype=False)
    return pd.DataFrame({"id": rows["turn_id"].astype("str"), "text": rows["utterance"].astype("str")})


def bertopic_words(
    texts: list[str], topic: np.ndarray, vectors: Callable[[Sequence[str]], np.ndarray]
) -> dict[str, dict[int, list[str]]]:
    """The words of each topic by each of BERTopic's representation models, on topics that are given."""
    from bertopic import BERTopic
    from bertopic.backend import BaseEmbedder
    from bertopic.cluster import BaseCluster
    from bertopic.dimensionality import BaseDimensionalityReduction
    from bertopic.representation import KeyBERTInspired, MaximalMarginalRelevance, PartOfSpeech
    from sklearn.feature_extraction.text import CountVectorizer

    class Backend(BaseEmbedder):
        def embed(self, documents: list[str], verbose: bool = False) -> np.ndarray:
            return vectors(documents)

    aspects: dict[str, Any] = {"KeyBERTInspired": KeyBERTInspired(), "MMR": MaximalMarginalRelevance(diversity=0.3)}
    try:
        aspects["PartOfSpeech"] = PartOfSpeech(SPACY_MODEL)
    except (ImportError, OSError):
        print(f"PartOfSpeech is left out: it needs spaCy and its model {SPACY_MODEL}\n")
    inside = topic >= 0
    some = [text for text, within in zip(texts, inside, strict=True) if within]
    model = BERTopic(
        embedding_model=Backend(),
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=BaseCluster(),
        vectorizer_model=CountVectorizer(stop_words="english", ngram_range=(1, 2)),
        representation_model=aspects,
    )
    given = topic[inside].tolist()
    model.fit(some, embeddings=vectors(some), y=given)
    number = dict(zip(given, model.topics_, strict=True))  # BERTopic numbers topics anew, by size
    of_models: dict[str, dict[int, list[str]]] = {
        "c-TF-IDF": {k: [word for word, _ in model.get_topic(number[k])] for k in sorted(set(given))}
    }
    for name in aspects:
        words = model.topic_aspects_[name]
        of_models[name] = {k: [word for word, _ in words[number[k]]] for k in sorted(set(given))}
    return of_models
