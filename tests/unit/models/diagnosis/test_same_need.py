"""Which groups of conversations want the same: planted needs, whose questions and answers point in known directions."""

from __future__ import annotations

import numpy as np
import pytest

from lacuna.models.arrays import F32
from lacuna.models.diagnosis.same_need import Likeness, Need, is_another_need, likeness, same_need

DIM = 24


def some(direction: int, count: int, spread: float = 0.5, seed: int = 1) -> F32:
    """Vectors about one direction, with noise in all."""
    noise = np.random.default_rng([seed, direction, count]).normal(0, spread / DIM**0.5, (count, DIM))
    vectors = noise + np.eye(DIM)[direction]
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def test_other_words_and_the_same_answer_are_one_need() -> None:
    """Questions with little in common are one need where agents answer them alike, and not where they don't."""
    customs = Need(some(0, 40), some(10, 40))
    points = Need(some(1, 40), some(11, 40))
    duty = Need(some(2, 3) + some(0, 3) / 4, some(10, 3))
    wash = Need(some(3, 3) + some(0, 3) / 4, some(12, 3))
    assert same_need([likeness(duty, gap) for gap in (points, customs)]) == 1
    assert same_need([likeness(wash, gap) for gap in (points, customs)]) is None


def test_a_need_between_two_gaps_is_neither_ones() -> None:
    """Two gaps that are as near leave the group where it is, and so does a single far one."""
    group = Need(some(0, 5), some(10, 5))
    near = [likeness(group, Need(some(0, 30, seed=seed), some(10, 30, seed=seed))) for seed in (2, 3)]
    assert same_need(near) is None
    assert same_need(near[:1]) == 0
    assert same_need([]) is None


def test_without_answers_questions_alone_decide() -> None:
    """Where too few were answered, that is told, and the questions decide."""
    found = likeness(Need(some(0, 5), some(10, 1)), Need(some(0, 30), some(10, 30)))
    assert found.answers is None
    assert found.mean == found.questions > 0.9


@pytest.mark.parametrize(
    ("one", "another"),
    [
        (Likeness(0.2, 0.1, 5), True),
        (Likeness(0.2, 0.9, 5), False),  # asked in other words
        (Likeness(0.9, 0.1, 5), False),  # asked alike, and answered case by case
        (Likeness(-0.1, 0.0, 2), False),  # too few answers to tell
        (Likeness(-0.1, None, 0), False),
    ],
)
def test_only_other_answers_make_another_need(one: Likeness, another: bool) -> None:
    """A group leaves a gap where agents answer it differently, and enough of them have."""
    assert is_another_need(one) is another
