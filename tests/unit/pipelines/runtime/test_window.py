"""Which days a run looks at: given, scheduled, remembered, or the bundle's last."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from lacuna.data_contracts.errors import NothingToMine, SettingsInvalid
from lacuna.pipelines.runtime.window import resolve_window, scheduled_window
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import open_state
from tests.support.standins import write_table

SETTINGS = load_settings()
MONDAY, NEXT_MONDAY = datetime(2024, 6, 17, 5, tzinfo=UTC), datetime(2024, 6, 24, 5, tzinfo=UTC)


def remember(store: Path, *run_ids: str) -> None:
    """Record runs in the store's state."""
    state = open_state(SETTINGS, store)
    for run_id in run_ids:
        state.record_run(run_id, "h", pd.DataFrame(), pd.DataFrame())
    state.close()


def test_the_default_is_the_last_28_days_of_the_bundle(bundle: Path) -> None:
    """Without dates the window ends with the last conversation's day and has 28 days, both ends included."""
    first, last = resolve_window(None, None, SETTINGS, str(bundle))
    assert (first, last) == (date(2024, 6, 3), date(2024, 6, 30))
    assert (last - first).days + 1 == 28


@pytest.mark.parametrize(
    ("start", "end", "window"),
    [
        ("2024-06-10", None, (date(2024, 6, 10), date(2024, 6, 30))),
        (None, "2024-06-23", (date(2024, 5, 27), date(2024, 6, 23))),
        ("2024-06-30", "2024-06-30", (date(2024, 6, 30), date(2024, 6, 30))),
        (date(2024, 1, 1), datetime(2024, 6, 23, 7, tzinfo=UTC), (date(2024, 1, 1), date(2024, 6, 23))),
        ("", "", (date(2024, 6, 3), date(2024, 6, 30))),
    ],
)
def test_days_given_win(bundle: Path, start: str | None, end: str | None, window: tuple[date, date]) -> None:
    """A day that is given is kept; the other follows from it, or from the bundle."""
    assert resolve_window(start, end, SETTINGS, str(bundle)) == window


@pytest.mark.parametrize(("start", "end"), [("30.06.2024", None), ("2024-06-31", None), (None, "yesterday")])
def test_a_day_that_is_none_is_named(bundle: Path, start: str | None, end: str | None) -> None:
    """A day that can't be read is quoted, with the way to write it."""
    with pytest.raises(SettingsInvalid, match="is not a day") as caught:
        resolve_window(start, end, SETTINGS, str(bundle))
    assert "YYYY-MM-DD" in caught.value.remedy


def test_a_window_that_ends_before_it_starts_is_refused(bundle: Path) -> None:
    """A window of negative length names both days."""
    with pytest.raises(SettingsInvalid, match=r"2024-06-01.*before.*2024-06-30"):
        resolve_window("2024-06-30", "2024-06-01", SETTINGS, str(bundle))


def test_a_bundle_without_conversations_has_no_last_day(tmp_path: Path) -> None:
    """Where no day is given and nothing is there, the message says what to fill."""
    for table in ("conversations", "messages", "articles"):
        write_table(tmp_path, table, [])
    with pytest.raises(NothingToMine):
        resolve_window(None, None, SETTINGS, str(tmp_path))


def test_a_schedule_takes_its_interval_s_last_full_day(bundle: Path, tmp_path: Path) -> None:
    """A run for the week from Monday to Monday ends on the Sunday between, whatever was run before."""
    remember(tmp_path, "2024-06-09")
    found = scheduled_window(None, None, (MONDAY, NEXT_MONDAY), tmp_path, SETTINGS, str(bundle))
    assert found == (date(2024, 5, 27), date(2024, 6, 23))


def test_parameters_win_over_the_interval(bundle: Path, tmp_path: Path) -> None:
    """An end given by hand is kept, interval or not."""
    found = scheduled_window(None, "2024-06-16", (MONDAY, NEXT_MONDAY), tmp_path, SETTINGS, str(bundle))
    assert found[1] == date(2024, 6, 16)


@pytest.mark.parametrize("interval", [None, (MONDAY, MONDAY)], ids=["no interval", "no width"])
def test_without_an_interval_the_week_after_the_last_run_comes_next(
    bundle: Path, tmp_path: Path, interval: tuple[datetime, datetime] | None
) -> None:
    """A run without a date goes on from the stored watermark."""
    remember(tmp_path, "2024-06-09", "2024-06-16")
    found = scheduled_window(None, None, interval, tmp_path, SETTINGS, str(bundle))
    assert found == (date(2024, 5, 27), date(2024, 6, 23))


def test_the_watermark_goes_no_further_than_the_bundle(bundle: Path, tmp_path: Path) -> None:
    """Where the bundle has not reached the next week's end, the window ends with the bundle."""
    remember(tmp_path, "2024-06-28")
    assert scheduled_window(None, None, None, tmp_path, SETTINGS, str(bundle))[1] == date(2024, 6, 30)


def test_the_first_run_without_an_interval_ends_with_the_bundle(bundle: Path, tmp_path: Path) -> None:
    """With nothing remembered, a run without a date is the default window."""
    assert scheduled_window(None, None, None, tmp_path, SETTINGS, str(bundle))[1] == date(2024, 6, 30)
