"""The places that are cleaned one by one: the state of either kind, runs on object stores, caches, and old runs."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from lacuna.data_contracts.errors import SettingsInvalid, TagInvalid
from lacuna.models.forgetting.words import MARK
from lacuna.pipelines.forgetting import removal
from lacuna.pipelines.forgetting.forget import forget
from lacuna.pipelines.forgetting.places import files_below, relative_to
from lacuna.pipelines.forgetting.retention import retain
from lacuna.pipelines.forgetting.selection import Asked
from lacuna.pipelines.forgetting.traces import Traces
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.publishing import publishing
from lacuna.pipelines.io.run_folders import published_runs, run_folder, user_cache
from lacuna.pipelines.io.store import write_bytes, write_parquet
from lacuna.pipelines.settings import Settings, load_settings
from lacuna.pipelines.state import schema
from lacuna.pipelines.state.forgotten import forgettings_so_far, read_forgotten, remember_forgotten
from lacuna.pipelines.state.repository import State, open_state
from lacuna.pipelines.state.tags import enter_tag, entered_tags
from lacuna.pipelines.steps.publish.golden_queries import still_allowed
from tests.support.bundles import make_job
from tests.support.databases import gaps, settings_for, topics
from tests.support.standins import Lacuna, make_bundle

KEY = "0158381b1520b35c"
THEIRS = "a zibblewort kettle, says Gromulent"


def traces() -> Traces:
    found = Traces(frozenset({"c-4711"}), {KEY})
    found.words.add(THEIRS)
    return found


def publish(store: StorePath, run_id: str = "2024-06-30", text: str = THEIRS) -> None:
    """A run with one conversation's question, and a document that quotes it."""
    rows = pd.DataFrame(
        {"conversation_id": ["c-4711", "c-0001"], "question": [text, "where is my order"], "key": [KEY, "ffff"]}
    )
    with publishing(store, run_id) as folder:
        write_parquet(folder / "topic_questions.parquet", rows)
        write_parquet(folder / "assignments.parquet", rows[["conversation_id", "key"]])
        (folder / "backlog.jsonl").write_text(json.dumps({"title": text, "conversation_ids": ["c-4711"]}) + "\n")
        (folder / "run.json").write_text(json.dumps({"run_id": run_id}))


def test_rows_words_and_keys_leave_every_table(state: State) -> None:
    """Tags go; decisions, edits, titles and names lose the words; topics lose the key, and what nobody else asked."""
    alone = topics("t-2").assign(members=[[KEY]])
    both = pd.concat([topics("t-1", label="Zibblewort kettle").assign(members=[[KEY, "q2"]]), alone])
    state.record_run("2024-06-30", "h", both, gaps("g-1").assign(title=f"Answer “{THEIRS}”", examples=[[THEIRS]]))
    enter_tag(state, "c-4711", "wrong", "ada")
    enter_tag(state, "c-0001", "wrong", "ada", note=f"like {THEIRS}")
    payload = {
        "examples": [
            {"conversation_id": one, "key": key, "question": "x"} for one, key in (("c-4711", KEY), ("c-1", "q"))
        ],
        "topic": {"members": [KEY, "q2"]},
    }
    moment = datetime(2024, 7, 1, tzinfo=UTC)
    with state.writing() as connection:
        values = {"gap_id": "g-1", "at": moment, "who": "ada", "decision": "note", "why": f"see c-4711: {THEIRS}"}
        connection.execute(sa.insert(schema.decisions), values)
        edit = {
            "topic_id": "t-1",
            "at": moment,
            "who": "ada",
            "deed": "split",
            "why": "",
            "payload": payload,
            "after": 0,
        }
        connection.execute(sa.insert(schema.topic_edits), edit)
    assert removal.from_state(state, traces(), dry=True).rows == 7
    assert removal.from_state(state, traces()).rows == 7
    assert removal.from_state(state, traces()).rows == 0, "a second time, nothing is left to do"
    assert entered_tags(state)["conversation_id"].tolist() == ["c-0001"]
    assert entered_tags(state)["note"].tolist() == [f"like {MARK}"]
    rows = state.topics().set_index("topic_id")
    assert rows["members"].to_dict() == {"t-1": ["q2"], "t-2": []}
    assert rows.loc["t-1", "label"] == MARK
    assert any(rows.loc["t-1", "centroid"])
    assert not any(rows.loc["t-2", "centroid"])
    assert state.decisions()["why"].tolist() == [f"see {MARK}: {MARK}"]
    gap = state.gaps_of("2024-06-30").iloc[0]
    assert (gap["title"], gap["extra"]["examples"]) == (f"Answer “{MARK}”", [MARK])
    with state.reading() as connection:
        after = connection.execute(sa.select(schema.topic_edits.c.payload)).scalar_one()
    assert after["topic"]["members"] == ["q2"]
    assert sorted(one["conversation_id"] for one in after["examples"]) == ["", "c-1"], "an edit keeps its two examples"
    state.overwrite_deleted()


def test_free_pages_hold_nothing(tmp_path: Path) -> None:
    """SQLite leaves what was deleted in its file until the page is used again; here it is written anew."""
    with open_state(settings_for(), tmp_path) as state:
        for number in range(200):
            enter_tag(state, f"c-{number:04d}", "wrong", "ada", note=f"zibblewort {number} " + "x" * 500)
        with closing(sqlite3.connect(tmp_path / "state.db")) as connection, connection:
            connection.execute("PRAGMA secure_delete = OFF")  # some builds have it on by default
            connection.execute("DELETE FROM tags")
        told = b"".join(path.read_bytes() for path in tmp_path.glob("state.db*"))
        assert b"zibblewort" in told
        assert state.overwrite_deleted()
    assert b"zibblewort" not in b"".join(path.read_bytes() for path in tmp_path.glob("state.db*"))


def test_ids_are_kept_as_keyed_hashes(tmp_path: Path) -> None:
    """No id stands in the database, the same id has another hash in another one, and it is found again."""
    hashes = []
    for name in ("one", "other"):
        with open_state(settings_for(), tmp_path / name) as state:
            assert not read_forgotten(state).holds("c-4711")
            remember_forgotten(state, ["c-4711", "jo@example.org"])
            remember_forgotten(state, ["c-4711"])
            forgotten = read_forgotten(state)
            hashes.append(forgotten.hashes)
            assert len(forgotten.hashes) == 2
            assert [forgotten.holds(one) for one in ("c-4711", "jo@example.org", "c-471")] == [True, True, False]
            among = forgotten.among(pd.Series(["c-4711", None, "c-1"], dtype="str"))
            assert among.tolist() == [True, False, False]
    assert not hashes[0] & hashes[1]
    assert b"c-4711" not in (tmp_path / "one" / "state.db").read_bytes()


def test_a_run_on_an_object_store(remote: StorePath, tmp_path: Path) -> None:
    """It is published anew in one step; the old version goes, there and in the user's cache, and caches go too."""
    settings = settings_for(f"sqlite:///{tmp_path / 'state.db'}")
    open_state(settings, remote).close()
    publish(remote)
    write_bytes(remote / "cache" / "names" / "1.json", b"{}")
    write_bytes(remote / "sheets" / "monday.csv", f"conversation_id,note\nc-4711,{THEIRS}\nc-1,x\n".encode())
    assert run_folder(remote, "2024-06-30") is not None
    report = forget(settings, remote, Asked(conversations=("c-4711",)), "dpo")
    assert report.is_done, report.found
    folder = run_folder(remote, "2024-06-30")
    assert folder is not None
    assert pd.read_parquet(folder / "topic_questions.parquet")["conversation_id"].tolist() == ["c-0001"]
    assert (folder / "backlog.jsonl").read_text() == ""
    names = [relative_to(remote, file) for file in files_below(remote)]
    assert len([name for name in names if name.endswith("topic_questions.parquet")]) == 1
    assert not [name for name in names if name.startswith("cache/")]
    assert (remote / "sheets" / "monday.csv").read_bytes() == b"conversation_id,note\nc-1,x\n"
    assert len(list((user_cache() / "runs").glob("*/2024-06-30-*"))) == 1
    assert forget(settings, remote, Asked(conversations=("c-4711",)), "dpo").removed == {}


def test_what_was_cached_before_they_came_stays(tmp_path: Path) -> None:
    """What is cached is by hashes: of a conversation that began yesterday, nothing older can be."""
    old, new = (tmp_path / "cache" / "vectors" / "m-1" / f"0000000{n}.parquet" for n in (0, 1))
    part = tmp_path / "cache" / "parts" / "understand.read_messages" / "2024-W15" / "abc"
    for file, days in ((old, 30), (new, 0), (part / "a.parquet", 30), (part / "results.json", 0)):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
        moment = time.time() - 86_400 * days
        os.utime(file, (moment, moment))
    began = datetime.now(UTC) - timedelta(days=1)
    assert removal.from_caches(tmp_path, began).files == 3
    assert old.exists()
    assert removal.from_caches(tmp_path, None).files == 1


def test_a_forgotten_conversation_can_not_be_tagged(tmp_path: Path) -> None:
    """A tag would write its id down again."""
    with open_state(settings_for(), tmp_path) as state:
        remember_forgotten(state, ["c-4711"])
        with pytest.raises(TagInvalid, match="is forgotten"):
            enter_tag(state, " c-4711", "wrong", "ada")


LIMITS: dict[str, Any] = {"conversations_days": 0, "runs_days": 0, "cache_days": 0}


def keeping(**days: int) -> Settings:
    settings = load_settings()
    retention = settings.retention.model_copy(update=days)
    return settings.model_copy(update={"retention": retention})


def test_old_runs_go_and_the_latest_stays(tmp_path: Path) -> None:
    """Runs older than they may be are deleted whole; the latest stays, so that the board has one."""
    open_state(load_settings(), tmp_path).close()
    for week in ("2024-06-16", "2024-06-23", "2024-06-30"):
        publish(tmp_path, week)
    settings, day = keeping(runs_days=10), date(2024, 7, 1)
    assert retain(settings, tmp_path, "dpo", dry=True, today=day).runs == ("2024-06-16",)
    assert len(published_runs(tmp_path)) == 3
    assert retain(settings, tmp_path, "dpo", today=day).runs == ("2024-06-16",)
    assert retain(settings, tmp_path, "dpo", today=date(2025, 7, 1)).runs == ("2024-06-23",)
    assert published_runs(tmp_path) == ["2024-06-30"]
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["2024-06-30"]
    with open_state(settings, tmp_path) as state:
        assert [(line.sort, line.removed["runs"]["files"]) for line in forgettings_so_far(state)] == [
            ("retention", 4), ("retention", 4)
        ]  # fmt: skip


def test_old_caches_go(tmp_path: Path) -> None:
    """Files that were cached longer ago than the settings allow are deleted."""
    for name, days in (("old", 40), ("new", 3)):
        file = tmp_path / "cache" / "vectors" / "m" / f"{name}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
        os.utime(file, (time.time() - 86_400 * days,) * 2)
    assert retain(keeping(cache_days=30), tmp_path, "dpo").cached.files == 1
    assert [path.stem for path in files_below(tmp_path / "cache")] == ["new"]
    assert retain(keeping(), tmp_path, "dpo").cached.files == 0


def test_old_conversations_are_forgotten(tmp_path: Path) -> None:
    """Those that began longer ago, with runs of such alone; conversations that are younger stay."""
    bundle, store = make_bundle(tmp_path), tmp_path / "store"
    open_state(load_settings(), store).close()
    publish(store, "2024-06-10")
    publish(store, "2024-06-30")
    settings, day = keeping(conversations_days=10), date(2024, 6, 30)
    with pytest.raises(SettingsInvalid, match="needs --bundle"):
        retain(settings, store, "dpo", today=day)
    report = retain(settings, store, "dpo", str(bundle), today=day).conversations
    assert report is not None
    assert published_runs(store) == ["2024-06-30"]
    with open_state(settings, store) as state:
        forgotten = read_forgotten(state)
        assert forgettings_so_far(state)[-1].sort == "retention, before 2024-06-20"
    ids = [f"c{number:02d}" for number in range(12)]
    assert [one for one in ids if not forgotten.holds(one)] == ids[:6], "of 30 to 20 June"
    assert forgotten.holds("c-4711"), "the run that went knew it, whatever the bundle holds today"
    again = retain(settings, store, "dpo", str(bundle), today=day).conversations
    assert again is not None
    assert again.conversations == 0, "what others' bundles still hold is not forgotten every week"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "nothing was named to forget"),
        (("--before", "2024-06-01"), "--before needs --bundle"),
        (("--file", "nowhere.txt"), "nowhere.txt can't be read"),
        (("--conversation", "c-1", "--bundle", "nowhere"), "nowhere"),
    ],
)
def test_what_can_not_be_done_is_said(lacuna: Lacuna, tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    """Wrong usage ends with 2, and says how it is right."""
    code, _, error = lacuna("forget", "--store", str(tmp_path / "store"), *arguments)
    assert code == 2
    assert told in error


def test_ids_of_a_file_and_ids_that_are_unknown(lacuna: Lacuna, tmp_path: Path) -> None:
    """A file holds an id a line; an id that is found nowhere is named, and kept out all the same."""
    store = tmp_path / "store"
    open_state(load_settings(), store).close()
    publish(store)
    (tmp_path / "ids.txt").write_text("c-4711\n\n c-gone \n", encoding="utf-8")
    code, told, _ = lacuna("forget", "--store", str(store), "--file", str(tmp_path / "ids.txt"), "--who", "dpo")
    assert code == 0, told
    assert "2 conversations forgotten." in told
    assert "Found nowhere: c-gone. They are kept out of later runs and pulls all the same." in told
    assert "Nothing of them was found." in told
    code, told, _ = lacuna("forget", "--store", str(store), "--log")
    assert "dpo" in told
    code, told, _ = lacuna("forget", "--store", str(store), "--retention")
    assert "keep everything for ever" in told


def test_a_store_that_may_not_be_written_is_refused(lacuna: Lacuna, tmp_path: Path) -> None:
    """Before anything is written down."""
    (tmp_path / "store").write_text("a file", encoding="utf-8")
    code, _, error = lacuna("forget", "--store", str(tmp_path / "store"), "--conversation", "c-1")
    assert (code, "a file is in the way" in error) == (2, True)


def test_golden_queries_obey(tmp_path: Path) -> None:
    """A query whose conversation may have begun before the limit goes, and one of a forgotten conversation."""
    job = make_job(str(tmp_path / "bundle"), tmp_path / "store", "2024-06-03", "2024-06-30")
    queries = pd.DataFrame(
        {
            "conversation_id": ["c-old", "c-edge", "c-new", "c-gone"],
            "since": ["2024-05-26", "2024-06-02", "2024-06-09", "2024-06-23"],
        }
    )
    assert len(still_allowed(job, queries)) == 4
    with open_state(job.settings, job.store) as state:
        remember_forgotten(state, ["c-gone"])
    # A query of the run of 9 June may be of 13 May: 48 days before the 30th.
    for days, kept in ((0, ["c-old", "c-edge", "c-new"]), (55, ["c-edge", "c-new"]), (48, ["c-new"]), (47, [])):
        limited = replace(job, settings=keeping(conversations_days=days))
        assert still_allowed(limited, queries)["conversation_id"].tolist() == kept
