"""The verb ``redact``: personal data out of every free text, before anything is embedded, stored or shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from models.redaction import learn_names
from models.redaction import redact as redact_texts

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from pipelines.job import Job

__all__ = ["redact"]

Redacted = tuple[list[str | None], dict[str, int]]

_TEXTS = {"messages": "text", "outcomes": "note", "searches": "query"}


def redact(job: Job) -> None:
    """Write the tables that hold free text again, without personal data.

    Names that one message shows go from all texts of its conversation and of its customer's other conversations:
    messages, the notes of reviewers and the searches before them. Product names are never taken for names.

    Reads ``load/messages``, ``load/outcomes``, ``load/searches``, ``load/conversations``. Writes
    ``redact/messages``, ``redact/outcomes``, ``redact/searches`` with the same rows and
    columns, and ``redact/redact.json``: replacements by kind in all and by table, and how many texts of each table
    changed.
    """
    tables = {name: job.read(f"load/{name}") for name in _TEXTS}
    conversations = job.read("load/conversations")
    ids, texts = tables["messages"]["conversation_id"].tolist(), tables["messages"]["text"].tolist()
    products = conversations["product"].dropna().unique().tolist()
    names, lexicon = learn_names(ids, texts, _customers(conversations), keep=products)

    def without_personal_data(texts: Sequence[str | None], of: Sequence[Hashable]) -> Redacted:
        known = [names.get(conversation, []) for conversation in of]
        return redact_texts(texts, known, lexicon=lexicon, phone_regions=job.settings.privacy.phone_regions)

    total: dict[str, int] = {}
    by_table: dict[str, dict[str, int]] = {}
    changed: dict[str, int] = {}
    for name, frame in tables.items():
        column = _TEXTS[name]
        redacted, counts = without_personal_data(frame[column].tolist(), frame["conversation_id"].tolist())
        after = pd.Series(redacted, index=frame.index, dtype="str")
        job.write(f"redact/{name}", frame.assign(**{column: after}))
        by_table[name] = counts
        changed[name] = int((frame[column].notna() & (frame[column] != after)).sum())
        for kind, count in counts.items():
            total[kind] = total.get(kind, 0) + count
    job.write_json("redact/redact", {"total": dict(sorted(total.items())), "tables": by_table, "changed": changed})


def _customers(conversations: pd.DataFrame) -> dict[Hashable, Hashable]:
    """Conversation to its customer, where one is given."""
    if "customer_id" not in conversations:
        return {}
    known = conversations[["conversation_id", "customer_id"]].dropna()
    return dict(zip(known["conversation_id"].tolist(), known["customer_id"].tolist(), strict=True))
