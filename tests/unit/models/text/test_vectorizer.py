"""Words and pairs are counted as scikit-learn counts them, only faster."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from lacuna.models.text.vectorizer import Terms
from lacuna.models.topics.text_space import principal_axes

WORD = re.compile(r"\b[^\W\d_][\w'’-]+\b")
STOP_WORDS = ["the", "is", "und"]
WORDS = ["The", "card", "is", "cards", "lost", "x", "4th", "Öl", "und", "don't", "--"]
TEXTS = st.lists(
    st.lists(st.sampled_from(WORDS)).map(" ".join),
    min_size=1,
    max_size=12,
)


def counter() -> CountVectorizer:
    """The counter that is the measure."""
    return CountVectorizer(ngram_range=(1, 2), stop_words=STOP_WORDS, token_pattern=WORD.pattern, dtype=np.float32)


@given(TEXTS, TEXTS)
@settings(max_examples=60, deadline=None)
def test_terms_are_those_of_scikit_learn(texts: list[str], other_texts: list[str]) -> None:
    """The same terms in the same order, the same counts, and the same for texts that were not there."""
    own_counter, scikit_counter = Terms(WORD, STOP_WORDS), counter()
    try:
        counts = scikit_counter.fit_transform(texts)
    except ValueError:  # no word at all
        assert own_counter.fit_transform(texts).shape[1] == 0
        assert own_counter.transform(other_texts).nnz == 0
        return
    assert np.array_equal(own_counter.fit_transform(texts).toarray(), counts.toarray())
    assert own_counter.get_feature_names_out().tolist() == scikit_counter.get_feature_names_out().tolist()
    assert np.array_equal(own_counter.transform(other_texts).toarray(), scikit_counter.transform(other_texts).toarray())


def test_stems_count_as_one() -> None:
    """Forms of a word count together, also one that was not there before; what is forgotten is not counted."""
    terms = Terms(WORD, STOP_WORDS, cut)
    terms.fit_transform(["lost cards", "card is lost"])
    assert terms.get_feature_names_out().tolist() == ["car", "car los", "los", "los car"]
    terms.keep(np.array([0, 3]))
    there = pickle.loads(pickle.dumps(terms))
    assert there.transform(["lost carts", "unheard car"]).toarray().tolist() == [[1, 1], [1, 0]]


@pytest.mark.parametrize("shape", [(60, 300), (20, 40), (1, 9)])
def test_principal_axes_are_those_of_the_textbook(shape: tuple[int, int]) -> None:
    """They span what the singular value decomposition finds, as far as there is anything to span."""
    from scipy import sparse

    rng = np.random.default_rng(3)
    rank = min(8, *shape)
    rows = (rng.normal(size=(shape[0], rank)) * 2.0 ** -np.arange(rank)) @ rng.normal(size=(rank, shape[1]))
    axes, length = principal_axes(sparse.csr_matrix(rows.astype(np.float32)), 5)
    exact = np.linalg.svd(rows)[2][: min(5, rank)]
    assert axes.shape == (shape[1], min(5, rank))
    assert np.abs(np.linalg.svd(exact @ axes)[1] - 1).max() < 1e-3
    again, _ = principal_axes(sparse.csr_matrix(1.1 * rows.astype(np.float32)), 5, length)
    assert np.abs(np.linalg.svd(exact @ again)[1] - 1).max() < 1e-3


def cut(words: list[str]) -> list[str]:
    """The first three letters."""
    return [word[:3] for word in words]
