"""Fakes that drafts are pushed to: help centers and a repository, each a dictionary that a test may change."""

from __future__ import annotations

import base64
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

Store = dict[str, dict[str, Any]]
MISSING = JSONResponse({"error": "not found"}, 404)


def zendesk_guide(articles: Store) -> FastAPI:
    """Articles of a Zendesk help center; it takes unsafe HTML out of bodies, as the real one does."""
    app = FastAPI()
    base = "/api/v2/help_center"

    @app.post(base + "/{locale}/sections/{section}/articles.json")
    async def create(locale: str, section: int, request: Request) -> Any:
        body = await request.json()
        assert body["notify_subscribers"] is False
        key = str(7000 + len(articles))
        articles[key] = {**body["article"], "id": int(key), "html_url": f"https://help.example/{locale}/{key}"}
        return {"article": articles[key]}

    @app.put(base + "/articles/{key}/translations/{locale}.json")
    async def update(key: str, locale: str, request: Request) -> Any:
        articles[key] |= (await request.json())["translation"]
        return {"translation": {**articles[key], "locale": locale}}

    @app.get(base + "/{locale}/articles.json")
    def labelled(label_names: str) -> Any:
        return {"articles": [one for one in articles.values() if label_names in one["label_names"]]}

    @app.get(base + "/{locale}/articles/{key}.json")
    def read(locale: str, key: str) -> Any:
        if key not in articles:
            return MISSING
        return {"article": {**articles[key], "locale": locale, "body": articles[key]["body"].replace("\n\n", "\n")}}

    return app


def intercom_articles(articles: Store) -> FastAPI:
    """Articles of an Intercom help center."""
    app = FastAPI()

    def shown(key: str) -> dict[str, Any]:
        return {"type": "article", "id": key, "url": f"https://intercom.help/shop/{key}", **articles[key]}

    @app.post("/articles")
    async def create(request: Request) -> Any:
        key = str(9000 + len(articles))
        articles[key] = await request.json()
        return shown(key)

    @app.put("/articles/{key}")
    async def update(key: str, request: Request) -> Any:
        articles[key] |= await request.json()
        return shown(key)

    @app.get("/articles/{key}")
    def read(key: str) -> Any:
        return shown(key) if key in articles else MISSING

    return app


def crisp_helpdesk(articles: Store) -> FastAPI:
    """Articles of a Crisp helpdesk, in one language."""
    app = FastAPI()
    base = "/website/w1/helpdesk/locale/en/article"

    @app.post(base)
    async def create(request: Request) -> Any:
        key = f"article-{len(articles)}"
        articles[key] = {**(await request.json()), "status": "draft"}
        return {"error": False, "reason": "added", "data": {"article_id": key}}

    @app.put(base + "/{key}")
    async def update(key: str, request: Request) -> Any:
        articles[key] |= await request.json()
        return {"error": False, "reason": "updated", "data": {}}

    @app.get(base + "/{key}")
    def read(key: str) -> Any:
        return {"error": False, "reason": "resolved", "data": articles[key]} if key in articles else MISSING

    return app


def github(branches: Store) -> FastAPI:
    """A repository: its branches, each with files and, where there is one, a pull request."""
    app = FastAPI()
    branches.setdefault("main", {"files": {}})
    base = "/repos/shop/help"

    @app.get(base + "/git/ref/heads/{branch}")
    def ref(branch: str) -> Any:
        return {"object": {"sha": f"sha-of-{branch}"}} if branch in branches else MISSING

    @app.post(base + "/git/refs")
    async def make(request: Request) -> Any:
        name = (await request.json())["ref"].removeprefix("refs/heads/")
        if name in branches:
            return JSONResponse({"message": "Reference already exists"}, 422)
        branches[name] = {"files": dict(branches["main"]["files"])}
        return JSONResponse({"ref": name}, 201)

    @app.get(base + "/contents/{path:path}")
    def read(path: str, ref: str) -> Any:
        text = branches.get(ref, {"files": {}})["files"].get(path)
        if text is None:
            return MISSING
        return {"sha": str(hash(text)), "content": base64.b64encode(text.encode()).decode()}

    @app.put(base + "/contents/{path:path}")
    async def write(path: str, request: Request) -> Any:
        body = await request.json()
        assert body["branch"] != "main"
        files = branches[body["branch"]]["files"]
        if path in files and body.get("sha") != str(hash(files[path])):
            return JSONResponse({"message": "does not match"}, 409)
        files[path] = base64.b64decode(body["content"]).decode()
        return {"content": {"path": path}}

    @app.get(base + "/pulls")
    def pulls(head: str) -> Any:
        pull = branches.get(head.removeprefix("shop:"), {}).get("pull")
        return [pull] if pull else []

    @app.post(base + "/pulls")
    async def open_pull(request: Request) -> Any:
        body = await request.json()
        assert body["draft"] is True
        branches[body["head"]]["pull"] = {"html_url": f"https://github.example/pull/{body['head']}", "merged_at": None}
        return JSONResponse(branches[body["head"]]["pull"], 201)

    return app
