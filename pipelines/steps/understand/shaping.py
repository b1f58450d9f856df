"""What people have changed about topics, applied to the topics that a run has found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32, Ints
from lacuna.models.topics.constraints import shape_topics
from lacuna.models.topics.edits import Outcome, TopicEdit, described, in_force
from lacuna.models.topics.shaped import Points, Shaped, decoded
from lacuna.pipelines.embedders.registry import embedder
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.state import topic_edit_log
from lacuna.pipelines.state.repository import open_state
from lacuna.pipelines.steps.understand.matching import language_codes
from lacuna.pipelines.steps.understand.sample import Sample
from lacuna.pipelines.steps.understand.topic_registry import Before

__all__ = ["Edits", "people_named", "read_edits", "renumbered", "shape", "with_given_names", "write_outcomes"]

FILE = "understand/topic_edits"


@dataclass(frozen=True)
class Edits:
    """The edits that a run reads, and what became of them in the run before.

    Attributes
    ----------
    all, standing : every edit up to the run, and those in force, by id
    results : of the run before, by the edit's id
    """

    all: list[TopicEdit]
    standing: list[TopicEdit]
    results: dict[int, Outcome]

    @property
    def taken_back(self) -> list[TopicEdit]:
        """The edits that the run before kept and that are no longer in force."""
        standing = {edit.id for edit in self.standing}
        kept = {number for number, outcome in self.results.items() if outcome.kept}
        return [edit for edit in self.all if edit.id in kept - standing]

    def before_of(self, before: Before, keys: pd.Series, vectors: F32) -> Ints:
        """As ``before.number_of(keys)``, without what people's edits alone have made of the topics of the run before.

        A question that was pinned is held to no topic, so that it does not draw others with it; the parts of a split
        that was undone are one again, and the topics of a merger that was undone are two.
        """
        numbers = before.number_of(keys)
        if not self.all:
            return numbers
        numbers = numbers.copy()
        pinned = {edit.payload["question"]["key"] for edit in self.all if edit.deed == "pin"}
        numbers[keys.isin(pinned).to_numpy(dtype=bool)] = -1
        previous = before.topics.loc[before.topics["run_id"] == before.previous, "topic_id"].tolist()
        number_of = {topic: number for number, topic in enumerate(previous)}
        for edit in self.taken_back:
            if edit.deed == "split":
                parts = [number_of[t] for t in self.results[edit.id].topics if t in number_of]
                numbers[np.isin(numbers, parts[1:])] = parts[0] if parts else -1
            elif edit.deed == "merge" and edit.into in number_of and edit.topic_id not in number_of:
                rows = np.flatnonzero(numbers == number_of[edit.into])
                sides = [edit.payload["topic"], edit.payload["into"]]
                own = _nearer_first(keys.iloc[rows].tolist(), vectors[rows], sides)
                numbers[rows[own]] = max(len(previous), int(numbers.max(initial=-1)) + 1)
        return numbers


def _nearer_first(keys: Sequence[str], vectors: F32, sides: Sequence[Mapping[str, Any]]) -> Ints:
    """Places of the questions that belong to the first of two topics of then: by key, else by centroid."""
    members = [set(side["members"]) for side in sides]
    centroids = [decoded(side["centroid"]) for side in sides]
    comparable = all(len(centroid) == vectors.shape[1] for centroid in centroids)
    nearer = vectors @ centroids[0] > vectors @ centroids[1] if comparable else np.zeros(len(vectors), dtype=bool)
    return np.array(
        [
            place
            for place, (key, is_nearer) in enumerate(zip(keys, nearer, strict=True))
            if key in members[0] or (key not in members[1] and is_nearer)
        ],
        dtype=np.int64,
    )


def read_edits(job: Job) -> Edits:
    """The edits that were made on the view of this run or of an earlier one."""
    with open_state(job.settings, job.store) as state, state.reading() as connection:
        edits = topic_edit_log.read(connection, up_to=job.run_id)
        results = topic_edit_log.results_before(connection, job.run_id) if edits else {}
    return Edits(edits, in_force(edits), results)


def shape(
    job: Job, sample: Sample, asked: Collection[str], edits: Edits, before: Before, topics: Ints, subtopics: Ints
) -> Shaped:
    """Apply the edits in force to the labels of a run (:func:`models.topics.constraints.shape_topics`)."""
    if not edits.all:
        return Shaped(topics, subtopics)
    own, settings, model = sample.questions, job.settings.topics, embedder(job.embedder)
    customers = own["customer_id"]

    def is_enough(rows: Ints) -> bool:
        who = customers.iloc[rows]
        return len(rows) >= settings.min_questions and who.nunique() + who.isna().sum() >= settings.min_customers

    points = Points(
        keys=own["key"].tolist(),
        languages=language_codes(own["language"], ""),
        vectors=sample.vectors,
        places=sample.places,
        embedder=f"{model.name}-{model.version}",
        asked=frozenset(asked),
        remembered=frozenset(key for members in before.topics["members"] for key in members),
        same_at_least=settings.same_at_least,
        least=settings.min_questions,
        is_enough=is_enough,
    )
    examples = {
        str(example["key"]): str(example["question"])
        for edit in edits.standing if edit.deed == "split"
        for example in edit.payload["examples"]
        if example["question"]  # that of a forgotten conversation is empty
    }  # fmt: skip
    texts = list(examples.values())
    vectors = list(embed(texts, job.embedder, job.store, "embedding examples")) if texts else []
    undone = [edit for edit in edits.taken_back if edit.deed in ("merge", "split", "drop")]
    shaped = shape_topics(
        edits.standing, points, topics, subtopics, dict(zip(examples, vectors, strict=True)), undone
    )  # fmt: skip
    known = set(before.topics["topic_id"])
    for edit in edits.standing:  # a run that is done again has topics which no earlier run knew
        labels = shaped.labels.get(edit.id, ())
        if edit.deed in ("rename", "pin", "split") and labels and edit.topic_id not in known:
            shaped.ids.setdefault(labels[0], edit.topic_id)
    return shaped


def people_named(edits: Edits, shaped: Shaped, topic_ids: Mapping[int, str]) -> dict[str, str]:
    """The names that people gave the topics of this run, by topic_id; of two equal ones the later has it.

    Parameters
    ----------
    topic_ids
        The id of each label that is a topic of this run.
    """
    names: dict[str, str] = {}
    for edit in edits.standing:
        if edit.deed != "rename":
            continue
        labels = [label for label in shaped.labels.get(edit.id, ()) if label in topic_ids]
        topic = edit.topic_id if edit.topic_id in topic_ids.values() else topic_ids[labels[0]] if labels else None
        if topic is None:
            if shaped.kept.get(edit.id):
                shaped.kept[edit.id], shaped.notes[edit.id] = False, "the topic is too small to be one in this run"
            continue
        name = str(edit.payload["label"])
        names = {other: given for other, given in names.items() if given.casefold() != name.casefold()}
        names[topic] = name
        shaped.kept[edit.id], shaped.notes[edit.id] = True, ""
        shaped.labels[edit.id] = tuple(label for label, own in topic_ids.items() if own == topic)
    for edit in edits.standing:
        if edit.deed == "rename" and shaped.kept.get(edit.id):
            own = {topic_ids[label] for label in shaped.labels[edit.id]}
            if not any(names.get(topic) == str(edit.payload["label"]) for topic in own):
                shaped.kept[edit.id], shaped.notes[edit.id] = False, "a later edit gives this name, or another one"
    return names


def with_given_names(
    registry: pd.DataFrame, labels: Sequence[str], edits: Edits, shaped: Shaped, numbers: Mapping[int, int]
) -> tuple[pd.DataFrame, list[str]]:
    """The registry with topics known by the names that people gave, and by none that was taken back; and the labels.

    Parameters
    ----------
    registry
        From :func:`pipelines.steps.understand.topic_registry.identify`.
    labels
        What each topic would be called if it were new; one that a person gave to another topic gets a number.
    numbers
        The place in the registry of each label that is a topic of this run.
    """
    ids = registry["topic_id"].tolist()
    names = people_named(edits, shaped, {label: ids[number] for label, number in numbers.items()})
    standing = {edit.id for edit in edits.standing}
    taken_back = {
        (edit.topic_id, str(edit.payload["label"])): str(edit.payload["topic"]["label"])
        for edit in edits.all
        if edit.deed == "rename" and edit.id not in standing
    }
    given = {name.casefold() for name in names.values()}
    known: list[str | None] = []
    for topic, label in zip(ids, registry["known_label"], strict=True):
        while isinstance(label, str) and (topic, label) in taken_back:
            label = taken_back.pop((topic, label))
        is_free = topic in names or not isinstance(label, str) or label.casefold() not in given
        known.append(names.get(topic, label) if is_free else None)
    is_given = registry["topic_id"].isin(names).to_numpy(dtype=bool)
    registry = registry.assign(known_label=pd.array(known, dtype="str"), fits=registry["fits"].to_numpy() | is_given)
    labels = [
        f"{label} (2)" if label.casefold() in given and not own else label
        for label, own in zip(labels, is_given, strict=True)
    ]
    return registry, labels


def write_outcomes(job: Job, edits: Edits, shaped: Shaped, topic_ids: Mapping[int, str]) -> None:
    """Write understand/topic_edits: what became of each edit in force, with who made it and when."""
    rows: list[dict[str, Any]] = []
    for edit in edits.standing:
        labels = shaped.labels.get(edit.id, ())
        topics = sorted({topic_ids[label] for label in labels if label in topic_ids})
        kept, note = shaped.kept.get(edit.id, False), shaped.notes.get(edit.id, "")
        if kept and labels and len(topics) < len(labels):
            kept, note = False, "what it makes is too small to be a topic in this run"
        rows.append(
            {
                "id": edit.id, "deed": edit.deed, "topic_id": edit.topic_id, "label": edit.payload["topic"]["label"],
                "words": described(edit), "who": edit.who, "at": edit.at.isoformat(),
                "kept": kept, "note": note, "topics": topics,
            }
        )  # fmt: skip
    job.write_json(FILE, rows)


def renumbered(shaped: Shaped, numbers: Mapping[int, int]) -> dict[str, int]:
    """``shaped.fixed`` with the topics' numbers for their labels; without topics that are too small to be one."""
    return {key: numbers.get(label, -1) for key, label in shaped.fixed.items() if label < 0 or label in numbers}
