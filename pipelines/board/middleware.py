"""Access control for every request: host, person, origin and body size; and the security headers of every answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lacuna.data_contracts.errors import Refused, SettingsInvalid, StoreUnusable
from lacuna.pipelines.board.bodies import TOO_LARGE, announces_too_much, limited
from lacuna.pipelines.board.roles import People, Person, hashed
from lacuna.pipelines.state.sessions import Sessions

__all__ = [
    "COOKIE",
    "HEADERS",
    "Guard",
    "Page",
    "TooFast",
    "cookie_name",
    "end_session",
    "host_of",
    "is_loopback",
    "start_session",
]

_log = logging.getLogger(__name__)
COOKIE = "lacuna_session"
OPEN = ("/sign-in", "/static/")
_SAFE = {"GET", "HEAD", "OPTIONS"}
# Content comes from the board only. The referrer stays: without it browsers hide where a form was sent from.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
Page = Callable[[Request, int, str, str], Response]
TooFast = Callable[[Request], Response | None]


def is_loopback(host: str) -> bool:
    """Whether a server bound to this name or address can be reached from its own machine only."""
    return host == "localhost" or host == "::1" or host.startswith("127.")


def host_of(netloc: str) -> str:
    """The host in ``host:port``, lower-case, without port and brackets."""
    return (urlsplit(f"//{netloc}").hostname or "") if netloc else ""


class Guard:
    """ASGI middleware: refuses foreign hosts, cross-site writes and large bodies, identifies people, sets headers.

    Parameters
    ----------
    app
        The application behind it.
    people, sessions
        The board's people, and the sessions of those who are signed in.
    page
        Renders a refusal: takes request, status code, heading and words.
    hosts
        Allowed host names; None allows any. Without sign-in this keeps out foreign sites whose name points to this
        machine (DNS rebinding).
    too_fast
        Counts refused requests, and gives the response for clients refused too often: the application's own limits
        count only what passes this middleware.
    """

    def __init__(
        self,
        app: ASGIApp,
        people: People,
        sessions: Sessions,
        page: Page,
        hosts: Collection[str] | None,
        too_fast: TooFast,
    ) -> None:
        self.app = app
        self.people = people
        self.sessions = sessions
        self.page = page
        self.hosts = hosts
        self.too_fast = too_fast

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        request = Request(scope)
        scope.setdefault("state", {})["person"] = None

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        # Sessions are read from the database: in a thread, so that other requests do not wait for it.
        refusal = await run_in_threadpool(self._refusal, request)
        if refusal is not None:
            refusal = self.too_fast(request) or refusal
        await (refusal or self.app)(scope, limited(receive), sending)

    def _refusal(self, request: Request) -> Response | None:
        if self.hosts is not None and host_of(request.headers.get("host", "")) not in self.hosts:
            return self._refuse(request, 421, "Not this address", "The board does not answer under this name.")
        try:
            self.people.check()
            person, bearer = self._person_of(request)
        except SettingsInvalid as error:
            # Nobody is identified yet, so the path and the fault go to the log only.
            _log.error("%s", error)
            words = "The list of people can't be read. Whoever runs the board finds in its log why."
            return self._refuse(request, 503, "Nobody can be let in", words)
        except StoreUnusable as error:
            return self._refuse(request, 503, "The store is away", f"{error.problem}: {error.remedy}")
        except Refused as error:
            return self._refuse(request, 400, "Not clear who you are", f"{error.problem}: {error.remedy}")
        request.scope["state"]["person"] = person
        if announces_too_much(request):
            words = f"{TOO_LARGE[:1].upper()}{TOO_LARGE[1:]}. Nothing was changed."
            return self._refuse(request, 413, "Too much at once", words)
        if request.method not in _SAFE and not bearer and not self._is_same_site(request):
            words = "A change was sent from another site, or without saying from where. Nothing was changed."
            return self._refuse(request, 403, "Not from this board", words)
        if person is None and not request.url.path.startswith(OPEN):
            return self._ask_to_sign_in(request)
        return None

    def _person_of(self, request: Request) -> tuple[Person | None, bool]:
        """The person behind a request, and whether the request carried a token, which no other site can send."""
        people = self.people
        if not people.signs_in:
            return people.alone(), False
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if people.by_token and kind.lower() == "bearer" and token:
            return people.with_token(hashed(token)), True
        if people.by_proxy and request.client is not None and people.trusts(request.client.host):
            named = request.headers.getlist(people.proxy_header)
            if len(named) > 1:  # one of them may be what the browser sent, passed on by a proxy that doesn't remove it
                problem = f"the header {people.proxy_header} came {len(named)} times"
                raise Refused(problem, "the sign-in proxy has to remove it from what browsers send")
            person = people.with_login(named[0] if named else "")
            if person is not None:
                return person, False
        token_hash = self.sessions.token_of(request.cookies.get(cookie_name(request, people), ""))
        return (people.with_token(token_hash) if token_hash and people.by_token else None), False

    def _is_same_site(self, request: Request) -> bool:
        """Whether a page of the board sent the request; clients that are no browsers send neither header."""
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if site is not None and site != "same-origin":
            return False
        if origin is not None:
            return urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower() != ""
        return site == "same-origin" or not self.people.signs_in

    def _ask_to_sign_in(self, request: Request) -> Response:
        if request.url.path.startswith("/api"):
            words = "send a token: Authorization: Bearer …" if self.people.by_token else "come through the proxy"
            return JSONResponse(
                {"problem": "you are not signed in", "remedy": words}, 401, {"WWW-Authenticate": "Bearer"}
            )
        if not self.people.by_token:
            return self._refuse(request, 403, "Nobody signed you in", "Open the board through its sign-in proxy.")
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse("/sign-in" + ("" if back == "/" else f"?back={quote(back, safe='')}"), 303)

    def _refuse(self, request: Request, code: int, heading: str, words: str) -> Response:
        if request.url.path.startswith("/api"):
            return JSONResponse({"problem": heading.lower(), "remedy": words}, code)
        return self.page(request, code, heading, words)


def cookie_name(request: Request, people: People) -> str:
    """The name of the session's cookie; over TLS one that no other host or path of the domain can set."""
    return f"__Host-{COOKIE}" if _is_over_tls(request, people) else COOKIE


def _is_over_tls(request: Request, people: People) -> bool:
    trusted = request.client is not None and people.trusts(request.client.host)
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto") if trusted else None)


def start_session(request: Request, response: Response, people: People, sessions: Sessions, token_sha256: str) -> None:
    """Set a session cookie that no script can read and no other site's form carries (links in e-mails do)."""
    options: dict[str, Any] = {"httponly": True, "samesite": "lax", "secure": _is_over_tls(request, people)}
    name = cookie_name(request, people)
    response.set_cookie(name, sessions.begin(token_sha256), max_age=sessions.seconds, **options)


def end_session(request: Request, response: Response, people: People, sessions: Sessions) -> None:
    """End the session of a request, and take its cookie back."""
    name = cookie_name(request, people)
    sessions.end(request.cookies.get(name, ""))
    response.delete_cookie(name, secure=_is_over_tls(request, people), httponly=True, samesite="lax")
