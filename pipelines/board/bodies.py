"""The size limit for request bodies: larger ones are refused before they are read, and change nothing."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

__all__ = ["MAX_BYTES", "TOO_LARGE", "announces_too_much", "limited"]

# Bytes: three times the longest accepted note, in the widest letters, for as many gaps as one form may hold.
MAX_BYTES = 256 * 1024
TOO_LARGE = f"a request may hold {MAX_BYTES // 1024} KiB at most"


def announces_too_much(request: Request) -> bool:
    """Whether the content-length exceeds the limit; one that is not a number counts as too large."""
    length = request.headers.get("content-length", "0")
    return not length.isdecimal() or int(length) > MAX_BYTES


def limited(receive: Receive) -> Receive:
    """Wrap ``receive`` so that it counts the bytes received, for requests without content-length.

    Raises
    ------
    HTTPException
        413, if more bytes came than the limit allows.
    """
    received = 0

    async def counting() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_BYTES:
            raise HTTPException(413)
        return message

    return counting
