"""The topic that a text is assigned to: the one whose centroid is nearest, if that is near enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lacuna.models.arrays import F32, F64, Ints
from lacuna.models.text.vectors import cosines

__all__ = ["Assignment", "assign_nearest"]


@dataclass(frozen=True)
class Assignment:
    """The topic of each vector, and how similar the vector is to the topics.

    Attributes
    ----------
    topic
        int (n,), row number of the topic's centroid; -1 where no topic is near enough.
    strength
        float32 (n,), cosine to the topic's centroid, or to the nearest centroid where there is no topic. 0 where there
        are no centroids.
    cosines
        float32 (n, topics), cosine of each vector to each centroid.
    """

    topic: Ints
    strength: F32
    cosines: F32


def assign_nearest(
    vectors: F32, centroids: F32, at_least: float | F64 = -np.inf, core: Ints | None = None
) -> Assignment:
    """Assign each vector to the topic whose centroid is nearest by cosine; of equally near ones, to the first.

    Parameters
    ----------
    vectors, centroids
        float32 (n, dim) and (topics, dim), rows of length 1.
    at_least
        The least cosine to the nearest centroid: one for all topics, or one for each, float (topics,).
    core
        int (n,), the topic of each vector that a topic was found in, and that stays in it; -1 for the others.

    Examples
    --------
    >>> vectors = np.array([[1, 0], [0.6, 0.8], [-1, 0]], dtype=np.float32)
    >>> centroids = np.array([[1, 0], [0, 1]], dtype=np.float32)
    >>> assign_nearest(vectors, centroids, at_least=0.5).topic.tolist()
    [0, 1, -1]
    >>> assign_nearest(vectors, centroids, at_least=np.array([0.5, 0.9])).topic.tolist()
    [0, -1, -1]
    >>> assign_nearest(vectors, centroids, 0.5, core=np.array([-1, 0, -1])).topic.tolist()
    [0, 0, -1]
    """
    to_each = cosines(vectors, centroids)
    n, topics = to_each.shape
    if not topics:
        return Assignment(np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=np.float32), to_each)
    nearest = to_each.argmax(axis=1)
    highest = to_each[np.arange(n), nearest]
    near = highest >= (at_least[nearest] if isinstance(at_least, np.ndarray) else at_least)
    topic = np.where(near, nearest, -1).astype(np.int64)
    if core is None:
        return Assignment(topic, highest, to_each)
    topic = np.where(core >= 0, core, topic)
    strength = np.where(topic >= 0, to_each[np.arange(n), np.maximum(topic, 0)], highest)
    return Assignment(topic, strength, to_each)
