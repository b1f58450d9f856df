"""How much the topics of two runs have in common: shared questions, and the similarity of their centroids.

Shared questions are the stronger evidence where the windows of two runs overlap, and no evidence where they don't. So
the similarity of centroids counts as a few shared questions more: as many as the smallest topic has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from lacuna.models.arrays import F32, F64, Flags, Ints
from lacuna.models.text.vectors import unit

__all__ = ["HALF", "Common", "Likeness", "common_to", "likeness"]

HALF = 0.5  # least share in common of two topics that are one
ENOUGH_TOPICS = 10  # topics of a language from which on its mean is subtracted


@dataclass(frozen=True)
class Likeness:
    """How much each topic (row) and each known topic (column) have in common.

    Attributes
    ----------
    shared : int (topics, known), questions that both hold
    cosine : float (topics, known), of their centroids as given; nan where the two don't compare
    weight : float (topics, known), ``shared`` and what the centroids add to it, in questions
    old : float (topics,), a topic's questions that any known topic held
    left : float (known,), a known topic's questions that are asked in this run
    least : questions that a centroid counts for
    """

    shared: Ints
    cosine: F64
    weight: F64
    old: F64
    left: F64
    least: int

    @property
    def of_topic(self) -> F64:
        """The share of a topic that was the known topic's, 0 to 1."""
        return self.weight / (self.old + self.least)[:, None]

    @property
    def of_known(self) -> F64:
        """The share of a known topic that is in the topic now, 0 to 1."""
        return self.weight / (self.left + self.least)[None, :]

    @property
    def both(self) -> F64:
        """The geometric mean of the two shares (Ochiai 1957); 1/2 for one of four equal parts."""
        return np.sqrt(self.of_topic * self.of_known)


def likeness(
    centroids: F32,
    members: Sequence[Collection[str]],
    known_centroids: F32,
    known_members: Sequence[Collection[str]],
    question_keys: Collection[str],
    same_at_least: float | F32 = 0.8,
    least: int = 5,
) -> Likeness:
    """Compare the topics of a run with the known ones.

    Parameters
    ----------
    centroids, members
        float32 (topics, dim) unit rows, and the question keys of each topic.
    known_centroids, known_members
        The same of the known topics; a row of nan where a centroid does not compare (another embedder's).
    question_keys
        Every question key of this run: of a known topic's questions, only those still asked can appear again.
    same_at_least
        Cosine from which centroids alone say that two topics are one; for all, or (topics,) for each.
    least
        Questions that the centroid counts for: those of the smallest topic.
    """
    own_keys, known_keys = [set(m) for m in members], [set(m) for m in known_members]
    remembered = set().union(*known_keys)
    shared = np.zeros((len(own_keys), len(known_keys)), dtype=np.int64)
    holders: dict[str, list[int]] = {}
    for j, keys in enumerate(known_keys):
        for key in keys:
            holders.setdefault(key, []).append(j)
    for i, keys in enumerate(own_keys):
        for key in keys:
            for j in holders.get(key, ()):
                shared[i, j] += 1
    current = set(question_keys)
    left = np.array([len(keys & current) for keys in known_keys], dtype=float)
    old = np.array([len(keys & remembered) for keys in own_keys], dtype=float)
    cosine = np.asarray(centroids, dtype=float) @ np.asarray(known_centroids, dtype=float).T
    # One half at ``same_at_least``, one where the centroids are the same, and in between a straight line.
    far = np.maximum(1 - np.broadcast_to(np.asarray(same_at_least, dtype=float), len(own_keys))[:, None], 1e-6)
    near = np.nan_to_num(1 - HALF * (1 - cosine) / far).clip(0, 1)
    weight = shared + least * near
    return Likeness(shared, cosine, weight, old, left, least)


@dataclass(frozen=True)
class Common:
    """The mean centroid of each language: it is common to all topics, and so distinguishes none of them.

    All topics of a company are alike, and more so in a language that the embedder models badly: without subtracting
    the mean, different topics often have a cosine of 0.8.

    Attributes
    ----------
    means : float32 (languages, dim), the mean of each language's centroids
    centred : bool (languages,), whether a language has enough topics for its mean to be subtracted: the mean of a few
        topics is mostly these topics
    """

    means: F32
    centred: Flags

    def taken_out(self, centroids: F32) -> F32:
        """Centroids less the mean of their language, where that has enough topics: float32, rows of length 1.

        Examples
        --------
        >>> rows = np.array([[0.9, 0.3, 0.3], [0.9, -0.3, 0.3]], dtype=np.float32)
        >>> common = Common(rows.mean(axis=0, keepdims=True), np.array([True]))
        >>> np.round(common.taken_out(rows)).tolist()
        [[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]]
        """
        if not self.centred.any() or not len(centroids):
            return centroids
        language = self._language(centroids)
        return np.where(self.centred[language, None], unit(centroids - self.means[language]), centroids)

    def enough(self, centroids: F32, same_at_least: float) -> F32:
        """The least cosine of two topics that are the same: ``same_at_least``, or a third nearer to 1 without centring.

        Examples
        --------
        >>> rows = np.eye(2, dtype=np.float32)
        >>> np.round(Common(rows, np.array([True, False])).enough(rows, 0.7).astype(float), 2).tolist()
        [0.7, 0.8]
        """
        if not len(self.means):
            return np.full(len(centroids), _whole(same_at_least), dtype=np.float32)
        centred = self.centred[self._language(centroids)]
        return np.where(centred, same_at_least, _whole(same_at_least)).astype(np.float32)

    def _language(self, centroids: F32) -> Ints:
        return np.asarray((centroids @ unit(self.means).T).argmax(axis=1), dtype=np.int64)


def _whole(same_at_least: float) -> float:
    return 1 - (1 - same_at_least) * 2 / 3


def common_to(centroids: F32, languages: Sequence[str]) -> Common:
    """The mean centroid of each language's topics.

    Parameters
    ----------
    centroids, languages
        float32 (topics, dim) unit rows, and the language of each.
    """
    code = np.asarray(languages, dtype=object)
    counts = sorted(Counter(languages).items())
    means = [centroids[code == language].mean(axis=0) for language, _ in counts]
    centred = np.array([count >= ENOUGH_TOPICS for _, count in counts], dtype=bool)
    return Common(np.array(means, dtype=np.float32).reshape(len(means), centroids.shape[1]), centred)
