"""What is wrong with a file is said with file, row, column and value, and costs no row that can be kept."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lacuna.data_contracts.errors import LacunaError, SettingsInvalid, SourceUnreadable
from tests.support.exports import COLUMNS, WORDS, as_frame, flat, flat_entry, given, source_of, truth


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    """Warnings, whatever an earlier test set up for the command line."""
    monkeypatch.setattr(logging.getLogger("lacuna"), "propagate", True)
    return caplog


def write(folder: Path, rows: pd.DataFrame) -> dict[str, Any]:
    rows.to_csv(folder / "export.csv", index=False)
    return flat_entry(folder / "export.csv")


def test_value_that_can_be_missing_is_left_empty(tmp_path: Path, said: pytest.LogCaptureFixture) -> None:
    """The row stays, and the message says where the value stands."""
    rows = flat()
    rows.loc[4, "Sent"] = "yesterday"
    tables = given(source_of(write(tmp_path, rows)))
    pd.testing.assert_frame_equal(as_frame(tables["conversations"], "conversations"), truth("conversations"))
    assert sorted(row["text"] for row in tables["messages"]) == sorted(truth("messages")["text"])
    (line,) = said.messages
    assert "messages.sent_at is 'yesterday'" in line
    assert f"{tmp_path}/export.csv, row " in line


def test_row_without_a_needed_value_reaches_the_bundle(tmp_path: Path, said: pytest.LogCaptureFixture) -> None:
    """An unknown role and an empty text are the run's to reject; a row that names no conversation is left out."""
    rows = flat()
    rows.loc[2, "Author type"] = "Martian"
    rows.loc[3, "Comment"] = ""
    rows.loc[4, "Ticket #"] = ""
    messages = given(source_of(write(tmp_path, rows)))["messages"]
    assert len(messages) == len(rows) - 1
    assert [row["role"] for row in messages].count("Martian") == 1
    assert [row["text"] for row in messages].count(None) == 1
    assert any("messages.conversation_id has no value" in line or "is ''" in line for line in said.messages)
    assert any("is left out" in line for line in said.messages)


def test_too_many_rows_without_a_needed_value_stop_the_pull(tmp_path: Path) -> None:
    """A mapping that reads the wrong column is found before the bundle is spoilt."""
    rows = flat().assign(Comment="")
    with pytest.raises(SourceUnreadable, match=r"(?s)messages\.text .* 297 of 297 rows.*bad_rows_at_most"):
        given(source_of(write(tmp_path, rows)))


def test_broken_line_is_told_with_its_number(tmp_path: Path, said: pytest.LogCaptureFixture) -> None:
    """A line with too many fields costs itself alone."""
    entry = write(tmp_path, flat())
    with (tmp_path / "export.csv").open("a") as file:
        file.write("too,few\n")
    assert len(given(source_of(entry))["messages"]) == len(flat())
    assert any("2 fields where the header has" in line for line in said.messages)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "shift_jis"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    """Western encodings are found out, others are given."""
    text = "\u4e2d" if encoding == "shift_jis" else "caf\xe9"
    rows = flat().head(20).map(lambda value: value.encode("ascii", "ignore").decode()).assign(Locale=text)
    rows.to_csv(tmp_path / "export.csv", index=False, encoding=encoding)
    more = {"encoding": encoding} if encoding == "shift_jis" else {}
    tables = given(source_of(flat_entry(tmp_path / "export.csv", **more)))
    assert {row["language"] for row in tables["conversations"]} == {text}


def test_missing_column_names_what_was_perhaps_meant(tmp_path: Path) -> None:
    """And what it was wanted for."""
    entry = write(tmp_path, flat().rename(columns={"Comment": "Comments"}))
    with pytest.raises(SourceUnreadable, match=r"(?s)no column 'Comment', .* messages\.text.*did you mean 'Comments'"):
        given(source_of(entry))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"path": "/nowhere/x.csv"}, "there is no file /nowhere/x.csv"),
        ({"path": "/tmp"}, "is a folder"),
        ({"format": "xlsx"}, "no readable workbook"),
        ({"encoding": "utf-32"}, "is not written in utf-32"),
        ({"encoding": "morse"}, "no encoding 'morse'"),
    ],
)
def test_unreadable_file_says_what_to_do(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    """A path, a format or an encoding that can't be."""
    with pytest.raises(LacunaError, match=says) as raised:
        given(source_of(write(tmp_path, flat()) | change))
    assert raised.value.remedy


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"colums": {}}, "no key 'colums', did you mean 'columns'"),
        ({"columns": {"message": COLUMNS["messages"]}}, "no table 'message'; did you mean 'messages'"),
        ({"columns": {"messages": {"txt": "Body"}}}, "no column 'txt' in messages; did you mean 'text'"),
        ({"columns": {"messages": {"text": "Comment"}}}, "has no 'conversation_id'"),
        ({"values": {"messages": {"role": {"User": "client"}}}}, "takes one of customer, bot, agent"),
        ({"times": {"messages": {"sent_at": "minutes"}}}, "or a format as"),
        ({"time_zone": "Berlin"}, "no time zone 'Berlin'"),
        ({"speaker": "("}, "no regular expression"),
        ({"speaker": "^x: "}, "no group"),
        ({"each": {"outcomes": "tags"}}, "each names 'outcomes'"),
    ],
)
def test_wrong_settings_are_refused(change: dict[str, Any], says: str) -> None:
    """Before a file is opened."""
    with pytest.raises(SettingsInvalid, match=says):
        source_of({"path": "export.csv", "columns": COLUMNS, "values": WORDS} | change)
