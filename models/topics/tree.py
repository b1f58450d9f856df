"""Themes, topics and subtopics as one tree: the order in which they join, so that few groups or many can be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist

from lacuna.models.arrays import F32, Ints

__all__ = ["TopicTree", "topic_tree"]


@dataclass(frozen=True)
class TopicTree:
    """The leaves of the tree, and how they join.

    Attributes
    ----------
    leaves : (topic, subtopic) of each, by number; a topic without subtopics is a leaf itself, with subtopic -1
    merges : (leaf, other leaf, height), in order: the groups that hold these two leaves become one. First subtopics
        join inside their topics until there are topics alone, then topics inside their themes
    """

    leaves: list[tuple[int, int]]
    merges: list[tuple[int, int, float]]


def topic_tree(
    topic_centres: F32, themes: Sequence[object], subtopic_centres: F32, topic_of_subtopic: Ints
) -> TopicTree:
    """Join subtopics inside their topics and topics inside their themes, each by average linkage of their centres.

    Parameters
    ----------
    topic_centres, subtopic_centres
        float32 (topics, dims) and (subtopics, dims), rows of length 1.
    themes
        The theme of each topic; where none has one, all topics join into one.
    topic_of_subtopic
        int (subtopics,).

    Examples
    --------
    >>> centres = np.array([[1, 0], [0.8, 0.6], [0, 1]], dtype=np.float32)
    >>> tree = topic_tree(centres, ["a", "a", "b"], centres[:2], np.array([0, 0]))
    >>> tree.leaves, [merge[:2] for merge in tree.merges]
    ([(0, 0), (0, 1), (1, -1), (2, -1)], [(0, 1), (0, 2)])
    """
    parts = [np.flatnonzero(topic_of_subtopic == topic) for topic in range(len(topic_centres))]
    leaves = [(topic, int(part)) for topic, own in enumerate(parts) for part in (own if len(own) else [-1])]
    first = {topic: leaf for leaf, (topic, _) in reversed(list(enumerate(leaves)))}
    inside = [
        merge
        for topic, own in enumerate(parts)
        for merge in _joined(subtopic_centres[own], [first[topic] + place for place in range(len(own))])
    ]
    of_theme: dict[object, list[int]] = {}
    for topic, theme in enumerate(themes):
        of_theme.setdefault(theme, []).append(topic)
    above = [
        merge for own in of_theme.values() for merge in _joined(topic_centres[own], [first[topic] for topic in own])
    ]
    in_order = [*sorted(inside, key=_height), *sorted(above, key=_height)]
    return TopicTree(leaves, in_order)


def _height(merge: tuple[int, int, float]) -> tuple[float, int, int]:
    return merge[2], merge[0], merge[1]


def _joined(centres: F32, leaves: Sequence[int]) -> list[tuple[int, int, float]]:
    """Average linkage of some centres, each of which stands for the group of a leaf."""
    if len(leaves) < 2:
        return []
    of_node = list(leaves)
    merges = []
    # Heights never fall (average linkage is monotonic); rounding hides what the last bits of a processor add.
    for left, right, height, _ in linkage(pdist(centres.astype(np.float64), "cosine").clip(min=0), "average"):
        pair = sorted((of_node[int(left)], of_node[int(right)]))
        merges.append((pair[0], pair[1], round(float(height), 4)))
        of_node.append(pair[0])
    return merges
