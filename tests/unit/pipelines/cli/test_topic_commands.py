"""`lacuna topic`: its history as before, and the commands by which people change topics."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.board_store import make_store
from tests.support.standins import Lacuna


@pytest.fixture(scope="module")
def made_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("made") / "store")


@pytest.fixture
def store(made_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LACUNA_USER", "ada")
    return str(shutil.copytree(made_store, tmp_path / "store"))


def test_a_topic_is_shown_with_and_without_the_word(store: str, lacuna: Lacuna) -> None:
    """All that was written before commands were there works as before."""
    for arguments in (("topic", "t-001", "--store", store), ("topic", "--store", store, "t-001")):
        code, printed, _ = lacuna(*arguments)
        assert (code, "first seen 2024-06-16" in printed) == (0, True)
        assert lacuna("topic", "show", "t-001", "--store", store)[1] == printed
    assert "in the last run (2024-06-30)" in lacuna("topic", "--store", store)[1]
    assert "merge" in lacuna("topic", "--help")[1]
    code, _, error = lacuna("topic", "t-0001", "--store", store)
    assert (code, "did you mean t-001" in error) == (2, True)


def test_topics_are_changed_listed_and_taken_back(store: str, lacuna: Lacuna) -> None:
    """Each command says what it did and since when it holds; `edits` lists all, also of one topic."""
    given = {
        ("merge", "t-001", "t-002", "--why", "one problem"): "into",
        ("rename", "t-003", "Import fees", "--who", "bob"): "bob renamed",
        ("split", "t-004", "c-t-004-0", "c-t-004-3"): "from the next run on",
        ("pin", "t-002", "c-t-005-1"): "pinned",
        ("drop", "t-006"): "is not a topic",
    }
    for arguments, words in given.items():
        code, printed, error = lacuna("topic", *arguments, "--store", store)
        assert (code, error) == (0, "")
        assert words in printed
    listed = lacuna("topic", "edits", "--store", store)[1]
    assert "one problem" in listed
    assert "Import fees" in lacuna("topic", "--store", store)[1]
    assert lacuna("topic", "undo", "1", "--store", store)[1].startswith("Edit 6: ada took back edit 1")
    assert "taken back by ada" in lacuna("topic", "edits", "t-002", "--store", store)[1]
    assert "c-t-004-2" in lacuna("topic", "questions", "t-004", "--store", store)[1]


def test_what_can_not_be_done_says_why_and_what_else(store: str, lacuna: Lacuna) -> None:
    """An unknown topic or example, one of another topic, a topic with itself, an edit that is none."""
    wrong = {
        ("merge", "t-001", "t-0022"): "did you mean t-002",
        ("merge", "t-001", "t-001"): "with itself",
        ("split", "t-001", "c-t-001-0", "c-t-002-0"): "is in topic t-002, not in t-001",
        ("split", "t-001", "c-t-001-0", "c-nope"): "`lacuna topic questions t-001` lists its questions",
        ("pin", "t-001", "c-nope"): "no question of a conversation 'c-nope'",
        ("undo", "7"): "there is no edit 7",
        ("rename", "t-001", " "): "'label' is missing",
    }
    for arguments, words in wrong.items():
        code, _, error = lacuna("topic", *arguments, "--store", store)
        assert code == 2
        assert words in " ".join(error.split())
    assert "Nobody has changed a topic." in lacuna("topic", "edits", "--store", store)[1]
