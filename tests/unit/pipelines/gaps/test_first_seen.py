"""Due days begin when somebody could see the gap: with the publication by the clock, not with the data's last day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from lacuna.pipelines.gaps.decisions import backlog_now, decide
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import open_state
from tests.support.databases import publish_gaps

PUBLISHED = datetime(2025, 3, 3, 12, tzinfo=UTC)


def standing(store: Path, today: date) -> dict[str, tuple[str | None, int, bool]]:
    """Due day, days overdue and whether the managers are told, of each gap as of a day."""
    state = open_state(load_settings(), store)
    rows = records(backlog_now(store, state, load_settings(), today=today))
    state.close()
    return {row["gap_id"]: (row["falls_due"], row["overdue"], row["escalated"]) for row in rows}


def gaps(*ids: str, **more: Any) -> list[dict[str, Any]]:
    """Rows of a backlog, none of them urgent."""
    return [{"gap_id": gap, "rank": 50 + n, **more} for n, gap in enumerate(ids)]


def test_a_first_run_over_old_data_is_not_overdue(tmp_path: Path) -> None:
    """Half a year after its last day a run is published: its gaps have a week from then on, and then are late."""
    publish_gaps(tmp_path, "2024-09-30", gaps("g-1"), PUBLISHED)
    assert standing(tmp_path, date(2025, 3, 3)) == {"g-1": ("2025-03-10", 0, False)}
    assert standing(tmp_path, date(2025, 3, 20)) == {"g-1": ("2025-03-10", 10, True)}


def test_a_run_that_is_made_again_gives_no_more_time(tmp_path: Path) -> None:
    """What was there keeps its day, though its run is published anew or another follows; what is new has its own."""
    publish_gaps(tmp_path, "2024-09-30", gaps("g-1"), PUBLISHED)
    publish_gaps(tmp_path, "2024-09-30", gaps("g-1", "g-2"), PUBLISHED.replace(day=5))
    assert standing(tmp_path, date(2025, 3, 5)) == {"g-1": ("2025-03-10", 0, False), "g-2": ("2025-03-12", 0, False)}
    later = gaps("g-1", "g-3", first_seen="2024-09-30", status="open")
    publish_gaps(tmp_path, "2024-10-07", later, PUBLISHED.replace(day=8))
    assert standing(tmp_path, date(2025, 3, 8)) == {"g-1": ("2025-03-17", 0, False), "g-3": ("2025-03-22", 0, False)}


def test_what_is_too_small_to_act_on_is_not_due(tmp_path: Path) -> None:
    """However long it waits, until somebody sets a day or takes it up."""
    publish_gaps(tmp_path, "2024-09-30", gaps("g-1", "g-2", too_small=True), PUBLISHED)
    state = open_state(load_settings(), tmp_path)
    decide(state, "g-2", "assign", "ada", payload={"due": "2025-03-10"})
    state.close()
    assert standing(tmp_path, date(2025, 6, 1)) == {"g-1": (None, 0, False), "g-2": ("2025-03-10", 83, True)}


def test_a_decision_begins_its_own_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is accepted today has three weeks from today, however old the data are."""
    publish_gaps(tmp_path, "2024-09-30", gaps("g-1"), PUBLISHED)
    state = open_state(load_settings(), tmp_path)
    decide(state, "g-1", "accept", "ada")
    state.close()
    today = datetime.now().astimezone().date()
    due, late, _ = standing(tmp_path, today)["g-1"]
    assert due is not None
    assert ((date.fromisoformat(due) - today).days, late) == (21, 0)
