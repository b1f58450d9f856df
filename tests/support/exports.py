"""The example bundle as a help desk might export it: other names, other words, other layouts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from lacuna.data_contracts.casts import conform
from lacuna.data_contracts.contract import TABLES
from lacuna.pipelines.settings import Settings, load_settings
from lacuna.pipelines.sources.registry import make_source
from lacuna.pipelines.sources.source import Source
from lacuna.pipelines.sources.tables import columns_of
from tests.support.paths import REPO

__all__ = ["COLUMNS", "ROLES", "WORDS", "as_frame", "flat", "flat_entry", "given", "nested", "source_of", "truth"]

EXAMPLE = REPO / "docs/example-bundle"
ROLES = {"customer": "End user", "bot": "Answer Bot", "agent": "Support"}
COLUMNS = {
    "conversations": {
        "conversation_id": "Ticket #", "started_at": "Opened", "escalated": "Handed to human", "channel": "Via",
        "language": "Locale", "product": "Product line", "region": "Market", "customer_id": "Requester ID",
        "escalated_at": "Handoff time", "resolved": "Solved", "predicted_intent": "Intent",
        "intent_confidence": "Confidence", "csat": "Satisfaction", "handle_seconds": "Handle time", "tags": "Labels",
    },
    "messages": {
        "conversation_id": "Ticket #", "role": "Author type", "text": "Comment", "sent_at": "Sent",
        "article_ids": "Articles shown", "is_fallback": "Fallback",
    },
}  # fmt: skip
WORDS = {"messages": {"role": {theirs: ours for ours, theirs in ROLES.items()}}}


def truth(table: str) -> pd.DataFrame:
    """A table of the example bundle, typed, in the order of its key."""
    raw = pd.read_csv(EXAMPLE / f"{table}.csv", dtype="str", keep_default_na=False)
    return conform(TABLES[table], raw)[0][TABLES[table].names].sort_values([*TABLES[table].key], ignore_index=True)


def flat() -> pd.DataFrame:
    """One row a message, with what there is of its conversation repeated: texts only, as in a CSV file."""
    conversations = pd.read_csv(EXAMPLE / "conversations.csv", dtype="str", keep_default_na=False)
    messages = pd.read_csv(EXAMPLE / "messages.csv", dtype="str", keep_default_na=False)
    both = messages.replace({"role": ROLES}).merge(conversations, on="conversation_id", validate="m:1")
    names = {**COLUMNS["conversations"], **COLUMNS["messages"]}
    return both.rename(columns=names)[list(names.values())]


def nested() -> list[dict[str, Any]]:
    """One record a conversation, its messages in a list."""
    records = []
    rows = flat()
    mine = [name for name in COLUMNS["messages"].values() if name != "Ticket #"]
    for _, of in rows.groupby("Ticket #", sort=False):
        head = {name.lower(): value for name, value in of.iloc[0].drop(mine).items()}
        comments = [
            {"author": {"type": row["Author type"]}, **{n: row[n] for n in mine[1:]}} for _, row in of.iterrows()
        ]
        records.append({**head, "comments": comments})
    return records


def source_of(*files: dict[str, Any], kind: str = "files", **keys: Any) -> Source:
    """A source named export with these entries, its texts as they are."""
    section = {"type": kind, "redact": False, **({"files": list(files)} if files else {}), **keys}
    return make_source(_with(section), "export")


def _with(section: dict[str, Any]) -> Settings:
    return load_settings(None).model_copy(update={"sources": {"export": section}})


def given(source: Source) -> dict[str, list[dict[str, Any]]]:
    """All rows that a source gives, by table."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for stream in source.streams():
        for batch in stream.read(None):
            for table, rows in batch.tables().items():
                tables.setdefault(table, []).extend(rows)
    return tables


def as_frame(rows: list[dict[str, Any]], table: str) -> pd.DataFrame:
    """Rows as a frame like :func:`truth`."""
    frame = pd.DataFrame(rows, columns=list(columns_of(table)), dtype="object")
    return conform(TABLES[table], frame)[0][TABLES[table].names].sort_values([*TABLES[table].key], ignore_index=True)


def flat_entry(path: Path, **more: Any) -> dict[str, Any]:
    """The entry of a flat file."""
    return {"path": str(path), "columns": COLUMNS, "values": WORDS, **more}
