"""An article that the bot passes over is told from one that it tries in vain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lacuna.models.diagnosis.findability import CitationChoice, Findability, measure, near_enough, went_wrong
from lacuna.models.retrieval.candidates import Candidates, Scores, choose

ARTICLES, TEMPTING, RIGHT = 6, 0, 1


def world(seed: int, n: int = 200) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Questions by their match with each article, and a bot that answers from the best match, or now and then not."""
    rng = np.random.default_rng(seed)
    score = rng.normal(size=(n, ARTICLES)).astype(np.float32)
    cited = score.argmax(axis=1)
    wild = rng.random(n) < 0.2
    cited[wild] = rng.integers(0, ARTICLES, wild.sum())
    return score, cited


def chances(score: NDArray[np.float32], cited: NDArray[np.int64], kept: int = ARTICLES) -> Scores:
    """The chance of each article to be cited, learnt from all citations; each question keeps so many candidates."""
    candidates = choose(
        {"words": score}, [[number] if number >= 0 else [] for number in cited.tolist()], kept, ranked=["words"]
    )
    choice = CitationChoice.learn(lambda: [candidates], ["words"], cited, went_wrong(cited, np.ones(len(cited))))
    return choice.chances(candidates)


@given(st.integers(0, 2**32 - 1), st.sampled_from([3, ARTICLES]))
def test_choice_is_a_chance(seed: int, kept: int) -> None:
    """Every question's chances add up to one, and the best match is the likeliest choice of a bot that takes it."""
    score, cited = world(seed)
    chance = chances(score, cited, kept)
    assert chance.dense().sum(axis=1) == pytest.approx(np.ones(len(cited)), abs=1e-5)
    assert chance.at(score.argmax(axis=1)).mean() > 0.4 > 1 / ARTICLES


def test_a_few_candidates_give_nearly_the_chances_of_all() -> None:
    """The best half of the articles, and the mean of the rest, lead to the choices that all of them lead to."""
    score, cited = world(1, 1500)
    assert chances(score, cited, 3).at(cited) == pytest.approx(chances(score, cited).at(cited), abs=0.12)


def test_choice_without_citations_is_even() -> None:
    """Where the bot never errs, nothing is known of what tempts it."""
    score, cited = world(0)
    chance = chances(score, np.full_like(cited, -1), 3).dense()
    assert chance == pytest.approx(np.full_like(chance, 1 / ARTICLES), abs=1e-6)


def test_choice_among_no_articles() -> None:
    """Without articles there is nothing to choose."""
    assert chances(np.zeros((3, 0), np.float32), np.full(3, -1)).dense().shape == (3, 0)


def group(tried: int, worked: int, n: int = 20) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Failed conversations and 20 that went well; agents' answers come from one article, which tempts the bot."""
    rng = np.random.default_rng(3)
    answers = rng.normal(scale=0.3, size=(n + 20, ARTICLES)).astype(np.float32)
    answers[:, RIGHT] += 2
    choice = np.full((n + 20, ARTICLES), 0.1, dtype=np.float32)
    choice[:, RIGHT] = 0.2
    cited = np.full(n + 20, TEMPTING)
    cited[:tried] = RIGHT
    cited[n : n + worked] = RIGHT
    return answers, choice, cited


def measured(answers: NDArray[np.float32], choice: NDArray[np.float32], cited: NDArray[np.int64]) -> Findability | None:
    """The first twenty conversations failed, the others went well."""
    both = Candidates.whole({"answers": answers[:20], "choice": choice[:20]})
    return measure(both.scores("answers"), both.has_text("answers"), both.scores("choice"), cited[:20], cited[20:], 0.7)


def evidence(tried: int, worked: int) -> float:
    """Of the group's conversations for the article being passed over."""
    answers, choice, cited = group(tried, worked)
    found = measured(answers, choice, cited)
    assert found is not None
    assert (found.article, found.tried, found.worked) == (RIGHT, tried, worked)
    assert found.expected == pytest.approx(4.0)
    return found.evidence


def test_an_article_never_tried_is_passed_over() -> None:
    """Four tries are expected and none is made: the bot passes it over; five tries are made in vain: it does not do."""
    assert evidence(0, 0) > 2
    assert evidence(5, 0) < -2


def test_an_answer_that_works_speaks_for_the_article() -> None:
    """Each conversation that the article answered adds the same amount of evidence."""
    gains = np.diff([evidence(0, worked) for worked in range(4)])
    assert (gains > 0.5).all()
    assert gains == pytest.approx(np.full(3, gains[0]))


def test_the_lead_tells_a_clear_favourite_from_a_close_race() -> None:
    """Answers that lie as near to a second article have no lead."""
    answers, choice, cited = group(0, 0)
    clear = measured(answers, choice, cited)
    answers[:, TEMPTING] += np.float32(1.95)
    close = measured(answers, choice, cited)
    assert clear is not None
    assert close is not None
    assert clear.lead > 10
    assert close.lead < 2.5


def test_one_answer_proves_nothing() -> None:
    """A group in which fewer than two agents said something is not judged."""
    answers, choice, cited = group(0, 0)
    answers[1:20] = 0
    assert measured(answers, choice, cited) is None


@given(st.floats(0.5, 3), st.integers(0, 2**32 - 1))
def test_near_enough_lies_between(distance: float, seed: int) -> None:
    """The limit lies between answers to questions about the cited article and answers to others."""
    rng = np.random.default_rng(seed)
    on = rng.random(400) < 0.5
    answers = rng.normal(scale=0.1, size=(400, ARTICLES)).astype(np.float32)
    cited = rng.integers(0, ARTICLES, 400)
    answers[np.flatnonzero(on), cited[on]] += np.float32(distance)
    limit = near_enough(answers[np.arange(400), cited], np.where(on, 0.95, 0.05))
    assert 0.2 * distance < limit < 0.8 * distance
