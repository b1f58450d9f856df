"""What people's edits are applied to, and what comes of it: questions, labels, and centroids as text."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from lacuna.models.arrays import F32, Ints

__all__ = ["Points", "Shaped", "decoded", "encoded"]


@dataclass(frozen=True)
class Points:
    """The questions that topics were found on.

    Attributes
    ----------
    keys, languages : of each question
    vectors, places : float32 (n, dim) from the embedder, and (n, dims) in the space that topics are found in
    embedder : name and version of what made the vectors
    asked : the keys of all questions of the run, these and others
    remembered : the keys of all questions that topics of earlier runs held
    same_at_least : cosine from which centroids alone say that two topics are one
    least : questions that a topic needs
    is_enough : whether some rows are enough for a topic
    """

    keys: Sequence[str]
    languages: Sequence[str]
    vectors: F32
    places: F32
    embedder: str
    asked: frozenset[str]
    remembered: frozenset[str] = frozenset()
    same_at_least: float = 0.8
    least: int = 5
    is_enough: Callable[[Ints], bool] = lambda rows: len(rows) >= 5


@dataclass
class Shaped:
    """The labels as people want them, and what became of each edit.

    Attributes
    ----------
    topics, subtopics : int (n,), -1 for none
    fixed : the topic label of questions that people placed, by key; -1 for none. No nearness moves these
    ids : the topic_id under which a label goes on
    retired : topics that go on in no topic: merged into another, or dropped
    dropped : rows of each dropped topic, and of each of its subtopics
    kept, notes : by the id of the edit
    labels : the labels that an edit shaped, by its id
    """

    topics: Ints
    subtopics: Ints
    fixed: dict[str, int] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    retired: set[str] = field(default_factory=set)
    dropped: list[Ints] = field(default_factory=list)
    dropped_parts: list[Ints] = field(default_factory=list)
    kept: dict[int, bool] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)
    labels: dict[int, tuple[int, ...]] = field(default_factory=dict)


def encoded(centroid: bytes) -> str:
    """The bytes of a centroid as text."""
    return base64.b64encode(centroid).decode("ascii")


def decoded(text: str) -> F32:
    """The centroid from :func:`encoded`."""
    return np.frombuffer(base64.b64decode(text), dtype=np.float32)
