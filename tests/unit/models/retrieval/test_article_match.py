"""Questions find their article by meaning and by words, and no text of an article is lost on the way."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lacuna.models.retrieval.article_match import (
    BEST_PASSAGES,
    PASSAGE_WORDS,
    meaning_scores,
    passages,
    profile,
    standardise,
)
from lacuna.models.text.markup import plain
from lacuna.models.text.vectors import unit

SCORES = arrays(np.float32, (4, 5), elements=st.floats(-50, 50, width=16))


def articles(*bodies: str) -> pd.DataFrame:
    """Articles a0, a1, … with these bodies."""
    ids = [f"a{i}" for i in range(len(bodies))]
    return pd.DataFrame({"article_id": ids, "title": [f"Title {i}" for i in ids], "body": bodies})


def test_every_article_is_its_title_and_then_its_text() -> None:
    """The first passage of an article is its title; an empty article has that alone."""
    cut = passages(articles("", "Send it back."))
    assert cut.values.tolist() == [["a0", "Title a0"], ["a1", "Title a1"], ["a1", "Title a1. Send it back."]]


def test_a_passage_keeps_its_heading() -> None:
    """Text below a heading carries it along; a heading without text makes no passage."""
    cut = passages(articles("Intro.\n# Returns\nWithin 30 days.\n## Empty\n"))
    assert cut["passage"].tolist() == ["Title a0", "Title a0. Intro.", "Title a0. Returns. Within 30 days."]


@given(st.lists(st.integers(1, 400), min_size=1, max_size=4))
def test_no_word_of_an_article_is_lost_or_doubled(lengths: list[int]) -> None:
    """Passages together hold the body's words in order, each passage at most so many."""
    lines = [" ".join(f"w{i}x{j}" for j in range(n)) for i, n in enumerate(lengths)]
    cut = passages(articles("\n".join(lines)))["passage"].tolist()[1:]
    bodies = [passage.removeprefix("Title a0. ") for passage in cut]
    assert " ".join(bodies) == " ".join(lines)
    assert max(len(body.split()) for body in bodies) <= PASSAGE_WORDS


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("see [the form](https://x.example/a) now", "see the form now"),
        ("![photo](p.png) of it", "photo of it"),
        ("<p>Two&nbsp;days &amp; more</p>", "Two days & more"),
        ("if 3 < 4 and 5 > 2 it holds", "if 3 < 4 and 5 > 2 it holds"),
        ("a<br/>b<!-- note -->c", "a b c"),
    ],
)
def test_marks_go_and_words_stay(body: str, text: str) -> None:
    """Markdown and HTML lose their marks and entities; a comparison is no tag."""
    assert " ".join(plain(body).split()) == text


def test_meaning_is_the_mean_of_the_best_passages() -> None:
    """Three good places count, a lucky fourth does not lift the rest, and an article without a passage gets 0."""
    rng = np.random.default_rng(0)
    query, place = (unit(rng.normal(size=(n, 8)).astype(np.float32)) for n in (3, 9))
    of = np.array([0, 0, 0, 0, 0, 1, 1, 3, 0])
    found = meaning_scores(query, place, of, 4)
    for article in range(4):
        near = np.sort(query @ place[of == article].T, axis=1)[:, -BEST_PASSAGES:]
        expected = near.mean(axis=1) if near.size else np.zeros(3)
        assert found[:, article] == pytest.approx(expected, abs=1e-6)


@given(SCORES, st.floats(0.5, 20), st.floats(-20, 20))
def test_standardised_rows_have_no_scale_of_their_own(scores: np.ndarray, scale: float, shift: float) -> None:
    """Rows have mean 0 and deviation 1 or are all 0; stretching or moving a row changes nothing."""
    spread = scores.std(axis=1) > 0.05
    found = standardise(scores)
    assert np.isfinite(found).all()
    assert found.mean(axis=1) == pytest.approx(np.zeros(4), abs=1e-2)
    assert found[spread].std(axis=1) == pytest.approx(np.ones(int(spread.sum())), abs=1e-2)
    again = standardise((scores * scale + shift).astype(np.float32))
    assert again[spread] == pytest.approx(found[spread], abs=5e-2)


@given(SCORES)
def test_a_profile_is_a_direction_without_negatives(scores: np.ndarray) -> None:
    """Profiles are of length 1, or 0 where all articles are alike, and nothing below the mean counts."""
    found = profile(scores)
    length = np.linalg.norm(found, axis=1)
    assert (found >= 0).all()
    assert ((np.abs(length - 1) < 1e-4) | (length == 0)).all()
    assert not found[scores < scores.mean(axis=1, keepdims=True) - 1e-2].any()


@given(SCORES)
def test_unit_rows_have_length_one_and_keep_their_direction(vectors: np.ndarray) -> None:
    """Each row is divided by its length; a row of zeros stays."""
    found = unit(vectors)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    assert found * length == pytest.approx(vectors, rel=1e-3, abs=1e-3)
    assert (np.linalg.norm(found, axis=1) <= 1 + 1e-5).all()
    assert not unit(np.zeros((2, 3), dtype=np.float32)).any()


def test_without_articles_there_is_nothing_to_stand_out_from() -> None:
    """No article gives no column, and no warning."""
    with np.errstate(all="raise"):
        assert profile(np.zeros((3, 0), dtype=np.float32)).shape == (3, 0)
