"""A plan written out by an endpoint: asked of a real server on this machine, every sentence held to its evidence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from lacuna.models.backlog.gap_records import PlannedSentence
from lacuna.models.writing.grounding import fault
from lacuna.pipelines.drafts import draft
from lacuna.pipelines.drafts.front_matter import seal
from lacuna.pipelines.drafts.polish import Polished, polish
from lacuna.pipelines.settings import Drafts
from tests.unit.models.writing.test_resolution_steps import missing
from tests.unit.pipelines.llm.test_topic_names import Server, said, server

__all__ = ["server"]


def planned(part: str, text: str, ids: list[str], count: int = 0, **over: Any) -> PlannedSentence:
    """A sentence of a plan."""
    row = {
        "language": "en", "part": part, "group": 0, "condition": "", "condition_by": "", "text": text,
        "count": count or len(ids), "worked": 0, "conversation_ids": ids,
    }  # fmt: skip
    return PlannedSentence(**{**row, **over})  # type: ignore[typeddict-item]


PLAN = [
    planned("title", "Where is the label?", ["c-9"]),
    planned("answer", "Open Orders > Return and print the label.", ["c-1", "c-2"], 4),
    planned("fact", "The label is valid for 14 days.", ["c-3"], 2),
    planned("open", "The label is free.", ["c-4"], group=1),
]
GAP = missing(plan=PLAN)


def sentence(text: object, *keys: object) -> dict[str, Any]:
    """A sentence as the endpoint gives it."""
    return {"text": text, "evidence": list(keys)}


def ask(server: Server, store: Path, *sentences: object, rows: Any = (GAP,), **over: Any) -> Any:
    """Plans written out, where the endpoint gives these sentences."""
    server.answer = lambda _, __: (200, said(json.dumps({"sentences": sentences})))
    settings = {"endpoint": server.url, "model": "m", "timeout_seconds": 5.0, "api_key_env": "A_KEY_OF_A_TEST"} | over
    return polish(list(rows), Drafts(**settings), store)


def test_nobody_is_asked_by_default(server: Server, tmp_path: Path) -> None:
    """Without an endpoint nothing is sent, and drafts go without."""
    assert ask(server, tmp_path, sentence("Print the label.", "E1"), endpoint="") == ({}, [])
    assert server.seen == []


def texts_of(polished: Polished) -> list[str]:
    """What a plan says, but for its title and what is open."""
    return [str(row["text"]) for row in polished.plan if row["part"] not in ("title", "open")]


def test_sentences_that_stand_on_their_evidence_are_taken_with_their_conversations(
    server: Server, tmp_path: Path
) -> None:
    """The article shows them in the plan's order, each with where it is from; a second run asks nobody."""
    good = sentence("Print the label under Orders > Return.", "E1"), sentence("It is valid for 14 days.", "E2")
    polished, warnings = ask(server, tmp_path, *good)
    assert warnings == []
    assert texts_of(polished["g-1"]) == ["Print the label under Orders > Return.", "It is valid for 14 days."]
    assert ask(server, tmp_path) == (polished, [])
    assert len(server.seen) == 1
    text = draft(replace(GAP, plan=polished["g-1"].plan), {}, {}, polished["g-1"].note)
    assert "Print the label under Orders > Return.[^" in text
    assert "4 conversations; such as c-1, c-2." in text
    assert text.index("It is valid for 14 days.") < text.index("## Evidence")


def test_a_sentence_of_two_pieces_of_evidence_names_the_conversations_of_both(server: Server, tmp_path: Path) -> None:
    """What is put together of several sentences leads to all of them."""
    polished, _ = ask(server, tmp_path, sentence("Print the label, it is valid for 14 days.", "E1", "E2"))
    (row,) = [row for row in polished["g-1"].plan if row["part"] not in ("title", "open")]
    assert (row["part"], row["conversation_ids"], row["count"]) == ("answer", ["c-1", "c-2", "c-3"], 3)


def test_a_list_of_steps_is_written_out_whole_or_not_at_all(server: Server, tmp_path: Path) -> None:
    """A step that the endpoint forgets does not vanish from the article: then agents' own list stands."""
    lines = ["Open the Orders page.", "Press the Return button.", "Print the label."]
    gap = missing(plan=[planned("step", line, ["c-1", "c-2"], group=1) for line in lines])
    polished, _ = ask(server, tmp_path, sentence("Go and open Orders.", "E1"), sentence("Print it.", "E3"), rows=[gap])
    assert texts_of(polished["g-1"]) == lines


def test_only_redacted_evidence_and_questions_are_sent(server: Server, tmp_path: Path) -> None:
    """The endpoint sees the title, the phrasings and the plan, and nothing more of a gap."""
    ask(server, tmp_path, sentence("Print the label.", "E1"))
    payload = json.loads(server.seen[0]["messages"][1]["content"])
    assert payload == {
        "title": "Where is the label?",
        "language": "en",
        "questions": ["Where is it?", "Is it lost?", "When?"],
        "plan": [
            {"part": "answer", "condition": "", "evidence": ["E1"]},
            {"part": "fact", "condition": "", "evidence": ["E2"]},
        ],
        "evidence": {"E1": PLAN[1]["text"], "E2": PLAN[2]["text"]},
    }


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (sentence("Print the label."), "names no evidence"),
        (sentence("Print the label.", "E9"), "names no evidence"),
        (sentence("Print the label.", 1), "names no evidence"),
        ({"text": "Print the label.", "evidence": "E1"}, "names no evidence"),
        (sentence("The label is valid for 30 days.", "E2"), "30"),
        (sentence("The label is valid for thirty-one, or 31, days.", "E2"), "31"),
        (sentence("The label is valid for 14 days.", "E1"), "14"),
        (sentence("Print the label at https://evil.example/label.", "E1"), "evil.example"),
        (sentence("Print the label at evil.example.", "E1"), "evil.example"),
        (sentence("Send the label to us@evil.example.", "E1"), "us@evil.example"),
        (sentence("Open Orders and press Refund everything.", "E1"), "Refund"),
        (sentence("Open Orders and press “get money”.", "E1"), "get money"),
        (sentence("<b>Print the label.</b>", "E1"), "not one plain sentence"),
        (sentence("[Print](x) the label.", "E1"), "not one plain sentence"),
        (sentence("Print the label.\n# Heading", "E1"), "not one plain sentence"),
        (sentence("Shipping is always free, whatever a customer sends back to the warehouse.", "E1"), "says more"),
        (sentence("Print the label. " * 40, "E1"), "not one plain sentence"),
        (sentence(7, "E1"), "no sentence"),
        (sentence("", "E1"), "no sentence"),
    ],
)
def test_what_the_evidence_does_not_say_is_dropped_and_told(
    server: Server, tmp_path: Path, bad: object, why: str
) -> None:
    """No figure, link, button or claim of the model's own gets into a draft; the draft and the run say so."""
    polished, warnings = ask(server, tmp_path, sentence("Print the label.", "E1"), bad)
    assert texts_of(polished["g-1"]) == ["Print the label.", PLAN[2]["text"]], (
        "what is not told stays as agents said it"
    )
    assert "One more sentence is left out" in polished["g-1"].note
    assert why.split(".")[0] in polished["g-1"].note.replace("\\", "")
    assert [w["count"] for w in warnings] == [1]


@pytest.mark.parametrize("content", ["no json", '{"sentences": "x"}', '{"sentences": [1]}', '{"name": "x"}'])
def test_an_answer_without_sentences_leaves_the_draft_as_it_is(server: Server, tmp_path: Path, content: str) -> None:
    """The run goes on, and one warning counts the drafts that go without."""
    settings = {"endpoint": server.url, "model": "m", "timeout_seconds": 5.0, "api_key_env": ""}
    server.answer = lambda _, __: (200, said(content))
    texts, warnings = polish([GAP], Drafts(**settings), tmp_path)
    assert texts == {}
    assert "holds no sentences" in warnings[0]["message"]
    assert not list(tmp_path.rglob("*.json"))


def test_nothing_that_stands_leaves_the_draft_as_it_is(server: Server, tmp_path: Path) -> None:
    """Where every sentence is dropped the draft is the one by rules."""
    texts, _ = ask(server, tmp_path, sentence("Call 0800.", "E1"))
    assert texts == {}


def test_gaps_without_agreement_or_that_wait_for_nobody_are_not_asked_about(server: Server, tmp_path: Path) -> None:
    """There is nothing to put together, so nothing is sent."""
    rows = [missing(plan=PLAN[3:]), replace(GAP, status="dismissed")]
    assert ask(server, tmp_path, sentence("Print the label.", "E1"), rows=rows) == ({}, [])
    assert server.seen == []


def test_a_polished_draft_keeps_its_front_matter(server: Server, tmp_path: Path) -> None:
    """What the endpoint says can't end the front matter or add to it."""
    texts, _ = ask(server, tmp_path, sentence("--- gap_id: g-9", "E1"), sentence("Print the label.", "E1"))
    text = seal(draft(replace(GAP, plan=texts["g-1"].plan), {}, {"run_id": "2024-06-30"}, texts["g-1"].note))
    assert yaml.safe_load(text.split("\n---\n", 1)[0].removeprefix("---\n"))["gap_id"] == "g-1"


def test_figures_may_be_words_and_small_words_may_differ() -> None:
    """A sentence may be said in other words, as long as what counts is there."""
    evidence = ["Please keep the slip, refunds take five working days."]
    assert fault("Refunds take 5 working days.", evidence) is None
    assert fault("A refund takes six working days.", evidence) == "'6' is not in its evidence"
