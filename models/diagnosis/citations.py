"""Evidence on articles from citations and texts: which citations are on topic, what changed, what contradicts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from lacuna.models.accuracy.priors import guess_on_topic
from lacuna.models.arrays import F32, F64, Ints
from lacuna.models.diagnosis.change_point import Change, worsening
from lacuna.models.diagnosis.evidence import Conflict
from lacuna.models.retrieval.candidates import Candidates
from lacuna.models.text.amounts import measured_amounts
from lacuna.models.text.markup import plain
from lacuna.models.text.words import PLAIN_WORD, SENTENCE_END

NEIGHBOURS = 3
EXAMPLES = 24  # questions that an article answered well, to which others are compared


def examples_of(cited: Ints, success: F64, keys: Sequence[str]) -> Ints:
    """Row numbers of questions that each article answered well, at most :data:`EXAMPLES` an article, by article.

    They are chosen by their content keys: the choice does not depend on the order of rows.
    """
    well = np.flatnonzero((cited >= 0) & (success > 0.5))
    order = well[np.lexsort((np.asarray(keys, dtype=object)[well].astype(str), cited[well]))]
    article = cited[order]
    place = np.arange(len(order)) - np.searchsorted(article, article)
    return order[place < EXAMPLES]


def answered_before(vectors: F32, rows: Ints, examples: F32, example_rows: Ints, of: Ints, articles: int) -> F32:
    """How near each question is to other questions that each article answered well; float32 (n, articles).

    The questions that an article has answered describe it as much as its text does.

    Parameters
    ----------
    vectors, rows
        A block of questions, float32 (n, dim), and their row numbers.
    examples, example_rows, of
        Questions that were answered well, by article (:func:`examples_of`): vectors, row numbers, numbers of articles.
    """
    near = vectors @ examples.T
    near[rows[:, None] == example_rows[None, :]] = 0.0  # a question is no example for itself
    ends = np.searchsorted(of, np.arange(articles + 1))
    out = np.zeros((len(vectors), articles), dtype=np.float32)
    for article in np.unique(of).tolist():
        own = near[:, ends[article] : ends[article + 1]]
        keep = min(NEIGHBOURS, own.shape[1])
        out[:, article] = np.partition(own, -keep, axis=1)[:, -keep:].sum(axis=1) / NEIGHBOURS
    return out


def citation_features(candidates: Candidates, ways: Sequence[str], cited: Ints) -> pd.DataFrame:
    """How the cited article matches each question: by itself, against the best other article, and as it was scored.

    Parameters
    ----------
    candidates
        Of questions with a citation.
    ways
        Ways of matching.
    cited
        int (n,), numbers of the articles cited first.
    """
    columns: dict[str, F32] = {}
    for way in ways:
        standard = candidates.standard(way)
        own = standard.at(cited)
        lead = own - standard.best_other(cited)
        columns |= {way: own, f"{way}_lead": lead, f"{way}_raw": candidates.scores(way).at(cited)}
    return pd.DataFrame(columns)


def citation_weights(cited: Ints, success: F64, features: pd.DataFrame, ids: pd.Series) -> tuple[F64, float]:
    """How likely each conversation is about the article that the bot cited in it (n,); 0 where it cited none.

    Parameters
    ----------
    cited : int (n,), number of the article cited first, -1 for none
    success : float (n,)
    features : a row for each conversation with a citation (:func:`citation_features`)
    ids : str (n,), the conversations; by them, the result does not depend on the order of rows

    Returns
    -------
    weight, off_topic_failure : see :func:`models.accuracy.priors.guess_on_topic`
    """
    rows = np.flatnonzero(cited >= 0)
    weight = np.zeros(len(cited))
    if not len(rows):
        return weight, 0.7
    order = np.argsort(ids.to_numpy(dtype=object)[rows].astype(str), kind="stable")
    weight[rows[order]], off_topic = guess_on_topic(features.iloc[order], success[rows[order]])
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
    by_time = np.argsort(when.to_numpy(dtype="datetime64[ns]"), kind="stable")
    by_time = by_time[cited[by_time] >= 0]
    grouped = by_time[np.argsort(cited[by_time], kind="stable")]
    starts = np.flatnonzero(np.diff(cited[grouped], prepend=-1))
    for rows in np.split(grouped, starts[1:]) if len(grouped) else []:
        article = int(cited[rows[0]])
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
