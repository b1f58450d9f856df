"""Links to conversations in the help desk, made from an address with a place for the conversation's id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

__all__ = ["conversation_link", "conversation_url", "is_address"]

_ID = "{id}"
# The id comes after the host, so that no id can change which host a link leads to.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\-]+[/?#](?:[A-Za-z0-9\-._~:/?#@!$&()*+,;=%]|\{id\})*")


def is_address(url: str) -> bool:
    """Whether ``url`` is an http(s) address with ``{id}`` in it, after the host."""
    return _ID in url and _ADDRESS.fullmatch(url) is not None


def conversation_url(run: Mapping[str, Any]) -> str:
    """The ``[report] conversation_url`` that a run was made with (`run.json`); "" where there is none."""
    settings = run.get("settings") or {}
    url = (settings.get("report") or {}).get("conversation_url")
    return url if isinstance(url, str) and is_address(url) else ""


def conversation_link(url: str, conversation_id: object) -> str:
    """The address of one conversation; "" where ``url`` is empty.

    Examples
    --------
    >>> conversation_link("https://helpdesk.example/tickets/{id}", "a/b 1")
    'https://helpdesk.example/tickets/a%2Fb%201'
    """
    return url.replace(_ID, quote(str(conversation_id), safe="", errors="replace"))
