"""Somebody who wants to be forgotten: nothing of them is left anywhere, all others are as before, and it stays so."""

from __future__ import annotations

import gzip
import html
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

import lacuna.pipelines.forgetting.forget as forgetting
from lacuna.data_contracts.errors import SettingsInvalid, StoreUnusable
from lacuna.pipelines.board import make_app
from lacuna.pipelines.forgetting import removal
from lacuna.pipelines.forgetting.forget import Report, forget
from lacuna.pipelines.forgetting.selection import Asked
from lacuna.pipelines.io.published import read_published
from lacuna.pipelines.io.runs import read_backlog
from lacuna.pipelines.sources.pull import pull_source
from lacuna.pipelines.state.forgotten import forgettings_so_far, read_forgotten
from lacuna.pipelines.state.leases import lease
from lacuna.pipelines.state.rebuild import rebuild_state
from lacuna.pipelines.state.repository import open_state
from tests.support.forgetting import CANARIES, CUSTOMER, END, IDS, Desk, Known, make_known
from tests.support.standins import Lacuna

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """The store before; never changed."""
    return make_known(tmp_path_factory.mktemp("known") / "before")


@pytest.fixture
def known(original: Known, tmp_path: Path) -> Known:
    """A copy of it."""
    return original.copied(tmp_path / "known")


@pytest.fixture(scope="module")
def after(original: Known, tmp_path_factory: pytest.TempPathFactory) -> tuple[Known, Report]:
    """The store once the customer is forgotten."""
    known = original.copied(tmp_path_factory.mktemp("after") / "known")
    return known, forget_customer(known)


def forget_customer(known: Known, dry: bool = False) -> Report:
    return forget(known.settings, known.store, Asked(customers=(CUSTOMER,)), "dpo", str(known.bundle), dry)


def held(folder: Path) -> dict[str, set[str]]:
    """The files that hold a canary or an id, compressed ones read, the database's pages as they are; and which."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            told = " ".join(readings(path.name, path.read_bytes())).casefold()
            if inside := {one for one in (*CANARIES, *IDS) if one in told}:
                found[str(path.relative_to(folder))] = inside
    return found


def readings(name: str, content: bytes) -> Iterator[str]:
    """What can be read in a file."""
    if name.endswith(".parquet") and content:
        yield str(pq.read_table(io.BytesIO(content)).to_pydict())
    elif name.endswith(".gz"):
        yield from readings(name.removesuffix(".gz"), gzip.decompress(content))
    elif name.endswith(".xlsx"):
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            yield from (book.read(part).decode("utf-8", "ignore") for part in book.namelist())
    else:
        yield html.unescape(content.decode("utf-8", "ignore"))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file's bytes; of databases, that they are there."""
    return {
        str(path.relative_to(folder)): b"" if "state.db" in path.name else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_canaries_go_far_beforehand(original: Known) -> None:
    """Else what follows would prove nothing: they are in the bundle, the run, the state, and files beside it."""
    found = held(original.folder)
    places = " ".join(found)
    for name in (
        "backlog.jsonl", "backlog.xlsx", "runs/2024-06-30/report.html", "transcripts.parquet", "golden_queries.parquet",
        "search_texts.parquet", "topic_questions.parquet", "topics.parquet", "drafts/", "cache/parts/", "state.db",
        "of Monday, backlog.csv", "of Monday, report.html", "bundle/messages", "bundle/searches", "bundle/outcomes",
    ):  # fmt: skip
        assert name in places, (name, places)
    assert set.union(*found.values()) >= {*CANARIES, *IDS}


def test_nothing_of_them_is_left(after: tuple[Known, Report]) -> None:
    """Not in the bundle, the runs, the caches, the state and its free pages, or in files beside."""
    known, report = after
    assert held(known.folder) == {}
    assert report.is_done
    assert report.conversations == len(IDS)
    assert (report.elsewhere, report.unknown) == ({}, ())
    assert {"runs", "caches", "state database", "other files of the store"} < set(report.removed)


def test_all_others_are_as_before(original: Known, after: tuple[Known, Report]) -> None:
    """Every row of another conversation, in the bundle and in the run, has the same values; figures stay."""
    for before, now in ((original.bundle, after[0].bundle), (original.run, after[0].run)):
        for file in sorted(before.rglob("*.parquet")):
            rows = pd.read_parquet(file)
            same = pd.read_parquet(now / file.relative_to(before))
            if "conversation_id" in rows:
                assert_same_rows(rows[~rows["conversation_id"].isin(IDS)], same)
            else:
                figures = rows.select_dtypes(["number", "bool"]).columns
                if file.name not in ("search_texts.parquet", "intent_confusion.parquet"):
                    assert_same_rows(rows[figures], same[figures])
    assert json.loads((original.run / "run.json").read_text()) == json.loads((after[0].run / "run.json").read_text())


def assert_same_rows(rows: pd.DataFrame, same: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(rows.reset_index(drop=True), same.reset_index(drop=True))


def test_the_run_can_be_read_and_shown(after: tuple[Known, Report], lacuna: Lacuna) -> None:
    """Backlog, explanation, search and drafts are there; a draft that nobody has edited does not look edited."""
    known, _ = after
    gaps = read_backlog(known.run)
    assert gaps
    assert all(gap.draft is None or (known.run / gap.draft).is_file() for gap in gaps)
    place = ("--store", str(known.store))
    for command in (("runs",), ("explain", "1"), ("backlog",), ("topic", "show"), ("why", "customs")):
        assert lacuna(*command, *place)[0] == 0
    code, told, _ = lacuna("drafts", *place)
    assert (code, "edited" in told) == (0, False)
    page = (known.run / "report.html").read_text(encoding="utf-8")
    blocks = page.split('type="application/json"')[1:]
    assert blocks
    for block in blocks:
        for line in block.partition(">")[2].partition("</script>")[0].strip().split("\n"):
            json.loads(line)


def test_the_board_shows_it(after: tuple[Known, Report]) -> None:
    """Every page, and each gap with its draft, its questions and its log, without a word of theirs."""
    known, _ = after
    with open_state(known.settings, known.store) as state:
        board = TestClient(make_app(known.store, known.settings, state, "ada"), base_url="http://127.0.0.1:8765")
        of_gaps = [f"/gaps/{gap.gap_id}{page}" for gap in read_backlog(known.run) for page in ("", "/draft")]
        for page in ("/", "/drafts", "/week", "/owners", "/impact", "/kpis", "/tags", "/topics", *of_gaps):
            answer = board.get(page)
            assert answer.status_code == 200, page
            assert not [one for one in (*CANARIES, *IDS) if one in html.unescape(answer.text).casefold()], page


def test_a_pull_does_not_bring_them_back(after: tuple[Known, Report], tmp_path: Path) -> None:
    """The source gives all it has once more, for its cursor is lost: they are passed over, and counted."""
    known = after[0].copied(tmp_path / "known")
    shutil.rmtree(known.bundle / "_pull" / "desk")
    assert pull_source(known.settings, Desk(), known.bundle).forgotten == len(IDS)
    assert held(known.folder) == {}


def test_a_run_does_not_bring_them_back(original: Known, after: tuple[Known, Report], tmp_path: Path) -> None:
    """A bundle holds them still, as one that others export: it is not written anywhere, and the run tells how much."""
    known = after[0].copied(tmp_path / "known")
    shutil.rmtree(known.bundle)
    shutil.copytree(original.bundle, known.bundle)
    report = forget_customer(known, dry=True)
    assert report.conversations == len(IDS)
    known.mine()
    assert held(known.store) == {}
    counts = json.loads((known.run / "run.json").read_text(encoding="utf-8"))["tables"]
    forgotten = {table: rows["rows_forgotten"] for table, rows in counts.items() if rows["rows_forgotten"]}
    assert forgotten == {"conversations": 3, "messages": 9, "outcomes": 3, "searches": 1}
    assert all(
        rows["rows_in"] == sum(count for name, count in rows.items() if name != "rows_in") for rows in counts.values()
    )


def test_a_database_made_again_knows_it_still(after: tuple[Known, Report], tmp_path: Path) -> None:
    """The store has a copy of the hashes and of the log; what the runs give back holds nothing of them."""
    known = after[0].copied(tmp_path / "known")
    for file in known.store.glob("state.db*"):
        file.unlink()
    rebuild_state(known.settings, known.store)
    with open_state(known.settings, known.store) as state:
        forgotten, (line,) = read_forgotten(state), forgettings_so_far(state)
        assert all(forgotten.holds(one) for one in IDS)
        assert (line.who, line.places_left) == ("dpo", 0)
    assert held(known.folder) == {}


@pytest.mark.parametrize("place", ["from_run", "beside_runs", "from_state", "from_bundle", "search"])
def test_what_was_stopped_half_way_is_ended(known: Known, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it stops, the run that readers see is whole, and the same again ends it; what was kept is gone then."""
    where = forgetting if place == "search" else removal

    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(where, place, stopped)
        with pytest.raises(KeyboardInterrupt):
            forget_customer(known)
    before = contents(known.run)
    assert read_backlog(known.run)
    assert read_published(known.run, "assignments").shape[0] == len(pd.read_parquet(known.run / "assignments.parquet"))
    assert (place == "search") == (not (known.store / ".forgetting").exists())
    report = forget_customer(known)
    assert report.is_done
    assert held(known.folder) == {}
    assert not (known.store / ".forgetting").exists()
    assert (contents(known.run) == before) == (place != "from_run")


def test_who_only_looks_changes_nothing(known: Known) -> None:
    """A dry run counts the same places, and leaves every file and row."""
    before, found = contents(known.folder), held(known.folder)
    report = forget_customer(known, dry=True)
    assert report.found is None
    assert report.removed["runs"].rows > 10
    assert (contents(known.folder), held(known.folder)) == (before, found)
    with open_state(known.settings, known.store) as state:
        assert forgettings_so_far(state) == []


def test_a_bundle_of_others_is_never_changed(known: Known) -> None:
    """It is read for their words, and whoever writes it is told how many rows to delete in which table."""
    shutil.rmtree(known.bundle / "_pull")
    before = contents(known.bundle)
    report = forget_customer(known)
    assert contents(known.bundle) == before
    assert report.elsewhere == {str(known.bundle): {"conversations": 3, "messages": 9, "outcomes": 3, "searches": 1}}
    assert report.is_done
    assert held(known.store) == {}


def test_without_a_bundle_the_runs_tell_their_words(known: Known) -> None:
    """Ids alone are enough, as far as runs and caches hold the texts; a customer or a day needs a bundle."""
    report = forget(known.settings, known.store, Asked(conversations=(*IDS, "c-nobody")), "dpo")
    assert report.unknown == ("c-nobody",)
    assert report.is_done
    assert held(known.store) == {}
    with pytest.raises(SettingsInvalid, match="--customer needs --bundle"):
        forget(known.settings, known.store, Asked(customers=(CUSTOMER,)), "dpo")


def test_what_was_put_back_is_found_and_named(known: Known, lacuna: Lacuna) -> None:
    """A file that nobody can write anew makes the command fail, and name the place; the next one too."""
    (known.store / "notes.bin").write_bytes(b"\0" * 5000 + b"the gromulent fee" + b"\0" * 10)
    arguments = ("forget", "--store", str(known.store), "--bundle", str(known.bundle), "--config", known.config)
    code, told, _ = lacuna(*arguments, "--customer", CUSTOMER, "--who", "dpo")
    assert code == 1
    assert "left notes.bin: 1 text with their words" in told
    assert "gromulent" not in told
    code, told, _ = lacuna("forget", "--store", str(known.store), "--log")
    assert (code, "places: 1" in told) == (0, True)


def test_it_waits_for_who_is_at_work(known: Known) -> None:
    """A run, or a pull, that is under way may have them in memory: nothing is removed beside it, and they are noted."""
    before = contents(known.run)
    (known.store / ".work" / END).mkdir(parents=True)
    with lease(known.settings, known.store, END), pytest.raises(StoreUnusable, match="another run holds"):
        forget_customer(known)
    with lease(known.settings, known.bundle / "_pull", "pull-desk"), pytest.raises(StoreUnusable, match="pull-desk"):
        forget_customer(known)
    assert contents(known.run) == before
    assert forget_customer(known).is_done


def test_the_log_tells_who_and_how_many_and_no_id(after: tuple[Known, Report]) -> None:
    """A line has the person, the sort, counts by place, and that nothing is left."""
    known, report = after
    with open_state(known.settings, known.store) as state:
        (line,) = forgettings_so_far(state)
    assert (line.who, line.sort, line.conversations, line.places_left) == ("dpo", "customer", len(IDS), 0)
    assert line.removed["runs"]["rows"] == report.removed["runs"].rows > 0
    assert CUSTOMER not in str(line)
