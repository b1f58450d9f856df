"""All vendors that have a fake, for the tests that hold of each."""

from __future__ import annotations

from tests.support.vendors import chatwoot, crisp, freshdesk, intercom, zendesk
from tests.support.vendors.vendor import Vendor, one_space, whole_seconds

OUTCOME_TAGS = {f"bot-{name}": name for name in ("correct", "partial", "wrong", "no_answer", "misclassified")}

INTERCOM = Vendor(
    "intercom",
    intercom.intercom,
    section={
        "outcome_tags": OUTCOME_TAGS, "language_attribute": "Language", "product_attribute": "Product",
        "region_attribute": "Region", "intent_attribute": "Intent", "intent_confidence_attribute": "Confidence",
        "article_statistics": True,
    },
    secrets={"INTERCOM_TOKEN": intercom.TOKEN},
    carried={
        "conversations": (
            "conversation_id", "started_at", "escalated", "language", "product", "region", "customer_id", "csat",
            "predicted_intent", "intent_confidence", "updated_at",
        ),
        "messages": ("conversation_id", "position", "role", "text", "sent_at", "article_ids"),
        "outcomes": ("conversation_id", "outcome"),
        "articles": (
            "article_id", "title", "body", "url", "language", "owner_id", "created_at", "updated_at", "views",
            "helpful", "unhelpful",
        ),
        "owners": ("owner_id", "name", "email"),
    },
    changes={
        ("messages", "text"): one_space, ("conversations", "updated_at"): whole_seconds,
        ("conversations", "started_at"): whole_seconds, ("messages", "sent_at"): whole_seconds,
    },
)  # fmt: skip
ZENDESK = Vendor(
    "zendesk",
    zendesk.zendesk,
    section={
        "requests_a_minute": 1_000_000, "bot_authors": [zendesk.BOT], "escalated_tags": ["handed_off"],
        "contained_tags": ["contained"],
        "outcome_tags": {f"bot_{name}": name for name in OUTCOME_TAGS.values()},
        **{f"{name.removeprefix('predicted_')}_field": key for name, key in zendesk.FIELDS.items()},
    },
    secrets={"ZENDESK_USER": zendesk.USER, "ZENDESK_TOKEN": zendesk.TOKEN},
    carried={
        "conversations": (
            "conversation_id", "started_at", "escalated", "channel", "language", "product", "region",
            "predicted_intent", "intent_confidence", "handle_seconds", "updated_at",
        ),
        "messages": ("conversation_id", "position", "role", "text", "sent_at", "article_ids"),
        "outcomes": ("conversation_id", "outcome"),
        "articles": (
            "article_id", "title", "body", "url", "language", "owner_id", "created_at", "updated_at", "helpful",
            "unhelpful",
        ),
        "owners": ("owner_id", "name", "email"),
    },
    changes=INTERCOM.changes,
)  # fmt: skip
FRESHDESK = Vendor(
    "freshdesk",
    freshdesk.freshdesk,
    section={
        "requests_a_minute": 1_000_000, "bot_authors": [freshdesk.BOT], "escalated_tags": [freshdesk.ESCALATED],
        "outcome_tags": OUTCOME_TAGS, "language_field": "cf_language", "product_field": "cf_product",
        "region_field": "cf_region", "intent_field": "type", "intent_confidence_field": "cf_confidence",
    },
    secrets={"FRESHDESK_KEY": freshdesk.KEY},
    carried={
        "conversations": (
            "conversation_id", "started_at", "escalated", "language", "product", "region", "csat",
            "predicted_intent", "intent_confidence", "updated_at",
        ),
        "messages": ("conversation_id", "position", "role", "text", "sent_at", "article_ids"),
        "outcomes": ("conversation_id", "outcome"),
        "articles": (
            "article_id", "title", "body", "language", "owner_id", "created_at", "updated_at", "views", "helpful",
            "unhelpful",
        ),
        "owners": ("owner_id", "name", "email"),
    },
    changes={**INTERCOM.changes, ("conversations", "csat"): freshdesk.stars},
)  # fmt: skip
CHATWOOT = Vendor(
    "chatwoot",
    chatwoot.chatwoot,
    section={
        "account": 1, "requests_a_minute": 1_000_000, "outcome_tags": OUTCOME_TAGS, "language_attribute": "language",
        "product_attribute": "product", "region_attribute": "region", "intent_attribute": "intent",
        "intent_confidence_attribute": "confidence",
    },
    secrets={"CHATWOOT_TOKEN": chatwoot.TOKEN},
    carried={
        "conversations": (
            "conversation_id", "started_at", "escalated", "channel", "language", "product", "region", "csat",
            "predicted_intent", "intent_confidence", "updated_at",
        ),
        "messages": ("conversation_id", "position", "role", "text", "sent_at", "article_ids"),
        "outcomes": ("conversation_id", "outcome"),
        "articles": (
            "article_id", "title", "body", "status", "language", "owner_id", "created_at", "updated_at", "views",
        ),
        "owners": ("owner_id", "name", "email"),
    },
    changes={("conversations", "started_at"): whole_seconds, ("messages", "sent_at"): whole_seconds},
)  # fmt: skip
CRISP = Vendor(
    "crisp",
    crisp.crisp,
    section={
        "website": crisp.WEBSITE, "ratings": True, "outcome_tags": OUTCOME_TAGS, "language_data": "language",
        "product_data": "product", "region_data": "region", "intent_data": "intent",
        "intent_confidence_data": "confidence",
    },
    secrets={"CRISP_IDENTIFIER": crisp.IDENTIFIER, "CRISP_KEY": crisp.KEY},
    carried={
        "conversations": (
            "conversation_id", "started_at", "escalated", "channel", "language", "product", "region", "customer_id",
            "csat", "predicted_intent", "intent_confidence", "updated_at",
        ),
        "messages": ("conversation_id", "position", "role", "text", "sent_at", "article_ids"),
        "outcomes": ("conversation_id", "outcome"),
        "articles": ("article_id", "title", "body", "url", "language", "created_at", "updated_at", "views"),
        "owners": ("owner_id", "name", "email"),
    },
    changes={(table, "conversation_id"): crisp.session_id for table in ("conversations", "messages", "outcomes")},
)  # fmt: skip
VENDORS = [ZENDESK, INTERCOM, FRESHDESK, CHATWOOT, CRISP]
