"""Whether two groups of conversations want the same: what customers ask in them, and what agents answer.

Customers ask for one thing in many words, so questions alone keep apart what one article would answer; agents answer it
in much the same way. Two needs that share their words, such as a torn and a leaking jacket, get different answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lacuna.models.arrays import F32
from lacuna.models.text.vectors import group_likeness

__all__ = ["SAME_ANSWER", "Likeness", "Need", "is_another_need", "likeness", "same_need"]

SAME = 0.5  # the least mean likeness of questions and answers of one need …
LEAD = 0.2  # … and the least by which it exceeds that with the next gap
FEW = 0.5  # a group joins a gap as a few more of the same, at most so many as a share of the gap's conversations
OTHER = 0.3  # below this mean likeness, two groups that agents answer want different things
SAME_ANSWER, MUCH_THE_SAME = 0.9, 0.6  # likenesses of answers from which on they are one answer, or much the same
ENOUGH_ANSWERS = 2  # fewer do not show what agents answer
ENOUGH_TO_PART = 3  # and fewer do not show that they answer differently


@dataclass(frozen=True)
class Need:
    """What is asked and answered in a group of conversations, as vectors that common meaning is taken out of.

    Attributes
    ----------
    questions
        float32 (conversations, dim).
    answers
        float32 (conversations with an agent's answer, dim).
    """

    questions: F32
    answers: F32


@dataclass(frozen=True)
class Likeness:
    """How alike two needs are: cosines of groups (:func:`models.text.vectors.group_likeness`).

    Attributes
    ----------
    questions, answers
        From -1 to 1; ``answers`` is None where either group has fewer than two.
    answered
        Answers in the group that has fewer.
    """

    questions: float
    answers: float | None
    answered: int

    @property
    def mean(self) -> float:
        """The mean of both; of the questions alone where too little was answered."""
        return self.questions if self.answers is None else (self.questions + self.answers) / 2


def likeness(one: Need, other: Need) -> Likeness:
    """How alike two needs are.

    Examples
    --------
    >>> import numpy as np
    >>> east, north = (np.repeat(np.array([way], dtype=np.float32), 4, axis=0) for way in ([1, 0], [0, 1]))
    >>> likeness(Need(east, north), Need(north, north))
    Likeness(questions=0.0, answers=1.0, answered=4)
    """
    answered = min(len(one.answers), len(other.answers))
    answers = group_likeness(one.answers, other.answers) if answered >= ENOUGH_ANSWERS else None
    return Likeness(group_likeness(one.questions, other.questions), answers, answered)


def same_need(likenesses: Sequence[Likeness]) -> int | None:
    """Which of several gaps a group belongs to, from its likeness with each; None where it is no one's for sure.

    Examples
    --------
    >>> close, far, near = (Likeness(mean, mean, 5) for mean in (0.8, 0.1, 0.7))
    >>> same_need([far, close]), same_need([near, close])
    (1, None)
    """
    if not likenesses:
        return None
    means = [each.mean for each in likenesses]
    first, *rest = np.argsort(-np.round(means, 6), kind="stable").tolist()
    if means[first] < SAME or (rest and means[first] - means[rest[0]] < LEAD):
        return None
    return int(first)


def belongs_to(elsewhere: float, inside: Likeness) -> bool:
    """Whether a group is so much more like another gap than like the rest of its own that it belongs to that one."""
    return elsewhere >= SAME and elsewhere - inside.mean >= LEAD


def same_answer(likeness: Likeness) -> bool:
    """Whether agents give two groups one answer."""
    return likeness.answered >= ENOUGH_TO_PART and (likeness.answers or 0.0) >= SAME_ANSWER


def is_another_need(likeness: Likeness) -> bool:
    """Whether a group of a gap wants something else than the rest of it: agents answer it differently."""
    return likeness.answers is not None and likeness.answered >= ENOUGH_TO_PART and likeness.mean < OTHER
