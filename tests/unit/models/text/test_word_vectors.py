"""Questions are near each other by the words that they share, whatever the form and the language."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lacuna.models.arrays import F32
from lacuna.models.text.word_vectors import DIMENSIONS, WordSpace

# Enough other questions for words to be neither everywhere nor only once.
CROWD = [f"{what} number{i} arrived late" for i in range(12) for what in ("kettle", "lamp", "stove", "rope", "boots")]


def word_vectors(texts: list[str], languages: list[str]) -> F32:
    """The vectors of the texts that a space is learnt from."""
    return WordSpace.learn(texts, languages)[1]


def nearness(*texts: str, language: str = "en") -> np.ndarray:
    """Cosines of ``texts`` among each other, in the company of a crowd."""
    vectors = word_vectors([*texts, *CROWD], [language] * len(texts) + ["en"] * len(CROWD))[: len(texts)]
    return vectors @ vectors.T


def test_shared_words_make_questions_near() -> None:
    """Two questions about the same thing are nearer than either is to another."""
    near = nearness("tent pole snapped", "the pole of my tent snapped", "gift card balance", "balance on my gift card")
    assert min(near[0, 1], near[2, 3]) > 0.5
    assert near[:2, 2:].max() < 0.1


def test_forms_of_a_word_are_the_same_word_in_its_language() -> None:
    """Plurals and cases meet in their stem, in English and in German."""
    assert nearness("returning parcels", "parcel returned")[0, 1] > 0.5
    assert nearness("Rechnungen drucken", "gedruckte Rechnung", language="de")[0, 1] > 0.3


def test_small_words_do_not_bring_questions_together() -> None:
    """How a question is put says nothing about its matter."""
    assert nearness("how do i find the zipper", "how do i find the saddle", "zipper", "saddle")[0, 1] < 0.9
    assert nearness("how can i please", "how can i please", "zipper")[0, 1] == 0


@pytest.mark.parametrize("texts", [[], ["tent"], ["", ""], ["the and of"] * 3, ["👍", "?"], ["same words here"] * 40])
def test_texts_without_telling_words_get_nought(texts: list[str]) -> None:
    """One row a text comes back in any case, of zeros where no word tells anything."""
    vectors = word_vectors(texts, ["en"] * len(texts))
    assert vectors.shape[0] == len(texts)
    assert vectors.dtype == np.float32
    assert not vectors.any()


def test_an_unknown_language_is_read_as_english() -> None:
    """A code that has no stemmer does not stop the run."""
    assert word_vectors([*CROWD, "tent pole"], ["xx"] * (len(CROWD) + 1)).shape[0] == len(CROWD) + 1


WORDS = st.lists(
    st.sampled_from([f"{a}{b}" for a in ("tent", "pole", "card", "shop") for b in ("", "s", "bar", "ling")])
)


@settings(max_examples=40)
@given(st.lists(WORDS.map(" ".join), min_size=1, max_size=40))
def test_rows_are_of_length_one_or_nought_and_repeat(texts: list[str]) -> None:
    """Vectors are finite, of length 1 or 0, at most so many dimensions, and the same each time."""
    vectors = word_vectors(texts, ["en"] * len(texts))
    length = np.linalg.norm(vectors, axis=1)
    assert ((np.abs(length - 1) < 1e-4) | (length == 0)).all()
    assert vectors.shape[1] <= DIMENSIONS
    assert np.array_equal(vectors, word_vectors(texts, ["en"] * len(texts)))


def test_folded_vectors_keep_what_is_near_in_any_order() -> None:
    """With more words than dimensions, cosines hardly depend on the order of texts, and repeat to the bit."""
    rng = random.Random(5)
    words = [f"w{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(400)]
    texts = [" ".join(rng.sample(words, 6)) for _ in range(300)] + ["waa wba wca", "waa wba wca"]
    vectors = word_vectors(texts, ["en"] * len(texts))
    assert vectors.shape[1] == DIMENSIONS
    assert np.array_equal(vectors, word_vectors(texts, ["en"] * len(texts)))
    backwards = word_vectors(texts[::-1], ["en"] * len(texts))[::-1]
    assert vectors[-1] @ vectors[-2] == pytest.approx(1, abs=1e-4)
    assert backwards[-1] @ backwards[-2] == pytest.approx(1, abs=1e-4)
    assert np.abs(vectors[:50] @ vectors[:50].T - backwards[:50] @ backwards[:50].T).mean() < 0.1


@pytest.mark.parametrize("crowd", [CROWD, [f"{text} {i} {i + 1} {i + 2}" for i, text in enumerate(CROWD * 6)]])
def test_a_text_lies_where_it_would_lie_if_it_had_been_learnt_from(crowd: list[str]) -> None:
    """Placing texts of the space again gives their own vectors, few words or many; nothing lies at nought."""
    space, vectors = WordSpace.learn(crowd, ["en"] * len(crowd))
    again = space.place(crowd, ["en"] * len(crowd))
    assert again == pytest.approx(vectors, abs=1e-3)
    assert not space.place(["of the"], ["en"]).any()
    stored = WordSpace.of_arrays(space.arrays())
    assert np.array_equal(stored.place(crowd, ["en"] * len(crowd)), again)
    assert WordSpace.learn(["the"], ["en"])[0].place(["tent pole"], ["en"]).shape == (1, 1)
