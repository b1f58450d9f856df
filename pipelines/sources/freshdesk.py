"""Freshdesk: tickets with their conversations, ratings, tags, agents, and the solutions of the knowledge base.

API 2, https://developers.freshdesk.com/api. What is read as what:

conversation
    A ticket: its description, then public replies and notes. Private notes, forwards to others and remarks that came
    with a survey are left out. Tickets in the trash, in spam, or merged into another one are gone.
bot
    Agents that the setting ``bot_authors`` lists. Freshdesk does not mark what Freddy or another bot wrote.
escalated
    An agent who is no bot replied, a tag of ``escalated_tags`` is there, or no bot wrote at all: a ticket went to
    people.
resolved
    Resolved and closed are true, opened again is false, all else is not known.
csat
    The survey's default question: 103 (extremely happy) to -103 as 5 to 1, seven steps of equal width.
the article that an answer used
    Links in the answer.
outcome
    Agents' tags as ``outcome_tags`` says; ratings where ``rating_outcomes`` says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field

from lacuna.data_contracts.errors import SourceUnreadable
from lacuna.pipelines.sources.api import Api, BasicAuth
from lacuna.pipelines.sources.fields import (
    ArticleLinks,
    custom_columns,
    rated_outcomes,
    says_fallback,
    tagged_outcomes,
    text_and_links,
    time_from_iso,
)
from lacuna.pipelines.sources.paging import Listed, pages_by_time
from lacuna.pipelines.sources.secrets import read_secret
from lacuna.pipelines.sources.source import Address, Batch, Conversation, Row, Source, SourceSettings, Stream

__all__ = ["Freshdesk"]

PAGE = 100
PAGES = 300  # the list of tickets ends there, however many there are
OVERLAP = 300  # seconds that are read again: the list lags behind, and clocks differ
_STEPS = (-103, -102, -101, 100, 101, 102, 103)
_CHANNELS = {1: "email", 2: "web", 3: "phone", 5: "twitter", 6: "facebook", 7: "chat", 9: "web", 10: "email"}
_OUTBOUND = 10  # the source of a ticket that an agent opened by writing to the customer
_SURVEY, _FORWARD = 6, 8  # sources of entries that are no part of the talk
_DONE = {4, 5}  # the statuses resolved and closed
_STATUS = {1: "draft", 2: "published"}


class FreshdeskSettings(SourceSettings):
    """The section of a Freshdesk account."""

    key_env: str
    address: Address
    portal: Annotated[str, Field(pattern=r"^(https?://[^@\s]+)?$")]
    requests_a_minute: Annotated[float, Field(gt=0)]
    parallel: Annotated[int, Field(ge=1, le=16)]
    bot_authors: list[int]
    fallback_phrases: list[str]
    escalated_tags: list[str]
    merged_phrases: list[str]
    outcome_tags: dict[str, str]
    rating_outcomes: bool
    language_field: str
    product_field: str
    region_field: str
    intent_field: str
    intent_confidence_field: str
    languages: list[str]


class Freshdesk(Source):
    """A Freshdesk account."""

    Settings = FreshdeskSettings
    lacks: Mapping[str, str] = {
        "messages.role": "list the agents whose name the bot writes under in bot_authors",
        "conversations.language": "name a field of the ticket in language_field; else it is guessed from the texts",
        "conversations.predicted_intent": "let the bot write its intent into a field, and name it in intent_field",
        "conversations.handle_seconds": "Freshdesk has times that agents enter for billing, and no handling time",
        "messages.is_fallback": "list what the bot writes when it has no answer in fallback_phrases",
        "outcomes.outcome": "let agents tag the bot's answers, and name the tags in outcome_tags",
        "searches": "Freshdesk has no API for searches in the knowledge base",
    }

    def __init__(self, name: str, settings: FreshdeskSettings, since: datetime | None = None) -> None:
        super().__init__(name, settings, since)
        self._settings = settings
        key = read_secret(name, "key_env", settings.key_env)
        self._api = Api(
            name, f"{settings.address.rstrip('/')}/api/v2", BasicAuth(key, "X"), [key],
            pause=60 / settings.requests_a_minute, parallel=settings.parallel,
        )  # fmt: skip
        self._portal = (settings.portal or settings.address).rstrip("/")
        self._links = ArticleLinks()
        self._ratings_until: int | None = None  # those that came later are read by the next pull

    def streams(self) -> Sequence[Stream]:
        """Agents and articles whole, their revisions as they come, tickets that changed, and those that are gone."""
        return [
            Stream("agents", ("owners",), self._read_agents, whole=True),
            Stream("articles", ("articles",), self._read_articles, whole=True),
            Stream("article revisions", ("article_revisions",), self._read_revisions),
            Stream("tickets", ("conversations", "messages", "outcomes"), self._read_tickets),
            Stream("deleted tickets", (), self._read_gone),
        ]

    def _read_agents(self, _: Any) -> Iterator[Batch]:
        for page in self._pages("agents"):
            yield Batch(rows={"owners": [_owner(agent) for agent in page]})

    def _read_articles(self, _: Any) -> Iterator[Batch]:
        yield Batch(rows={"articles": self._articles})

    def _read_revisions(self, cursor: str | None) -> Iterator[Batch]:
        """When articles changed, from the first pull on: Freshdesk tells the last change only."""
        newest = max((str(row["updated_at"].isoformat()) for row in self._articles), default=cursor)
        changed = [row for row in self._articles if cursor is None or row["updated_at"] > time_from_iso(cursor)]
        yield Batch(rows={"article_revisions": [_revision(row) for row in changed]}, cursor=newest)

    @cached_property
    def _articles(self) -> list[Row]:
        """All articles, and a row more for each translation that the settings ask for."""
        found: list[tuple[Mapping[str, Any], str | None]] = []
        for categories in self._pages("solutions/categories"):
            for category in categories:
                for folders in self._pages(f"solutions/categories/{category['id']}/folders"):
                    for folder in folders:
                        found += self._folder_articles(folder)
        rows = [self._article(article, str(article["id"]), language) for article, language in found]
        for code in self._settings.languages:
            paths = [f"solutions/articles/{article['id']}/{code}" for article, _ in found]
            there = [article for article in self._api.get_all(paths) if article is not None]
            rows += [self._article(article, f"{article['id']}-{code}", code) for article in there]
        return rows

    def _folder_articles(self, folder: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], str | None]]:
        articles = [one for page in self._pages(f"solutions/folders/{folder['id']}/articles") for one in page]
        found: list[tuple[Mapping[str, Any], str | None]] = [(one, _language(one)) for one in articles]
        if folder.get("sub_folders_count"):
            for page in self._pages(f"solutions/folders/{folder['id']}/subfolders"):
                for one in page:
                    found += self._folder_articles(one)
        return found

    def _article(self, article: Mapping[str, Any], key: str, language: str | None) -> Row:
        url = f"{self._portal}/support/solutions/articles/{article['id']}"
        self._links.add(key, article["title"], url if key == str(article["id"]) else None)
        agent = article.get("agent_id")
        return {
            "article_id": key,
            "title": article["title"],
            "body": article.get("description") or "",
            "status": _STATUS.get(article.get("status") or 0),
            "url": url,
            "language": language,
            "owner_id": str(agent) if agent else None,
            "created_at": time_from_iso(article["created_at"]),
            "updated_at": time_from_iso(article["updated_at"]),
            "views": article.get("hits"),
            "helpful": article.get("thumbs_up"),
            "unhelpful": article.get("thumbs_down"),
        }

    def _read_tickets(self, cursor: dict[str, Any] | None) -> Iterator[Batch]:
        """All tickets that changed since the last pull, and those that were rated since."""
        place = cursor or {"from": self._begin(), "given": [], "rated": None}
        end, ratings = _iso(time.time() - OVERLAP), self._ratings
        if place["rated"] is not None:
            since = datetime.fromtimestamp(place["rated"], UTC)
            rated = [key for key, (_, when) in ratings.items() if when >= since]
            for begin in range(0, len(rated), PAGE):
                paths = [f"tickets/{key}?include=stats,requester" for key in rated[begin : begin + PAGE]]
                there = [one for one in self._api.get_all(paths) if one and not (one.get("deleted") or one.get("spam"))]
                yield self._batch(there, place)
        place = {**place, "rated": self._ratings_until}
        for tickets, when, given in pages_by_time(self._list(), PAGE, place["from"], place["given"]):
            place = {**place, "from": when, "given": given}
            yield self._batch(tickets, place)
        yield Batch(cursor=place | _overlapped(place, end))

    def _read_gone(self, cursor: dict[str, Any] | None) -> Iterator[Batch]:
        """Tickets that went into the trash or to spam since the last pull."""
        places = cursor or {key: {"from": self._begin(), "given": []} for key in ("deleted", "spam")}
        for where in ("deleted", "spam"):
            end, place = _iso(time.time() - OVERLAP), places[where]
            for tickets, when, given in pages_by_time(self._list(filter=where), PAGE, place["from"], place["given"]):
                place = {"from": when, "given": given}
                gone = [self.id_of(one["id"]) for one in tickets]
                yield Batch(gone=gone, cursor={**places, where: place})
            places = {**places, where: _overlapped(place, end)}
        yield Batch(cursor=places)

    def _begin(self) -> str:
        return _iso(self.since.timestamp() if self.since else 0)

    def _list(self, **more: str) -> Callable[[str, int], list[Listed]]:
        """Asks for a page of the tickets that changed at a time or later, the oldest change first."""
        params = {"order_by": "updated_at", "order_type": "asc", "per_page": PAGE, **more}
        if not more:
            params["include"] = "stats,requester,description"

        def ask(since: str, number: int) -> list[Listed]:
            if number > PAGES:
                raise SourceUnreadable(
                    f"{self.name}: more than {PAGE * PAGES:,} tickets changed at {since}, more than Freshdesk lists",
                    "begin after it with --since, and take the tickets before it from an export",
                )
            page = self._api.get("tickets", {**params, "updated_since": since, "page": number})
            return [(one["id"], _iso(_time(one["updated_at"]).timestamp()), one) for one in page]

        return ask

    def _pages(self, path: str, **params: Any) -> Iterator[list[dict[str, Any]]]:
        number = 1
        while True:
            page = self._api.get(path, {"page": number, "per_page": PAGE, **params})
            if page:
                yield page
            if len(page) < PAGE:
                return
            number += 1

    @cached_property
    def _ratings(self) -> dict[int, tuple[float | None, datetime]]:
        """The newest rating of each rated ticket, 1 to 5, with its time; all of them, a hundred a request."""
        self._ratings_until = int(time.time()) - OVERLAP
        ratings: dict[int, tuple[float | None, datetime]] = {}
        for page in self._pages("surveys/satisfaction_ratings", created_since=self._begin()):
            for one in page:
                when = time_from_iso(one["created_at"])
                if when and (one["ticket_id"] not in ratings or ratings[one["ticket_id"]][1] <= when):
                    ratings[one["ticket_id"]] = (_stars((one.get("ratings") or {}).get("default_question")), when)
        return ratings

    def _batch(self, tickets: Sequence[Mapping[str, Any]], cursor: Any) -> Batch:
        conversations, gone = [], []
        wanted = [one for one in tickets if self.since is None or _time(one["created_at"]) >= self.since]
        first = self._api.get_all([f"tickets/{one['id']}/conversations" for one in wanted], {"per_page": PAGE})
        for ticket, entries in zip(wanted, first, strict=True):
            number = 2
            while entries is not None and len(entries) == PAGE * (number - 1):
                entries += self._api.get(f"tickets/{ticket['id']}/conversations", {"per_page": PAGE, "page": number})
                number += 1
            if entries is None or self._is_merged(entries):  # deleted since it was listed, or part of another ticket
                gone.append(self.id_of(ticket["id"]))
            else:
                conversations.append(self.conversation(ticket, entries))
        return Batch(conversations, gone=gone, cursor=cursor)

    def _is_merged(self, entries: Sequence[Mapping[str, Any]]) -> bool:
        phrases = self._settings.merged_phrases
        return any(
            phrase in (one.get("body_text") or "") for one in entries if one.get("private") for phrase in phrases
        )

    def conversation(self, ticket: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> Conversation:
        """A conversation from a ticket and what was written in it."""
        of = self._settings
        opener = "agent" if ticket.get("source") == _OUTBOUND else "customer"
        text, links = text_and_links(ticket.get("description"))
        messages = [self._message(opener, text, links, ticket["created_at"])] if text else []
        talk = [one for one in entries if not one.get("private") and one.get("source") not in (_SURVEY, _FORWARD)]
        for one in sorted(talk, key=lambda one: (one["created_at"], one["id"])):
            by_bot = one.get("user_id") in of.bot_authors
            role = "customer" if one.get("incoming") else "bot" if by_bot else "agent"
            text, links = text_and_links(one.get("body"))
            if text:  # some entries are an attachment alone
                messages.append(self._message(role, text, links, one["created_at"]))
        by_agents = [row["sent_at"] for row in messages if row["role"] == "agent"]
        tags, stats = list(ticket.get("tags") or ()), ticket.get("stats") or {}
        by_bot = any(row["role"] == "bot" for row in messages)
        escalated = bool(by_agents) or not by_bot or not set(tags).isdisjoint(of.escalated_tags)
        csat, rated_at = self._ratings.get(ticket["id"], (None, None))
        outcomes = tagged_outcomes(tags, of.outcome_tags)
        if of.rating_outcomes:
            outcomes += rated_outcomes(csat, messages, rated_at)
        custom = {**ticket, **(ticket.get("custom_fields") or {})}
        requester = ticket.get("requester") or {}
        row = {
            "conversation_id": self.id_of(ticket["id"]),
            "started_at": time_from_iso(ticket["created_at"]),
            "updated_at": time_from_iso(ticket["updated_at"]),
            "escalated": escalated,
            "escalated_at": min(by_agents, default=None),
            "channel": _CHANNELS.get(ticket.get("source") or 0),
            "customer_id": str(ticket["requester_id"]) if ticket.get("requester_id") else None,
            "resolved": True if ticket["status"] in _DONE else False if stats.get("reopened_at") else None,
            "csat": csat,
            "tags": tags,
            **custom_columns(custom, {
                "language": of.language_field, "product": of.product_field, "region": of.region_field,
                "predicted_intent": of.intent_field, "intent_confidence": of.intent_confidence_field,
            }),
        }  # fmt: skip
        names = [requester.get("name"), requester.get("email"), *(one.get("from_email") for one in talk)]
        return Conversation(row, messages, outcomes, list(dict.fromkeys(name for name in names if name)))

    def _message(self, role: str, text: str, links: Sequence[str], sent_at: str) -> Row:
        return {
            "role": role,
            "text": text,
            "sent_at": time_from_iso(sent_at),
            "article_ids": self._links.of_links(links) or None,
            "is_fallback": says_fallback(text, self._settings.fallback_phrases) if role == "bot" else None,
        }


def _owner(agent: Mapping[str, Any]) -> Row:
    contact = agent.get("contact") or {}
    return {"owner_id": str(agent["id"]), "name": contact.get("name"), "email": contact.get("email")}


def _language(article: Mapping[str, Any]) -> str | None:
    return next((one["data"].get("language") for one in article.get("hierarchy") or () if one.get("data")), None)


def _revision(row: Row) -> Row:
    return {
        "article_id": row["article_id"],
        "revised_at": row["updated_at"],
        "author_id": row["owner_id"],
        "approved": row["status"] == "published",
    }


def _stars(step: int | None) -> float | None:
    """A rating from -103 to 103 as 1 to 5."""
    return round(1 + 4 * _STEPS.index(step) / (len(_STEPS) - 1), 2) if step in _STEPS else None


def _time(text: str) -> datetime:
    time_of = time_from_iso(text)
    assert time_of is not None
    return time_of


def _overlapped(place: Mapping[str, Any], end: str) -> dict[str, Any]:
    """Where the next pull begins: not behind the last change that was listed, however the clocks differ."""
    return {"from": place["from"], "given": place["given"]} if place["from"] <= end else {"from": end, "given": []}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
