"""Zendesk: tickets with their comments and chats, satisfaction ratings, agents, and the help center.

Support API v2 and Help Center API, https://developer.zendesk.com/api-reference. What is read as what:

escalated
    No field of Zendesk's says it. A public reply of an agent, a tag of ``escalated_tags``, or a group of
    ``escalated_groups`` does; so does a ticket in which no bot took part, unless ``contained_tags`` says otherwise.
who the bot is
    Zendesk's own in chats, and the users of ``bot_authors``.
the article that an answer used
    Links to the help center in the answer.
outcomes
    Agents' tags, as ``outcome_tags`` says.
gone
    Deleted tickets, and those that were merged into another: their comments are in the other one.
internal notes
    Comments that are not public are left out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from lacuna.pipelines.sources.api import Api, BasicAuth, HeaderAuth, Refusal
from lacuna.pipelines.sources.fields import (
    ArticleLinks,
    number,
    says_fallback,
    tagged_outcomes,
    text_and_links,
    text_links,
    time_from_epoch,
    time_from_iso,
)
from lacuna.pipelines.sources.secrets import read_secret
from lacuna.pipelines.sources.source import Address, Batch, Conversation, Row, Source, SourceSettings, Stream

__all__ = ["Zendesk"]

EXPORTS_A_MINUTE = 10  # of the incremental export, on every plan
TICKETS_A_PAGE = 100
RESTARTS = 5  # by time, in one pull
OVERLAP = 600  # seconds that are read again where a cursor is no longer known
_MERGED = "closed_by_merge"


class ZendeskSettings(SourceSettings):
    """The section of a Zendesk account."""

    address: Address
    user_env: str
    token_env: str
    oauth: bool
    requests_a_minute: Annotated[int, Field(ge=1)]
    help_center: bool
    bot_authors: list[int]
    bot_tags: list[str]
    escalated_tags: list[str]
    escalated_groups: list[int]
    contained_tags: list[str]
    fallback_phrases: list[str]
    outcome_tags: dict[str, str]
    language_field: int
    product_field: int
    region_field: int
    intent_field: int
    intent_confidence_field: int
    handle_seconds_field: int
    good_rating: Annotated[float, Field(ge=1, le=5)]
    bad_rating: Annotated[float, Field(ge=1, le=5)]


class Zendesk(Source):
    """A Zendesk account."""

    Settings = ZendeskSettings
    lacks: Mapping[str, str] = {
        "conversations.escalated": "where a bot answers tickets, name its users in bot_authors, and tags or groups of"
        " handed-off tickets in escalated_tags or escalated_groups",
        "conversations.language": "name the ticket field in language_field",
        "conversations.predicted_intent": "intelligent triage writes intents into a ticket field: intent_field",
        "conversations.resolved": "Zendesk's status solved says that an agent is done, not that the customer is helped",
        "messages.is_fallback": "list what the bot writes when it has no answer in fallback_phrases",
        "messages.article_ids": "let the bot's answers link to the article",
        "outcomes.outcome": "let agents tag the bot's answers, and name the tags in outcome_tags",
        "articles.views": "views are in Zendesk Explore alone",
        "searches": "searches are in Zendesk Explore alone: export them, and pull them as files",
    }

    def __init__(self, name: str, settings: ZendeskSettings, since: datetime | None = None) -> None:
        super().__init__(name, settings, since)
        self._settings = settings
        token = read_secret(name, "token_env", settings.token_env)
        address = f"{settings.address.rstrip('/')}/api/v2"
        if settings.oauth:
            auth: Any = HeaderAuth({"Authorization": f"Bearer {token}"})
        else:
            auth = BasicAuth(f"{read_secret(name, 'user_env', settings.user_env)}/token", token)
        self._api = Api(name, address, auth, [token], pause=60 / settings.requests_a_minute)
        self._exports = Api(name, address, auth, [token], pause=60 / EXPORTS_A_MINUTE)
        self._links = ArticleLinks()
        self._agents: dict[int, Row] = {}

    def streams(self) -> Sequence[Stream]:
        """Agents and articles whole, revisions as they come, and tickets that changed."""
        articles = [
            Stream("articles", ("articles",), self._read_articles, whole=True),
            Stream("article revisions", ("article_revisions",), self._read_revisions),
        ]
        return [
            Stream("agents", ("owners",), self._read_agents, whole=True),
            *(articles if self._settings.help_center else []),
            Stream("tickets", ("conversations", "messages", "outcomes"), self._read_tickets),
        ]

    def _read_agents(self, _: Any) -> Iterator[Batch]:
        for page in self._pages("users.json", "users", {"role[]": ["agent", "admin"]}):
            rows = [_owner(user) for user in page]
            self._agents |= {user["id"]: user for user in page}
            yield Batch(rows={"owners": rows})

    def _read_articles(self, _: Any) -> Iterator[Batch]:
        for page in self._pages("help_center/articles.json", "articles", {"include": "translations"}):
            rows = [row for article in page for row in _article_rows(article)]
            for row in rows:
                self._links.add(row["article_id"], row["title"], row["url"])
            yield Batch(rows={"articles": rows})

    def _read_revisions(self, cursor: str | None) -> Iterator[Batch]:
        """When articles changed, from the first pull on: Zendesk tells the last change only."""
        newest = cursor or ""
        for page in self._pages("help_center/articles.json", "articles", {"sort_by": "edited_at"}):
            rows = [_revision(article) for article in page if _edited(article) > (cursor or "")]
            newest = max([newest, *(_edited(article) for article in page)])
            if rows:
                yield Batch(rows={"article_revisions": rows}, cursor=cursor)
        yield Batch(cursor=newest)

    def _pages(self, path: str, key: str, params: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
        page = self._api.get(path, {**params, "page[size]": TICKETS_A_PAGE})
        while True:
            for side in page.get("translations", ()):
                for one in page[key]:
                    if one["id"] == side["source_id"]:
                        one.setdefault("translations", []).append(side)
            yield page[key]
            if not (page.get("meta") or {}).get("has_more"):
                return
            page = self._api.get(page["links"]["next"])

    def _read_tickets(self, cursor: dict[str, Any] | None) -> Iterator[Batch]:
        """All that changed since the last pull, in the order of the change, deleted tickets included."""
        begin = int(self.since.timestamp()) if self.since else 1
        place, restarts = cursor or {"after": None, "seen": begin}, 0
        while True:
            # A ticket that changed in the last minute is not exported, and a later start is refused.
            start = min(max(begin, place["seen"] - OVERLAP), int(time.time()) - 120)
            params = {"cursor": place["after"]} if place["after"] else {"start_time": start}
            try:
                page = self._exports.get("incremental/tickets/cursor.json", {**params, "per_page": TICKETS_A_PAGE})
            except Refusal as refusal:
                if place["after"] is None or refusal.status not in (400, 404, 422):
                    raise
                restarts += 1
                if restarts > RESTARTS:
                    raise
                place = {**place, "after": None}  # the cursor is no longer known: by time, then
                continue
            tickets = page["tickets"]
            times = [time_from_iso(ticket["updated_at"]) for ticket in tickets]
            seen = max([place["seen"], *(int(one.timestamp()) for one in times if one)])
            place = {"after": page["after_cursor"] or place["after"], "seen": seen}
            if tickets:
                yield self._batch(tickets, place)
            if page["end_of_stream"]:
                return

    def _batch(self, tickets: Sequence[Mapping[str, Any]], cursor: Any) -> Batch:
        gone = [self.id_of(ticket["id"]) for ticket in tickets if _is_gone(ticket)]
        there = [ticket for ticket in tickets if not _is_gone(ticket) and self._is_wanted(ticket)]
        conversations = []
        for ticket in there:
            try:
                audits, users = self._audits(ticket["id"])
            except Refusal as refusal:
                if refusal.status not in (404, 410):
                    raise
                gone.append(self.id_of(ticket["id"]))  # deleted since it was listed
            else:
                conversations.append(self.conversation(ticket, audits, users))
        return Batch(conversations, gone=gone, cursor=cursor)

    def _is_wanted(self, ticket: Mapping[str, Any]) -> bool:
        created = time_from_iso(ticket["created_at"])
        return self.since is None or created is None or created >= self.since

    def _audits(self, ticket_id: int) -> tuple[list[Mapping[str, Any]], dict[int, Mapping[str, Any]]]:
        audits: list[Mapping[str, Any]] = []
        users: dict[int, Mapping[str, Any]] = {}
        page = self._api.get(f"tickets/{ticket_id}/audits.json", {"include": "users", "page[size]": TICKETS_A_PAGE})
        while True:
            audits += page["audits"]
            users |= {user["id"]: user for user in page.get("users", ())}
            if not (page.get("meta") or {}).get("has_more"):
                return audits, users
            page = self._api.get(page["links"]["next"])

    def conversation(
        self,
        ticket: Mapping[str, Any],
        audits: Sequence[Mapping[str, Any]],
        users: Mapping[int, Mapping[str, Any]],
    ) -> Conversation:
        """A conversation from a ticket, its audits, and the people in them."""
        messages = [row for audit in audits for row in self._messages(audit, users)]
        tags = ticket.get("tags") or []
        by_agents = [row["sent_at"] for row in messages if row["role"] == "agent"]
        has_bot = any(row["role"] == "bot" for row in messages) or bool(set(tags) & set(self._settings.bot_tags))
        escalated = self._is_escalated(ticket, tags, bool(by_agents), has_bot)
        row = {
            "conversation_id": self.id_of(ticket["id"]),
            "started_at": time_from_iso(ticket["created_at"]),
            "updated_at": time_from_iso(ticket["updated_at"]),
            "escalated": escalated,
            "escalated_at": min(by_agents, default=None) if escalated else None,
            "channel": (ticket.get("via") or {}).get("channel"),
            "customer_id": str(ticket["requester_id"]) if ticket.get("requester_id") else None,
            "csat": self._rating(ticket),
            "tags": tags,
            **self._fields(ticket),
        }
        people = [user for key, user in users.items() if key not in self._settings.bot_authors]
        names = [name for user in people for name in (user.get("name"), user.get("email")) if name]
        return Conversation(
            row, messages, tagged_outcomes(tags, self._settings.outcome_tags), list(dict.fromkeys(names))
        )

    def _is_escalated(self, ticket: Mapping[str, Any], tags: Sequence[str], by_agent: bool, has_bot: bool) -> bool:
        of = self._settings
        if by_agent or set(tags) & set(of.escalated_tags) or ticket.get("group_id") in of.escalated_groups:
            return True
        return not has_bot and not set(tags) & set(of.contained_tags)

    def _messages(self, audit: Mapping[str, Any], users: Mapping[int, Mapping[str, Any]]) -> Iterator[Row]:
        sent = time_from_iso(audit["created_at"])
        for event in audit["events"]:
            if event["type"] == "Comment" and event.get("public"):
                author = event.get("author_id") or audit["author_id"]
                text, links = text_and_links(event.get("html_body"))
                plain = event.get("plain_body") or event.get("body") or ""
                yield self._message(self._role(author, users), text or plain, links or text_links(plain), sent)
            elif event["type"] in ("ChatStartedEvent", "ChatEndedEvent"):
                for said in (event.get("value") or {}).get("history") or ():
                    if said.get("type") == "ChatMessage" and said.get("message"):
                        text = said["message"]
                        at = time_from_epoch((said.get("timestamp") or 0) / 1000) or sent
                        yield self._message(self._chat_role(said), text, text_links(text), at)

    def _message(self, role: str, text: str, links: Sequence[str], sent: datetime | None) -> Row:
        return {
            "role": role,
            "text": text,
            "sent_at": sent,
            "article_ids": self._links.of_links(links) or None,
            "is_fallback": says_fallback(text, self._settings.fallback_phrases) if role == "bot" else None,
        }

    def _role(self, author: int, users: Mapping[int, Mapping[str, Any]]) -> str:
        if author in self._settings.bot_authors:
            return "bot"
        role = (users.get(author) or self._agents.get(author) or {}).get("role")
        return "agent" if role in ("agent", "admin") else "customer"

    def _chat_role(self, said: Mapping[str, Any]) -> str:
        actor = str(said.get("actor_id") or "")
        number = actor.rsplit(":", 1)[-1]
        if "answerbot" in actor.casefold() or (number.isdigit() and int(number) in self._settings.bot_authors):
            return "bot"
        kind = said.get("actor_type") or actor.split(":")[0]
        return {"agent": "agent", "system": "bot", "trigger": "bot", "bot": "bot"}.get(kind, "customer")

    def _rating(self, ticket: Mapping[str, Any]) -> float | None:
        score = (ticket.get("satisfaction_rating") or {}).get("score") or ""
        return {"good": self._settings.good_rating, "bad": self._settings.bad_rating}.get(score.split("_")[0])

    def _fields(self, ticket: Mapping[str, Any]) -> Row:
        of = self._settings
        values = {field["id"]: field["value"] for field in ticket.get("custom_fields") or ()}
        texts = {
            "language": of.language_field, "product": of.product_field, "region": of.region_field,
            "predicted_intent": of.intent_field,
        }  # fmt: skip
        numbers = {"intent_confidence": of.intent_confidence_field, "handle_seconds": of.handle_seconds_field}
        row: Row = {name: str(values[key]) if values.get(key) else None for name, key in texts.items()}
        return row | {name: number(values.get(key)) for name, key in numbers.items()}


def _is_gone(ticket: Mapping[str, Any]) -> bool:
    return ticket["status"] == "deleted" or _MERGED in (ticket.get("tags") or ())


def _owner(user: Mapping[str, Any]) -> Row:
    active = bool(user.get("active", True)) and not user.get("suspended")
    return {"owner_id": str(user["id"]), "name": user.get("name"), "email": user.get("email"), "active": active}


def _article_rows(article: Mapping[str, Any]) -> list[Row]:
    """An article in its source language, and a row more for each translation."""
    votes, total = article.get("vote_sum"), article.get("vote_count")
    row = {
        **_article(article, article, str(article["id"])),
        "helpful": None if votes is None or total is None else (total + votes) // 2,
        "unhelpful": None if votes is None or total is None else (total - votes) // 2,
    }
    source = article.get("source_locale") or article["locale"]
    others = [one for one in article.get("translations", ()) if one["locale"] != source]
    return [row, *(_article(one, article, f"{article['id']}-{one['locale']}") for one in others)]


def _article(content: Mapping[str, Any], article: Mapping[str, Any], key: str) -> Row:
    return {
        "article_id": key,
        "title": content.get("title") or article.get("title"),
        "body": content.get("body") or "",
        "status": "draft" if content.get("draft") else "published",
        "url": content.get("html_url"),
        "language": content["locale"],
        "owner_id": str(article["author_id"]) if article.get("author_id") else None,
        "created_at": time_from_iso(content.get("created_at")),
        "updated_at": time_from_iso(content.get("edited_at") or content.get("updated_at")),
    }


def _edited(article: Mapping[str, Any]) -> str:
    return article.get("edited_at") or article["updated_at"]


def _revision(article: Mapping[str, Any]) -> Row:
    return {
        "article_id": str(article["id"]),
        "revised_at": time_from_iso(_edited(article)),
        "author_id": str(article["author_id"]) if article.get("author_id") else None,
        "approved": not article.get("draft"),
    }
