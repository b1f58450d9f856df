"""The verb ``redact``: personal data out of every free text, before anything is embedded, stored or shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from models.redaction import conversation_names
from models.redaction import redact as redact_texts

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from pipelines.job import Job

__all__ = ["redact"]

_TEXTS = {"messages": "text", "outcomes": "note", "searches": "query"}


def redact(job: Job) -> None:
    """Write the tables that hold free text again, without personal data.

    Names that one message of a conversation shows go from all of that conversation's texts: its messages, the notes of
    its reviewers and the searches before it. Product names are never taken for names.

    Reads ``load/messages``, ``load/outcomes``, ``load/searches``, ``load/conversations``. Writes ``redact/messages``,
    ``redact/outcomes``, ``redact/searches`` with the same rows and columns, and ``redact/redact.json``: replacements by
    kind in all and by table, and how many texts of each table changed.
    """
    tables = {name: job.read(f"load/{name}") for name in _TEXTS}
    keep = _product_words(job.read("load/conversations"))
    messages = tables["messages"]
    names = conversation_names(messages["conversation_id"].tolist(), messages["text"].tolist(), keep=keep)
    total: dict[str, int] = {}
    by_table: dict[str, dict[str, int]] = {}
    changed: dict[str, int] = {}
    for name, frame in tables.items():
        redacted, counts = _redact_column(frame, _TEXTS[name], names, keep, job.settings.privacy.phone_regions)
        job.write(f"redact/{name}", redacted)
        by_table[name] = counts
        before, after = frame[_TEXTS[name]], redacted[_TEXTS[name]]
        changed[name] = int((before.notna() & (before != after)).sum())
        for kind, count in counts.items():
            total[kind] = total.get(kind, 0) + count
    job.write_json("redact/redact", {"total": dict(sorted(total.items())), "tables": by_table, "changed": changed})


def _product_words(conversations: pd.DataFrame) -> list[str]:
    return sorted(conversations["product"].dropna().unique().tolist())


def _redact_column(
    frame: pd.DataFrame,
    column: str,
    names: Mapping[Hashable, list[str]],
    keep: list[str],
    phone_regions: list[str],
) -> tuple[pd.DataFrame, dict[str, int]]:
    known = [names.get(conversation, []) for conversation in frame["conversation_id"].tolist()]
    texts, counts = redact_texts(frame[column].tolist(), known, keep=keep, phone_regions=phone_regions)
    return frame.assign(**{column: pd.Series(texts, index=frame.index, dtype="str")}), counts
