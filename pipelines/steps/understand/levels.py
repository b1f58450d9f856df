"""Questions grouped into topics and subtopics, whose ids and names stay the same from week to week.

Topics are for people to read: few, each about one problem. Subtopics are for the diagnosis: small enough to have one
reason why their answers fail. Every subtopic belongs to one topic.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32, F64, Ints
from lacuna.models.text import lexicon
from lacuna.models.text.vectors import unit
from lacuna.models.topics import describe, names
from lacuna.models.topics.describe import Phrases
from lacuna.models.topics.nearest import assign_nearest
from lacuna.models.topics.neighbour_tree import centroids
from lacuna.models.topics.shaped import Shaped
from lacuna.models.topics.theme_names import name_themes
from lacuna.models.topics.themes import group_topics, known_themes
from lacuna.models.topics.tree import TopicTree, topic_tree
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.llm.topic_names import propose
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.settings import Topics
from lacuna.pipelines.steps.understand import shaping
from lacuna.pipelines.steps.understand.sample import Sample
from lacuna.pipelines.steps.understand.topic_registry import Before, identify, name, read_before
from lacuna.pipelines.steps.understand.topic_space import TopicSpace

__all__ = ["group", "subtopic_means"]

FLOOR = 10  # percentile of the cosines of a subtopic's own questions that a follow-up question must reach


@dataclass(frozen=True)
class Level:
    """Topics, or subtopics.

    Attributes
    ----------
    core : int (questions,), the number of each question's group, -1 for none
    phrases : of each group, best first
    centres : float32 (groups, dim), rows of length 1
    """

    core: Ints
    phrases: list[list[str]]
    centres: F32

    @property
    def groups(self) -> list[Ints]:
        """Row numbers of each group's questions."""
        return [np.flatnonzero(self.core == number) for number in range(len(self.phrases))]


def group(job: Job, sample: Sample, asked: Collection[str]) -> TopicSpace:
    """Find topics and subtopics, as people have shaped them; write the tables of both.

    These are understand/{topics,registry,events,naming,topic_tree,topic_edits}, and the same of subtopics.

    Parameters
    ----------
    job
        The run.
    sample
        The questions to find topics on. Every other question joins the nearest
        (:func:`pipelines.steps.understand.assign.assign_shard`).
    asked
        The content keys of all questions of the run.
    """
    settings, own = job.settings.topics, sample.questions
    topics_before, subtopics_before = read_before(job)
    edits = shaping.read_edits(job)
    with progress.bar("grouping questions") as tick:
        (topic_labels, topic_words), (subtopic_labels, subtopic_words) = describe.fit_topics(
            list(own["question"]), sample.places, own["p_failed"].to_numpy(),
            sorted(lexicon.STOP_WORDS), max_distance=settings.max_distance,
            subtopic_distance=settings.subtopic_distance, min_size=settings.min_questions, evidence=settings.evidence,
            before=edits.before_of(topics_before, own["key"], sample.vectors), topic_vectors=sample.topic_places,
        )  # fmt: skip
        tick(1, 1)
    shaped = shaping.shape(job, sample, asked, edits, topics_before, topic_labels, subtopic_labels)
    if not (np.array_equal(topic_labels, shaped.topics) and np.array_equal(subtopic_labels, shaped.subtopics)):
        texts, stop_words = list(own["question"]), sorted(lexicon.STOP_WORDS)
        topic_labels, subtopic_labels = shaped.topics, shaped.subtopics
        topic_words = describe.describe_groups(texts, sample.topic_places, topic_labels, stop_words)
        subtopic_words = describe.describe_groups(texts, sample.places, subtopic_labels, stop_words)
    small = _level(own, subtopic_labels, subtopic_words, sample.places, settings)
    subtopic = assign_nearest(sample.places, small.centres, settings.nearest_at_least, small.core).topic
    is_fixed = own["key"].isin(shaped.fixed).to_numpy(dtype=bool)
    settled = np.where(is_fixed, topic_labels, _without_strays(topic_labels, small, subtopic))
    large = _level(own, settled, topic_words, sample.topic_places, settings)
    numbers = {int(settled[rows[0]]): number for number, rows in enumerate(large.groups)}
    within = np.array([large.core[rows[0]] for rows in small.groups], dtype=np.int64)
    topics = _registered(job, sample, asked, large, topics_before, edits, shaped, numbers)
    subtopics = _registered(job, sample, asked, small, subtopics_before)
    topic_ids, subtopic_ids = topics.table["topic_id"].tolist(), subtopics.table["subtopic_id"].tolist()
    topic_of_subtopic = pd.array([topic_ids[number] if number >= 0 else None for number in within], dtype="str")
    job.write("understand/topics", pd.concat([topics.table, describe.map_coordinates(large.centres)], axis=1))
    job.write("understand/registry", topics.registry)
    job.write("understand/events", topics.events)
    topic_names = topics.table[["topic_id", "label", "theme"]].rename(columns={"label": "topic_label"})
    job.write(
        "understand/subtopics",
        subtopics.table.assign(topic_id=topic_of_subtopic).merge(topic_names, how="left", on="topic_id"),
    )
    job.write("understand/subtopic_registry", subtopics.registry.assign(topic_id=topic_of_subtopic))
    job.write("understand/subtopic_events", subtopics.events)
    job.write_json("understand/naming", topics.warnings + subtopics.warnings)
    tree = topic_tree(large.centres, topics.table["theme"].tolist(), small.centres, within)
    job.write_json("understand/topic_tree", _with_ids(tree, topic_ids, subtopic_ids))
    shaping.write_outcomes(job, edits, shaped, {label: topic_ids[number] for label, number in numbers.items()})
    fixed = shaping.renumbered(shaped, numbers)
    dropped = [*shaped.dropped, *shaped.dropped_parts]
    core = pd.DataFrame({"topic": large.core, "subtopic": small.core}, index=pd.Index(own["conversation_id"]))
    return TopicSpace(
        sample.space, sample.topic_space, topic_ids, subtopic_ids, large.centres, small.centres, within, core,
        *subtopic_means(sample.vectors, small.groups), list(fixed), np.array(list(fixed.values()), dtype=np.int64),
        _centres(sample.topic_places, dropped), _centres(sample.places, dropped),
        subtopic_means(sample.vectors, shaped.dropped)[1],
    )  # fmt: skip


def _with_ids(tree: TopicTree, topic_ids: Sequence[str], subtopic_ids: Sequence[str]) -> dict[str, object]:
    """The tree as JSON, with ids for numbers."""
    leaves = [
        {"topic_id": topic_ids[topic], "subtopic_id": subtopic_ids[part] if part >= 0 else None}
        for topic, part in tree.leaves
    ]
    return {"leaves": leaves, "merges": [list(merge) for merge in tree.merges]}


def _centres(places: F32, groups: Sequence[Ints]) -> F32:
    """The centre of each group of rows, float32 (groups, dims), rows of length 1."""
    means = [places[rows].mean(axis=0) for rows in groups]
    return unit(np.array(means, dtype=np.float32).reshape(len(groups), places.shape[1]))


def subtopic_means(vectors: F32, groups: Sequence[Ints]) -> tuple[F32, F32, F64]:
    """The mean of all vectors; and of each subtopic the mean less that, and the least cosine to it of a follow-up.

    Parameters
    ----------
    vectors
        float32 (n, dim), of the questions that subtopics were found on.
    groups
        Row numbers of each subtopic's questions.

    Returns
    -------
    mean, means, floors : float32 (dim,), float32 (subtopics, dim) of length 1, float (subtopics,)
    """
    mean = vectors.mean(axis=0)
    about_mean = unit(vectors - mean)
    members = [about_mean[rows] for rows in groups]
    means = np.array([each.mean(axis=0) for each in members], dtype=np.float32).reshape(len(members), len(mean))
    return mean, unit(means), np.array([_floor(each) for each in members], dtype=np.float64)


def _floor(vectors: F32) -> float:
    """The cosine of each of a subtopic's questions to the centroid of the others, at the percentile ``FLOOR``."""
    others = unit(vectors.sum(axis=0) - vectors)
    return float(np.percentile((vectors * others).sum(axis=1), FLOOR))


def _without_strays(topic_labels: Ints, small: Level, subtopic: Ints) -> Ints:
    """The topic labels without the questions whose subtopic belongs to another topic; -1 for those.

    For a question at the edge of a topic, the subtopic near to it says more about it than the topic does.
    """
    topic_of_subtopic = np.array([topic_labels[rows[0]] for rows in small.groups], dtype=np.int64)
    strays = subtopic >= 0
    strays[strays] = topic_of_subtopic[subtopic[strays]] != topic_labels[strays]
    return np.where(strays, -1, topic_labels)


def _level(questions: pd.DataFrame, labels: Ints, words: Phrases, places: F32, settings: Topics) -> Level:
    """The groups that have enough questions from enough customers."""
    core = np.full(len(questions), -1, dtype=np.int64)
    groups = {k: np.flatnonzero(labels == k) for k in sorted(words)}
    large_enough = [
        k
        for k, rows in groups.items()
        if len(rows) >= settings.min_questions and _customers(questions, rows) >= settings.min_customers
    ]
    for number, k in enumerate(large_enough):
        core[groups[k]] = number
    return Level(core, [[word for word, _ in words[k]][:10] for k in large_enough], centroids(places, core))


def _customers(questions: pd.DataFrame, rows: Ints) -> int:
    who = questions["customer_id"].iloc[rows]
    return int(who.nunique() + who.isna().sum())


@dataclass(frozen=True)
class Registered:
    """Topics or subtopics with ids and names: the table, the rows of the registry, the events and the warnings."""

    table: pd.DataFrame
    registry: pd.DataFrame
    events: pd.DataFrame
    warnings: list[dict[str, object]]


def _registered(
    job: Job,
    sample: Sample,
    asked: Collection[str],
    level: Level,
    before: Before,
    edits: shaping.Edits | None = None,
    shaped: Shaped | None = None,
    numbers: Mapping[int, int] | None = None,
) -> Registered:
    groups, questions = level.groups, sample.questions
    places = sample.topic_places if before.level == "topics" else sample.places
    texts = [list(questions["question"].iloc[rows]) for rows in groups]
    ids, retired, numbers = (shaped.ids, shaped.retired, numbers or {}) if shaped else ({}, (), {})
    given = {numbers[label]: name for label, name in ids.items() if label in numbers}
    registry, events = identify(job, questions, groups, sample.vectors, before, asked, given, retired)
    shown = [
        [text[i] for i in names.examples(text, list(places[rows] @ centre))]
        for text, rows, centre in zip(texts, groups, level.centres, strict=True)
    ]
    labels = names.label_topics(
        texts, level.phrases, lambda some: embed(some, job.embedder, job.store, "embedding names")
    )
    labels, warnings = propose(labels, level.phrases, shown, texts, job.settings.labels, job.store, before.level)
    if edits and shaped and edits.all:
        registry, labels = shaping.with_given_names(registry, labels, edits, shaped, numbers)
    theme = _themes(texts, level.centres, registry["known_theme"]) if before.level == "topics" else [None] * len(groups)
    registry = name(registry, pd.Series(labels, dtype="str")).assign(theme=pd.array(theme, dtype="str"))
    table = registry[["topic_id", "label", "theme", "first_seen", "lineage"]].assign(
        keywords=pd.Series(level.phrases, registry.index, dtype=object),
        examples=pd.Series(shown, registry.index, dtype=object),
        conversations=[len(rows) for rows in groups],
        customers=[_customers(questions, rows) for rows in groups],
        last_seen=job.run_id,
    )
    if before.level == "subtopics":
        table, registry = table.drop(columns="theme"), registry.drop(columns="theme")
        table, registry, events = (f.rename(columns={"topic_id": "subtopic_id"}) for f in (table, registry, events))
    return Registered(table, registry, events, warnings)


def _themes(texts: list[list[str]], centres: F32, known_theme: pd.Series) -> list[str | None]:
    """The name of each topic's theme; a theme that holds most of an earlier one keeps its name."""
    before = [name if isinstance(name, str) else None for name in known_theme]
    theme = group_topics(centres, before)
    return name_themes(theme, texts, known_themes(theme, before, [len(topic) for topic in texts]))
