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

__all__ = [
    "Redacted", "conversations_elsewhere", "masked", "redacted_findings", "redacted_rows", "rejected_rows",
]  # fmt: skip

# Columns of the contract that hold names and addresses of people, or what few customers may share.
_MASKED = {
    "name", "email", "team", "tagged_by", "customer_id",
    "channel", "language", "product", "region", "predicted_intent", "true_intent", "tags", "areas",
}  # fmt: skip
_TYPED = ("timestamp", "bool", "float", "int")
_MOMENT, _LONG_NUMBER = re.compile(r"\d{4}-\d\d-\d\dT[\d:.+Z-]+"), 10**11
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

    What no column of the contract explains is masked, for nothing tells there what is a person; and so are columns of
    people and of what few may share, and what is no number, time, or yes or no where one should be. Letters become
    ``x`` and digits ``9``, so that the form can still be seen; file and row say where to look. ``table`` is the rows'
    own.
    """
    records = [_parsed(record) for record in rows["record"]]
    ids = _conversations(records)
    inside = [(text, of) for record, of in zip(records, ids, strict=True) for text in _texts_in(record)]
    texts = iter(redacted([text for text, _ in inside], [of for _, of in inside])[0])
    tables = rows["table"].fillna(table).tolist() if "table" in rows else [table] * len(rows)
    columns = rows["column"].fillna("").tolist() if "column" in rows else [""] * len(rows)
    plain = {"value": redacted(rows["value"].tolist(), ids)[0]}
    plain["value"] = [_value(*each) for each in zip(plain["value"], columns, tables, strict=True)]
    messages = [
        _with_value(message, value, shown)
        for message, value, shown in zip(rows["message"], rows["value"], plain["value"], strict=True)
    ]
    plain["message"] = redacted(messages, ids)[0]
    plain["record"] = [
        _written(_masked_columns(_with_texts(record, texts), name))
        for record, name in zip(records, tables, strict=True)
    ]
    for number, record in enumerate(records):
        if isinstance(record, str):  # no columns at all
            plain["value"][number] = masked(plain["value"][number])
    return rows.assign(**{name: pd.Series(texts, index=rows.index, dtype="str") for name, texts in plain.items()})


def redacted_findings(
    findings: Sequence[dict[str, Any]], redacted: Callable[[Sequence[str | None], Sequence[Hashable]], Redacted]
) -> list[dict[str, Any]]:
    """What was found in the tables, without personal data in its examples, its message and its remedy.

    Parameters
    ----------
    findings
        Each with ``message``, and where known ``table``, ``examples`` (file, row, column, value) and ``remedy``.
    redacted
        Redacts texts, given the conversation of each.
    """
    return [_redacted_finding(finding, lambda texts: redacted(texts, [None] * len(texts))[0]) for finding in findings]


def _redacted_finding(
    finding: dict[str, Any], redacted: Callable[[Sequence[str | None]], list[str | None]]
) -> dict[str, Any]:
    table = str(finding.get("table", ""))
    examples = [list(example) for example in finding.get("examples", ())]
    values = [str(value) for *_, value in examples]
    columns = [str(example[2]) or str(finding.get("column", "")) for example in examples]
    shown = [_value(*each, table) for each in zip(redacted(values), columns, strict=True)]
    if finding.get("rule") == "parsable":
        shown = [masked(value) for value in shown]
    texts = {name: str(finding[name]) for name in ("message", "remedy") if finding.get(name)}
    for name, text in texts.items():
        for value, instead in zip(values, shown, strict=True):
            text = _with_value(text, value, instead)
        texts[name] = str(redacted([text])[0])
    places = [[*example[:-1], value] for example, value in zip(examples, shown, strict=True)]
    return {**finding, **texts} | ({"examples": places} if "examples" in finding else {})


def _value(value: str | None, columns: str, table: str) -> str | None:
    """The value that breaks a rule, masked where it is of a column whose values are; of several, where one is."""
    types = {column.name: column.type for column in TABLES[table].columns} if table in TABLES else {}
    names = columns.split(", ") if columns else []
    if any(name in _MASKED for name in names):
        return masked(value) if value is not None else None
    if any(types.get(name) in _TYPED for name in names):
        return _typed(value)
    return value


def _with_value(text: str, value: str | None, instead: str | None) -> str:
    """A text with a value that it quotes replaced; quoted, as a short one may be a part of any word."""
    if not value or value == instead:
        return text
    for quoted in (f"'{value}'", repr(value)):
        text = text.replace(quoted, f"'{instead}'")
    return text


def _typed(value: Any) -> Any:
    """A value of a column of times, numbers or yes and no: masked where it is none, or a number as long as a card's."""
    if isinstance(value, str):
        return value if _MOMENT.fullmatch(value) or _is_number(value) else masked(value)
    is_long = isinstance(value, int | float) and abs(value) >= _LONG_NUMBER
    return masked(str(value)) if is_long else value if isinstance(value, int | float | None) else masked(value)


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < _LONG_NUMBER
    except ValueError:
        return False


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
    """A record with its extra columns masked, those that name people or groups, and unreadable values."""
    if not isinstance(record, dict):
        return masked(record)
    types = {column.name: column.type for column in TABLES[table].columns} if table in TABLES else {}
    return {
        name: masked(value) if name not in types or name in _MASKED
        else _typed(value) if types[name] in _TYPED else value
        for name, value in record.items()
    }  # fmt: skip


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
