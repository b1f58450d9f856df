"""Steps come from what several agents told, in their order and words, and from nothing else."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.backlog.gap import Gap
from lacuna.models.writing.agent_sentences import instructions
from lacuna.models.writing.resolution_steps import AT_LEAST, MOST_STEPS, SHOWN_IDS, distil
from lacuna.pipelines.drafts import draft
from lacuna.pipelines.report.page import page
from tests.support.standins import a_gap

PAIRING = [
    ("c1", "Hi <NAME>, please update the app to 4.0.2. Then open Garage > Add. Scan the QR code on the display. Bye!"),
    ("c2", "Sorry about that. You need to update the app to 4.0.2 first. After that, scan the QR code on the display."),
    ("c3", "In the app open Garage > Add, then scan the QR code. Anything else I can do?"),
    ("c4", "The colour of the display is a matter of taste. Paint your bell red."),
]


def texts(steps: list) -> list[str]:
    """The texts of steps."""
    return [step["text"] for step in steps]


def test_planted_steps_are_found_in_the_order_in_which_agents_gave_them() -> None:
    """Three steps that agents share come out in order, each with how many said it and where."""
    steps = distil(PAIRING)
    assert len(steps) == 3
    update, opened, scan = steps
    assert "update the app" in update["text"].lower()
    assert "Garage > Add" in opened["text"]
    assert "QR code" in scan["text"]
    assert update["conversation_ids"] == ["c1", "c2"]
    assert scan["count"] >= 2


def test_what_one_conversation_alone_says_is_no_step() -> None:
    """A single agent's idea stays out, however often that agent repeats it."""
    once = [
        ("c1", "Please paint the bell red. Paint the bell red. Now paint the bell red."),
        ("c2", "Oil the chain daily."),
    ]
    assert distil(once) == []


@pytest.mark.parametrize("replies", [[], [("c1", "")], [("c1", "Open Orders.")], [("c1", "ok"), ("c2", "👍")]])
def test_without_agreement_there_is_nothing(replies: list[tuple[str, str]]) -> None:
    """Too little to go by gives no steps, never padding."""
    assert distil(replies) == []


@pytest.mark.parametrize(
    ("sentence", "instructs"),
    [
        ("Click the menu button and choose Settings.", True),
        ("Please upload a photo of the charge.", True),
        ("If it is not there, use Claim in the app within 60 days.", True),
        ("You have to sign the form.", True),
        ("Settings > Privacy > Saved passwords", True),
        ("Don't pay the fee.", True),
        ("Bitte laden Sie ein Foto hoch.", True),
        ("Öffnen Sie in der App die Bestellung.", True),
        ("Sie müssen den Code in der App zeigen.", True),
        ("Öffne die App und tippe auf Abholen.", True),
        ("Did you open the app before?", False),
        ("Let me know if it doesn't work.", False),
        ("Have a good day!", False),
        ("Orders are kept for three days.", False),
        ("The check is done by our carrier.", False),
        ("Check is not what we call it.", False),
        ("Please create a new support request.", False),
        ("Melden Sie sich, falls es nicht klappt.", False),
        ("Die Erstattung ist unterwegs.", False),
        ("<NAME> from Wolder & Birk here.", False),
        ("Hi, <NAME> from the shop <EMAIL> speaking.", False),
    ],
)
def test_sentences_that_instruct_are_told_from_others(sentence: str, instructs: bool) -> None:
    """Imperatives, duties and menu paths are steps; talk, questions and news are not, in English and German."""
    assert bool(instructions(sentence)) is instructs


def test_a_greeting_is_cut_off_and_a_placeholder_is_passed_over() -> None:
    """The words shown are those of an agent who named nobody."""
    answers = [
        ("c1", "Hi Ada, open the order page."),
        ("c2", "Open the order page, <NAME>."),
        ("c3", "Open the order page."),
    ]
    assert texts(distil(answers)) == ["Open the order page."]


def test_a_step_is_shown_with_three_conversations_at_most() -> None:
    """All are counted, and three are named."""
    (step,) = distil([(f"c{i}", "Please restart the display.") for i in range(9)])
    assert (step["count"], step["conversation_ids"]) == (9, ["c0", "c1", "c2"])


def test_lines_without_full_stops_are_steps_of_their_own_in_order() -> None:
    """Steps on lines of their own, small letters and all, are told apart; a wrapped line is still one sentence."""
    lines = ["close thunderbird", "open the profile folder", "delete the file global-messages-db.sqlite"]
    lines += ["start thunderbird"]
    answer = "Here are the steps.\n" + "\n".join(lines)
    steps = distil([(f"c{i}", answer) for i in range(3)])
    assert [(step["text"].casefold(), step["way"], step["order"]) for step in steps] == [
        (line, 1, place) for place, line in enumerate(lines, start=1)
    ]
    wrapped = "Open the settings of the app on your phone and press the button\nto send the report."
    assert texts(distil([("a", wrapped), ("b", wrapped)])) == [wrapped.replace("\n", " ")]


def test_tries_that_failed_count_but_make_no_step() -> None:
    """Of five conversations with the step two ended well; what failed alone, or says something else, is no step."""
    good = [(f"c{i}", "Please restart the display.") for i in range(3)]
    bad = [("b0", "Restart the display, please."), ("b1", "Please restart the display. Pull the plug out of the wall.")]
    (step,) = distil(good, {"c0", "c1"}, failed=[*bad, ("b2", "Pull the plug out of the wall.")])
    assert (step["text"], step["count"], step["worked"]) == ("Please restart the display.", 5, 2)
    assert step["conversation_ids"] == ["c0", "c1", "c2"]
    assert distil([], failed=good) == []


def test_the_order_of_conversations_does_not_matter() -> None:
    """Shuffled conversations give the same steps."""
    for seed in range(5):
        assert distil(random.Random(seed).sample(PAIRING, len(PAIRING))) == distil(PAIRING)


SENTENCES = st.sampled_from(
    [
        "Open the app.", "Please open the app now.", "Click Settings > Account.", "Don't pay.", "You must sign here.",
        "Is it on?", "Thanks!", "Bitte laden Sie das Foto hoch.", "<NAME> will call.", "1. Press Save", "",
        "Send <EMAIL> it.",
    ]
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.lists(SENTENCES, max_size=5).map(" ".join)), max_size=12))
def test_every_step_is_an_agent_s_own_sentence_that_enough_conversations_hold(replies: list[tuple[str, str]]) -> None:
    """Counts are of different conversations, ids are theirs, and no word is made up."""
    steps = distil(replies)
    assert len(steps) <= MOST_STEPS
    everything = " ".join(" ".join(text.split()) for _, text in replies).casefold()
    for step in steps:
        assert AT_LEAST <= step["count"] <= len({conversation for conversation, _ in replies})
        assert len(step["conversation_ids"]) == min(step["count"], SHOWN_IDS)
        assert set(step["conversation_ids"]) <= {conversation for conversation, _ in replies}
        assert step["text"].casefold() in everything


def test_a_draft_lists_steps_with_their_conversations() -> None:
    """The writer sees what agents agree on, how many say so, and where to look it up."""
    text = draft(
        missing(steps=[{"text": "Open Orders.", "count": 4, "conversation_ids": ["c-1", "c-2", "c-3"]}]), {}, {}
    )
    assert "- Open Orders. (4 conversations; such as c-1, c-2, c-3)" in text.split("## Evidence")[1]


def test_the_report_s_panel_gets_steps_with_their_conversations() -> None:
    """The side panel shows what the draft shows."""
    step = {"text": "Open Orders.", "count": 4, "conversation_ids": ["c-1", "c-2", "c-3"]}
    assert page(missing(steps=[step]), "EUR", None, {}, "95 %")["steps"] == [
        {"text": "Open Orders.", "count": 4, "ids": ["c-1", "c-2", "c-3"], "worked": 0, "way": 1, "ordered": False}
    ]


def test_a_draft_without_agreement_asks_the_expert_what_is_not_known() -> None:
    """Where agents said different things, the draft says so, and asks about each of them."""
    text = draft(missing(steps=[]), {}, {})
    assert "Agents have not answered this the same way twice" in text
    assert "Does this hold for every customer: “It comes on Monday.” (conversation c-7)?" in text
    assert "What do we tell a customer who asks: “Where is it?” (conversation c-1)?" in text


def test_a_draft_without_any_answer_says_that_nobody_has_answered() -> None:
    """No answer on record is said as such, not as disagreement."""
    text = draft(missing(steps=[], agent_answers=[]), {}, {})
    assert "not answered this the same way twice" not in text
    assert "Ask the expert these questions" in text


def missing(**changes: object) -> Gap:
    """A gap without an article, as rank writes it."""
    quotes = [
        {"conversation_id": f"c-{i}", "quote": q} for i, q in enumerate(("Where is it?", "Is it lost?", "When?"), 1)
    ]
    defaults = {
        "gap_id": "g-1", "kind": "missing", "status": "new", "title": "Parcel is late", "topic_label": "Parcel is late",
        "examples": quotes, "agent_answers": [{"conversation_id": "c-7", "quote": "It comes on Monday."}],
        "customer_words": ["late"], "owner_id": "o1",
    }  # fmt: skip
    return a_gap(**(defaults | changes))
