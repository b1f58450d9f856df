"""A citation of what was asked for is told from one out of habit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lacuna.models.diagnosis.citation_mixture import on_topic
from lacuna.models.diagnosis.citations import EXAMPLES, answered_before, citation_features, examples_of
from lacuna.models.retrieval.candidates import Candidates

ARTICLES, EACH = 8, 40
WAYS = ("meaning", "words")


@dataclass(frozen=True)
class Planted:
    """What was planted: whether each citation is of the article asked for, and all that can be seen of it."""

    right: NDArray[np.bool_]
    ways: list[NDArray[np.float32]]
    cited: NDArray[np.int64]
    failed: NDArray[np.float64]
    guess: NDArray[np.float64]

    def chances(self, order: NDArray[np.int64] | slice = slice(None)) -> NDArray[np.float64]:
        """The chance of each citation to be on topic, of conversations in some order."""
        blocks = blocks_of([way[order] for way in self.ways])
        return on_topic(blocks, WAYS, self.cited[order], self.failed[order], self.guess[order], 0.7)[0]


def blocks_of(ways: Sequence[NDArray[np.float32]], size: int = 150) -> Callable[[], list[Candidates]]:
    """The candidates, all articles among them, in blocks of a few conversations."""
    starts = range(0, max(1, len(ways[0])), size)
    blocks = [
        Candidates.whole({name: way[i : i + size] for name, way in zip(WAYS, ways, strict=False)}, WAYS[: len(ways)])
        for i in starts
    ]
    return lambda: blocks


def planted(seed: int = 0, *, broken: int | None = None) -> Planted:
    """Forty conversations an article and as many that ask for none; a bot that reaches most, else follows a habit.

    One way of matching is near what was asked, another is what tempts the bot. The first guess knows outcomes alone.
    """
    rng = np.random.default_rng(seed)
    asks = np.r_[np.repeat(np.arange(ARTICLES), EACH), np.full(ARTICLES * EACH, -1)]
    n, knows = len(asks), asks >= 0
    meaning, words = rng.normal(size=(2, n, ARTICLES)).astype(np.float32)
    meaning[knows, asks[knows]] += 2
    right = knows & (rng.random(n) < 0.8)
    other = words.copy()
    other[knows, asks[knows]] = -9
    cited = np.where(right, asks, np.where(rng.random(n) < 0.6, other.argmax(axis=1), -1))
    worked = np.where(right, asks != broken, rng.random(n) < 0.4)
    worked &= cited >= 0
    return Planted(right, [meaning, words], cited, np.where(worked, 0.05, 0.95), np.where(worked, 0.9, 0.3))


def test_what_was_asked_for_is_told_from_habit() -> None:
    """Citations of the article asked for are likely on topic, others are not; without a citation the chance is 0."""
    world = planted()
    chance, cites = world.chances(), world.cited >= 0
    assert (chance[~cites] == 0).all()
    assert chance[world.right].mean() > 0.85
    assert chance[cites & ~world.right].mean() < 0.35


def test_a_broken_article_is_still_what_was_asked_for() -> None:
    """Where an article's answers all fail, its citations are on topic all the same: that is how it is seen to fail."""
    world = planted(broken=3)
    chance, own = world.chances(), world.cited == 3
    assert chance[own & world.right].mean() > 0.6 > chance[own & ~world.right].mean() + 0.2


@given(st.integers(0, 2**32 - 1))
def test_chances_whatever_the_order(seed: int) -> None:
    """Chances lie from 0 to 1 and don't depend on the order of the conversations."""
    world = planted(seed)
    chance = world.chances()
    assert ((chance >= 0) & (chance <= 1)).all()
    order = np.random.default_rng(seed).permutation(len(world.cited))
    assert world.chances(order) == pytest.approx(chance[order], abs=1e-3)


def test_the_first_guess_stands_where_little_is_known() -> None:
    """With fewer than sixty citations, of which a third is twenty, there is nothing to learn from."""
    world = planted()
    few = np.flatnonzero(world.cited >= 0)[:50]
    blocks = blocks_of([way[few] for way in world.ways])
    weight, off_topic = on_topic(blocks, WAYS, world.cited[few], world.failed[few], world.guess[few], 0.7)
    assert (weight == world.guess[few]).all()
    assert off_topic == 0.7
    even = np.where(world.cited >= 0, 0.7, 0.0)
    assert (on_topic(blocks_of(world.ways), WAYS, world.cited, world.failed, even, 0.7)[0] == even).all()
    empty, none = np.zeros(0), np.zeros(0, dtype=np.int64)
    assert on_topic(blocks_of([np.zeros((0, 0), np.float32)]), WAYS[:1], none, empty, empty, 0.7)[1] == 0.7


@given(st.integers(0, 2**32 - 1))
def test_examples_are_bounded_and_chosen_by_content(seed: int) -> None:
    """Each article has at most so many, all of them answered well, and the same ones whatever the order of rows."""
    rng = np.random.default_rng(seed)
    n = 300
    cited, success = rng.integers(-1, 4, n), rng.random(n)
    keys = [f"{number:04d}" for number in rng.permutation(n)]
    rows = examples_of(cited, success, keys)
    assert (success[rows] > 0.5).all()
    assert (np.diff(cited[rows]) >= 0).all()
    assert np.bincount(cited[rows], minlength=4).max() <= EXAMPLES
    order = rng.permutation(n)
    again = examples_of(cited[order], success[order], [keys[row] for row in order])
    assert [keys[row] for row in order[again]] == [keys[row] for row in rows]


def test_a_question_is_no_example_for_itself() -> None:
    """Of two articles, the first answered a question like it; the second answered this very question alone."""
    vectors = np.eye(3, dtype=np.float32)
    vectors[1] = vectors[0]
    rows = np.array([0, 1, 2])
    near = answered_before(vectors[:1], rows[:1], vectors[[1, 0]], np.array([1, 0]), np.array([0, 1]), 3)
    assert near.astype(float).round(2).tolist() == [[0.33, 0.0, 0.0]]


def test_the_cited_article_is_described_by_its_lead() -> None:
    """Its standard score, by how much it leads the best other, and its score as it is."""
    candidates = Candidates.whole({"words": np.array([[4, 2, 0], [0, 2, 4]], dtype=np.float32)})
    features = citation_features(candidates, ["words"], np.array([0, 1]))
    assert features["words_raw"].tolist() == [4, 2]
    assert features["words"].tolist() == pytest.approx([1.2247, 0], abs=1e-3)
    assert features["words_lead"].tolist() == pytest.approx([1.2247, -1.2247], abs=1e-3)
