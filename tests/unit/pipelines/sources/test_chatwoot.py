"""What is Chatwoot's own: conversations by number, deletions that nothing tells, servers that are too old."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lacuna.data_contracts.errors import SourceUnreadable
from tests.support.vendors import chatwoot as fake
from tests.support.vendors.help_desk import FIRST_NUMBER, HelpDesk, help_desk
from tests.support.vendors.reading import conversations, read, source_of
from tests.support.vendors.vendors import CHATWOOT


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATWOOT_TOKEN", fake.TOKEN)


@pytest.fixture
def desk() -> HelpDesk:
    return help_desk(60)


def test_deleted_conversations_are_not_listed(desk: HelpDesk, tmp_path: Path) -> None:
    with source_of(CHATWOOT, fake.chatwoot(desk), tmp_path) as source:
        everything = set(source.listed_ids() or ())
        for place in (4, 30, 59):
            desk.threads[place].is_deleted = True
        listed = set(source.listed_ids() or ())
    assert len(everything) == 60
    assert everything - listed == {str(FIRST_NUMBER + place) for place in (4, 30, 59)}


def test_a_first_pull_since_a_day_begins_at_its_first_conversation(desk: HelpDesk, tmp_path: Path) -> None:
    day = desk.threads[40].row["started_at"].date()
    with source_of(CHATWOOT, fake.chatwoot(desk), tmp_path, since=day) as source:
        ids = conversations(read(source, "conversations"))
    assert ids == [str(one.number) for one in desk.threads if one.row["started_at"].date() >= day]


def test_a_server_that_does_not_know_updated_within_is_refused(desk: HelpDesk, tmp_path: Path) -> None:
    """Its answer would be the first page alone."""
    with source_of(CHATWOOT, fake.chatwoot(desk, knows_updated_within=False), tmp_path) as source:
        cursor = read(source, "conversations")[-1].cursor
        with pytest.raises(SourceUnreadable, match="updated_within"):
            read(source, "conversations", cursor)


def test_a_later_pull_that_was_stopped_goes_on_behind_what_it_read(desk: HelpDesk, tmp_path: Path) -> None:
    with source_of(CHATWOOT, fake.chatwoot(desk), tmp_path) as source:
        cursor = read(source, "conversations")[-1].cursor
        for thread in desk.threads:
            desk.reply(thread.number, "Hello?")
        stopped = read(source, "conversations", cursor)[0]
        rest = read(source, "conversations", stopped.cursor)
    ids = conversations([stopped, *rest])
    assert len(stopped.conversations) == 50
    assert sorted(ids) == [str(one.number) for one in desk.threads]


def test_all_messages_of_a_long_conversation_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = help_desk(1)
    desk.threads[0].messages = [
        {"role": "customer", "text": f"Line {place}", "sent_at": datetime(2024, 6, 1, tzinfo=UTC)}
        for place in range(97)
    ]
    with source_of(CHATWOOT, fake.chatwoot(desk), tmp_path) as source:
        monkeypatch.setattr("lacuna.pipelines.sources.chatwoot.MESSAGES", 20)
        (conversation,) = read(source, "conversations")[0].conversations
    assert [row["text"] for row in conversation.messages] == [f"Line {place}" for place in range(97)]
