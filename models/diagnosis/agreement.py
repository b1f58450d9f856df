"""Whether an article answers a group of conversations, judged by questions and agents' answers, without a bot's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lacuna.models.arrays import F64, Flags
from lacuna.models.retrieval.candidates import Candidates, Scores

AT_LEAST = 1.0  # the least nearness that counts, in standard deviations above the usual, however few the articles
ENOUGH_ANSWERS = 2  # agents' answers that a group needs for them to be taken into account


@dataclass(frozen=True)
class Agreement:
    """How near a group of conversations comes to the article that is nearest to it.

    Attributes
    ----------
    article
        Number of the article.
    nearness
        Mean standing of the questions and of the agents' answers on it (:class:`Standing`), in standard deviations.
    runner_up
        The same of the next article: how near the group would come if the nearest were not there.
    lead
        By how much the nearest leads the next, in standard errors of the difference; infinite with no other article.
    answers
        Agents' answers behind it.
    """

    article: int
    nearness: float
    runner_up: float
    lead: float
    answers: int


@dataclass(frozen=True)
class Standing:
    """How near all texts come to each article, against which a text is measured.

    Attributes
    ----------
    mean
        float (articles,), the mean score of each article.
    spread
        The standard deviation of all scores about these means.
    """

    mean: F64
    spread: float

    @classmethod
    def of(cls, blocks: Iterable[Candidates], way: str, articles: int) -> Standing:
        """From the candidates of all texts, a block after the other; missing texts are left out."""
        total, square, n = np.zeros(articles), 0.0, 0
        for block in blocks:
            some = block.take(block.has_text(way))
            total = total + some.scores(way).total()
            square += float((some.spread[way].astype(float) ** 2 + some.mean[way].astype(float) ** 2).sum() * articles)
            n += len(some)
        mean = total / max(1, n)
        variance = (square - n * float(mean @ mean)) / max(1, n * articles)
        return cls(mean, float(np.sqrt(max(0.0, variance))))

    def measure(self, scores: Scores) -> Scores:
        """How near each text is to each article against the article's mean over all texts, in standard deviations."""
        about_mean = scores.less(self.mean)
        return about_mean.times(1 / self.spread) if self.spread > 1e-9 else about_mean


def agreement(questions: Scores, answers: Scores, has_answer: Flags) -> Agreement | None:
    """The article that a group of conversations is nearest to, by questions and answers together.

    Parameters
    ----------
    questions, answers
        From :meth:`Standing.measure`, of the group's conversations.
    has_answer
        bool, whether an agent said something in each of these.

    Returns
    -------
    Agreement or None
        None without conversations or articles. With fewer than :data:`ENOUGH_ANSWERS` answers, the questions decide.

    Examples
    --------
    >>> scores = Candidates.whole({"score": np.array([[3, 0], [2, 0], [0, 3], [0, 2]], dtype=np.float32)})
    >>> asked = Standing.of([scores], "score", 2).measure(scores.scores("score"))
    >>> nearest = agreement(asked.take(slice(2)), asked.take(slice(2)), np.array([False, False]))
    >>> nearest.article, nearest.answers
    (0, 0)
    """
    if not len(questions) or not questions.articles:
        return None
    asked, with_answers = questions.mean(), int(has_answer.sum())
    enough = with_answers >= ENOUGH_ANSWERS
    there = np.flatnonzero(has_answer) if enough else np.arange(len(questions))
    own, answered = questions.take(there), answers.take(there)
    mean = (asked + answered.mean()) / 2 if enough else asked
    order = np.argsort(-mean, kind="stable")
    best = int(order[0])
    if len(order) == 1:
        return Agreement(best, float(mean[best]), 0.0, float("inf"), with_answers)
    apart = own.at(best) - own.at(int(order[1]))
    if enough:
        apart = (apart + answered.at(best) - answered.at(int(order[1]))) / 2
    error = max(float(apart.std(ddof=1)) / np.sqrt(len(apart)), 1e-6) if len(apart) > 1 else float("inf")
    return Agreement(best, float(mean[best]), float(mean[order[1]]), float(apart.mean()) / error, with_answers)


def near_enough(groups: Sequence[Agreement], articles: int) -> float:
    """The least nearness at which an article answers a group, rather than merely being the nearest article.

    How near a group is to an article that does not answer it is estimated from the groups' second-best articles, since
    the second-best would be the nearest if the best were missing. An article must lie a standard deviation above the
    mean of these, and above the expected maximum of that many normal scores, √(2 ln articles) (Fisher and Tippett
    1928).
    """
    by_luck = max(AT_LEAST, float(np.sqrt(2 * np.log(max(articles, 1)))))
    without = [group.runner_up for group in groups if np.isfinite(group.lead)]
    return max(by_luck, float(np.mean(without) + np.std(without))) if without else by_luck
