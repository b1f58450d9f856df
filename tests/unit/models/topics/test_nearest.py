"""Texts join the topic whose centroid is nearest, by one rule wherever texts are assigned."""

from __future__ import annotations

import numpy as np
import pytest

from lacuna.models.arrays import F32
from lacuna.models.topics.nearest import assign_nearest

CENTROIDS = np.array([[1, 0], [0, 1]], dtype=np.float32)


def at_degrees(*degrees: float) -> F32:
    """Rows of length 1 at these angles from the first centroid."""
    angle = np.radians(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def test_a_text_joins_the_nearest_topic_if_it_is_near_enough() -> None:
    """Two planted topics at 0° and 90°: what is within 30° joins, all else has no topic, and strength says why."""
    nearest = assign_nearest(at_degrees(10, 85, 45, 200), CENTROIDS, at_least=np.cos(np.radians(30)))
    assert nearest.topic.tolist() == [0, 1, -1, -1]
    assert nearest.strength.tolist() == pytest.approx(np.cos(np.radians([10, 5, 45, 110])), abs=1e-6)


def test_each_topic_may_ask_for_a_cosine_of_its_own() -> None:
    """A text as far from one topic as another from the other joins only the topic that asks for less."""
    nearest = assign_nearest(at_degrees(20, 70), CENTROIDS, at_least=np.array([0.9, 0.99]))
    assert nearest.topic.tolist() == [0, -1]


def test_a_topics_core_stays_in_it() -> None:
    """A text that the topic was found in stays, however far it is, and its strength is that to its own topic."""
    nearest = assign_nearest(at_degrees(80, 80), CENTROIDS, at_least=0.5, core=np.array([0, -1]))
    assert nearest.topic.tolist() == [0, 1]
    assert nearest.strength.tolist() == pytest.approx(np.cos(np.radians([80, 10])), abs=1e-6)


def test_without_a_threshold_every_text_has_a_topic() -> None:
    """The nearest of all, be it on the other side."""
    assert assign_nearest(at_degrees(190, 260), CENTROIDS).topic.tolist() == [1, 0]


@pytest.mark.parametrize("core", [None, np.array([-1, -1])])
def test_without_topics_no_text_has_one(core: np.ndarray | None) -> None:
    """No centroids: no topic, strength 0."""
    nearest = assign_nearest(at_degrees(0, 90), np.zeros((0, 2), dtype=np.float32), 0.5, core)
    assert nearest.topic.tolist() == [-1, -1]
    assert nearest.strength.tolist() == [0, 0]
    assert nearest.cosines.shape == (2, 0)


def test_of_topics_equally_near_the_first_counts() -> None:
    """So that a run made again gives the same topics."""
    assert assign_nearest(at_degrees(45), CENTROIDS[[0, 1, 0]]).topic.tolist() == [0]
