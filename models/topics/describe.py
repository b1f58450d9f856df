"""Topics described by the words that set them apart. BERTopic is imported here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from bertopic import BERTopic
from bertopic.dimensionality import BaseDimensionalityReduction
from bertopic.vectorizers import ClassTfidfTransformer
from sklearn.base import BaseEstimator, ClusterMixin

from lacuna.models.arrays import F32, F64, Ints
from lacuna.models.text.vectorizer import Terms
from lacuna.models.text.words import SHOWN_WORD
from lacuna.models.topics.failure_tree import FailureTree
from lacuna.models.topics.neighbour_tree import NeighbourTree

__all__ = ["Phrases", "describe_groups", "find_topics", "fit_topics", "map_coordinates", "unassigned_alarm"]

Phrases = dict[int, list[tuple[str, float]]]


def fit_topics(
    questions: Sequence[str], vectors: F32, failed: F64, stop_words: Sequence[str], **tree: Any
) -> tuple[tuple[Ints, Phrases], tuple[Ints, Phrases]]:
    """Fit BERTopic with a :class:`FailureTree`.

    Parameters
    ----------
    questions, vectors, failed
        n texts, float32 (n, dim) unit rows, float (n,) from 0 to 1.
    stop_words
        Words that describe no topic.
    **tree
        Parameters of :class:`FailureTree`.

    Returns
    -------
    topics : labels, int (n,), -1 for no topic; and for each label, phrases of up to four words with their c-TF-IDF
        weight, best first
    subtopics : the same
    """
    clusters = FailureTree(**tree)
    topics = _described(questions, vectors, list(failed), clusters, stop_words)
    return topics, _described(questions, vectors, None, _FixedLabels(clusters.subtopics_), stop_words)


def describe_groups(texts: Sequence[str], space: F32, labels: Ints, stop_words: Sequence[str]) -> Phrases:
    """The phrases of groups that are given: for each label from 0, as :func:`find_topics`."""
    own = [int(label) for label in np.unique(labels[labels >= 0])]
    if not own:
        return {}
    numbered, phrases = _described(texts, space, None, _FixedLabels(labels), stop_words)  # BERTopic numbers by size
    return {label: phrases.get(int(numbered[np.flatnonzero(labels == label)[0]]), []) for label in own}


def find_topics(
    texts: Sequence[str], space: F32, clusters: NeighbourTree, stop_words: Sequence[str]
) -> tuple[Ints, Phrases]:
    """Fit BERTopic with a :class:`NeighbourTree`: topics of texts alone, without outcomes.

    Parameters
    ----------
    texts, space
        n texts and float32 (n, dim), rows of length 1.
    clusters
        What cuts the space into topics.
    stop_words
        Words that describe no topic.

    Returns
    -------
    labels : int (n,), -1 for no topic
    phrases : for each label, phrases of up to two words with their c-TF-IDF weight, best first
    """
    return _described(texts, space, None, clusters, stop_words)


def _described(
    questions: Sequence[str],
    vectors: F32,
    y: list[float] | None,
    clusters: FailureTree | NeighbourTree | _FixedLabels,
    stop_words: Sequence[str],
) -> tuple[Ints, Phrases]:
    counter = Terms(SHOWN_WORD, stop_words)
    docs = [text or "?" for text in questions]
    if not _has_content(docs, counter.stop_words):  # c-TF-IDF has nothing to weigh; the topics stand without words
        labels = clusters.fit(vectors, None if y is None else np.array(y)).labels_
        return labels, {int(k): [] for k in np.unique(labels[labels >= 0])}
    model = _Topics(
        embedding_model=None,
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=clusters,
        vectorizer_model=counter,
        ctfidf_model=ClassTfidfTransformer(reduce_frequent_words=True),
        top_n_words=30,
        calculate_probabilities=False,
        verbose=False,
    )
    assigned, _ = model.fit_transform(docs, embeddings=vectors, y=y)
    labels = np.asarray(assigned, dtype=np.int64)
    words = {int(k): [(w, float(v)) for w, v in ws if w] for k, ws in model.get_topics().items() if k >= 0}
    return labels, words


def _has_content(docs: Sequence[str], stop_words: frozenset[str]) -> bool:
    """Whether the documents hold at least two words that are no stop words; stops at the second."""
    words_met: set[str] = set()
    for doc in docs:
        words_met.update(SHOWN_WORD.findall(doc.lower()))
        if len(words_met - stop_words) >= 2:
            return True
    return False


class _FixedLabels(ClusterMixin, BaseEstimator):
    """A clusterer that returns labels given in advance."""

    def __init__(self, labels: Ints) -> None:
        self.labels = labels

    def fit(self, X: F32, y: object = None) -> _FixedLabels:  # noqa: N803, ARG002 (scikit-learn's names)
        self.labels_ = self.labels
        return self


class _Topics(BERTopic):
    """BERTopic without representative documents: they are wrong where texts repeat, and slow to find."""

    def _save_representative_docs(self, documents: pd.DataFrame) -> None:
        pass


def unassigned_alarm(outside: Sequence[bool], at_most: float, level: str = "topic") -> str | None:
    """A warning where more than the share ``at_most`` of the texts is in no topic; else None.

    Examples
    --------
    >>> unassigned_alarm([False, False, True], 0.3)
    '33% of the texts are in no topic, more than the 30% of topics.unassigned_at_most: they are like nothing else here'
    """
    share = sum(outside) / max(1, len(outside))
    if share <= at_most:
        return None
    why = "they are like nothing else here" if level == "topic" else "too few are alike for a verdict on them"
    return (
        f"{share:.0%} of the texts are in no {level}, more than the {at_most:.0%} of topics.unassigned_at_most: {why}"
    )


def map_coordinates(centroids: F32) -> pd.DataFrame:
    """A map of topics: x and y (float, −1 to 1) by classical scaling of the centroids, signs fixed."""
    n = len(centroids)
    if n < 2:
        return pd.DataFrame({"x": np.zeros(n), "y": np.zeros(n)})
    centred = centroids - centroids.mean(axis=0)
    left, scale, _ = np.linalg.svd(centred, full_matrices=False)
    flat = np.zeros((n, 2))
    flat[:, : min(2, left.shape[1])] = (left * scale)[:, :2]
    signs = np.sign(flat[np.abs(flat).argmax(axis=0), range(2)])
    flat = flat * np.where(signs == 0, 1, signs)
    reach = np.abs(flat).max(axis=0)
    flat = np.round(flat / np.where(reach > 0, reach, 1), 4)
    return pd.DataFrame(flat, columns=["x", "y"])
