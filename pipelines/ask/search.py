"""Search over a run's gaps, topics and questions: by meaning, and by words, so that ids and product names are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lacuna.data_contracts.errors import LacunaError
from lacuna.models.arrays import F32, F64
from lacuna.models.retrieval.word_match import spelt_as_known, word_shares
from lacuna.pipelines.embedders.choice import AUTO, ENGLISH, MULTILINGUAL
from lacuna.pipelines.embedders.registry import Embedder, SideBySide, embedder
from lacuna.pipelines.io.published import read_published
from lacuna.pipelines.io.runs import read_run
from lacuna.pipelines.io.store import read_arrays
from lacuna.pipelines.presentation.format import record

__all__ = ["Hit", "Index"]

FILE = "search_texts.parquet"
LONGEST = 500  # characters of a question that are read


@dataclass(frozen=True)
class Hit:
    """A text that was found: kind (gap, topic, subtopic, question), its ids, the text, and how near it is, 0 to 1."""

    kind: str
    id: str
    topic_id: str | None
    subtopic_id: str | None
    text: str
    score: float


class Index:
    """The texts of one run with their vectors.

    Parameters
    ----------
    texts
        kind, id, topic_id, subtopic_id, text.
    vectors
        float32 (texts, dim), rows of length 1.
    embedder_name
        The embedder that made the vectors.
    """

    def __init__(self, texts: pd.DataFrame, vectors: F32, embedder_name: str) -> None:
        self.texts = texts
        self._vectors = vectors
        self._embedder_name = embedder_name

    @classmethod
    def of(cls, run: Path) -> Index:
        """Read the texts of a run's folder.

        Raises
        ------
        LacunaError
            The run was made by a version that published none.
        """
        if not (run / FILE).exists():
            raise LacunaError(f"run {run.name} was made by an earlier version, which published nothing to search",
                              "run that week again with --force")  # fmt: skip
        texts = read_published(run, "search_texts").drop(columns="vector", errors="ignore")
        vectors = read_arrays(run / FILE, ["vector"])["vector"].astype(np.float32) if len(texts) else np.zeros((0, 1))
        return cls(texts, vectors.astype(np.float32), topic_embedder(read_run(run)))

    def scores(self, question: str) -> F64:
        """How near each text is to a question: float64 (texts,), 0 to 1.

        A text is near by its meaning (cosine), or as it has the question's words; both together count for more.
        """
        question = " ".join(question.split())[:LONGEST]
        if not len(self.texts) or not question:
            return np.zeros(len(self.texts))
        texts = self.texts["text"].tolist()
        # An embedder makes little of a misspelt word.
        meaning = self._meaning(spelt_as_known(question, texts))
        by_words = word_shares(question, texts)
        scores = 1 - (1 - meaning) * (1 - by_words / 2)
        scores[self.texts["id"].str.casefold().eq(question.casefold()).to_numpy()] = 1.0
        return scores

    def _meaning(self, question: str) -> F64:
        """The cosine of each text to a question: float64 (texts,), 0 to 1."""
        model = embedder(self._embedder_name)
        parts: Sequence[Embedder] = model.parts if isinstance(model, SideBySide) else (model,)
        start, cosines = 0, list[F64]()
        for part in parts:
            asked = part.embed([question])[0]
            own = self._vectors[:, start : start + len(asked)] @ asked.astype(np.float32)
            cosines.append(own.astype(np.float64) * len(parts) ** 0.5)
            start += len(asked)
        whole = np.mean(cosines, axis=0)
        # A question in another language than the text: the part that knows both alike sees it, the other does not.
        nearest = np.maximum(whole, cosines[-1]) if self._embedder_name == MULTILINGUAL else whole
        return np.asarray(nearest, dtype=np.float64).clip(0, 1)

    def hits(self, scores: F64, kind: str, most: int, least: float = 0.0) -> list[Hit]:
        """The nearest texts of a kind, one a thing (gap, topic, …), the nearest first."""
        rows = np.flatnonzero(self.texts["kind"].eq(kind).to_numpy() & (scores >= least))
        rows = rows[np.argsort(-scores[rows], kind="stable")]
        best = self.texts.iloc[rows].assign(score=scores[rows]).drop_duplicates("id").head(most)
        return [
            Hit(kind, row["id"], _name(row["topic_id"]), _name(row["subtopic_id"]), row["text"], float(row["score"]))
            for row in best.to_dict("records")
        ]


def topic_embedder(run_json: Mapping[str, Any]) -> str:
    """The name of the embedder that a run found topics by."""
    chosen = str(record(record(run_json.get("settings")).get("embedder")).get("name") or AUTO)
    return str(record(run_json.get("embedder")).get("topics") or ENGLISH) if chosen == AUTO else chosen


def _name(value: object) -> str | None:
    return value if isinstance(value, str) else None
