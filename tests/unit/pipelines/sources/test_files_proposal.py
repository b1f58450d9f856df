"""What is proposed for a file that nobody has described: by names, by values, and nothing where they don't say it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lacuna.pipelines.sources.files_guesses import escalated_words, is_transcript, role_words, time_format
from lacuna.pipelines.sources.files_listing import list_files
from lacuna.pipelines.sources.files_proposal import head_of_file, propose
from lacuna.pipelines.sources.files_settings import Constant
from tests.support.exports import COLUMNS, WORDS, flat, nested


def test_flat_export_is_read_as_its_author_would() -> None:
    """One row a message, other names and words."""
    proposal = propose(flat())
    assert proposal.values == WORDS
    for table in ("conversations", "messages"):
        assert dict(sorted(proposal.columns[table].items())) == dict(sorted(COLUMNS[table].items()))
    assert not proposal.lacking()


def test_nested_export() -> None:
    """Messages are found in the list, and their author's role within a record."""
    proposal = propose(pd.DataFrame(nested()))
    assert proposal.each == {"messages": "comments"}
    assert proposal.columns["messages"]["role"] == "comments.author.type"
    assert proposal.columns["messages"]["text"] == "comments.Comment"
    assert proposal.columns["messages"]["conversation_id"] == "ticket #"


def test_transcript_export() -> None:
    """A column of whole conversations."""
    text = "Visitor: Hi there\nBot: Ask me\nVisitor: Fees?"
    frame = pd.DataFrame({"Chat ID": ["1", "2"], "Started": ["03/06/2024 10:00"] * 2, "Transcript": [text, text]})
    proposal = propose(frame)
    assert proposal.columns["messages"] == {
        "conversation_id": "Chat ID", "role": "Transcript.speaker", "text": "Transcript.text",
    }  # fmt: skip
    assert proposal.values["messages"]["role"] == {"Visitor": "customer", "Bot": "bot"}
    assert proposal.times == {"conversations": {"started_at": "%m/%d/%Y %H:%M"}}
    assert "%d/%m/%Y %H:%M would fit" in proposal.doubts[0]


def test_notes_of_a_crm() -> None:
    """No role: what there is was written by the customer. Names are redacted."""
    row = {"Case Number": "1", "Description": "Who pays the fee?", "Date Opened": "2024-06-03", "Contact Name": "Ann"}
    proposal = propose(pd.DataFrame([row, {**row, "Case Number": "2"}]))
    assert proposal.columns["messages"]["role"] == Constant(constant="customer")
    assert proposal.columns["conversations"] == {"conversation_id": "Case Number", "started_at": "Date Opened"}
    assert proposal.names == ["Contact Name"]


def test_articles() -> None:
    """A title and a text without anybody who speaks."""
    row = {"id": 1, "title": "Fees", "body": "We take no fees.", "html_url": "https://a.example", "state": "live"}
    columns = propose(pd.DataFrame([row]))
    assert columns.columns == {
        "articles": {"article_id": "id", "title": "title", "body": "body", "status": "state", "url": "html_url"}
    }


@pytest.mark.parametrize(
    ("values", "how"),
    [
        (["2024-06-03 10:00"], ("", "")),
        (["1717401600", "1717401601"], ("epoch_s", "")),
        (["13.06.2024 10:00"], ("%d.%m.%Y %H:%M", "")),
        (["06/13/2024, 10:00 AM"], ("%m/%d/%Y, %I:%M %p", "")),
        (["soon"], None),
        ([None], None),
    ],
)
def test_how_times_are_written(values: list[Any], how: Any) -> None:
    """In one way for all of a column."""
    assert time_format(pd.Series(values, dtype="object")) == how


def test_names_that_nobody_knows_between_semicolons(tmp_path: Path) -> None:
    """The head is cut into columns all the same, for a person to say which is which."""
    (tmp_path / "x.csv").write_text("Vorgang;Wer;Was\n1;Kunde;Wer zahlt den Zoll?\n")
    (file,) = list_files("x", str(tmp_path / "x.csv"))
    assert list(head_of_file(file)) == ["Vorgang", "Wer", "Was"]


def test_words_that_nobody_knows_are_left_to_the_person() -> None:
    """`admin` is an agent in one help desk and a bot in another: asked, not guessed."""
    assert role_words(pd.Series(["user", "xq7", "Support Bot"])) == {
        "user": "customer",
        "xq7": "",
        "Support Bot": "bot",
    }
    assert role_words(pd.Series(["red", "blue"])) is None
    assert escalated_words(pd.Series(["Human", "Bot"])) == {"Human": True, "Bot": False}
    assert escalated_words(pd.Series(["yes", "no"])) == {}
    assert escalated_words(pd.Series(["open", "closed"])) is None
    assert not is_transcript(pd.Series(["Hello: world"]))
