"""A proposed mapping written as an entry of the settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lacuna.pipelines.sources.files_proposal import Proposal
from lacuna.pipelines.sources.files_settings import Constant, Joined

__all__ = ["entry_text", "toml_value"]


def entry_text(source: str, path: str, proposal: Proposal, sheet: str = "") -> str:
    """The entry ``[[sources.<source>.files]]`` of a file, as TOML."""
    top = f"sources.{source}.files"
    lines = [
        "# A file, or several of one layout; every key that an entry can have is in docs/sources-files.md.",
        f"[[{top}]]",
        f"path = {toml_value(path)}",
        *([f"sheet = {toml_value(sheet)}"] if sheet else []),
        f"names = {toml_value(proposal.names)}   # columns with names and addresses of people, to redact",
    ]
    lines += [f"# {doubt}" for doubt in proposal.doubts]
    if proposal.each:
        lines.append(f"each = {toml_value(proposal.each)}   # this column holds a conversation's messages")
    for table, columns in proposal.columns.items():
        lines += ["", f"[{top}.columns.{table}]   # our column = theirs"]
        lines += [f"{ours} = {toml_value(theirs)}" for ours, theirs in columns.items()]
    for table, of in proposal.values.items():
        for ours, words in of.items():
            lines += ["", f"[{top}.values.{table}.{ours}]   # their word = ours"]
            lines += [f"{json.dumps(word, ensure_ascii=False)} = {toml_value(means)}" for word, means in words.items()]
    for table, times in proposal.times.items():
        lines += ["", f"[{top}.times.{table}]   # how a time is written"]
        lines += [f"{ours} = {toml_value(how)}" for ours, how in times.items()]
    return "\n".join(lines) + "\n"


def toml_value(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, Constant | Joined):
        value = value.model_dump()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(toml_value(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)  # of texts, numbers and true or false, TOML is as JSON
