"""The board's web application: pages, forms and API with access control and rate limits, and its server."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from limits import parse
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from slowapi.middleware import SlowAPIASGIMiddleware
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse, Response

from lacuna.data_contracts.errors import (
    LacunaError,
    SettingsInvalid,
    StoreUnusable,
)
from lacuna.pipelines.board import actions, api, ask, meeting, pages, sign_in, topics, transcripts, trying
from lacuna.pipelines.board.bodies import TOO_LARGE
from lacuna.pipelines.board.context import ERROR_CODES, BoardContext
from lacuna.pipelines.board.middleware import Guard, host_of, is_loopback
from lacuna.pipelines.board.roles import People, Person
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.runtime.runner import version
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state.dead_runs import open_store
from lacuna.pipelines.state.repository import State

__all__ = ["make_app", "serve"]

_CHANGE_ERRORS = (400, 401, 403, 404, 409, 413, 421, 422, 429, 503)
_HEADINGS = {
    403: "Not yours to do",
    404: "Not found",
    409: "Not possible now",
    413: "Too much at once",
    429: "Too fast",
    503: "The store is away",
}


def make_app(
    store: StorePath, settings: Settings, state: State, who: str, hosts: Collection[str] | None = None
) -> FastAPI:
    """Build the board over a store.

    Parameters
    ----------
    store
        The store's folder; it may have no run yet.
    settings
        ``[board]`` says who may sign in.
    state
        The store's state database.
    who
        The name that decisions carry where nobody signs in.
    hosts
        Names and addresses under which it may be called where nobody signs in; those of this machine by default.

    Raises
    ------
    SettingsInvalid
        The people's file is wrong.
    """
    people = People(settings.board, Person(who, "manager"))
    board = BoardContext.at(store, settings, state, people)
    allowed_hosts = None if people.signs_in else {"localhost", "127.0.0.1", "::1", *(hosts or ())}
    # Limits count by endpoint, because each gap has its own address; the limit on all requests is shared.
    limiter = Limiter(
        key_func=_client_key, key_style="endpoint", application_limits=[f"{settings.board.requests_a_minute}/minute"]
    )
    refusals = parse(f"{settings.board.requests_a_minute}/minute")

    def refused_often(request: Request) -> Response | None:
        within = limiter.limiter.hit(refusals, "refused", _client_key(request))
        return None if within else _too_fast(request)

    guard = Middleware(
        Guard,
        people=people,
        sessions=board.sessions,
        page=board.message_page,
        hosts=allowed_hosts,
        too_fast=refused_often,
    )
    app = FastAPI(
        title="Lacuna review board", version=version(), openapi_url="/api/openapi.json", docs_url=None, redoc_url=None,
        middleware=[guard, Middleware(SlowAPIASGIMiddleware)],
    )  # fmt: skip
    app.state.board, app.state.limiter = board, limiter
    changes = f"{settings.board.changes_a_minute}/minute"
    for path, view, limit in (
        ("/decide", actions.decide, changes), ("/tags", sign_in.tag_conversation, changes),
        ("/topics/{topic_id}/edit", topics.edit, changes), ("/topic-edits/{edit_id}/undo", topics.undo, changes),
        ("/meeting", meeting.begin, changes), ("/meeting/{meeting_id}/end", meeting.close, changes),
        ("/gaps/{gap_id}/try", trying.try_draft, changes),
    ):  # fmt: skip
        app.post(path, include_in_schema=False)(limiter.limit(limit)(view))
    app.post("/sign-in", include_in_schema=False)(sign_in.sign_in)
    limiter.exempt(sign_in.sign_in)  # it counts by itself: see there
    tries = parse(f"{settings.board.sign_ins_a_minute}/minute")

    def sign_in_too_often(request: Request, person: Person | None) -> Response | None:
        key = f"person {person.name}" if person else _client_key(request)
        return None if limiter.limiter.hit(tries, "sign-in", key) else _too_fast(request)

    app.state.sign_in_too_often = sign_in_too_often
    error_models: dict[int | str, dict[str, Any]] = {code: {"model": api.Problem} for code in _CHANGE_ERRORS}
    for path, change in (
        ("/api/gaps/{gap_id}/decisions", api.decide_gap), ("/api/gaps/{gap_id}/undo", api.undo_gap),
        ("/api/tags", api.tag_conversation), ("/api/topics/{topic_id}/edits", api.edit_topic),
        ("/api/topic-edits/{edit_id}/undo", api.undo_topic_edit),
    ):  # fmt: skip
        app.post(path, status_code=201, tags=["board"], responses=error_models)(limiter.limit(changes)(change))
    limiter.exempt(pages.static)
    for router in (
        pages.router,
        transcripts.router,
        meeting.router,
        topics.router,
        actions.router,
        sign_in.router,
        api.router,
    ):
        app.include_router(router)
    app.include_router(ask.router)
    app.add_exception_handler(LacunaError, _lacuna)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(RateLimitExceeded, _too_fast)
    return app


def serve(
    store: StorePath, settings: Settings, host: str, port: int, who: str, ready: Callable[[], None] = lambda: None
) -> None:
    """Serve the board until it is stopped; ``ready`` is called once all checks have passed.

    Raises
    ------
    SettingsInvalid
        Others could reach it, and nobody signs in; the people's file is wrong; the port is taken.
    StoreUnusable
        There is no such store, or its state can't be used.
    """
    import uvicorn

    if not store.is_dir():
        raise StoreUnusable(f"there is no store {store}", f"make one with `lacuna run BUNDLE --store {store}`")
    if not is_loopback(host) and not People(settings.board, Person(who, "manager")).signs_in:
        raise SettingsInvalid(
            f"on {host} anybody in reach could decide: without sign-in the board is for this machine alone",
            "let people sign in: 'board.people' or 'board.proxy_header' (`lacuna token --help`); or leave --host out",
        )
    _check_free(host, port)
    with open_store(settings, store) as state:
        app = make_app(store, settings, state, who, {host_of(host) or host})
        ready()
        # Guard decides which proxies to trust: uvicorn must not take the client's address from a header.
        uvicorn.run(
            app, host=host, port=port, proxy_headers=False,
            server_header=False, access_log=False, log_level="warning",
        )  # fmt: skip


def _check_free(host: str, port: int) -> None:
    """Fail early and clearly if the port is taken or the address is not one of this machine."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise SettingsInvalid(
            f"the board can't listen on {host}, port {port}: {error.strerror}", "choose another --port or --host"
        ) from None


def _client_key(request: Request) -> str:
    """The key for rate limits: the person, or the client's address before sign-in."""
    person = request.scope.get("state", {}).get("person")
    return f"person {person.name}" if person else f"address {request.client.host if request.client else ''}"


def _problem_response(
    request: Request, code: int, problem: str, remedy: str, headers: dict[str, str] | None = None
) -> Response:
    if request.url.path.startswith("/api"):
        return JSONResponse({"problem": problem, "remedy": remedy}, code, headers)
    words = " ".join(f"{part[:1].upper()}{part[1:]}." for part in (problem, remedy) if part)
    board: BoardContext = request.app.state.board
    if code == 503:
        return PlainTextResponse(words, code)  # without its state no page can be made
    response = board.message_page(request, code, _HEADINGS.get(code, "That did not work"), words)
    response.headers.update(headers or {})
    return response


def _lacuna(request: Request, error: Exception) -> Response:
    if not isinstance(error, LacunaError):
        raise error
    return _problem_response(request, ERROR_CODES.get(type(error), 404), error.problem, error.remedy)


def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    words = {
        404: ("there is no such page", "the backlog lists all gaps"), 405: ("this can't be done here", ""),
        413: (TOO_LARGE, "nothing was changed"),
    }  # fmt: skip
    return _problem_response(request, error.status_code, *words.get(error.status_code, (str(error.detail), "")))


def _invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    first_error = error.errors()[0]
    name = ".".join(str(part) for part in first_error["loc"][1:])
    return _problem_response(request, 422, f"'{name}': {first_error['msg']}", "/api/openapi.json describes every field")


def _too_fast(request: Request, _error: Exception | None = None) -> Response:
    return _problem_response(
        request, 429, "too many requests came from you at once", "wait a minute", {"Retry-After": "60"}
    )
