"""Whether an article answers a group of conversations, judged by questions and agents' answers, without a bot's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lacuna.models.arrays import F32, Ints
from lacuna.models.diagnosis.findability import has_answer, usual_answers_out

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
    """How near each text is to each article, against the article's mean over all texts, in standard deviations.

    Rows of zeros stand for missing texts: they are left out of mean and deviation, and stay zero.

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
    """The article that a group of conversations is nearest to, by questions and answers together.

    Parameters
    ----------
    questions, answers
        From :func:`standing`, float32 (n, articles); a row of zeros where no agent answered.
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
    """The least nearness at which an article answers a group, rather than merely being the nearest article.

    How near a group is to an article that does not answer it is estimated from the groups' second-best articles, since
    the second-best would be the nearest if the best were missing. An article must lie a standard deviation above the
    mean of these, and above the expected maximum of that many normal scores, √(2 ln articles) (Fisher and Tippett
    1928).
    """
    by_luck = max(AT_LEAST, float(np.sqrt(2 * np.log(max(articles, 1)))))
    without = [group.runner_up for group in groups if np.isfinite(group.lead)]
    return max(by_luck, float(np.mean(without) + np.std(without))) if without else by_luck
