"""Topics and subtopics out of one tree: subtopics lie in topics, follow the failure, and no order of rows matters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.text.vectors import unit
from lacuna.models.topics.describe import fit_topics
from lacuna.models.topics.failure_tree import FailureTree
from lacuna.models.topics.neighbour_tree import relative_distances, smoothed_sayings

KINDS = [(size, bad) for size in (5, 8, 13) for bad in (0.0, 0.5, 1.0)]


def planted(parts: list[tuple[int, int]], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vectors, chances of failure, and the planted topic and subtopic, of two subtopics a topic."""
    rng = np.random.default_rng(seed)
    middles = unit(rng.normal(size=(len(parts), 60)))
    vectors, failed, topic, part = [], [], [], []
    for number, sizes in enumerate(parts):
        for inner, kind in enumerate(sizes):
            size, bad = KINDS[kind]
            own = unit((middles[number] + 0.8 * unit(rng.normal(size=(1, 60))))[0:1])[0]
            vectors.append(unit(own + 0.03 * rng.normal(size=(size, 60))))
            failed.append(np.full(size, bad))
            topic += [number] * size
            part += [2 * number + inner] * size
    return np.vstack(vectors).astype(np.float32), np.concatenate(failed), np.array(topic), np.array(part)


WORLDS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=2, max_size=6)


def same(labels: np.ndarray, planted_in: np.ndarray) -> bool:
    """Whether two labellings cut alike."""
    pairs = set(zip(labels.tolist(), planted_in.tolist(), strict=True))
    return len(pairs) == len(set(labels.tolist())) == len(set(planted_in.tolist()))


@given(parts=WORLDS, seed=st.integers(0, 99), has_before=st.booleans())
def test_subtopics_lie_in_topics_whatever_fails(parts: list[tuple[int, int]], seed: int, has_before: bool) -> None:
    """Where a tree is cut for topics, and what they were before, changes no subtopic; none is ever in two topics."""
    vectors, failed, _, _ = planted(parts, seed)
    before = np.random.default_rng(seed).integers(-1, 4, len(vectors)) if has_before else None
    cuts = [
        FailureTree(max_distance=far, subtopic_distance=0.2, before=before if far > 0.2 else None).fit(vectors, failed)
        for far in (0.2, 0.5, 0.9)
    ]
    for tree in cuts:
        assert (tree.subtopics_ == cuts[0].subtopics_).all()
        inside = tree.subtopics_ >= 0
        within = set(zip(tree.subtopics_[inside].tolist(), tree.labels_[inside].tolist(), strict=True))
        assert len(within) == len(set(tree.subtopics_[inside].tolist()))
        assert (tree.labels_[inside] >= 0).all()


@given(seed=st.integers(0, 99))
def test_no_order_of_rows_matters(seed: int) -> None:
    """Shuffled questions get the same topics and subtopics."""
    vectors, failed, _, _ = planted([(1, 8), (3, 3), (5, 0)], seed)
    order = np.random.default_rng(seed + 1).permutation(len(vectors))
    vectors[-3:] = vectors[:3]  # the same said again
    for before in (None, np.random.default_rng(seed + 2).integers(-1, 3, len(vectors))):
        one = FailureTree(subtopic_distance=0.2, before=before).fit(vectors, failed)
        again = None if before is None else before[order]
        other = FailureTree(subtopic_distance=0.2, before=again).fit(vectors[order], failed[order])
        assert same(other.labels_, one.labels_[order])
        assert same(other.subtopics_, one.subtopics_[order])


def test_a_planted_world_is_found_at_both_levels() -> None:
    """Two problems side by side in each of four topics: four topics, eight subtopics, all of them right."""
    vectors, failed, topic, part = planted([(4, 5), (1, 7), (3, 3), (8, 0)], 7)
    texts = [f"question about thing{t} and matter{p}" for t, p in zip(topic, part, strict=True)]
    levels = fit_topics(texts, vectors, failed, [], max_distance=0.7, subtopic_distance=0.2, evidence=2.0)
    for (labels, words), truth, word in zip(levels, (topic, part), ("thing", "matter"), strict=True):
        assert same(labels, truth)
        for label, phrases in words.items():
            own = truth[labels == label][0]
            assert any(f"{word}{own}" in phrase for phrase, _ in phrases[:3])


def two_groups(distance: float, seed: int = 0) -> np.ndarray:
    """Ten questions each about two things at this distance, and ten about something else."""
    rng = np.random.default_rng(seed)
    away = np.arccos(1 - distance)
    middles = np.array([[1, 0, 0], [np.cos(away), np.sin(away), 0], [0, 0, 1]])
    return unit(np.repeat(middles, 10, axis=0) + 0.01 * rng.normal(size=(30, 3))).astype(np.float32)


ONE, TWO, NEW = [0] * 20, [0] * 10 + [1] * 10, [-1] * 20


@pytest.mark.parametrize(
    ("distance", "before", "topics"),
    [
        (0.68, NEW, 1),
        (0.72, NEW, 2),
        (0.68, ONE, 1),
        (0.72, ONE, 1),  # it was one, and has not come apart by much
        (0.78, ONE, 2),  # a split
        (0.68, TWO, 2),  # they were two, and are hardly nearer
        (0.62, TWO, 1),  # a merger
        (0.72, TWO, 2),
        (0.72, [0] * 10 + [-1] * 10, 2),  # what is new is held by nothing
        (0.68, [0] * 10 + [-1] * 10, 1),
    ],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_topics_stay_while_they_are_nearly_what_they_were(
    distance: float, before: list[int], topics: int, seed: int
) -> None:
    """What was one topic stays one, and what was two stays two, up to a little; beyond, they split and merge."""
    before_ = np.array(before + [5] * 10)
    at = relative_distances(smoothed_sayings(two_groups(0.7, seed)))[9]  # of the first question and the eleventh
    tree = FailureTree(at, subtopic_distance=0.2, before=before_).fit(two_groups(distance, seed))
    assert len(set(tree.labels_[:20].tolist())) == topics
    assert not set(tree.labels_[:20].tolist()) & set(tree.labels_[20:].tolist())
    assert tree.labels_.min() == 0


@given(parts=WORLDS, seed=st.integers(0, 99))
def test_the_same_questions_again_are_the_same_topics(parts: list[tuple[int, int]], seed: int) -> None:
    """With nothing new asked, topics stay, and so do subtopics; a topic that is known twice over is no other."""
    vectors, failed, _, _ = planted(parts, seed)
    first = FailureTree().fit(vectors, failed)
    again = FailureTree(before=first.labels_).fit(vectors, failed)
    assert again.labels_.tolist() == first.labels_.tolist()
    assert again.subtopics_.tolist() == first.subtopics_.tolist()


@pytest.mark.parametrize("n", [0, 1, 4])
def test_too_few_questions_are_no_topic(n: int) -> None:
    """Nothing to cut is no error."""
    tree = FailureTree().fit(np.eye(4, dtype=np.float32)[:n])
    assert tree.labels_.tolist() == tree.subtopics_.tolist() == [-1] * n
