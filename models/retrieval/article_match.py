"""Question to article, by meaning and by words together, on passages and whole articles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import bm25s
import numpy as np
import pandas as pd
import Stemmer

from lacuna.models.arrays import F32, Ints
from lacuna.models.text.markup import LOOSE_HEADING, plain
from lacuna.models.text.vectors import unit
from lacuna.models.text.words import STEMMERS

PASSAGE_WORDS = 110
QUERIES_AT_ONCE = 2000
FEW_ARTICLES = 20  # with fewer, a text's own mean and spread over articles say little
BEST_PASSAGES = 3  # an article that answers says so in more than one place; one lucky sentence is not an answer


def passages(articles: pd.DataFrame) -> pd.DataFrame:
    """Cut articles into passages of about 110 words that keep their heading.

    Parameters
    ----------
    articles : DataFrame
        article_id, title, body (Markdown, HTML or plain text).

    Returns
    -------
    DataFrame
        article_id, passage (str); the first passage of an article is its title.
    """
    rows = []
    for article in articles.sort_values("article_id").itertuples():
        rows.append((article.article_id, str(article.title)))
        for heading, words in _chunks(plain(str(article.body))):
            rows.append((article.article_id, f"{article.title}. {heading + '. ' if heading else ''}{' '.join(words)}"))
    return pd.DataFrame(rows, columns=["article_id", "passage"]).astype("str")


def _chunks(body: str) -> list[tuple[str, list[str]]]:
    chunks: list[tuple[str, list[str]]] = []
    heading, words = "", list[str]()
    for line in filter(None, (part.strip() for part in body.splitlines())):
        if found := LOOSE_HEADING.match(line):
            if words:
                chunks.append((heading, words))
            heading, words = found[1], []
            continue
        words = words + line.split()
        while len(words) >= PASSAGE_WORDS:
            chunks.append((heading, words[:PASSAGE_WORDS]))
            words = words[PASSAGE_WORDS:]
    return [*chunks, (heading, words)] if words else chunks


def meaning_scores(queries: F32, passage_vectors: F32, passage_article: Ints, n: int) -> F32:
    """Mean cosine of each query to the best passages of each article, float32 (queries, n)."""
    similarity = queries @ passage_vectors.T
    out = np.zeros((len(queries), n), dtype=np.float32)
    for article in range(n):
        own = similarity[:, passage_article == article]
        if own.shape[1]:
            keep = min(BEST_PASSAGES, own.shape[1])
            out[:, article] = np.partition(own, -keep, axis=1)[:, -keep:].mean(axis=1)
    return out


def word_scores(queries: Sequence[str], articles: Sequence[str], language: str = "en") -> F32:
    """BM25 of each query on each article's whole text, float32 (queries, articles)."""
    return _word_index(articles, language)(queries)


def plain_word_scores(queries: Sequence[str], articles: Sequence[str]) -> F32:
    """BM25 as a search engine has it out of the box: words as they are, each of a query's once; (queries, articles)."""

    def cut(texts: Sequence[str]) -> list[list[str]]:
        if not len(texts):
            return []
        return bm25s.tokenize(list(texts), stopwords=[], show_progress=False, return_ids=False, allow_empty=True)

    return _indexed(articles, cut, bm25s.BM25(), once=True)(queries)


def _word_index(articles: Sequence[str], language: str) -> Callable[[Sequence[str]], F32]:
    """What scores queries on ``articles``, which are indexed once, by the stems of a language."""
    code = language[:2].lower()
    code = code if code in STEMMERS else "en"
    stemmer = Stemmer.Stemmer(STEMMERS[code])

    def cut(texts: Sequence[str]) -> list[list[str]]:
        if not len(texts):
            return []
        return bm25s.tokenize(
            list(texts), stopwords=code, stemmer=stemmer, show_progress=False, return_ids=False, allow_empty=True
        )

    return _indexed(articles, cut, bm25s.BM25(k1=1.2, b=0.75), once=False)


def _indexed(
    articles: Sequence[str], cut: Callable[[Sequence[str]], list[list[str]]], index: bm25s.BM25, *, once: bool
) -> Callable[[Sequence[str]], F32]:
    """What scores queries on ``articles``, both cut into words; ``once``: a word that a query repeats counts once."""
    corpus = cut(articles)
    if any(corpus):
        index.index(corpus, show_progress=False)
    known = index.vocab_dict if any(corpus) else {}

    def scores(queries: Sequence[str]) -> F32:
        out = np.zeros((len(queries), len(articles)), dtype=np.float32)
        for row, words in enumerate(cut(queries) if known else []):
            words = [word for word in (dict.fromkeys(words) if once else words) if word in known]
            if words:
                out[row] = index.get_scores(words)
        return out

    return scores


def passage_word_scores(
    queries: Sequence[str], passages: Sequence[str], passage_article: Ints, n: int, language: str = "en"
) -> F32:
    """BM25 of each query on the best passage of each article, float32 (queries, n)."""
    out = np.zeros((len(queries), n), dtype=np.float32)
    order = np.argsort(passage_article, kind="stable")
    there, starts = np.unique(passage_article[order], return_index=True)
    scores_of = _word_index(passages, language)
    for first in range(0, len(queries), QUERIES_AT_ONCE):
        some = queries[first : first + QUERIES_AT_ONCE]
        out[first : first + len(some), there] = np.maximum.reduceat(scores_of(some)[:, order], starts, axis=1)
    return out


def standardise(scores: F32) -> F32:
    """Each row to mean 0 and standard deviation 1: how an article stands out among all for one query."""
    if not scores.shape[1]:
        return scores
    spread = scores.std(axis=1, keepdims=True)
    return ((scores - scores.mean(axis=1, keepdims=True)) / np.where(spread > 1e-9, spread, 1)).astype(np.float32)


def standard_scores(scores: F32, drawn: int = 0) -> F32:
    """How an article stands out among all for each text, float32 (texts, articles), however few the articles are.

    As :func:`standardise`, but for a text's mean and spread being drawn towards those of all texts: of two articles,
    one would always stand out, whatever the text is about. And of a text that is near to nothing, such as "it does not
    work", no article stands out as far as it would by the text's own small spread.

    Parameters
    ----------
    scores
        float32 (texts, articles).
    drawn
        How many articles' weight all texts together have; at least what is lacking to :data:`FEW_ARTICLES`.

    Examples
    --------
    >>> invoice_or_plan = np.array([[0.9, 0.1], [0.0, 0.1], [0.1, 0.0]], dtype=np.float32)
    >>> int(standard_scores(invoice_or_plan).argmax())
    0
    """
    n = scores.shape[1]
    drawn = max(drawn, FEW_ARTICLES - n)
    if drawn <= 0 or not scores.size:
        return standardise(scores)
    mean, square = (np.asarray(f(axis=1, keepdims=True, dtype=np.float64)) for f in (scores.mean, scores.var))
    centre = (n * mean + drawn * mean.mean()) / (n + drawn)
    spread = np.sqrt((n * square + drawn * (square.mean() + mean.var())) / (n + drawn))
    return ((scores - centre) / np.where(spread > 1e-9, spread, 1)).astype(np.float32)


def profile(match: F32) -> F32:
    """A question described by the articles that come near it: squared positive part of ``match``, rows of length 1."""
    return unit(np.maximum(standardise(match), 0) ** 2)
