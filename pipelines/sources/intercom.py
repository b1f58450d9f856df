"""Intercom: conversations with Fin or a bot of one's own, ratings, tags, teammates, and the help center.

API 2.15, https://developers.intercom.com/docs/references/2.15. What is read as what:

escalated
    A teammate wrote to the customer, a ticket is linked, or Fin's resolution state says that it handed off.
resolved
    Fin's state: confirmed resolution is true, negative feedback false. Assumed resolution is not known.
the article that an answer used
    Links in the answer, and Fin's content sources of the kind article, by address, else by title.
outcome
    Fin's negative feedback is ``wrong``, tagged by the customer; agents' tags as ``outcome_tags`` says.
internal notes
    Parts of the type note are left out, as are parts that were redacted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from lacuna.pipelines.sources.api import Api, HeaderAuth, Refusal
from lacuna.pipelines.sources.fields import (
    ArticleLinks,
    custom_columns,
    number,
    says_fallback,
    tagged_outcomes,
    text_and_links,
    time_from_epoch,
)
from lacuna.pipelines.sources.secrets import read_secret
from lacuna.pipelines.sources.source import Address, Batch, Conversation, Row, Source, SourceSettings, Stream

__all__ = ["Intercom"]

VERSION = "2.15"
PAGE = 50
LISTED = 150  # conversations on a page that is listed only
WINDOW_AT_MOST = 2_000  # conversations that are paged through in one go: pages shift while people write
SHORTEST_WINDOW = 3_600
RESTARTS = 40  # of windows, in one pull
OVERLAP = 300  # seconds that are read again: the index of the search lags behind, and clocks differ
_HANDED_OFF = {"escalated", "procedure_handoff"}
_RESOLVED = {"confirmed_resolution": True, "negative_feedback": False}
_CUSTOMERS = {"user", "lead", "contact"}


class IntercomSettings(SourceSettings):
    """The section of an Intercom workspace."""

    token_env: str
    address: Address
    parallel: Annotated[int, Field(ge=1, le=16)]
    bot_admins: list[str]
    fallback_phrases: list[str]
    outcome_tags: dict[str, str]
    language_attribute: str
    product_attribute: str
    region_attribute: str
    intent_attribute: str
    intent_confidence_attribute: str
    article_statistics: bool


class Intercom(Source):
    """An Intercom workspace."""

    Settings = IntercomSettings
    lacks: Mapping[str, str] = {
        "conversations.language": "name a custom attribute in language_attribute; else it is guessed from the texts",
        "messages.is_fallback": "list what the bot writes when it has no answer in fallback_phrases",
        "outcomes.outcome": "let agents tag the bot's answers, and name the tags in outcome_tags",
        "articles.views": "article_statistics = true",
        "searches": "Intercom has no API for searches in the help center",
    }

    def __init__(self, name: str, settings: IntercomSettings, since: datetime | None = None) -> None:
        super().__init__(name, settings, since)
        self._settings = settings
        token = read_secret(name, "token_env", settings.token_env)
        auth = HeaderAuth({"Authorization": f"Bearer {token}"})
        headers = {"Intercom-Version": VERSION}
        self._api = Api(name, settings.address, auth, [token], headers, parallel=settings.parallel)
        self._links = ArticleLinks()

    def streams(self) -> Sequence[Stream]:
        """Teammates and articles whole, their revisions as they come, and conversations that changed."""
        return [
            Stream("teammates", ("owners",), self._read_teammates, whole=True),
            Stream("articles", ("articles",), self._read_articles, whole=True),
            Stream("article revisions", ("article_revisions",), self._read_revisions),
            Stream("conversations", ("conversations", "messages", "outcomes"), self._read_conversations),
        ]

    def listed_ids(self) -> Iterator[str]:
        """All conversations that the search finds: Intercom says nothing when one is deleted."""
        begin, end = int(self.since.timestamp()) if self.since else 0, int(time.time())
        while begin < end:
            to, after = self._window_end(begin, end), None
            while True:
                page = self._search(begin, to, LISTED, after)
                yield from (self.id_of(one["id"]) for one in page["conversations"])
                after = ((page.get("pages") or {}).get("next") or {}).get("starting_after")
                if after is None or not page["conversations"]:
                    break
            begin = to

    def _read_teammates(self, _: Any) -> Iterator[Batch]:
        admins = self._api.get("admins")["admins"]
        yield Batch(rows={"owners": [_owner(admin) for admin in admins if admin]})

    def _read_articles(self, _: Any) -> Iterator[Batch]:
        for page in self._article_pages():
            rows: list[Row] = []
            for article in page:
                if self._settings.article_statistics:
                    article = self._api.get(f"articles/{article['id']}")
                rows += _article_rows(article)
            for row in rows:
                self._links.add(row["article_id"], row["title"], row["url"])
            yield Batch(rows={"articles": rows})

    def _read_revisions(self, cursor: int | None) -> Iterator[Batch]:
        """When articles changed, from the first pull on: Intercom tells the last change only, newest first."""
        newest = cursor
        for page in self._article_pages():
            rows = [_revision(article) for article in page if article["updated_at"] > (cursor or 0)]
            newest = max([newest or 0, *(article["updated_at"] for article in page)])
            if rows:
                yield Batch(rows={"article_revisions": rows}, cursor=cursor)
            if len(rows) < len(page):
                break
        yield Batch(cursor=newest)

    def _article_pages(self) -> Iterator[list[dict[str, Any]]]:
        number = 1
        while True:
            page = self._api.get("articles", {"page": number, "per_page": PAGE})
            if page["data"]:
                yield page["data"]
            if not page["data"] or number >= (page.get("pages") or {}).get("total_pages", 1):
                return
            number += 1

    def _read_conversations(self, cursor: dict[str, Any] | None) -> Iterator[Batch]:
        """All that changed since the last pull, window by window of the time of change; a window is paged through."""
        begin = int(self.since.timestamp()) if self.since else 0
        place = cursor or {"from": begin, "to": None, "after": None}
        end, restarts = int(time.time()), 0
        while True:
            if place["to"] is None:
                place = {"from": place["from"], "to": self._window_end(place["from"], end), "after": None}
            try:
                page = self._search(place["from"], place["to"], PAGE, place["after"])
            except Refusal as refusal:
                if place["after"] is None or refusal.status not in (400, 404):
                    raise
                restarts += 1
                if restarts > RESTARTS:
                    raise
                # A page's cursor has expired: the window is paged through again, half of it, which has fewer pages.
                half = place["from"] + max(1, (place["to"] - place["from"]) // 2)
                place = {"from": place["from"], "to": half, "after": None}
                continue
            after = ((page.get("pages") or {}).get("next") or {}).get("starting_after")
            is_last = after is None or not page["conversations"]
            ended = is_last and place["to"] >= end
            if is_last:
                place = {"from": place["to"] - 1, "to": None, "after": None}
            else:
                place = {**place, "after": after}
            if ended:
                place["from"] = max(begin, end - OVERLAP)
            yield self._batch([one["id"] for one in page["conversations"]], place)
            if ended:
                return

    def _window_end(self, begin: int, end: int) -> int:
        """The end of a window that holds few enough conversations to be paged through in one go."""
        while end - begin > SHORTEST_WINDOW and self._search(begin, end, 1)["total_count"] > WINDOW_AT_MOST:
            end = begin + (end - begin) // 2
        return end

    def _search(self, begin: int, end: int, per_page: int, after: str | None = None) -> Any:
        """One page of the conversations that changed between two times; both are excluded."""
        filters = [
            {"field": "updated_at", "operator": ">", "value": begin},
            {"field": "updated_at", "operator": "<", "value": end + 1},
        ]
        if self.since:
            filters.append({"field": "created_at", "operator": ">", "value": int(self.since.timestamp()) - 1})
        pagination = {"per_page": per_page} | ({"starting_after": after} if after else {})
        body = {"query": {"operator": "AND", "value": filters}, "pagination": pagination}
        return self._api.post("conversations/search", body)

    def _batch(self, ids: Sequence[str], cursor: Any) -> Batch:
        conversations, gone = [], []
        for key, record in zip(ids, self._api.get_all([f"conversations/{one}" for one in ids]), strict=True):
            if record is None:  # deleted since it was listed
                gone.append(self.id_of(key))
            else:
                conversations.append(self.conversation(record))
        return Batch(conversations, gone=gone, cursor=cursor)

    def conversation(self, record: Mapping[str, Any]) -> Conversation:
        """A conversation from Intercom's record of it."""
        parts = [record["source"], *((record.get("conversation_parts") or {}).get("conversation_parts") or [])]
        replies = [one for one in parts if one.get("body") and one.get("part_type") not in ("note", "note_and_reopen")]
        messages = [self._message(one, record) for one in replies]
        self._add_sources(messages, record)
        by_agents = [row["sent_at"] for row in messages if row["role"] == "agent"]
        agent = record.get("ai_agent") or {}
        state = agent.get("resolution_state")
        tickets = [one for one in (record.get("linked_objects") or {}).get("data", []) if one["type"] == "ticket"]
        escalated = bool(by_agents) or state in _HANDED_OFF or bool(tickets)
        rating = record.get("conversation_rating") or {}
        tags = [tag["name"] for tag in (record.get("tags") or {}).get("tags", [])]
        contacts = (record.get("contacts") or {}).get("contacts") or []
        row = {
            "conversation_id": self.id_of(record["id"]),
            "started_at": time_from_epoch(record["created_at"]),
            "updated_at": time_from_epoch(record["updated_at"]),
            "escalated": escalated,
            "escalated_at": min(by_agents, default=None) if escalated else None,
            "channel": _channel(record["source"].get("type")),
            "customer_id": contacts[0]["id"] if contacts else None,
            "resolved": _RESOLVED.get(str(state)),
            "csat": number(rating.get("rating") or agent.get("rating")),
            "handle_seconds": number((record.get("statistics") or {}).get("handling_time")),
            "tags": tags,
            **self._attributes(record.get("custom_attributes") or {}),
        }
        outcomes = tagged_outcomes(tags, self._settings.outcome_tags)
        if state == "negative_feedback":
            when = time_from_epoch(agent.get("updated_at") or record["updated_at"])
            outcomes.append({"outcome": "wrong", "sample": "feedback", "tagged_at": when, "tagged_by": "customer"})
        return Conversation(row, messages, outcomes, _names(parts))

    def _message(self, part: Mapping[str, Any], record: Mapping[str, Any]) -> Row:
        author = part.get("author") or {}
        text, links = text_and_links(part["body"])
        is_bot = (
            author.get("type") == "bot" or author.get("from_ai_agent") or author.get("id") in self._settings.bot_admins
        )
        role = "bot" if is_bot else "customer" if author.get("type") in _CUSTOMERS else "agent"
        return {
            "role": role,
            "text": text,
            "sent_at": time_from_epoch(part.get("created_at") or record["created_at"]),
            "article_ids": self._links.of_links(links) or None,
            "is_fallback": says_fallback(text, self._settings.fallback_phrases) if role == "bot" else None,
            "is_ai_answer": bool(author.get("is_ai_answer")),
        }

    def _add_sources(self, messages: list[Row], record: Mapping[str, Any]) -> None:
        """Give Fin's last answer the articles that Fin names for the conversation as a whole."""
        sources = ((record.get("ai_agent") or {}).get("content_sources") or {}).get("content_sources") or []
        of_articles = [one for one in sources if one.get("content_type") == "article"]
        cited = [self._links.of(one.get("url"), one.get("title")) for one in of_articles]
        answers = [row for row in messages if row["is_ai_answer"]]
        if answers and any(cited):
            named = [*(answers[-1]["article_ids"] or ()), *filter(None, cited)]
            answers[-1]["article_ids"] = list(dict.fromkeys(named))

    def _attributes(self, custom: Mapping[str, Any]) -> Row:
        of = self._settings
        return custom_columns(custom, {
            "language": of.language_attribute, "product": of.product_attribute, "region": of.region_attribute,
            "predicted_intent": of.intent_attribute, "intent_confidence": of.intent_confidence_attribute,
        })  # fmt: skip


def _owner(admin: Mapping[str, Any]) -> Row:
    return {"owner_id": str(admin["id"]), "name": admin.get("name"), "email": admin.get("email")}


def _article_rows(article: Mapping[str, Any]) -> list[Row]:
    """An article in its default language, and a row more for each translation."""
    statistics = article.get("statistics") or {}
    reactions = statistics.get("reactions") or 0
    row = {
        **_article(article, article, str(article["id"]), article.get("default_locale")),
        "views": statistics.get("views"),
        "helpful": _share(statistics.get("happy_reaction_percentage"), reactions),
        "unhelpful": _share(statistics.get("sad_reaction_percentage"), reactions),
    }
    translations = [
        _article(content, article, f"{article['id']}-{locale}", locale)
        for locale, content in (article.get("translated_content") or {}).items()
        if isinstance(content, dict) and locale != article.get("default_locale")
    ]
    return [row, *translations]


def _article(content: Mapping[str, Any], article: Mapping[str, Any], key: str, locale: str | None) -> Row:
    author = content.get("author_id") or article.get("author_id")
    return {
        "article_id": key,
        "title": content.get("title") or "",
        "body": content.get("body") or "",
        "status": content.get("state") or article.get("state"),
        "url": content.get("url"),
        "language": locale,
        "owner_id": str(author) if author else None,
        "created_at": time_from_epoch(content.get("created_at")),
        "updated_at": time_from_epoch(content.get("updated_at")),
    }


def _revision(article: Mapping[str, Any]) -> Row:
    author = article.get("author_id")
    return {
        "article_id": str(article["id"]),
        "revised_at": time_from_epoch(article["updated_at"]),
        "author_id": str(author) if author else None,
        "approved": article.get("state") == "published",
    }


def _share(percentage: float | None, of: int) -> int | None:
    return None if percentage is None else round(percentage / 100 * of)


def _channel(kind: str | None) -> str | None:
    return {"conversation": "chat", "phone_call": "phone", "phone_switch": "phone"}.get(kind or "", kind)


def _names(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    authors = [part.get("author") or {} for part in parts]
    people = [author for author in authors if author.get("type") != "bot"]
    return list(dict.fromkeys(name for one in people for name in (one.get("name"), one.get("email")) if name))
