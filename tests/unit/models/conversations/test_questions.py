"""A conversation's question is what the customer wrote, less greeting, thanks and quotes, and never less than that."""

from __future__ import annotations

import random

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.conversations.questions import ENOUGH_WORDS, MAX_WORDS, clean, key_of, questions


@pytest.mark.parametrize(
    ("message", "cleaned"),
    [
        ("Hi there, my tent pole snapped. Thanks, <NAME>", "my tent pole snapped."),
        ("Hello <NAME>! Where is my parcel? Kind regards <NAME>", "Where is my parcel?"),
        ("Guten Tag, wo ist mein Paket? Viele Grüße", "wo ist mein Paket?"),
        ("Dear Sir or Madam, the app crashes.", "the app crashes."),
        ("It still fails.\n> On Monday you wrote:\n> restart it", "It still fails."),
        ("It fails.\n----- Original Message -----\nHello, restart it.", "It fails."),
        ("please write to <EMAIL> instead", "please write to instead"),
        ("many thanks", ""),
        ("Thanks", ""),
    ],
)
def test_what_stands_around_the_question_goes(message: str, cleaned: str) -> None:
    """Greeting, sign-off, quoted mail and placeholders are taken off, in English and German."""
    assert clean(message) == cleaned


@pytest.mark.parametrize(
    "message",
    [
        "Hide my profile from others",
        "History of my orders is empty",
        "Hilfe! Wie ist der Stand?",
        "Hilfeseite geht nicht auf",
        "Liebesbrief im Paket verloren",
        "Heyday sleeping bag is torn",
    ],
)
def test_a_word_that_only_begins_like_a_greeting_stays_whole(message: str) -> None:
    """No letters are torn off "Hide", "History" or "Hilfe" for looking like "Hi"."""
    assert clean(message) == message


@pytest.mark.parametrize(
    ("message", "cleaned"),
    [
        ("Hi, ordered a tent yesterday", "ordered a tent yesterday"),
        ("Hallo, Ihre App stürzt ab", "Ihre App stürzt ab"),
        ("Hello, allergies: which fabric is safe?", "allergies: which fabric is safe?"),
    ],
)
def test_the_word_after_a_greeting_stays_whole(message: str, cleaned: str) -> None:
    """Only whole words such as "all" and "team" belong to a greeting."""
    assert clean(message) == cleaned


@pytest.mark.parametrize(
    "message",
    [
        "Thanks for nothing, where is my parcel",
        "Cheers for the tent but it leaks",
        "LG monitor arrived broken",
        "Thanks to your update I can no longer log in",
    ],
)
def test_a_complaint_that_begins_with_thanks_is_no_sign_off(message: str) -> None:
    """What opens a message and goes on is the message."""
    assert clean(message) == message


def test_a_greeting_alone_is_passed_over_for_the_message_after_it() -> None:
    """The question is taken from the first message that says something, and filled up until there is enough."""
    table = questions(
        message(("c1", 0, "customer", "Hi"), ("c1", 2, "customer", "my parcel"), ("c1", 4, "customer", "is lost"))
    )
    assert table["question"].tolist() == ["my parcel is lost"]


def test_a_long_first_message_is_enough() -> None:
    """What the customer adds later is left out once four words are there."""
    table = questions(message(("c1", 0, "customer", "my parcel has not arrived"), ("c1", 2, "customer", "hello?")))
    assert table["question"].tolist() == ["my parcel has not arrived"]


def test_bot_and_agent_are_not_asked() -> None:
    """Only customers ask; a conversation without customer text has no question."""
    table = questions(
        message(("c1", 0, "bot", "How can I help you today?"), ("c2", 0, "agent", "I took this over for you"))
    )
    assert table.empty
    assert list(table.columns) == ["conversation_id", "question", "key"]


def test_the_order_of_rows_does_not_matter() -> None:
    """Messages count by their position, wherever their rows stand."""
    rows = [(f"c{i}", p, "customer", f"word{i} part{p}") for i in range(5) for p in range(3)]
    expected = questions(message(*rows))
    assert questions(message(*random.Random(1).sample(rows, len(rows)))).equals(expected)
    assert expected["conversation_id"].is_monotonic_increasing


@given(st.text(max_size=300))
def test_cleaning_is_bounded_and_leaves_no_space_at_the_ends(text: str) -> None:
    """Whatever a customer writes, the question is at most so many words, trimmed, and no longer than the message."""
    cleaned = clean(text)
    assert len(cleaned.split(" ")) <= MAX_WORDS
    assert cleaned == cleaned.strip()
    assert len(cleaned) <= len(text)


@given(
    st.lists(
        st.sampled_from(["tent", "pole", "Hide", "order", "Thanks", "is", "lost", "Hilfe"]), min_size=1, max_size=30
    )
)
def test_only_whole_words_are_taken(words: list[str]) -> None:
    """What is left is a run of the customer's own whole words."""
    cleaned = clean(" ".join(words))
    assert cleaned in " ".join(words)
    assert set(cleaned.split()) <= set(words)


@given(st.text(alphabet="abc ABC\n", max_size=40))
def test_case_and_spacing_do_not_make_another_question(text: str) -> None:
    """The content key is the same for the same words, however they are typed."""
    assert key_of(text) == key_of("  " + text.upper().replace(" ", "\n "))
    assert len(key_of(text)) == 16


def test_other_words_are_another_question() -> None:
    """Keys tell texts apart."""
    keys = {key_of(f"where is parcel {i}") for i in range(1000)}
    assert len(keys) == 1000
    assert ENOUGH_WORDS > 1


def message(*rows: tuple[str, int, str, str]) -> pd.DataFrame:
    """Messages as the redacted table has them."""
    return pd.DataFrame(rows, columns=["conversation_id", "position", "role", "text"])
