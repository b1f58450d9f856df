"""What can go wrong on the way to a fake vendor's server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import FastAPI, Request, Response
from starlette.middleware.base import BaseHTTPMiddleware

Fault = Callable[[Response], Response | None]


@dataclass
class Faults:
    """Faults by the number of the request that meets them, from 1; and all requests that came.

    Attributes
    ----------
    at
        What becomes of a request's answer: "429", "500", "truncated", "drop" (no answer).
    every
        A fault that every so many requests meet: (number, fault).
    requests
        Method and path of each request.
    """

    at: dict[int, str] = field(default_factory=dict)
    every: tuple[int, str] | None = None
    requests: list[str] = field(default_factory=list)

    def next(self, request: Request) -> str | None:
        """The fault that this request meets."""
        self.requests.append(f"{request.method} {request.url.path}")
        number = len(self.requests)
        if self.every and number % self.every[0] == 0:
            return self.every[1]
        return self.at.get(number)


def with_faults(app: FastAPI, faults: Faults) -> FastAPI:
    """The app, with faults in front of it."""

    async def meet(request: Request, call_next: Callable[[Request], object]) -> Response:
        fault = faults.next(request)
        if fault == "429":
            return Response('{"error": "rate limit"}', 429, {"Retry-After": "0"}, "application/json")
        if fault == "500":
            return Response("<html>oops</html>", 500)
        response = await call_next(request)  # type: ignore[misc]
        if fault == "truncated":
            body = b"".join([chunk async for chunk in response.body_iterator])
            return Response(body[: len(body) // 2], response.status_code, media_type="application/json")
        if fault == "drop":
            raise ConnectionAbortedError
        return response

    app.add_middleware(BaseHTTPMiddleware, dispatch=meet)
    return app
