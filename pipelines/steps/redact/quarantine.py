"""Rejected rows without personal data, and the conversations that they and other small tables name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from lacuna.data_contracts.contract import TABLES
from lacuna.pipelines.io.store import files_in

if TYPE_CHECKING:
    from lacuna.pipelines.runtime.job import Job

__all__ = ["Redacted", "conversations_elsewhere", "masked", "redacted_rows", "rejected_rows"]

# Columns of the contract that hold names and addresses of people.
_PEOPLE = {"name", "email", "tagged_by"}
_PLACEHOLDER, _DIGIT, _LETTER = re.compile(r"(<[A-Z_]+>)"), re.compile(r"\d"), re.compile(r"[^\W\d_]")
Redacted = tuple[list[str | None], dict[str, int]]


def rejected_rows(job: Job) -> dict[str, pd.DataFrame]:
    """The rejected rows by table."""
    files = files_in(job.path("load/quarantine"), "*.parquet")
    return {path.stem: job.read(f"load/quarantine/{path.stem}") for path in files}


def conversations_elsewhere(job: Job) -> set[str]:
    """The conversations that are named in other tables than messages, or in rejected rows."""
    ids: set[str] = set()
    for name in ("outcomes", "searches"):
        ids.update(job.read(f"load/{name}", ["conversation_id"])["conversation_id"].dropna())
    for rows in rejected_rows(job).values():
        named = _conversations([_parsed(record) for record in rows["record"]])
        ids.update(conversation for conversation in named if conversation is not None)
    return ids


def redacted_rows(
    rows: pd.DataFrame, redacted: Callable[[Sequence[str | None], Sequence[Hashable]], Redacted], table: str = ""
) -> pd.DataFrame:
    """Rejected rows without personal data; in a record that is JSON, each text by itself, so that it stays JSON.

    What no column of the contract explains is masked: nothing tells there what is a person. Letters become ``x`` and
    digits ``9``, so that its form can still be seen; file and row say where to look. ``table`` is the rows' own.
    """
    records = [_parsed(record) for record in rows["record"]]
    ids = _conversations(records)
    inside = [(text, of) for record, of in zip(records, ids, strict=True) for text in _texts_in(record)]
    texts = iter(redacted([text for text, _ in inside], [of for _, of in inside])[0])
    plain = {name: redacted(rows[name].tolist(), ids)[0] for name in ("value", "message")}
    tables = rows["table"].fillna(table) if "table" in rows else [table] * len(rows)
    plain["record"] = [
        _written(_masked_columns(_with_texts(record, texts), name))
        for record, name in zip(records, tables, strict=True)
    ]
    for number, record in enumerate(records):
        if isinstance(record, str):  # no columns at all
            plain["value"][number] = masked(plain["value"][number])
    return rows.assign(**{name: pd.Series(texts, index=rows.index, dtype="str") for name, texts in plain.items()})


def masked(value: Any) -> Any:
    """A value of which the form alone is left; placeholders of what was redacted stay.

    Examples
    --------
    >>> masked("c1,Jo Miller,<EMAIL>,2024"), masked({"age": 41, "vip": True})
    ('x9,xx xxxxxx,<EMAIL>,9999', {'age': '99', 'vip': True})
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list):
        return [masked(part) for part in value]
    if isinstance(value, dict):
        return {key: masked(part) for key, part in value.items()}
    parts = _PLACEHOLDER.split(str(value))
    return "".join(part if number % 2 else _LETTER.sub("x", _DIGIT.sub("9", part)) for number, part in enumerate(parts))


def _masked_columns(record: Any, table: str) -> Any:
    """A record with its extra columns masked, and those that name people."""
    if not isinstance(record, dict):
        return masked(record)
    known = set(TABLES[table].names) - _PEOPLE if table in TABLES else set()
    return {name: value if name in known else masked(value) for name, value in record.items()}


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
