"""Fivetran's Zendesk tables in a database come out as the contract's rows, late changes and deletions included."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lacuna.data_contracts.errors import SettingsInvalid, SourceUnreadable
from lacuna.pipelines.sources import pull as pulling
from lacuna.pipelines.sources.registry import make_source
from lacuna.pipelines.sources.sql_layout import VendorTables
from tests.support.vendor_tables import SYNCED, at, plant_zendesk
from tests.support.warehouses import Collected, Warehouse, every_kind, settings_of, source_of

pytestmark = pytest.mark.slow

SETTINGS: dict[str, Any] = {
    "layout": "fivetran_zendesk", "bot_authors": ["Helper Bot"], "outcome_tags": {"bot_wrong": "wrong"},
    "outcome_sample": "random", "fallback_phrases": ["do not know"],
    "product": "brand", "intent": "custom_intent", "page": 2,
}  # fmt: skip
LATE = "2024-05-02 20:00:00"


@pytest.fixture
def zendesk(warehouse: Warehouse) -> Warehouse:
    plant_zendesk(warehouse)
    return warehouse


def said(collected: Collected, key: str) -> list[tuple[str, str]]:
    return [(row["role"], row["text"]) for row in collected.messages[key]]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@every_kind
def test_planted_tickets_come_out_as_they_are(zendesk: Warehouse) -> None:
    """Each ticket by its truth: who said what, who took over, rated how; what does not exist any more is gone."""
    pulled = Collected().read(source_of(zendesk, **SETTINGS))
    assert sorted(pulled.conversations) == ["1", "2", "3", "4"]
    assert sorted(pulled.gone) == ["5", "6", "7"]
    first = pulled.conversations["1"]
    assert first | {"handle_seconds": None} == {
        "conversation_id": "1", "started_at": moment(at(1)), "escalated": True, "channel": "email", "language": "en-GB",
        "product": "Shop", "region": None, "customer_id": "10", "escalated_at": moment(at(103)),
        "predicted_intent": None, "intent_confidence": None, "csat": 5.0, "tags": ["parcel", "vip"],
        "updated_at": moment(at(31)), "handle_seconds": None,
    }  # fmt: skip
    assert said(pulled, "1") == [("customer", "Where is my parcel?"), ("agent", "On its way.")]
    second = pulled.conversations["2"]
    assert (second["escalated"], second["channel"], second["predicted_intent"]) == (False, "chat", "returns")
    assert [(row["role"], row["article_ids"]) for row in pulled.messages["2"]] == [("customer", None), ("bot", ["501"])]
    assert pulled.outcomes["2"] == [
        {
            "conversation_id": "2", "outcome": "wrong", "tagged_at": None, "tagged_by": None, "sample": "random",
            "true_intent": None, "article_id": None,
        }
    ]  # fmt: skip
    third = pulled.conversations["3"]
    assert (third["escalated"], third["escalated_at"]) == (True, moment(at(303)))
    assert [row["is_fallback"] for row in pulled.messages["3"]] == [None, True, None]
    assert said(pulled, "4") == [("customer", "Only a description")]
    assert pulled.names["1"] == {"Ada Lovelace", "ada@mail.example", "Amara Agent", "amara@shop.example"}


def test_articles_their_edits_and_agents_come_along(zendesk: Warehouse) -> None:
    """Votes are told apart by their number and sum; a deleted article is left out; agents own."""
    pulled = Collected().read(source_of(zendesk, **SETTINGS))
    (article,) = pulled.rows["articles"]
    assert (article["article_id"], article["helpful"], article["unhelpful"]) == ("501", 8, 2)
    assert (article["status"], article["owner_id"]) == ("published", "20")
    assert [(row["article_id"], row["revised_at"]) for row in pulled.rows["article_revisions"]] == [
        ("501", moment(at(0)))
    ]
    assert [(row["owner_id"], row["team"]) for row in pulled.rows["owners"]] == [("20", "Second Line"), ("21", None)]


def test_chats_surveys_and_the_history_of_tags_are_read_where_they_are_synced(zendesk: Warehouse) -> None:
    """A chat's own messages count and not its transcript; a survey's mark on its scale; who set the tag, and when."""
    synced = {"_fivetran_synced": "TIMESTAMP"}
    zendesk.run('ALTER TABLE {}ticket_comment ADD COLUMN "via_channel" TEXT')
    zendesk.run("UPDATE {}ticket_comment SET via_channel = 'chat_transcript' WHERE ticket_id = 2")
    zendesk.create("ticket_chat", {"chat_id": "TEXT", "ticket_id": "BIGINT", **synced}, [("k1", 2, SYNCED)])
    zendesk.create(
        "ticket_chat_event",
        {
            "chat_id": "TEXT", "created_at": "TIMESTAMP", "actor_id": "TEXT", "message": "TEXT", "type": "TEXT",
            "original_message": "TEXT",
        },
        [
            ("k1", at(201), "enduser:11", "Return?", "ChatMessage", None),
            ("k1", at(202), "agent:9", "Ask away", "ChatMessage", '{"source": {"type": "zd:answerBot"}}'),
            ("k1", at(203), "agent:20", "Thirty days", "ChatMessage", None),
            ("k1", at(204), "agent:20", None, "ChatJoin", None),
        ],
    )  # fmt: skip
    zendesk.create(
        "ticket_csat_survey", {"survey_response_id": "TEXT", "ticket_id": "BIGINT", **synced}, [("s1", 1, SYNCED)]
    )
    zendesk.create("csat_survey_answer", {"survey_response_id": "TEXT", "rating": "BIGINT"}, [("s1", 2)])
    zendesk.create(
        "ticket_tag_history",
        {
            "ticket_id": "BIGINT", "tag": "TEXT", "updated": "TIMESTAMP", "user_id": "BIGINT", "tagged": "BOOLEAN",
            **synced,
        },
        [(2, "bot_wrong", at(210), 20, True, SYNCED)],
    )  # fmt: skip
    pulled = Collected().read(source_of(zendesk, **SETTINGS, csat_scale=3))
    assert said(pulled, "2") == [("customer", "Return?"), ("bot", "Ask away"), ("agent", "Thirty days")]
    assert pulled.conversations["2"]["escalated"] is True
    assert pulled.conversations["1"]["csat"] == 3.0
    assert [(row["tagged_by"], row["tagged_at"]) for row in pulled.outcomes["2"]] == [("20", moment(at(210)))]


@every_kind
def test_what_changed_since_is_read_again_and_nothing_else(zendesk: Warehouse) -> None:
    """A comment, a tag, a rating and a deletion each bring their ticket; after every change, all is as if read anew."""
    zendesk.run("UPDATE {}ticket SET _fivetran_synced = '2024-04-01 20:00:00' WHERE id = 4")
    pulled = Collected().read(source_of(zendesk, **SETTINGS))
    settings = {**SETTINGS, "overlap_hours": 0.0}
    zendesk.insert("ticket_comment", [(104, 1, 10, "It has come.", True, at(20), False, LATE)])
    zendesk.insert("ticket_tag", [(4, "urgent", "2024-05-02 20:00:01")])
    zendesk.insert("satisfaction_rating", [(3, 2, "bad", at(200), "2024-05-02 20:00:02")])
    zendesk.run("UPDATE {}ticket SET status = 'deleted', _fivetran_synced = '2024-05-02 20:00:03' WHERE id = 3")
    pulled.read(source_of(zendesk, **settings))
    assert pulled.held() == Collected().read(source_of(zendesk, **SETTINGS)).held()
    assert said(pulled, "1")[0] == ("customer", "It has come.")  # by its time, not by when it was synced
    assert pulled.conversations["4"]["tags"] == ["urgent"]
    assert pulled.conversations["2"]["csat"] == 1.0
    assert "3" not in pulled.conversations
    assert {"1", "2", "4"} == set(pulled.asked)
    pulled.read(source_of(zendesk, **settings))
    assert set(pulled.asked) <= {"1", "2", "4"}
    assert pulled.asked == []  # but for what was synced in the very last moment: here the deleted ticket
    zendesk.run(
        "UPDATE {}ticket_comment SET _fivetran_deleted = TRUE, _fivetran_synced = '2024-05-03 01:00:00' WHERE id = 104"
    )
    pulled.read(source_of(zendesk, **settings))
    assert pulled.asked == ["1"]
    assert said(pulled, "1") == [("customer", "Where is my parcel?"), ("agent", "On its way.")]


def test_a_ticket_that_is_merged_later_goes_and_its_target_stays(zendesk: Warehouse) -> None:
    """Whichever of the two comes first, and also where only the tag says so."""
    pulled = Collected().read(source_of(zendesk, **SETTINGS))
    zendesk.run(f"UPDATE {{}}ticket SET merged_ticket_ids = '[4, 3]', _fivetran_synced = '{LATE}' WHERE id = 2")
    zendesk.run(f"UPDATE {{}}ticket SET status = 'closed', _fivetran_synced = '{LATE}' WHERE id IN (3, 4)")
    pulled.read(source_of(zendesk, **SETTINGS))
    assert sorted(pulled.conversations) == ["1", "2"]
    zendesk.insert("ticket_tag", [(2, "closed_by_merge", "2024-05-02 21:00:00")])
    assert sorted(pulled.read(source_of(zendesk, **SETTINGS)).conversations) == ["1"]


def test_rows_that_come_late_or_from_the_future_are_not_lost(zendesk: Warehouse) -> None:
    """A row whose time lies before the last pull's end is found; one that lies ahead does not hide what comes after."""
    pulled = Collected().read(source_of(zendesk, **SETTINGS))
    zendesk.insert("ticket_comment", [(105, 1, 10, "Late.", True, at(300), False, "2024-05-01 15:00:00")])
    zendesk.run("UPDATE {}ticket SET custom_intent = 'pay', _fivetran_synced = '2099-01-01 00:00:00' WHERE id = 3")
    pulled.read(source_of(zendesk, **SETTINGS))
    assert said(pulled, "1")[-1] == ("customer", "Late.")
    assert pulled.conversations["3"]["predicted_intent"] == "pay"
    zendesk.insert("ticket_comment", [(106, 2, 11, "After.", True, at(301), False, "2024-05-01 21:00:00")])
    pulled.read(source_of(zendesk, **SETTINGS))
    assert said(pulled, "2")[-1] == ("customer", "After.")
    assert pulled.held() == Collected().read(source_of(zendesk, **SETTINGS)).held()


@every_kind
def test_a_first_pull_begins_where_it_is_told_to_and_later_ones_keep_to_it(zendesk: Warehouse) -> None:
    """Older tickets are not pulled, neither at first nor when they change."""
    zendesk.run("UPDATE {}ticket SET created_at = '2023-01-01 00:00:00' WHERE id = 2")
    pulled = Collected().read(source_of(zendesk, date(2024, 1, 1), **SETTINGS))
    assert sorted(pulled.conversations) == ["1", "3", "4"]
    zendesk.run(f"UPDATE {{}}ticket SET _fivetran_synced = '{LATE}' WHERE id IN (2, 3)")
    pulled.read(source_of(zendesk, **SETTINGS))
    assert sorted(pulled.conversations) == ["1", "3", "4"]


def test_tags_and_groups_say_who_took_over(zendesk: Warehouse) -> None:
    """Without a public answer by a human, the settings' tags and groups tell; and a tag that a bot had a part in it."""
    settings = {**SETTINGS, "escalated_tags": ["BOT_wrong"], "bot_tags": ["parcel", "urgent"]}
    zendesk.insert("ticket_tag", [(4, "urgent", SYNCED)])
    pulled = Collected().read(source_of(zendesk, **settings))
    assert {key: row["escalated"] for key, row in pulled.conversations.items()} == {
        "1": True, "2": True, "3": True, "4": False,
    }  # fmt: skip
    pulled = Collected().read(source_of(zendesk, **SETTINGS, contained_tags=["urgent"]))
    assert pulled.conversations["4"]["escalated"] is False
    zendesk.run(f"UPDATE {{}}ticket SET group_id = 70, _fivetran_synced = '{SYNCED}' WHERE id = 4")
    pulled = Collected().read(source_of(zendesk, **settings, escalated_groups=["second line"]))
    assert pulled.conversations["4"]["escalated"] is True


def test_reading_goes_on_behind_any_batch(zendesk: Warehouse) -> None:
    """In a first round as in a later one, wherever it stopped, also where rows changed in between."""
    source, whole = source_of(zendesk, **SETTINGS), Collected().read(source_of(zendesk, **SETTINGS)).held()
    for batches in (1, 3):
        part = Collected().read(source, batches)
        assert part.read(source).held() == whole
    begun = [Collected().read(source, batches) for batches in (1, 2)]
    zendesk.insert("ticket_comment", [(107, 1, 10, "Meanwhile.", True, at(302), False, LATE)])
    zendesk.run(f"UPDATE {{}}ticket SET status = 'deleted', _fivetran_synced = '{LATE}' WHERE id = 2")
    whole = Collected().read(source).held()
    for part in begun:
        part.read(source)  # to the end of the round in which the rows changed
        assert part.read(source, 1).read(source).held() == whole


@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
def test_a_pull_that_is_killed_anywhere_ends_as_one_that_was_not(
    zendesk: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bundle is the same, row for row, as one that is pulled at once after all changes; ids bear the prefix."""
    monkeypatch.setattr(pulling, "SLICE_ROWS", 4)
    zendesk.run("DROP TABLE {}article")  # each stream costs a second
    settings = settings_of(zendesk, **SETTINGS | {"id_prefix": "zd-"})

    def pull(bundle: str) -> dict[str, Any]:
        pulling.pull_source(settings, make_source(settings, "dwh"), tmp_path / bundle)
        tables = {}
        for folder in sorted(path for path in (tmp_path / bundle).iterdir() if path.name != "_pull"):
            rows = pd.concat([pd.read_parquet(file) for file in sorted(folder.glob("*.parquet"))])
            tables[folder.name] = rows.to_json(orient="records", date_format="iso")
        return tables

    fill = VendorTables.fill
    calls = iter(range(100))

    def killed(*values: Any) -> None:
        if next(calls) == 2:
            raise SystemError("killed")
        fill(*values)

    monkeypatch.setattr(VendorTables, "fill", killed)
    with pytest.raises(Exception, match="killed"):
        pull("killed")
    monkeypatch.setattr(VendorTables, "fill", fill)
    pull("killed")
    zendesk.insert("ticket_comment", [(104, 1, 10, "It has come.", True, at(20), False, LATE)])
    zendesk.run(f"UPDATE {{}}ticket SET status = 'deleted', _fivetran_synced = '{LATE}' WHERE id = 3")
    after = pull("killed")
    assert after == pull("anew")
    assert "It has come." in after["messages"]
    assert "zd-3" not in after["conversations"]
    assert "Ada" not in after["messages"]


@every_kind
def test_a_table_or_column_that_is_missing_is_named(zendesk: Warehouse) -> None:
    """Of the layout with what it expects, of a setting with what is alike; what can be done without is left out."""
    with pytest.raises(
        SettingsInvalid, match="region = 'custom_intend': the table 'ticket' has no such column"
    ) as said_so:
        source_of(zendesk, **SETTINGS, region="custom_intend").streams()
    assert "custom_intent" in str(said_so.value)
    zendesk.run("DROP TABLE {}satisfaction_rating")
    zendesk.run("DROP TABLE {}article")
    assert [stream.name for stream in source_of(zendesk, **SETTINGS).streams()] == ["owners", "conversations"]
    assert Collected().read(source_of(zendesk, **SETTINGS)).conversations["1"]["csat"] is None
    zendesk.run('ALTER TABLE {}ticket_comment RENAME COLUMN "public" TO "shown"')
    with pytest.raises(
        SourceUnreadable, match="'ticket_comment' has no column 'public', which the layout fivetran_zendesk"
    ):
        source_of(zendesk, **SETTINGS).streams()
    zendesk.run("DROP TABLE {}ticket_comment")
    with pytest.raises(SourceUnreadable, match="no table 'ticket_comment', which the layout fivetran_zendesk needs"):
        source_of(zendesk, **SETTINGS).streams()
