"""Rows of a file in its own layout as raw rows of the contract's tables, as an entry of the settings maps them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lacuna.data_contracts.contract import TABLES
from lacuna.data_contracts.values import is_null, text_of
from lacuna.pipelines.io.raw import Raw
from lacuna.pipelines.sources.files_settings import Constant, Entry, Joined
from lacuna.pipelines.sources.files_times import read_times
from lacuna.pipelines.sources.files_transcripts import cut_transcript

__all__ = ["Mapped", "columns_read", "map_rows"]

_ABSENT = object()


@dataclass(frozen=True)
class Mapped:
    """Rows of one table.

    Attributes
    ----------
    frame
        Raw columns with the contract's names.
    rows
        The row of the file that each comes from.
    people
        Names and addresses of people, by row of the frame.
    absent
        Their columns that no row of the chunk has.
    """

    frame: pd.DataFrame
    rows: np.ndarray
    people: list[list[str]]
    absent: frozenset[str]


def columns_read(entry: Entry) -> dict[str, str]:
    """Each of their columns that an entry names, and what it is for, as in messages."""
    uses = {entry.each[table]: f"the list of {table}" for table in entry.each}
    for table, columns in entry.columns.items():
        for ours, how in columns.items():
            for theirs in _theirs(how):
                if table not in entry.each or not theirs.startswith(f"{entry.each[table]}."):
                    uses.setdefault(theirs, f"{table}.{ours}")
    for theirs in entry.skip:
        uses.setdefault(theirs, "skip")
    return uses


def map_rows(entry: Entry, raw: Raw) -> dict[str, Mapped]:
    """The rows of each table that a chunk of a file holds."""
    frame, numbers = raw.frame, raw.rows
    inside = {f"{path}." for path in entry.each.values()}
    outer = {theirs: words for theirs, words in entry.skip.items() if not any(map(theirs.startswith, inside))}
    keep = ~_skipped(frame, outer)
    if not keep.all():
        frame, numbers = frame[keep.to_numpy()].reset_index(drop=True), numbers[keep.to_numpy()]
    return {table: _map_table(entry, table, frame, numbers) for table in entry.columns}


def _map_table(entry: Entry, table: str, frame: pd.DataFrame, numbers: np.ndarray) -> Mapped:
    records = frame
    path = entry.each.get(table)
    if path is not None:
        known = [word for word in entry.values.get(table, {}).get("role", {}) if word != "*"]
        listed, of = _items(_column(frame, path), entry.speaker, known if _closed(entry, table) else None)
        records, numbers = frame.iloc[of].reset_index(drop=True), numbers[of]
        # An item's columns are named after the list: "comments.body".
        items = pd.DataFrame({f"{path}.{key}": pd.Series(values, dtype="object") for key, values in listed.items()})
        records = pd.concat([records.drop(columns=[c for c in items if c in records]), items], axis="columns")
        keep = ~_skipped(records, {k: v for k, v in entry.skip.items() if k.startswith(f"{path}.")}).to_numpy()
        records, numbers = records[keep].reset_index(drop=True), numbers[keep]
    absent: set[str] = set()
    ours: dict[str, pd.Series] = {}
    for column, how in entry.columns[table].items():
        absent |= {theirs for theirs in _theirs(how) if _column(records, theirs, None) is None}
        ours[column] = _value(entry, table, column, _read(records, how))
    people = [_texts(_column(records, name)) for name in entry.names]
    named = [[text for text in of if text] for of in zip(*people, strict=True)] if people else [[]] * len(records)
    return Mapped(pd.DataFrame(ours, index=records.index), numbers, named, frozenset(absent))


def _closed(entry: Entry, table: str) -> bool:
    """Whether the settings name every speaker that there is."""
    words = entry.values.get(table, {}).get("role", {})
    return bool(words) and "*" not in words


def _theirs(how: str | Constant | Joined) -> list[str]:
    return [how] if isinstance(how, str) else how.join if isinstance(how, Joined) else []


def _read(frame: pd.DataFrame, how: str | Constant | Joined) -> pd.Series:
    if isinstance(how, Constant):
        return pd.Series([how.constant] * len(frame), index=frame.index, dtype="object")
    if isinstance(how, str):
        return _column(frame, how)
    parts = zip(*(_texts(_column(frame, theirs)) for theirs in how.join), strict=True)
    joined = [how.by.join(part for part in row if part) or None for row in parts]
    return pd.Series(joined, index=frame.index, dtype="object")


def _value(entry: Entry, table: str, column: str, raw: pd.Series) -> pd.Series:
    """A column's values translated, its times read, its lists cut."""
    words = entry.values.get(table, {}).get(column)
    if words:
        raw = pd.Series([_word(value, words) for value in raw], index=raw.index, dtype="object")
    kind = next((one.type for one in TABLES[table].columns if one.name == column), "timestamp")
    if kind == "timestamp":
        return read_times(raw, entry.times.get(table, {}).get(column, ""), entry.time_zone)
    if kind in ("list", "ids") and entry.separator:
        cut = [value.split(entry.separator) if isinstance(value, str) else value for value in raw]
        return pd.Series(cut, index=raw.index, dtype="object")
    return raw


def _word(value: Any, words: Mapping[str, Any]) -> Any:
    text = None if is_null(value) else text_of(value)
    if text is None or not text.strip():
        return value
    return words.get(text.strip(), words.get("*", value))


def _column(frame: pd.DataFrame, path: str, otherwise: Any = _ABSENT) -> Any:
    """A column, or what is at a path within records (``author.role``); without values where there is none."""
    if path in frame.columns:
        return frame[path]
    parts = path.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        first = ".".join(parts[:cut])
        if first in frame.columns:
            values = [_within(value, parts[cut:]) for value in frame[first]]
            if otherwise is not _ABSENT and all(value is None for value in values):
                return otherwise
            return pd.Series(values, index=frame.index, dtype="object")
    return pd.Series([None] * len(frame), index=frame.index, dtype="object") if otherwise is _ABSENT else otherwise


def _within(value: Any, path: list[str]) -> Any:
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _items(column: pd.Series, pattern: str, speakers: list[str] | None) -> tuple[dict[str, list[Any]], np.ndarray]:
    """The items of a column of lists or transcripts, by key, and the place of the row that each is in."""
    items: list[dict[str, Any]] = []
    of: list[int] = []
    for place, value in enumerate(column):
        listed = _list_of(value, pattern, speakers)
        items += [item if isinstance(item, dict) else {"text": item} for item in listed]
        of += [place] * len(listed)
    keys = dict.fromkeys(key for item in items for key in item)
    return {key: [item.get(key) for item in items] for key in keys}, np.array(of, dtype=np.int64)


def _list_of(value: Any, pattern: str, speakers: list[str] | None) -> list[Any]:
    if isinstance(value, list | tuple | np.ndarray):
        return [item for item in value if item is not None]
    if not isinstance(value, str) or not value.strip():
        return []
    if value.lstrip().startswith("["):
        try:
            listed = json.loads(value)
        except ValueError:
            listed = None
        if isinstance(listed, list):
            return listed
    return list(cut_transcript(value, pattern, speakers))


def _texts(column: pd.Series) -> list[str | None]:
    texts = (None if is_null(value) else text_of(value) for value in column)
    return [text.strip() if text and text.strip() else None for text in texts]


def _skipped(frame: pd.DataFrame, skip: Mapping[str, list[str]]) -> pd.Series:
    left_out = pd.Series(False, index=frame.index)
    for theirs, words in skip.items():
        left_out |= pd.Series([text in words for text in _texts(_column(frame, theirs))], index=frame.index, dtype=bool)
    return left_out
