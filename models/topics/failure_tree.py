"""Topics and subtopics of questions: an average-linkage tree over all questions, cut twice."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist
from sklearn.base import BaseEstimator, ClusterMixin

from lacuna.models.arrays import F32, F64, Flags, Ints
from lacuna.models.text.vectors import unit
from lacuna.models.topics.neighbour_tree import by_size, relative_distances, smoothed_sayings

JUST_APART = (
    1e-9  # least distance of two questions that were not in one topic before, so that former topics merge first
)
STAYS = 0.05  # distance by which topics of the run before are favoured: held together, and kept apart


class FailureTree(ClusterMixin, BaseEstimator):
    """Average-linkage tree of unit vectors, cut into topics and subtopics; the number of neither is given.

    Topics are for reading: a tree of the questions moved towards their nearest neighbours
    (:func:`models.topics.neighbour_tree.smoothed_sayings`), cut at one height. Subtopics are the smaller units that are
    judged, from a tree of the questions as they are. Where questions fail more than elsewhere, their cut follows the
    failures: among all sets of disjoint branches, the set with the largest total scan statistic is taken (Kulldorff
    1997, with branches as windows), so that a failing problem is neither split in two nor diluted by a healthy
    neighbour. The remaining questions are cut at one height. Each subtopic lies in one topic.

    With ``before``, questions of one topic of the run before start as one branch, unless their distance exceeds
    ``max_distance`` by more than :data:`STAYS`; questions of two such topics start farther apart by as much. This keeps
    topics stable where a few new questions would otherwise just merge or split them.

    Parameters
    ----------
    max_distance
        Distance above which two groups are never one topic: of smoothed questions, as a share of the mean distance.
    subtopic_distance
        Cosine distance above which two groups are never one subtopic; 0.1 more for failing branches.
    min_size
        Questions that a topic and a subtopic need at least.
    evidence
        Log-likelihood ratio that a failing branch must exceed to be a subtopic of its own.
    before
        int (n,), the topic that each question was in before, -1 for none; None without an earlier run.
    topic_vectors
        float32 (n, …), rows of length 1: the questions as topics are found on them, where that is not as subtopics are.

    Attributes
    ----------
    labels_
        int (n,), each question's topic; -1 for none.
    subtopics_
        int (n,), each question's subtopic; -1 for none.

    Examples
    --------
    >>> corners = np.repeat([[1, 0, 0], [0.8, 0.6, 0], [0, 0, 1]], 6, axis=0)
    >>> tree = FailureTree(max_distance=0.5, subtopic_distance=0.1).fit(corners)
    >>> np.bincount(tree.labels_).tolist(), np.bincount(tree.subtopics_).tolist()
    ([12, 6], [6, 6, 6])
    """

    def __init__(
        self,
        max_distance: float = 0.65,
        subtopic_distance: float = 0.5,
        min_size: int = 5,
        evidence: float = 1.0,
        before: Ints | None = None,
        topic_vectors: F32 | None = None,
    ) -> None:
        self.max_distance = max_distance
        self.subtopic_distance = subtopic_distance
        self.min_size = min_size
        self.evidence = evidence
        self.before = before
        self.topic_vectors = topic_vectors

    def fit(self, X: F32, y: F64 | None = None) -> FailureTree:  # noqa: N803 (scikit-learn's name)
        """Cut the tree of ``X`` (n, dim); ``y`` (n,) is each question's chance that its answer failed, 0 to 1."""
        vectors = np.asarray(X, dtype=np.float32)
        n = len(vectors)
        failed = np.zeros(n) if y is None else np.asarray(y, dtype=float)
        self.labels_, self.subtopics_ = np.full(n, -1, dtype=np.int64), np.full(n, -1, dtype=np.int64)
        if n < max(2, self.min_size):
            return self
        tree = linkage(pdist(vectors, "cosine").clip(min=0), "average")
        best, chosen = self._failing(tree, failed)
        low = np.r_[np.zeros(n), tree[:, 2]] <= self.subtopic_distance
        self.subtopics_ = by_size(_highest(tree, chosen | ((best == 0) & low)), self.min_size)
        apart = relative_distances(
            smoothed_sayings(unit(vectors if self.topic_vectors is None else self.topic_vectors))
        )
        if self.before is not None and (self.before >= 0).any():
            _hold(apart, self._units(apart, self.before))
        self.labels_ = by_size(fcluster(linkage(apart, "average"), self.max_distance, "distance"), self.min_size)
        self._nest()
        return self

    def _failing(self, tree: F64, failed: F64) -> tuple[F64, Flags]:
        """The largest total gain within each branch, and whether the branch as a whole gives it."""
        n = len(failed)
        size, bad = np.r_[np.ones(n), tree[:, 3]], np.r_[failed, np.zeros(n - 1)]
        best, chosen = np.zeros(2 * n - 1), np.zeros(2 * n - 1, dtype=bool)
        base = usual_failure(failed)
        for row, (left, right, height, _) in enumerate(tree):
            a, b, node = int(left), int(right), n + row
            bad[node] = bad[a] + bad[b]
            gain = -1.0
            if height <= self.subtopic_distance + 0.1 and size[node] >= self.min_size:
                gain = excess(bad[node], size[node], base) - self.evidence
            best[node] = max(gain, best[a] + best[b], 0.0)
            chosen[node] = gain > 0 and gain >= best[a] + best[b]
        return best, chosen

    def _units(self, apart: F64, before: Ints) -> Ints:
        """The former topic that each question still belongs to, -1 for none; one that has come apart is several."""
        units, number = np.full(len(before), -1, dtype=np.int64), 0
        for topic in np.unique(before[before >= 0]):
            rows = np.flatnonzero(before == topic)
            if len(rows) < max(2, self.min_size):
                continue
            tree = linkage(_among(apart, rows, len(before)), "average")
            part = by_size(fcluster(tree, self.max_distance + STAYS, "distance"), self.min_size)
            units[rows] = np.where(part >= 0, part + number, -1)
            number += int(part.max(initial=-1)) + 1
        return units

    def _nest(self) -> None:
        """Move every subtopic into the topic of most of its questions, and number topics by their size."""
        for subtopic in range(int(self.subtopics_.max(initial=-1)) + 1):
            rows = np.flatnonzero(self.subtopics_ == subtopic)
            topics, counts = np.unique(self.labels_[rows][self.labels_[rows] >= 0], return_counts=True)
            self.labels_[rows] = topics[counts.argmax()] if len(topics) else self.labels_.max() + 1
        self.labels_ = by_size(self.labels_, self.min_size)


def _hold(apart: F64, units: Ints) -> None:
    """Change condensed distances in place: 0 within a former topic, and larger by STAYS between two of them."""
    np.maximum(apart, JUST_APART, out=apart)
    start = 0
    for row, former in enumerate(units[:-1]):
        end = start + len(units) - row - 1
        if former >= 0:
            others = units[row + 1 :]
            apart[start:end] = np.where(others == former, 0, apart[start:end] + STAYS * (others >= 0))
        start = end


def _among(apart: F64, rows: Ints, n: int) -> F64:
    """The condensed distances among some of ``n`` points, whose numbers ascend."""
    one, other = (rows[at] for at in np.triu_indices(len(rows), 1))
    return apart[one * n - one * (one + 1) // 2 + other - one - 1]


def _highest(tree: F64, stands: Flags) -> Ints:
    """For each question, the number of the highest branch with ``stands`` that holds it; -1 for none."""
    n, count = len(tree) + 1, 0
    labels = np.full(n, -1, dtype=np.int64)
    stack = [2 * n - 2]
    while stack:
        node = stack.pop()
        if stands[node]:
            labels[_members(tree, node, n)] = count
            count += 1
        elif node >= n:
            stack += [int(tree[node - n, 0]), int(tree[node - n, 1])]
    return labels


def usual_failure(failed: F64 | pd.Series) -> float:
    """The mean failing share that topics are compared with, within 0.02 and 0.98; a half without questions."""
    return float(np.clip(np.mean(failed), 0.02, 0.98)) if len(failed) else 0.5


def excess(bad: float, size: float, base: float) -> float:
    """Log-likelihood ratio of a failure rate above ``base``; 0 where it is not above (Kulldorff 1997)."""
    rate = min(bad / size, 0.98)
    if rate <= base:
        return 0.0
    return float(bad * np.log(rate / base) + (size - bad) * np.log((1 - rate) / (1 - base)))


def _members(tree: F64, node: int, n: int) -> Ints:
    stack, leaves = [node], []
    while stack:
        at = stack.pop()
        if at < n:
            leaves.append(at)
        else:
            stack += [int(tree[at - n, 0]), int(tree[at - n, 1])]
    return np.array(sorted(leaves), dtype=np.int64)
