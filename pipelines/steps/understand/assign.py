"""Questions assigned to the topics that were found: each to the nearest, a shard at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32, Ints
from lacuna.models.retrieval.candidates import Candidates
from lacuna.models.text.vectors import unit
from lacuna.models.topics.nearest import assign_nearest
from lacuna.models.topics.question_space import QuestionSpace
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.understand.embedder_choice import languages_asked
from lacuna.pipelines.steps.understand.matching import (
    block_size,
    language_codes,
    live_articles,
    nearness,
    read_candidates_of,
    read_vectors_of,
)
from lacuna.pipelines.steps.understand.topic_space import TopicSpace, read_topic_space

__all__ = ["assign_questions", "assign_shard", "with_follow_ups"]

ANYWHERE = -2  # the fixed topic of a question that people have not placed
BLOCK = 8192  # questions whose places are held at once; fewer, with more than a thousand articles


def assign_shard(job: Job, shard: str | None) -> pd.DataFrame:
    """The rows of understand/assignments for one shard: its questions, and its follow-up questions."""
    found = read_topic_space(job)
    questions = job.read_shard("understand/questions", shard)
    vectors = read_vectors_of(job, shard)
    candidates = read_candidates_of(job, shard, len(live_articles(job)), ("score", "agents"))
    at_least = job.settings.topics.nearest_at_least
    asked = list(questions["question"])
    places = _places(asked, language_codes(questions["language"], ""), found.space, vectors, candidates)
    if found.topic_space is found.space:
        main = assign_questions(questions, found, ((block, block) for block in places), at_least)
    else:
        several = embed(asked, job.topic_embedder, job.store, "embedding questions in several languages")
        among_topics = _places(asked, languages_asked(job, questions), found.topic_space, several, candidates)
        main = assign_questions(questions, found, zip(places, among_topics, strict=True), at_least)
    return with_follow_ups(job, job.read_shard("understand/follow_ups", shard), main, found)


def _places(
    texts: list[str], languages: list[str], space: QuestionSpace, vectors: F32, candidates: Candidates
) -> Iterator[F32]:
    """The place of each question in the space that topics were found in, block by block: float32 (block, dims)."""
    size = block_size(BLOCK, candidates.articles)
    for start in range(0, len(texts), size):
        block = slice(start, start + size)
        near = nearness(candidates.take(block))
        yield space.place(texts[block], languages[block], vectors[block], near)


def assign_questions(
    questions: pd.DataFrame, found: TopicSpace, places: Iterable[tuple[F32, F32]], at_least: float
) -> pd.DataFrame:
    """Topic and state of each question: the topic of its subtopic, else the one it is core of, else the nearest.

    ``places`` are in the space of subtopics and in that of topics, block by block.
    """
    core = found.core.reindex(questions["conversation_id"]).fillna(-1).astype(np.int64)
    topic_core, subtopic_core = core["topic"].to_numpy(), core["subtopic"].to_numpy()
    topic, subtopic = np.full((2, len(questions)), -1, dtype=np.int64)
    strength = np.zeros(len(questions), dtype=np.float32)
    placed = dict(zip(found.fixed_keys, found.fixed_topics.tolist(), strict=True))
    fixed = questions["key"].map(placed).fillna(ANYWHERE).to_numpy(dtype=np.int64)
    subtopic_centres = np.vstack([found.subtopic_centres, found.dropped_subtopics])
    topic_centres = np.vstack([found.topic_centres, found.dropped_topics])
    n_topics, n_subtopics = len(found.topic_ids), len(found.subtopic_ids)
    start = 0
    for block, among_topics in places:
        own = slice(start, start + len(block))
        nearest_part = assign_nearest(block, subtopic_centres, at_least, subtopic_core[own]).topic
        nearest = assign_nearest(among_topics, topic_centres, at_least, topic_core[own])
        to_topics = nearest.cosines[:, :n_topics]
        dropped = (nearest_part >= n_subtopics) & (topic_core[own] < 0)
        subtopic[own] = np.where(nearest_part < n_subtopics, nearest_part, -1)
        inside = subtopic[own] >= 0
        topic[own] = np.where((nearest.topic < n_topics) & ~dropped, nearest.topic, -1)
        topic[own][inside] = found.topic_of_subtopic[subtopic[own][inside]]
        _put_where_people_said(block, found, fixed[own], topic[own], subtopic[own])
        strength[own] = to_topics.max(axis=1, initial=0)
        assigned = np.flatnonzero(topic[own] >= 0)
        strength[start + assigned] = to_topics[assigned, topic[own][assigned]]
        start += len(block)
    is_assigned = topic >= 0
    is_core = is_assigned & (topic == topic_core)
    return pd.DataFrame(
        {
            "conversation_id": questions["conversation_id"],
            "topic_id": _named(found.topic_ids, topic),
            "state": pd.array(np.select([is_core, is_assigned], ["core", "nearest"], "unassigned"), dtype="str"),
            "strength": np.round(strength.astype(float), 4),
            "subtopic_id": _named(found.subtopic_ids, subtopic),
            "subtopic_core": subtopic_core >= 0,
        }
    )


def _put_where_people_said(places: F32, found: TopicSpace, fixed: Ints, topic: Ints, subtopic: Ints) -> None:
    """Change ``topic`` and ``subtopic`` in place: a question goes to its fixed topic, and to the nearest part of it."""
    for row in np.flatnonzero(fixed != ANYWHERE):
        topic[row] = fixed[row]
        if fixed[row] < 0:
            subtopic[row] = -1
        elif subtopic[row] < 0 or found.topic_of_subtopic[subtopic[row]] != fixed[row]:
            parts = np.flatnonzero(found.topic_of_subtopic == fixed[row])
            nearness_to_parts = found.subtopic_centres[parts] @ places[row]
            subtopic[row] = parts[nearness_to_parts.argmax()] if len(parts) else -1


def with_follow_ups(job: Job, follow_ups: pd.DataFrame, main: pd.DataFrame, found: TopicSpace) -> pd.DataFrame:
    """``main`` with ``question_number``, 1 for a conversation's main question, and a row per follow-up question.

    A follow-up question belongs to the nearest subtopic, and so to its topic, where it is nearer than a tenth of the
    subtopic's own questions. If its nearest subtopic is of the conversation's own topic, it repeats the main question
    and gets no row.

    Parameters
    ----------
    follow_ups
        From :func:`models.conversations.follow_ups.follow_up_questions`, of conversations with a main question.
    main
        conversation_id, topic_id, state, strength, subtopic_id, subtopic_core of the main questions.
    found
        The topics.
    """
    main = main.assign(question_number=1)
    if follow_ups.empty:
        return main
    vectors = embed(list(follow_ups["question"]), job.embedder, job.store, "embedding questions")
    vectors = unit(vectors - found.mean)
    nearest = assign_nearest(vectors, found.subtopic_means)
    near = assign_nearest(vectors, found.subtopic_means, found.subtopic_floors).topic >= 0
    near &= (vectors @ found.dropped_means.T).max(axis=1, initial=-1) <= nearest.strength
    topic = np.where(nearest.topic >= 0, found.topic_of_subtopic[nearest.topic] if len(found.subtopic_ids) else -1, -1)
    main_topic = follow_ups["conversation_id"].map(main.set_index("conversation_id")["topic_id"])
    nearest_topic = pd.Series(_named(found.topic_ids, topic), main_topic.index)
    repeats_main = nearest_topic.eq(main_topic).to_numpy(bool, na_value=False)
    rows = pd.DataFrame(
        {
            "conversation_id": follow_ups["conversation_id"].array,
            "topic_id": _named(found.topic_ids, np.where(near, topic, -1)),
            "state": pd.array(np.where(near, "nearest", "unassigned"), dtype="str"),
            "strength": np.round(nearest.strength.astype(float), 4),
            "subtopic_id": _named(found.subtopic_ids, np.where(near, nearest.topic, -1)),
            "subtopic_core": False,
            "question_number": follow_ups["question_number"].array,
        }
    )
    both = pd.concat([main, rows[~repeats_main]], ignore_index=True)
    both = both.sort_values(["conversation_id", "question_number"], kind="stable")
    repeated = both.duplicated(["conversation_id", "topic_id"]) & both["topic_id"].notna()
    return both[~repeated].reset_index(drop=True)


def _named(ids: list[str], numbers: Ints) -> pd.api.extensions.ExtensionArray:
    """The ids with these numbers, null for -1."""
    return pd.array([ids[number] if number >= 0 else None for number in numbers.tolist()], dtype="str")
