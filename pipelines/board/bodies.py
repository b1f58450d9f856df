"""The limits of what comes with a request: bodies too large are refused before they are read, and change nothing."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

from lacuna.data_contracts.sent import LARGEST_ID, whole_number

__all__ = ["MAX_BYTES", "TOO_LARGE", "RowId", "announces_too_much", "limited"]

# A number in an address that names a row of the database.
RowId = Annotated[int, Path(ge=0, le=LARGEST_ID)]

# Bytes: three times the longest accepted note, in the widest letters, for as many gaps as one form may hold.
MAX_BYTES = 256 * 1024
TOO_LARGE = f"a request may hold {MAX_BYTES // 1024} KiB at most"


def announces_too_much(request: Request) -> bool:
    """Whether the content-length exceeds the limit; one that is not a number counts as too large."""
    length = request.headers.get("content-length", "0")
    return whole_number(length, MAX_BYTES) is None


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
