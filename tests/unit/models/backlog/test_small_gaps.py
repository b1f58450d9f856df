"""Gaps that are too small to act on."""

from __future__ import annotations

import pytest

from lacuna.models.backlog.actions import STATUSES
from lacuna.models.backlog.small_gaps import WEEKS_A_MONTH, is_folded, is_too_small


def test_a_month_is_a_twelfth_of_a_year() -> None:
    """What avoids one conversation a month is not too small, what avoids a little less is."""
    assert pytest.approx(52.18, abs=0.01) == 12 * WEEKS_A_MONTH
    assert not is_too_small(1 / WEEKS_A_MONTH, 1.0)
    assert is_too_small(0.999 / WEEKS_A_MONTH, 1.0)
    assert is_too_small(0.4, 2.0)


def test_no_gap_is_too_small_where_nothing_is_set() -> None:
    """With 0 in the settings even a gap that avoids nothing stands with the others."""
    assert not is_too_small(0.0, 0.0)


def test_what_people_took_up_or_put_away_is_not_folded() -> None:
    """Only a gap that waits for a decision is, and only until somebody gives it a day."""
    assert [status for status in STATUSES if is_folded(True, status, None)] == ["new", "open", "reopened"]
    assert not is_folded(True, "open", "2024-07-12")
    assert not is_folded(None, "open", None)
