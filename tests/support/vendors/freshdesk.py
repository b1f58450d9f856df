"""A fake Freshdesk: agents, solutions, the list of tickets, their conversations, and ratings."""

from __future__ import annotations

import base64
import html
from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from lacuna.pipelines.sources.fields import time_from_iso
from tests.support.vendors.help_desk import HelpDesk, Thread

KEY = "aBcdEf0123"
BOT, AGENT = 71, 72
STEPS = {1.0: -103, 2.0: -102, 3.0: 100, 4.0: 102, 5.0: 103}
ESCALATED = "went-to-people"
_SOURCES = {"email": 1, "web": 2, "phone": 3, "chat": 7}
_MOST_PAGES = 300


def freshdesk(desk: HelpDesk, *, spam: frozenset[int] = frozenset(), merged: frozenset[int] = frozenset()) -> FastAPI:
    """The API over a help desk's conversations.

    Parameters
    ----------
    desk
        What it serves; a test may change it between requests. Threads that are deleted are in the trash. A thread's
        rating is as old as the thread, or as the value ``rated_at`` of its row.
    spam, merged
        Numbers of threads that are spam, or were merged into another.
    """
    app = FastAPI()

    @app.middleware("http")
    async def check(request: Request, call_next: Any) -> Any:
        expected = "Basic " + base64.b64encode(f"{KEY}:X".encode()).decode()
        if request.headers.get("authorization") != expected:
            return JSONResponse({"code": "invalid_credentials", "message": "You have to be logged in"}, 401)
        if int(request.query_params.get("per_page", 30)) > 100:
            return _invalid("per_page", "It should be a Positive Integer less than or equal to 100")
        return await call_next(request)

    @app.get("/api/v2/agents")
    def agents(page: int = 1, per_page: int = 30) -> Any:
        return _page([_agent(desk, row) for row in desk.owners], page, per_page)

    _add_solutions(app, desk)

    @app.get("/api/v2/tickets")
    def tickets(request: Request, page: int = 1, per_page: int = 30) -> Any:
        query = request.query_params
        if page > _MOST_PAGES:
            return _invalid("page", "You cannot access tickets beyond the 300th page")
        where = query.get("filter")
        assert where in (None, "deleted", "spam")
        assert query["order_by"] == "updated_at"
        assert query["order_type"] == "asc"
        since = time_from_iso(query["updated_since"])
        rows = [one for one in desk.threads if _where(one, spam) == where and _second(one.updated_at) >= since]
        rows.sort(key=lambda one: (_second(one.updated_at), one.number))
        included = (query.get("include") or "").split(",")
        return _page([_ticket(one, included) for one in rows], page, per_page)

    @app.get("/api/v2/tickets/{number}")
    def ticket(number: int, include: str = "") -> Any:
        thread = desk.thread(number)
        if thread is None:
            return JSONResponse(None, 404)
        return _ticket(thread, [*include.split(","), "description"])

    @app.get("/api/v2/tickets/{number}/conversations")
    def conversations(request: Request, number: int, page: int = 1, per_page: int = 30) -> Any:
        thread = desk.thread(number)
        if thread is None:
            return JSONResponse(None, 404)
        return _page(_entries(desk, thread, str(request.base_url), number in merged), page, per_page)

    @app.get("/api/v2/surveys/satisfaction_ratings")
    def ratings(created_since: str, page: int = 1, per_page: int = 30) -> Any:
        since = time_from_iso(created_since)
        rated = [one for one in desk.served() if one.row["csat"] and one.row["started_at"] >= since]
        return _page([_rating(one) for one in rated], page, per_page)

    return app


def _add_solutions(app: FastAPI, desk: HelpDesk) -> None:
    @app.get("/api/v2/solutions/categories")
    def categories(page: int = 1, per_page: int = 30) -> Any:
        return _page([{"id": 3, "name": "General"}], page, per_page)

    @app.get("/api/v2/solutions/categories/3/folders")
    def folders(page: int = 1, per_page: int = 30) -> Any:
        languages = sorted({row["language"] for row in desk.articles})
        rows = [{"id": 40 + i, "name": one, "sub_folders_count": 0} for i, one in enumerate(languages)]
        return _page(rows, page, per_page)

    @app.get("/api/v2/solutions/folders/{folder}/articles")
    def articles(folder: int, page: int = 1, per_page: int = 30) -> Any:
        language = sorted({row["language"] for row in desk.articles})[folder - 40]
        rows = [_article(desk, row) for row in desk.articles if row["language"] == language]
        return _page(rows, page, per_page)


def stars(csat: float | None) -> float | None:
    """A rating of the help desk as it comes back: Freshdesk's seven steps are not five."""
    return {2.0: 1.67, 4.0: 4.33}.get(csat, csat) if csat else csat


def _page(rows: list[Any], page: int, per_page: int) -> list[Any]:
    return rows[(page - 1) * per_page : page * per_page]


def _invalid(field: str, message: str) -> JSONResponse:
    errors = [{"field": field, "message": message, "code": "invalid_value"}]
    return JSONResponse({"description": "Validation failed", "errors": errors}, 400)


def _where(thread: Thread, spam: frozenset[int]) -> str | None:
    return "deleted" if thread.is_deleted else "spam" if thread.number in spam else None


def _second(time: datetime) -> datetime:
    return time.replace(microsecond=0)


def _iso(time: datetime | None) -> str | None:
    return time and time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _agent(desk: HelpDesk, row: dict[str, Any]) -> dict[str, Any]:
    contact = {"active": True, "email": row["email"], "name": row["name"], "language": "en"}
    return {"id": desk.owner_number[row["owner_id"]], "available": True, "type": "support_agent", "contact": contact}


def _article(desk: HelpDesk, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": desk.article_number[row["article_id"]], "type": 1, "category_id": 3, "folder_id": 4,
        "hierarchy": [
            {"level": level, "type": kind, "data": {"id": 3, "name": "General", "language": row["language"]}}
            for level, kind in enumerate(("category", "folder"))
        ],
        "thumbs_up": row["helpful"], "thumbs_down": row["unhelpful"], "hits": row["views"], "seo_data": {},
        "agent_id": desk.owner_number.get(row["owner_id"]), "title": row["title"], "description": row["body"],
        "description_text": row["body"], "status": 2 if row["status"] in (None, "published") else 1,
        "created_at": _iso(row["created_at"]), "updated_at": _iso(row["updated_at"] or row["created_at"]),
    }  # fmt: skip


def _body(text: str) -> str:
    return f"<div>{html.escape(text, quote=False)}</div>".replace("\n", "<br>")


def _ticket(thread: Thread, included: list[str]) -> dict[str, Any]:
    row = thread.row
    custom = {
        "cf_language": row["language"], "cf_product": row["product"], "cf_region": row["region"],
        "cf_confidence": row["intent_confidence"],
    }  # fmt: skip
    tags = [*(row["tags"] or ()), *(f"bot-{one['outcome']}" for one in thread.outcomes[:1])]
    ticket = {
        "id": thread.number, "subject": "A question", "status": 5 if row["resolved"] else 2, "priority": 1,
        "source": _SOURCES.get(row["channel"], 9), "type": row["predicted_intent"], "spam": False,
        "requester_id": thread.number + 7, "responder_id": None, "custom_fields": custom,
        "tags": [*tags, *([ESCALATED] if row["escalated"] else [])],
        "created_at": _iso(row["started_at"]), "updated_at": _iso(thread.updated_at),
    }  # fmt: skip
    if "description" in included:
        ticket["description"] = _body(thread.messages[0]["text"] if thread.messages else "")
    if "requester" in included:
        ticket["requester"] = {"id": thread.number + 7, "name": None, "email": "someone@mail.example"}
    if "stats" in included:
        ticket["stats"] = {"resolved_at": None, "reopened_at": None, "first_responded_at": None}
    return ticket


def _entries(desk: HelpDesk, thread: Thread, address: str, is_merged: bool) -> list[dict[str, Any]]:
    entries = []
    for place, message in enumerate(thread.messages[1:], 1):
        body = _body(message["text"])
        for article in message.get("article_ids") or ():
            if article in desk.article_number:
                url = f"{address}support/solutions/articles/{desk.article_number[article]}-some-title"
                body += f'<div><a href="{url}"></a></div>'
        user = {"customer": thread.number + 7, "bot": BOT, "agent": AGENT}[message["role"]]
        sent = message.get("sent_at") or thread.row["started_at"]
        entries.append(_entry(thread, place, body, user, sent, incoming=message["role"] == "customer", private=False))
    text = "This ticket is closed and merged into ticket 7" if is_merged else "never mine this note"
    note = _entry(thread, 99, _body(text), AGENT, thread.updated_at, incoming=False, private=True)
    forward = _entry(thread, 98, _body("never mine this forward"), AGENT, thread.updated_at, False, False)
    return [*entries, {**note, "source": 2}, {**forward, "source": 8}]


def _entry(
    thread: Thread, place: int, body: str, user: int, sent: datetime, incoming: bool, private: bool
) -> dict[str, Any]:
    return {
        "id": thread.number * 100 + place, "body": body, "body_text": body.removeprefix("<div>").split("</div>")[0],
        "incoming": incoming, "private": private, "user_id": user, "support_email": None, "source": 0,
        "ticket_id": thread.number, "from_email": None, "created_at": _iso(sent), "updated_at": _iso(sent),
    }  # fmt: skip


def _rating(thread: Thread) -> dict[str, Any]:
    rated = thread.row.get("rated_at") or thread.row["started_at"]
    return {
        "id": thread.number, "survey_id": 1, "user_id": thread.number + 7, "agent_id": AGENT, "feedback": None,
        "group_id": None, "ticket_id": thread.number, "ratings": {"default_question": STEPS[thread.row["csat"]]},
        "created_at": _iso(rated), "updated_at": _iso(rated),
    }  # fmt: skip
