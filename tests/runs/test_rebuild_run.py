"""A state database that was lost is made again from the runs, and the next run goes on as if nothing had happened."""

from __future__ import annotations

import filecmp
import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from lacuna.pipelines.gaps.decisions import decide
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state import schema
from lacuna.pipelines.state.rebuild import rebuild_state
from lacuna.pipelines.state.repository import open_state
from lacuna.pipelines.state.tags import enter_tag
from lacuna.pipelines.topic_edits import edit_topic
from tests.support.standins import Lacuna
from tests.worlds.weekly_shop import WEEKS, WeeklyStore

pytestmark = pytest.mark.slow

RESTORED = (
    schema.runs, schema.topics, schema.topic_events, schema.subtopics, schema.subtopic_events, schema.gaps,
    schema.decisions, schema.tags, schema.topic_edits, schema.topic_edit_results,
)  # fmt: skip


@dataclass
class Lost:
    """Two weeks with decisions between, and a copy of the store without its database."""

    weeks: WeeklyStore
    copy: Path


def lose(store: Path) -> None:
    """Remove a store's database."""
    for file in store.glob("state.db*"):
        file.unlink()


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Lost:
    folder = tmp_path_factory.mktemp("lost")
    weeks = WeeklyStore(folder)
    first = weeks.run(WEEKS[0])
    gaps = [json.loads(line) for line in (first.folder / "backlog.jsonl").read_text(encoding="utf-8").splitlines()]
    topics = pd.read_parquet(first.folder / "topics.parquet")["topic_id"]
    with open_state(load_settings(), weeks.store) as state:
        decide(state, gaps[0]["gap_id"], "accept", "ada", why="mail jo@example.org about it")
        decide(state, gaps[1]["gap_id"], "rename", "ada", payload={"title": "Tell them when we open"})
        decide(state, gaps[1]["gap_id"], "dismiss", "bob", payload={"reason": "wont_fix"})
        decide(state, gaps[1]["gap_id"], "undo", "bob")
        edit_topic(weeks.store, state, "rename", topics[0], "ada", payload={"label": "Chains that fall off"})
        enter_tag(state, gaps[0]["conversation_ids"][0], "wrong", "bob", note="+49 170 1234567 called")
    weeks.run(WEEKS[1])
    copy = Path(shutil.copytree(weeks.store, folder / "copy"))
    lose(copy)
    return Lost(weeks, copy)


def clock_warnings(run: Path) -> list[str]:
    """What a run says of its machine's clock."""
    warnings = json.loads((run / "run.json").read_text(encoding="utf-8"))["warnings"]
    return [warning["message"] for warning in warnings if warning["rule"] == "clock"]


def rows_of(settings: Any, store: Path) -> dict[str, list[dict[str, Any]]]:
    """All rows of the tables that are restored, without the moments of publication."""
    tables = {}
    with open_state(settings, store) as state, state.reading() as connection:
        for table in RESTORED:
            rows = [dict(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key)).mappings()]
            for row in rows:
                row.pop("published_at", None)
                (row.get("extra") or {}).pop("seen_at", None)
                row |= {name: schema.utc(row[name]) for name in ("at", "tagged_at") if name in row}
            tables[table.name] = rows
    return tables


def test_what_the_runs_hold_comes_back_row_by_row(lost: Lost, settings: Any) -> None:
    """In SQLite as in Postgres; what people wrote in their own words comes back redacted."""
    rebuilt = rebuild_state(settings, lost.copy)
    assert rebuilt.runs == WEEKS[:2]
    assert rebuilt.without_topics == ()
    before, after = rows_of(load_settings(), lost.weeks.store), rows_of(settings, lost.copy)
    assert before["decisions"][0]["why"] == "mail jo@example.org about it"
    before["decisions"][0]["why"] = "mail <EMAIL> about it"
    before["tags"][0]["note"] = "<PHONE> called"
    assert all(before.values())
    for name, rows in before.items():
        assert after[name] == rows, name
    with open_state(settings, lost.copy) as state:  # numbers go on behind those that came back
        gap = after["decisions"][0]["gap_id"]
        assert decide(state, gap, "note", "ada", why="later") == after["decisions"][-1]["id"] + 1
    lose(lost.copy)


def test_the_next_run_is_as_it_would_have_been(lost: Lost, lacuna: Lacuna) -> None:
    """After a rebuild by the command that the refusal names, it has the same ids and the same bytes in all files."""
    run = ("run", lost.weeks.bundle, "--end", WEEKS[2], "--config", str(lost.weeks.config), "--quiet")
    code, _, told = lacuna(*run, "--store", str(lost.copy))
    assert code == 2
    assert f"lacuna state rebuild --store {lost.copy}" in told
    assert not (lost.copy / "state.db").exists()
    code, told, _ = lacuna("state", "rebuild", "--store", str(lost.copy))
    assert code == 0
    assert f"2 runs, {WEEKS[0]} to {WEEKS[1]}" in told
    assert "4 decisions, 1 tag and 1 edit of topics" in told
    assert not clock_warnings(lost.weeks.store / "runs" / WEEKS[1])
    with open_state(load_settings(), lost.weeks.store) as state:  # its clock ran ahead when the last run was published
        state.write(lambda c: c.execute(sa.update(schema.runs).values(published_at=datetime(2999, 1, 1, tzinfo=UTC))))
    for store in (lost.weeks.store, lost.copy):
        code, _, told = lacuna(*run, "--store", str(store))
        assert code == 0, told
    old, new = (store / "runs" / WEEKS[2] for store in (lost.weeks.store, lost.copy))
    names = [path.relative_to(old) for path in old.rglob("*.*") if path.suffix in (".jsonl", ".parquet", ".md")]
    assert len(names) > 20
    same, _, _ = filecmp.cmpfiles(old, new, names, shallow=False)
    assert set(names) == set(same)
    assert len(clock_warnings(old)) == 1
    assert "2999-01-01" in clock_warnings(old)[0]
    assert not clock_warnings(new)
    code, _, told = lacuna("state", "rebuild", "--store", str(lost.copy))
    assert code == 2
    assert "move it away" in told


def test_a_run_folder_has_decisions_without_addresses(lost: Lost) -> None:
    """What a run folder holds of people's decisions has no address in it, and no contact."""
    run = lost.weeks.store / "runs" / WEEKS[1]
    decided = pd.read_parquet(run / "decisions.parquet")
    assert decided["decision"].tolist() == ["accept", "rename", "dismiss", "undo"]
    for file in run.glob("*.parquet"):
        assert "jo@example.org" not in pd.read_parquet(file).to_csv()
