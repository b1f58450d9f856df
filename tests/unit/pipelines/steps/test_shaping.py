"""People's edits where topics are found on a sample: they hold for the questions outside of it too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.topics.shaped import encoded
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state import topic_edit_log
from lacuna.pipelines.state.repository import open_state
from lacuna.pipelines.steps.understand.sample import sample_rows
from tests.unit.pipelines.steps.test_levels import grouped, planted_questions

EARLIER = "2024-06-21"
SAMPLE = 140  # of 260 questions


def anchor(registry: pd.DataFrame, topic: str) -> dict[str, Any]:
    row = registry[registry["topic_id"] == topic].iloc[0]
    values = {name: row[name] for name in ("topic_id", "label", "embedder")}
    return {**values, "centroid": encoded(row["centroid"]), "members": list(row["members"])}


def test_a_dropped_topic_and_a_pinned_question_hold_outside_the_sample(tmp_path: Path) -> None:
    """What is not in the sample joins neither the dropped topic nor a neighbour, and goes where it was pinned."""
    questions, space = planted_questions(3, 0.4)
    job, before = grouped(tmp_path, questions, space, window=0)
    registry = job.read("understand/registry")
    dropped, target = before["topic_id"].value_counts().index[:2]
    in_sample = np.isin(np.arange(len(questions)), sample_rows(questions.assign(in_window=True), SAMPLE))
    outside = np.flatnonzero((before["topic_id"] == dropped).to_numpy() & ~in_sample)
    pinned = questions.iloc[outside[0]]
    question = {"conversation_id": pinned["conversation_id"], "key": pinned["key"], "question": pinned["question"]}
    with open_state(load_settings(), job.store) as state:
        state.record_run(EARLIER, "h", registry, pd.DataFrame(columns=["gap_id"]))
        with state.writing() as connection:
            for deed, topic, more in (("drop", dropped, {}), ("pin", target, {"question": question})):
                payload = {"topic": anchor(registry, topic), **more}
                topic_edit_log.append(connection, deed, topic, "ada", "", payload, 0)
    job, after = grouped(tmp_path, questions, space, window=0, at_most=SAMPLE)
    assert [(edit["deed"], edit["kept"]) for edit in job.read_json("understand/topic_edits")] == [
        ("drop", True), ("pin", True),
    ]  # fmt: skip
    assert dropped not in set(job.read("understand/topics")["topic_id"])
    assert after["topic_id"].iloc[outside[0]] == target
    others = after.drop(index=outside[0])[before["topic_id"].drop(index=outside[0]) == dropped]
    assert others["topic_id"].isna().mean() == 1
    assert others["subtopic_id"].isna().all()
    rest = before["topic_id"].notna() & (before["topic_id"] != dropped)
    assert (after["topic_id"][rest] == before["topic_id"][rest]).mean() > 0.9


def test_a_new_question_nearest_to_a_dropped_topic_joins_none(tmp_path: Path) -> None:
    """A question that was not there when the topic was dropped lies where it was, and finds no topic there."""
    questions, space = planted_questions(3, 0.4)
    job, before = grouped(tmp_path, questions, space, window=0)
    registry = job.read("understand/registry")
    dropped = before["topic_id"].value_counts().index[0]
    known = anchor(registry, dropped)
    half = set(known["members"][::2])  # the others are new since
    with open_state(load_settings(), job.store) as state:
        members = [[key for key in keys if key in half or known["topic_id"] != topic] for topic, keys in zip(
            registry["topic_id"], registry["members"], strict=True)]  # fmt: skip
        state.record_run(EARLIER, "h", registry.assign(members=members), pd.DataFrame(columns=["gap_id"]))
        with state.writing() as connection:
            payload = {"topic": {**known, "members": sorted(half)}}
            topic_edit_log.append(connection, "drop", dropped, "ada", "", payload, 0)
    _, after = grouped(tmp_path, questions, space, window=0, at_most=SAMPLE)
    new = (before["topic_id"] == dropped) & ~questions["key"].isin(half)
    assert new.sum() > 10
    assert after["topic_id"][new].isna().mean() > 0.95
