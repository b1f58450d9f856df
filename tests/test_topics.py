"""Topics and subtopics out of one tree: subtopics lie in topics, follow the failure, and no order of rows matters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.retrieval import unit
from models.topics import FailureTree, fit_topics

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


def same(found: np.ndarray, planted_in: np.ndarray) -> bool:
    """Whether two labellings cut alike."""
    pairs = set(zip(found.tolist(), planted_in.tolist(), strict=True))
    return len(pairs) == len(set(found.tolist())) == len(set(planted_in.tolist()))


@given(parts=WORLDS, seed=st.integers(0, 99))
def test_subtopics_lie_in_topics_whatever_fails(parts: list[tuple[int, int]], seed: int) -> None:
    """Where a tree is cut for topics changes no subtopic, and a subtopic is never in two topics."""
    vectors, failed, _, _ = planted(parts, seed)
    cuts = [FailureTree(max_distance=far, subtopic_distance=0.2).fit(vectors, failed) for far in (0.2, 0.5, 0.9)]
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
    one = FailureTree(subtopic_distance=0.2).fit(vectors, failed)
    other = FailureTree(subtopic_distance=0.2).fit(vectors[order], failed[order])
    assert same(other.labels_, one.labels_[order])
    assert same(other.subtopics_, one.subtopics_[order])


def test_a_planted_world_is_found_at_both_levels() -> None:
    """Two problems side by side in each of four topics: four topics, eight subtopics, all of them right."""
    vectors, failed, topic, part = planted([(4, 5), (1, 7), (3, 3), (8, 0)], 7)
    texts = [f"question about thing{t} and matter{p}" for t, p in zip(topic, part, strict=True)]
    found = fit_topics(texts, vectors, failed, [], max_distance=0.7, subtopic_distance=0.2, evidence=2.0)
    for (labels, words), truth, word in zip(found, (topic, part), ("thing", "matter"), strict=True):
        assert same(labels, truth)
        for label, phrases in words.items():
            own = truth[labels == label][0]
            assert any(f"{word}{own}" in phrase for phrase, _ in phrases[:3])


@pytest.mark.parametrize("n", [0, 1, 4])
def test_too_few_questions_are_no_topic(n: int) -> None:
    """Nothing to cut is no error."""
    tree = FailureTree().fit(np.eye(4, dtype=np.float32)[:n])
    assert tree.labels_.tolist() == tree.subtopics_.tolist() == [-1] * n
