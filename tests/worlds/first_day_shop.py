"""A shop whose export holds everything, and what companies do not have of it on the first day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.standins import Rows, write_table

FIRST_DAY = datetime(2024, 6, 3, 8, tzinfo=UTC)
Tables = dict[str, Rows]

# What customers ask, what agents answer in turn, the article that answers it (or None), and whether the bot does.
Problems = Mapping[str, tuple[tuple[str, ...], tuple[str, ...], str | None, bool]]
PROBLEMS: Problems = {
    "password": (
        (
            "password reset email does not arrive",
            "the reset mail for my password never comes",
            "no password reset mail",
        ),
        ("The reset mail comes from a new address since May. Look into the spam folder and allow the sender.",),
        None,
        False,
    ),
    "export": (
        ("export of contacts fails at 500 rows", "cannot export my contacts to csv", "contacts export stops"),
        ("Exports above 500 rows are sent by mail as a link. That takes ten minutes.",),
        None,
        False,
    ),
    "invoice": (
        ("invoice for march please", "where is the invoice of my subscription", "I need an invoice with vat number"),
        ("Invoices are under Settings, Billing, History. Choose the month and press Download invoice.",),
        "kb-invoice",
        False,
    ),
    "brakes": (
        ("brakes of my bike squeal", "squealing brakes after rain", "why do my bike brakes squeal"),
        ("Clean the brake rims with alcohol and toe in the brake pads.",),
        "kb-brakes",
        True,
    ),
    "washing": (
        ("how do I wash the down jacket", "washing a down jacket at home", "down jacket washing machine"),
        ("Wash the down jacket at 30 degrees with special detergent and dry it with tennis balls.",),
        "kb-washing",
        True,
    ),
}
ARTICLES = {
    "kb-invoice": ("Download an invoice", "Invoices are under Settings, Billing, History. Choose the month."),
    "kb-brakes": ("Squealing brakes", "Clean the brake rims with alcohol. Toe in the brake pads, then they are quiet."),
    "kb-washing": ("Wash a down jacket", "Wash the down jacket at 30 degrees. Use special detergent and tennis balls."),
    "kb-plan": ("Change your plan", "Plans are under Settings, Plan. A new plan begins with the next month."),
    "kb-tyres": ("Pump up the tyres", "Pump the tyres to the pressure that is printed on the tyre's side."),
    "kb-returns": ("Return an order", "You can return an order within 30 days. The return label is in the parcel."),
    "kb-gift": ("Gift cards", "A gift card holds for three years. Enter its code when you pay."),
}  # fmt: skip


def shop(each: int = 24, more: Problems | None = None) -> Tables:
    """Every table of the contract with every column, ``each`` conversations a problem over four weeks.

    ``more`` problems come to those of :data:`PROBLEMS`; agents give their answers in turn.
    """
    conversations, messages, outcomes = [], [], []
    number = 0
    for i in range(each):
        for problem, (questions, answers, article, works) in ({**PROBLEMS, **(more or {})}).items():
            number += 1
            key, when = f"c-{number:04}", FIRST_DAY + timedelta(hours=27 * i + number % 9)
            talk, rows = _conversation(
                key, when, number, problem, questions[i % len(questions)], answers[i % len(answers)], article, works
            )
            conversations.append(talk)
            messages += rows
            if number % 3 == 0:
                outcome = ("correct" if works else "no_answer" if article is None else "wrong") if i % 8 else "partial"
                outcomes.append(
                    {
                        "conversation_id": key, "outcome": outcome, "tagged_at": _at(when + timedelta(days=1)),
                        "tagged_by": "ana", "sample": "random" if number % 2 else "escalated", "article_id": article,
                    }
                )  # fmt: skip
    articles = [
        {
            "article_id": name, "title": title, "body": body, "status": "published", "language": "en",
            "product": "shop", "owner_id": "o-ana" if name < "kb-g" else "o-ben", "created_at": "2023-01-01T00:00:00Z",
            "updated_at": "2023-05-01T00:00:00Z", "views": 100, "helpful": 8, "unhelpful": 2,
        }
        for name, (title, body) in ARTICLES.items()
    ]  # fmt: skip
    revisions = [
        {"article_id": name, "revised_at": "2023-05-01T00:00:00Z", "author_id": "o-ana", "approved": True}
        for name in ARTICLES
    ]
    owners = [
        {"owner_id": "o-ana", "name": "Ana Pereira", "areas": ["invoice", "password"], "weekly_capacity": 4},
        {"owner_id": "o-ben", "name": "Ben Okafor", "areas": ["brakes"], "weekly_capacity": 2},
    ]
    searches = [
        {"searched_at": _at(FIRST_DAY + timedelta(hours=31 * i)), "query": "password mail", "results": 0}
        for i in range(12)
    ]
    releases = [{"product": "shop", "version": "2.0", "released_at": "2024-06-10T00:00:00Z", "notes": "new mails"}]
    return {
        "conversations": conversations, "messages": messages, "articles": articles, "outcomes": outcomes,
        "article_revisions": revisions, "owners": owners, "searches": searches, "releases": releases,
    }  # fmt: skip


def _at(when: datetime) -> str:
    return when.isoformat().replace("+00:00", "Z")


def _conversation(
    key: str, when: datetime, number: int, problem: str, question: str, answer: str, article: str | None, works: bool
) -> tuple[dict[str, Any], Rows]:
    escalated = not works or number % 11 == 0
    talk = {
        "conversation_id": key, "started_at": _at(when), "escalated": escalated, "channel": "chat", "language": "en",
        "product": "shop", "region": "eu", "customer_id": f"u-{number}", "predicted_intent": problem,
        "escalated_at": _at(when + timedelta(minutes=5)) if escalated else None, "resolved": True,
        "intent_confidence": 0.9, "csat": 4.0 if works else 2.0, "handle_seconds": 400.0 if escalated else None,
        "tags": [problem],
    }  # fmt: skip
    cited = [article] if works else ["kb-plan"] if number % 2 else []
    messages = [
        {"role": "customer", "text": f"{question}, number {number}"},
        {"role": "bot", "text": "Please see this article.", "article_ids": cited, "is_fallback": not cited},
    ]
    if escalated:
        messages.append(
            {"role": "agent", "text": answer, "article_ids": [article] if article and number % 4 == 0 else []}
        )
    rows = [{"conversation_id": key, "position": i, "sent_at": _at(when), **row} for i, row in enumerate(messages)]
    return talk, rows


def _emptied(table: str, *columns: str) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        tables[table] = [{k: v for k, v in row.items() if k not in columns} for row in tables[table]]

    return change


def _no_messages(role: str) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        tables["messages"] = [row for row in tables["messages"] if row["role"] != role]

    return change


def _no_table(*names: str) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        for name in names:
            tables.pop(name)

    return change


def _no_articles(tables: Tables) -> None:
    tables["articles"] = [{"article_id": "kb-old", "title": "Old", "body": "Old.", "status": "archived"}]


def _escalated_only(tables: Tables) -> None:
    escalated_ids = {row["conversation_id"] for row in tables["conversations"] if row["escalated"]}
    for name in ("conversations", "messages", "outcomes"):
        if name in tables:
            tables[name] = [row for row in tables[name] if row["conversation_id"] in escalated_ids]


def _never_escalated(tables: Tables) -> None:
    for row in tables["conversations"]:
        row["escalated"] = False


_no_citations = _emptied("messages", "article_ids")
_bare = _emptied(
    "conversations", "predicted_intent", "intent_confidence", "product", "region", "csat", "handle_seconds", "tags",
    "resolved", "escalated_at", "channel",
)  # fmt: skip
_text_only = _emptied(
    "articles", "status", "language", "product", "owner_id", "created_at", "updated_at", "views", "helpful", "unhelpful"
)
_required_tables = _no_table("outcomes", "article_revisions", "owners", "searches", "releases")


def _each(*changes: Callable[[Tables], None]) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        for one in changes:
            one(tables)

    return change


_ticket_desk = _each(_no_messages("bot"), _required_tables, _bare, _text_only, _escalated_only, _no_citations)

# What may be absent, each alone …
ABSENT: Mapping[str, Callable[[Tables], None]] = {
    "nothing": lambda _: None,
    "bot messages": _no_messages("bot"),
    "citations": _no_citations,
    "fallback flags": _emptied("messages", "is_fallback"),
    "outcomes": _no_table("outcomes"),
    "intents": _emptied("conversations", "predicted_intent", "intent_confidence"),
    "product": _emptied("conversations", "product", "region"),
    "language": _emptied("conversations", "language"),
    "customer ids": _emptied("conversations", "customer_id"),
    "csat": _emptied("conversations", "csat"),
    "agents' replies": _no_messages("agent"),
    "articles": _no_articles,
    "owners": _no_table("owners"),
    "revisions": _each(_no_table("article_revisions"), _emptied("articles", "updated_at", "created_at")),
    "searches": _no_table("searches", "releases"),
    "a healthy rest": _escalated_only,
    "escalations": _never_escalated,
}
# … and in the combinations that real systems have.
SYSTEMS: Mapping[str, Callable[[Tables], None]] = {
    "ticket desk": _ticket_desk,
    "ticket desk without articles": _each(_ticket_desk, _no_articles),
    "ticket desk without replies": _each(_ticket_desk, _no_messages("agent")),
    "chat bot without citations": _each(_no_citations, _required_tables, _text_only),
    "chat bot alone": _each(_no_citations, _required_tables, _text_only, _bare, _no_messages("agent")),
    "forum": _each(_no_messages("bot"), _required_tables, _bare, _text_only, _never_escalated, _no_citations),
    "FAQ search alone": _each(
        _no_messages("bot"), _no_messages("agent"), _no_table("outcomes", "owners", "releases", "article_revisions"),
        _bare, _never_escalated, _no_citations, _emptied("conversations", "customer_id", "language"),
    ),
}  # fmt: skip


def write(folder: Path, change: Callable[[Tables], None], each: int = 24, more: Problems | None = None) -> str:
    """Write the shop's bundle after a change; gives its folder."""
    tables = shop(each, more)
    change(tables)
    for name, rows in tables.items():
        write_table(folder, name, rows)
    return str(folder)
