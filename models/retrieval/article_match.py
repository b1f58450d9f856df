"""How well articles match a question: passages, the meaning of the best ones, and standard scores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32, Ints
from lacuna.models.text.markup import LOOSE_HEADING, plain
from lacuna.models.text.vectors import unit

PASSAGE_WORDS = 110
FEW_ARTICLES = 20  # with fewer, a text's own mean and spread over articles say little
WORDS_COUNT = 0.6  # of a standard score by words, beside one by meaning
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
    order = np.argsort(passage_article, kind="stable")
    similarity = queries @ passage_vectors[order].T
    ends = np.searchsorted(passage_article[order], np.arange(n + 1))
    out = np.zeros((len(queries), n), dtype=np.float32)
    for article in range(n):
        own = similarity[:, ends[article] : ends[article + 1]]
        if own.shape[1]:
            keep = min(BEST_PASSAGES, own.shape[1])
            out[:, article] = np.partition(own, -keep, axis=1)[:, -keep:].mean(axis=1)
    return out


def standardise(scores: F32) -> F32:
    """Each row to mean 0 and standard deviation 1: how an article stands out among all for one query."""
    if not scores.shape[1]:
        return scores
    spread = scores.std(axis=1, keepdims=True)
    return ((scores - scores.mean(axis=1, keepdims=True)) / np.where(spread > 1e-9, spread, 1)).astype(np.float32)


@dataclass(frozen=True)
class Usual:
    """What scores usually are: the mean over texts of their mean and variance over articles, and the means' variance.

    It is taken from many texts at once, and used for the texts of one block.
    """

    mean: float
    within: float
    between: float

    @classmethod
    def of(cls, scores: Iterable[F32]) -> Usual:
        """From blocks of scores, float32 (texts, articles) each."""
        both = [
            [np.asarray(f(axis=1, dtype=np.float64)) for f in (block.mean, block.var)] for block in scores if block.size
        ]
        if not both:
            return cls(0.0, 0.0, 0.0)
        mean, square = (np.concatenate(parts) for parts in zip(*both, strict=True))
        return cls(float(mean.mean()), float(square.mean()), float(mean.var()))


def weight_of_usual(articles: int, drawn: int = 0) -> int:
    """How many articles' weight all texts together have in :func:`standard_scores`; 0 where each stands by itself."""
    return max(drawn, FEW_ARTICLES - articles, 0)


def standard_scores(scores: F32, drawn: int = 0, usual: Usual | None = None) -> F32:
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
    usual
        What is usual among all texts, where ``scores`` are some of them.

    Examples
    --------
    >>> invoice_or_plan = np.array([[0.9, 0.1], [0.0, 0.1], [0.1, 0.0]], dtype=np.float32)
    >>> int(standard_scores(invoice_or_plan).argmax())
    0
    """
    n = scores.shape[1]
    drawn = weight_of_usual(n, drawn)
    if not drawn or not scores.size:
        return standardise(scores)
    usual = usual or Usual.of([scores])
    mean, square = (np.asarray(f(axis=1, keepdims=True, dtype=np.float64)) for f in (scores.mean, scores.var))
    centre = (n * mean + drawn * usual.mean) / (n + drawn)
    spread = np.sqrt((n * square + drawn * (usual.within + usual.between)) / (n + drawn))
    return ((scores - centre) / np.where(spread > 1e-9, spread, 1)).astype(np.float32)


def match_score(meaning: F32, words: F32) -> F32:
    """How well articles match, from the standard scores by meaning and by words, float32 (texts, articles)."""
    return (meaning + WORDS_COUNT * words).astype(np.float32)


def profile(match: F32) -> F32:
    """A question described by the articles that come near it: squared positive part of ``match``, rows of length 1."""
    return unit(np.maximum(standardise(match), 0) ** 2)
