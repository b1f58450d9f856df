"""Whether the bot fails to retrieve an article: how often it cites it, against how often its text should lead to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp
from threadpoolctl import threadpool_limits

from lacuna.models.arrays import F32, F64, Flags, Ints
from lacuna.models.diagnosis.change_point import HEALTHY
from lacuna.models.retrieval.candidates import Candidates, Scores, rows_of

STILL_TRIED = 0.15  # an article that is passed over is tried this often all the same, as a share of what is expected
RIDGE = 3.0
ENOUGH_TO_CALIBRATE = 20
MOST_SHOWN = 20_000  # citations that a choice is learnt from; more take time and improve little

Blocks = Callable[[], Iterable[Candidates]]  # gives the candidates of all questions, a block after the other


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


def went_wrong(cited: Ints, failed: F64) -> Ints:
    """The rows with a citation whose answer failed: they show what the bot tends to retrieve wrongly."""
    return np.flatnonzero((cited >= 0) & (failed > 0.5))


@dataclass(frozen=True)
class CitationChoice:
    """What leads to an article being cited: a conditional logit (McFadden 1974) of how question and article match.

    Each way of matching counts as a standard score and as a rank. Articles that are no candidates of a question share
    the mean score and the mean rank of all of them.

    Attributes
    ----------
    ways
        The ways of matching.
    weights
        float (2 × ways,).
    """

    ways: tuple[str, ...]
    weights: F64

    @classmethod
    @threadpool_limits.wrap(limits=1, user_api="blas")  # many small products: more threads would wait for each other
    def learn(cls, blocks: Blocks, ways: Sequence[str], cited: Ints, rows: Ints) -> CitationChoice:
        """Learn from citations.

        Parameters
        ----------
        blocks
            Gives the candidates of all questions, a block after the other.
        cited
            int (n,), number of the article cited first, -1 for none.
        rows
            The row numbers of the citations to learn from, ascending; of more than :data:`MOST_SHOWN`, every k-th.
        """
        shown = rows
        if len(rows) > MOST_SHOWN:
            shown = rows[np.linspace(0, len(rows) - 1, MOST_SHOWN).round().astype(int)]
        candidates = Candidates.joined(rows_of(blocks(), shown))
        features = _features(candidates, ways).astype(float)
        chosen = np.flatnonzero(candidates.number == cited[shown][:, None]) % max(1, candidates.number.shape[1])
        return cls(tuple(ways), _conditional_logit(features, chosen, _multiplicity(candidates)))

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def chances(self, candidates: Candidates) -> Scores:
        """The chance of each article to be cited in each conversation."""
        utility = _features(candidates, self.ways) @ self.weights
        total = logsumexp(utility + _multiplicity(candidates), axis=1, keepdims=True)
        chance = np.exp(utility - total).astype(np.float32)
        k = candidates.number.shape[1]
        rest = chance[:, k] if chance.shape[1] > k else np.zeros(len(chance), dtype=np.float32)
        offset = np.zeros(candidates.articles, dtype=np.float32)
        return Scores(candidates.articles, candidates.number, chance[:, :k], rest, offset)


def _features(candidates: Candidates, ways: Sequence[str]) -> F32:
    """Each way of matching as a standard score and as a rank: float32 (n, k, 2 × ways).

    Where there are other articles than candidates, a last place of the k stands for each of them.
    """
    columns = []
    for way in ways:
        standard = candidates.standard(way)
        others = [standard.rest[:, None]] if standard.others else []
        columns += [np.hstack([standard.value, *others]), -np.log1p(candidates.ranks(way))]
    return np.stack(columns, axis=-1).astype(np.float32)


def _multiplicity(candidates: Candidates) -> F64:
    """The logarithm of how many articles each place of :func:`_features` stands for."""
    k = candidates.number.shape[1]
    others = candidates.articles - k
    return np.log(np.array([1.0] * k + ([float(others)] if others else [])))


def _conditional_logit(features: F64, chosen: Ints, multiplicity: F64) -> F64:
    own = np.arange(len(features))

    def loss(weights: F64) -> tuple[float, F64]:
        utility = features @ weights
        weighty = utility + multiplicity
        total = logsumexp(weighty, axis=1)
        expected = np.einsum("na,nak->k", np.exp(weighty - total[:, None]), features)
        value = -(utility[own, chosen] - total).sum() + RIDGE / 2 * weights @ weights
        return float(value), expected - features[own, chosen].sum(axis=0) + RIDGE * weights

    return np.asarray(minimize(loss, np.zeros(features.shape[-1]), jac=True, method="L-BFGS-B").x)


def near_enough(nearness: F32, on_topic: F64) -> float:
    """The nearness from which on agents' answers count as coming from an article.

    Halfway between the mean nearness of answers where the cited article is the right one, and where it is not.

    Parameters
    ----------
    nearness
        float32 (n,), of agents' answers to the article that the bot had cited, against what they usually answer.
    on_topic
        float (n,), the chance that the question is about that article
        (:func:`models.diagnosis.citations.citation_weights`).
    """
    if len(nearness) < ENOUGH_TO_CALIBRATE:
        return 1.0
    both = np.average(nearness, weights=on_topic), np.average(nearness, weights=1 - on_topic)
    return float(np.mean(both))


def measure(
    answers: Scores, has_answer: Flags, choice: Scores, cited: Ints, cited_where_it_worked: Ints, off_topic: float
) -> Findability | None:
    """Measure how the bot cites the article that agents' answers in a group of conversations are nearest to.

    The evidence is the log-likelihood ratio of two hypotheses. In the first, the article answers and the bot does not
    retrieve it: it is cited far less often than its text predicts, and works where it is cited. In the second, no
    article answers: the nearest is cited as often as its text predicts, and works only by chance.

    Parameters
    ----------
    answers
        How near agents' answers in the group's failed conversations come to each article, less what is usual.
    has_answer
        bool, whether an agent said something in each of these.
    choice
        From :meth:`CitationChoice.chances`, for the same conversations.
    cited, cited_where_it_worked
        Numbers of the articles cited first in these, and in the group's conversations whose answer worked; -1 for none.
    off_topic
        Failing share of answers from an article that is not the one asked for.

    Returns
    -------
    Findability or None
        None with fewer than two agents' answers.
    """
    with_answers = answers.take(has_answer)
    if len(with_answers) < 2 or not answers.articles:
        return None
    mean = with_answers.mean()
    order = np.argsort(-mean, kind="stable")
    article = int(order[0])
    lead = float("inf")
    if len(order) > 1:
        difference = with_answers.at(article) - with_answers.at(int(order[1]))
        lead = float(difference.mean() / max(difference.std(ddof=1) / np.sqrt(len(with_answers)), 1e-6))
    tried, worked = int((cited == article).sum()), int((cited_where_it_worked == article).sum())
    expected = float(choice.take(cited >= 0).at(article).sum())
    luck = np.clip(1 - off_topic, 0.02, 0.9)
    evidence = tried * np.log(STILL_TRIED) + expected * (1 - STILL_TRIED) + worked * np.log((1 - HEALTHY) / luck)
    return Findability(article, float(mean[article]), lead, len(with_answers), tried, expected, worked, float(evidence))
