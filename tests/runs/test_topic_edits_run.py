"""What people change about topics is kept by the runs that follow, and taken back where they take it back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lacuna.pipelines.run import RunResult
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import open_state
from lacuna.pipelines.topic_edits import edit_topic, edits_now, undo_edit
from tests.worlds.weekly_shop import WEEKS, WeeklyStore

pytestmark = pytest.mark.slow


class Weeks(WeeklyStore):
    """The store, edited between runs."""

    def edit(self, deed: str, topic: str, **payload: Any) -> int:
        """Edit a topic as Ada."""
        with open_state(load_settings(), self.store) as state:
            return edit_topic(self.store, state, deed, topic, "ada", payload=payload)

    def undo(self, *numbers: int) -> None:
        """Take edits back as Bob."""
        with open_state(load_settings(), self.store) as state:
            for number in numbers:
                undo_edit(state, number, "bob")

    def standing(self) -> dict[int, str]:
        """What became of each edit, in words."""
        with open_state(load_settings(), self.store) as state:
            return {row["id"]: row["standing"] for row in edits_now(state)}


@pytest.fixture
def weeks(tmp_path: Path) -> Weeks:
    return Weeks(tmp_path)


def topic_of(result: RunResult) -> dict[str, str | None]:
    """The topic of most conversations about each subject; None for none."""
    rows = pd.read_parquet(result.folder / "assignments.parquet")
    subject = rows["conversation_id"].str[2:6]
    most = rows["topic_id"].fillna("").groupby(subject).agg(lambda ids: ids.value_counts().index[0])
    return {name: topic or None for name, topic in most.items()}


def run_json(result: RunResult) -> dict[str, Any]:
    return json.loads((result.folder / "run.json").read_text(encoding="utf-8"))


def test_edits_are_kept_week_by_week_and_taken_back(weeks: Weeks) -> None:
    """The week run again keeps all five edits and the next one too; once they are undone, topics are as before."""
    first = weeks.run(WEEKS[0])
    before = topic_of(first)
    chain, lamp, hours, tyre = (str(before[name]) for name in ("chai", "scre", "open", "flat"))
    assert len({chain, lamp, hours, tyre}) == 4
    assert "topic_edits" not in run_json(first)
    edits = [
        weeks.edit("merge", chain, into=lamp),
        weeks.edit("drop", hours),
        weeks.edit("rename", tyre, label="Flat tyres"),
        weeks.edit("split", tyre, examples=["c-flat-00", "c-flat-01"]),
        weeks.edit("pin", lamp, question="c-flat-02"),
    ]
    assert weeks.standing()[edits[0]] == "from the next run on"
    for week in WEEKS[:2]:
        result = weeks.run(week)
        assert [edit["kept"] for edit in run_json(result)["topic_edits"]] == [True] * 5
        now = topic_of(result)
        assert (now["chai"], now["scre"], now["open"]) == (lamp, lamp, None)
        rows = pd.read_parquet(result.folder / "assignments.parquet").set_index("conversation_id")
        assert rows.loc[rows.index.str[2:6] == "open", ["topic_id", "subtopic_id"]].isna().all(axis=None)
        assert rows.loc["c-flat-02", "topic_id"] == lamp
        own = rows.loc[(rows.index.str[2:6] == "flat") & (rows.index != "c-flat-02"), "topic_id"]
        parts = own.groupby(own.index.str[-2:].astype(int) % 2).agg(set)
        assert [len(part) for part in parts] == [1, 1]
        assert parts[0] != parts[1]
        topics = pd.read_parquet(result.folder / "topics.parquet").set_index("topic_id")
        assert topics.loc[tyre, "label"] == "Flat tyres"
        assert set(topics.index) == {lamp, *parts[0], *parts[1]}
    weeks.undo(*edits)
    assert weeks.standing()[edits[0]] == "taken back by bob, from the next run on"
    back = weeks.run(WEEKS[2])
    assert topic_of(back) == before
    assert "Flat tyres" not in set(pd.read_parquet(back.folder / "topics.parquet")["label"])
    assert "topic_edits" not in run_json(back)
