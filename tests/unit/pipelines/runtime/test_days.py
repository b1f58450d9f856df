"""The last day of a bundle: its bulk decides, not one slip of the pen."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.runtime.days import bulk_end, last_day
from lacuna.pipelines.runtime.window import resolve_window
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.steps.load.step import check_bundle
from tests.support.bundles import CONVERSATIONS, MESSAGES, write_bundle

TODAY = date(2026, 1, 1)


def starts(*days: tuple[str, int]) -> pd.Series:
    return pd.to_datetime(pd.Series([day for day, times in days for _ in range(times)]), utc=True)


@pytest.mark.parametrize(
    ("days", "last"),
    [
        ((("2024-06-03", 100), ("2024-06-05", 1)), date(2024, 6, 5)),
        ((("2024-06-03", 100), ("2024-06-28", 1)), date(2024, 6, 28)),
        ((("2024-06-03", 100), ("2024-09-01", 1)), date(2024, 6, 3)),
        ((("2024-06-03", 100), ("2024-09-01", 1), ("2025-04-01", 1)), date(2024, 9, 1)),
        ((("2024-06-03", 100), ("2024-09-01", 20)), date(2024, 9, 1)),
        ((("2024-06-03", 300), ("2024-09-01", 2), ("2025-04-01", 1)), date(2024, 6, 3)),
        ((("2024-06-03", 5), ("2024-09-01", 1)), date(2024, 9, 1)),
        ((("2024-06-03", 5), ("2031-09-01", 1)), date(2024, 6, 3)),
        ((("2031-06-03", 5), ("2031-06-05", 1)), date(2031, 6, 5)),
        ((), None),
    ],
)
def test_the_last_day_is_that_of_the_bulk(days: tuple[tuple[str, int], ...], last: date | None) -> None:
    """A hundredth of all after four silent weeks is astray, as is what lies in the future; a quiet time is not."""
    assert bulk_end(starts(*days), TODAY) == last


@given(st.lists(st.integers(0, 20), min_size=20, max_size=60), st.integers(30, 400))
def test_one_outlier_never_moves_the_last_day(offsets: list[int], far: int) -> None:
    """With one more conversation far behind the others, the last day stays."""
    days = pd.Timestamp("2024-06-03", tz="UTC") + pd.to_timedelta(pd.Series(offsets), unit="D")
    last = bulk_end(days, TODAY)
    assert last is not None
    assert bulk_end(pd.concat([days, pd.Series([days.max() + pd.Timedelta(far, "D")])]), TODAY) == last


def test_what_is_astray_is_told(tmp_path: Path) -> None:
    """Check warns of conversations that a run without --end leaves out, with an example."""
    rows = [{**CONVERSATIONS[0], "conversation_id": f"c{n}"} for n in range(30)]
    rows[0]["started_at"] = "2034-06-03"
    bundle = write_bundle(tmp_path / "b", conversations=rows, messages=MESSAGES)
    assert last_day(bundle) == date(2024, 6, 3)
    found = next(f for f in check_bundle(bundle).findings if f.rule == "astray")
    assert found.message == "1 conversation starts after 2024-06-03, far from all others or in the future"
    assert found.examples[0][:2] == ("conversations.jsonl", 1)


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-05"])
def test_a_day_of_a_year_that_can_not_be_is_refused(tmp_path: Path, day: str) -> None:
    """Such a window would end in an error of the calendar."""
    with pytest.raises(SettingsInvalid, match="can't be"):
        resolve_window(None, day, load_settings(), write_bundle(tmp_path / "b"))
