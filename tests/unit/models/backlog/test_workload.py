"""Work is spread among those who own an area, respects what they can take, and says when it is too much."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.backlog.due_dates import DueDate, DueLimits, due_date
from lacuna.models.backlog.lifecycle import GapState
from lacuna.models.backlog.owners import OwnerBook
from lacuna.models.backlog.workload import Workload, with_others
from lacuna.pipelines.gaps.due_dates import due_date_now
from lacuna.pipelines.settings import load_settings

PEOPLE: list[dict[str, Any]] = [{"owner_id": name, "areas": ["returns"]} for name in ("ada", "bob", "cem")]
LIMITS = DueLimits({"new": 7, "accepted": 21}, urgent_ranks=2, escalate_after_days=5)
DAY = date(2024, 7, 1)


def book(work: Workload, owned: dict[str, str] | None = None) -> OwnerBook:
    """Three people who own one area, and articles with owners."""
    people = pd.DataFrame(PEOPLE).assign(name=lambda p: p["owner_id"].str.title(), active=True)
    articles = pd.DataFrame([(a, a, o) for a, o in (owned or {}).items()], columns=["article_id", "title", "owner_id"])
    return OwnerBook(
        people, articles, pd.DataFrame(columns=["article_id", "revised_at", "author_id", "approved"]), work
    )


def test_gaps_of_a_shared_area_are_spread_by_capacity() -> None:
    """Of nine gaps, those who can take two a week get twice as many as who can take one."""
    shop = book(Workload({"ada": 2, "bob": 2, "cem": 1}))
    owners = [shop.for_topic({"returns": 1.0}, {}, []).owner_id for _ in range(10)]
    assert {owner: owners.count(owner) for owner in owners} == {"ada": 4, "bob": 4, "cem": 2}


def test_work_in_progress_counts() -> None:
    """Who has two in hand already is asked after those who have none, and the reason says what room there is."""
    shop = book(Workload({"ada": 2, "bob": 2, "cem": 2}, {"ada": 2}))
    assignments = [shop.for_topic({"returns": 0.97}, {}, []) for _ in range(4)]
    assert [f.owner_id for f in assignments] == ["bob", "bob", "cem", "cem"]
    assert assignments[0].reason == (
        "owns the intent “returns” with two others (97% of the conversations); has room for 2 more this week"
    )


def test_an_article_stays_with_its_owner_however_full() -> None:
    """Capacity takes no article away; the reason says that it is too much."""
    shop = book(Workload({"ada": 1}, {"ada": 6}), {"kb-1": "ada"})
    assignment = shop.for_article("kb-1", {"returns": 1.0}, {})
    assert assignment.owner_id == "ada"
    assert assignment.reason == "owns the article “kb-1”; is over capacity: has 6 in hand and can take 1 a week"


def test_the_nearest_owner_is_asked_until_full() -> None:
    """Who keeps the nearest articles gets the area's gaps, and others step in only once that is weeks of work."""
    shop = book(Workload({"ada": 1, "bob": 1, "cem": 1}, weeks_ahead=2), {"kb-1": "bob"})
    owners = [shop.for_topic({"returns": 1.0}, {}, ["kb-1"]).owner_id for _ in range(4)]
    assert owners == ["bob", "bob", "ada", "cem"]


def test_an_owner_whom_people_chose_has_the_work() -> None:
    """A chosen owner's gaps count as his, and one that was left unowned is nobody's."""
    shop = book(Workload({"ada": 1, "bob": 1, "cem": 1}))
    assert shop.chosen("ada").owner_id == "ada"
    assert shop.chosen(None).owner_id is None
    assert shop.for_topic({"returns": 1.0}, {}, []).owner_id == "bob"


@given(capacity=st.integers(1, 9), in_progress=st.integers(0, 40))
def test_room_is_never_negative(capacity: int, in_progress: int) -> None:
    """Room and weeks of work agree, whatever is in hand."""
    work = Workload({"a": capacity}, {"a": in_progress})
    assert work.room("a") == max(0, capacity - in_progress)
    assert (work.weeks("a") >= 1) == (work.room("a") == 0)
    assert Workload().room("a") is None
    assert not Workload({}, {"a": in_progress}).full("a")


def test_numbers_of_others_are_said_in_words() -> None:
    """One is singular, many are figures."""
    assert [with_others(n) for n in (0, 1, 2, 12)] == ["", " with one other", " with two others", " with 12 others"]


@pytest.mark.parametrize(
    ("status", "after", "rank", "expected"),
    [
        ("accepted", 10, 9, (21, 0, False)),
        ("accepted", 21, 9, (21, 0, False)),
        ("accepted", 26, 9, (21, 5, False)),
        ("accepted", 27, 9, (21, 6, True)),
        ("accepted", 12, 2, (11, 1, False)),
        ("verified", 99, 9, (None, 0, False)),
    ],
)
def test_a_gap_is_due_by_status_and_rank(
    status: str, after: int, rank: int, expected: tuple[int | None, int, bool]
) -> None:
    """So many days from when it got its status, half of it for the first gaps; overdue for long, it is escalated."""
    due_date_ = due_date(status, DAY, DAY + timedelta(days=after), LIMITS, rank=rank)
    due = None if expected[0] is None else DAY + timedelta(days=expected[0])
    assert (due_date_.due, due_date_.overdue, due_date_.escalated) == (due, *expected[1:])


def test_a_day_that_somebody_set_wins() -> None:
    """It wins over the rule, in both directions, while the gap is to be worked on at all."""
    day = DAY + timedelta(days=90)
    assert due_date("accepted", DAY, DAY, LIMITS, due=day, rank=1).due == day
    assert due_date("dismissed", DAY, DAY, LIMITS, due=day).due is None


def test_the_clock_starts_when_people_can_see_the_gap() -> None:
    """An undecided gap waits since its run was published, a decided one since the decision; a day that was set wins."""
    row, settings = {"status": "new", "rank": 50}, load_settings(None)
    shown_on, decided = date(2024, 7, 2), datetime(2024, 7, 14, 12, tzinfo=UTC)
    assert due_date_now(row, GapState(), settings, DAY, shown_on).due == date(2024, 7, 9)
    accepted = {**row, "status": "accepted"}
    assert due_date_now(accepted, GapState("accepted", since=decided), settings, DAY, shown_on).due == date(2024, 8, 4)
    assert (
        due_date_now(accepted, GapState("accepted", since=decided, due="2024-07-20"), settings, DAY, shown_on).due.day
        == 20
    )
    assert due_date_now(row, GapState(), settings, DAY, None).due == DAY + timedelta(days=7)


def test_what_a_run_reopened_has_its_time_from_that_run_on() -> None:
    """A fix of June that a run of August finds without effect is not overdue then; a decision starts the clock anew."""
    settings, shown_on = load_settings(None), date(2024, 8, 4)
    row = {"status": "reopened", "rank": 50, "decided": 3}
    published = GapState("published", decided=3, since=datetime(2024, 6, 9, 12, tzinfo=UTC))
    assert due_date_now(row, published, settings, shown_on, shown_on) == DueDate(date(2024, 8, 11), 0, False)
    day = date(2024, 8, 11)
    accepted = GapState("accepted", decided=4, since=datetime(2024, 8, 11, 12, tzinfo=UTC))
    assert due_date_now(row | {"status": "accepted"}, accepted, settings, day, shown_on).due == date(2024, 9, 1)
