"""redact: personal data out of every free text, before anything is embedded, stored or shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from lacuna.models.redaction.redact import learn_names
from lacuna.models.redaction.redact import redact as redact_texts
from lacuna.pipelines.io.store import files_in

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from lacuna.pipelines.runtime.job import Job

__all__ = ["redact"]

Redacted = tuple[list[str | None], dict[str, int]]

_TEXTS = {"messages": "text", "outcomes": "note", "searches": "query"}


def redact(job: Job) -> None:
    """Write the tables that hold free text again, without personal data.

    A name that one message reveals is removed from all texts of its conversation and of the customer's other
    conversations: messages, notes of reviewers and searches. Product names are never taken for names of people.

    Reads ``load/messages``, ``load/outcomes``, ``load/searches``, ``load/conversations``, ``load/quarantine/*``. Writes
    ``redact/messages``, ``redact/outcomes``, ``redact/searches``, ``redact/quarantine/*`` with the same rows and
    columns, and ``redact/redact.json``: replacements by kind in all and by table, and how many texts of each table
    changed.
    """
    tables = {name: job.read(f"load/{name}") for name in _TEXTS}
    conversations = job.read("load/conversations")
    ids, texts = tables["messages"]["conversation_id"].tolist(), tables["messages"]["text"].tolist()
    products = conversations["product"].dropna().unique().tolist()
    names, lexicon = learn_names(ids, texts, _customers(conversations), keep=products)

    def without_personal_data(texts: Sequence[str | None], of: Sequence[Hashable]) -> Redacted:
        known_names = [names.get(conversation, []) for conversation in of]
        return redact_texts(texts, known_names, lexicon=lexicon, phone_regions=job.settings.privacy.phone_regions)

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
    for path in files_in(job.path("load/quarantine"), "*.parquet"):
        rows = job.read(f"load/quarantine/{path.stem}")
        job.write(f"redact/quarantine/{path.stem}", _quarantined(rows, without_personal_data))
    job.write_json("redact/redact", {"total": dict(sorted(total.items())), "tables": by_table, "changed": changed})


def _quarantined(
    rows: pd.DataFrame, redacted: Callable[[Sequence[str | None], Sequence[Hashable]], Redacted]
) -> pd.DataFrame:
    """Rejected rows without personal data; in a record that is JSON, each text by itself, so that it stays JSON."""
    records = [_parsed(record) for record in rows["record"]]
    ids = [record.get("conversation_id") if isinstance(record, dict) else None for record in records]
    ids = [conversation if isinstance(conversation, str) else None for conversation in ids]
    inside = [(text, of) for record, of in zip(records, ids, strict=True) for text in _texts_in(record)]
    texts = iter(redacted([text for text, _ in inside], [of for _, of in inside])[0])
    plain = {name: redacted(rows[name].tolist(), ids)[0] for name in ("value", "message")}
    plain["record"] = [_written(_with_texts(record, texts)) for record in records]
    return rows.assign(**{name: pd.Series(texts, index=rows.index, dtype="str") for name, texts in plain.items()})


def _parsed(record: str) -> Any:
    """A record's JSON object, or the record itself where it holds none."""
    try:
        value = json.loads(record)
    except ValueError:
        return record
    return value if isinstance(value, dict) else record


def _written(record: Any) -> str:
    return record if isinstance(record, str) else json.dumps(record, ensure_ascii=False)


def _texts_in(value: Any) -> Iterator[str]:
    """The texts inside of a JSON value, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(part)


def _with_texts(value: Any, texts: Iterator[str | None]) -> Any:
    """The same JSON value with other texts, taken in order."""
    if isinstance(value, str):
        return next(texts)
    if isinstance(value, list):
        return [_with_texts(part, texts) for part in value]
    if isinstance(value, dict):
        return {key: _with_texts(part, texts) for key, part in value.items()}
    return value


def _customers(conversations: pd.DataFrame) -> dict[Hashable, Hashable]:
    """Conversation to its customer, where one is given."""
    if "customer_id" not in conversations:
        return {}
    with_customer = conversations[["conversation_id", "customer_id"]].dropna()
    return dict(zip(with_customer["conversation_id"].tolist(), with_customer["customer_id"].tolist(), strict=True))
