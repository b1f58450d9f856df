"""A vendor's HTTP API, asked with patience: limits and faults of the server are waited out, refusals are explained."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

from dlt.sources.helpers.requests import Session
from dlt.sources.helpers.requests.retry import DEFAULT_RETRY_EXCEPTIONS, wait_exponential_retry_after
from requests import PreparedRequest, RequestException, Response
from requests.auth import AuthBase
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    stop_after_attempt,
    wait_random,
)

from lacuna.data_contracts.errors import SourceUnreadable
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.sources.secrets import masked

__all__ = ["Api", "BasicAuth", "HeaderAuth", "Refusal"]

TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two bytes of an answer
ATTEMPTS = 8
LONGEST_WAIT = 900.0  # seconds that one Retry-After may ask for
WAIT_FROM = 1.0  # seconds before the second attempt; twice as many before each later one
_TOO_MANY, _FAULTS = (420, 429), range(500, 600)
_HELP = {
    400: "the vendor does not understand the request: has its API changed?",
    401: "the credentials are wrong, expired, or of another account",
    403: "the credentials lack a permission; the source's how-to in docs/ lists those that it needs",
    404: "check the address and the account's name in the settings",
    420: "the vendor's limit was not lifted in time; the same command goes on from here later",  # so says Crisp
    429: "the vendor's limit was not lifted in time; the same command goes on from here later",
}


class Refusal(SourceUnreadable):
    """The server answered with a status that says no.

    Attributes
    ----------
    status
        The HTTP status.
    """

    def __init__(self, problem: str, remedy: str, status: int) -> None:
        super().__init__(problem, remedy)
        self.status = status
        self.is_lasting = status < _FAULTS.start and status not in _TOO_MANY


class HeaderAuth(AuthBase):
    """Headers that say who asks; they are not sent on to another host."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = dict(headers)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign a request."""
        request.headers.update(self._headers)
        return request


class BasicAuth(AuthBase):
    """A user and a password, of any characters."""

    def __init__(self, user: str, password: str) -> None:
        from requests.auth import HTTPBasicAuth

        self._auth = HTTPBasicAuth(user.encode(), password.encode())
        self.shown = (b64encode(f"{user}:{password}".encode()).decode(),)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign a request."""
        return self._auth(request)


class Api:
    """An API, by its address.

    Parameters
    ----------
    source
        The source's name, for messages.
    address
        What all paths begin with.
    auth
        Who asks.
    secrets
        What never stands in a message.
    headers
        Of every request.
    pause
        Least seconds between two requests, where a vendor limits them by the minute.
    parallel
        How many answers of :meth:`get_all` are waited for at once.
    """

    def __init__(
        self,
        source: str,
        address: str,
        auth: AuthBase,
        secrets: Sequence[str],
        headers: Mapping[str, str] | None = None,
        pause: float = 0.0,
        parallel: int = 1,
    ) -> None:
        self._source, self._address = source, address.rstrip("/")
        # As a header shows them, too: a server may repeat what it was sent.
        self._secrets = (*secrets, *(auth.shown if isinstance(auth, BasicAuth) else ()))
        self._pause, self._next, self._turn = pause, 0.0, Lock()
        self._parallel = parallel
        self._session = Session(timeout=TIMEOUT, raise_for_status=False)
        self._session.auth = auth
        self._session.headers.update({"Accept": "application/json", **(headers or {})})
        self._retrying = Retrying(
            retry=retry_if_result(_worth_another) | retry_if_exception_type(DEFAULT_RETRY_EXCEPTIONS),
            wait=wait_exponential_retry_after(multiplier=WAIT_FROM, max=LONGEST_WAIT) + wait_random(0, WAIT_FROM),
            stop=stop_after_attempt(ATTEMPTS),
            before_sleep=self._say_wait,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """The JSON that a path answers with; ``path`` may be a whole address on the same host, as of a next page."""
        return self._ask("GET", path, params=params)

    def get_all(self, paths: Sequence[str], params: Mapping[str, Any] | None = None) -> list[Any]:
        """What each path answers with, in order; None for what is not there (any more)."""

        def one(path: str) -> Any:
            try:
                return self.get(path, params)
            except Refusal as refusal:
                if refusal.status in (404, 410):
                    return None
                raise

        if self._parallel == 1:
            return [one(path) for path in paths]
        with ThreadPoolExecutor(self._parallel) as pool:
            return list(pool.map(one, paths))

    def post(self, path: str, body: Any) -> Any:
        """The JSON that a path answers with to a JSON body; a question, which may be asked again."""
        return self._ask("POST", path, json=body)

    def make(self, path: str, body: Any) -> Any:
        """As :meth:`post`, of what makes something: asked again only where the server said that it did not do it."""
        return self._ask("POST", path, json=body, once=True)

    def put(self, path: str, body: Any) -> Any:
        """As :meth:`post`, with the method PUT."""
        return self._ask("PUT", path, json=body)

    def _ask(self, method: str, path: str, once: bool = False, **options: Any) -> Any:
        url = path if path.startswith(f"{self._address}/") else f"{self._address}/{path.lstrip('/')}"
        if "://" in path and not path.startswith(f"{self._address}/"):
            raise self._unreadable(f"{self._source}: the next page is on another host: {path}", "check the address")
        shown = f"{method} {url.split('?')[0]}"
        try:
            ask = self._retrying.copy(retry=retry_if_result(_is_limit)) if once else self._retrying
            response: Response = ask(self._send, method, url, **options)
        except RequestException as error:
            problem = f"{self._source}: {shown} got no answer: {type(error).__name__}: {error}"
            remedy = "check the address and the network; the same command goes on from here"
            raise self._unreadable(problem, remedy) from None
        if response.status_code >= 400:
            says = " ".join(response.text.split())[:200]
            problem = masked(f"{self._source}: {shown} was refused with {response.status_code}: {says}", self._secrets)
            remedy = _HELP.get(
                response.status_code, "the vendor's server is at fault; the same command goes on from here"
            )
            raise Refusal(problem, remedy, response.status_code)
        content = _json(response)
        if content is _BROKEN:
            says = " ".join(response.text.split())[:80]
            raise self._unreadable(f"{self._source}: {shown} answers with what is no JSON: {says}", "check the address")
        return content

    def _send(self, method: str, url: str, **options: Any) -> Response:
        with self._turn:
            time.sleep(max(0.0, self._next - time.monotonic()))
            self._next = time.monotonic() + self._pause
        return self._session.request(method, url, **options)

    def _say_wait(self, state: RetryCallState) -> None:
        seconds = state.next_action.sleep if state.next_action else 0.0
        outcome = state.outcome
        failed = outcome is not None and outcome.failed
        why = "no answer" if failed or outcome is None else f"status {outcome.result().status_code}"
        progress.log.log(
            30 if state.attempt_number > 2 else 20,
            "%s: %s, asked again in %.0f s (attempt %d of %d)",
            self._source, why, seconds, state.attempt_number + 1, ATTEMPTS,
        )  # fmt: skip

    def _unreadable(self, problem: str, remedy: str) -> SourceUnreadable:
        return SourceUnreadable(masked(problem, self._secrets), remedy)


_BROKEN = object()


def _json(response: Response) -> Any:
    if response.status_code == 204 or not response.content:
        return None
    try:
        return json.loads(response.content)
    except ValueError:
        return _BROKEN


def _is_limit(response: Response) -> bool:
    """Too many requests: nothing was done."""
    return response.status_code in _TOO_MANY


def _worth_another(response: Response) -> bool:
    """A limit, a fault of the server, or an answer that broke off."""
    if response.status_code in _TOO_MANY or response.status_code in _FAULTS:
        return True
    return response.status_code < 300 and _json(response) is _BROKEN
