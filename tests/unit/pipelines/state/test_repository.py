"""The state database: what outlives a run, on SQLite and on a real Postgres."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from lacuna.data_contracts.errors import SettingsInvalid, StoreUnusable
from lacuna.pipelines.gaps.decisions import decide
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state import schema
from lacuna.pipelines.state.repository import State, open_state
from tests.support.databases import gaps, happened, settings_for, topics
from tests.support.paths import REPO
from tests.support.standins import without_rights


def test_an_empty_database_knows_nothing(state: State) -> None:
    """Before the first run there is no previous run, and every table reads as an empty frame with its columns."""
    assert state.previous_run("2024-06-30") is None
    assert state.last_run() is None
    assert state.topics_before("2024-06-30").empty
    assert "centroid" in state.topics_before("2024-06-30")
    assert state.gaps_before("2024-06-30").empty
    assert state.decisions().empty
    assert state.runs().empty


def test_a_run_comes_back_as_recorded(state: State) -> None:
    """Centroids come back as the same float32 bytes, members as a list, unknown columns in ``extra``."""
    state.record_run("2024-06-16", "h", topics("t1"), gaps("g1"), (date(2024, 5, 20), date(2024, 6, 16)))
    topic, gap = state.topics_before("2024-06-17").iloc[0], state.gaps_before("2024-06-17").iloc[0]
    assert np.frombuffer(topic["centroid"], dtype=np.float32).tolist() == pytest.approx([0.6, 0.8])
    assert topic["members"] == ["q1", "q2"]
    assert pd.isna(topic["lineage"])
    assert (topic["first_seen"], topic["run_id"]) == ("2024-06-16", "2024-06-16")
    assert gap["extra"]["weekly_rate"] == 2.5
    assert state.input_hash("2024-06-16") == "h"
    assert state.runs()[["window_start", "window_end"]].values.tolist() == [["2024-05-20", "2024-06-16"]]


def test_a_run_reads_only_what_came_before_it(state: State) -> None:
    """Week N sees each topic and gap as its latest earlier run left it, and nothing of N or of later weeks."""
    state.record_run("2024-06-16", "a", topics("t1", "t2"), gaps("g1"))
    state.record_run("2024-06-23", "b", topics("t2", label="Refund lost"), gaps("g1", "g2", status="open"))
    state.record_run("2024-06-30", "c", topics("t3"), gaps("g3"))
    assert state.previous_run("2024-06-30") == "2024-06-23"
    assert state.previous_run("2024-06-23") == "2024-06-16"
    assert state.previous_run("2024-06-16") is None
    seen = state.topics_before("2024-06-30")
    assert seen[["topic_id", "label", "run_id"]].values.tolist() == [
        ["t1", "Refund late", "2024-06-16"],
        ["t2", "Refund lost", "2024-06-23"],
    ]
    assert state.gaps_before("2024-06-23")[["gap_id", "status"]].values.tolist() == [["g1", "new"]]
    assert state.gaps_before("2024-06-30")["status"].tolist() == ["open", "open"]
    assert state.last_run() == "2024-06-30"


def test_recording_a_run_again_replaces_its_rows_only(state: State) -> None:
    """A run that is done again leaves no row of its first time, and other runs as they were."""
    state.record_run("2024-06-16", "a", topics("t1"), gaps("g1"))
    state.record_run("2024-06-23", "b", topics("t1", "t2"), gaps("g1", "g2"))
    state.record_run("2024-06-23", "b2", topics("t9"), gaps("g9"))
    assert state.gaps_of("2024-06-23")["gap_id"].tolist() == ["g9"]
    assert state.gaps_of("2024-06-16")["gap_id"].tolist() == ["g1"]
    assert state.topics_before("2024-06-30")["topic_id"].tolist() == ["t1", "t9"]
    assert state.input_hash("2024-06-23") == "b2"


def test_a_run_that_can_not_be_recorded_changes_nothing(state: State) -> None:
    """Two rows for one gap are refused, and the run stays as it was recorded before."""
    state.record_run("2024-06-16", "a", topics("t1"), gaps("g1"))
    with pytest.raises(StoreUnusable):
        state.record_run("2024-06-16", "b", topics("t2"), gaps("g2", "g2"))
    assert state.input_hash("2024-06-16") == "a"
    assert state.gaps_of("2024-06-16")["gap_id"].tolist() == ["g1"]


def test_text_of_any_kind_is_kept(state: State) -> None:
    """Emoji, right-to-left text, quotes and percent signs come back as they were; NUL is dropped."""
    odd = "שלום 🙂 '; DROP TABLE gaps; -- 100 % \\ %s"
    state.record_run("2024-06-16", "a", topics("t1", label=odd), gaps("g1").assign(title=odd + "\0"))
    assert state.topics_before("2024-06-30")["label"][0] == odd
    assert state.gaps_before("2024-06-30")["title"][0] == odd


def test_decisions_are_appended_and_change_the_fingerprint(state: State) -> None:
    """Every decision stays, in order, with who, when and why; what a run reads has changed with it."""
    state.record_run("2024-06-16", "a", topics("t1"), gaps("g1"))
    before = state.fingerprint("2024-06-23")
    first = decide(state, "g1", "accept", "ada", why="ours")
    second = decide(state, "g1", "assign", "bob", payload={"owner_id": "o2"})
    told = state.decisions()
    assert second > first
    assert told[["who", "decision", "why"]].values.tolist() == [
        ["ada", "accept", "ours"],
        ["bob", "assign", ""],
    ]
    assert told["payload"][1] == {"owner_id": "o2"}
    assert told["after"].tolist() == [0, first]
    assert told["run_id"].tolist() == ["2024-06-16"] * 2
    assert str(told["at"].dtype) == "datetime64[us, UTC]"
    assert state.fingerprint("2024-06-23") != before


def test_the_fingerprint_of_a_week_ignores_later_weeks(state: State) -> None:
    """An old week that is run again reads the same, whatever was recorded after it."""
    state.record_run("2024-06-16", "a", topics("t1"), gaps("g1"))
    before = state.fingerprint("2024-06-23")
    state.record_run("2024-06-30", "c", topics("t1"), gaps("g1"))
    state.record_run("2024-06-23", "b", topics("t1"), gaps("g1"))
    assert state.fingerprint("2024-06-23") == before
    assert state.fingerprint("2024-07-07") != before


def test_many_processes_write_at_once_and_nothing_is_lost(settings: Settings, tmp_path: Path) -> None:
    """Four processes open a new database and append decisions while a run is recorded: all of it is there."""
    script = f"""
        import sys
        from pathlib import Path
        from lacuna.pipelines.gaps.decisions import decide
        from lacuna.pipelines.state.repository import open_state
        from tests.support.databases import gaps, settings_for, topics
        state = open_state(settings_for({settings.state.url!r}), Path(sys.argv[1]))
        state.record_run("2024-06-09", "h", topics("t1"), gaps("g1"))
        for i in range(8):
            decide(state, "g1", "note", sys.argv[2], why=str(i))
            state.record_run("2024-06-16", sys.argv[2], topics("t1", "t2"), gaps("g1", "g2"))
    """
    workers = [
        subprocess.Popen([sys.executable, "-c", textwrap.dedent(script), str(tmp_path), f"p{i}"], cwd=REPO)
        for i in range(4)
    ]
    assert [worker.wait(timeout=300) for worker in workers] == [0] * 4
    state = open_state(settings, tmp_path)
    told = state.decisions()
    assert len(told) == 32
    assert all(told[told["who"] == f"p{i}"]["why"].tolist() == [str(n) for n in range(8)] for i in range(4))
    assert state.gaps_of("2024-06-16")["gap_id"].tolist() == ["g1", "g2"]
    state.close()


def as_of_version_1(url: str) -> None:
    """Make a database as version 1 made it, with a run, a topic, a gap and a decision in it."""
    old = sa.MetaData()
    for table in (schema.schema_version, schema.runs, schema.topics, schema.gaps, schema.decisions):
        table.to_metadata(old)
    engine = sa.create_engine(url)
    old.create_all(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE topics DROP COLUMN label_centroid"))
        schema.one_after_another.drop(connection)
        for column in ("after", "run_id", "kind"):
            connection.execute(sa.text(f"ALTER TABLE decisions DROP COLUMN {column}"))
        connection.execute(sa.insert(schema.schema_version), {"version": 1})
        run = {"run_id": "2024-06-16", "input_hash": "h", "window_start": "2024-05-20", "window_end": "2024-06-16"}
        connection.execute(sa.insert(schema.runs), {**run, "published_at": datetime(2024, 6, 17, tzinfo=UTC)})
        topic = schema.rows(schema.topics, topics("t1"), "2024-06-16")[0]
        topic.pop("label_centroid")
        connection.execute(sa.insert(schema.topics), topic)
        connection.execute(sa.insert(schema.gaps), schema.rows(schema.gaps, gaps("g1"), "2024-06-16"))
        for gap, status in (("g1", "dismissed"), ("g2", "accepted"), ("g1", "accepted")):
            row = {"gap": gap, "at": datetime(2024, 6, 18, tzinfo=UTC), "status": status}
            insert = "INSERT INTO decisions (gap_id, at, who, decision, why) VALUES (:gap, :at, 'ada', :status, '')"
            connection.execute(sa.text(insert).bindparams(sa.bindparam("at", type_=sa.DateTime(timezone=True))), row)
    engine.dispose()


def test_an_older_database_is_brought_up_to_date(settings: Settings, tmp_path: Path) -> None:
    """A database of version 1 keeps all that is in it, and takes what later ones add; opened twice is the same."""
    as_of_version_1(settings.state.url or f"sqlite:///{tmp_path / 'state.db'}")
    open_state(settings, tmp_path).close()
    state = open_state(settings, tmp_path)
    topic = state.topics_before("2024-06-17").iloc[0]
    assert (topic["topic_id"], topic["members"], topic["label_centroid"]) == ("t1", ["q1", "q2"], None)
    assert state.gaps_of("2024-06-16")["gap_id"].tolist() == ["g1"]
    told = state.decisions()
    assert told[["gap_id", "decision", "after"]].values.tolist() == [
        ["g1", "dismiss", 0],
        ["g2", "accept", 0],
        ["g1", "accept", told["id"][0]],
    ]
    assert decide(state, "g1", "draft", "bob") > told["id"][2]
    assert state.topic_events().empty
    # What gaps were about was called a topic: it goes on as a subtopic of the same name.
    part = state.topics_before("2024-06-17", "subtopics").iloc[0]
    assert (part["subtopic_id"], part["members"], part["topic_id"]) == ("t1", ["q1", "q2"], None)
    named = topics("t1").assign(label_centroid=[np.array([0.0, 1.0], dtype=np.float32)])
    state.record_run("2024-06-23", "h2", named, gaps("g1"), events=happened(("t1", "continue", ["t1"])))
    assert np.frombuffer(state.topics("t1")["label_centroid"].iloc[-1], dtype=np.float32).tolist() == [0.0, 1.0]
    assert state.topic_events()["event"].tolist() == ["continue"]
    with state._engine.connect() as connection:
        assert connection.execute(sa.select(schema.schema_version.c.version)).scalars().all() == [schema.SCHEMA_VERSION]
    state.close()


def test_what_happened_to_topics_is_kept_and_replaced_with_its_run(state: State) -> None:
    """Events come back as recorded; a run done again leaves none of its first time, and others stay."""
    state.record_run("2024-06-16", "a", topics("t1"), gaps(), events=happened(("t1", "birth", [])))
    first = happened(("t1", "continue", ["t1"]), ("t2", "death", []))
    state.record_run("2024-06-23", "b", topics("t1"), gaps(), events=first)
    state.record_run("2024-06-23", "b", topics("t1"), gaps(), events=happened(("t1", "merge", ["t3", "t4"])))
    told = state.topic_events()
    assert told[["run_id", "topic_id", "event"]].values.tolist() == [
        ["2024-06-16", "t1", "birth"],
        ["2024-06-23", "t1", "merge"],
    ]
    assert told["related"].tolist() == [[], ["t3", "t4"]]
    assert told["shared"].tolist() == [4, 4]
    assert pd.isna(told["cosine"][0])
    assert state.topic_events("t9").empty


def test_a_newer_schema_is_refused(settings: Settings, state: State, tmp_path: Path) -> None:
    """A database of a later Lacuna is left alone, and the message says to upgrade."""
    with state._engine.connect().execution_options(lacuna_writes=True) as connection, connection.begin():
        connection.execute(sa.insert(schema.schema_version), {"version": 99})
    with pytest.raises(StoreUnusable, match="schema 99") as caught:
        open_state(settings, tmp_path)
    assert "upgrade" in caught.value.remedy


def test_a_writer_that_waits_too_long_is_told_so(tmp_path: Path) -> None:
    """Where another process keeps the database locked, the error names the setting to raise."""
    patient = open_state(settings_for(), tmp_path)
    hasty = open_state(settings_for(wait_seconds=0.1), tmp_path)
    with (
        patient._engine.connect().execution_options(lacuna_writes=True) as connection,
        connection.begin(),
        pytest.raises(StoreUnusable, match="locked") as caught,
    ):
        decide(hasty, "g1", "accept", "ada")
    assert "wait_seconds" in caught.value.remedy
    patient.close()
    hasty.close()


def test_sqlite_runs_in_wal_mode(tmp_path: Path) -> None:
    """The default database lets people read while a run writes."""
    state = open_state(settings_for(), tmp_path)
    with state._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    assert (tmp_path / "state.db").exists()
    state.close()


def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    """A state.db that is no database is an error that names the file and a way out."""
    (tmp_path / "state.db").write_bytes(b"no database at all" * 500)
    with pytest.raises(StoreUnusable, match=r"state\.db") as caught:
        open_state(settings_for(), tmp_path)
    assert "backup" in caught.value.remedy


def test_a_database_without_rights_is_named(tmp_path: Path) -> None:
    """A state.db that this user may not write gives the remedy, not a driver's error."""
    open_state(settings_for(), tmp_path).close()
    tmp_path.chmod(0o555)
    (tmp_path / "state.db").chmod(0o444)
    try:
        with without_rights(), pytest.raises(StoreUnusable) as caught:
            open_state(settings_for(), tmp_path)
    finally:
        tmp_path.chmod(0o755)
    assert "right" in caught.value.remedy


@pytest.mark.parametrize(
    ("url", "problem"), [("nonsense", "not a database URL"), ("mysql+pymysql://a@b/c", "not installed")]
)
def test_a_wrong_url_is_a_setting_to_put_right(tmp_path: Path, url: str, problem: str) -> None:
    """A URL that can't be understood, or whose driver is missing, is reported as the setting that it is."""
    with pytest.raises(SettingsInvalid, match=problem):
        open_state(settings_for(url), tmp_path)


def test_a_server_that_is_not_there_hides_the_password(tmp_path: Path) -> None:
    """The message of a database that does not answer names it without its password."""
    pytest.importorskip("psycopg")
    url = "postgresql+psycopg://ada:geheim@127.0.0.1:9/none?connect_timeout=2"
    with pytest.raises(StoreUnusable) as caught:
        open_state(settings_for(url, wait_seconds=0.1), tmp_path)
    assert "geheim" not in str(caught.value)
    assert "127.0.0.1" in caught.value.problem
