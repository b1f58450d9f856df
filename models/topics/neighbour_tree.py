"""Clusters of points, as many as the points themselves suggest: a tree of smoothed points, cut at a height it finds."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import validate_data

from lacuna.models.arrays import F32, F64, Ints
from lacuna.models.text.vectors import unit

A = TypeVar("A", bound=NDArray[Any])
B = TypeVar("B", bound=NDArray[Any])

# Heights at which the tree is tried, and the height at which topics that people name are usually complete, as relative
# distances of smoothed points (`python -m tests.bench topics`).
HEIGHTS = tuple(round(0.3 + 0.02 * step, 2) for step in range(33))
USUAL_HEIGHT = 0.6
# Data without structure splits best into this few clusters; they are accepted only from the silhouette on below which
# Kaufman and Rousseeuw (1990) find no substantial structure.
FEW, SUBSTANTIAL = 3, 0.25
NEIGHBOURS, SMOOTHINGS = 8, 2  # how many neighbours a point is moved towards, and how often
BLOCK, THREADS = 1024, 4  # rows of a block, whose similarities to all others are held at once, and parallel blocks
STRIPES = 8  # parts of a row of similarities; their elementwise maximum shows where the largest values are

# Two rows are one saying if their cosine exceeds this many standard deviations of all cosines, which chance does not
# explain, or in any case this value.
BEYOND_CHANCE, ALMOST_EQUAL = 7.0, 0.95


class NeighbourTree(ClusterMixin, BaseEstimator):
    """Average-linkage tree of points that were moved towards their nearest neighbours, cut at a height that it finds.

    Each point is first moved towards the mean of its nearest neighbours, so that points of one topic come together and
    points between two topics choose one. In the tree of these, a large topic may stand beside a small one.

    The number of clusters is not given. The cut with the best silhouette (Rousseeuw 1987, on cosine distance) follows
    the data, and varies by chance from sample to sample; the height at which topics are usually complete follows other
    data, and does not vary. The tree is cut halfway between the two, which generalises better than either.

    Even data without structure splits into two or three parts a little better than into more, so that so few are
    accepted only with a substantial silhouette. Rows that say the same are one point of the tree, so that the
    neighbours of a template's copy are other texts, not the other copies. The result does not depend on the order of
    rows: equal rows count once, and rows are sorted by their bytes.

    Parameters
    ----------
    usual_height
        Height at which topics are usually complete: relative distance of smoothed points.
    min_size
        Distinct rows that a cluster needs; rows of smaller ones are in no cluster.
    judged_by
        How many first columns, rescaled to length 1, decide which rows say the same, and the silhouette; None for all
        columns. Further columns shape the tree only.

    Attributes
    ----------
    labels_
        int (n,); 0 is the largest cluster, -1 a row that is in none.
    centroids_
        float32 (clusters, dim), rows of length 1.
    height_
        Where the tree was cut.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> points = np.repeat(np.eye(3), 20, axis=0) + 0.1 * rng.normal(size=(60, 3))
    >>> np.bincount(NeighbourTree().fit_predict(points)).tolist()
    [20, 20, 20]
    """

    def __init__(
        self,
        usual_height: float = USUAL_HEIGHT,
        min_size: int = 5,
        judged_by: int | None = None,
    ) -> None:
        self.usual_height = usual_height
        self.min_size = min_size
        self.judged_by = judged_by

    def fit(self, X: F32, y: object = None) -> NeighbourTree:  # noqa: N803, ARG002 (scikit-learn's names)
        """Find the clusters of ``X`` (n, dim); ``y`` is not used."""
        validated = np.ascontiguousarray(validate_data(self, X, dtype=np.float32))
        rows, back = distinct(validated)
        labels, self.height_ = self._cut(unit(rows))
        self.labels_ = by_size(labels, self.min_size)[back]
        self.centroids_ = centroids(unit(validated), self.labels_)
        return self

    def _cut(self, points: F32) -> tuple[Ints, float]:
        judged = unit(points[:, : self.judged_by])
        saying = sayings(judged)
        saying_points = centroids(points, saying)
        if len(saying_points) < 2:
            return np.zeros(len(points), dtype=np.int64), 0.0
        tree = linkage(relative_distances(smoothed(saying_points)), "average")

        def cut(height: float) -> Ints:
            return np.asarray(fcluster(tree, height, "distance"), dtype=np.int64)[saying] - 1

        few, many = (0.0, 0.0), (0.0, 0.0)  # the best silhouettes of few clusters and of many, and their heights
        for height in HEIGHTS:
            labels = cut(height)
            count = int(labels.max()) + 1
            if count > 1:
                good = silhouette(judged, labels)
                few, many = (max(few, (good, height)), many) if count <= FEW else (few, max(many, (good, height)))
        if few[0] > max(many[0], SUBSTANTIAL) or not many[0]:
            height = few[1]
        else:
            height = (many[1] + self.usual_height) / 2
        return cut(height), height


def smoothed_sayings(points: F32) -> F32:
    """Unit rows, each moved towards its neighbours; rows that say the same move together: float32 (n, dim)."""
    rows, back = distinct(np.ascontiguousarray(points))
    saying = sayings(rows)
    return smoothed(centroids(rows, saying))[saying[back]]


def smoothed(points: F32) -> F32:
    """Points moved halfway towards the mean of their nearest neighbours, twice over: float32, rows of length 1.

    The neighbours are those of the points as given: :data:`NEIGHBOURS` of them, or fewer where there are few points,
    since a topic has fewer then.
    """
    neighbours = min(NEIGHBOURS, int(len(points) ** 0.5 / 2))
    if not neighbours:
        return points
    columns, _ = nearest(points, points, neighbours)
    rows = np.repeat(np.arange(len(points)), neighbours)
    share = np.full(columns.size, 1 / neighbours, dtype=np.float32)
    means = sparse.csr_matrix((share, (rows, np.sort(columns, axis=1).ravel())), shape=(len(points), len(points)))
    for _ in range(SMOOTHINGS):
        points = unit(points + means @ points)
    return points


def relative_distances(points: F32) -> F64:
    """Distances of all pairs of unit rows, in the order of scipy's ``pdist``: 0 for equal rows, 1 on average.

    They are cosine distances as a share of their mean, so that a height in a tree means the same for an embedder to
    which everything is alike as for another.
    """
    n, start = len(points), 0
    distances = np.empty(n * (n - 1) // 2)
    for first in range(0, n, BLOCK):
        block = 1 - points[first : first + BLOCK] @ points.T
        for row, others in enumerate(block, first):
            distances[start : start + n - row - 1] = others[row + 1 :]
            start += n - row - 1
    usual = distances.mean() if len(distances) else 1.0
    # rounded, so that the last digits, and so the topics, are the same from process to process
    return np.round(distances.clip(min=0) / max(float(usual), 1e-6), 5)


def sayings(points: F32) -> Ints:
    """Group rows that say the same, such as copies of a template: the number of each row's group from 0, int (n,).

    Two rows say the same if their cosine is far larger than chance explains, given the spread of all cosines. Groups
    are formed around the rows with the most such partners first.

    Parameters
    ----------
    points
        float32 (n, dim), rows of length 1, best with mean 0.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = unit(np.repeat(rng.normal(size=(50, 100)), 3, axis=0) + 0.1 * rng.normal(size=(150, 100)))
    >>> len(np.unique(sayings(rows.astype(np.float32))))
    50
    """
    n = len(points)
    squares = ((points.T @ points).astype(float) ** 2).sum() - n  # of the cosines of all pairs, summed
    enough = min(ALMOST_EQUAL, BEYOND_CHANCE * np.sqrt(max(0, squares) / max(1, n * (n - 1))))

    def of_block(start: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        rows, columns = np.nonzero(points[start : start + BLOCK] @ points[start:].T >= enough)  # each pair once
        return (rows + start).astype(np.int32), (columns + start).astype(np.int32)

    ones, others = _block_by_block(of_block, n)
    half = sparse.csr_matrix((np.ones(len(ones), dtype=bool), (ones, others)), shape=(n, n))
    alike = (half + half.T).tocsr()
    saying, count = np.full(n, -1, dtype=np.int64), 0
    for row in np.argsort(-np.diff(alike.indptr), kind="stable"):
        if saying[row] < 0:
            near = alike.indices[alike.indptr[row] : alike.indptr[row + 1]]
            saying[near[saying[near] < 0]] = count
            saying[row] = count
            count += 1
    return saying


def nearest(points: F32, among: F32, count: int) -> tuple[Ints, F32]:
    """The ``count`` rows of ``among`` most alike to each of ``points``, and their cosines: both (n, count).

    Where ``points`` is ``among``, a row is not its own neighbour.
    """
    same = points is among

    def of_block(start: int) -> tuple[Ints, F32]:
        alike = points[start : start + BLOCK] @ among.T
        if same:
            rows = np.arange(len(alike))
            alike[rows, start + rows] = -np.inf
        columns = _largest(alike, count)
        return columns, np.take_along_axis(alike, columns, 1)

    return _block_by_block(of_block, len(points))


def _block_by_block(of_block: Callable[[int], tuple[A, B]], n: int) -> tuple[A, B]:
    """The two arrays that ``of_block`` returns for the block of rows from each start on, concatenated."""
    with ThreadPoolExecutor(THREADS) as pool:
        one, other = zip(*pool.map(of_block, range(0, n, BLOCK)), strict=True)
    return cast("A", np.concatenate(one)), cast("B", np.concatenate(other))


def _largest(values: F32, count: int) -> Ints:
    """The columns of the ``count`` largest values of each row, in no order.

    They lie in the ``count`` columns of stripes with the largest maxima, so that only these are searched.
    """
    n, size = values.shape
    width = size // STRIPES
    if width <= 2 * count:
        return np.argpartition(values, size - count, axis=1)[:, size - count :]
    most = values[:, : STRIPES * width].reshape(n, STRIPES, width).max(axis=1)
    stripes = np.argpartition(most, width - count, axis=1)[:, width - count :]
    inside = (stripes[:, :, None] + width * np.arange(STRIPES)).reshape(n, -1)
    behind = np.broadcast_to(np.arange(STRIPES * width, size), (n, size - STRIPES * width))
    columns = np.hstack([inside, behind])
    top = np.argpartition(np.take_along_axis(values, columns, 1), columns.shape[1] - count, axis=1)
    return np.take_along_axis(columns, top[:, columns.shape[1] - count :], 1)


def silhouette(points: F32, labels: Ints) -> float:
    """Mean silhouette of unit rows on cosine distance, exact and in n × clusters steps; labels are 0 to at least 1."""
    sizes = np.bincount(labels)
    alike = points @ _sums(points, labels).T
    rows = np.arange(len(points))
    own = 1 - (alike[rows, labels] - 1) / np.maximum(sizes[labels] - 1, 1)
    distance = 1 - alike / sizes
    distance[rows, labels] = np.inf
    other = distance.min(axis=1)
    each = (other - own) / np.maximum(np.maximum(own, other), 1e-9)
    return float(np.where(sizes[labels] > 1, each, 0).mean())


def centroids(points: F32, labels: Ints) -> F32:
    """Mean direction of each cluster from 0 on; rows labelled -1 are left out."""
    inside = labels >= 0
    return unit(_sums(points[inside], labels[inside])) if inside.any() else np.zeros((0, points.shape[1]), np.float32)


def _sums(points: F32, labels: Ints) -> F32:
    return np.asarray(_member(labels) @ points, dtype=np.float32)


def _member(labels: Ints) -> sparse.csr_matrix:
    return sparse.csr_matrix((np.ones(len(labels), np.float32), (labels, np.arange(len(labels)))))


def distinct(rows: F32) -> tuple[F32, Ints]:
    """The distinct rows, ordered by their bytes, and the position of each row among them."""
    keys = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    _, first, back = np.unique(keys, return_index=True, return_inverse=True)
    return rows[first], back.ravel()


def by_size(labels: NDArray[np.integer[Any]], min_size: int) -> Ints:
    """Labels renumbered by size, the largest first and ties by first row; small clusters become -1, -1 stays."""
    names, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    number = np.full(len(names), -1, dtype=np.int64)
    order = [i for i in np.lexsort((first, -sizes)) if names[i] >= 0 and sizes[i] >= min_size]
    number[order] = np.arange(len(order))
    return number[np.searchsorted(names, labels)]
