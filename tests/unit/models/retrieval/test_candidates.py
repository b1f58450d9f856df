"""The candidates of a text stand for all articles: figures of the best are exact, of the others right in the mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from lacuna.models.retrieval.article_match import standardise
from lacuna.models.retrieval.candidates import Candidates, choose, rows_of

N, ARTICLES, KEPT = 6, 12, 5
SCORES = arrays(np.float32, (N, ARTICLES), elements=st.floats(-8, 8, width=16))


@given(SCORES, SCORES, st.lists(st.integers(0, ARTICLES - 1), min_size=N, max_size=N))
def test_each_way_has_its_best_and_what_was_cited_is_kept(
    meaning: NDArray[np.float32], words: NDArray[np.float32], cited: list[int]
) -> None:
    """Two ways and one citation share five places: the first two of each way are among them, and the cited one."""
    candidates = choose({"meaning": meaning, "words": words}, [[number] for number in cited], KEPT)
    assert candidates.number.shape == (N, KEPT)
    assert (np.diff(candidates.number, axis=1) > 0).all()
    for row, kept in enumerate(candidates.number.tolist()):
        assert cited[row] in kept
        for score in (meaning[row], words[row]):
            best = sorted(range(ARTICLES), key=lambda number: (-score[number], number))[:2]
            assert np.ptp(score) == 0 or set(best) <= set(kept)


@given(SCORES, st.integers(0, 2**32 - 1))
def test_what_is_known_of_candidates_is_exact_and_of_the_rest_right_in_the_mean(
    score: NDArray[np.float32], seed: int
) -> None:
    """Scores, standard scores and best others of the candidates are those of the whole row; so is every row's sum."""
    candidates = choose({"score": score}, [[]] * N, KEPT)
    scores, standard = candidates.scores("score"), candidates.standard("score")
    at = candidates.number.astype(np.int64)
    assert np.take_along_axis(scores.dense(), at, 1).tolist() == np.take_along_axis(score, at, 1).tolist()
    assert scores.dense().sum(axis=1) == pytest.approx(score.sum(axis=1), abs=1e-2)
    assert np.take_along_axis(standard.dense(), at, 1) == pytest.approx(
        np.take_along_axis(standardise(score), at, 1), abs=1e-2
    )
    first = score.argmax(axis=1)
    assert scores.at(first).tolist() == score[np.arange(N), first].tolist()
    others = score.copy()
    others[np.arange(N), first] = -9
    assert scores.best_other(first) == pytest.approx(others.max(axis=1), abs=1e-3)
    offset = np.random.default_rng(seed).normal(size=ARTICLES)
    less = scores.less(offset).times(2.0)
    assert less.mean() == pytest.approx(less.dense().mean(axis=0), abs=1e-3)
    assert less.at(3) == pytest.approx(less.dense()[:, 3], abs=1e-3)


@given(SCORES)
def test_where_all_are_candidates_nothing_is_lost(score: NDArray[np.float32]) -> None:
    """With as many places as articles, ranks and scores are those of the whole row."""
    candidates = choose({"score": score}, [[]] * N, ARTICLES)
    assert candidates.scores("score").dense().tolist() == score.tolist()


@given(SCORES, st.sampled_from([KEPT, ARTICLES]))
def test_ranks_are_those_among_all_articles(score: NDArray[np.float32], kept: int) -> None:
    """A candidate's rank counts all articles, candidates or not, and all ranks of a row have a known sum."""
    candidates = choose({"score": score}, [[ARTICLES - 1]] * N, kept, ranked=["score"])
    ranks = candidates.ranks("score")
    for row in range(N):
        order = sorted(range(ARTICLES), key=lambda number, own=score[row]: (-own[number], number))
        assert ranks[row, :kept].tolist() == [order.index(number) for number in candidates.number[row]]
    others = ARTICLES - kept
    total = ranks[:, :kept].sum(axis=1) + (ranks[:, kept] * others if others else 0)
    assert total == pytest.approx(np.full(N, ARTICLES * (ARTICLES - 1) / 2), abs=1e-2)


def test_rows_are_taken_from_blocks_as_from_the_whole() -> None:
    """Blocks that follow one another, an empty one among them, give the rows that are asked for, in order."""
    score = np.arange(40, dtype=np.float32).reshape(8, 5)
    whole = choose({"score": score}, [[]] * 8, 3)
    blocks = [whole.take(slice(0, 3)), whole.take(slice(3, 3)), whole.take(slice(3, 8))]
    rows = np.array([1, 3, 7])
    taken = Candidates.joined(rows_of(blocks, rows))
    assert taken.value["score"].tolist() == whole.take(rows).value["score"].tolist()
    assert len(Candidates.joined(rows_of(blocks, rows[:0]))) == 0


def test_a_missing_text_has_no_scores() -> None:
    """A conversation that no agent answered scores 0 everywhere: that tells it from one that is near to nothing."""
    candidates = Candidates.whole({"agents": np.array([[0, 0], [1, 1], [1, -1]], dtype=np.float32)})
    assert candidates.has_text("agents").tolist() == [False, True, True]
