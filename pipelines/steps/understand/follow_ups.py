"""Topics of follow-up questions: they count as demand, and topics are found without them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32
from lacuna.models.text.vectors import unit
from lacuna.models.topics.nearest import assign_nearest
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.understand.sample import BLOCK, Sample

__all__ = ["with_follow_ups"]

FLOOR = 10  # percentile of the cosines of a subtopic's own questions that a follow-up question must reach


def with_follow_ups(job: Job, follow_ups: pd.DataFrame, assigned: pd.DataFrame, sample: Sample) -> pd.DataFrame:
    """``assigned`` with ``question_number``, 1 for a conversation's main question, and a row per follow-up question.

    A follow-up question belongs to the nearest subtopic, and so to its topic, where it is nearer than a tenth of the
    subtopic's own questions. If its nearest subtopic is of the conversation's own topic, it repeats the main question
    and gets no row.

    Parameters
    ----------
    follow_ups
        From :func:`models.conversations.follow_ups.follow_up_questions`, of conversations with a main question.
    assigned
        From :func:`pipelines.steps.understand.levels.group`.
    sample
        The questions that subtopics were found on.
    """
    main = assigned.assign(question_number=1)
    if follow_ups.empty:
        return main
    mean = sample.vectors.mean(axis=0)
    centred = unit(sample.vectors - mean)
    own = assigned.iloc[sample.rows]
    core = own["subtopic_id"].where(own["subtopic_core"]).reset_index(drop=True)
    ids = sorted(core.dropna().unique())
    members = [centred[np.flatnonzero(core == subtopic)] for subtopic in ids]
    centroids = unit(np.array([each.mean(axis=0) for each in members], dtype=np.float32).reshape(len(ids), len(mean)))
    floors = np.array([_floor(each) for each in members])
    nearest, near, strength = [], [], []
    for first in range(0, len(follow_ups), BLOCK):
        texts = list(follow_ups["question"].iloc[first : first + BLOCK])
        vectors = unit(embed(texts, job.settings.embedder.name, job.store, "embedding questions") - mean)
        assignment = assign_nearest(vectors, centroids)
        nearest.append(assignment.topic)
        strength.append(assignment.strength)
        near.append(assign_nearest(vectors, centroids, floors).topic >= 0)
    is_near = np.concatenate(near)
    subtopic = pd.Series([ids[n] if n >= 0 else None for n in np.concatenate(nearest)], dtype="str")
    topic = subtopic.map(assigned.set_index("subtopic_id")["topic_id"].groupby(level=0).first())
    main_topic = follow_ups["conversation_id"].map(assigned.set_index("conversation_id")["topic_id"])
    repeats_main = topic.eq(main_topic).to_numpy(dtype=bool, na_value=False)
    rows = pd.DataFrame(
        {
            "conversation_id": follow_ups["conversation_id"],
            "topic_id": topic.where(is_near).astype("str"),
            "state": pd.array(np.where(is_near, "nearest", "unassigned"), dtype="str"),
            "strength": np.round(np.concatenate(strength).astype(float), 4),
            "subtopic_id": subtopic.where(is_near).astype("str"),
            "subtopic_core": False,
            "question_number": follow_ups["question_number"],
        }
    )
    both = pd.concat([main, rows[~repeats_main]], ignore_index=True)
    both = both.sort_values(["conversation_id", "question_number"], kind="stable")
    repeated = both.duplicated(["conversation_id", "topic_id"]) & both["topic_id"].notna()
    return both[~repeated].reset_index(drop=True)


def _floor(vectors: F32) -> float:
    """The cosine of each of a subtopic's questions to the centroid of the others, at the percentile ``FLOOR``."""
    others = unit(vectors.sum(axis=0) - vectors)
    return float(np.percentile((vectors * others).sum(axis=1), FLOOR))
