"""The texts by which gaps, topics and questions are found, each with its vector."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job

__all__ = ["search_texts"]

COLUMNS = ["kind", "id", "topic_id", "subtopic_id", "text"]


def search_texts(job: Job, backlog: pd.DataFrame, questions: pd.DataFrame) -> pd.DataFrame:
    """The published table ``search_texts``.

    Parameters
    ----------
    backlog
        The run's gaps.
    questions
        Some questions of each subtopic (:func:`.topic_questions.subtopic_questions`).
    """
    topics, subtopics = job.read("understand/topics"), job.read("understand/subtopics")
    parts = [
        _of_gaps(backlog),
        topics.assign(kind="topic", id=topics["topic_id"], subtopic_id=None, text=topics["label"]),
        subtopics.assign(kind="subtopic", id=subtopics["subtopic_id"], text=subtopics["label"]),
        questions.assign(kind="question", id=questions["conversation_id"], text=questions["question"]),
    ]
    texts = pd.concat([part[COLUMNS].astype("str") for part in parts if len(part)] or [pd.DataFrame(columns=COLUMNS)])
    texts = texts[texts["text"].notna() & texts["text"].ne("")].reset_index(drop=True)
    vectors = embed(texts["text"].tolist(), job.topic_embedder, job.store, "embedding texts to search")
    return texts.assign(vector=pd.Series(list(vectors.astype(np.float16)), texts.index, dtype="object"))


def _of_gaps(backlog: pd.DataFrame) -> pd.DataFrame:
    """The title of each gap, with its largest subtopic."""
    if not len(backlog):
        return backlog
    largest = backlog["subtopics"].str[0]
    return backlog.assign(kind="gap", id=backlog["gap_id"], subtopic_id=largest, text=backlog["title"])
