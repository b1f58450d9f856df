"""How much a request may send: what is larger is refused before it is read, and nothing is changed."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

__all__ = ["MOST", "TOO_LARGE", "announces_too_much", "limited"]

# Bytes: three times the longest note that is taken, in the widest letters, over as many gaps as one form may hold.
MOST = 256 * 1024
TOO_LARGE = f"a request may hold {MOST // 1024} KiB at most"


def announces_too_much(request: Request) -> bool:
    """Whether a request announces more than is taken; an announcement that is no number is one of too much."""
    length = request.headers.get("content-length", "0")
    return not length.isdecimal() or int(length) > MOST


def limited(receive: Receive) -> Receive:
    """Count what comes in, for requests that do not announce their size.

    Raises
    ------
    HTTPException
        413, where more came than is taken.
    """
    received = 0

    async def counting() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MOST:
            raise HTTPException(413)
        return message

    return counting
