"""Whole answers: a pasted list stays whole and in order, whatever stands around it and however it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.writing.last_words import says_unsolved
from lacuna.models.writing.reply_lists import unfolded, units
from lacuna.models.writing.resolution_steps import distil
from lacuna.models.writing.whole_answers import whole_answers

EIGHT = (
    "Close the app", "Plug the pump in", "Open the valve", "Press Start for two seconds", "Wait for the green light",
    "Close the valve", "Read the pressure", "Start the app",
)  # fmt: skip
NAMES = ("Ada", "Bo", "Cleo", "Dev", "Eli")
WAYS = {
    "bare lines": "\n".join(EIGHT),
    "dashes": "\n".join(f"- {line.lower()}" for line in EIGHT),
    "numbers on one line": " ".join(f"{i}. {line}" for i, line in enumerate(EIGHT, 1)),
    "numbers with full stops on one line": " ".join(f"{i}) {line}." for i, line in enumerate(EIGHT, 1)),
    "dashes on one line": " ".join(f"- {line.lower()}" for line in EIGHT),
}


@pytest.mark.parametrize("written", WAYS.values(), ids=WAYS)
def test_a_list_in_thirty_conversations_stays_whole_and_in_order(written: str) -> None:
    """Greetings, sign-offs and other answers around it change nothing; no item is lost, moved or torn apart."""
    replies = [
        (f"c{i}", f"Hello {NAMES[i % 5]},\nHere are the steps.\n{written}\nHope this helps, {NAMES[i % 3]}")
        for i in range(30)
    ]
    replies += [(f"d{i}", f"Look at the dial number {i}, please, and read the sheet.") for i in range(10)]
    steps = [step for step in distil(replies) if step["way"] == 1]
    assert [step["text"].rstrip(".").casefold() for step in steps] == [line.casefold() for line in EIGHT]
    assert [step["order"] for step in steps] == list(range(1, 9))
    assert {step["count"] for step in steps} == {30}


def test_what_one_agent_adds_and_a_slip_of_the_pen_do_not_break_an_answer() -> None:
    """Near-identical replies are one answer, told without what a single one says besides."""
    text = "Deliveries to the islands are duty paid. Never pay the courier, send us a photo of the card instead."
    replies = [(f"c{i}", f"Dear {name}, {text}") for i, name in enumerate(NAMES)]
    replies.append(("c8", text.replace("Deliveries", "Delivries")))
    replies.append(("c9", f"{text} The ferry is late on Mondays."))
    (answer,) = whole_answers(replies)
    assert " ".join(unit.text for unit in answer.units) == text
    assert answer.conversations == {"c0", "c1", "c2", "c3", "c4", "c8", "c9"}


def test_tries_that_ended_badly_count_and_lend_no_words() -> None:
    """An answer that was given in vain is a try of it."""
    replies = [(f"c{i}", WAYS["dashes"]) for i in range(3)]
    (answer,) = whole_answers(replies, [("x1", WAYS["dashes"]), ("x2", "Buy a new one."), ("c1", WAYS["dashes"])])
    assert answer.failed == {"x1"}


def test_a_path_or_a_parenthesis_is_no_list() -> None:
    """Signs that look like a list's, and are none."""
    for text in ("Open Tools - Settings - General - Sync.", "It is late - very late - sorry.", "Version 1. 2 is out."):
        assert unfolded(text) == text


@given(st.text(alphabet="ab1. -•*\n:", max_size=80))
def test_cutting_loses_no_letter(text: str) -> None:
    """Whatever a reply looks like, all letters are in its units, in order."""
    assert "".join(c for c in "".join(unit.text for unit in units(text)) if c in "ab") == "".join(
        c for c in text if c in "ab"
    )


@pytest.mark.parametrize(
    ("text", "unsolved"),
    [
        ("It still doesn't work", True), ("no luck I'm afraid", True), ("Same problem again.", True),
        ("Thanks but that didn't help.", True), ("Hat leider nicht geholfen", True), ("Geht immer noch nicht!", True),
        ("Thanks, works now!", False), ("It didn't work at first, but now it works.", False), ("Danke, läuft", False),
        ("", False),
    ],
)  # fmt: skip
def test_last_words_tell_whether_it_is_solved(text: str, unsolved: bool) -> None:
    """English and German; what is said last counts."""
    assert says_unsolved(text) == unsolved
