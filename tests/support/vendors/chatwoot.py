"""A fake Chatwoot: agents, portals with articles, the list of conversations, and conversations with messages."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from tests.support.vendors.help_desk import HelpDesk, Thread

TOKEN = "kBqKrn5cTnVkB9"
ROOT = "/api/v1/accounts/1"
_CHANNELS = {"chat": "WebWidget", "email": "Email", "app": "Api"}
_PAGE = 25


def chatwoot(desk: HelpDesk, *, knows_updated_within: bool = True) -> FastAPI:
    """The API over a help desk's conversations.

    Parameters
    ----------
    desk
        What it serves; a test may change it between requests.
    knows_updated_within
        Whether the list takes that parameter, as servers of version 3 and later do.
    """
    app = FastAPI()

    @app.middleware("http")
    async def check(request: Request, call_next: Any) -> Any:
        if request.headers.get("api_access_token") != TOKEN:
            return JSONResponse({"error": "Invalid Access Token"}, 401)
        return await call_next(request)

    @app.get(f"{ROOT}/agents")
    def agents() -> Any:
        return [
            {"id": desk.owner_number[row["owner_id"]], "account_id": 1, "name": row["name"], "email": row["email"],
             "role": "agent", "confirmed": True} for row in desk.owners
        ]  # fmt: skip

    @app.get(f"{ROOT}/portals")
    def portals() -> Any:
        meta = {"all_articles_count": len(desk.articles), "default_locale": "en"}
        return {"payload": [{"id": 4, "slug": "handbook", "custom_domain": "", "archived": False, "meta": meta}]}

    @app.get(f"{ROOT}/portals/handbook/articles")
    def articles(page: int = 1) -> Any:
        rows = sorted(desk.articles, key=lambda row: row["updated_at"] or row["created_at"], reverse=True)
        some = [_article(desk, row) for row in rows[(page - 1) * _PAGE : page * _PAGE]]
        return {"payload": some, "meta": {"all_articles_count": len(rows), "current_page": page}}

    @app.get(f"{ROOT}/conversations")
    def conversations(request: Request, page: int = 1, sort_by: str = "last_activity_at_desc") -> Any:
        query = request.query_params
        assert query["status"] == "all"  # else the list holds open ones only
        assert sort_by in ("created_at_asc", "created_at_desc")
        rows = sorted(desk.served(), key=lambda one: one.number, reverse=sort_by.endswith("desc"))
        count = len(rows)
        if "updated_within" in query and knows_updated_within:  # such a list has no pages
            since = time.time() - int(query["updated_within"])
            rows = [one for one in rows if one.updated_at.timestamp() > since]
        else:
            rows = rows[(page - 1) * _PAGE : page * _PAGE]
        meta = {"mine_count": 0, "assigned_count": 0, "unassigned_count": count, "all_count": count}
        return {"data": {"meta": meta, "payload": [_conversation(one) for one in rows]}}

    @app.get(f"{ROOT}/conversations/{{number}}")
    def conversation(number: int) -> Any:
        thread = desk.thread(number)
        return _conversation(thread) if thread else JSONResponse({"error": "Resource could not be found"}, 404)

    @app.get(f"{ROOT}/conversations/{{number}}/messages")
    def messages(request: Request, number: int, after: int) -> Any:
        thread = desk.thread(number)
        if thread is None:
            return JSONResponse({"error": "Resource could not be found"}, 404)
        rows = [one for one in _messages(desk, thread, str(request.base_url)) if one["id"] > after]
        return {"meta": {"labels": []}, "payload": sorted(rows, key=lambda one: one["created_at"])[:100]}

    return app


def _epoch(when: datetime) -> int:
    return int(when.timestamp())


def _article(desk: HelpDesk, row: dict[str, Any]) -> dict[str, Any]:
    number, owner = desk.article_number[row["article_id"]], desk.owner_number.get(row["owner_id"])
    return {
        "id": number, "slug": f"{number}-an-article", "title": row["title"], "content": row["body"],
        "description": None, "status": row["status"], "account_id": 1, "views": row["views"],
        "created_at": _epoch(row["created_at"]), "updated_at": _epoch(row["updated_at"] or row["created_at"]),
        "category": {"id": 1, "name": "General", "slug": "general", "locale": row["language"]},
        **({"author": {"id": owner}} if owner else {}),
    }  # fmt: skip


def _conversation(thread: Thread) -> dict[str, Any]:
    row = thread.row
    custom = {"language": row["language"], "product": row["product"], "region": row["region"],
              "intent": row["predicted_intent"], "confidence": row["intent_confidence"]}  # fmt: skip
    status = "open" if row["escalated"] else "resolved" if row["resolved"] else "pending"
    return {
        "id": thread.number, "account_id": 1, "inbox_id": 1, "status": status, "messages": [],
        "meta": {
            "sender": {"id": thread.number + 7, "name": None, "email": "someone@mail.example", "type": "contact"},
            "channel": f"Channel::{_CHANNELS[row['channel']]}", "hmac_verified": False,
        },
        "labels": [*(row["tags"] or ()), *(f"bot-{one['outcome']}" for one in thread.outcomes[:1])],
        "custom_attributes": {name: value for name, value in custom.items() if value is not None},
        "additional_attributes": {}, "created_at": _epoch(row["started_at"]),
        "updated_at": thread.updated_at.timestamp(), "timestamp": _epoch(thread.updated_at),
        "last_activity_at": _epoch(thread.updated_at),
    }  # fmt: skip


def _messages(desk: HelpDesk, thread: Thread, address: str) -> list[dict[str, Any]]:
    senders = {
        "customer": {"id": thread.number + 7, "name": None, "type": "contact"},
        "bot": {"id": 3, "name": "Helper", "type": "agent_bot"},
        "agent": {"id": 901, "name": None, "type": "user"},
    }
    rows = []
    for place, message in enumerate(thread.messages):
        cited = [desk.article_number[one] for one in message.get("article_ids") or () if one in desk.article_number]
        items = [{"title": "", "link": f"{address}hc/handbook/articles/{one}-an-article"} for one in cited]
        rows.append(_message(
            thread, place, message["text"], message.get("sent_at") or thread.row["started_at"],
            message_type=0 if message["role"] == "customer" else 1, sender=senders[message["role"]],
            content_type="article" if items else "text", content_attributes={"items": items} if items else {},
        ))  # fmt: skip
    end = thread.updated_at
    rows.append(_message(thread, 97, "never mine this note", end, private=True, sender=senders["agent"]))
    rows.append(_message(thread, 98, "Conversation was resolved, never mine this", end, message_type=2, sender=None))
    if thread.row["csat"]:
        answer = {"submitted_values": {"csat_survey_response": {"rating": int(thread.row["csat"])}}}
        rows.append(_message(
            thread, 99, "Please rate, never mine this", end, message_type=3, sender=None,
            content_type="input_csat", content_attributes=answer,
        ))  # fmt: skip
    return rows


def _message(thread: Thread, place: int, content: str, sent: datetime, **more: Any) -> dict[str, Any]:
    return {
        "id": thread.number * 100 + place, "content": content, "inbox_id": 1, "conversation_id": thread.number,
        "message_type": 1, "content_type": "text", "status": "sent", "content_attributes": {}, "private": False,
        "created_at": _epoch(sent), "source_id": None, **more,
    }  # fmt: skip
