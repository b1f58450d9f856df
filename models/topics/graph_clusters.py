"""Clusters of a nearest-neighbour graph, as many as the points themselves suggest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import validate_data
from sknetwork.clustering import Louvain

from lacuna.models.arrays import F32, Ints
from lacuna.models.text.vectors import unit

A = TypeVar("A", bound=NDArray[Any])
B = TypeVar("B", bound=NDArray[Any])

RESOLUTIONS = tuple(0.25 * 1.3**step for step in range(19))
# Data without structure splits best into this few clusters; they are accepted only from the silhouette on below which
# Kaufman and Rousseeuw (1990) find no substantial structure.
FEW, SUBSTANTIAL = 3, 0.25
BLOCK, THREADS = 1024, 4  # rows of a block, whose similarities to all others are held at once, and parallel blocks
STRIPES = 8  # parts of a row of similarities; their elementwise maximum shows where the largest values are

# Two rows are one saying if their cosine exceeds this many standard deviations of all cosines, which chance does not
# explain, or in any case this value.
BEYOND_CHANCE, ALMOST_EQUAL = 7.0, 0.95


class GraphClusters(ClusterMixin, BaseEstimator):
    """Louvain communities of the cosine nearest-neighbour graph, at the resolution with the best silhouette.

    The number of clusters is not given: the graph is cut at many resolutions, and the cut with the best silhouette is
    taken (Rousseeuw 1987, on cosine distance). Even data without structure splits into two or three parts a little
    better than into more, so that so few are accepted only with a substantial silhouette. Rows that say the same are
    one point of the graph, so that the neighbours of a template's copy are other texts, not the other copies. The
    result does not depend on the order of rows: equal rows count once, and rows are sorted by their bytes.

    Parameters
    ----------
    neighbours
        Numbers of neighbours of each row: the graphs of all numbers are summed, so that the nearest weigh most and no
        single number decides.
    min_size
        Distinct rows that a cluster needs; rows of smaller ones are in no cluster.
    judged_by
        How many first columns, rescaled to length 1, decide which rows say the same, and the silhouette; None for all
        columns. Further columns shape the graph only.
    resolutions
        Resolutions to try, ascending. Cuts into more than 2√n clusters of n sayings are not considered.

    Attributes
    ----------
    labels_
        int (n,); 0 is the largest cluster, -1 a row that is in none.
    centroids_
        float32 (clusters, dim), rows of length 1.
    resolution_, silhouette_
        What was chosen, and how good it is, -1 to 1; 0 where there is only one cluster.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> points = np.repeat(np.eye(3), 20, axis=0) + 0.1 * rng.normal(size=(60, 3))
    >>> np.bincount(GraphClusters().fit_predict(points)).tolist()
    [20, 20, 20]
    """

    def __init__(
        self,
        neighbours: tuple[int, ...] = (8, 12, 16),
        min_size: int = 5,
        judged_by: int | None = None,
        resolutions: tuple[float, ...] = RESOLUTIONS,
    ) -> None:
        self.neighbours = neighbours
        self.min_size = min_size
        self.judged_by = judged_by
        self.resolutions = resolutions

    def fit(self, X: F32, y: object = None) -> GraphClusters:  # noqa: N803, ARG002 (scikit-learn's names)
        """Find the clusters of ``X`` (n, dim); ``y`` is not used."""
        validated = np.ascontiguousarray(validate_data(self, X, dtype=np.float32))
        rows, back = distinct(validated)
        points = unit(rows)
        labels, self.resolution_, self.silhouette_ = self._best_cut(points)
        self.labels_ = by_size(labels, self.min_size)[back]
        self.centroids_ = centroids(unit(validated), self.labels_)
        return self

    def _best_cut(self, points: F32) -> tuple[Ints, float, float]:
        best, resolution, score = np.zeros(len(points), dtype=np.int64), float(self.resolutions[0]), 0.0
        few = best, resolution, score
        judged_points = unit(points[:, : self.judged_by])
        saying = sayings(judged_points)
        saying_points = centroids(points, saying)
        if len(saying_points) < 2:
            return best, resolution, score
        graph = neighbour_graph(saying_points, [min(count, len(saying_points) - 1) for count in self.neighbours])
        for step in self.resolutions:
            # scikit-network's Leiden draws from C's rand() whatever its seed; its Louvain draws nothing
            louvain = Louvain(resolution=step, shuffle_nodes=False, return_probs=False, return_aggregate=False)
            labels = np.unique(louvain.fit_predict(graph), return_inverse=True)[1].astype(np.int64)[saying]
            count = int(labels.max()) + 1
            if count > 2 * np.sqrt(len(saying_points)):
                break
            good = silhouette(judged_points, labels) if count > 1 else 0.0
            if count <= FEW and good > few[2]:
                few = labels, float(step), good
            elif count > FEW and good > score:
                best, resolution, score = labels, float(step), good
        return few if not score or few[2] > max(score, SUBSTANTIAL) else (best, resolution, score)


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


def neighbour_graph(points: F32, counts: Sequence[int]) -> sparse.csr_matrix:
    """Undirected graph of each row and its nearest rows, weighted by cosine; the graphs of all ``counts`` summed."""
    n, most = len(points), max(counts)
    columns, cosines = nearest(points, points, most)
    order = np.lexsort((columns, -cosines))
    columns, cosines = np.take_along_axis(columns, order, 1), np.take_along_axis(cosines, order, 1)
    graph = sparse.csr_matrix((n, n))
    for count in counts:
        weights = np.maximum(cosines[:, :count].ravel().astype(float), 1e-6)
        one = sparse.csr_matrix((weights, (np.repeat(np.arange(n), count), columns[:, :count].ravel())), shape=(n, n))
        graph = graph + one.maximum(one.T)
    return graph.tocsr()


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
