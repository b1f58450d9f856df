"""Some questions of each topic, to look at a topic by, to split it, and to choose what is pinned to another."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lacuna.pipelines.runtime.job import Job

__all__ = ["subtopic_questions", "topic_questions"]

OF_TOPIC, OF_NONE = 40, 100  # questions of each topic, and of those that are in none
OF_SUBTOPIC = 12
_COLUMNS = ["topic_id", "subtopic_id", "conversation_id", "key", "question", "strength"]


def topic_questions(job: Job, assignments: pd.DataFrame) -> pd.DataFrame:
    """Questions of the window that topics were found on: of each topic from its middle to its edge, each text once.

    Parameters
    ----------
    assignments
        As published: conversation_id, question_number, topic_id, subtopic_id, strength.
    """
    return _chosen(_asked(job, assignments), "topic_id", OF_TOPIC)


def subtopic_questions(job: Job, assignments: pd.DataFrame) -> pd.DataFrame:
    """As :func:`topic_questions`, but of each subtopic: by these, what people ask of a run is found."""
    return _chosen(_asked(job, assignments), "subtopic_id", OF_SUBTOPIC)


def _asked(job: Job, assignments: pd.DataFrame) -> pd.DataFrame:
    """The questions of the window that topics were found on, from the middle of their topic to its edge."""
    asked = job.read("understand/sample_questions")
    main = assignments.loc[
        assignments["question_number"].eq(1), ["conversation_id", "topic_id", "subtopic_id", "strength"]
    ]
    rows = asked[asked["in_window"]].drop(columns="in_window").merge(main, on="conversation_id")
    rows = rows.sort_values(["strength", "conversation_id"], ascending=[False, True])
    return rows.drop_duplicates(["topic_id", "key"])


def _chosen(rows: pd.DataFrame, level: str, most: int) -> pd.DataFrame:
    """So many questions of each group, evenly from its middle to its edge, and some of those that are in none."""
    chosen = [
        own.iloc[np.unique(np.linspace(0, len(own) - 1, OF_NONE if pd.isna(group) else most).round().astype(int))]
        for group, own in rows.groupby(level, dropna=False, sort=True)
    ]
    return (pd.concat(chosen) if chosen else rows)[_COLUMNS].reset_index(drop=True)
