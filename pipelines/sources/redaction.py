"""Redaction at the door: personal data leaves texts before these are written into a bundle.

What one conversation shows, its own people's names and addresses included, is enough here. A run's step redact knows
the words of all texts besides, and finds what this leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lacuna.models.redaction.numbers import PHONE_REGIONS
from lacuna.models.redaction.redact import learn_names, redact
from lacuna.pipelines.sources.source import Batch, Row

__all__ = ["redacted"]

TEXTS = {"messages": "text", "outcomes": "note", "searches": "query"}


def redacted(batch: Batch, phone_regions: Sequence[str]) -> dict[str, list[Row]]:
    """The rows of a batch with their texts redacted: each conversation by what itself shows, whatever else is there.

    Without ``phone_regions``, national phone numbers are those of `PHONE_REGIONS`: a batch is too few texts to
    tell more.
    """
    tables, names = batch.tables(), batch.names()
    texts: dict[str, list[str | None]] = {}
    for row in tables.get("messages", ()):
        texts.setdefault(row["conversation_id"], []).append(row.get("text"))
    for conversation, of in texts.items():
        shown, _ = learn_names([conversation] * len(of), of)
        names.setdefault(conversation, []).extend(shown.get(conversation, ()))
    return {table: _redacted(table, rows, names, phone_regions) for table, rows in tables.items()}


def _redacted(
    table: str, rows: list[Row], names: Mapping[str, Sequence[str]], phone_regions: Sequence[str]
) -> list[Row]:
    column = TEXTS.get(table)
    if column is None or not rows:
        return rows
    people = [names.get(row.get("conversation_id") or "", ()) for row in rows]
    texts, _ = redact([row.get(column) for row in rows], people, phone_regions=phone_regions or PHONE_REGIONS)
    return [{**row, column: text} for row, text in zip(rows, texts, strict=True)]
