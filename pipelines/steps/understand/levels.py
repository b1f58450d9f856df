"""Questions to topics and their subtopics, each under the id and the name that it keeps from week to week.

Topics are what people read: few, and each a problem. Subtopics are what is judged: small enough for one reason why
their answers fail. Every subtopic lies in one topic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lacuna.models.arrays import F32, Flags, Ints
from lacuna.models.retrieval import article_match
from lacuna.models.text import lexicon, word_vectors
from lacuna.models.text.vectors import centred, unit
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
from lacuna.pipelines.steps.understand.topic_registry import Before, identify, name, read_before

__all__ = ["ARTICLES", "MEANING", "group", "question_space"]


# What a question is to the grouping: shares of meaning, of words, and of nearness to articles.
MEANING, WORDS, ARTICLES = 0.45, 0.2, 0.35


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


def group(job: Job, asked: pd.DataFrame, vectors: F32, space: F32, window: Flags) -> pd.DataFrame:
    """Find the topics of the questions, and write understand/{topics,registry,events,naming}, and so for subtopics.

    Parameters
    ----------
    job
        Its run.
    asked
        One row a question: conversation_id, question, language, key, failed (float, a chance), customer_id.
    vectors, space
        float32 (questions, dim): the embedder's, and :func:`question_space`.
    window
        bool (questions,), whether a question is of the run's window.

    Returns
    -------
    DataFrame
        conversation_id, topic_id, state (core, nearest, unassigned), strength (float, cosine to the topic's middle),
        subtopic_id, subtopic_core (bool).
    """
    settings = job.settings.topics
    chosen = _bounded(asked, window, settings.fit_at_most)
    topics_before, subtopics_before = read_before(job)
    with progress.bar("grouping questions") as tick:
        (labels, words), (parts, part_words) = describe.fit_topics(
            list(asked["question"].iloc[chosen]), space[chosen], asked["failed"].to_numpy()[chosen],
            sorted(lexicon.STOP_WORDS), max_distance=settings.max_distance,
            subtopic_distance=settings.subtopic_distance, min_size=settings.min_questions, evidence=settings.evidence,
            before=topics_before.held(asked["key"])[chosen],
        )  # fmt: skip
        tick(1, 1)
    cut, part = np.full((2, len(asked)), -1, dtype=np.int64)
    cut[chosen], part[chosen] = labels, parts
    small = _level(asked, part, part_words, space, settings)
    subtopic = assign_nearest(space, small.centres, settings.nearest_at_least, small.core).topic
    large = _level(asked, _at_home(cut, small, subtopic), words, space, settings)
    within = np.array([large.core[rows[0]] for rows in small.groups], dtype=np.int64)
    assigned = _assigned(asked, space, large, small, subtopic, within, settings.nearest_at_least)
    known = _known(job, asked, vectors, space, large, topics_before)
    inner = _known(job, asked, vectors, space, small, subtopics_before)
    ids = known.table["topic_id"].to_numpy(dtype=object)
    in_topic = _named(ids, within)
    assigned["topic_id"] = _named(ids, assigned.pop("topic"))
    assigned["subtopic_id"] = _named(inner.table["subtopic_id"].to_numpy(dtype=object), subtopic)
    for state in ("core", "nearest"):
        counts = assigned.loc[window & assigned["state"].eq(state).to_numpy(), "topic_id"].value_counts()
        known.table[state] = known.table["topic_id"].map(counts).fillna(0).astype(int)
    job.write("understand/topics", pd.concat([known.table, describe.map_coordinates(large.centres)], axis=1))
    job.write("understand/registry", known.registry)
    job.write("understand/events", known.events)
    its_topic = known.table[["topic_id", "label", "theme"]].rename(columns={"label": "topic_label"})
    job.write("understand/subtopics", inner.table.assign(topic_id=in_topic).merge(its_topic, how="left", on="topic_id"))
    job.write("understand/subtopic_registry", inner.registry.assign(topic_id=in_topic))
    job.write("understand/subtopic_events", inner.events)
    job.write_json("understand/naming", known.warnings + inner.warnings)
    return assigned[["conversation_id", "topic_id", "state", "strength", "subtopic_id", "subtopic_core"]]


def question_space(asked: pd.DataFrame, vectors: F32, match: F32) -> F32:
    """The space that topics are found in: meaning, words and nearness to articles side by side, rows of length 1.

    Meaning is taken against the mean of its language, since a model that knows a language badly sees little in it but
    the language itself; words carry what the model misses.
    """
    language = [str(code) for code in asked["language"].fillna("").str[:2]]
    meaning = centred(vectors, language)
    words = word_vectors.word_vectors(list(asked["question"]), language)
    return unit(
        np.hstack(
            [
                np.sqrt(MEANING) * unit(meaning),
                np.sqrt(WORDS) * words,
                np.sqrt(ARTICLES) * article_match.profile(match),
            ]
        )
    )


def _bounded(asked: pd.DataFrame, window: Flags, at_most: int) -> Ints:
    """The questions that topics are found on: the window's first, then the history's, each by its content key."""
    order = np.lexsort((asked["conversation_id"], asked["key"], ~window))
    return np.sort(order[:at_most])


def _at_home(cut: Ints, small: Level, subtopic: Ints) -> Ints:
    """The topic of each question as it was cut, -1 where the question is of a subtopic of another topic.

    A topic's outer questions are near all kinds of things; what a subtopic near to one is about says more.
    """
    home = np.array([cut[rows[0]] for rows in small.groups], dtype=np.int64)
    elsewhere = subtopic >= 0
    elsewhere[elsewhere] = home[subtopic[elsewhere]] != cut[elsewhere]
    return np.where(elsewhere, -1, cut)


def _level(asked: pd.DataFrame, labels: Ints, words: Phrases, space: F32, settings: Topics) -> Level:
    """The groups that have enough questions, of enough customers."""
    core = np.full(len(asked), -1, dtype=np.int64)
    groups = {k: np.flatnonzero(labels == k) for k in sorted(words)}
    kept = [
        k
        for k, rows in groups.items()
        if len(rows) >= settings.min_questions and _customers(asked, rows) >= settings.min_customers
    ]
    for number, k in enumerate(kept):
        core[groups[k]] = number
    return Level(core, [[word for word, _ in words[k]][:10] for k in kept], centroids(space, core))


def _customers(asked: pd.DataFrame, rows: Ints) -> int:
    who = asked["customer_id"].iloc[rows]
    return int(who.nunique() + who.isna().sum())


def _assigned(
    asked: pd.DataFrame, space: F32, large: Level, small: Level, subtopic: Ints, within: Ints, at_least: float
) -> pd.DataFrame:
    """Each question's topic and state: its subtopic's topic, else that of the core, else the nearest that is near."""
    nearest = assign_nearest(space, large.centres, at_least, large.core)
    inside = subtopic >= 0
    topic = nearest.topic.copy()
    topic[inside] = within[subtopic[inside]]
    assigned = topic >= 0
    strength = nearest.cosines.max(axis=1, initial=0)
    strength[assigned] = nearest.cosines[assigned, topic[assigned]]
    core = assigned & (topic == large.core)
    return pd.DataFrame(
        {
            "conversation_id": asked["conversation_id"],
            "topic": topic,
            "state": pd.array(np.select([core, assigned], ["core", "nearest"], "unassigned"), dtype="str"),
            "strength": np.round(strength.astype(float), 4),
            "subtopic_core": small.core >= 0,
        }
    )


def _named(ids: NDArray[np.object_], numbers: Ints | pd.Series) -> pd.api.extensions.ExtensionArray:
    """The ids with these numbers, null for -1."""
    return pd.array([ids[number] if number >= 0 else None for number in numbers], dtype="str")


@dataclass(frozen=True)
class Known:
    """Topics, or subtopics, under their ids and names: the table, what the registry keeps, what happened, warnings."""

    table: pd.DataFrame
    registry: pd.DataFrame
    events: pd.DataFrame
    warnings: list[dict[str, object]]


def _known(job: Job, asked: pd.DataFrame, vectors: F32, space: F32, level: Level, before: Before) -> Known:
    groups = level.groups
    texts = [list(asked["question"].iloc[rows]) for rows in groups]
    registry, events = identify(job, asked, groups, vectors, before)
    shown = [
        [text[i] for i in names.examples(text, list(space[rows] @ centre))]
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
        customers=[_customers(asked, rows) for rows in groups],
        last_seen=job.run_id,
    )
    if before.level == "subtopics":
        table, registry = table.drop(columns="theme"), registry.drop(columns="theme")
        table, registry, events = (f.rename(columns={"topic_id": "subtopic_id"}) for f in (table, registry, events))
    return Known(table, registry, events, warnings)


def _themes(texts: list[list[str]], centres: F32, known_theme: pd.Series) -> list[str | None]:
    """The name of each topic's theme; a theme that most of a known one is in keeps its name."""
    before = [name if isinstance(name, str) else None for name in known_theme]
    theme = group_topics(centres, before)
    return name_themes(theme, texts, known_themes(theme, before, [len(topic) for topic in texts]))
