"""The fake Intercom and what is asked of it are held to Intercom's own description of its API."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI, Request, Response
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from starlette.middleware.base import BaseHTTPMiddleware

from lacuna.pipelines.push.registry import make_target
from lacuna.pipelines.push.target import Draft
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.sources import pull
from tests.support.paths import SHARED
from tests.support.servers import serving
from tests.support.vendors import writing
from tests.support.vendors.help_desk import help_desk
from tests.support.vendors.vendors import INTERCOM

DESCRIPTION = SHARED / "vendors" / "intercom-2.15.openapi.yaml"
pytestmark = pytest.mark.skipif(not DESCRIPTION.exists(), reason=f"{DESCRIPTION.name} is not there")
PATHS = {"/admins", "/articles", "/articles/{article_id}", "/conversations/search", "/conversations/{conversation_id}"}
HOST = "https://api.intercom.io"


@cache
def description() -> OpenAPI:
    whole = yaml.load(DESCRIPTION.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    whole["paths"] = {path: of for path, of in whole["paths"].items() if path in PATHS}
    # The description as a whole has faults of its own, in what Lacuna does not use.
    return OpenAPI.from_dict(whole, config=Config(spec_validator_cls=None))


def recorded(app: FastAPI, exchanges: list[tuple[MockRequest, MockResponse]]) -> FastAPI:
    """The app; every request and its answer are recorded."""

    async def record(request: Request, call_next: Any) -> Response:
        body = await request.body()
        response = await call_next(request)
        answer = b"".join([chunk async for chunk in response.body_iterator])
        of = MockRequest(
            HOST, request.method.lower(), request.url.path, path_pattern=None, args=dict(request.query_params),
            headers=dict(request.headers), data=body or None, content_type="application/json",
        )  # fmt: skip
        exchanges.append((of, MockResponse(answer, status_code=response.status_code, content_type="application/json")))
        return Response(answer, response.status_code, media_type="application/json")

    app.add_middleware(BaseHTTPMiddleware, dispatch=record)
    return app


def test_requests_and_answers_are_as_intercom_describes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, secret in INTERCOM.secrets.items():
        monkeypatch.setenv(variable, secret)
    desk = help_desk(12)
    desk.articles = desk.articles[:6]
    exchanges: list[tuple[MockRequest, MockResponse]] = []
    with serving(recorded(INTERCOM.app(desk), exchanges)) as address:
        pull.pull(INTERCOM.settings(tmp_path, address), "desk", tmp_path / "bundle")
    assert {request.path.split("/")[1] for request, _ in exchanges} == {"admins", "articles", "conversations"}
    for request, response in exchanges:
        description().validate_request(request)
        description().validate_response(request, response)


def test_pushed_drafts_are_sent_as_intercom_describes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, secret in INTERCOM.secrets.items():
        monkeypatch.setenv(variable, secret)
    exchanges: list[tuple[MockRequest, MockResponse]] = []
    with serving(recorded(writing.intercom_articles({}), exchanges)) as address:
        (tmp_path / "ours.toml").write_text(
            f'[push.desk]\ntype = "intercom"\naddress = "{address}"\nauthor_id = 5\ncollection_id = 7\n'
        )
        target = make_target(load_settings(str(tmp_path / "ours.toml")), "desk")
        draft = Draft("g-1", "Duty on parcels", "All deliveries are duty paid.")
        remote_id = target.create(draft)
        target.update(remote_id, draft)
        assert target.read(remote_id) is not None
    assert [request.method for request, _ in exchanges] == ["post", "put", "get"]
    for request, response in exchanges:
        description().validate_request(request)
        description().validate_response(request, response)


def test_the_description_would_notice_a_fake_that_drifts(tmp_path: Path) -> None:
    request = MockRequest(HOST, "get", "/admins", headers={"Authorization": "Bearer x", "Intercom-Version": "2.15"})
    wrong = {"type": "admin.list", "admins": [{"type": "admin", "id": 7}]}
    with pytest.raises(Exception, match=r"id|valid|schema"):
        description().validate_response(request, MockResponse(json.dumps(wrong).encode()))
