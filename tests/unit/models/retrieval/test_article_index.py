"""Articles are found by their words, in any form and language, whatever is searched at once."""

from __future__ import annotations

from collections.abc import Sequence

import bm25s
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.arrays import F32
from lacuna.models.retrieval.article_index import ArticleIndex, WordIndex
from lacuna.models.retrieval.article_match import passages

SAID = st.lists(st.sampled_from(["parcel", "label", "phone", "refund", "invoice", "plan"]), max_size=6).map(" ".join)


def words_of(queries: Sequence[str], texts: Sequence[str], language: str = "en") -> F32:
    """BM25 by stems."""
    return WordIndex.stemmed(texts, language).scores(queries)


def test_words_find_the_article_that_has_them_in_any_form() -> None:
    """A planted article comes first for its own words, plural or not, in English and German."""
    english = ["Return a parcel with the label.", "Pair the display with a phone.", "Price promise and refunds."]
    assert words_of(["how do I pair my phones"], english).argmax() == 1
    assert words_of(["returning parcels"], english).argmax() == 0
    german = ["Rechnungen finden Sie im Konto.", "Das Paket kommt mit der Post."]
    assert words_of(["wo ist meine Rechnung"], german, "de").argmax() == 0


def test_small_words_find_nothing_in_their_own_language() -> None:
    """German function words say no more about an article than English ones."""
    german = ["die das der und wo ist nicht", "Rechnung drucken"]
    assert not words_of(["wo ist die und das"], german, "de").any()
    assert not words_of(["is the and a"], ["the and a where is", "print an invoice"]).any()


@pytest.mark.parametrize(
    ("queries", "texts"), [(["where"], ["", ""]), (["?"], ["!!!"]), ([], ["a parcel"]), (["x"], [])]
)
def test_nothing_to_find_is_nought(queries: list[str], texts: list[str]) -> None:
    """Articles without words, or no question, score 0 and never break the run."""
    found = words_of(queries, texts)
    assert found.shape == (len(queries), len(texts))
    assert not found.any()


@given(st.lists(SAID, min_size=1, max_size=5), st.lists(SAID, max_size=5))
def test_all_queries_at_once_score_as_one_by_one_in_the_library(texts: list[str], queries: list[str]) -> None:
    """The product of all queries with all texts has the very bits of the library's own sums."""
    scores = WordIndex.plain(texts).scores(queries)
    assert scores.shape == (len(queries), len(texts))
    corpus = [list(text.split()) for text in texts]
    if not any(corpus):
        assert not scores.any()
        return
    library = bm25s.BM25()
    library.index(corpus, show_progress=False)
    for query, row in zip(queries, scores, strict=True):
        asked = [word for word in dict.fromkeys(query.split()) if word in library.vocab_dict]
        expected = library.get_scores(asked) if asked else np.zeros(len(texts), dtype=np.float32)
        assert row.tobytes() == expected.astype(np.float32).tobytes()


def test_an_article_s_best_passage_counts_in_the_language_of_each_text() -> None:
    """Two articles, one of them German; each is found by its own language's stems in its best passage."""
    articles = pd.DataFrame(
        {
            "article_id": ["a", "b"],
            "title": ["Invoices", "Pakete"],
            "body": ["Print an invoice.\n# Plans\nChange your plan.", "Rechnungen.\n# Versand\nDas Paket kommt."],
        }
    )
    cut = passages(articles)
    index = ArticleIndex(articles, cut, np.eye(len(cut), dtype=np.float32))
    scores = index.passage_words(["changing plans", "wann kommen Pakete"], ["en", "de"])
    assert scores.argmax(axis=1).tolist() == [0, 1]
    assert index.meaning(np.eye(len(cut), dtype=np.float32)[-1:]).argmax() == 1
