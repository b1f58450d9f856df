"""Requests to an OpenAI-compatible endpoint: each tried twice at most, its answer kept in the store."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from types import TracebackType
from typing import Any

import httpx2

from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.store import write_bytes
from lacuna.pipelines.settings import Endpoint

__all__ = ["GIVE_UP", "TRIES", "Endpoint", "NoAnswerError", "Session", "messages"]

TRIES = 2
GIVE_UP = 3  # questions in a row without an answer: the endpoint is down, and the run does not wait for it
LONGEST_ANSWER = 100_000  # bytes


class NoAnswerError(Exception):
    """The endpoint gave no usable answer; the message says what came instead."""


class Session:
    """A session with an endpoint; use it as a context manager.

    Parameters
    ----------
    settings
        Which endpoint, which model, how long to wait, and the environment variable that holds the key.
    folder
        Answers are kept here by what was asked, so that the same run makes no second call and gives the same bytes.
    read
        Takes what is wanted out of the JSON object in an answer; raises ValueError, LookupError or TypeError where it
        is not there. What it returns can be written as JSON.
    wanted
        What an answer should hold, for messages: "name".
    """

    def __init__(
        self, settings: Endpoint, folder: StorePath, read: Callable[[dict[str, Any]], Any], expected: str
    ) -> None:
        key = os.environ.get(settings.api_key_env, "") if settings.api_key_env else ""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx2.Client(timeout=settings.timeout_seconds, headers=headers, follow_redirects=False)
        self._settings, self._folder, self._read, self._expected = settings, folder, read, expected
        self._silent = 0

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def ask(self, request: dict[str, Any]) -> Any:
        """The endpoint's answer to a request, read from the folder where it was kept before.

        Raises
        ------
        NoAnswerError
            It gave no usable answer, or gave none to three questions in a row and is not asked any more.
        """
        digest = hashlib.blake2b(json.dumps(request, sort_keys=True).encode(), digest_size=12).hexdigest()
        file = self._folder / f"{digest}.json"
        if file.exists():
            return self._read(json.loads(file.read_text(encoding="utf-8")))
        if self._silent >= GIVE_UP:
            raise NoAnswerError("given up")
        try:
            answer = self._answer(request)
        except NoAnswerError:
            self._silent += 1
            raise
        self._silent = 0
        write_bytes(file, json.dumps(answer, ensure_ascii=False).encode())
        return self._read(answer)

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """One answer; requested again where the endpoint is slow, fails, or answers in another form."""
        trouble = ""
        for _ in range(TRIES):
            try:
                response = self._client.post(f"{self._settings.endpoint.rstrip('/')}/chat/completions", json=request)
            except httpx2.TimeoutException:
                trouble = f"no answer within {self._settings.timeout_seconds:g} seconds"
                continue
            except httpx2.HTTPError as error:
                trouble = f"not reached: {type(error).__name__}"
                continue
            if response.status_code != 200:
                trouble = f"status {response.status_code}"
                if response.status_code < 500 and response.status_code not in (408, 429):
                    break
                continue
            try:
                value = _object_in(response.content)
                self._read(value)
            except (ValueError, LookupError, TypeError, RecursionError):
                trouble = f"an answer that holds no {self._expected}"
            else:
                return value
        raise NoAnswerError(trouble)


def messages(settings: Endpoint, task: str, about: dict[str, Any]) -> dict[str, Any]:
    """The body of a request: the task, and what it is about as JSON."""
    return {
        "model": settings.model,
        "temperature": 0,
        "messages": [
            {"role": "system", "content": task},
            {"role": "user", "content": json.dumps(about, ensure_ascii=False)},
        ],
    }


def _object_in(body: bytes) -> dict[str, Any]:
    """The JSON object in an answer; models often put it into a code block."""
    if len(body) > LONGEST_ANSWER:
        raise ValueError("too long")
    content = json.loads(body)["choices"][0]["message"]["content"]
    if not isinstance(content, str):
        raise TypeError("no text")
    value = json.loads(content[content.index("{") : content.rindex("}") + 1])
    if not isinstance(value, dict):
        raise TypeError("no object")
    return value
