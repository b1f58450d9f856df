"""Evidence on articles from citations and texts: which citations are on topic, what changed, what contradicts."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from lacuna.models.accuracy.priors import guess_on_topic
from lacuna.models.arrays import F32, F64, Ints
from lacuna.models.diagnosis.change_point import Change, worsening
from lacuna.models.diagnosis.evidence import Conflict
from lacuna.models.retrieval.article_match import standardise
from lacuna.models.text.amounts import measured_amounts
from lacuna.models.text.markup import plain
from lacuna.models.text.words import PLAIN_WORD, SENTENCE_END

NEIGHBOURS = 3


def answered_before(vectors: F32, cited: Ints, success: F64, articles: int) -> F32:
    """How near each question is to other questions that each article answered well; float32 (n, articles).

    The questions that an article has answered describe it as much as its text does.
    """
    near = vectors @ vectors.T
    np.fill_diagonal(near, 0.0)
    out = np.zeros((len(vectors), articles), dtype=np.float32)
    for article in range(articles):
        well = np.flatnonzero((cited == article) & (success > 0.5))
        if len(well):
            keep = min(NEIGHBOURS, len(well))
            out[:, article] = np.partition(near[:, well], -keep, axis=1)[:, -keep:].sum(axis=1) / NEIGHBOURS
    return out


def citation_weights(cited: Ints, success: F64, scores: dict[str, F32]) -> tuple[F64, float]:
    """How likely each conversation is about the article that the bot cited in it (n,); 0 where it cited none.

    Parameters
    ----------
    cited : int (n,), number of the article cited first, -1 for none
    success : float (n,)
    scores : name → float32 (n, articles), each one way of matching questions to articles

    Returns
    -------
    weight, off_topic_failure : see :func:`models.accuracy.priors.guess_on_topic`
    """
    rows = np.flatnonzero(cited >= 0)
    weight = np.zeros(len(cited))
    if not len(rows):
        return weight, 0.7
    columns: dict[str, F32] = {}
    for name, score in scores.items():
        standard = standardise(score)
        own = standard[rows, cited[rows]]
        others = standard[rows].copy()
        others[np.arange(len(rows)), cited[rows]] = -9
        columns |= {name: own, f"{name}_lead": own - others.max(axis=1), f"{name}_raw": score[rows, cited[rows]]}
    weight[rows], off_topic = guess_on_topic(pd.DataFrame(columns), success[rows])
    return weight, off_topic


def changes(
    when: pd.Series,
    cited: Ints,
    failed: F64,
    weight: F64,
    off_topic: float,
) -> dict[int, tuple[Change, Ints]]:
    """The change for the worse of each cited article that has one, and the rows of its conversations by time."""
    by_article = {}
    for article in sorted(set(cited[cited >= 0].tolist())):
        rows = np.flatnonzero(cited == article)
        rows = rows[np.argsort(when.to_numpy()[rows], kind="stable")]
        change = worsening(failed[rows], weight[rows], off_topic)
        if change:
            by_article[article] = (change, rows)
    return by_article


def conflict(articles: pd.DataFrame, words: set[str]) -> Conflict | None:
    """The pair of sentences from two articles that give different amounts of the same thing, if there is one.

    Only sentences that share a unit and at least three significant words are compared; the pair is taken that shares
    most words with each other and with the customers' ``words``.

    Parameters
    ----------
    articles : DataFrame
        article_id, body.
    words
        Words that the subtopic's customers use.
    """
    statements = {
        str(article.article_id): [s for s in map(_statement, SENTENCE_END.split(plain(str(article.body)))) if s]
        for article in articles.sort_values("article_id").itertuples()
    }
    best: tuple[float, Conflict] | None = None
    for one, other in combinations(statements, 2):
        for text, amounts, bag in statements[one]:
            for other_text, other_amounts, other_bag in statements[other]:
                differ = any(unit in other_amounts and other_amounts[unit] != amounts[unit] for unit in amounts)
                shared = bag & other_bag
                if not differ or len(shared) < 3:
                    continue
                score = len(shared) / len(bag | other_bag) + 0.1 * len(shared & words)
                if best is None or score > best[0]:
                    best = (score, Conflict(one, other, text, other_text))
    return best[1] if best and best[0] >= 0.3 else None


def _statement(sentence: str) -> tuple[str, dict[str, str], set[str]] | None:
    text = sentence.strip(" *-#>|")
    amounts = measured_amounts(text)
    if not amounts or len(text) > 400:
        return None
    return text, amounts, {word.lower() for word in PLAIN_WORD.findall(text)}
