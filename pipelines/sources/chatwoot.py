"""Chatwoot: conversations with an agent bot or Captain, ratings, labels, agents, and the articles of help centers.

Application API, https://developers.chatwoot.com/api-reference. Its description is thin, so this relies on what the
server's source does besides: ``updated_within`` of the list of conversations, ``after`` of messages (a hundred, the
oldest first), and ``updated_at``, which is touched by whatever happens to a conversation, its messages included.

bot
    Messages of agent bots, of Captain, of automations (which have no sender), and of agents in ``bot_authors``.
escalated
    A person replied or is assigned, the bot opened the conversation for people, a label of ``escalated_tags`` is
    there, or no bot wrote at all.
resolved
    The status resolved is true; no other tells.
csat
    What the customer answered to the survey, 1 to 5, from the survey's message.
the article that an answer used
    Links in the answer, and in what an answer of the kind article lists.
outcome
    Labels as ``outcome_tags`` says; ratings where ``rating_outcomes`` says so.
internal notes
    Private messages are left out, as are activities, greetings and deleted messages.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field

from lacuna.data_contracts.errors import SourceUnreadable
from lacuna.pipelines.sources.api import Api, HeaderAuth, Refusal
from lacuna.pipelines.sources.fields import (
    ArticleLinks,
    custom_columns,
    rated_outcomes,
    says_fallback,
    tagged_outcomes,
    text_links,
    time_from_epoch,
)
from lacuna.pipelines.sources.secrets import read_secret
from lacuna.pipelines.sources.source import Address, Batch, Conversation, Row, Source, SourceSettings, Stream

__all__ = ["Chatwoot"]

CHUNK = 50  # conversations of a batch
PAGE = 25  # of lists of conversations and articles; a server may be set to another number
MESSAGES = 100
OVERLAP = 300  # seconds that are read again: clocks differ
_INCOMING, _OUTGOING = 0, 1
_BOTS = {"agent_bot", "captain_assistant"}
_HANDED_OVER = {"open", "snoozed"}  # a bot's conversation is pending until it is opened for people
_CHANNELS = {"WebWidget": "chat", "Email": "email", "Api": "app", "Voice": "phone", "FacebookPage": "facebook"}


class ChatwootSettings(SourceSettings):
    """The section of a Chatwoot account."""

    token_env: str
    address: Address
    account: Annotated[int, Field(ge=1)]
    requests_a_minute: Annotated[float, Field(gt=0)]
    parallel: Annotated[int, Field(ge=1, le=16)]
    bot_authors: list[int]
    fallback_phrases: list[str]
    escalated_tags: list[str]
    outcome_tags: dict[str, str]
    rating_outcomes: bool
    language_attribute: str
    product_attribute: str
    region_attribute: str
    intent_attribute: str
    intent_confidence_attribute: str


class Chatwoot(Source):
    """A Chatwoot account."""

    Settings = ChatwootSettings
    lacks: Mapping[str, str] = {
        "conversations.predicted_intent": "let the bot set a custom attribute, and name it in intent_attribute",
        "conversations.handle_seconds": "Chatwoot's reports have resolution times, which are not handling times",
        "messages.is_fallback": "list what the bot writes when it has no answer in fallback_phrases",
        "outcomes.outcome": "let agents label the bot's answers, and name the labels in outcome_tags",
        "articles.helpful": "Chatwoot has no votes on articles",
        "searches": "Chatwoot has no API for searches in the help center",
    }

    def __init__(self, name: str, settings: ChatwootSettings, since: datetime | None = None) -> None:
        super().__init__(name, settings, since)
        self._settings = settings
        token = read_secret(name, "token_env", settings.token_env)
        self._api = Api(
            name, f"{settings.address.rstrip('/')}/api/v1/accounts/{settings.account}",
            HeaderAuth({"api_access_token": token}), [token],
            pause=60 / settings.requests_a_minute, parallel=settings.parallel,
        )  # fmt: skip
        self._links = ArticleLinks()

    def streams(self) -> Sequence[Stream]:
        """Agents and articles whole, their revisions as they come, and conversations that changed."""
        return [
            Stream("agents", ("owners",), self._read_agents, whole=True),
            Stream("articles", ("articles",), self._read_articles, whole=True),
            Stream("article revisions", ("article_revisions",), self._read_revisions),
            Stream("conversations", ("conversations", "messages", "outcomes"), self._read_conversations),
        ]

    def _read_agents(self, _: Any) -> Iterator[Batch]:
        rows = [
            {"owner_id": str(one["id"]), "name": one.get("name"), "email": one.get("email")}
            for one in self._api.get("agents")
        ]
        yield Batch(rows={"owners": rows})

    def _read_articles(self, _: Any) -> Iterator[Batch]:
        yield Batch(rows={"articles": self._articles})

    def _read_revisions(self, cursor: float | None) -> Iterator[Batch]:
        """When articles changed, from the first pull on: Chatwoot tells the last change only."""
        dated = [row for row in self._articles if row["updated_at"]]
        rows = [_revision(row) for row in dated if row["updated_at"].timestamp() > (cursor or 0)]
        newest = max([cursor or 0.0, *(row["updated_at"].timestamp() for row in dated)])
        yield Batch(rows={"article_revisions": rows}, cursor=newest)

    @cached_property
    def _articles(self) -> list[Row]:
        rows: dict[str, Row] = {}
        for portal in self._api.get("portals")["payload"]:
            number = 1
            while True:
                page = self._api.get(f"portals/{portal['slug']}/articles", {"page": number})["payload"]
                for article in page:
                    rows[str(article["id"])] = self._article(article, portal)
                if not page:
                    break
                number += 1
        return list(rows.values())

    def _article(self, article: Mapping[str, Any], portal: Mapping[str, Any]) -> Row:
        path = f"/hc/{portal['slug']}/articles/{article['slug']}"
        own, domain = f"{self._settings.address.rstrip('/')}{path}", portal.get("custom_domain")
        url = f"https://{domain.removeprefix('https://').rstrip('/')}{path}" if domain else own
        self._links.add(str(article["id"]), article["title"], url, own)
        author = (article.get("author") or {}).get("id")
        locale = article.get("locale") or (article.get("category") or {}).get("locale")
        return {
            "article_id": str(article["id"]),
            "title": article["title"] or "",
            "body": article.get("content") or "",
            "status": article.get("status"),
            "url": url,
            "language": locale or (portal.get("meta") or {}).get("default_locale"),
            "owner_id": str(author) if author else None,
            "created_at": time_from_epoch(article.get("created_at")),
            "updated_at": time_from_epoch(article.get("updated_at")),
            "views": article.get("views"),
        }

    def _read_conversations(self, cursor: dict[str, Any] | None) -> Iterator[Batch]:
        """The first pull goes through all numbers; a later one takes what changed since the one before began."""
        place = cursor or {"next": self._first(), "at": time.time()}
        if place["next"] is None:
            asked = time.time()
            changed = self._changed_since(place["at"], asked)
            if changed is None:
                place = {"next": self._first(), "at": time.time()}
            else:
                yield from self._read_changed(place, changed, asked)
        if place["next"] is not None:
            yield from self._read_all(place)

    def _changed_since(self, moment: float, now: float) -> list[dict[str, Any]] | None:
        """What changed since, in one answer without pages; None where that is too much for the server."""
        within = int(now - moment) + OVERLAP
        try:
            records: list[dict[str, Any]] = self._list(1, "created_at_asc", updated_within=within)["payload"]
        except Refusal as refusal:
            if refusal.status < 500:
                raise
            return None
        if any(one["updated_at"] < now - within - 86_400 for one in records if "updated_at" in one):
            raise SourceUnreadable(
                f"{self.name}: the server lists conversations that did not change: it does not know updated_within",
                "update Chatwoot: version 3 or later is needed",
            )
        return records

    def _read_all(self, place: dict[str, Any]) -> Iterator[Batch]:
        first, last = place.get("first") or place["next"], self._last()
        for begin in range(place["next"], last + 1, CHUNK):
            numbers = range(begin, min(begin + CHUNK, last + 1))
            records = self._api.get_all([f"conversations/{number}" for number in numbers])
            gone = [self.id_of(number) for number, one in zip(numbers, records, strict=True) if one is None]
            following = {"next": numbers[-1] + 1, "at": place["at"], "first": first}
            yield self._batch([one for one in records if one], following, gone)
        yield Batch(cursor={"next": None, "at": place["at"], "first": first, "last": last})

    def _read_changed(self, place: dict[str, Any], records: Sequence[Mapping[str, Any]], now: float) -> Iterator[Batch]:
        last = max([place["last"], *(one["id"] for one in records)])
        place = {"begun": now, "done": [0, 0], **place, "last": last}
        ordered = sorted(records, key=_version)
        fresh = [one for one in ordered if _version(one) > tuple(place["done"])]
        for begin in range(0, len(fresh), CHUNK):
            chunk = fresh[begin : begin + CHUNK]
            place["done"] = [*_version(chunk[-1])]
            yield self._batch(chunk, dict(place))
        yield Batch(cursor={"next": None, "at": place["begun"], "first": place["first"], "last": last})

    def listed_ids(self) -> Iterator[str]:
        """All that are listed, and those that are not and are there: pages shift while one is deleted."""
        listed: set[int] = set()
        number = 1
        while page := self._list(number, "created_at_asc")["payload"]:
            listed |= {one["id"] for one in page}
            number += 1
        yield from (self.id_of(number) for number in sorted(listed))
        missing = [number for number in range(self._first(), self._last() + 1) if number not in listed]
        for begin in range(0, len(missing), CHUNK):
            numbers = missing[begin : begin + CHUNK]
            records = self._api.get_all([f"conversations/{number}" for number in numbers])
            yield from (self.id_of(number) for number, one in zip(numbers, records, strict=True) if one)

    def _first(self) -> int:
        """The number of the first conversation since the day that was asked for."""
        if self.since is None:
            first = self._list(1, "created_at_asc")["payload"]
            return int(first[0]["id"]) if first else 1
        low, high = 1, -(-self._list(1, "created_at_asc")["meta"]["all_count"] // PAGE)
        while low < high:  # the last page that begins before that day
            middle = (low + high + 1) // 2
            page = self._list(middle, "created_at_asc")["payload"]
            if page and page[0]["created_at"] < self.since.timestamp():
                low = middle
            else:
                high = middle - 1
        page = self._list(low, "created_at_asc")["payload"]
        return int(page[0]["id"]) if page else 1

    def _last(self) -> int:
        newest = self._list(1, "created_at_desc")["payload"]
        return int(newest[0]["id"]) if newest else 0

    def _list(self, page: int, sort: str, **more: Any) -> Any:
        params = {"status": "all", "assignee_type": "all", "sort_by": sort, "page": page, **more}
        return self._api.get("conversations", params)["data"]

    def _batch(self, records: Sequence[Mapping[str, Any]], cursor: Any, gone: Sequence[str] = ()) -> Batch:
        wanted = [one for one in records if self.since is None or one["created_at"] >= self.since.timestamp()]
        conversations, also_gone = [], list(gone)
        for record, answer in zip(wanted, self._messages(wanted), strict=True):
            if answer is None:  # deleted since it was listed
                also_gone.append(self.id_of(record["id"]))
            else:
                conversations.append(self.conversation(record, answer))
        return Batch(conversations, gone=also_gone, cursor=cursor)

    def _messages(self, records: Sequence[Mapping[str, Any]]) -> Iterator[list[dict[str, Any]] | None]:
        paths = [f"conversations/{one['id']}/messages" for one in records]
        for path, answer in zip(paths, self._api.get_all(paths, {"after": 0}), strict=True):
            messages = page = answer["payload"] if answer else None
            while messages and page and len(page) >= MESSAGES:
                page = self._api.get(path, {"after": max(one["id"] for one in page)})["payload"]
                messages += page
            yield messages

    def conversation(self, record: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]) -> Conversation:
        """A conversation from Chatwoot's record of it and its messages."""
        of = self._settings
        talk = [one for one in messages if _is_talk(one)]
        rows = [self._message(one) for one in sorted(talk, key=lambda one: (one["created_at"], one["id"]))]
        by_agents = [row["sent_at"] for row in rows if row["role"] == "agent"]
        by_bot = any(row["role"] == "bot" for row in rows)
        meta, tags = record["meta"], list(record.get("labels") or ())
        has_assignee = bool(meta.get("assignee")) and meta.get("assignee_type") != "AgentBot"
        has_assignee = has_assignee and meta["assignee"].get("id") not in of.bot_authors
        handed_over = record["status"] in _HANDED_OVER or not set(tags).isdisjoint(of.escalated_tags)
        rating, rated_at = _rating(messages)
        outcomes = tagged_outcomes(tags, of.outcome_tags)
        if of.rating_outcomes:
            outcomes += rated_outcomes(rating, rows, rated_at)
        columns = custom_columns(record.get("custom_attributes") or {}, {
            "language": of.language_attribute, "product": of.product_attribute, "region": of.region_attribute,
            "predicted_intent": of.intent_attribute, "intent_confidence": of.intent_confidence_attribute,
        })  # fmt: skip
        columns["language"] = columns["language"] or (record.get("additional_attributes") or {}).get(
            "conversation_language"
        )
        sender, kind = meta.get("sender") or {}, (meta.get("channel") or "").removeprefix("Channel::")
        row = {
            "conversation_id": self.id_of(record["id"]),
            "started_at": time_from_epoch(record["created_at"]),
            "updated_at": time_from_epoch(_changed(record)),
            "escalated": bool(by_agents) or has_assignee or handed_over or not by_bot,
            "escalated_at": min(by_agents, default=None),
            "channel": _CHANNELS.get(kind, kind.lower() or None),
            "customer_id": str(sender["id"]) if sender.get("id") else None,
            "resolved": True if record["status"] == "resolved" else None,
            "csat": rating,
            "tags": tags,
            **columns,
        }
        writers = [one.get("sender") or {} for one in talk]
        names = [sender.get("name"), sender.get("email"), sender.get("phone_number")]
        names += [one.get("name") for one in writers if one.get("type") not in _BOTS]
        return Conversation(row, rows, outcomes, list(dict.fromkeys(name for name in names if name)))

    def _message(self, message: Mapping[str, Any]) -> Row:
        sender, text = message.get("sender") or {}, message["content"]
        if message["message_type"] == _INCOMING:
            role = "customer"
        else:
            is_bot = not sender or sender.get("type") in _BOTS or sender.get("id") in self._settings.bot_authors
            role = "bot" if is_bot else "agent"
        items = (message.get("content_attributes") or {}).get("items") or ()
        links = [*text_links(text), *(one["link"] for one in items if one.get("link"))]
        return {
            "role": role,
            "text": text,
            "sent_at": time_from_epoch(message["created_at"]),
            "article_ids": self._links.of_links(links) or None,
            "is_fallback": says_fallback(text, self._settings.fallback_phrases) if role == "bot" else None,
        }


def _changed(record: Mapping[str, Any]) -> float:
    """When a conversation changed; servers before version 4 tell the last message's time alone."""
    return float(record.get("updated_at") or record["timestamp"])


def _version(record: Mapping[str, Any]) -> tuple[float, int]:
    return _changed(record), record["id"]


def _is_talk(message: Mapping[str, Any]) -> bool:
    deleted = (message.get("content_attributes") or {}).get("deleted")
    kind = message["message_type"]
    return bool(
        kind in (_INCOMING, _OUTGOING) and not message.get("private") and not deleted and message.get("content")
    )


def _rating(messages: Sequence[Mapping[str, Any]]) -> tuple[float | None, datetime | None]:
    """The customer's last answer to the survey, and when the survey was sent."""
    rated: tuple[float | None, datetime | None] = (None, None)
    for one in messages:
        submitted = (one.get("content_attributes") or {}).get("submitted_values")
        if one.get("content_type") == "input_csat" and isinstance(submitted, Mapping):
            stars = (submitted.get("csat_survey_response") or {}).get("rating")
            rated = (float(stars), time_from_epoch(one["created_at"])) if stars else rated
    return rated


def _revision(row: Row) -> Row:
    return {
        "article_id": row["article_id"],
        "revised_at": row["updated_at"],
        "author_id": row["owner_id"],
        "approved": row["status"] == "published",
    }
