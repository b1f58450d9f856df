"""Questions to topics and subtopics: subtopics lie in topics, and topics are as large as they have to be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lacuna.models.text.vectors import unit
from lacuna.models.topics.question_space import QuestionSpace
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.understand.assign import assign_questions
from lacuna.pipelines.steps.understand.levels import group
from lacuna.pipelines.steps.understand.sample import Sample, sample_rows
from lacuna.pipelines.steps.understand.topic_space import read_topic_space, write_topic_space
from tests.support.bundles import make_job

WORDS = ["parcel", "refund", "login", "battery", "tent", "voucher", "invoice", "wheel", "strap", "zip", "pump", "lamp"]


def planted_questions(seed: int, loose: float) -> tuple[pd.DataFrame, np.ndarray]:
    """Questions about a few subjects, each said in a few ways, and where they lie; the looser, the less apart."""
    rng = np.random.default_rng(seed)
    n, dim = 260, 40
    subject, way = rng.integers(0, 6, n), rng.integers(0, 4, n)
    middles, ways = unit(rng.normal(size=(6, dim))), unit(rng.normal(size=(24, dim)))
    space = unit(middles[subject] + 0.7 * ways[4 * subject + way] + loose * unit(rng.normal(size=(n, dim))))
    questions = pd.DataFrame(
        {
            "conversation_id": [f"c{i:03d}" for i in range(n)],
            "question": [
                f"the {WORDS[s]} of my order {WORDS[6 + (s + w) % 6]} {i}"
                for i, (s, w) in enumerate(zip(subject, way, strict=True))
            ],
            "language": "en",
            "key": [f"{i:04d}" for i in rng.permutation(n)],
            "p_failed": np.where(way == 0, 0.9, 0.2),
            "customer_id": pd.array([f"u{i}" for i in rng.integers(0, 90, n)], dtype="str"),
        }
    )  # fmt: skip
    return questions, space


def grouped(
    folder: Path, questions: pd.DataFrame, space: np.ndarray, *, window: int = 3, at_most: int = 6000
) -> tuple[Job, pd.DataFrame]:
    """Group the questions, all but every ``window``-th of them in the window, by at most so many of them."""
    job = make_job("bundle", folder)
    topics = job.settings.topics.model_copy(update={"fit_at_most": at_most})
    job = replace(job, settings=job.settings.model_copy(update={"topics": topics}))
    questions = questions.assign(in_window=np.arange(len(questions)) % window > 0 if window else True)
    own = questions.iloc[sample_rows(questions, at_most)].sort_values("conversation_id")
    rows, own = own.index.to_numpy(), own.reset_index(drop=True)
    learnt, _ = QuestionSpace.learn(
        list(own["question"]), list(own["language"]), space[rows], np.zeros((len(rows), 0), dtype=np.float32)
    )
    found = group(job, Sample(own, space[rows], learnt, space[rows], learnt, space[rows]), set(questions["key"]))
    write_topic_space(job, found)
    blocks = [(part, part) for part in (space[:100], space[100:])]
    return job, assign_questions(questions, read_topic_space(job), blocks, topics.nearest_at_least)


@pytest.mark.parametrize("loose", [0.3, 0.8, 1.3])
@pytest.mark.parametrize("seed", [1, 2])
def test_subtopics_lie_in_topics_that_are_large_enough(tmp_path: Path, seed: int, loose: float) -> None:
    """One topic a subtopic, its core in that topic's; every topic has the questions and customers that it needs."""
    questions, space = planted_questions(seed, loose)
    job, assignments = grouped(tmp_path, questions, space)
    thresholds = job.settings.topics
    inside = assignments[assignments["subtopic_id"].notna()]
    assert inside.groupby("subtopic_id")["topic_id"].nunique().eq(1).all()
    assert inside["topic_id"].notna().all()
    assert assignments.loc[assignments["subtopic_core"], "state"].eq("core").all()
    assert assignments["topic_id"].isna().equals(assignments["state"].eq("unassigned"))
    assert assignments.loc[assignments["state"] == "nearest", "strength"].gt(0).all()
    topics, subtopics = job.read("understand/topics"), job.read("understand/subtopics")
    core = assignments[assignments["state"] == "core"].merge(questions)
    sizes = core.groupby("topic_id").agg(questions=("conversation_id", "size"), customers=("customer_id", "nunique"))
    assert set(sizes.index) == set(topics["topic_id"])
    assert sizes["questions"].min() >= thresholds.min_questions
    assert sizes["customers"].min() >= thresholds.min_customers
    assert sizes["questions"].to_dict() == topics.set_index("topic_id")["conversations"].to_dict()
    topic_of = subtopics.set_index("subtopic_id")["topic_id"]
    assert (inside["subtopic_id"].map(topic_of) == inside["topic_id"]).all()


def test_no_order_of_rows_matters(tmp_path: Path) -> None:
    """The same questions in another order get the same ids, states and subtopics."""
    questions, space = planted_questions(4, 0.8)
    order = np.random.default_rng(0).permutation(len(questions))
    assignments = grouped(tmp_path / "a", questions, space, window=0)[1]
    shuffled = questions.iloc[order].reset_index(drop=True)
    other = grouped(tmp_path / "b", shuffled, space[order], window=0)[1]
    pd.testing.assert_frame_equal(
        assignments.sort_values("conversation_id", ignore_index=True),
        other.sort_values("conversation_id", ignore_index=True),
    )


def test_questions_beyond_the_sample_join_the_nearest(tmp_path: Path) -> None:
    """Of 260 questions, 120 make the topics; the others are in no core, and most join the topic that is theirs."""
    questions, space = planted_questions(3, 0.4)
    found = grouped(tmp_path / "some", questions, space, window=0, at_most=120)[1]
    sample = sample_rows(questions.assign(in_window=True), 120)
    others = found.drop(index=sample)
    assert found["state"].eq("core").sum() <= 120
    assert not others["state"].eq("core").any()
    assert not others["subtopic_core"].any()
    assert others["topic_id"].notna().mean() > 0.8
    whole = grouped(tmp_path / "all", questions, space, window=0)[1]
    both = pd.crosstab(found["topic_id"], whole["topic_id"])
    assert both.max(axis=1).sum() > 0.8 * both.to_numpy().sum()
