"""Crisp: conversations with Hugo or a bot of one's own, ratings, segments, operators, and the helpdesk's articles.

REST API 1, https://docs.crisp.chat/references/rest-api/v1. The reference says little of some things, and this relies
on: ``filter_date_start`` and ``filter_date_end`` of the list of conversations, which bound the time of the last update;
``order_date_updated``, the newest first (checked); messages come in batches of twenty or more, the newest batch
without ``timestamp_before``.

bot
    Messages of operators that are marked as automated, or whose user is listed in ``bot_authors``.
escalated
    A person replied or is assigned, a segment of ``escalated_tags`` is there, or no bot wrote at all.
resolved
    The state resolved is true; no other tells.
csat
    The session's stars, 1 to 5, where the setting ``ratings`` asks for them.
the article that an answer used
    Links in the answer, and the message's references.
outcome
    Segments as ``outcome_tags`` says; ratings where ``rating_outcomes`` says so.
internal notes
    Notes and events are left out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field

from lacuna.data_contracts.errors import SourceUnreadable
from lacuna.pipelines.sources.api import Api, BasicAuth
from lacuna.pipelines.sources.fields import (
    ArticleLinks,
    custom_columns,
    rated_outcomes,
    says_fallback,
    tagged_outcomes,
    text_links,
    time_from_epoch,
)
from lacuna.pipelines.sources.paging import Listed, pages_by_time
from lacuna.pipelines.sources.secrets import read_secret
from lacuna.pipelines.sources.source import Address, Batch, Conversation, Row, Source, SourceSettings, Stream

__all__ = ["Crisp"]

PAGE = 50
MESSAGES = 20  # a batch of fewer is a conversation's first
OVERLAP = 300_000  # milliseconds that are read again: the list lags behind, and clocks differ
_TALK = {"text", "picker", "field", "carousel"}


class CrispSettings(SourceSettings):
    """The section of a Crisp workspace."""

    identifier_env: str
    key_env: str
    website: Annotated[str, Field(min_length=1)]
    tier: Literal["website", "plugin"]
    address: Address
    parallel: Annotated[int, Field(ge=1, le=16)]
    ratings: bool
    bot_authors: list[str]
    fallback_phrases: list[str]
    escalated_tags: list[str]
    outcome_tags: dict[str, str]
    rating_outcomes: bool
    language_data: str
    product_data: str
    region_data: str
    intent_data: str
    intent_confidence_data: str


class Crisp(Source):
    """A Crisp workspace."""

    Settings = CrispSettings
    lacks: Mapping[str, str] = {
        "conversations.language": "name a key of the custom data in language_data; else it is guessed from the texts",
        "conversations.predicted_intent": "let the bot set custom data, and name its key in intent_data",
        "conversations.csat": "ratings = true",
        "conversations.handle_seconds": "Crisp's API has no handling times",
        "messages.is_fallback": "list what the bot writes when it has no answer in fallback_phrases",
        "outcomes.outcome": "let operators add segments for the bot's answers, and name them in outcome_tags",
        "articles.owner_id": "Crisp's API does not tell who wrote an article",
        "articles.helpful": "Crisp's API sums the votes of a whole language up",
        "searches": "Crisp has no API for searches in the helpdesk",
    }

    def __init__(self, name: str, settings: CrispSettings, since: datetime | None = None) -> None:
        super().__init__(name, settings, since)
        self._settings = settings
        identifier = read_secret(name, "identifier_env", settings.identifier_env)
        key = read_secret(name, "key_env", settings.key_env)
        self._api = Api(
            name, f"{settings.address.rstrip('/')}/website/{settings.website}", BasicAuth(identifier, key),
            [identifier, key], {"X-Crisp-Tier": settings.tier}, parallel=settings.parallel,
        )  # fmt: skip
        self._links = ArticleLinks()

    def streams(self) -> Sequence[Stream]:
        """Operators and articles whole, their revisions as they come, and conversations that changed."""
        return [
            Stream("operators", ("owners",), self._read_operators, whole=True),
            Stream("articles", ("articles",), self._read_articles, whole=True),
            Stream("article revisions", ("article_revisions",), self._read_revisions),
            Stream("conversations", ("conversations", "messages", "outcomes"), self._read_conversations),
        ]

    def _read_operators(self, _: Any) -> Iterator[Batch]:
        people = [one.get("details") or {} for one in self._api.get("operators/list")["data"]]
        yield Batch(rows={"owners": [_owner(one) for one in people if one.get("user_id")]})

    def _read_articles(self, _: Any) -> Iterator[Batch]:
        yield Batch(rows={"articles": self._articles})

    def _read_revisions(self, cursor: int | None) -> Iterator[Batch]:
        """When articles changed, from the first pull on: Crisp tells the last change only."""
        dated = [(round(row["updated_at"].timestamp() * 1000), row) for row in self._articles if row["updated_at"]]
        rows = [_revision(row) for when, row in dated if when > (cursor or 0)]
        yield Batch(rows={"article_revisions": rows}, cursor=max([cursor or 0, *(when for when, _ in dated)]))

    @cached_property
    def _articles(self) -> list[Row]:
        rows = []
        for locale in self._pages("helpdesk/locales"):
            for listed in self._pages(f"helpdesk/locale/{locale['locale']}/articles"):
                path = f"helpdesk/locale/{locale['locale']}/article/{listed['article_id']}"
                article = listed if "content" in listed else self._api.get(path)["data"]
                rows.append(self._article({**listed, **article}, locale["locale"]))
        return rows

    def _pages(self, path: str) -> Iterator[Mapping[str, Any]]:
        """The records of all pages, each once: a page behind the last one is empty."""
        number = 1
        while page := self._api.get(f"{path}/{number}")["data"]:
            yield from page
            number += 1

    def _article(self, article: Mapping[str, Any], locale: str) -> Row:
        self._links.add(article["article_id"], article["title"], article.get("url"))
        return {
            "article_id": article["article_id"],
            "title": article["title"] or "",
            "body": article.get("content") or "",
            "status": "published" if article.get("status") == "published" else "draft",
            "url": article.get("url"),
            "language": locale,
            "created_at": _time(article.get("created_at")),
            "updated_at": _time(article.get("updated_at")),
            "views": article.get("visits"),
        }

    def _read_conversations(self, cursor: dict[str, Any] | None) -> Iterator[Batch]:
        """What was updated since the last pull, from the newest back, in a window that stays as it is till its end."""
        start = round(self.since.timestamp() * 1000) if self.since else 0
        place = {"start": start, "end": None, "top": None, "given": [], "newest": None} | (cursor or {})
        if place["top"] is None:
            now = round(time.time() * 1000)
            place |= {"top": now, "end": now, "given": [], "newest": None}

        def ask(end: int, number: int) -> list[Listed]:
            page = self._list(number, _window(place["start"], end))
            return [(one["session_id"], one["updated_at"], one) for one in page]

        for records, end, given in pages_by_time(ask, PAGE, place["end"], place["given"], descending=True):
            newest = max(place["newest"] or 0, *(one["updated_at"] for one in records))
            place = {**place, "end": end, "given": given, "newest": newest}
            yield self._batch(records, place)
        # Not behind the newest that was listed, however the clocks differ.
        next_start = place["start"] if place["newest"] is None else min(place["newest"] + 1, place["top"] - OVERLAP)
        yield Batch(cursor={"start": max(place["start"], next_start)})

    def listed_ids(self) -> Iterator[str]:
        """All conversations that are listed: Crisp says nothing when one is deleted."""
        begin = round(self.since.timestamp() * 1000) if self.since else 0

        def ask(end: int, number: int) -> list[Listed]:
            return [(one["session_id"], one["updated_at"], one) for one in self._list(number, _window(begin, end))]

        for records, _, _ in pages_by_time(ask, PAGE, round(time.time() * 1000), [], descending=True):
            yield from (self.id_of(one["session_id"]) for one in records)

    def _list(self, number: int, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        page: list[dict[str, Any]] = self._api.get(f"conversations/{number}", params)["data"]
        if page and page[0]["updated_at"] < page[-1]["updated_at"]:
            raise SourceUnreadable(
                f"{self.name}: the list of conversations is not sorted by update, the newest first",
                "Crisp's API has changed; what was pulled before is kept. See whether a newer Lacuna reads it",
            )
        return page

    def _batch(self, records: Sequence[Mapping[str, Any]], cursor: Any) -> Batch:
        since = self.since.timestamp() * 1000 if self.since else 0
        wanted = [one for one in records if one["created_at"] >= since]
        paths = [f"conversation/{one['session_id']}/messages" for one in wanted]
        answers = self._api.get_all(paths)
        ratings: list[Any] = [None] * len(wanted)
        if self._settings.ratings:
            ratings = self._api.get_all([f"rating/session/{one['session_id']}" for one in wanted])
        conversations, gone = [], []
        for record, path, answer, rating in zip(wanted, paths, answers, ratings, strict=True):
            if answer is None:  # deleted since it was listed
                gone.append(self.id_of(record["session_id"]))
            else:
                messages = self._messages(path, answer["data"])
                conversations.append(self.conversation(record, messages, (rating or {}).get("data") or {}))
        return Batch(conversations, gone=gone, cursor=cursor)

    def _messages(self, path: str, newest: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """A conversation's messages, in order, from its newest batch back to its first."""
        messages = {one["fingerprint"]: one for one in newest}
        batch = newest
        while len(batch) >= MESSAGES:
            before = min(one["timestamp"] for one in messages.values())
            # Messages of one moment may be on both sides of a batch's end.
            batch = self._api.get(path, {"timestamp_before": before + 1})["data"]
            fresh = {one["fingerprint"]: one for one in batch if one["fingerprint"] not in messages}
            if not fresh:
                break
            messages |= fresh
        return sorted(messages.values(), key=lambda one: one["timestamp"])

    def conversation(
        self, record: Mapping[str, Any], messages: Sequence[Mapping[str, Any]], rating: Mapping[str, Any]
    ) -> Conversation:
        """A conversation from Crisp's record of it, its messages in order, and its rating."""
        of, meta = self._settings, record.get("meta") or {}
        talk = [(one, _text(one)) for one in messages if one["type"] in _TALK]
        rows = [self._message(one, text) for one, text in talk if text]
        by_agents = [row["sent_at"] for row in rows if row["role"] == "agent"]
        by_bot = any(row["role"] == "bot" for row in rows)
        tags, assignee = list(meta.get("segments") or ()), (record.get("assigned") or {}).get("user_id")
        has_assignee = bool(assignee) and assignee not in of.bot_authors
        tagged = not set(tags).isdisjoint(of.escalated_tags)
        csat = float(rating["stars"]) if rating.get("stars") else None
        outcomes = tagged_outcomes(tags, of.outcome_tags)
        if of.rating_outcomes:
            outcomes += rated_outcomes(csat, rows, _time(rating.get("created_at")))
        row = {
            "conversation_id": self.id_of(record["session_id"]),
            "started_at": _time(record["created_at"]),
            "updated_at": _time(record["updated_at"]),
            "escalated": bool(by_agents) or has_assignee or tagged or not by_bot,
            "escalated_at": min(by_agents, default=None),
            "channel": (meta.get("origin") or "").split(":")[-1] or None,
            "customer_id": record.get("people_id"),
            "resolved": True if record.get("state") == "resolved" else None,
            "csat": csat,
            "tags": tags,
            **custom_columns(meta.get("data") or {}, {
                "language": of.language_data, "product": of.product_data, "region": of.region_data,
                "predicted_intent": of.intent_data, "intent_confidence": of.intent_confidence_data,
            }),
        }  # fmt: skip
        names = [meta.get(key) for key in ("nickname", "email", "phone", "address")]
        names += [(one.get("user") or {}).get("nickname") for one, _ in talk if not one.get("automated")]
        return Conversation(row, rows, outcomes, list(dict.fromkeys(name for name in names if name)))

    def _message(self, message: Mapping[str, Any], text: str) -> Row:
        user = message.get("user") or {}
        listed = {user.get("user_id"), user.get("nickname")} & set(self._settings.bot_authors)
        is_bot = message.get("automated") or bool(listed)
        role = "customer" if message["from"] == "user" else "bot" if is_bot else "agent"
        links = [*text_links(text), *(one["target"] for one in message.get("references") or () if one.get("target"))]
        return {
            "role": role,
            "text": text,
            "sent_at": _time(message["timestamp"]),
            "article_ids": self._links.of_links(links) or None,
            "is_fallback": says_fallback(text, self._settings.fallback_phrases) if role == "bot" else None,
        }


def _window(begin: int, end: int) -> dict[str, Any]:
    """What asks for conversations that were updated between two times, the newest first."""
    return {
        "per_page": PAGE, "order_date_updated": 1, "include_empty": 0,
        "filter_date_start": _iso(begin), "filter_date_end": _iso(end + 1),
    }  # fmt: skip


def _owner(operator: Mapping[str, Any]) -> Row:
    name = " ".join(filter(None, (operator.get("first_name"), operator.get("last_name"))))
    return {"owner_id": operator["user_id"], "name": name or None, "email": operator.get("email")}


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else (content or {}).get("text") or ""


def _revision(row: Row) -> Row:
    return {
        "article_id": row["article_id"],
        "revised_at": row["updated_at"],
        "author_id": None,
        "approved": row["status"] == "published",
    }


def _time(milliseconds: int | None) -> datetime | None:
    return time_from_epoch(milliseconds / 1000 if milliseconds else None)


def _iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
