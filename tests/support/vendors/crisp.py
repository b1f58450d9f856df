"""A fake Crisp: operators, the helpdesk's articles, the list of conversations, their messages, and ratings."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from lacuna.pipelines.sources.fields import time_from_iso
from tests.support.vendors.help_desk import HelpDesk, Thread

IDENTIFIER, KEY, WEBSITE = "e47d7a40-6f0b", "9f1c7ec05f2a", "8c842203-7ed8"
ROOT = f"/website/{WEBSITE}"
_BATCH = 20  # messages of an answer
_ARTICLES = 20  # of a page


def crisp(desk: HelpDesk) -> FastAPI:
    """The API over a help desk's conversations; a test may change the desk between requests."""
    app = FastAPI()

    @app.middleware("http")
    async def check(request: Request, call_next: Any) -> Any:
        expected = "Basic " + base64.b64encode(f"{IDENTIFIER}:{KEY}".encode()).decode()
        if request.headers.get("authorization") != expected or request.headers.get("x-crisp-tier") != "website":
            return _refused("invalid_session", 401)
        return await call_next(request)

    @app.get(f"{ROOT}/operators/list")
    def operators() -> Any:
        rows = []
        for row in desk.owners:
            first, _, last = row["name"].partition(" ")
            user = str(desk.owner_number[row["owner_id"]])
            details = {"user_id": user, "first_name": first, "last_name": last, "email": row["email"]}
            rows.append({"type": "operator", "details": details})
        return _listed(rows)

    _add_helpdesk(app, desk)

    @app.get(f"{ROOT}/conversations/{{page}}")
    def conversations(request: Request, page: int, per_page: int = 20) -> Any:
        if not 20 <= per_page <= 50:
            return _refused("invalid_data", 400)
        query = request.query_params
        assert query["order_date_updated"] == "1"
        start, end = (time_from_iso(query[f"filter_date_{one}"]) for one in ("start", "end"))
        rows = [one for one in desk.served() if start <= one.updated_at <= end]
        rows.sort(key=lambda one: (one.updated_at, one.number), reverse=True)
        return _listed([_conversation(one) for one in rows[(page - 1) * per_page : page * per_page]])

    @app.get(f"{ROOT}/conversation/{{session}}/messages")
    def messages(session: str, timestamp_before: int | None = None) -> Any:
        thread = _thread(desk, session)
        if thread is None:
            return _refused("conversation_not_found", 404)
        rows = sorted(_messages(desk, thread), key=lambda one: one["timestamp"])
        before = [one for one in rows if timestamp_before is None or one["timestamp"] < timestamp_before]
        return _listed(before[-_BATCH:])

    @app.get(f"{ROOT}/rating/session/{{session}}")
    def rating(session: str) -> Any:
        thread = _thread(desk, session)
        if thread is None or not thread.row["csat"]:
            return _refused("rating_not_found", 404)
        return _listed({"stars": int(thread.row["csat"]), "comment": None, "created_at": _ms(thread.updated_at)})

    return app


def _add_helpdesk(app: FastAPI, desk: HelpDesk) -> None:
    @app.get(f"{ROOT}/helpdesk/locales/{{page}}")
    def locales(page: int) -> Any:
        names = sorted({row["language"] for row in desk.articles})
        return _listed([{"locale_id": f"l-{one}", "locale": one} for one in names] if page == 1 else [])

    @app.get(f"{ROOT}/helpdesk/locale/{{locale}}/articles/{{page}}")
    def articles(locale: str, page: int) -> Any:
        rows = [_article(desk, row) for row in desk.articles if row["language"] == locale]
        some = rows[(page - 1) * _ARTICLES : page * _ARTICLES]
        return _listed([{key: value for key, value in row.items() if key != "content"} for row in some])

    @app.get(f"{ROOT}/helpdesk/locale/{{locale}}/article/{{article_id}}")
    def article(locale: str, article_id: str) -> Any:
        for row in desk.articles:
            if str(desk.article_number[row["article_id"]]) == article_id:
                return _listed(_article(desk, row))
        return _refused("article_not_found", 404)


def session_id(number: str) -> str:
    """The session of a thread's number."""
    return f"session_{number}-94d5-43a8-947f"


def _thread(desk: HelpDesk, session: str) -> Thread | None:
    return desk.thread(int(session.removeprefix("session_").split("-")[0]))


def _listed(data: Any) -> dict[str, Any]:
    return {"error": False, "reason": "listed", "data": data}


def _refused(reason: str, status: int) -> JSONResponse:
    return JSONResponse({"error": True, "reason": reason, "data": {}}, status)


def _ms(when: datetime) -> int:
    return round(when.timestamp() * 1000)


def _article(desk: HelpDesk, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "article_id": str(desk.article_number[row["article_id"]]), "title": row["title"], "description": "",
        "content": row["body"], "status": "published" if row["status"] in (None, "published") else "draft",
        "visibility": "visible", "visits": row["views"], "url": row["url"], "created_at": _ms(row["created_at"]),
        "updated_at": _ms(row["updated_at"] or row["created_at"]),
    }  # fmt: skip


def _conversation(thread: Thread) -> dict[str, Any]:
    row = thread.row
    data = {"language": row["language"], "product": row["product"], "region": row["region"],
            "intent": row["predicted_intent"], "confidence": row["intent_confidence"]}  # fmt: skip
    return {
        "session_id": session_id(str(thread.number)), "website_id": WEBSITE, "people_id": row["customer_id"],
        "state": "resolved" if row["resolved"] else "unresolved", "is_blocked": False,
        "assigned": {"user_id": "901"} if row["escalated"] else {},
        "meta": {
            "nickname": None, "email": "someone@mail.example", "origin": row["channel"],
            "segments": [*(row["tags"] or ()), *(f"bot-{one['outcome']}" for one in thread.outcomes[:1])],
            "data": {name: value for name, value in data.items() if value is not None},
        },
        "created_at": _ms(row["started_at"]), "updated_at": _ms(thread.updated_at),
    }  # fmt: skip


def _messages(desk: HelpDesk, thread: Thread) -> list[dict[str, Any]]:
    urls = {row["article_id"]: row["url"] for row in desk.articles}
    rows = []
    for place, message in enumerate(thread.messages):
        cited = [urls[one] for one in message.get("article_ids") or () if one in urls]
        rows.append(_message(
            thread, place, "text", message["text"], message.get("sent_at") or thread.row["started_at"],
            sender="user" if message["role"] == "customer" else "operator", automated=message["role"] == "bot",
            references=[{"type": "page", "name": "", "target": one} for one in cited],
        ))  # fmt: skip
    end = thread.updated_at
    rows.append(_message(thread, 97, "note", "never mine this note", end))
    rows.append(_message(thread, 98, "event", {"namespace": "state:resolved"}, end))
    return rows


def _message(
    thread: Thread, place: int, kind: str, content: Any, sent: datetime, sender: str = "operator", **more: Any
) -> dict[str, Any]:
    return {
        "session_id": session_id(str(thread.number)), "website_id": WEBSITE, "type": kind, "from": sender,
        "origin": "chat", "content": content, "fingerprint": thread.number * 100 + place, "timestamp": _ms(sent),
        "user": {"user_id": "901", "nickname": None}, "automated": False, **more,
    }  # fmt: skip
