"""Footnotes of a draft: each sentence names the conversations that hold it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lacuna.pipelines.drafts.rows import counted, named, words_in

__all__ = ["Footnotes"]


class Footnotes:
    """Numbers sources in the order in which they are named; the same source keeps its number.

    Parameters
    ----------
    url
        The address of conversations in the help desk, with ``{id}``; "" for none.
    """

    def __init__(self, url: str = "") -> None:
        self._url = url
        self._numbers: dict[str, int] = {}

    def mark(self, row: Mapping[str, Any]) -> str:
        """The mark behind a sentence, such as ``[^1]``; empty where no conversation is named.

        ``row`` has conversation_ids, and may have count and worked.
        """
        ids = words_in(row.get("conversation_ids"))
        if not ids:
            return ""
        count = int(row.get("count") or len(ids))
        words = counted(count, "conversation")
        if row.get("worked"):
            words += f", {int(row['worked'])} ended well"
        such_as = "such as " if count > len(ids) else ""
        source = f"{words}; {such_as}{', '.join(named(i, self._url) for i in ids)}"
        return f"[^{self._numbers.setdefault(source, len(self._numbers) + 1)}]"

    def listed(self) -> str:
        """All footnotes, a line each; the spaces at the ends keep them apart where footnotes are not known."""
        return "  \n".join(f"[^{number}]: {source}." for source, number in self._numbers.items())
