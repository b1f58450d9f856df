"""Planted tables as Fivetran lands them, of made-up people and with known truth."""

from __future__ import annotations

from tests.support.warehouses import Warehouse

ID, TEXT, TIME, BOOL, NUMBER = "BIGINT", "TEXT", "TIMESTAMP", "BOOLEAN", "DOUBLE PRECISION"
ZENDESK = {
    "user": {
        "id": ID, "name": TEXT, "email": TEXT, "role": TEXT, "locale": TEXT, "active": BOOL, "default_group_id": ID,
    },
    "group": {"id": ID, "name": TEXT},
    "brand": {"id": ID, "name": TEXT},
    "article": {
        "id": ID, "title": TEXT, "body": TEXT, "html_url": TEXT, "author_id": ID, "draft": BOOL, "locale": TEXT,
        "edited_at": TIME, "vote_count": ID, "vote_sum": ID, "_fivetran_deleted": BOOL, "_fivetran_synced": TIME,
    },
    "ticket": {
        "id": ID, "status": TEXT, "requester_id": ID, "assignee_id": ID, "group_id": ID, "brand_id": ID,
        "description": TEXT, "via_channel": TEXT, "merged_ticket_ids": TEXT, "custom_intent": TEXT, "created_at": TIME,
        "updated_at": TIME, "_fivetran_deleted": BOOL, "_fivetran_synced": TIME,
    },
    "ticket_comment": {
        "id": ID, "ticket_id": ID, "user_id": ID, "body": TEXT, "public": BOOL, "created": TIME,
        "_fivetran_deleted": BOOL, "_fivetran_synced": TIME,
    },
    "ticket_tag": {"ticket_id": ID, "tag": TEXT, "_fivetran_synced": TIME},
    "satisfaction_rating": {"id": ID, "ticket_id": ID, "score": TEXT, "created_at": TIME, "_fivetran_synced": TIME},
}  # fmt: skip

DAY = "2024-05-01"
SYNCED = f"{DAY} 20:00:00"


def at(minute: int) -> str:
    """A minute of the morning."""
    return f"{DAY} {9 + minute // 60:02d}:{minute % 60:02d}:00"


def plant_zendesk(warehouse: Warehouse) -> None:
    """Seven tickets: one by humans, two by a bot, one that has no comment, one deleted, one merged, one hidden.

    Ticket 1 and its first comment stand there twice, the older version with other words.
    """
    for table, columns in ZENDESK.items():
        warehouse.create(table, columns)
    warehouse.insert("group", [(70, "Second Line")])
    warehouse.insert("brand", [(80, "Shop")])
    warehouse.insert(
        "user",
        [
            (10, "Ada Lovelace", "ada@mail.example", "end-user", "en-GB", True, None),
            (11, "Grace Hopper", "grace@mail.example", "end-user", "de", True, None),
            (20, "Amara Agent", "amara@shop.example", "agent", "en-US", True, 70),
            (21, "Helper Bot", "bot@shop.example", "agent", "en-US", True, None),
        ],
    )
    link = "https://help.shop.example/hc/en-us/articles/501-Returns"
    warehouse.insert(
        "article",
        [
            (501, "Returns", "<p>Thirty days.</p>", link, 20, False, "en-us", at(0), 10, 6, False, SYNCED),
            (502, "Old", "", f"{link}-old", 20, False, "en-us", at(0), 0, 0, True, SYNCED),
        ],
    )

    def ticket(key: int, status: str, requester: int, about: str, synced: str = SYNCED, **more: object) -> list[object]:
        given = {
            "id": key, "status": status, "requester_id": requester, "brand_id": 80, "description": about,
            "via_channel": "email", "merged_ticket_ids": "[]", "created_at": at(key), "updated_at": at(key + 30),
            "_fivetran_deleted": False, "_fivetran_synced": synced, **more,
        }  # fmt: skip
        return [given.get(column) for column in ZENDESK["ticket"]]

    warehouse.insert(
        "ticket",
        [
            ticket(1, "open", 10, "Old words", "2024-05-01 19:00:00", merged_ticket_ids="[5]"),
            ticket(1, "solved", 10, "My parcel", merged_ticket_ids="[5]", group_id=70, assignee_id=20),
            ticket(2, "solved", 11, "How do I return it?", via_channel="native_messaging", custom_intent="returns"),
            ticket(3, "open", 11, "Pay by card?", via_channel="web"),
            ticket(4, "new", 10, "Only a description"),
            ticket(5, "closed", 10, "The same parcel"),
            ticket(6, "deleted", 10, "Spam"),
            ticket(7, "solved", 10, "Hidden", _fivetran_deleted=True),
        ],
    )

    def comment(key: int, of: int, by: int, body: str, public: bool = True, synced: str = SYNCED) -> list[object]:
        return [key, of, by, body, public, at(key), False, synced]

    warehouse.insert(
        "ticket_comment",
        [
            comment(101, 1, 10, "Where is my parcel, before the edit?", synced="2024-05-01 19:00:00"),
            comment(101, 1, 10, "Where is my parcel?"),
            comment(102, 1, 20, "Lost again, do not tell Ada", public=False),
            comment(103, 1, 20, "On its way."),
            comment(201, 2, 11, "How do I return it?"),
            comment(202, 2, 21, f"See {link}?utm=bot."),
            comment(301, 3, 11, "Pay by card?"),
            comment(302, 3, 21, "I do not know."),
            comment(303, 3, 20, "Yes, by card."),
            comment(501, 5, 10, "The same parcel"),
            comment(601, 6, 10, "Spam"),
        ],
    )
    warehouse.insert(
        "ticket_tag",
        [(1, "vip", SYNCED), (1, "vip", SYNCED), (1, "parcel", SYNCED), (2, "bot_wrong", SYNCED), (3, "bot", SYNCED)],
    )
    warehouse.insert("satisfaction_rating", [(1, 1, "offered", at(60), SYNCED), (2, 1, "good", at(90), SYNCED)])


HISTORY = {"_fivetran_active": BOOL, "_fivetran_synced": TIME}
INTERCOM = {
    "admin": {"id": TEXT, "name": TEXT, "email": TEXT, "_fivetran_deleted": BOOL},
    "team": {"id": TEXT, "name": TEXT},
    "team_admin": {"admin_id": TEXT, "team_id": TEXT},
    "tag": {"id": TEXT, "name": TEXT, "_fivetran_deleted": BOOL},
    "article_history": {
        "id": TEXT, "title": TEXT, "body": TEXT, "url": TEXT, "state": TEXT, "author_id": TEXT, "updated_at": TIME,
        **HISTORY,
    },
    "conversation_history": {
        "id": TEXT, "state": TEXT, "source_body": TEXT, "source_author_id": TEXT, "source_author_type": TEXT,
        "conversation_rating_value": ID, "ai_agent_resolution_state": TEXT,
        "created_at": TIME, "updated_at": TIME, **HISTORY,
    },
    "conversation_part_history": {
        "id": TEXT, "conversation_id": TEXT, "part_type": TEXT, "author_id": TEXT, "author_type": TEXT, "body": TEXT,
        "created_at": TIME, "updated_at": TIME, **HISTORY,
    },
    "conversation_tag_history": {"conversation_id": TEXT, "tag_id": TEXT, **HISTORY},
    "conversation_ai_agent_content_source": {"conversation_id": TEXT, "url": TEXT, "_fivetran_synced": TIME},
    "contact_history": {"id": TEXT, "name": TEXT, "email": TEXT, "updated_at": TIME, "_fivetran_active": BOOL},
}  # fmt: skip


def intercom_part(
    key: int, of: str, kind: str, by: str, body: str, active: bool = True, synced: str = SYNCED
) -> list[object]:
    """A row of conversation_part_history: teammates' ids begin with "a", Fin is "fin"."""
    author = "bot" if by == "fin" else "admin" if by.startswith("a") else "user"
    return [str(key), of, kind, by, author, body, at(key), at(key), active, synced]


def plant_intercom(warehouse: Warehouse) -> None:
    """Four conversations: one that Fin answered, one that it handed over, one by humans alone, one deleted."""
    for table, columns in INTERCOM.items():
        warehouse.create(table, columns)
    warehouse.insert("admin", [("a1", "Amara Agent", "amara@shop.example", False), ("a2", "Gone", "x@y.example", True)])
    warehouse.insert("team", [("t1", "Support")])
    warehouse.insert("team_admin", [("a1", "t1")])
    warehouse.insert("tag", [("g1", " Bot wrong ", False), ("g2", "Mistake", True)])
    url = "https://help.shop.example/en/articles/77-returns"
    warehouse.insert(
        "article_history",
        [
            ("77", "Return", "<p>14 days</p>", url, "published", "a1", at(0), False, SYNCED),
            ("77", "Returns", "<p>30 days</p>", url, "published", "a1", at(5), True, SYNCED),
            ("78", "Withdrawn", "", f"{url}-old", "published", "a1", at(0), False, SYNCED),
        ],
    )

    def talk(key: str, minute: int, state: str, body: str, active: bool = True, *fin: object) -> list[object]:
        rating, outcome = (*fin, None, None)[:2]
        return [
            key, state, body, "u1", "user", rating, outcome, at(minute), at(minute + 60), active, SYNCED,
        ]  # fmt: skip

    warehouse.insert(
        "conversation_history",
        [
            talk("c1", 1, "open", "<p>How do I return it?</p>", False),
            talk("c1", 1, "closed", "<p>How do I <b>return</b> it?</p>", True, 4, "confirmed_resolution"),
            talk("c2", 2, "open", "<p>Pay by card?</p>", True, None, "routed_to_team"),
            talk("c3", 3, "closed", "<p>I am Ada</p>"),
            talk("c4", 4, "closed", "<p>Deleted</p>", False),
        ],
    )
    warehouse.insert(
        "conversation_part_history",
        [
            intercom_part(11, "c1", "comment", "fin", "<p>Within 30 days.</p>"),
            intercom_part(12, "c1", "language_detection_details", "fin", "en"),
            intercom_part(21, "c2", "comment", "fin", "I do not know."),
            intercom_part(22, "c2", "note", "a1", "Do not tell Ada."),
            intercom_part(23, "c2", "comment", "a1", "Yes, old", active=False),
            intercom_part(23, "c2", "comment", "a1", "Yes &amp; no."),
            intercom_part(31, "c3", "close", "a1", "<p>Hello</p>"),
        ],
    )
    warehouse.insert(
        "conversation_tag_history",
        [("c1", "g1", True, SYNCED), ("c2", "g2", True, SYNCED), ("c3", "g1", False, SYNCED)],
    )
    warehouse.insert("conversation_ai_agent_content_source", [("c1", f"{url}/", SYNCED)])
    warehouse.insert(
        "contact_history",
        [("u1", "Old Name", "old@mail.example", at(0), False), ("u1", "Ada Lovelace", "ada@mail.example", at(1), True)],
    )
