"""The live articles, indexed once to be matched with many texts: by meaning and by words, whole and in passages."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import chain

import bm25s
import numpy as np
import pandas as pd
import Stemmer
from scipy import sparse

from lacuna.models.arrays import F32
from lacuna.models.retrieval.article_match import meaning_scores
from lacuna.models.text import markup
from lacuna.models.text.words import STEMMERS

__all__ = ["ArticleIndex", "WordIndex"]

_TOKEN = re.compile(r"(?u)\b\w\w+\b")  # what bm25s.tokenize takes for words

Cut = Callable[[Sequence[str]], list[list[str]]]


class WordIndex:
    """BM25 of queries on texts that were indexed once (Robertson and Zaragoza 2009).

    Parameters
    ----------
    texts
        What is searched.
    cut
        Texts into words.
    index
        The formula and its parameters.
    once
        Whether a word that a query repeats counts once.
    """

    def __init__(self, texts: Sequence[str], cut: Cut, index: bm25s.BM25, *, once: bool) -> None:
        self._cut, self._once, self._count = cut, once, len(texts)
        self._place: dict[str, int] = {}
        self._place_of_token: dict[str, int] = {}
        corpus = cut(texts)
        if any(corpus):
            index.index(corpus, show_progress=False)
            self._place = dict(index.vocab_dict)
            parts = index.scores
            shape = (len(parts["indptr"]) - 1, len(texts))
            self._weights = sparse.csr_array((parts["data"], parts["indices"], parts["indptr"]), shape=shape)

    @classmethod
    def stemmed(cls, texts: Sequence[str], language: str = "en") -> WordIndex:
        """By the stems of a language, without its stop words; a language without a stemmer is cut as English."""
        code = language[:2].lower()
        code = code if code in STEMMERS else "en"
        stemmer = Stemmer.Stemmer(STEMMERS[code])
        return cls(texts, lambda some: _words(some, code, stemmer), bm25s.BM25(k1=1.2, b=0.75), once=False)

    @classmethod
    def plain(cls, texts: Sequence[str]) -> WordIndex:
        """As a search engine has it out of the box: words as they are, each of a query's once."""
        return cls(texts, lambda some: _words(some, [], None), bm25s.BM25(), once=True)

    def scores(self, queries: Sequence[str]) -> F32:
        """BM25 of each query on each text, float32 (queries, texts)."""
        if not self._place or not len(queries):
            return np.zeros((len(queries), self._count), dtype=np.float32)
        own_places = self._places_in(queries)
        ends = np.cumsum([0, *map(len, own_places)])
        places = np.fromiter(chain.from_iterable(own_places), dtype=np.int64, count=int(ends[-1]))
        counts = sparse.csr_array(
            (np.ones(len(places), dtype=np.float32), places, ends), shape=(len(queries), self._weights.shape[0])
        )
        return np.asarray((counts @ self._weights).toarray(), dtype=np.float32)

    def _places_in(self, queries: Sequence[str]) -> list[list[int]]:
        """The places of each query's indexed words, in order; each distinct word is cut, and stemmed, once."""
        split = [_TOKEN.findall(query.lower()) for query in queries]
        new = list(set(chain.from_iterable(split)).difference(self._place_of_token))
        for token, words in zip(new, self._cut(new), strict=True):
            self._place_of_token[token] = self._place.get(words[0], -1) if words else -1
        place_of = self._place_of_token
        places = [[place for token in own if (place := place_of[token]) >= 0] for own in split]
        return [list(dict.fromkeys(own)) for own in places] if self._once else places


def _words(texts: Sequence[str], stopwords: str | list[str], stemmer: Stemmer.Stemmer | None) -> list[list[str]]:
    if not len(texts):
        return []
    cut: list[list[str]] = bm25s.tokenize(
        list(texts), stopwords=stopwords, stemmer=stemmer, show_progress=False, return_ids=False, allow_empty=True
    )
    return cut


class ArticleIndex:
    """The live articles, ready to be matched with blocks of texts.

    Parameters
    ----------
    articles
        article_id, title, body; an article's number is its row.
    passages
        article_id, passage (:func:`models.retrieval.article_match.passages`).
    passage_vectors
        float32 (passages, dim), rows of length 1.
    """

    def __init__(self, articles: pd.DataFrame, passages: pd.DataFrame, passage_vectors: F32) -> None:
        self.articles = len(articles)
        numbers = {article: number for number, article in enumerate(articles["article_id"])}
        self._article_of = passages["article_id"].map(numbers).to_numpy(dtype=np.int64)
        self._passages, self._vectors = list(passages["passage"]), passage_vectors
        self._whole = [f"{a.title}. {a.title}. {markup.plain(str(a.body))}" for a in articles.itertuples()]
        self._order = np.argsort(self._article_of, kind="stable")
        self._there, self._starts = np.unique(self._article_of[self._order], return_index=True)
        self._indexes: dict[tuple[str, str], WordIndex] = {}

    def meaning(self, vectors: F32) -> F32:
        """Mean cosine of each vector to the best passages of each article, float32 (n, articles)."""
        return meaning_scores(vectors, self._vectors, self._article_of, self.articles)

    def words(self, texts: Sequence[str], languages: Sequence[str]) -> F32:
        """BM25 on each article's whole text by the stems of each text's language, float32 (n, articles)."""
        return self._by_language(
            texts, languages, lambda some, code: self._index("whole", code, self._whole).scores(some)
        )

    def passage_words(self, texts: Sequence[str], languages: Sequence[str]) -> F32:
        """BM25 on the best passage of each article by the stems of each text's language, float32 (n, articles)."""

        def best(some: Sequence[str], code: str) -> F32:
            scores = self._index("passages", code, self._passages).scores(some)
            out = np.zeros((len(some), self.articles), dtype=np.float32)
            out[:, self._there] = np.maximum.reduceat(scores[:, self._order], self._starts, axis=1)
            return out

        return self._by_language(texts, languages, best)

    def plain_words(self, texts: Sequence[str]) -> F32:
        """BM25 on each article's whole text by words as they are, float32 (n, articles)."""
        return self._index("plain", "", self._whole).scores(texts)

    def _index(self, of: str, code: str, texts: Sequence[str]) -> WordIndex:
        if (of, code) not in self._indexes:
            self._indexes[of, code] = WordIndex.plain(texts) if of == "plain" else WordIndex.stemmed(texts, code)
        return self._indexes[of, code]

    def _by_language(
        self, texts: Sequence[str], languages: Sequence[str], scores: Callable[[Sequence[str], str], F32]
    ) -> F32:
        out = np.zeros((len(texts), self.articles), dtype=np.float32)
        code_of = np.asarray(languages)
        for code in sorted(set(languages)):
            rows = np.flatnonzero(code_of == code)
            out[rows] = scores([texts[row] for row in rows.tolist()], code)
        return out
