"""A fake Intercom: teammates, articles, the search of conversations, and conversations with all their parts."""

from __future__ import annotations

import html
from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from tests.support.vendors.help_desk import HelpDesk, Thread

TOKEN = "dG9rOmludGVyY29t"


def intercom(desk: HelpDesk, *, page_cursors_expire: bool = False) -> FastAPI:
    """The API over a help desk's conversations.

    Parameters
    ----------
    desk
        What it serves; a test may change it between requests.
    page_cursors_expire
        Each second page is refused, as its cursor is too old.
    """
    app = FastAPI()
    pages = {"asked": 0}

    @app.middleware("http")
    async def check(request: Request, call_next: Any) -> Any:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _error(401, "unauthorized", "Access Token Invalid")
        if request.headers.get("intercom-version") != "2.15":
            return _error(400, "intercom_version_invalid", "no such version")
        return await call_next(request)

    @app.get("/admins")
    def admins() -> Any:
        return {"type": "admin.list", "admins": [_admin(desk, row) for row in desk.owners]}

    @app.get("/articles")
    def articles(page: int = 1, per_page: int = 10) -> Any:
        rows = sorted(desk.articles, key=lambda row: row["updated_at"] or row["created_at"], reverse=True)
        some = [_article(desk, row) for row in rows[(page - 1) * per_page : page * per_page]]
        total = -(-len(rows) // per_page)
        pages = {"type": "pages", "page": page, "per_page": per_page, "total_pages": total}
        return {"type": "list", "data": some, "total_count": len(rows), "pages": pages}

    @app.get("/articles/{article_id}")
    def article(article_id: str) -> Any:
        of = {str(desk.article_number[row["article_id"]]): row for row in desk.articles}
        if article_id not in of:
            return _error(404, "not_found", "Resource Not Found")
        return {**_article(desk, of[article_id]), "statistics": _statistics(of[article_id])}

    @app.post("/conversations/search")
    async def search(request: Request) -> Any:
        body = await request.json()
        threads = [thread for thread in desk.served() if _matches(thread, body["query"])]
        threads.sort(key=lambda thread: (thread.updated_at, thread.number), reverse=True)
        begin = int((body.get("pagination") or {}).get("starting_after") or 0)
        if begin and page_cursors_expire:
            pages["asked"] += 1
            if pages["asked"] % 2:
                return _error(400, "parameter_invalid", "starting_after is invalid")
        return _found(desk, threads, begin, body.get("pagination", {}).get("per_page", 20))

    @app.get("/conversations/{conversation_id}")
    def conversation(conversation_id: str) -> Any:
        thread = desk.thread(int(conversation_id))
        return _conversation(desk, thread) if thread else _error(404, "not_found", "Resource Not Found")

    return app


def _error(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"type": "error.list", "errors": [{"code": code, "message": message}]}, status)


def _matches(thread: Thread, query: dict[str, Any]) -> bool:
    assert query["operator"] == "AND"
    times = {"updated_at": thread.updated_at, "created_at": thread.row["started_at"]}
    for one in query["value"]:
        value = int(times[one["field"]].timestamp())
        assert one["operator"] in ("<", ">")  # of dates, the search knows no other
        if not (value > one["value"] if one["operator"] == ">" else value < one["value"]):
            return False
    return True


def _found(desk: HelpDesk, threads: list[Thread], begin: int, size: int) -> dict[str, Any]:
    """One page of a search: conversations without their parts."""
    listed = [_conversation(desk, one) for one in threads[begin : begin + size]]
    following = {"next": {"per_page": size, "starting_after": str(begin + size)}} if begin + size < len(threads) else {}
    return {
        "type": "conversation.list",
        "conversations": [{key: of[key] for key in of if key != "conversation_parts"} for of in listed],
        "total_count": len(threads),
        "pages": {"type": "pages", "page": 1, "per_page": size, "total_pages": -(-len(threads) // size), **following},
    }


def _epoch(time: datetime | None) -> int | None:
    return None if time is None else int(time.timestamp())


def _admin(desk: HelpDesk, row: dict[str, Any]) -> dict[str, Any]:
    key = str(desk.owner_number[row["owner_id"]])
    return {"type": "admin", "id": key, "name": row["name"], "email": row["email"], "team_ids": []}


def _article(desk: HelpDesk, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "article",
        "id": str(desk.article_number[row["article_id"]]),
        "workspace_id": "ws1",
        "title": row["title"],
        "body": row["body"],
        "author_id": desk.owner_number.get(row["owner_id"], 0),
        "state": "published" if row["status"] in (None, "published") else "draft",
        "created_at": _epoch(row["created_at"]),
        "updated_at": _epoch(row["updated_at"] or row["created_at"]),
        "url": row["url"],
        "default_locale": row["language"],
    }


def _statistics(row: dict[str, Any]) -> dict[str, Any]:
    votes = (row["helpful"] or 0) + (row["unhelpful"] or 0)
    return {
        "type": "article_statistics",
        "views": row["views"] or 0,
        "conversions": 0,
        "reactions": votes,
        "happy_reaction_percentage": 100 * (row["helpful"] or 0) / votes if votes else 0.0,
        "neutral_reaction_percentage": 0.0,
        "sad_reaction_percentage": 100 * (row["unhelpful"] or 0) / votes if votes else 0.0,
    }


def _body(text: str) -> str:
    return f"<p>{html.escape(text, quote=False)}</p>".replace("\n", "<br>")


def _author(thread: Thread, role: str) -> dict[str, Any]:
    if role == "customer":
        return {"type": "user", "id": thread.row["customer_id"] or "u0", "name": None, "email": "someone@mail.example"}
    if role == "bot":
        return {"type": "bot", "id": "8", "name": "Fin", "email": "fin@intercom.example",
                "from_ai_agent": True, "is_ai_answer": True}  # fmt: skip
    return {"type": "admin", "id": "901", "name": None, "email": "agent@shop.example"}


def _conversation(desk: HelpDesk, thread: Thread) -> dict[str, Any]:
    row, first = (
        thread.row,
        thread.messages[0] if thread.messages else {"role": "customer", "text": "", "sent_at": None},
    )
    urls = {one["article_id"]: one["url"] for one in desk.articles}
    parts = [_part(thread, place, message, urls) for place, message in enumerate(thread.messages) if place]
    note = {
        "type": "conversation_part", "id": "n1", "part_type": "note", "body": "<p>never mine this note</p>",
        "created_at": _epoch(thread.updated_at), "updated_at": _epoch(thread.updated_at),
        "author": _author(thread, "agent"), "attachments": [], "redacted": False,
    }  # fmt: skip
    custom = {
        "Language": row["language"], "Product": row["product"], "Region": row["region"],
        "Intent": row["predicted_intent"],
    }  # fmt: skip
    custom = {name: value for name, value in custom.items() if value is not None}
    if row["intent_confidence"] is not None:
        custom["Confidence"] = str(row["intent_confidence"])
    rating = (
        {"rating": int(row["csat"]), "remark": "", "created_at": _epoch(thread.updated_at)} if row["csat"] else None
    )
    state = "escalated" if row["escalated"] else "confirmed_resolution" if row["resolved"] else "assumed_resolution"
    tags = [{"type": "tag", "id": name, "name": name} for name in [*(row["tags"] or ()), *_outcome_tags(thread)]]
    return {
        "type": "conversation",
        "id": str(thread.number),
        "created_at": _epoch(row["started_at"]),
        "updated_at": _epoch(thread.updated_at),
        "open": False,
        "state": "closed",
        "read": True,
        "priority": "not_priority",
        "source": {
            "type": {"chat": "conversation"}.get(row["channel"], row["channel"])
            if row["channel"] in ("chat", "email") else "conversation",
            "id": "s1", "delivered_as": "customer_initiated", "subject": "", "body": _body(first["text"]),
            "author": _author(thread, first["role"]), "attachments": [], "redacted": False,
        },
        "contacts": {
            "type": "contact.list",
            "contacts": [{"type": "contact", "id": row["customer_id"]}] if row["customer_id"] else [],
        },
        "tags": {"type": "tag.list", "tags": tags},
        **({"conversation_rating": rating} if rating else {}),
        "custom_attributes": custom,
        "conversation_parts": {
            "type": "conversation_part.list", "conversation_parts": [*parts, note], "total_count": len(parts) + 1,
        },
        "linked_objects": {"type": "list", "total_count": 0, "has_more": False, "data": []},
        "ai_agent_participated": any(message["role"] == "bot" for message in thread.messages),
        "ai_agent": {
            "source_type": "profile", "source_title": "Fin", "last_answer_type": "ai_answer",
            "resolution_state": state, "rating": None, "rating_remark": None,
            "content_sources": {"type": "content_source.list", "total_count": 0, "content_sources": []},
        },
    }  # fmt: skip


def _outcome_tags(thread: Thread) -> list[str]:
    return [f"bot-{row['outcome']}" for row in thread.outcomes[:1]]


def _part(thread: Thread, place: int, message: dict[str, Any], urls: dict[str, str]) -> dict[str, Any]:
    body = _body(message["text"])
    for article in message.get("article_ids") or ():
        body += f'<p><a href="{urls[article]}"></a></p>' if article in urls else ""
    sent = _epoch(message.get("sent_at") or thread.row["started_at"])
    return {
        "type": "conversation_part", "id": f"p{thread.number}-{place}", "part_type": "comment", "body": body,
        "created_at": sent, "updated_at": sent, "author": _author(thread, message["role"]), "attachments": [],
        "redacted": False,
    }  # fmt: skip
