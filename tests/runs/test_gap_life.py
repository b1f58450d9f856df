"""Gaps from run to run: ids, decisions and statuses over weeks, and the backlog as of now between them."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lacuna.data_contracts.errors import NotAllowed
from lacuna.models.backlog.gap import Gap
from lacuna.pipelines.gaps.decisions import backlog_now, decide, undo
from lacuna.pipelines.gaps.history import name_gaps, read_past, with_history
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import State, open_state
from lacuna.pipelines.steps.publish.step import remember
from tests.support.standins import BACKLOG_ROW, a_gap
from tests.support.tables import plant

WEEKS = [f"2024-{day}" for day in ("06-02", "06-09", "06-16", "06-23", "06-30")]
EVENTS = {"subtopic_id": "str", "event": "str", "related": "object", "shared": "int64", "cosine": "float64"}


@pytest.fixture
def weeks(tmp_path: Path) -> Any:
    """A store without runs, and its state."""
    state = open_state(load_settings(), tmp_path)
    yield WeeklyStore(tmp_path, state)
    state.close()


class WeeklyStore:
    """A store in which weeks are run: their gaps are given, and everything after diagnosis is real."""

    def __init__(self, store: Path, state: State) -> None:
        self.store, self.state = store, state

    def job(self, week: int) -> Job:
        """A week's run, with what the steps before would have written."""
        day = date.fromisoformat(WEEKS[week])
        job = Job("bundle", self.store, day, day, None, load_settings())
        nothing = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in EVENTS.items()})
        job.write("understand/subtopic_events", nothing)
        job.write_json("understand/topic_edits", [])
        job.write("understand/events", nothing.rename(columns={"subtopic_id": "topic_id"}))
        for name, key in (("registry", "topic_id"), ("subtopic_registry", "subtopic_id")):
            job.write(f"understand/{name}", pd.DataFrame({key: pd.Series(dtype="str")}))
        plant(
            job,
            "load/owners",
            pd.DataFrame([{"owner_id": "o2", "name": "Ben", "email": None}]).astype("str").assign(active=True),
        )
        return job

    def run(self, week: int, **sizes: int) -> pd.DataFrame:
        """Run a week with missing articles, each named by its one topic, of these sizes; its backlog by topic."""
        job = self.job(week)
        gaps = pd.DataFrame(
            [
                {
                    "kind": "missing",
                    "article_id": None,
                    "other_article_id": None,
                    "topic_id": t,
                    "topics": [t],
                    "subtopics": [t],
                }
                for t in sizes
            ]
        )
        past = read_past(job)
        gaps["gap_id"] = name_gaps(gaps, past)
        rows = []
        for rank, gap in enumerate(gaps.to_dict("records"), 1):
            row = BACKLOG_ROW | gap | {"rank": rank, "conversations": sizes[gap["topic_id"]], "last_seen": job.run_id}
            row |= {"owner_name": "Ada", "change_point": None}
            dated = with_history(Gap.from_row(row), past, {"o2": "Ben"}.get, job.settings.review.dismissed_returns_at)
            rows.append(dated.as_row())
        backlog = pd.DataFrame(rows)
        job.folder.mkdir(parents=True, exist_ok=True)
        backlog.to_parquet(job.folder / "backlog.parquet")
        (job.folder / "run.json").write_text(json.dumps({"run_id": job.run_id}), encoding="utf-8")
        remember(job, backlog, "h")
        return backlog.set_index("topic_id")

    def decide(self, gap: str, step: str, **payload: Any) -> int:
        """Decide as Ada."""
        return decide(self.state, gap, step, "ada", why="so", payload=payload)

    def statuses(self) -> dict[str, str]:
        """The status of each gap as of now, by topic."""
        return backlog_now(self.store, self.state, load_settings()).set_index("topic_id")["status"].to_dict()


def test_ids_and_decisions_last_from_week_to_week(weeks: WeeklyStore) -> None:
    """What was accepted and assigned stays so under the same id, with the owner that people chose and the due day."""
    first = weeks.run(0, t1=10, t2=10)
    assert first["status"].tolist() == ["new", "new"]
    weeks.decide(first.loc["t1", "gap_id"], "accept")
    weeks.decide(first.loc["t1", "gap_id"], "assign", owner_id="o2", due="2024-07-01")
    second = weeks.run(1, t2=10, t1=11, t3=5)
    assert second.loc[["t1", "t2"], "gap_id"].tolist() == first.loc[["t1", "t2"], "gap_id"].tolist()
    assert second["status"].to_dict() == {"t2": "open", "t1": "accepted", "t3": "new"}
    gap_fields = second.loc["t1", ["owner_id", "owner_name", "owner_reason", "due", "first_seen"]].tolist()
    assert gap_fields == ["o2", "Ben", "chosen by ada", "2024-07-01", WEEKS[0]]
    assert second.loc["t2", "owner_reason"] == BACKLOG_ROW["owner_reason"]


def test_a_dismissed_gap_comes_back_once_it_has_doubled(weeks: WeeklyStore) -> None:
    """It says so, stays until somebody decides again, and must double again after that."""
    gap = weeks.run(0, t1=10).loc["t1", "gap_id"]
    weeks.decide(gap, "dismiss", reason="wont_fix")
    assert weeks.run(1, t1=19).loc["t1", "status"] == "dismissed"
    grown = weeks.run(2, t1=20).loc["t1"]
    assert (grown["status"], grown["status_note"]) == ("reopened", "dismissed at 10 conversations, now 20")
    assert grown["carried"]["change"] == "reopened"
    later = weeks.run(3, t1=12).loc["t1"]
    assert (later["status"], later["status_note"]) == ("reopened", "dismissed at 10 conversations, now 20")
    assert later["carried"]["change"] == "same"
    assert (grown["status_since"], later["status_since"]) == (WEEKS[2], WEEKS[2])
    weeks.decide(gap, "dismiss", reason="wont_fix")
    assert weeks.statuses() == {"t1": "dismissed"}
    assert weeks.run(4, t1=23).loc["t1", "status"] == "dismissed"


def test_a_snoozed_gap_sleeps_until_its_day(weeks: WeeklyStore) -> None:
    """The first run on or after the day has it open again, with the day in its note."""
    gap = weeks.run(0, t1=10).loc["t1", "gap_id"]
    weeks.decide(gap, "snooze", until=WEEKS[2])
    assert weeks.run(1, t1=10).loc["t1", "status"] == "snoozed"
    back = weeks.run(2, t1=10).loc["t1"]
    assert (back["status"], back["status_note"]) == ("open", f"snoozed until {WEEKS[2]}")


def test_what_was_gone_and_comes_back(weeks: WeeklyStore) -> None:
    """Undecided and published gaps are reopened with a note; what is being worked on and was dismissed stays so."""
    first = weeks.run(0, t1=9, t2=9, t3=9, t4=9)["gap_id"]
    weeks.decide(first["t2"], "publish", on="2024-06-04")
    weeks.decide(first["t3"], "accept")
    weeks.decide(first["t4"], "dismiss", reason="wont_fix")
    weeks.run(1, t9=9)
    back = weeks.run(2, t1=9, t2=9, t3=9, t4=9)
    assert back["gap_id"].to_dict() == first.to_dict()
    assert back["status"].to_dict() == {"t1": "reopened", "t2": "reopened", "t3": "accepted", "t4": "dismissed"}
    assert set(back.loc[["t1", "t2"], "status_note"]) == {"it was gone in the run before, and is back"}
    assert back["status_since"].to_dict() == {"t1": WEEKS[2], "t2": WEEKS[2], "t3": WEEKS[0], "t4": WEEKS[0]}
    weeks.decide(first["t2"], "publish", on="2024-06-17")
    again = weeks.run(2, t1=9, t2=9, t3=9, t4=9)
    assert again.loc["t2", "status"] == "published", "who published it has seen that it was back"
    assert weeks.run(3, t1=9, t2=9, t3=9, t4=9)["status"].to_dict() == {
        "t1": "open", "t2": "published", "t3": "accepted", "t4": "dismissed",
    }  # fmt: skip


@pytest.mark.parametrize("step", ["accept", "publish", "snooze", "dismiss", "merge", "reopen", "assign"])
def test_the_backlog_now_is_what_the_run_would_say_if_done_again(weeks: WeeklyStore, step: str) -> None:
    """New, open, reopened, accepted, published, dismissed and grown gaps: decide on all, and undo all again."""
    first = weeks.run(0, t1=9, t2=9, t3=9, t4=9, t5=9, t6=9)["gap_id"]
    weeks.decide(first["t2"], "accept")
    weeks.decide(first["t3"], "publish", on="2024-06-04")
    weeks.decide(first["t4"], "dismiss", reason="wont_fix")
    weeks.decide(first["t5"], "dismiss", reason="wont_fix")
    weeks.run(1, t1=9, t2=9, t4=9, t5=9, t8=9)
    sizes = {"t1": 9, "t2": 9, "t3": 9, "t4": 9, "t5": 40, "t6": 9, "t7": 9}
    latest = weeks.run(2, **sizes)
    before = latest["status"].to_dict()
    assert list(before.values()) == ["open", "accepted", "reopened", "dismissed", "reopened", "reopened", "new"]
    payload: dict[str, Any] = {
        "publish": {"on": "2024-06-17"}, "snooze": {"until": "2024-07-15"}, "dismiss": {"reason": "not_a_gap"},
        "merge": {"into": latest.loc["t7", "gap_id"]}, "assign": {"owner_id": "o2"},
    }.get(step, {})  # fmt: skip
    decided = []
    for topic, gap in latest["gap_id"].items():
        with suppress(NotAllowed):
            weeks.decide(gap, step, **payload)
            decided.append(topic)
    assert decided
    now = weeks.statuses()
    assert now == weeks.run(2, **sizes)["status"].to_dict()
    assert (now == before) == (step in ("assign", "note"))
    for topic in decided:
        undo(weeks.state, latest.loc[topic, "gap_id"], "ada")
    # Only the next run knows again that t5 has grown: this one has been done again since.
    assert weeks.statuses() | {"t5": ""} == before | {"t5": ""}
    assert weeks.run(2, **sizes)["status"].to_dict() == before


def test_an_old_week_run_again_hears_nothing_of_later_decisions(weeks: WeeklyStore) -> None:
    """A week keeps what was known in it, whatever was decided since."""
    gap = weeks.run(0, t1=9).loc["t1", "gap_id"]
    weeks.decide(gap, "accept")
    weeks.run(1, t1=9)
    weeks.decide(gap, "dismiss", reason="not_a_gap")
    assert weeks.run(0, t1=9).loc["t1", "status"] == "accepted"
    assert weeks.run(1, t1=9).loc["t1", "status"] == "dismissed"


def test_what_is_wrong_with_a_new_article_names_the_gap_that_it_was_written_for(weeks: WeeklyStore) -> None:
    """The article that closed a gap and is not found itself is another gap, which says what it was written for."""
    gap = weeks.run(0, t1=9).loc["t1", "gap_id"]
    weeks.decide(gap, "publish", on="2024-06-05", article_id="kb-new")
    past = read_past(weeks.job(1))
    other = a_gap(gap_id="g-x", kind="unfindable", article_id="kb-new", owner_name="Ada")
    dated = with_history(other, past, {}.get, 2.0)
    assert (dated.status, dated.status_note) == ("new", f"the article was written for {gap} on 2024-06-05")
    assert with_history(replace(other, article_id="kb-old"), past, {}.get, 2.0).status_note == ""
