"""People's edits as constraints on the topics that a run has cut: must-link, cannot-link, pins and drops.

An edit was made on the topics of some earlier run. Topics are cut anew in every run and windows move on, so what an
edit is about is found again by what it had then: the questions, and where few of these are asked still, the centroid,
in the same way as topics keep their ids (:mod:`models.topics.likeness`). Edits are applied in the order in which they
were made, so that of two that contradict each other the later one holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lacuna.models.arrays import F32, Ints
from lacuna.models.text.vectors import unit
from lacuna.models.topics.edits import TopicEdit
from lacuna.models.topics.likeness import HALF, Likeness, common_to, likeness
from lacuna.models.topics.shaped import Points, Shaped, decoded
from lacuna.models.topics.two_sides import two_sides

__all__ = ["shape_topics"]

ALIKE = 1 - 1e-5  # cosine from which two examples can't be told apart


def shape_topics(
    edits: Sequence[TopicEdit],
    points: Points,
    topics: Ints,
    subtopics: Ints,
    examples: Mapping[str, F32],
    taken_back: Sequence[TopicEdit] = (),
) -> Shaped:
    """Apply people's edits to the topics and subtopics of a run.

    Parameters
    ----------
    edits
        Those in force, in the order in which they were made.
    points
        The questions.
    topics, subtopics
        int (n,), the labels that the run has found, -1 for none; each subtopic lies in one topic.
    examples
        The vectors of examples' texts by question key, float32 (dim,), by the run's embedder.
    taken_back
        Mergers, splits and drops that were undone since the run before: what is there again gets its id again.

    Examples
    --------
    >>> from datetime import datetime
    >>> from lacuna.models.topics.shaped import encoded
    >>> rows = np.repeat(np.eye(3, dtype=np.float32), 5, axis=0)
    >>> keys = [f"q{i}" for i in range(15)]
    >>> def topic(name, of):
    ...     centroid = encoded(rows[of].tobytes())
    ...     members = keys[of : of + 5]
    ...     return {"topic_id": name, "label": name, "embedder": "e", "centroid": centroid, "members": members}
    >>> payload = {"topic": topic("t-a", 0), "into": topic("t-b", 5)}
    >>> merge = TopicEdit(1, "merge", "t-a", datetime(2024, 7, 1), "ada", payload=payload)
    >>> points = Points(keys, ["en"] * 15, rows, rows, "e", frozenset(keys), frozenset(keys))
    >>> shaped = shape_topics([merge], points, np.repeat([0, 1, 2], 5), np.repeat([0, 1, 2], 5), {})
    >>> shaped.topics.tolist(), shaped.ids
    ([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2], {1: 't-b'})
    """
    shaping = _Shaping(points, Shaped(topics.copy(), subtopics.copy()), examples)
    for edit in taken_back:
        shaping.give_back(edit)
    for edit in edits:
        shaping.edit_by_deed[edit.deed](edit)
    shaping.check_contradictions(edits)
    return shaping.shaped


class _Shaping:
    """The labels while edits are applied to them, one after the other."""

    def __init__(self, points: Points, shaped: Shaped, examples: Mapping[str, F32]) -> None:
        self.points, self.shaped, self._examples = points, shaped, examples
        self._mean: F32 = points.vectors.mean(axis=0) if len(points.vectors) else points.vectors.sum(axis=0)
        self._rows: dict[str, list[int]] = {}
        for row, key in enumerate(points.keys):
            self._rows.setdefault(str(key), []).append(row)
        self._labels_of: dict[str, int] = {}  # of topics whose label an edit has settled
        self._sides: dict[int, tuple[Ints, Ints]] = {}  # rows that a merger joined, or that a split parted
        self._changed_by = np.zeros(len(points.keys), dtype=np.int64)
        self.edit_by_deed: dict[str, Callable[[TopicEdit], None]] = {
            "merge": self.merge, "split": self.split, "rename": self.rename, "pin": self.pin, "drop": self.drop,
        }  # fmt: skip

    # -- the edits ----------------------------------------------------------------------------------------------------

    def merge(self, edit: TopicEdit) -> None:
        """The groups that are one of the two topics become one."""
        topic, into = edit.payload["topic"], edit.payload["into"]
        own, others = self._groups(topic), self._groups(into)
        if not own:
            self._lost(edit, topic)
            return
        label = others[0] if others else own[0]
        sides = np.flatnonzero(np.isin(self.shaped.topics, own)), np.flatnonzero(np.isin(self.shaped.topics, others))
        self._move(edit, np.flatnonzero(np.isin(self.shaped.topics, [*own, *others])), label)
        for former in {*own, *others} - {label}:
            self.shaped.ids.pop(former, None)
        self.shaped.ids[label] = str(into["topic_id"])
        self._labels_of |= {str(topic["topic_id"]): label, str(into["topic_id"]): label}
        self.shaped.retired.add(str(topic["topic_id"]))
        self._sides[edit.id] = sides
        self._done(edit, (label,), "" if others else f"no question of “{into['label']}” is left in this run")

    def split(self, edit: TopicEdit) -> None:
        """A group that holds both examples is parted: each question to the example that it is nearer to."""
        first, second = edit.payload["examples"]
        groups = self._groups(edit.payload["topic"])
        labels = [self._group_at(example, groups) for example in (first, second)]
        if labels[0] is None or labels[1] is None:
            self._lost(edit, edit.payload["topic"])
            return
        rows = [np.flatnonzero(self.shaped.topics == label) for label in labels]
        if labels[0] != labels[1]:
            self._sides[edit.id] = (rows[0], rows[1])
            self._done(edit, (labels[0], labels[1]))
            return
        points, (one, other) = self._space(first, second)
        if one is None or other is None:
            self._refuse(edit, "the examples are no longer asked, and their texts are not known")
            return
        if first["key"] == second["key"] or float(unit(one[None])[0] @ unit(other[None])[0]) > ALIKE:
            self._refuse(edit, "the two examples can't be told apart")
            return
        own = rows[0]
        first_rows, second_rows = two_sides(
            points[own],
            [str(self.points.keys[row]) for row in own.tolist()],
            ((str(first["key"]), one), (str(second["key"]), other)),
            lambda places: self.points.is_enough(own[places]),
        )
        sides = own[first_rows], own[second_rows]
        if not all(self.points.is_enough(side) for side in sides):
            sizes = " and ".join(str(len(side)) for side in sides)
            self._refuse(edit, f"it would leave parts of {sizes} questions, and a topic needs more")
            return
        label, fresh = int(self.shaped.topics[own[0]]), self._fresh()
        small = int(len(sides[0]) > len(sides[1]))  # the larger part goes on under the label
        self._move(edit, sides[small], fresh)
        self._changed_by[own] = edit.id
        self._part_subtopics(sides)
        self.shaped.fixed |= {str(self.points.keys[row]): int(self.shaped.topics[row]) for row in own.tolist()}
        self._sides[edit.id] = sides
        self._done(edit, (label, fresh))

    def rename(self, edit: TopicEdit) -> None:
        """The group that is the topic; who is called what is settled with the ids."""
        groups = self._groups(edit.payload["topic"])
        if groups:
            self._done(edit, (groups[0],))
        else:
            self._lost(edit, edit.payload["topic"])

    def pin(self, edit: TopicEdit) -> None:
        """The question goes to the topic, and to the nearest of its subtopics."""
        question, topic = edit.payload["question"], edit.payload["topic"]
        key, groups = str(question["key"]), self._groups(topic)
        if not groups:
            self._lost(edit, topic)
            return
        if key not in self.points.asked:
            self._refuse(edit, "the question is no longer asked in this run's window and history")
            return
        label = groups[0]
        rows = np.array(self._rows.get(key, []), dtype=np.int64)
        inside = np.flatnonzero(self.shaped.topics == label)
        parts = np.unique(self.shaped.subtopics[inside])
        self._move(edit, rows, label)
        self.shaped.fixed[key] = label
        if len(rows):
            elsewhere = rows[~np.isin(self.shaped.subtopics[rows], parts[parts >= 0])]
            self.shaped.subtopics[elsewhere] = self._nearest_part(elsewhere, parts[parts >= 0])
        self._done(edit, (label,))

    def drop(self, edit: TopicEdit) -> None:
        """The topic's questions, those of then and those that are the topic now, are in no topic and no subtopic."""
        topic = edit.payload["topic"]
        groups = self._groups(topic)
        self.shaped.retired.add(str(topic["topic_id"]))
        members = [row for key in topic["members"] for row in self._rows.get(key, ())]
        is_group = np.isin(self.shaped.topics, groups)
        rows = np.union1d(np.flatnonzero(is_group), np.array(members, dtype=np.int64))
        keys = {str(self.points.keys[row]) for row in rows.tolist()} | (set(topic["members"]) & self.points.asked)
        if not keys:
            self._lost(edit, topic)
            return
        inside = np.flatnonzero(is_group)
        parts = [inside[self.shaped.subtopics[inside] == part] for part in np.unique(self.shaped.subtopics[inside])]
        self.shaped.dropped += [np.flatnonzero(self.shaped.topics == label) for label in groups] or [rows][: len(rows)]
        self.shaped.dropped_parts += [part for part in parts if self.shaped.subtopics[part[0]] >= 0]
        self._move(edit, rows, -1)
        self.shaped.subtopics[rows] = -1
        self.shaped.fixed |= dict.fromkeys(sorted(keys), -1)
        for label in groups:
            self.shaped.ids.pop(label, None)
        self._done(edit, ())

    def give_back(self, edit: TopicEdit) -> None:
        """After an edit was undone: topics that are there again get their ids again."""
        own = self._groups(edit.payload["topic"])
        others = self._groups(edit.payload["into"]) if edit.deed == "merge" else []
        if edit.deed in ("split", "drop") and own:
            self.shaped.ids[own[0]] = edit.topic_id
        elif own and others and own[0] != others[0]:
            self.shaped.ids |= {own[0]: edit.topic_id, others[0]: edit.into}

    def check_contradictions(self, edits: Sequence[TopicEdit]) -> None:
        """Say of an edit that a later one has changed what it asks for."""
        topics = self.shaped.topics
        pinned: dict[str, int] = {}
        for edit in edits:
            if not self.shaped.kept.get(edit.id):
                continue
            if edit.deed == "pin":
                key = str(edit.payload["question"]["key"])
                if key in pinned:
                    self._refuse(pinned[key], f"edit {edit.id} says otherwise")
                pinned[key] = edit.id
            if edit.id not in self._sides or not all(len(side) for side in self._sides[edit.id]):
                continue
            one, other = (_most(topics[side]) for side in self._sides[edit.id])
            holds = one == other if edit.deed == "merge" else one != other or one < 0
            if not holds:
                rows = np.concatenate(self._sides[edit.id])
                self._refuse(edit, f"edit {int(self._changed_by[rows].max())} says otherwise")
                if edit.deed == "merge":
                    self.shaped.retired.discard(edit.topic_id)

    # -- what an edit is about ----------------------------------------------------------------------------------------

    def _groups(self, anchor: Mapping[str, Any]) -> list[int]:
        """The labels of the groups that are a topic of then, the most alike first."""
        settled = self._labels_of.get(str(anchor["topic_id"]), -1)
        labels = np.unique(self.shaped.topics[self.shaped.topics >= 0])
        if not len(labels):
            return []
        alike, sizes = self._alike(labels, anchor)
        mostly = alike.shared[:, 0] >= HALF * sizes
        same = np.flatnonzero((alike.both[:, 0] >= HALF) | mostly)
        order = same[np.lexsort((labels[same], -alike.weight[same, 0]))]
        found = [int(label) for label in labels[order]]
        if settled >= 0 and settled in labels:
            return [settled, *(label for label in found if label != settled)]
        return found

    def _alike(self, labels: Ints, anchor: Mapping[str, Any]) -> tuple[Likeness, Ints]:
        rows = [np.flatnonzero(self.shaped.topics == label) for label in labels]
        centroids = unit(np.array([self.points.vectors[own].mean(axis=0) for own in rows]))
        keys = [[str(self.points.keys[row]) for row in own.tolist()] for own in rows]
        code = np.asarray(self.points.languages, dtype=object)
        common = common_to(centroids, [_most(code[own]) for own in rows])
        at_that_time = self._centroid(anchor)
        known = np.full((2, centroids.shape[1]), np.nan, dtype=np.float32)
        if at_that_time is not None:
            known[0] = common.taken_out(at_that_time[None])[0]
        # The second row stands for all other topics of then: it says which of a group's questions are old.
        others = self.points.remembered - set(anchor["members"])
        alike = likeness(
            common.taken_out(centroids), keys, known, [anchor["members"], others], self.points.asked,
            common.enough(centroids, self.points.same_at_least), self.points.least,
        )  # fmt: skip
        return alike, np.array([len(own) for own in rows])

    def _centroid(self, anchor: Mapping[str, Any]) -> F32 | None:
        """The centroid of then; by another embedder, that of its questions which are asked still; else None."""
        centroid = decoded(anchor["centroid"])
        if anchor["embedder"] == self.points.embedder and len(centroid) == self.points.vectors.shape[1]:
            return centroid
        rows = [row for key in anchor["members"] for row in self._rows.get(key, ())]
        return unit(self.points.vectors[sorted(rows)].mean(axis=0, keepdims=True))[0] if rows else None

    def _group_at(self, example: Mapping[str, Any], groups: Sequence[int]) -> int | None:
        """The group that holds an example: by its key, else the nearest of those that are its topic."""
        rows = [row for row in self._rows.get(str(example["key"]), ()) if self.shaped.topics[row] >= 0]
        if rows:
            return int(_most(self.shaped.topics[rows]))
        vector = self._examples.get(str(example["key"]))
        if vector is None or not groups:
            return None
        middles = [self.points.vectors[self.shaped.topics == label].mean(axis=0) for label in groups]
        about = unit(np.array(middles, dtype=np.float32) - self._mean)
        return int(groups[int((about @ (vector - self._mean)).argmax())])

    def _space(self, first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[F32, tuple[F32 | None, F32 | None]]:
        """The space in which two examples are compared, and where they lie: as topics were found, else by meaning."""
        rows = [self._rows.get(str(example["key"]), []) for example in (first, second)]
        if all(rows):
            one, other = (self.points.places[own].mean(axis=0) for own in rows)
            return self.points.places, (one, other)
        about = unit(self.points.vectors - self._mean)
        vectors = [self._examples.get(str(example["key"])) for example in (first, second)]
        one, other = (None if vector is None else unit((vector - self._mean)[None])[0] for vector in vectors)
        return about, (one, other)

    # -- changing labels ----------------------------------------------------------------------------------------------

    def _move(self, edit: TopicEdit, rows: Ints, label: int) -> None:
        self.shaped.topics[rows] = label
        self._changed_by[rows] = edit.id
        for key in {str(self.points.keys[row]) for row in rows.tolist()} & self.shaped.fixed.keys():
            self.shaped.fixed[key] = label

    def _fresh(self) -> int:
        return int(max(self.shaped.topics.max(initial=-1), self.shaped.subtopics.max(initial=-1))) + 1

    def _part_subtopics(self, sides: tuple[Ints, Ints]) -> None:
        """Part the subtopics that lie on both sides; pieces too small to stand alone make one piece, or none."""
        of_side = [set(np.unique(self.shaped.subtopics[side]).tolist()) - {-1} for side in sides]
        straddling, fresh = sorted(of_side[0] & of_side[1]), self._fresh()
        for side in sides:
            small = []
            for part in straddling:
                rows = side[self.shaped.subtopics[side] == part]
                if self.points.is_enough(rows):
                    self.shaped.subtopics[rows] = fresh
                    fresh += 1
                else:
                    small.append(rows)
            rest = np.concatenate(small) if small else np.array([], dtype=np.int64)
            self.shaped.subtopics[rest] = fresh if self.points.is_enough(rest) else -1
            fresh += 1

    def _nearest_part(self, rows: Ints, parts: Ints) -> Ints:
        if not len(parts):
            return np.full(len(rows), -1, dtype=np.int64)
        places = self.points.places
        middles = unit(np.array([places[self.shaped.subtopics == part].mean(axis=0) for part in parts]))
        return np.asarray(parts[(places[rows] @ middles.T).argmax(axis=1)], dtype=np.int64)

    # -- what became of it --------------------------------------------------------------------------------------------

    def _done(self, edit: TopicEdit, labels: tuple[int, ...], note: str = "") -> None:
        self.shaped.kept[edit.id], self.shaped.notes[edit.id], self.shaped.labels[edit.id] = True, note, labels

    def _refuse(self, edit: TopicEdit | int, note: str) -> None:
        number = edit if isinstance(edit, int) else edit.id
        self.shaped.kept[number], self.shaped.notes[number] = False, note
        self.shaped.labels.setdefault(number, ())

    def _lost(self, edit: TopicEdit, anchor: Mapping[str, Any]) -> None:
        there = any(key in self._rows for key in anchor["members"])
        if there:
            note = f"no topic of this run is “{anchor['label']}” any more"
        elif anchor["embedder"] != self.points.embedder:
            note = f"“{anchor['label']}” was found with another embedder, and none of its questions is left in this run"
        else:
            note = f"no question of “{anchor['label']}” is left in this run"
        self._refuse(edit, note)


def _most(values: Any) -> Any:
    """The most frequent value, of equally frequent ones the least; -1 where there are none."""
    counts = Counter(np.asarray(values).tolist())
    return min(counts, key=lambda value: (-counts[value], value), default=-1)
