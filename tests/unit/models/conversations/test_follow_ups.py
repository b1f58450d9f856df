"""Several problems in one conversation are several questions, and one problem told in several pieces is one."""

from __future__ import annotations

import random

import pandas as pd
import pytest

from lacuna.models.conversations.follow_ups import follow_up_questions

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
