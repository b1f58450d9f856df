"""Follow-up questions are assigned to the topics that were found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from lacuna.models.conversations.follow_ups import follow_up_questions
from lacuna.models.topics.question_space import QuestionSpace
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.steps.understand.assign import with_follow_ups
from lacuna.pipelines.steps.understand.levels import subtopic_means
from lacuna.pipelines.steps.understand.topic_space import TopicSpace
from tests.support.bundles import make_job

PARCEL = [f"my parcel from box {i} has not arrived" for i in range(6)]
CARD = [f"how do I change the card on my account {i}" for i in range(6)]
MAIN = pd.DataFrame(
    {
        "conversation_id": [f"c{i:02d}" for i in range(12)],
        "topic_id": ["t-parcel"] * 6 + ["t-card"] * 6,
        "state": "core",
        "strength": 0.9,
        "subtopic_id": ["s-parcel"] * 6 + ["s-card"] * 6,
        "subtopic_core": True,
    }
)


def messages_table(*rows: tuple[str, int, str, str]) -> pd.DataFrame:
    """Messages: conversation, position, role and text."""
    return pd.DataFrame(rows, columns=["conversation_id", "position", "role", "text"])


def found(store: Path) -> TopicSpace:
    """Two topics of one subtopic each, parcels and cards."""
    vectors = embed([*PARCEL, *CARD], "minilm", store, "test")
    nothing = np.zeros((2, 0), dtype=np.float32)
    space, _ = QuestionSpace.learn([*PARCEL, *CARD], ["en"] * 12, vectors, np.zeros((12, 0), dtype=np.float32))
    core = pd.DataFrame({"topic": [0] * 6 + [1] * 6, "subtopic": [0] * 6 + [1] * 6}, index=MAIN["conversation_id"])
    means = subtopic_means(vectors, [np.arange(6), np.arange(6, 12)])
    ids = (["t-parcel", "t-card"], ["s-parcel", "s-card"])
    nobody = (
        [],
        np.array([], dtype=np.int64),
        nothing[:0],
        nothing[:0],
        vectors[:0],
    )  # what people have said of topics
    return TopicSpace(space, space, *ids, nothing, nothing, np.array([0, 1]), core, *means, *nobody)


def test_a_further_problem_counts_in_its_topic_and_no_problem_twice(tmp_path: Path) -> None:
    """It gets a row in the topic that asks for it; one that falls into its own conversation's topic gets none."""
    messages = messages_table(
        ("c00", 0, "customer", PARCEL[0] + ". Another question: how can I change the card on my account?"),
        ("c06", 0, "customer", CARD[0] + "? Also, how do I put a new card into the account profile?"),
        ("c07", 0, "customer", CARD[1] + "? Also, which vegetables grow well in a shady garden?"),
    )
    job = make_job(str(tmp_path), tmp_path / "store")
    questions = with_follow_ups(job, follow_up_questions(messages), MAIN, found(job.store))
    extra = questions[questions["question_number"] > 1].set_index("conversation_id")
    assert questions[questions["question_number"] == 1]["topic_id"].tolist() == MAIN["topic_id"].tolist()
    assert (extra["topic_id"]["c00"], extra["subtopic_id"]["c00"]) == ("t-card", "s-card")
    assert extra["state"]["c00"] == "nearest"
    assert "c06" not in extra.index
    assert extra["state"]["c07"] == "unassigned"


def test_without_further_problems_every_row_is_the_first(tmp_path: Path) -> None:
    """The column is there for every conversation."""
    job = make_job("b", tmp_path)
    none = follow_up_questions(messages_table(("c00", 0, "customer", PARCEL[0])))
    assert with_follow_ups(job, none, MAIN, found(job.store))["question_number"].tolist() == [1] * 12
