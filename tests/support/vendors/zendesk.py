"""A fake Zendesk: the incremental export of tickets, audits, users, and the articles of the help center."""

from __future__ import annotations

import base64
import html
from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from tests.support.vendors.help_desk import HelpDesk, Thread

USER, TOKEN = "ops@shop.example", "zd-api-token-91"
BOT, AGENT = 77, 901
FIELDS = {"language": 1, "product": 2, "region": 3, "predicted_intent": 4, "intent_confidence": 5, "handle_seconds": 6}
CURSOR = "c2:"


def zendesk(desk: HelpDesk, *, cursors_are_known: bool = True, chats: bool = False) -> FastAPI:
    """The API over a help desk's conversations.

    Parameters
    ----------
    desk
        What it serves; a test may change it between requests.
    cursors_are_known
        Whether a cursor of the export still holds in a later pull.
    chats
        Whether conversations are chats, with the transcript in one event of the ticket, and not comments.
    """
    app = FastAPI()
    given: set[str] = set()

    @app.middleware("http")
    async def check(request: Request, call_next: Any) -> Any:
        expected = base64.b64encode(f"{USER}/token:{TOKEN}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return JSONResponse({"error": "Couldn't authenticate you"}, 401)
        return await call_next(request)

    @app.get("/api/v2/users.json")
    def users(request: Request) -> Any:
        assert request.query_params.getlist("role[]") == ["agent", "admin"]
        return _page(request, "users", [_user(desk, row) for row in desk.owners])

    @app.get("/api/v2/help_center/articles.json")
    def articles(request: Request) -> Any:
        return _page(request, "articles", [_article(desk, row) for row in desk.articles])

    @app.get("/api/v2/incremental/tickets/cursor.json")
    def export(cursor: str | None = None, start_time: int | None = None, per_page: int = 1000) -> Any:
        if cursor and not (cursors_are_known or cursor in given):
            return JSONResponse({"error": "InvalidCursor"}, 400)
        begin = cursor.removeprefix(CURSOR).split("|") if cursor else [str(start_time or 0), "0"]
        after = (float(begin[0]), int(begin[1]))
        threads = sorted(desk.threads, key=lambda one: (one.updated_at, one.number))
        rest = [one for one in threads if (one.updated_at.timestamp(), one.number) > after]
        some = rest[:per_page]
        end = f"{CURSOR}{some[-1].updated_at.timestamp()}|{some[-1].number}" if some else cursor
        given.add(end or "")
        tickets = [_ticket(desk, one, chats) for one in some]
        if len(tickets) > 1:  # a ticket may be exported more than once
            tickets.append(tickets[0])
        return {"tickets": tickets, "after_cursor": end, "after_url": None, "end_of_stream": len(rest) <= per_page}

    @app.get("/api/v2/tickets/{ticket_id}/audits.json")
    def audits(ticket_id: int, request: Request) -> Any:
        thread = desk.thread(ticket_id)
        if thread is None:
            return JSONResponse({"error": "RecordNotFound"}, 404)
        made = [_chat_audit(thread)] if chats else [*_audits(desk, thread)]
        people = [
            {"id": 50_000 + thread.number, "role": "end-user", "name": None, "email": "someone@mail.example"},
            {"id": AGENT, "role": "agent", "name": None, "email": "agent@shop.example"},
            {"id": BOT, "role": "agent", "name": "Helper", "email": None},
        ]
        return _page(request, "audits", made) | {"users": people}

    return app


def _page(request: Request, key: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A page by cursor, as page[size] and page[after] ask for."""
    size, begin = int(request.query_params["page[size]"]), int(request.query_params.get("page[after]", 0))
    size = min(size, 30)  # a server may give fewer than are asked for
    following = str(request.url.include_query_params(**{"page[after]": begin + size}))
    return {
        key: rows[begin : begin + size],
        "meta": {"has_more": begin + size < len(rows), "after_cursor": "x"},
        "links": {"next": following, "prev": None},
    }


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _user(desk: HelpDesk, row: dict[str, Any]) -> dict[str, Any]:
    key = desk.owner_number[row["owner_id"]]
    return {
        "id": key,
        "name": row["name"],
        "email": row["email"],
        "role": "agent",
        "active": row["active"] is not False,
    }


def _article(desk: HelpDesk, row: dict[str, Any]) -> dict[str, Any]:
    helpful, unhelpful = row["helpful"] or 0, row["unhelpful"] or 0
    return {
        "id": desk.article_number[row["article_id"]],
        "title": row["title"],
        "body": row["body"],
        "draft": row["status"] not in (None, "published"),
        "html_url": row["url"],
        "locale": row["language"],
        "source_locale": row["language"],
        "author_id": desk.owner_number.get(row["owner_id"]),
        "created_at": _iso(row["created_at"]),
        "updated_at": _iso(row["updated_at"] or row["created_at"]),
        "edited_at": _iso(row["updated_at"] or row["created_at"]),
        "vote_sum": helpful - unhelpful,
        "vote_count": helpful + unhelpful,
        "outdated_locales": [],
    }


def _ticket(desk: HelpDesk, thread: Thread, chats: bool) -> dict[str, Any]:
    row = thread.row
    tags = [*(row["tags"] or ()), *(f"bot_{one['outcome']}" for one in thread.outcomes[:1])]
    tags += ["handed_off"] if row["escalated"] else ["contained"]
    score = None if row["csat"] is None else "good" if row["csat"] > 3 else "bad"
    return {
        "id": thread.number,
        "created_at": _iso(row["started_at"]),
        "updated_at": _iso(thread.updated_at),
        "status": "deleted" if thread.is_deleted else "closed",
        "via": {"channel": "native_messaging" if chats else row["channel"]},
        "requester_id": 50_000 + thread.number,
        "group_id": None,
        "tags": tags,
        "satisfaction_rating": {"score": score or "unoffered"},
        "custom_fields": [{"id": key, "value": row[name]} for name, key in FIELDS.items()],
    }


def _author(thread: Thread, role: str) -> int:
    return {"customer": 50_000 + thread.number, "bot": BOT, "agent": AGENT}[role]


def _audits(desk: HelpDesk, thread: Thread) -> Any:
    urls = {one["article_id"]: one["url"] for one in desk.articles}
    for place, message in enumerate(thread.messages):
        body = f"<p>{html.escape(message['text'], quote=False)}</p>".replace("\n", "<br>")
        for article in message.get("article_ids") or ():
            body += f'<p><a href="{urls[article]}"></a></p>' if article in urls else ""
        author, sent = _author(thread, message["role"]), message.get("sent_at") or thread.row["started_at"]
        comment = {"id": place, "type": "Comment", "public": True, "author_id": author, "body": message["text"]}
        change = {"id": 1, "type": "Create", "field_name": "status", "value": "new"}
        yield _audit(thread, author, sent, {**comment, "html_body": body}, change)
    note = {"id": 99, "type": "Comment", "public": False, "author_id": AGENT, "body": "never mine this note"}
    yield _audit(thread, AGENT, thread.updated_at, note)


def _audit(thread: Thread, author: int, at: datetime, *events: dict[str, Any]) -> dict[str, Any]:
    return {"id": 1, "ticket_id": thread.number, "created_at": _iso(at), "author_id": author, "events": list(events)}


def _chat_audit(thread: Thread) -> dict[str, Any]:
    actors = {"customer": ("end-user", "visitor:1"), "bot": ("system", "zd:answerBot"), "agent": ("agent", "agent:901")}
    history = [
        {
            "chat_index": place, "type": "ChatMessage", "message": message["text"],
            "actor_type": actors[message["role"]][0], "actor_id": actors[message["role"]][1],
            "timestamp": int((message.get("sent_at") or thread.row["started_at"]).timestamp() * 1000),
        }
        for place, message in enumerate(thread.messages)
    ]  # fmt: skip
    event = {"id": 1, "type": "ChatStartedEvent", "value": {"chat_id": "c", "history": history}}
    return _audit(thread, -1, thread.row["started_at"], event)
