"""Somebody's own queries: any tables, under the contract's names, read as they change or as a whole."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lacuna.data_contracts.errors import SettingsInvalid, SourceUnreadable
from lacuna.pipelines.sources.pull import pull_source
from lacuna.pipelines.sources.registry import make_source
from tests.support.warehouses import Collected, Warehouse, every_kind, settings_of, source_of

CHATS: dict[str, Any] = {
    "conversations": {
        "query": "SELECT ref AS conversation_id, opened AS started_at, handed_over AS escalated, labels AS tags, "
        "seen AS updated_at FROM {}chats;",
        "updated_at": "updated_at",
    },
    "messages": {
        "query": "SELECT chat AS conversation_id, CASE who WHEN 'c' THEN 'customer' ELSE 'bot' END AS role, "
        "line AS text, said_at AS sent_at FROM {}lines",
    },
}
# A CRM in which agents note on a conversation what they think of the bot's answer.
NOTES: dict[str, Any] = {
    "outcomes": {
        "query": "SELECT conversation_ref AS conversation_id, CASE verdict WHEN 'ok' THEN 'correct' "
        "WHEN 'half: ok' THEN 'partial' ELSE 'wrong' END AS outcome, note, author AS tagged_by, "
        "written_at AS tagged_at, 'escalated' AS sample FROM {}crm_notes WHERE verdict LIKE '%ok%' OR verdict = 'no'"
    }
}


@pytest.fixture
def chats(warehouse: Warehouse) -> Warehouse:
    warehouse.create(
        "chats",
        {"ref": "TEXT", "opened": "TIMESTAMP", "handed_over": "BOOLEAN", "labels": "TEXT", "seen": "TIMESTAMP"},
        [
            ("a", "2024-05-01 09:00:00", True, "vip;late", "2024-05-01 10:00:00"),
            ("b", "2024-05-01 09:30:00", False, "", "2024-05-01 10:00:00"),
            ("c", "2024-05-01 09:40:00", False, None, "2024-05-01 11:00:00"),
        ],
    )
    warehouse.create(
        "lines",
        {"chat": "TEXT", "who": "TEXT", "line": "TEXT", "said_at": "TIMESTAMP"},
        [
            ("a", "b", "At ten.", "2024-05-01 09:01:00"),
            ("a", "c", "When: now?", "2024-05-01 09:00:00"),
            ("b", "c", "Hello", "2024-05-01 09:30:00"),
            ("c", "c", "Hi", "2024-05-01 09:40:00"),
        ],
    )
    warehouse.create(
        "crm_notes",
        {"conversation_ref": "TEXT", "verdict": "TEXT", "note": "TEXT", "author": "TEXT", "written_at": "TIMESTAMP"},
        [
            ("a", "no", "It said ten, we close at nine", "amara", "2024-05-02 08:00:00"),
            ("b", "half: ok", None, "amara", "2024-05-02 08:05:00"),
            ("b", "call back", "Nothing about the bot", "amara", "2024-05-02 08:06:00"),
        ],
    )
    return warehouse


def tables(warehouse: Warehouse, described: dict[str, Any]) -> dict[str, Any]:
    prefix = f"{warehouse.schema}." if warehouse.schema else ""
    return {table: {key: text.replace("{}", prefix) for key, text in one.items()} for table, one in described.items()}


@every_kind
def test_conversations_of_a_home_made_table_come_as_they_change(chats: Warehouse) -> None:
    """Columns have their types, messages their order, and of what has changed since nothing is missed."""
    settings = {"tables": tables(chats, CHATS), "overlap_hours": 0.0, "page": 2}
    pulled = Collected().read(source_of(chats, **settings))
    assert pulled.asked == ["a", "b", "c"]
    first = pulled.conversations["a"]
    assert (first["escalated"], first["tags"]) == (True, ["vip", "late"])
    assert first["started_at"] == datetime(2024, 5, 1, 9, tzinfo=UTC)
    assert [(row["role"], row["text"]) for row in pulled.messages["a"]] == [
        ("customer", "When: now?"),
        ("bot", "At ten."),
    ]
    chats.run("UPDATE {}chats SET handed_over = TRUE, seen = '2024-05-01 12:00:00' WHERE ref = 'b'")
    chats.insert("lines", [("b", "b", "Sorry", "2024-05-01 11:59:00")])
    pulled.read(source_of(chats, **settings))
    assert set(pulled.asked) <= {"b", "c"}  # c was the last of before
    assert pulled.conversations["b"]["escalated"] is True
    assert pulled.held() == Collected().read(source_of(chats, **settings)).held()


def test_deleted_conversations_are_named_by_a_query_or_no_longer_there(chats: Warehouse) -> None:
    """A query called gone says which; one that a changed message belongs to, and that is not there, is gone, too."""
    chats.create("deletions", {"ref": "TEXT", "deleted": "TIMESTAMP"})
    described = CHATS | {
        "gone": {"query": "SELECT ref AS conversation_id, deleted FROM deletions", "updated_at": "deleted"},
        "messages": CHATS["messages"] | {"updated_at": "sent_at"},
    }
    settings = {"tables": tables(chats, described), "overlap_hours": 0.0}
    pulled = Collected().read(source_of(chats, **settings))
    chats.insert("deletions", [("a", "2024-05-01 13:00:00")])
    chats.run("DELETE FROM {}chats WHERE ref = 'b'")
    chats.insert("lines", [("b", "c", "Forget me", "2024-05-01 13:01:00")])
    pulled.read(source_of(chats, **settings))
    assert sorted(pulled.conversations) == ["c"]


def test_a_query_may_say_by_itself_what_has_changed(chats: Warehouse) -> None:
    """Where no column of the rows does: conversation_id and changed_at."""
    described = tables(chats, CHATS)
    described["conversations"] = {
        "query": described["conversations"]["query"],
        "changed": "SELECT chat AS conversation_id, said_at AS changed_at FROM lines",
    }
    settings = {"tables": described, "overlap_hours": 0.0}
    pulled = Collected().read(source_of(chats, **settings))
    chats.insert("lines", [("a", "c", "And now?", "2024-05-01 14:00:00")])
    pulled.read(source_of(chats, **settings))
    assert "a" in pulled.asked
    assert "b" not in pulled.asked


def test_what_says_nothing_of_changes_is_read_as_a_whole(chats: Warehouse) -> None:
    """Then what is no longer there disappears from the bundle."""
    described = tables(chats, CHATS)
    del described["conversations"]["updated_at"]
    (stream,) = source_of(chats, tables=described).streams()
    assert stream.whole
    assert Collected().read(source_of(chats, tables=described)).asked == ["a", "b", "c"]


@every_kind
def test_notes_of_a_crm_are_tags_on_the_bots_answers(chats: Warehouse, tmp_path: Path) -> None:
    """They come from a source of their own, beside the one with the conversations, into one bundle."""
    settings = settings_of(chats, tables=tables(chats, CHATS))
    notes = dict(settings.sources["dwh"]) | {"tables": tables(chats, NOTES)}
    settings = settings.model_copy(update={"sources": settings.sources | {"crm": notes}})
    for name in ("dwh", "crm"):
        pull_source(settings, make_source(settings, name), tmp_path / "bundle")
    rows = pd.concat([pd.read_parquet(file) for file in sorted((tmp_path / "bundle" / "outcomes").glob("*.parquet"))])
    assert rows[["conversation_id", "outcome", "tagged_by", "sample"]].to_numpy().tolist() == [
        ["a", "wrong", "amara", "escalated"],
        ["b", "partial", "amara", "escalated"],
    ]
    assert rows["note"].tolist()[0] == "It said ten, we close at nine"


@every_kind
def test_what_a_query_lacks_or_the_database_refuses_is_told(chats: Warehouse) -> None:
    """The table, the column and the remedy; a column of the wrong type by its conversation."""
    with pytest.raises(SettingsInvalid, match=r"tables\.messages\]: the query gives no column 'role'"):
        source_of(
            chats, tables=tables(chats, {"messages": {"query": "SELECT chat AS conversation_id FROM {}lines"}})
        ).streams()
    with pytest.raises(SourceUnreadable, match="the query of messages is refused"):
        source_of(chats, tables=tables(chats, {"messages": {"query": "SELECT x FROM {}lines"}})).streams()
    with pytest.raises(SettingsInvalid, match=r"tables\.chats\] is no table of the contract"):
        source_of(chats, tables={"chats": {"query": "SELECT 1"}}).streams()
    wrong = "SELECT ref AS conversation_id, opened AS started_at, labels AS escalated FROM {}chats"
    with pytest.raises(SourceUnreadable, match="escalated of 'a' is 'vip;late', which is no bool"):
        Collected().read(source_of(chats, tables=tables(chats, {"conversations": {"query": wrong}})))
    with pytest.raises(SettingsInvalid, match="neither a layout nor queries"):
        source_of(chats).streams()
    with pytest.raises(SettingsInvalid, match="both a layout and queries"):
        source_of(chats, layout="fivetran_zendesk", tables=tables(chats, NOTES))
