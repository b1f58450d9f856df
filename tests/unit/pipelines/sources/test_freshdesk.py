"""What is Freshdesk's own: the trash, merged tickets, late ratings, and a list that ends at its 300th page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lacuna.pipelines.sources import freshdesk
from tests.support.vendors import freshdesk as fake
from tests.support.vendors.help_desk import FIRST_NUMBER, HelpDesk, help_desk
from tests.support.vendors.reading import conversations, gone, read, source_of
from tests.support.vendors.vendors import FRESHDESK


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRESHDESK_KEY", fake.KEY)


@pytest.fixture
def desk() -> HelpDesk:
    return help_desk(25)


def test_trash_spam_and_merged_tickets_are_gone(desk: HelpDesk, tmp_path: Path) -> None:
    desk.threads[3].is_deleted = True
    app = fake.freshdesk(desk, spam=frozenset({FIRST_NUMBER + 4}), merged=frozenset({FIRST_NUMBER + 5}))
    with source_of(FRESHDESK, app, tmp_path) as source:
        tickets, deleted = read(source, "tickets"), read(source, "deleted tickets")
        again = read(source, "deleted tickets", deleted[-1].cursor)
    assert gone(tickets) == {str(FIRST_NUMBER + 5)}
    assert gone(deleted) == {str(FIRST_NUMBER + 3), str(FIRST_NUMBER + 4)}
    assert len(conversations(tickets)) == 22
    assert gone(again) == set()


def test_a_rating_brings_its_ticket_again(desk: HelpDesk, tmp_path: Path) -> None:
    """Freshdesk does not say that a rating changes its ticket."""
    with source_of(FRESHDESK, fake.freshdesk(desk), tmp_path) as source:
        cursor = read(source, "tickets")[-1].cursor
    desk.threads[7].row |= {"csat": 2.0, "rated_at": datetime.now(UTC)}
    with source_of(FRESHDESK, fake.freshdesk(desk), tmp_path) as source:
        (rated, end) = read(source, "tickets", cursor)
    assert [(one.row["conversation_id"], one.row["csat"]) for one in rated.conversations] == [
        (str(FIRST_NUMBER + 7), 1.67)
    ]
    assert end.conversations == ()


def test_every_ticket_is_read_where_many_changed_in_one_second_and_pages_end(
    desk: HelpDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """25 tickets, 12 of which a bulk action changed, on pages of 5 of which Freshdesk gives no more than 3."""
    monkeypatch.setattr(freshdesk, "PAGE", 5)
    monkeypatch.setattr(fake, "_MOST_PAGES", 3)
    for thread in desk.threads[:12]:
        thread.updated_at = desk.threads[-1].updated_at
    with source_of(FRESHDESK, fake.freshdesk(desk), tmp_path) as source:
        batches = read(source, "tickets")
        again = read(source, "tickets", batches[-1].cursor)
    assert sorted(conversations(batches)) == [str(one.number) for one in desk.threads]
    assert conversations(again) == []


def test_tickets_opened_before_the_day_are_left_out(desk: HelpDesk, tmp_path: Path) -> None:
    day = desk.threads[-1].row["started_at"].date()
    with source_of(FRESHDESK, fake.freshdesk(desk), tmp_path, since=day) as source:
        ids = conversations(read(source, "tickets"))
    assert sorted(ids) == [str(one.number) for one in desk.threads if one.row["started_at"].date() >= day]
