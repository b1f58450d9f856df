"""The questions that topics are found on: a bounded number, chosen by content, with all that is known of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32, Flags, Ints
from lacuna.models.retrieval.candidates import Candidates, rows_of
from lacuna.models.topics.question_space import QuestionSpace
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.understand.matching import (
    candidates_by_file,
    language_codes,
    live_articles,
    nearness,
    read_candidates,
    read_vectors,
)

__all__ = ["BLOCK", "Sample", "places", "read_sample", "sample_rows"]

BLOCK = 8192  # questions whose places are held at once


@dataclass(frozen=True)
class Sample:
    """A bounded number of a run's questions.

    Attributes
    ----------
    rows
        Their row numbers among all questions, ascending.
    questions
        conversation_id, question, language, key, p_failed, customer_id, in_window.
    vectors
        float32 (n, dim), from the embedder.
    space, places
        The space that was learnt from them, and their places in it, float32 (n, dims).
    """

    rows: Ints
    questions: pd.DataFrame
    vectors: F32
    space: QuestionSpace
    places: F32


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
    vectors = np.concatenate(rows_of(read_vectors(job), rows))
    candidates = Candidates.joined(rows_of(read_candidates(job, len(live_articles(job)), ("score", "agents")), rows))
    space = QuestionSpace(list(texts["question"]), language_codes(texts["language"], ""), vectors, nearness(candidates))
    own = questions.iloc[rows].reset_index(drop=True)
    own = own.assign(question=texts["question"].array, language=texts["language"].array)
    return Sample(rows, own, vectors, space, space.vectors)


def _texts_of(job: Job, rows: Ints) -> pd.DataFrame:
    pieces, start = [], 0
    for part in job.read_shards("understand/questions", ["question", "language"]):
        pieces.append(part.iloc[rows[(rows >= start) & (rows < start + len(part))] - start])
        start += len(part)
    return pd.concat(pieces, ignore_index=True)


def places(job: Job, sample: Sample) -> Iterator[F32]:
    """The place of every question in the sample's space, float32 (block, dims), block by block in order.

    A question of the sample lies where it was when the space was learnt from it.
    """
    articles, start = len(live_articles(job)), 0
    parts = zip(
        job.read_shards("understand/questions", ["question", "language"]),
        read_vectors(job),
        candidates_by_file(job, articles, ("score", "agents")),
        strict=True,
    )
    for texts, vectors, candidates in parts:
        for first in range(0, len(texts), BLOCK):
            block = slice(first, first + BLOCK)
            asked = texts.iloc[block]
            own = sample.rows[(sample.rows >= start) & (sample.rows < start + len(asked))]
            there = np.searchsorted(sample.rows, own)
            out = np.zeros((len(asked), sample.places.shape[1]), dtype=np.float32)
            out[own - start] = sample.places[there]
            others: Flags = np.ones(len(asked), dtype=bool)
            others[own - start] = False
            if others.any():
                some = asked[others]
                out[others] = sample.space.place(
                    list(some["question"]), language_codes(some["language"], ""), vectors[block][others],
                    nearness(candidates.take(block).take(others)),
                )  # fmt: skip
            yield out
            start += len(asked)
