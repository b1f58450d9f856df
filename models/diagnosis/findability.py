"""Whether the bot fails to retrieve an article: how often it cites it, against how often its text should lead to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from lacuna.models.arrays import F32, F64, Flags, Ints
from lacuna.models.diagnosis.change_point import HEALTHY
from lacuna.models.retrieval.article_match import standardise

STILL_TRIED = 0.15  # an article that is passed over is tried this often all the same, as a share of what is expected
RIDGE = 3.0
ENOUGH_TO_CALIBRATE = 20
BLOCK = 4096


@dataclass(frozen=True)
class Findability:
    """The article that agents' answers in a group of conversations are nearest to, and how the bot cites it.

    Attributes
    ----------
    article
        Number of the article that agents' answers come nearest to, against what agents usually answer.
    nearness
        Mean standard score of their answers on it, against what they usually answer.
    lead
        By how much it leads the next one, in standard errors of the difference; infinite with no other article.
    answers
        Agents' answers behind that.
    tried, expected
        Failed conversations in which the bot answered from it; how many its text would lead one to expect.
    worked
        Conversations of the group in which the bot's answer from it worked.
    evidence
        Log-likelihood ratio of "the article answers and is not retrieved" to "it is retrieved and does not answer".
    """

    article: int
    nearness: float
    lead: float
    answers: int
    tried: int
    expected: float
    worked: int
    evidence: float


def bot_choice(scores: Sequence[F32], cited: Ints, failed: F64) -> F32:
    """The chance that the bot cites each article when its answer fails: float32 (n, articles).

    A conditional logit (McFadden 1974) of the bot's failed citations on how question and article match, each way of
    matching as a standard score and as a rank. It models what the bot tends to retrieve, right or wrong.

    Parameters
    ----------
    scores
        Ways of matching, float32 (n, articles) each.
    cited
        int (n,), number of the article cited first, -1 for none.
    failed
        float (n,), the chance that the answer failed.
    """
    n, articles = scores[0].shape
    if not articles:
        return np.zeros((n, 0), dtype=np.float32)
    return chances(scores, cited, [went_wrong(cited, failed)])[0]


def went_wrong(cited: Ints, failed: F64) -> Ints:
    """The rows with a citation whose answer failed: they show what the bot tends to retrieve wrongly."""
    return np.flatnonzero((cited >= 0) & (failed > 0.5))


def chances(scores: Sequence[F32], cited: Ints, shown: Sequence[Ints]) -> list[F32]:
    """The chance of each article to be cited: float32 (n, articles) for each set of training rows in ``shown``.

    A conditional logit (McFadden 1974) of those rows' citations on how question and article match. It is computed
    for :data:`BLOCK` rows at a time, because the features are many times as large as the result.
    """
    weights = [_conditional_logit(_matching(scores, rows).astype(float), cited[rows]) for rows in shown]
    n, articles = scores[0].shape
    out = [np.empty((n, articles), dtype=np.float32) for _ in shown]
    for start in range(0, n, BLOCK):
        block = slice(start, start + BLOCK)
        features = _matching(scores, block)
        for chance, weight in zip(out, weights, strict=True):
            utility = features @ weight
            chance[block] = np.exp(utility - logsumexp(utility, axis=1, keepdims=True))
    return out


def _matching(scores: Sequence[F32], rows: Ints | slice) -> F32:
    """Each way of matching as a standard score and as a rank: float32 (rows, articles, 2 × ways)."""
    some = [score[rows] for score in scores]
    both = [f for score in some for f in (standardise(score), -np.log1p(_ranks(score)))]
    return np.stack(both, axis=-1).astype(np.float32)


def _ranks(score: F32) -> Ints:
    return (-score).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")


def _conditional_logit(features: F64, chosen: Ints) -> F64:
    own = np.arange(len(features))

    def loss(weights: F64) -> tuple[float, F64]:
        utility = features @ weights
        total = logsumexp(utility, axis=1)
        expected = np.einsum("na,nak->k", np.exp(utility - total[:, None]), features)
        value = -(utility[own, chosen] - total).sum() + RIDGE / 2 * weights @ weights
        return float(value), expected - features[own, chosen].sum(axis=0) + RIDGE * weights

    return np.asarray(minimize(loss, np.zeros(features.shape[-1]), jac=True, method="L-BFGS-B").x)


def usual_answers_out(agents: F32) -> F32:
    """``agents`` less the mean of its rows with an answer; rows without an answer stay zero."""
    has = has_answer(agents)
    out = np.zeros_like(agents)
    if has.any():
        out[has] = agents[has] - agents[has].mean(axis=0)
    return out


def has_answer(answers: F32) -> Flags:
    """Whether an agent said something in each conversation: bool (n,)."""
    return np.asarray(np.abs(answers).sum(axis=1) > 0)


def near_enough(answers: F32, cited: Ints, weight: F64) -> float:
    """The nearness from which on agents' answers count as coming from an article.

    Halfway between the mean nearness of answers where the cited article is the right one, and where it is not.

    Parameters
    ----------
    answers
        From :func:`usual_answers_out`.
    cited
        int (n,), number of the article cited first, -1 for none.
    weight
        float (n,), the chance that a question is about the cited article
        (:func:`models.diagnosis.citations.citation_weights`).
    """
    rows = np.flatnonzero((cited >= 0) & has_answer(answers))
    if len(rows) < ENOUGH_TO_CALIBRATE:
        return 1.0
    near, on_topic = answers[rows, cited[rows]], weight[rows]
    both = np.average(near, weights=on_topic), np.average(near, weights=1 - on_topic)
    return float(np.mean(both))


def measure(
    answers: F32, choice: F32, cited: Ints, failed_rows: Ints, answered_rows: Ints, off_topic_failure: float
) -> Findability | None:
    """Measure how the bot cites the article that agents' answers in a group of conversations are nearest to.

    The evidence is the log-likelihood ratio of two hypotheses. In the first, the article answers and the bot does not
    retrieve it: it is cited far less often than its text predicts, and works where it is cited. In the second, no
    article answers: the nearest is cited as often as its text predicts, and works only by chance.

    Parameters
    ----------
    answers
        From :func:`usual_answers_out`, float32 (n, articles).
    choice
        From :func:`bot_choice`.
    cited
        int (n,), number of the article cited first, -1 for none.
    failed_rows, answered_rows
        The group's failed conversations, and those whose answer worked.
    off_topic_failure
        Failing share of answers from an article that is not the one asked for.

    Returns
    -------
    Findability or None
        None with fewer than two agents' answers.
    """
    with_answers = failed_rows[has_answer(answers[failed_rows])]
    if len(with_answers) < 2 or not answers.shape[1]:
        return None
    mean = answers[with_answers].mean(axis=0)
    order = np.argsort(-mean, kind="stable")
    article = int(order[0])
    lead = float("inf")
    if len(order) > 1:
        difference = answers[with_answers, article] - answers[with_answers, order[1]]
        lead = float(difference.mean() / max(difference.std(ddof=1) / np.sqrt(len(with_answers)), 1e-6))
    tried = int((cited[failed_rows] == article).sum())
    worked = int((cited[answered_rows] == article).sum())
    expected = float(choice[failed_rows[cited[failed_rows] >= 0], article].sum())
    luck = np.clip(1 - off_topic_failure, 0.02, 0.9)
    evidence = tried * np.log(STILL_TRIED) + expected * (1 - STILL_TRIED) + worked * np.log((1 - HEALTHY) / luck)
    return Findability(article, float(mean[article]), lead, len(with_answers), tried, expected, worked, float(evidence))
