"""redact: personal data out of every free text, before anything is embedded, stored or shown."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd

from lacuna.models.redaction.redact import KINDS
from lacuna.models.redaction.redact import redact as redact_texts
from lacuna.pipelines.io.parts import scratch
from lacuna.pipelines.io.store import files_in
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.steps.redact.names import read_names

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
    changed. Messages are worked on shard by shard.
    """
    counts: dict[str, Counter[str]] = {name: Counter() for name in _TEXTS}
    changed = dict.fromkeys(_TEXTS, 0)
    small = {name: job.read(f"load/{name}") for name in ("outcomes", "searches")}
    rejected = {
        path.stem: job.read(f"load/quarantine/{path.stem}")
        for path in files_in(job.path("load/quarantine"), "*.parquet")
    }
    elsewhere: set[Hashable] = set()
    for frame in small.values():
        elsewhere.update(frame["conversation_id"].dropna())
    for rows in rejected.values():
        elsewhere.update(_conversations([_parsed(record) for record in rows["record"]]))
    names_elsewhere: dict[Hashable, list[str]] = {}

    with scratch(job.work, "redact") as folder:
        names = read_names(job, folder)

        def redacted(texts: Sequence[str | None], known_names: Sequence[Sequence[str]]) -> Redacted:
            regions = job.settings.privacy.phone_regions
            return redact_texts(texts, known_names, lexicon=names.lexicon, phone_regions=regions)

        def write(name: str, shard: str | None, frame: pd.DataFrame, of: dict[Hashable, list[str]]) -> None:
            column = _TEXTS[name]
            texts, replaced = redacted(
                frame[column].tolist(), [of.get(one, []) for one in frame["conversation_id"].tolist()]
            )
            after = pd.Series(texts, index=frame.index, dtype="str")
            job.write_shard(f"redact/{name}", shard, frame.assign(**{column: after}))
            counts[name].update(replaced)
            changed[name] += int((frame[column].notna() & (frame[column] != after)).sum())

        shards = job.shards_of("load/messages")
        with progress.bar("redacting") as tick:
            for number, shard in enumerate(shards):
                messages = job.read_shard("load/messages", shard)
                of = names.of_shard(number, shard, messages["conversation_id"].tolist())
                names_elsewhere |= {one: found for one, found in of.items() if one in elsewhere}
                write("messages", shard, messages, of)
                tick(number + 1, len(shards))
        for name, frame in small.items():
            write(name, None, frame, names_elsewhere)
        for name, rows in rejected.items():

            def of_conversations(texts: Sequence[str | None], of: Sequence[Hashable]) -> Redacted:
                return redacted(texts, [names_elsewhere.get(conversation, []) for conversation in of])

            job.write(f"redact/quarantine/{name}", _quarantined(rows, of_conversations))
    total = sum(counts.values(), Counter[str]())
    by_table = {name: {kind: count[kind] for kind in KINDS if count[kind]} for name, count in counts.items()}
    job.write_json("redact/redact", {"total": dict(sorted(total.items())), "tables": by_table, "changed": changed})


def _quarantined(
    rows: pd.DataFrame, redacted: Callable[[Sequence[str | None], Sequence[Hashable]], Redacted]
) -> pd.DataFrame:
    """Rejected rows without personal data; in a record that is JSON, each text by itself, so that it stays JSON."""
    records = [_parsed(record) for record in rows["record"]]
    ids = _conversations(records)
    inside = [(text, of) for record, of in zip(records, ids, strict=True) for text in _texts_in(record)]
    texts = iter(redacted([text for text, _ in inside], [of for _, of in inside])[0])
    plain = {name: redacted(rows[name].tolist(), ids)[0] for name in ("value", "message")}
    plain["record"] = [_written(_with_texts(record, texts)) for record in records]
    return rows.assign(**{name: pd.Series(texts, index=rows.index, dtype="str") for name, texts in plain.items()})


def _conversations(records: Sequence[Any]) -> list[str | None]:
    """The conversation of each record, None where it names none."""
    ids = [record.get("conversation_id") if isinstance(record, dict) else None for record in records]
    return [conversation if isinstance(conversation, str) else None for conversation in ids]


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
