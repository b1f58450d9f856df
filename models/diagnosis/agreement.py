"""Whether an article answers a group of conversations, by what customers ask and agents answer: no bot is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lacuna.models.arrays import F32, Ints
from lacuna.models.diagnosis.findability import has_answer, usual_answers_out

AT_LEAST = 1.0  # standard deviations above the usual below which nothing is near, however few the articles are
ENOUGH_ANSWERS = 2  # agents' answers from which on they tell something of a group


@dataclass(frozen=True)
class Agreement:
    """How near a group of conversations comes to the article that is nearest to it.

    Attributes
    ----------
    article
        Number of the article.
    nearness
        Mean standing of the questions and of the agents' answers on it (:func:`standing`), in standard deviations.
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


def standing(scores: F32) -> F32:
    """How near each text comes to each article against what is usual for the article, in standard deviations.

    Rows of zeros are texts that are not there: they count for nothing and stay.

    Parameters
    ----------
    scores
        float32 (n, articles), standard scores.
    """
    out = usual_answers_out(scores)
    there = has_answer(scores)
    spread = float(out[there].std()) if there.any() else 0.0
    return (out / spread).astype(np.float32) if spread > 1e-9 else out


def agreement(questions: F32, answers: F32, rows: Ints) -> Agreement | None:
    """The article that a group of conversations comes nearest to, by questions and answers alike.

    Parameters
    ----------
    questions, answers
        From :func:`standing`, float32 (n, articles); an agent's answer that is not there is a row of zeros.
    rows
        The group's conversations.

    Returns
    -------
    Agreement or None
        None without conversations or articles. With fewer than :data:`ENOUGH_ANSWERS` answers, the questions decide.

    Examples
    --------
    >>> asked = standing(np.array([[3, 0], [2, 0], [0, 3], [0, 2]], dtype=np.float32))
    >>> nearest = agreement(asked, np.zeros_like(asked), np.array([0, 1]))
    >>> nearest.article, nearest.answers
    (0, 0)
    """
    if not len(rows) or not questions.shape[1]:
        return None
    with_answers = rows[has_answer(answers[rows])]
    asked = questions[rows].mean(axis=0)
    enough = len(with_answers) >= ENOUGH_ANSWERS
    both: F32 = ((questions[with_answers] + answers[with_answers]) / 2 if enough else questions[rows]).astype(
        np.float32
    )
    mean = (asked + answers[with_answers].mean(axis=0)) / 2 if enough else asked
    order = np.argsort(-mean, kind="stable")
    best = int(order[0])
    if len(order) == 1:
        return Agreement(best, float(mean[best]), 0.0, float("inf"), len(with_answers))
    apart = both[:, best] - both[:, int(order[1])]
    error = max(float(apart.std(ddof=1)) / np.sqrt(len(apart)), 1e-6) if len(apart) > 1 else float("inf")
    return Agreement(best, float(mean[best]), float(mean[order[1]]), float(apart.mean()) / error, len(with_answers))


def near_enough(groups: Sequence[Agreement], articles: int) -> float:
    """From which nearness on an article answers a group, rather than being the nearest of articles that don't.

    How near a group comes to an article that does not answer it is read off the groups themselves: as near as each of
    them comes to its second-best article, which is what its best would be if the best were missing. An article must
    lie a standard deviation above the mean of that, and above what the nearest of so many articles is by luck alone,
    √(2 ln articles) for normal scores (Fisher and Tippett 1928).
    """
    by_luck = max(AT_LEAST, float(np.sqrt(2 * np.log(max(articles, 1)))))
    without = [group.runner_up for group in groups if np.isfinite(group.lead)]
    return max(by_luck, float(np.mean(without) + np.std(without))) if without else by_luck
