"""The review in the terminal: the backlog as it stands, and what was decided on one gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from lacuna.models.backlog.lifecycle import CLOSED, Decision, in_force
from lacuna.models.backlog.precision import Precision, overall
from lacuna.pipelines.presentation.format import decimal

__all__ = ["backlog_now_table", "history_table", "precision_lines"]


def backlog_now_table(rows: Sequence[Mapping[str, Any]], top: int, everything: bool) -> RenderableType:
    """The first ``top`` gaps, the closed ones only where ``everything`` is asked for, and how many there are."""
    shown = [row for row in rows if everything or row["status"] not in CLOSED]
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("#", justify="right", no_wrap=True)
    for name in ("gap_id", "kind", "status"):
        table.add_column(name, no_wrap=True)
    table.add_column("gap")
    table.add_column("owner")
    table.add_column("due", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    for row in shown[:top]:
        status = str(row["status"]) + (f" until {row['until']}" if row["status"] == "snoozed" and row["until"] else "")
        note = f"\n[dim]{escape(str(row['status_note']))}[/]" if row.get("status_note") else ""
        owner = str(row.get("owner_name") or row.get("owner_id") or "unowned")
        figures = (escape(owner), _due(row), decimal(row["score"]))
        table.add_row(
            str(row["rank"]), str(row["gap_id"]), str(row["kind"]), status, escape(str(row["title"])) + note, *figures
        )
    late = sum(row["overdue"] > 0 for row in shown)
    counts = [f"{len(shown):,} {'gap' if len(shown) == 1 else 'gaps'}"]
    if late:
        counts.append(f"{late:,} overdue")
    if len(shown) > top:
        counts.append(f"{len(shown) - top:,} more not shown (--top)")
    if len(rows) > len(shown):
        counts.append(f"{len(rows) - len(shown):,} verified, snoozed or dismissed (--all)")
    return Group(table, Text(", ".join(counts)))


def _due(row: Mapping[str, Any]) -> str:
    told = str(row["falls_due"] or "")
    told += f"\n[bold]{row['overdue']} d over[/]" if row["overdue"] else ""
    return told + ("\n[dim]escalated[/]" if row["escalated"] else "")


def history_table(gap_id: str, title: str, status: str, decisions: Sequence[Decision]) -> RenderableType:
    """Every decision on a gap, the oldest first, those taken back marked."""
    head = Text(f"{gap_id} {title}".strip() + f" · {status}", style="bold")
    if not decisions:
        return Group(head, Text("Nobody has decided on it."))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("id", "at (UTC)", "who", "decision"):
        table.add_column(name, no_wrap=True)
    table.add_column("why")
    kept = {said.id for said in in_force(decisions)}
    taken = {said.id for said in decisions if said.verb != "undo"} - kept
    for said in decisions:
        what = " ".join([said.verb, *(f"{name}={value}" for name, value in said.payload.items() if value is not None)])
        mark = " (taken back)" if said.id in taken else ""
        table.add_row(
            str(said.id), f"{said.at:%Y-%m-%d %H:%M}", escape(said.who), escape(what) + mark, escape(said.why)
        )
    return Group(head, table)


def precision_lines(kinds: Sequence[Precision]) -> list[str]:
    """How right the backlog was in reviewers' eyes: over all kinds, then each; nothing where nobody judged."""
    whole = overall(kinds)
    if whole is None:
        return []
    each = [kind.in_words() for kind in kinds] if len(kinds) > 1 else []
    told = [whole.in_words() if len(kinds) > 1 else kinds[0].in_words(), *each]
    return [line[:1].upper() + line[1:] for line in told]
