"""What is needed of the topics that were found to assign questions to them: one file, between two parts of the step."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32, F64, Ints
from lacuna.models.topics.question_space import QuestionSpace
from lacuna.pipelines.runtime.job import Job

__all__ = ["TopicSpace", "read_topic_space", "write_topic_space"]

FILE = "understand/topic_space.npz"


@dataclass(frozen=True)
class TopicSpace:
    """The topics and subtopics of a run, and the space that they were found in.

    Attributes
    ----------
    space, topic_space
        Put a question into the space of subtopics, and into that of topics, which is often the same.
    topic_ids, subtopic_ids
        Topics and subtopics have numbers: their places in these lists.
    topic_centres, subtopic_centres
        float32 (topics, dims) and (subtopics, dims), rows of length 1, each in its own space.
    topic_of_subtopic
        int (subtopics,), the number of each subtopic's topic.
    core
        topic and subtopic (int, -1 for none) of the questions that topics were found on, by conversation_id.
    mean
        float32 (dim,), the mean of these questions' vectors.
    subtopic_means, subtopic_floors
        float32 (subtopics, dim), the mean of each subtopic's vectors less that, rows of length 1; and the least cosine
        to it of a follow-up question, float (subtopics,).
    fixed_keys, fixed_topics
        Questions that people placed, by their content keys, and the number of each one's topic; -1 for none.
    dropped_topics, dropped_subtopics, dropped_means
        As topic_centres, subtopic_centres and subtopic_means, of what people have said is no topic: a question that is
        nearest to one of these joins none.
    """

    space: QuestionSpace
    topic_space: QuestionSpace
    topic_ids: list[str]
    subtopic_ids: list[str]
    topic_centres: F32
    subtopic_centres: F32
    topic_of_subtopic: Ints
    core: pd.DataFrame
    mean: F32
    subtopic_means: F32
    subtopic_floors: F64
    fixed_keys: list[str]
    fixed_topics: Ints
    dropped_topics: F32
    dropped_subtopics: F32
    dropped_means: F32


def write_topic_space(job: Job, found: TopicSpace) -> None:
    """Write ``found`` as arrays, without a single pickled object."""
    arrays: dict[str, Any] = {
        "topic_ids": np.array(found.topic_ids, dtype=str),
        "subtopic_ids": np.array(found.subtopic_ids, dtype=str),
        "topic_centres": found.topic_centres,
        "subtopic_centres": found.subtopic_centres,
        "topic_of_subtopic": found.topic_of_subtopic,
        "core_ids": np.array(found.core.index.tolist(), dtype=str),
        "core": found.core[["topic", "subtopic"]].to_numpy(dtype=np.int64),
        "mean": found.mean,
        "subtopic_means": found.subtopic_means,
        "subtopic_floors": found.subtopic_floors,
        "fixed_keys": np.array(found.fixed_keys, dtype=str),
        "fixed_topics": found.fixed_topics,
        "dropped_topics": found.dropped_topics,
        "dropped_subtopics": found.dropped_subtopics,
        "dropped_means": found.dropped_means,
    }
    content = io.BytesIO()
    arrays |= {f"space/{name}": array for name, array in found.space.arrays().items()}
    if found.topic_space is not found.space:
        arrays |= {f"topic_space/{name}": array for name, array in found.topic_space.arrays().items()}
    np.savez(content, allow_pickle=False, **arrays)
    job.write_bytes(FILE, content.getvalue())


def read_topic_space(job: Job) -> TopicSpace:
    """Read what :func:`write_topic_space` wrote."""
    with np.load(io.BytesIO(job.read_bytes(FILE)), allow_pickle=False) as arrays:
        parts = {
            kind: {name.removeprefix(kind): arrays[name] for name in arrays.files if name.startswith(kind)}
            for kind in ("space/", "topic_space/")
        }
        space = QuestionSpace.of_arrays(parts["space/"])
        topic_space = QuestionSpace.of_arrays(parts["topic_space/"]) if parts["topic_space/"] else space
        core = pd.DataFrame(arrays["core"], columns=["topic", "subtopic"], index=pd.Index(arrays["core_ids"].tolist()))
        return TopicSpace(
            space, topic_space, arrays["topic_ids"].tolist(), arrays["subtopic_ids"].tolist(),
            arrays["topic_centres"], arrays["subtopic_centres"], arrays["topic_of_subtopic"], core, arrays["mean"],
            arrays["subtopic_means"], arrays["subtopic_floors"], arrays["fixed_keys"].tolist(), arrays["fixed_topics"],
            arrays["dropped_topics"], arrays["dropped_subtopics"], arrays["dropped_means"],
        )  # fmt: skip
