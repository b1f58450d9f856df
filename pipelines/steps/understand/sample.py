"""The questions that topics are found on: a bounded number, chosen by content, with all that is known of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32, Ints
from lacuna.models.retrieval.candidates import Candidates, rows_of
from lacuna.models.topics.question_space import QuestionSpace
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.understand.embedder_choice import languages_asked
from lacuna.pipelines.steps.understand.matching import (
    language_codes,
    live_articles,
    nearness,
    read_candidates,
    read_vectors,
)

__all__ = ["Sample", "read_sample", "sample_rows"]


@dataclass(frozen=True)
class Sample:
    """A bounded number of a run's questions.

    Attributes
    ----------
    questions
        conversation_id, question, language, key, p_failed, customer_id, in_window; by conversation_id.
    vectors
        float32 (n, dim), from the embedder.
    space, places
        The space that subtopics are found in, learnt from them, and their places in it, float32 (n, dims).
    topic_space, topic_places
        The same for topics: another where an embedder of several languages brings these together.
    """

    questions: pd.DataFrame
    vectors: F32
    space: QuestionSpace
    places: F32
    topic_space: QuestionSpace
    topic_places: F32


def sample_rows(questions: pd.DataFrame, at_most: int) -> Ints:
    """Row numbers of at most ``at_most`` questions to find topics on: the window's first, by their content keys.

    Parameters
    ----------
    questions
        conversation_id, key, in_window (bool).
    """
    outside = ~questions["in_window"].to_numpy(dtype=bool)
    order = np.lexsort((questions["conversation_id"], questions["key"], outside))
    return np.sort(order[:at_most])


def read_sample(job: Job, questions: pd.DataFrame) -> Sample:
    """Read the sample's questions, vectors and candidates, and learn the space from them.

    Parameters
    ----------
    questions
        All questions of the run, in order: conversation_id, key, p_failed, customer_id, in_window.
    """
    rows = sample_rows(questions, job.settings.topics.fit_at_most)
    texts = _texts_of(job, rows)
    own = questions.iloc[rows].reset_index(drop=True)
    own = own.assign(question=texts["question"].array, language=texts["language"].array)
    # Of phrases that describe a topic equally well, the first one met comes first: the order must not be the shards'.
    order = np.argsort(own["conversation_id"].to_numpy(dtype=object).astype(str), kind="stable")
    own = own.iloc[order].reset_index(drop=True)
    vectors = np.concatenate(rows_of(read_vectors(job), rows))[order]
    blocks = read_candidates(job, len(live_articles(job)), ("score", "agents"))
    near = nearness(Candidates.joined(rows_of(blocks, rows)).take(order))
    asked = list(own["question"])
    space, places = QuestionSpace.learn(asked, language_codes(own["language"], ""), vectors, near)
    if job.topic_embedder == job.embedder:
        return Sample(own, vectors, space, places, space, places)
    several = embed(asked, job.topic_embedder, job.store, "embedding questions in several languages")
    return Sample(own, vectors, space, places, *QuestionSpace.learn(asked, languages_asked(job, own), several, near))


def _texts_of(job: Job, rows: Ints) -> pd.DataFrame:
    pieces, start = [], 0
    for part in job.read_shards("understand/questions", ["question", "language"]):
        pieces.append(part.iloc[rows[(rows >= start) & (rows < start + len(part))] - start])
        start += len(part)
    return pd.concat(pieces, ignore_index=True)
