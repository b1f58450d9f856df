"""Several problems in one conversation are several questions, and one problem told in several pieces is one."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd
import pytest

from lacuna.models.conversations.follow_ups import follow_up_questions
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.steps.understand.follow_ups import with_follow_ups
from tests.support.bundles import make_job

MAIN = "My parcel has not arrived since Monday."


def messages_table(*rows: tuple[str, int, str, str]) -> pd.DataFrame:
    """Messages as the redacted table has them."""
    return pd.DataFrame(rows, columns=["conversation_id", "position", "role", "text"])


@pytest.mark.parametrize(
    ("texts", "follow_ups"),
    [
        (["{} Another question: how do I change the card on my account?"], ["how do I change the card on my account?"]),
        (["{}\nAlso, can I cancel my newsletter subscription?"], ["can I cancel my newsletter subscription?"]),
        (["{}", "Thanks, by the way, the login page shows an error"], ["the login page shows an error"]),
        (["1. {}\n2. How do I change the card on my account?"], ["How do I change the card on my account?"]),
        (
            ["{} Also, how do I cancel my newsletter? One more thing: the login page shows an error."],
            ["how do I cancel my newsletter?", "the login page shows an error."],
        ),
        (
            ["Mein Paket ist nicht da. Zweitens: wie ändere ich die Karte in meinem Konto?"],
            ["wie ändere ich die Karte in meinem Konto?"],
        ),
        (
            ["Mein Paket ist nicht da.", "Noch eine Frage: kann ich den Newsletter abbestellen?"],
            ["kann ich den Newsletter abbestellen?"],
        ),
    ],
)
def test_distinct_problems_are_found(texts: list[str], follow_ups: list[str]) -> None:
    """What a customer turns to with a word that says so, is a question of its own, numbered from two."""
    rows = [("c1", 2 * i, "customer", text.format(MAIN)) for i, text in enumerate(texts)]
    questions = follow_up_questions(messages_table(*rows, ("c1", 1, "bot", "Also, how about our new stove offers?")))
    assert questions["question"].tolist() == follow_ups
    assert questions["question_number"].tolist() == list(range(2, 2 + len(follow_ups)))


@pytest.mark.parametrize(
    "texts",
    [
        [MAIN + " Also, it was supposed to come with a courier."],
        [MAIN + " Also, my parcel has not been scanned since Monday."],
        ["1. I open the app\n2. I click on login\n3. It shows a white page"],
        [MAIN, "Where is my parcel? Why has it not arrived?"],
        [MAIN, "Where do I find that button in the settings menu?"],
        [MAIN + " Also I tried the courier's hotline twice."],
        [MAIN + " Also, when I open the tracking page for the order, two different depots are shown."],
        ["Mein Paket ist nicht da. Also ich brauche dringend die Wanderschuhe für den Urlaub."],
        [MAIN, "Second, please"],
        ["hi", "also thanks"],
    ],
)
def test_one_problem_in_pieces_is_one(texts: list[str]) -> None:
    """More about it, steps, another try and a courtesy make no second question."""
    rows = [("c1", 2 * i, "customer", text) for i, text in enumerate(texts)]
    assert follow_up_questions(messages_table(*rows)).empty


def test_the_order_of_rows_does_not_matter() -> None:
    """Messages count by their position."""
    texts = [MAIN, "Also, can I cancel my newsletter?"]
    rows = [(f"c{i}", p, "customer", text) for i in range(4) for p, text in enumerate(texts)]
    expected = follow_up_questions(messages_table(*rows))
    assert len(expected) == 4
    assert follow_up_questions(messages_table(*random.Random(1).sample(rows, len(rows)))).equals(expected)


def test_a_further_problem_counts_in_its_topic_and_no_problem_twice(tmp_path: Path) -> None:
    """It gets a row in the topic that asks for it; one that falls into its own conversation's topic gets none."""
    parcel = [f"my parcel from box {i} has not arrived" for i in range(6)]
    card = [f"how do I change the card on my account {i}" for i in range(6)]
    first_questions = pd.DataFrame({"conversation_id": [f"c{i:02d}" for i in range(12)], "question": parcel + card})
    assigned = pd.DataFrame(
        {
            "conversation_id": first_questions["conversation_id"],
            "topic_id": ["t-parcel"] * 6 + ["t-card"] * 6,
            "state": "core",
            "strength": 0.9,
            "subtopic_id": ["s-parcel"] * 6 + ["s-card"] * 6,
            "subtopic_core": True,
        }
    )
    messages = messages_table(
        ("c00", 0, "customer", parcel[0] + ". Another question: how can I change the card on my account?"),
        ("c06", 0, "customer", card[0] + "? Also, how do I put a new card into the account profile?"),
        ("c07", 0, "customer", card[1] + "? Also, which vegetables grow well in a shady garden?"),
    )
    job = make_job(str(tmp_path), tmp_path / "store")

    vectors = embed(list(first_questions["question"]), "minilm", job.store, "test")
    questions = with_follow_ups(job, messages, first_questions, assigned, vectors)
    extra = questions[questions["question_number"] > 1].set_index("conversation_id")
    assert questions[questions["question_number"] == 1]["topic_id"].tolist() == assigned["topic_id"].tolist()
    assert (extra["topic_id"]["c00"], extra["subtopic_id"]["c00"]) == ("t-card", "s-card")
    assert extra["state"]["c00"] == "nearest"
    assert "c06" not in extra.index
    assert extra["state"]["c07"] == "unassigned"


def test_without_further_problems_every_row_is_the_first(tmp_path: Path) -> None:
    """The column is there for every conversation."""
    assigned = pd.DataFrame({"conversation_id": ["c1"], "topic_id": ["t"], "state": ["core"], "strength": [1.0]})
    first_questions = pd.DataFrame({"conversation_id": ["c1"], "question": [MAIN]})
    vectors = embed([MAIN], "lexical", tmp_path, "test")
    questions = with_follow_ups(
        make_job("b", tmp_path), messages_table(("c1", 0, "customer", MAIN)), first_questions, assigned, vectors
    )
    assert questions["question_number"].tolist() == [1]
