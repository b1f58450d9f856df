"""A mapping for a file that nobody has described yet, by the names of its columns and by what is in them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pandas as pd

from lacuna.data_contracts.contract import TABLES
from lacuna.pipelines.sources.files_guesses import (
    escalated_words,
    is_list,
    is_text,
    is_transcript,
    plain_name,
    role_words,
    time_format,
    words,
)
from lacuna.pipelines.sources.files_listing import SourceFile
from lacuna.pipelines.sources.files_reading import chunks_of
from lacuna.pipelines.sources.files_settings import Constant, Joined, entry_of
from lacuna.pipelines.sources.files_transcripts import cut_transcript

__all__ = ["Proposal", "head_of_file", "propose"]

HEAD_ROWS = 2_000
_CHUNK = 2 << 20


@dataclass
class Proposal:
    """A mapping as a person may change it.

    Attributes
    ----------
    columns
        Their column by table and ours; the value is a :class:`Constant` where none fits and one is due.
    values, times, each, names
        As in an entry of the settings.
    doubts
        What could be read in two ways, a sentence each.
    """

    columns: dict[str, dict[str, str | Constant | Joined]] = field(default_factory=dict)
    values: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    times: dict[str, dict[str, str]] = field(default_factory=dict)
    each: dict[str, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def lacking(self) -> list[str]:
        """What every row needs and no column gives, as ``table.column``."""
        derived = {"conversations": ("started_at", "escalated"), "messages": ("position",)}
        return [
            f"{table}.{name}"
            for table, columns in self.columns.items()
            for name in TABLES[table].needed
            if name not in columns and name not in derived.get(table, ())
        ]


def head_of_file(file: SourceFile, form: str = "", sheet: str = "") -> pd.DataFrame:
    """The first rows of a file, of a list in them one row an item (``comments.body``) besides."""
    known = [name for of in words()["columns"].values() for names in of.values() for name in names]
    names = {*known, *(name.replace(" ", "_") for name in known), *(name.capitalize() for name in known)}
    entry = entry_of({"path": file.address, "format": form, "sheet": sheet, "columns": {"releases": _ANY_RELEASE}})
    first = next(islice(chunks_of(file, entry, names, _CHUNK), 1))
    if len(first.frame.columns) == 1:  # names that nobody knows, between marks other than commas
        (line,) = map(str, first.frame.columns)
        mark = max(";\t|", key=line.count)
        if mark in line:
            first = next(islice(chunks_of(file, entry, [name.strip(' "') for name in line.split(mark)], _CHUNK), 1))
    return first.frame.head(HEAD_ROWS)


_ANY_RELEASE = {name: {"constant": ""} for name in ("product", "version", "released_at")}


def propose(head: pd.DataFrame) -> Proposal:
    """Propose how a file is read, from its first rows."""
    proposal = Proposal()
    flat = _flattened(head)
    if _is_article(flat):
        _map(proposal, "articles", flat)
        return proposal
    path = next((name for name in head.columns if is_list(head[name])), None)
    path = path or next((str(name) for name in head.columns if is_transcript(head[name])), None)
    if path is not None:
        proposal.each["messages"] = path
        items = _items(head, path)
        _map(proposal, "conversations", flat.drop(columns=[path], errors="ignore"))
        _map(proposal, "messages", items, only=("role", "text", "sent_at", "article_ids", "is_fallback"), of=path)
        if f"{path}.speaker" in items:  # a transcript: its parts have these names whatever the file's are
            said = {"role": f"{path}.speaker", "text": f"{path}.text"}
            clock = {"sent_at": f"{path}.time"} if "sent_at" in proposal.columns["messages"] else {}
            proposal.columns["messages"] = {**said, **clock}
            proposal.values["messages"] = {"role": role_words(items[f"{path}.speaker"]) or {}}
    else:
        _map(proposal, "messages", flat, only=("role", "text", "sent_at", "article_ids", "is_fallback"))
        taken = [theirs for theirs in proposal.columns["messages"].values() if isinstance(theirs, str)]
        key, time = proposal.columns["messages"].get("role"), proposal.columns["messages"].get("sent_at")
        rest = flat.drop(columns=[name for name in taken if name != time or key is None])
        _map(proposal, "conversations", rest)
        if "text" not in proposal.columns["messages"]:
            del proposal.columns["messages"]
        elif key is None:  # one row a conversation, with what the customer wrote: notes of a CRM, tickets of a form
            proposal.columns["messages"]["role"] = Constant(constant="customer")
            proposal.columns["messages"].pop("sent_at", None)
    if "messages" in proposal.columns:
        key = proposal.columns["conversations"].get("conversation_id")
        if key is not None:
            proposal.columns["messages"] = {"conversation_id": key, **proposal.columns["messages"]}
        if list(proposal.columns["conversations"]) == ["conversation_id"]:  # the messages show as much
            del proposal.columns["conversations"]
    proposal.columns = dict(sorted(proposal.columns.items()))
    mapped = {theirs for of in proposal.columns.values() for theirs in of.values() if isinstance(theirs, str)}
    proposal.names = [
        name for name in flat.columns if plain_name(name) in words()["names"]["words"] and name not in mapped
    ]
    return proposal


def _map(proposal: Proposal, table: str, head: pd.DataFrame, only: Collection[str] = (), of: str = "") -> None:
    """Find a column of the file for each of the table's, the likeliest name first, if its values are of such a kind."""
    mine: Mapping[str, list[str]] = words()["columns"][table]
    kinds = {column.name: column.type for column in TABLES[table].columns} | {"updated_at": "timestamp"}
    names = {name: plain_name(str(name).removeprefix(f"{of}.")) for name in head.columns}
    found = proposal.columns.setdefault(table, {})
    for ours in only or mine:
        wanted = [ours.replace("_", " "), *mine.get(ours, ())]
        fitting = sorted((wanted.index(plain), name) for name, plain in names.items() if plain in wanted)
        for _, theirs in fitting:
            if theirs not in found.values() and _fits(proposal, table, ours, kinds[ours], theirs, head[theirs]):
                found[ours] = theirs
                break
    if table == "messages" and "text" not in found:
        longest = [name for name in head.columns if is_text(head[name]) and name not in found.values()]
        if longest:
            found["text"] = max(longest, key=lambda name: head[name].astype(str).str.len().mean())


def _fits(proposal: Proposal, table: str, ours: str, kind: str, theirs: str, column: pd.Series) -> bool:
    if ours == "role":
        meant = role_words(column)
        if meant is not None:
            proposal.values.setdefault(table, {})["role"] = meant
        return meant is not None
    if ours == "escalated":
        said = escalated_words(column)
        if said:
            proposal.values.setdefault(table, {})["escalated"] = said
        return said is not None
    if kind == "timestamp":
        how = time_format(column)
        if how and how[0]:
            proposal.times.setdefault(table, {})[ours] = how[0]
        if how and how[1]:
            proposal.doubts.append(f"{theirs}: read as {how[0]}, but {how[1]} would fit every value as well")
        return how is not None
    if kind in ("float", "int"):
        return bool(pd.to_numeric(column, errors="coerce").notna().any())
    if ours in ("text", "body"):
        return is_text(column)
    return bool(column.notna().any())


def _is_article(head: pd.DataFrame) -> bool:
    names = {plain_name(str(name)): name for name in head.columns}
    of = words()["columns"]["articles"]
    body = next((names[name] for name in of["body"] if name in names), None)
    titled = any(name in names for name in ("title", "headline", "name"))
    talks = any(plain_name(str(name)) in words()["columns"]["messages"]["role"][:7] for name in head.columns)
    return titled and body is not None and is_text(head[body]) and not talks


def _flattened(head: pd.DataFrame) -> pd.DataFrame:
    """With a column for each value within records: ``author.role``."""
    more = {}
    for name in head.columns:
        records = [value for value in head[name] if isinstance(value, dict)]
        for key in dict.fromkeys(key for record in records for key in record):
            inner = [value.get(key) if isinstance(value, dict) else None for value in head[name]]
            more[f"{name}.{key}"] = pd.Series(inner, index=head.index, dtype="object")
    return pd.concat([head, pd.DataFrame(more, index=head.index)], axis="columns")


def _items(head: pd.DataFrame, path: str) -> pd.DataFrame:
    """The items of the lists, or of the transcripts, in a column."""
    items: list[dict[str, Any]] = []
    for value in head[path]:
        items += value if isinstance(value, list) else cut_transcript(value) if isinstance(value, str) else []
    frame = _flattened(pd.DataFrame([item for item in items if isinstance(item, dict)], dtype="object"))
    return frame.rename(columns={name: f"{path}.{name}" for name in frame.columns})
