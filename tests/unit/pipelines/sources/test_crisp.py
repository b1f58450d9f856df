"""What is Crisp's own: the newest first, messages in batches, a limit with a status of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lacuna.data_contracts.errors import SourceUnreadable
from lacuna.pipelines.sources.fields import rated_outcomes
from tests.support.vendors import crisp as fake
from tests.support.vendors.help_desk import HelpDesk, help_desk
from tests.support.vendors.reading import conversations, read, source_of
from tests.support.vendors.vendors import CRISP


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRISP_IDENTIFIER", fake.IDENTIFIER)
    monkeypatch.setenv("CRISP_KEY", fake.KEY)


@pytest.fixture
def desk() -> HelpDesk:
    return help_desk(60)


def sessions(desk: HelpDesk) -> list[str]:
    return [fake.session_id(str(one.number)) for one in desk.threads]


def test_a_pull_that_was_stopped_goes_on_with_what_is_older(desk: HelpDesk, tmp_path: Path) -> None:
    """What is written meanwhile is read by the pull after it: the window stays as it is."""
    with source_of(CRISP, fake.crisp(desk), tmp_path) as source:
        stopped = read(source, "conversations")[0]
        desk.reply(desk.threads[0].number, "Hello?")
        rest = read(source, "conversations", stopped.cursor)
        later = read(source, "conversations", rest[-1].cursor)
    ids = conversations([stopped, *rest])
    assert set(ids) | set(conversations(later)) == set(sessions(desk))
    assert conversations(later)[:1] == [fake.session_id(str(desk.threads[0].number))]


def test_messages_are_read_from_the_newest_batch_back(tmp_path: Path) -> None:
    """Fifty of them, several of one moment on both sides of a batch's end."""
    desk = help_desk(1)
    begin = datetime(2024, 6, 1, tzinfo=UTC)
    desk.threads[0].messages = [
        {"role": "customer", "text": f"Line {place}", "sent_at": begin + timedelta(seconds=place // 3)}
        for place in range(50)
    ]
    with source_of(CRISP, fake.crisp(desk), tmp_path) as source:
        (conversation,) = read(source, "conversations")[0].conversations
    assert sorted(row["text"] for row in conversation.messages) == sorted(f"Line {place}" for place in range(50))


def test_a_list_in_another_order_is_refused(desk: HelpDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read on, it would leave conversations out."""
    with source_of(CRISP, fake.crisp(desk), tmp_path) as source:
        listed = source._api.get  # type: ignore[attr-defined]

        def reverse(path: str, params: Any = None) -> Any:
            answer = listed(path, params)
            return {**answer, "data": answer["data"][::-1]} if path.startswith("conversations") else answer

        monkeypatch.setattr(source._api, "get", reverse)  # type: ignore[attr-defined]
        with pytest.raises(SourceUnreadable, match="not sorted"):
            read(source, "conversations")


@pytest.mark.parametrize(
    ("csat", "roles", "outcome"),
    [
        (1.0, ("customer", "bot"), "wrong"),
        (5.0, ("customer", "bot"), "correct"),
        (3.0, ("customer", "bot"), None),
        (None, ("customer", "bot"), None),
        (1.0, ("customer", "bot", "agent"), None),
        (1.0, ("customer",), None),
    ],
)
def test_a_rating_judges_the_bot_where_it_alone_answered(
    csat: float | None, roles: tuple[str, ...], outcome: str | None
) -> None:
    rows = rated_outcomes(csat, [{"role": role} for role in roles], None)
    assert [row["outcome"] for row in rows] == ([outcome] if outcome else [])
