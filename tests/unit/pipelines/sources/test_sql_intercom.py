"""Fivetran's Intercom tables in a database come out as the contract's rows: only versions that are active count."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from lacuna.data_contracts.errors import SourceUnreadable
from tests.support.vendor_tables import at, intercom_part, plant_intercom
from tests.support.warehouses import Collected, Warehouse, every_kind, source_of

SETTINGS: dict[str, Any] = {
    "layout": "fivetran_intercom", "outcome_tags": {"bot wrong": "wrong"}, "product": "team", "page": 2,
}  # fmt: skip
LATE = "2024-05-02 20:00:00"


@pytest.fixture
def intercom(warehouse: Warehouse) -> Warehouse:
    plant_intercom(warehouse)
    return warehouse


def said(collected: Collected, key: str) -> list[tuple[str, str]]:
    return [(row["role"], row["text"]) for row in collected.messages[key]]


@every_kind
def test_planted_conversations_come_out_as_they_are(intercom: Warehouse) -> None:
    """Each by its truth; notes and events are no messages; a conversation without an active version is gone."""
    pulled = Collected().read(source_of(intercom, **SETTINGS))
    assert pulled.gone == ["c4"]
    assert {
        key: (row["escalated"], row["resolved"], row["csat"], row["tags"]) for key, row in pulled.conversations.items()
    } == {
        "c1": (False, True, 4.0, ["Bot wrong"]),
        "c2": (True, None, None, None),
        "c3": (True, None, None, None),
    }
    assert said(pulled, "c1") == [("customer", "How do I return it?"), ("bot", "Within 30 days.")]
    assert [row["article_ids"] for row in pulled.messages["c1"]] == [None, ["77"]]
    assert said(pulled, "c2") == [("customer", "Pay by card?"), ("bot", "I do not know."), ("agent", "Yes & no.")]
    assert pulled.conversations["c2"]["escalated_at"] == datetime.fromisoformat(at(23)).replace(tzinfo=UTC)
    assert said(pulled, "c3") == [("customer", "I am Ada"), ("agent", "Hello")]
    assert [(row["outcome"], row["sample"]) for row in pulled.outcomes["c1"]] == [("wrong", None)]
    assert {"Ada Lovelace", "ada@mail.example", "Amara Agent"} <= pulled.names["c3"]
    assert {row["customer_id"] for row in pulled.conversations.values()} == {"u1"}


def test_articles_come_with_every_version_that_is_kept(intercom: Warehouse) -> None:
    """The active version is the article, each version a revision; a withdrawn article is left out; teams are named."""
    pulled = Collected().read(source_of(intercom, **SETTINGS))
    assert [(row["article_id"], row["title"], row["body"]) for row in pulled.rows["articles"]] == [
        ("77", "Returns", "<p>30 days</p>")
    ]
    assert [row["article_id"] for row in pulled.rows["article_revisions"]] == ["77", "77"]
    assert [(row["owner_id"], row["team"], row["active"]) for row in pulled.rows["owners"]] == [
        ("a1", "Support", True),
        ("a2", None, False),
    ]


@every_kind
def test_edits_and_deletions_come_with_the_next_pull(intercom: Warehouse) -> None:
    """A part that is edited, a tag that is taken off and a conversation that ends to be active; as if read anew."""
    pulled = Collected().read(source_of(intercom, **SETTINGS))
    old = "UPDATE {}conversation_part_history SET _fivetran_active = FALSE WHERE id = '11'"
    intercom.run(old)
    intercom.insert(
        "conversation_part_history", [intercom_part(11, "c1", "comment", "fin", "Within 60 days.", synced=LATE)]
    )
    inactive = f"SET _fivetran_active = FALSE, _fivetran_synced = '{LATE}'"
    intercom.run(f"UPDATE {{}}conversation_tag_history {inactive} WHERE tag_id = 'g1'")
    intercom.run(f"UPDATE {{}}conversation_history {inactive} WHERE id = 'c2'")
    pulled.read(source_of(intercom, **SETTINGS))
    assert pulled.held() == Collected().read(source_of(intercom, **SETTINGS)).held()
    assert sorted(pulled.conversations) == ["c1", "c3"]
    assert said(pulled, "c1")[-1] == ("bot", "Within 60 days.")
    assert pulled.conversations["c1"]["tags"] is None


def test_negative_feedback_is_an_outcome(intercom: Warehouse) -> None:
    """What the customer thinks of Fin's answer is an outcome; unresolved is told only where Fin says so."""
    intercom.run("UPDATE {}conversation_history SET ai_agent_resolution_state = 'negative_feedback' WHERE id = 'c1'")
    pulled = Collected().read(source_of(intercom, **SETTINGS | {"outcome_tags": {}}))
    assert [(row["outcome"], row["tagged_by"], row["sample"]) for row in pulled.outcomes["c1"]] == [
        ("wrong", "customer", "feedback")
    ]
    assert pulled.conversations["c1"]["resolved"] is False


def test_a_missing_column_is_named(intercom: Warehouse) -> None:
    """Without the column that tells versions apart, nothing is read."""
    intercom.run('ALTER TABLE {}conversation_part_history RENAME COLUMN "_fivetran_active" TO "active"')
    with pytest.raises(SourceUnreadable, match="'conversation_part_history' has no column '_fivetran_active'"):
        source_of(intercom, **SETTINGS).streams()
