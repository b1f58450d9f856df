"""The subtopics as the diagnosis judged them, with their names and the gaps that they are in."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from lacuna.pipelines.runtime.job import Job

__all__ = ["subtopics_judged"]


def subtopics_judged(job: Job, backlog: pd.DataFrame) -> pd.DataFrame:
    """The published table ``subtopics_judged``, one row a subtopic that was asked about in the window."""
    names = job.read("understand/subtopics")[["subtopic_id", "label", "topic_id", "topic_label"]]
    judged = job.read("diagnose/judged").merge(names, on="subtopic_id")
    facts = job.read("measure/facts", ["conversation_id", "subtopic_id"]).set_index("conversation_id")["subtopic_id"]
    held: dict[str, Counter[str]] = {}
    for gap_id, conversations in zip(backlog.get("gap_id", ()), backlog.get("conversation_ids", ()), strict=True):
        for subtopic, count in Counter(facts.loc[list(conversations)].dropna()).items():
            held.setdefault(str(subtopic), Counter())[str(gap_id)] = count
    judged["gap_ids"] = [[gap for gap, _ in held.get(s, Counter()).most_common()] for s in judged["subtopic_id"]]
    judged["in_gaps"] = [held.get(s, Counter()).total() for s in judged["subtopic_id"]]
    asked = judged["conversations"].gt(0) | judged["besides"].gt(0)
    return judged[asked].reset_index(drop=True)
