"""Questions grouped into topics and subtopics, whose ids and names stay the same from week to week.

Topics are for people to read: few, each about one problem. Subtopics are for the diagnosis: small enough to have one
reason why their answers fail. Every subtopic belongs to one topic.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lacuna.models.arrays import F32, Ints
from lacuna.models.text import lexicon
from lacuna.models.topics import describe, names
from lacuna.models.topics.describe import Phrases
from lacuna.models.topics.graph_clusters import centroids
from lacuna.models.topics.nearest import assign_nearest
from lacuna.models.topics.theme_names import name_themes
from lacuna.models.topics.themes import group_topics, known_themes
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.llm.topic_names import propose
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.settings import Topics
from lacuna.pipelines.steps.understand.sample import Sample
from lacuna.pipelines.steps.understand.topic_registry import Before, identify, name, read_before

__all__ = ["group"]


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


def group(job: Job, questions: pd.DataFrame, sample: Sample, places: Callable[[], Iterable[F32]]) -> pd.DataFrame:
    """Find topics and subtopics; write understand/{topics,registry,events,naming} and the same tables of subtopics.

    Both are found on the sample. Every other question joins the nearest.

    Parameters
    ----------
    job
        The run.
    questions
        One row per question: conversation_id, key, in_window.
    sample
        The questions to find topics on.
    places
        Gives the place of every question in the sample's space, float32 (n, dims) for one block after the other.

    Returns
    -------
    DataFrame
        conversation_id, topic_id, state (core, nearest, unassigned), strength (float, cosine to the topic's centroid),
        subtopic_id, subtopic_core (bool); in the order of ``questions``.
    """
    settings = job.settings.topics
    window = questions["in_window"].to_numpy(dtype=bool)
    topics_before, subtopics_before = read_before(job)
    own = sample.questions
    with progress.bar("grouping questions") as tick:
        (topic_labels, topic_words), (subtopic_labels, subtopic_words) = describe.fit_topics(
            list(own["question"]), sample.places, own["p_failed"].to_numpy(),
            sorted(lexicon.STOP_WORDS), max_distance=settings.max_distance,
            subtopic_distance=settings.subtopic_distance, min_size=settings.min_questions, evidence=settings.evidence,
            before=topics_before.number_of(own["key"]),
        )  # fmt: skip
        tick(1, 1)
    small = _level(own, subtopic_labels, subtopic_words, sample.places, settings)
    subtopic = assign_nearest(sample.places, small.centres, settings.nearest_at_least, small.core).topic
    large = _level(own, _without_strays(topic_labels, small, subtopic), topic_words, sample.places, settings)
    within = np.array([large.core[rows[0]] for rows in small.groups], dtype=np.int64)
    assigned = _assigned(questions, sample, places(), large, small, within, settings.nearest_at_least)
    asked = set(questions["key"])
    topics = _registered(job, sample, asked, large, topics_before)
    subtopics = _registered(job, sample, asked, small, subtopics_before)
    ids = topics.table["topic_id"].to_numpy(dtype=object)
    topic_of_subtopic = _named(ids, within)
    assigned["topic_id"] = _named(ids, assigned.pop("topic"))
    assigned["subtopic_id"] = _named(subtopics.table["subtopic_id"].to_numpy(dtype=object), assigned.pop("subtopic"))
    for state in ("core", "nearest"):
        counts = assigned.loc[window & assigned["state"].eq(state).to_numpy(), "topic_id"].value_counts()
        topics.table[state] = topics.table["topic_id"].map(counts).fillna(0).astype(int)
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
    return assigned[["conversation_id", "topic_id", "state", "strength", "subtopic_id", "subtopic_core"]]


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


def _assigned(
    questions: pd.DataFrame,
    sample: Sample,
    places: Iterable[F32],
    large: Level,
    small: Level,
    within: Ints,
    at_least: float,
) -> pd.DataFrame:
    """Topic and state of each question: the topic of its subtopic, else the one it is core of, else the nearest."""
    core, subtopic_core = np.full((2, len(questions)), -1, dtype=np.int64)
    core[sample.rows], subtopic_core[sample.rows] = large.core, small.core
    topic, subtopic = np.full((2, len(questions)), -1, dtype=np.int64)
    strength = np.zeros(len(questions), dtype=np.float32)
    start = 0
    for block in places:
        own = slice(start, start + len(block))
        subtopic[own] = assign_nearest(block, small.centres, at_least, subtopic_core[own]).topic
        nearest = assign_nearest(block, large.centres, at_least, core[own])
        inside = subtopic[own] >= 0
        topic[own] = np.where(inside, within[subtopic[own]] if len(within) else -1, nearest.topic)
        at = np.arange(len(block))
        to_topic = nearest.cosines[at, topic[own]] if len(large.phrases) else np.zeros(len(block), dtype=np.float32)
        strength[own] = np.where(topic[own] >= 0, to_topic, nearest.cosines.max(axis=1, initial=0))
        start += len(block)
    assigned = topic >= 0
    is_core = assigned & (topic == core)
    return pd.DataFrame(
        {
            "conversation_id": questions["conversation_id"],
            "topic": topic,
            "subtopic": subtopic,
            "state": pd.array(np.select([is_core, assigned], ["core", "nearest"], "unassigned"), dtype="str"),
            "strength": np.round(strength.astype(float), 4),
            "subtopic_core": subtopic_core >= 0,
        }
    )


def _named(ids: NDArray[np.object_], numbers: Ints | pd.Series) -> pd.api.extensions.ExtensionArray:
    """The ids with these numbers, null for -1."""
    return pd.array([ids[number] if number >= 0 else None for number in numbers], dtype="str")


@dataclass(frozen=True)
class Registered:
    """Topics or subtopics with ids and names: the table, the rows of the registry, the events and the warnings."""

    table: pd.DataFrame
    registry: pd.DataFrame
    events: pd.DataFrame
    warnings: list[dict[str, object]]


def _registered(job: Job, sample: Sample, asked: Collection[str], level: Level, before: Before) -> Registered:
    groups, questions = level.groups, sample.questions
    texts = [list(questions["question"].iloc[rows]) for rows in groups]
    registry, events = identify(job, questions, groups, sample.vectors, before, asked)
    shown = [
        [text[i] for i in names.examples(text, list(sample.places[rows] @ centre))]
        for text, rows, centre in zip(texts, groups, level.centres, strict=True)
    ]
    labels = names.label_topics(
        texts, level.phrases, lambda some: embed(some, job.settings.embedder.name, job.store, "embedding names")
    )
    labels, warnings = propose(labels, level.phrases, shown, texts, job.settings.labels, job.store, before.level)
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
