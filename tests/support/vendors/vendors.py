"""All vendors that have a fake, for the tests that hold of each."""

from __future__ import annotations

from tests.support.vendors import intercom, zendesk
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
VENDORS = [ZENDESK, INTERCOM]
