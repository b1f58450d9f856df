"""Topics of the further problems in a conversation: counted as demand, and no part of what makes a topic."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32
from lacuna.models.conversations.follow_ups import further_questions
from lacuna.models.text.vectors import unit
from lacuna.models.topics.nearest import assign_nearest
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job

__all__ = ["with_further"]

FLOOR = 10  # percent of a topic's own questions that are farther from its middle than a further one may be


def with_further(
    job: Job, messages: pd.DataFrame, asked: pd.DataFrame, assigned: pd.DataFrame, vectors: F32
) -> pd.DataFrame:
    """``assigned`` with ``question_number``, 1 for the question a conversation is about, and a row a further problem.

    A further problem is of a subtopic, and so of its topic, where it is nearer than a tenth of the subtopic's own
    questions. One whose nearest is of the conversation's own topic is that question over again, and gets no row.
    """
    first = assigned.assign(question_number=1)
    more = further_questions(messages[messages["conversation_id"].isin(asked["conversation_id"])])
    if more.empty:
        return first
    middle = vectors.mean(axis=0)
    own = unit(vectors - middle)
    new = unit(embed(list(more["question"]), job.settings.embedder.name, job.store, "embedding questions") - middle)
    core = assigned["subtopic_id"].where(assigned["subtopic_core"])
    ids = sorted(core.dropna().unique())
    rows = [np.flatnonzero(core == each) for each in ids]
    centroids = unit(np.array([own[r].mean(axis=0) for r in rows], dtype=np.float32).reshape(len(ids), own.shape[1]))
    nearest = assign_nearest(new, centroids)
    near = assign_nearest(new, centroids, np.array([_floor(own[r]) for r in rows])).topic >= 0
    subtopic = pd.Series([ids[number] if number >= 0 else None for number in nearest.topic], dtype="str")
    topic = subtopic.map(assigned.set_index("subtopic_id")["topic_id"].groupby(level=0).first())
    same = topic.eq(more["conversation_id"].map(assigned.set_index("conversation_id")["topic_id"]))
    extra = pd.DataFrame(
        {
            "conversation_id": more["conversation_id"],
            "topic_id": topic.where(near).astype("str"),
            "state": pd.array(np.where(near, "nearest", "unassigned"), dtype="str"),
            "strength": np.round(nearest.strength.astype(float), 4),
            "subtopic_id": subtopic.where(near).astype("str"),
            "subtopic_core": False,
            "question_number": more["question_number"],
        }
    )
    both = pd.concat([first, extra[~same.to_numpy(dtype=bool, na_value=False)]], ignore_index=True)
    both = both.sort_values(["conversation_id", "question_number"], kind="stable")
    again = both.duplicated(["conversation_id", "topic_id"]) & both["topic_id"].notna()
    return both[~again].reset_index(drop=True)


def _floor(own: F32) -> float:
    """How near a topic's own questions are to the middle of the others, but for the farthest of them."""
    others = unit(own.sum(axis=0) - own)
    return float(np.percentile((own * others).sum(axis=1), FLOOR))
