"""A state database that is lost, may not be written, or was written by a clock that ran ahead."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from lacuna.data_contracts.errors import StoreUnusable
from lacuna.pipelines.gaps.decisions import decide, lives
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state import engine
from lacuna.pipelines.state.repository import open_state
from tests.support.databases import publish_gaps
from tests.support.standins import Lacuna

RUN = "2024-06-30"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with a run of one gap, on which somebody decided."""
    publish_gaps(tmp_path / "store", RUN, [{"gap_id": "g-a", "title": "Where is it?"}])
    with open_state(load_settings(), tmp_path / "store") as state:
        decide(state, "g-a", "accept", "ada")
    return tmp_path / "store"


@pytest.mark.parametrize("content", [b"", None])
def test_an_empty_database_beside_runs_is_no_new_one(lacuna: Lacuna, store: Path, content: bytes | None) -> None:
    """A file without content, or without our tables, was lost: nothing starts afresh in silence."""
    for file in store.glob("state.db*"):
        file.unlink()
    (store / "state.db").touch()
    if content is None:
        subprocess.run(
            [sys.executable, "-c", "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('VACUUM')",
             str(store / "state.db")], check=True,
        )  # fmt: skip
    code, _, told = lacuna("backlog", "--store", str(store))
    assert code == 2
    assert "is empty" in told
    assert "backup" in told
    assert "--force" in told
    (store / "state.db").unlink()  # as the remedy says
    assert lacuna("backlog", "--store", str(store))[0] == 0


def test_a_store_that_may_not_be_written_is_read(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decisions are read from it, and one that is made is refused with a remedy; its folder stays as it was."""
    before = sorted(path.name for path in store.iterdir())
    if os.geteuid() == 0:  # root may write whatever the rights say
        monkeypatch.setattr(engine.os, "access", lambda path, mode: False)
    (store / "state.db").chmod(0o444)
    store.chmod(0o555)
    try:
        with open_state(load_settings(), store) as state:
            assert lives(state)["g-a"].status == "accepted"
            with pytest.raises(StoreUnusable, match="readonly") as refused:
                decide(state, "g-a", "note", "ada", why="later")
        assert "right to write" in refused.value.remedy
        assert sorted(path.name for path in store.iterdir()) == before
    finally:
        store.chmod(0o755)


def test_a_clock_that_was_set_back_is_said(store: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What was recorded tomorrow is a warning, once; a clock that is right is none."""
    with caplog.at_level(logging.WARNING), open_state(load_settings(), store) as state:
        assert not caplog.records
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        gaps = pd.DataFrame(columns=["gap_id", "kind", "title", "status"])
        topics = pd.DataFrame(columns=["topic_id", "label", "embedder", "centroid", "members", "size"])
        state.record_run("2024-07-07", "hash", topics, gaps, published_at=tomorrow)
    for _ in range(2):
        open_state(load_settings(), store).close()
    assert ["clock" in record.getMessage() for record in caplog.records] == [True]
