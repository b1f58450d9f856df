"""Which columns the workbook's sheets have, in order: heading, source, width and style."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_fields import gap_fields
from lacuna.models.backlog.gap_kinds import GAP_KINDS
from lacuna.pipelines.report.gap_figures import SETS, movement, nearest_articles


@dataclass(frozen=True)
class Column:
    """One column of a sheet: its heading, how its value is read off a gap or a row, its width and its style."""

    heading: str
    value: Callable[[Any], Any]
    width: float = 14
    style: str = "text"


def _of(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda row: row.get(name)


def _nearest(gap: Gap) -> list[str]:
    """The nearest articles as `Track your order (0.34)`."""
    articles = nearest_articles(gap.nearest_articles)
    return [
        f"{article['title']} ({article['shown']})" if article["shown"] else article["title"] for article in articles
    ]


# What is shown of a field, where that is not its value as it stands.
_SHOWN: dict[str, Callable[[Gap], Any]] = {
    "owner_name": lambda gap: gap.owner or "(no owner)",
    "trend": lambda gap: movement(gap).in_words(),
    "reasons": lambda gap: "\n".join(gap.reasons),
    "too_small": lambda gap: "yes" if gap.folded else "",
    "nearest_articles": _nearest,
}


def backlog_columns(record: type[Gap]) -> list[Column]:
    """The columns of the first sheet, as the fields of a gap say (:class:`models.backlog.gap_fields.Sheet`)."""
    placed = [(field.sheet, field.name) for field in gap_fields(record) if field.sheet]
    placed.sort(key=lambda pair: pair[0].place)
    return [
        Column(sheet.heading or name, _SHOWN.get(name, attrgetter(name)), sheet.width, sheet.style)
        for sheet, name in placed
    ]


OWNERS = [
    Column("Owner", _of("name"), 24, "strong"),
    Column("Owner id", _of("id"), 18),
    Column("Open gaps", _of("gaps"), 11, "whole"),
    Column("In the gaps", _of("conversations"), 14, "whole"),
    Column("Score", _of("score"), 10, "rate"),
    Column("Cost a week", _of("cost"), 13, "money"),
    Column("First gap", _of("first"), 60),
]
KPIS = [
    Column("Week", _of("week"), 12),
    Column("Segment", _of("segment"), 20),
    Column("Conversations", _of("conversations"), 14, "whole"),
    Column("Self-service users", _of("self_service_users"), 17, "whole"),
    Column("Tickets", _of("tickets"), 9, "whole"),
    *(
        Column(heading, _of(f"{name}{end}"), width, "share")
        for name, title, wide in (
            ("deflection", "Deflection", 11),
            ("confirmed_resolution", "Confirmed resolution", 18),
            ("assumed_resolution", "Assumed resolution", 17),
            ("abandoned", "Abandoned", 11),
        )
        for end, heading, width in (("", title, wide), ("_low", "from", 8), ("_high", "to", 8))
    ),
    Column("Escalation ratio", _of("escalation_ratio"), 15, "share"),
    Column("from", _of("escalation_ratio_low"), 8, "share"),
    Column("to", _of("escalation_ratio_high"), 8, "share"),
    Column("Resolution accuracy", _of("resolution_accuracy"), 18, "share"),
    Column("from", _of("resolution_accuracy_low"), 8, "share"),
    Column("to", _of("resolution_accuracy_high"), 8, "share"),
    Column("Self-service CSAT", _of("csat_self_service"), 16, "two"),
    Column("from", _of("csat_self_service_low"), 8, "two"),
    Column("to", _of("csat_self_service_high"), 8, "two"),
    Column("First-contact resolution", _of("first_contact_resolution"), 20, "share"),
    Column("from", _of("first_contact_resolution_low"), 8, "share"),
    Column("to", _of("first_contact_resolution_high"), 8, "share"),
    Column("Handle seconds", _of("handle_seconds_mean"), 14, "whole"),
    Column("from", _of("handle_seconds_mean_low"), 8, "whole"),
    Column("to", _of("handle_seconds_mean_high"), 8, "whole"),
    Column("Cost avoided", _of("cost_avoided"), 14, "money"),
    Column("from", _of("cost_avoided_low"), 10, "money"),
    Column("to", _of("cost_avoided_high"), 10, "money"),
    Column("Currency", _of("currency"), 9),
]
TOPICS = [
    Column("Topic", _of("label"), 40, "strong"),
    Column("Theme", _of("theme"), 20),
    Column("Conversations", _of("conversations"), 14, "whole"),
    Column("Customers", _of("customers"), 11, "whole"),
    Column("Failure rate", _of("failure_rate"), 12, "share"),
    Column("New or known", _of("novelty"), 13),
    Column("Asked for a person", _of("handoff_request"), 17, "share"),
    Column("Handed off by policy", _of("policy_handoff"), 19, "share"),
    Column("Only a person could act", _of("account_action"), 21, "share"),
    Column("No answer twice", _of("repeated_fallback"), 15, "share"),
    Column("Said it again", _of("rephrasing"), 12, "share"),
    Column("Frustrated", _of("frustration"), 11, "share"),
    Column("Searches in vain", _of("searches"), 15, "whole"),
    Column("Keywords", _of("keywords"), 40),
    Column("Examples", _of("examples"), 60, "wrap"),
    Column("Gaps", _of("gap_ids"), 20),
    Column("First seen", _of("first_seen"), 12),
    Column("Last seen", _of("last_seen"), 12),
    Column("Lineage", _of("lineage"), 20),
    Column("Topic id", _of("topic_id"), 14),
]
NOT_CONTENT = [
    Column("What about", _of("title"), 40, "strong"),
    Column("Topic", _of("topic_label"), 30),
    Column("Reason", _of("reason"), 22),
    Column("Conversations", _of("conversations"), 14, "whole"),
    Column("A week", _of("weekly_rate"), 9, "rate"),
    Column("Failure rate", _of("failure_rate"), 12, "share"),
    Column("Why", lambda row: "\n".join(str(item) for item in row.get("why") or []), 70, "wrap"),
    Column("Intent as taken", _of("predicted_intent"), 20),
    Column("Intent as it was", _of("true_intent"), 20),
]
ACCURACY = [
    Column("By", _of("by"), 11),
    Column("Name", lambda row: row.get("label_name") or row.get("key"), 44, "strong"),
    Column("Accuracy", _of("accuracy"), 10, "share"),
    Column("from", _of("low"), 8, "share"),
    Column("to", _of("high"), 8, "share"),
    Column("Tagged answers", _of("n_tagged"), 14, "whole"),
    Column("Conversations", _of("conversations"), 14, "whole"),
    Column("Holds for", _of("basis"), 18),
    Column("Key", _of("key"), 18),
]
QUOTES = [
    Column("Rank", _of("rank"), 6, "whole"),
    Column("Gap", _of("title"), 46, "strong"),
    Column("Who", _of("who"), 10),
    Column("Quote", _of("quote"), 100, "wrap"),
    Column("Conversation", _of("conversation_id"), 20),
]
ABOUT = [Column("What", _of("what"), 24, "strong"), Column("Value", _of("value"), 100, "wrap")]

DEFINITIONS = [
    ("Gap", "A subject that customers ask about and that the knowledge base does not answer well enough."),
    *((kind.name, kind.meaning) for kind in GAP_KINDS.values()),
    ("Score", "Expected human-handled conversations a week that closing the gap would avoid, with its interval."),
    ("Rank band", "The ranks between which the gap lies, as sure as the intervals are."),
    *SETS,
    (
        "Failed, of all about it",
        "Estimated share of all conversations about it whose answer failed, with its interval; tagged answers say how "
        "much stands behind it.",
    ),
    ("Demand", "How the number of conversations about it moves from week to week."),
    ("Cost", "Avoidable cost a week, in the currency of the settings."),
    ("Deflection", "Share of self-service users who opened no ticket and reached no human."),
    ("Escalation ratio", "Share of conversations that a human took over, or that became a ticket."),
    ("Resolution accuracy", "Share of the bot's answers that were right, estimated from tagged outcomes."),
    (
        "First-contact resolution",
        "Share of problems that their first conversation solved, of those where that is known.",
    ),
    ("Self-service CSAT", "Mean rating, 1 to 5, of conversations in which no human took part."),
]
