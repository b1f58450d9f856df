"""What people say a gap is called, of which kind it is and what is in it is kept by every later run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lacuna.pipelines.gaps.decisions import backlog_now, decide, history, undo
from lacuna.pipelines.run import RunResult
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import open_state
from tests.support.standins import Lacuna
from tests.worlds.weekly_shop import WEEKS, WeeklyStore

pytestmark = pytest.mark.slow

NAME = "Tell riders how to put the chain back on"


class Weeks(WeeklyStore):
    """The store, with decisions between runs."""

    def decide(self, gap: str, action: str, **payload: Any) -> int:
        """Decide as Ada."""
        with open_state(load_settings(), self.store) as state:
            return decide(state, gap, action, "ada", payload=payload)

    def undo(self, gap: str, times: int) -> None:
        """Take the last decisions on a gap back."""
        with open_state(load_settings(), self.store) as state:
            for _ in range(times):
                undo(state, gap, "ada")

    def now(self, gap: str) -> dict[str, Any]:
        """A gap as it stands now."""
        with open_state(load_settings(), self.store) as state:
            rows = backlog_now(self.store, state, load_settings())
        return rows.set_index("gap_id").loc[gap].to_dict()


@pytest.fixture
def weeks(tmp_path: Path) -> Weeks:
    return Weeks(tmp_path)


def backlog(result: RunResult) -> dict[str, dict[str, Any]]:
    """The gaps of a run by the subject that most of their conversations are about."""
    rows = [json.loads(line) for line in (result.folder / "backlog.jsonl").read_text(encoding="utf-8").splitlines()]
    subjects = {row["gap_id"]: [each[2:6] for each in row["conversation_ids"]] for row in rows}
    return {max(set(names := subjects[row["gap_id"]]), key=names.count): row for row in rows}


def test_edits_of_a_gap_outlive_two_later_runs_and_are_taken_back(weeks: Weeks, lacuna: Lacuna) -> None:
    """Title and kind show at once and in all files of later runs, membership from the next run on, all under one id."""
    found = backlog(weeks.run(WEEKS[0]))
    chain, lamp = found["chai"], found["scre"]
    gap, moved, out = chain["gap_id"], lamp["conversation_ids"][-1], chain["conversation_ids"][-1]
    assert chain["kind"] == "missing"
    weeks.decide(gap, "rename", title=f"  {NAME} ")
    weeks.decide(gap, "reclassify", kind="stale", article_id="kb-1")
    weeks.decide(gap, "exclude", conversation=out)
    weeks.decide(gap, "include", conversation=moved)
    now = weeks.now(gap)
    assert (now["title"], now["kind"], now["article_id"]) == (NAME, "stale", "kb-1")
    assert now["found_as"]["title"] == chain["title"]
    for week in WEEKS[:2]:  # the same week again, and the next one
        result = weeks.run(week)
        rows = backlog(result)
        edited = rows["chai"]
        assert edited["gap_id"] == gap
        assert (edited["title"], edited["kind"], edited["article_id"]) == (NAME, "stale", "kb-1")
        assert edited["found_as"]["kind"] == "missing"
        assert edited["found_as"]["edited_by"] == "ada"
        assert edited["reasons"][0] == "ada says that it is stale; it was found as missing"
        assert out not in edited["conversation_ids"]
        assert moved in edited["conversation_ids"]
        assert moved not in rows["scre"]["conversation_ids"]
        assert edited["conversations"] == len(edited["conversation_ids"])
        for file in ("report.html", "backlog.csv", edited["draft"]):
            assert NAME in (result.folder / file).read_text(encoding="utf-8"), file
        assert weeks.now(gap)["title"] == NAME
    weeks.undo(gap, 4)
    assert weeks.now(gap)["title"] == chain["title"]
    back = backlog(weeks.run(WEEKS[2]))["chai"]
    assert (back["gap_id"], back["title"], back["kind"]) == (gap, chain["title"], "missing")
    assert (back["article_id"], back["found_as"]) == (None, None)
    store = ("--store", weeks.store)
    assert lacuna("decide", gap, "rename", "--title", NAME, *store)[0] == 0
    assert lacuna("decide", gap, "note", "--why", "later", *store)[0] == 0
    for command in ("explain", "backlog"):
        assert NAME in lacuna(command, *((gap,) if command == "explain" else ()), *store)[1]
    assert f"Found as “{chain['title']}”, missing" in lacuna("explain", gap, *store)[1]
    assert lacuna("decide", gap, "include", "--conversation", "c-nope", *store)[0] == 2
    with open_state(load_settings(), weeks.store) as state:
        renamed = history(state, gap)[-2].id
    assert lacuna("undo", gap, "--decision", str(renamed), *store)[0] == 0
    assert NAME not in lacuna("explain", gap, *store)[1]
    assert not any("ada" in reason for reason in back["reasons"])
    assert moved not in back["conversation_ids"]
