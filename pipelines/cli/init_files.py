"""The part of `lacuna init` that describes a file: what is proposed for its columns and words, to be changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.prompt import Prompt
from rich.table import Table

from lacuna.data_contracts.contract import TABLES
from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.cli.options import out

if TYPE_CHECKING:
    import pandas as pd

    from lacuna.pipelines.sources.files_proposal import Proposal

__all__ = ["files_section"]

_NEEDED = ("conversations.conversation_id", "messages.role", "messages.text", "conversations.escalated")


def files_section(name: str, path: str, asks: bool) -> str:
    """The section of a source of files, its mapping proposed from the head of the first file, and changed by asking."""
    from lacuna.pipelines.sources.files_entries import entry_text
    from lacuna.pipelines.sources.files_listing import list_files
    from lacuna.pipelines.sources.files_proposal import head_of_file, propose
    from lacuna.pipelines.sources.registry import default_lines

    address = path if "://" in path else str(Path(path).expanduser().absolute())
    first = list_files(name, address)[0]
    head = head_of_file(first)
    if head.empty:
        raise SettingsInvalid(f"{first.address} has no rows to look at", "give a file with some")
    proposal = propose(head)
    _show(first.address, proposal, head)
    if asks:
        _change(proposal, head)
        _ask_words(proposal)
    lacking = proposal.lacking()
    if lacking or not proposal.columns:
        says = f"nothing in {first.address} looks like {', '.join(lacking) or 'a conversation'}"
        columns = ", ".join(map(str, head.columns))
        out.print(
            f"[yellow]{escape(says)}[/]: name the column in the settings; the file has {escape(columns)}",
            highlight=False,
        )
    unknown = [
        word for of in proposal.values.values() for words in of.values() for word, ours in words.items() if ours == ""
    ]
    if unknown and not asks:
        words = ", ".join(unknown)
        out.print(f"[yellow]Say in the settings what these words mean[/]: {escape(words)}", highlight=False)
    lines = [line for line in default_lines("files").splitlines() if not line.startswith("files = ")]
    return f"[sources.{name}]\n" + "\n".join(lines) + "\n\n" + entry_text(name, address, proposal)


def _show(file: str, proposal: Proposal, head: pd.DataFrame) -> None:
    from lacuna.pipelines.sources.files_settings import Constant

    table = Table("ours", "theirs", "for example", title=f"How {escape(file)} will be read", title_justify="left")
    for name, columns in proposal.columns.items():
        for ours, theirs in columns.items():
            said = f"always {theirs.constant}" if isinstance(theirs, Constant) else str(theirs)
            table.add_row(f"{name}.{ours}", escape(said), escape(_example(head, said)))
    for ours in _NEEDED:
        name, column = ours.split(".")
        if name in proposal.columns and column not in proposal.columns[name]:
            derived = column == "escalated"
            says = "[dim]where an agent wrote[/]" if derived else "[red]not found, and needed[/]"
            table.add_row(ours, says, "")
    out.print(table)
    if proposal.names:
        out.print(f"Redacted besides: {escape(', '.join(proposal.names))}", highlight=False)
    used = {str(theirs).split(".")[0] for of in proposal.columns.values() for theirs in of.values()}
    left = [str(name) for name in head.columns if str(name) not in {*used, *proposal.names, *proposal.each.values()}]
    if left:
        out.print(f"Not read: {escape(', '.join(left))}", highlight=False)
    for name, of in proposal.values.items():
        for ours, words in of.items():
            listed = ", ".join(f"{word} = {meant if meant != '' else '?'}" for word, meant in words.items())
            out.print(f"Words of {name}.{ours}: {escape(listed)}", highlight=False)
    for doubt in proposal.doubts:
        out.print(f"[yellow]Either way:[/] {escape(doubt)}", highlight=False)


def _example(head: pd.DataFrame, column: str) -> str:
    if column not in head.columns:
        return ""
    values = [str(value) for value in head[column].dropna() if str(value).strip()]
    text = " ".join(values[0].split()) if values else ""
    return text if len(text) <= 40 else f"{text[:39]}…"


def _change(proposal: Proposal, head: pd.DataFrame) -> None:
    """Let a person give our columns another of theirs, until they like what is shown."""
    from lacuna.pipelines.sources.files_guesses import time_format

    out.print("To change one, write: conversations.product = Their column. With nothing after =, it is not read.")
    while answer := Prompt.ask("Change (Enter: all is well)", default="", show_default=False, console=out).strip():
        ours, _, theirs = (part.strip() for part in answer.partition("="))
        table, _, column = ours.partition(".")
        if table not in TABLES or column not in (*TABLES[table].names, "updated_at"):
            out.print(f"[red]There is no column {escape(ours)}[/]: see docs/tables.md", highlight=False)
        elif not theirs:
            for section in (proposal.columns, proposal.values, proposal.times):
                section.get(table, {}).pop(column, None)
        elif theirs not in head.columns and "." not in theirs:
            out.print(
                f"[red]The file has no column {escape(theirs)}[/]: {escape(', '.join(head.columns))}", highlight=False
            )
        else:
            proposal.columns.setdefault(table, {})[column] = theirs
            proposal.times.get(table, {}).pop(column, None)
            proposal.values.get(table, {}).pop(column, None)
            if column.endswith("_at") and theirs in head.columns and (how := time_format(head[theirs])) and how[0]:
                proposal.times.setdefault(table, {})[column] = how[0]
            if column == "role" and theirs in head.columns:
                there = dict.fromkeys(str(value).strip() for value in head[theirs].dropna())
                proposal.values.setdefault(table, {})["role"] = dict.fromkeys(list(there)[:20], "")
            out.print(f"{escape(ours)} is read from {escape(theirs)}.", highlight=False)


def _ask_words(proposal: Proposal) -> None:
    words = proposal.values.get("messages", {}).get("role", {})
    for word in [word for word, ours in words.items() if ours == ""]:
        words[word] = Prompt.ask(
            f"Who is '{escape(word)}'", choices=["customer", "bot", "agent", "nobody"], default="agent", console=out
        ).replace("nobody", "")
