"""The best articles of each text, kept in place of a score for every pair of text and article."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lacuna.models.arrays import F32, F64, Flags, Ints

__all__ = ["KEPT", "Candidates", "Scores", "choose", "pieces_of", "rows_of"]

N = TypeVar("N", np.float32, np.int32)

KEPT = 48  # candidates of each text; those that a bot or an agent cited are among them whatever their scores


@dataclass(frozen=True)
class Scores:
    """How well each text matches all articles in one way: its candidates by themselves, the others by their mean.

    Attributes
    ----------
    articles
        Number of articles.
    number
        int32 (n, k), the candidates' article numbers, ascending in each row.
    value
        float32 (n, k), their scores.
    rest
        float32 (n,), the mean score of all other articles; of no meaning where there are none.
    offset
        float32 (articles,), taken off the scores of each article.

    Examples
    --------
    >>> number, value = np.array([[0, 2]], dtype=np.int32), np.array([[0.9, 0.5]], dtype=np.float32)
    >>> one = Scores(4, number, value, np.array([0.1], dtype=np.float32), np.zeros(4, dtype=np.float32))
    >>> one.dense().astype(float).round(1).tolist()
    [[0.9, 0.1, 0.5, 0.1]]
    """

    articles: int
    number: NDArray[np.int32]
    value: F32
    rest: F32
    offset: F32

    def __len__(self) -> int:
        return len(self.number)

    @property
    def others(self) -> int:
        """How many articles are no candidates of a text."""
        return self.articles - self.number.shape[1]

    def take(self, rows: Ints | Flags | slice) -> Scores:
        """The scores of some of the texts."""
        return replace(self, number=self.number[rows], value=self.value[rows], rest=self.rest[rows])

    def at(self, article: int | Ints) -> F32:
        """Each text's score of one article, or of an article of its own: float32 (n,)."""
        own = np.broadcast_to(np.asarray(article), len(self))
        hit = self.number == own[:, None]
        kept = np.where(hit, self.value, 0).sum(axis=1)
        return np.asarray(np.where(hit.any(axis=1), kept, self.rest) - self.offset[own], dtype=np.float32)

    def total(self) -> F64:
        """The sum over all texts by article: float64 (articles,)."""
        rest = self.rest.astype(np.float64) if self.others else np.zeros(len(self))
        above = (self.value - rest[:, None]).ravel()
        total = np.bincount(self.number.ravel(), weights=above, minlength=self.articles) + rest.sum()
        return total - len(self) * self.offset.astype(np.float64)

    def mean(self) -> F64:
        """The mean over all texts by article: float64 (articles,); there must be a text."""
        return self.total() / len(self)

    def best_other(self, article: Ints) -> F32:
        """Each text's best score among articles other than one: float32 (n,); −9 where there is no other."""
        value = self.value - self.offset[self.number]
        best = np.where(self.number == article[:, None], -9, value).max(axis=1, initial=-9)
        return np.asarray(np.maximum(best, self.rest) if self.others else best, dtype=np.float32)

    def less(self, offset: F64 | F32) -> Scores:
        """The scores with another offset taken off each article, float (articles,)."""
        return replace(self, offset=(self.offset + offset).astype(np.float32))

    def times(self, factor: float) -> Scores:
        """All scores, with their offset, times a factor."""
        f = np.float32(factor)
        return replace(self, value=self.value * f, rest=self.rest * f, offset=self.offset * f)

    def dense(self) -> F32:
        """The scores of every article: float32 (n, articles). Only ever for a block of texts, or for one group."""
        out = np.repeat(self.rest[:, None], self.articles, axis=1)
        np.put_along_axis(out, self.number.astype(np.int64), self.value, axis=1)
        return np.asarray(out - self.offset, dtype=np.float32)


@dataclass(frozen=True)
class Candidates:
    """The best articles of each text, with their scores in several ways, and each way's mean and spread.

    Attributes
    ----------
    articles
        Number of articles.
    number
        int32 (n, k), the candidates' article numbers, ascending in each row.
    value
        By way of matching: float32 (n, k), the candidates' scores.
    mean, spread
        By way of matching: float32 (n,), mean and standard deviation over all articles, candidates or not.
    rank
        By those ways whose ranks are known: int32 (n, k), how many articles score higher; of equal ones, those before.
    """

    articles: int
    number: NDArray[np.int32]
    value: Mapping[str, F32]
    mean: Mapping[str, F32]
    spread: Mapping[str, F32]
    rank: Mapping[str, NDArray[np.int32]]

    def __len__(self) -> int:
        return len(self.number)

    def take(self, rows: Ints | Flags | slice) -> Candidates:
        """The candidates of some of the texts."""
        return Candidates(
            self.articles,
            self.number[rows],
            {way: value[rows] for way, value in self.value.items()},
            {way: mean[rows] for way, mean in self.mean.items()},
            {way: spread[rows] for way, spread in self.spread.items()},
            {way: rank[rows] for way, rank in self.rank.items()},
        )

    def of_ways(self, ways: Sequence[str]) -> Candidates:
        """The same, without ranks, and with the scores of these ways alone."""
        value, mean, spread = ({way: of[way] for way in ways} for of in (self.value, self.mean, self.spread))
        return replace(self, value=value, mean=mean, spread=spread, rank={})

    def scores(self, way: str) -> Scores:
        """The scores in one way of matching."""
        value, others = self.value[way], self.articles - self.number.shape[1]
        rest = np.zeros(len(self))
        if others:
            rest = (self.articles * self.mean[way].astype(np.float64) - value.sum(axis=1, dtype=np.float64)) / others
        offset = np.zeros(self.articles, dtype=np.float32)
        return Scores(self.articles, self.number, value, rest.astype(np.float32), offset)

    def standard(self, way: str) -> Scores:
        """Standard scores in one way: how an article stands out among all for each text."""
        raw = self.scores(way)
        mean, spread = self.mean[way], np.where(self.spread[way] > 1e-9, self.spread[way], 1)
        return replace(
            raw,
            value=((raw.value - mean[:, None]) / spread[:, None]).astype(np.float32),
            rest=((raw.rest - mean) / spread).astype(np.float32),
        )

    def ranks(self, way: str) -> F32:
        """How many articles score higher than each candidate: float32 (n, k), or (n, k + 1) where there are others.

        The last column holds the mean rank of all articles that are no candidates.
        """
        k = self.number.shape[1]
        rank = self.rank[way].astype(np.float32)
        if k == self.articles:
            return rank
        all_ranks = self.articles * (self.articles - 1) / 2
        rest = (all_ranks - rank.sum(axis=1, keepdims=True, dtype=np.float64)) / (self.articles - k)
        return np.hstack([rank, rest.astype(np.float32)])

    def has_text(self, way: str) -> Flags:
        """Whether there was a text to match in this way: bool (n,). Without one, all its scores are 0."""
        return np.asarray((self.mean[way] != 0) | (self.spread[way] != 0))

    @classmethod
    def whole(cls, ways: Mapping[str, F32], ranked: Sequence[str] = ()) -> Candidates:
        """Every article a candidate: float32 (n, articles) by way of matching, for a block of texts."""
        n, articles = next(iter(ways.values())).shape
        number = np.broadcast_to(np.arange(articles, dtype=np.int32), (n, articles))
        none = np.zeros(n, dtype=np.float32)
        return cls(
            articles,
            number,
            dict(ways),
            {way: score.mean(axis=1) if articles else none for way, score in ways.items()},
            {way: score.std(axis=1) if articles else none for way, score in ways.items()},
            {way: _ranks(ways[way], number.astype(np.int64)) for way in ranked},
        )

    @classmethod
    def joined(cls, parts: Sequence[Candidates]) -> Candidates:
        """Several blocks as one; there must be one."""

        def together(of: Sequence[Mapping[str, NDArray[N]]]) -> dict[str, NDArray[N]]:
            return {way: np.concatenate([each[way] for each in of]) for way in of[0]}

        return cls(
            parts[0].articles,
            np.concatenate([part.number for part in parts]),
            together([part.value for part in parts]),
            together([part.mean for part in parts]),
            together([part.spread for part in parts]),
            together([part.rank for part in parts]),
        )


T = TypeVar("T", F32, Candidates)


def rows_of(parts: Iterable[T], rows: Ints) -> list[T]:
    """From parts that follow one another, those rows that are asked for (ascending), in pieces; one at least."""
    pieces = list(pieces_of(parts, rows))
    return [piece for piece in pieces if len(piece)] or pieces[:1]


def pieces_of(parts: Iterable[T], rows: Ints) -> Iterator[T]:
    """Of each part the rows that are asked for, as :func:`rows_of`, one after the other; a piece may be empty."""
    start = 0
    for part in parts:
        own = rows[np.searchsorted(rows, start) : np.searchsorted(rows, start + len(part))] - start
        yield part[own] if isinstance(part, np.ndarray) else part.take(own)
        start += len(part)


def choose(
    ways: Mapping[str, F32], also: Sequence[Sequence[int]], kept: int = KEPT, ranked: Sequence[str] = ()
) -> Candidates:
    """The best ``kept`` articles of each text by any way of matching, and those in ``also``.

    An article's place is its best rank in any way, so that each way has its best ones kept; of equal places, the one
    of the way that is named first comes first.

    Parameters
    ----------
    ways
        float32 (n, articles) by way of matching: a block of texts.
    also
        For each text, the numbers of articles that are kept whatever their scores, such as those cited.
    ranked
        The ways whose ranks are kept.

    Examples
    --------
    >>> ways = {"meaning": np.array([[0.9, 0.1, 0.2, 0.3]]), "words": np.array([[0.0, 5.0, 0.0, 1.0]])}
    >>> choose({way: score.astype(np.float32) for way, score in ways.items()}, [[2]], kept=3).number.tolist()
    [[0, 1, 2]]
    """
    n, articles = next(iter(ways.values())).shape
    if articles <= kept:
        return Candidates.whole(ways, ranked)
    whole = Candidates.whole(ways)
    place = np.full((n, articles), np.iinfo(np.int32).max, dtype=np.int32)
    for turn, score in enumerate(ways.values()):
        best = _best(score, kept)
        rank = np.broadcast_to(np.arange(kept, dtype=np.int32) * len(ways) + turn, best.shape)
        # A text without a word, or without an agent's answer, says nothing by that way.
        rank = np.where(np.ptp(score, axis=1, keepdims=True) > 0, rank, np.iinfo(np.int32).max - 1)
        np.put_along_axis(place, best, np.minimum(np.take_along_axis(place, best, axis=1), rank), axis=1)
    for row, numbers in enumerate(also):
        place[row, list(numbers)] = -1
    at = np.sort(_best(-place, kept), axis=1)
    kept_values = {way: np.take_along_axis(score, at, axis=1) for way, score in ways.items()}
    ranks = {way: _ranks(ways[way], at) for way in ranked}
    return replace(whole, number=at.astype(np.int32), value=kept_values, rank=ranks)


def _ordered(values: NDArray[np.float32] | NDArray[np.int32]) -> NDArray[np.int64]:
    """Whole numbers (n, columns) in the order of the values; of equal values, the first has the larger number."""
    whole = np.ascontiguousarray(values + 0).view(np.int32)  # -0.0 becomes 0.0
    if values.dtype == np.float32:  # IEEE 754: the bits of floats order as whole numbers, backwards below zero
        whole = whole ^ ((whole >> 31) & 0x7FFFFFFF)
    return (whole.astype(np.int64) << 16) + np.arange(values.shape[1], 0, -1)


def _best(values: NDArray[np.float32] | NDArray[np.int32], count: int) -> Ints:
    """The columns of the ``count`` largest values of each row, the largest first; of equal ones, the first columns."""
    keys = _ordered(values)
    some = np.argpartition(keys, keys.shape[1] - count, axis=1)[:, keys.shape[1] - count :]
    order = np.argsort(-np.take_along_axis(keys, some, axis=1), axis=1)
    return np.take_along_axis(some, order, axis=1)


def _ranks(values: F32, columns: Ints) -> NDArray[np.int32]:
    """How many values of its row are larger than that in each of some columns: int32, of the shape of ``columns``."""
    n, count = values.shape
    if not values.size:
        return np.zeros(columns.shape, dtype=np.int32)
    # One sorted list of all rows, each row's values above those of the rows before it.
    keys = _ordered(values) + (np.arange(n, dtype=np.int64) << 48)[:, None]
    place = np.searchsorted(np.sort(keys, axis=1).ravel(), np.take_along_axis(keys, columns, axis=1))
    return np.asarray(count - 1 - (place - count * np.arange(n)[:, None]), dtype=np.int32)
