"""Some questions of each topic, to look at a topic by, to split it, and to choose what is pinned to another."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lacuna.pipelines.runtime.job import Job

__all__ = ["topic_questions"]

OF_TOPIC, OF_NONE = 40, 100  # questions of each topic, and of those that are in none


def topic_questions(job: Job, assignments: pd.DataFrame) -> pd.DataFrame:
    """Questions of the window that topics were found on: of each topic from its middle to its edge, each text once.

    Parameters
    ----------
    assignments
        As published: conversation_id, question_number, topic_id, subtopic_id, strength.
    """
    asked = job.read("understand/sample_questions")
    main = assignments.loc[
        assignments["question_number"].eq(1), ["conversation_id", "topic_id", "subtopic_id", "strength"]
    ]
    rows = asked[asked["in_window"]].drop(columns="in_window").merge(main, on="conversation_id")
    rows = rows.sort_values(["strength", "conversation_id"], ascending=[False, True])
    rows = rows.drop_duplicates(["topic_id", "key"])
    chosen = [
        own.iloc[np.unique(np.linspace(0, len(own) - 1, OF_NONE if pd.isna(topic) else OF_TOPIC).round().astype(int))]
        for topic, own in rows.groupby("topic_id", dropna=False, sort=True)
    ]
    columns = ["topic_id", "subtopic_id", "conversation_id", "key", "question", "strength"]
    return (pd.concat(chosen) if chosen else rows)[columns].reset_index(drop=True)
