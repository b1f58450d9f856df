"""A state database that is lost, may not be written, or was written by a clock that ran ahead."""

from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from lacuna.data_contracts.errors import StoreUnusable
from lacuna.pipelines.gaps.decisions import decide, lives
from lacuna.pipelines.io.addresses import store_path
from lacuna.pipelines.io.publishing import publishing
from lacuna.pipelines.settings import Settings, load_settings
from lacuna.pipelines.state import engine
from lacuna.pipelines.state.checks import recorded_ahead
from lacuna.pipelines.state.rebuild import new_state, rebuild_state
from lacuna.pipelines.state.repository import open_state
from tests.support.databases import publish_gaps, settings_for
from tests.support.standins import BACKLOG_ROW, Lacuna

RUN = "2024-06-30"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with a run of one gap, on which somebody decided."""
    publish_gaps(tmp_path / "store", RUN, [{"gap_id": "g-a", "title": "Where is it?"}])
    with open_state(load_settings(), tmp_path / "store") as state:
        decide(state, "g-a", "accept", "ada")
    return tmp_path / "store"


@pytest.mark.parametrize("left", ["nothing", "an empty file", "no tables of ours"])
def test_a_lost_database_beside_runs_is_no_new_one(lacuna: Lacuna, store: Path, left: str) -> None:
    """A missing file, one without content, or one without our tables was lost: nothing starts afresh in silence."""
    for file in store.glob("state.db*"):
        file.unlink()
    if left != "nothing":
        (store / "state.db").touch()
    if left == "no tables of ours":
        subprocess.run(
            [sys.executable, "-c", "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('VACUUM')",
             str(store / "state.db")], check=True,
        )  # fmt: skip
    code, _, told = lacuna("backlog", "--store", str(store))
    assert code == 2
    assert "missing or empty" in told
    assert f"the latest of {RUN}" in told
    assert (store / "state.db").exists() == (left != "nothing")
    for remedy in ("restore BACKUP", "rebuild", "new"):
        assert f"lacuna state {remedy} --store {store}" in told
    assert lacuna("state", "new", "--store", str(store))[0] == 0
    assert lacuna("backlog", "--store", str(store))[0] == 0


def test_a_lost_database_of_any_kind_is_refused_until_a_new_one_is_wanted(settings: Settings, store: Path) -> None:
    """Postgres without tables too; a second new one is refused as soon as it would hide something."""
    for file in store.glob("state.db*"):
        file.unlink()
    with pytest.raises(StoreUnusable, match="missing or empty"):
        open_state(settings, store)
    new_state(settings, store)
    with open_state(settings, store) as state:
        assert state.last_run() is None
        state.record_run(RUN, "hash", pd.DataFrame(), pd.DataFrame())
    with pytest.raises(StoreUnusable, match="1 rows in its table runs"):
        new_state(settings, store)


def test_a_lost_database_of_an_object_store_is_made_again(tmp_path: Path) -> None:
    """The runs are read where they are, and their dates are those of their manifests."""
    store, settings = store_path(f"memory://{tmp_path.name}"), settings_for(f"sqlite:///{tmp_path / 'state.db'}")
    row = {**BACKLOG_ROW, "gap_id": "g-a", "first_seen": RUN, "last_seen": RUN}
    with publishing(store, RUN) as folder:
        (folder / "backlog.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
        (folder / "run.json").write_text(json.dumps({"run_id": RUN, "window": {}}), encoding="utf-8")
    with pytest.raises(StoreUnusable, match="missing or empty"):
        open_state(settings, store)
    assert rebuild_state(settings, store).counts["gaps"] == 1
    with open_state(settings, store) as state:
        assert datetime.now(UTC) - state.runs()["published_at"][0] < timedelta(minutes=10)


def test_a_backup_takes_the_place_of_a_lost_database(lacuna: Lacuna, store: Path, tmp_path: Path) -> None:
    """With all that it held; it replaces no database and no file, and says which runs it does not know."""
    copy, where = tmp_path / "backups" / "state.db", ("--store", str(store))
    assert lacuna("state", "backup", *where, "--out", str(copy))[0] == 0
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert [path.name for path in copy.parent.iterdir()] == ["state.db"]
    assert "is there already" in lacuna("state", "backup", *where, "--out", str(copy))[2]
    assert "is there: a backup takes the place" in lacuna("state", "restore", str(copy), *where)[2]
    publish_gaps(store, "2024-07-07", [{"gap_id": "g-b", "title": "What is it?"}])
    for file in store.glob("state.db*"):
        file.unlink()
    assert "is no state database" in lacuna("state", "restore", str(store / "runs" / RUN / "run.json"), *where)[2]
    code, told, _ = lacuna("state", "restore", str(copy), *where)
    assert code == 0
    assert "does not know run 2024-07-07" in told
    with open_state(load_settings(), store) as state:
        assert lives(state)["g-a"].status == "accepted"
    assert "no file of SQLite" in with_postgres(lacuna, tmp_path, *where)


def with_postgres(lacuna: Lacuna, folder: Path, *where: str) -> str:
    """What a backup says where the settings name a Postgres."""
    config = folder / "ours.toml"
    config.write_text('[state]\nurl = "postgresql+psycopg://nobody@localhost/nothing"\n', encoding="utf-8")
    return lacuna("state", "backup", *where, "--out", str(folder / "other.db"), "--config", str(config))[2]


def test_a_run_of_an_earlier_version_gives_back_its_gaps(lacuna: Lacuna, store: Path) -> None:
    """It holds no registry of topics and no decisions; that is said."""
    for file in store.glob("state.db*"):
        file.unlink()
    code, told, _ = lacuna("state", "rebuild", "--store", str(store))
    assert code == 0
    assert "1 gap under" in told
    assert "0 decisions" in told
    assert f"An earlier version published run {RUN}" in told
    with open_state(load_settings(), store) as state:
        assert state.gaps_of(RUN)["gap_id"].tolist() == ["g-a"]
        assert [row["published_at"].date() for row in state.runs().to_dict("records")] == [datetime.now(UTC).date()]


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
    with open_state(load_settings(), store) as state, state.reading() as connection:
        assert recorded_ahead(connection) == tomorrow
