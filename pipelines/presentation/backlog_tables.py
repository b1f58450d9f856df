"""Tables for the review in the terminal: the current backlog, and the decisions on one gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from lacuna.models.backlog.lifecycle import CLOSED, Decision, in_force
from lacuna.models.backlog.precision import Precision, overall
from lacuna.models.backlog.small_gaps import is_folded
from lacuna.pipelines.presentation.format import decimal

__all__ = ["backlog_now_table", "history_table", "precision_lines"]


def backlog_now_table(rows: Sequence[Mapping[str, Any]], top: int, everything: bool) -> RenderableType:
    """The first ``top`` gaps, closed and too small ones only with ``everything``, and how many there are."""
    closed = [row["status"] in CLOSED for row in rows]
    folded = [is_folded(row.get("too_small"), str(row["status"]), row.get("due")) for row in rows]
    listed_rows = [row for row, *away in zip(rows, closed, folded, strict=True) if everything or not any(away)]
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("#", justify="right", no_wrap=True)
    for name in ("gap_id", "kind", "status"):
        table.add_column(name, no_wrap=True)
    table.add_column("gap")
    table.add_column("owner")
    table.add_column("due", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    for row in listed_rows[:top]:
        status = str(row["status"]) + (f" until {row['until']}" if row["status"] == "snoozed" and row["until"] else "")
        note = f"\n[dim]{escape(str(row['status_note']))}[/]" if row.get("status_note") else ""
        owner = str(row.get("owner_name") or row.get("owner_id") or "unowned")
        figures = (escape(owner), _due(row), decimal(row["score"]))
        table.add_row(
            str(row["rank"]), str(row["gap_id"]), str(row["kind"]), status, escape(str(row["title"])) + note, *figures
        )
    late = sum(row["overdue"] > 0 for row in listed_rows)
    counts = [f"{len(listed_rows):,} {'gap' if len(listed_rows) == 1 else 'gaps'}"]
    if late:
        counts.append(f"{late:,} overdue")
    if len(listed_rows) > top:
        counts.append(f"{len(listed_rows) - top:,} more not shown (--top)")
    if sum(closed) and not everything:
        counts.append(f"{sum(closed):,} verified, snoozed or dismissed (--all)")
    if sum(folded) and not everything:
        counts.append(f"{sum(folded):,} too small to act on (--all)")
    return Group(table, Text(", ".join(counts)))


def _due(row: Mapping[str, Any]) -> str:
    cell = str(row["falls_due"] or "")
    cell += f"\n[bold]{row['overdue']} d over[/]" if row["overdue"] else ""
    return cell + ("\n[dim]escalated[/]" if row["escalated"] else "")


def history_table(gap_id: str, title: str, status: str, decisions: Sequence[Decision]) -> RenderableType:
    """Every decision on a gap, the oldest first, with a mark on those that were taken back."""
    head = Text(f"{gap_id} {title}".strip() + f" · {status}", style="bold")
    if not decisions:
        return Group(head, Text("Nobody has decided on it."))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("id", "at (UTC)", "who", "decision"):
        table.add_column(name, no_wrap=True)
    table.add_column("why")
    ids_in_force = {decision.id for decision in in_force(decisions)}
    ids_taken_back = {decision.id for decision in decisions if decision.verb != "undo"} - ids_in_force
    for decision in decisions:
        action_text = " ".join(
            [decision.verb, *(f"{name}={value}" for name, value in decision.payload.items() if value is not None)]
        )
        mark = " (taken back)" if decision.id in ids_taken_back else ""
        table.add_row(
            str(decision.id),
            f"{decision.at:%Y-%m-%d %H:%M}",
            escape(decision.who),
            escape(action_text) + mark,
            escape(decision.why),
        )
    return Group(head, table)


def precision_lines(kinds: Sequence[Precision]) -> list[str]:
    """The backlog's precision according to reviewers: over all kinds, then by kind; empty where nobody judged."""
    overall_precision = overall(kinds)
    if overall_precision is None:
        return []
    each = [kind.in_words() for kind in kinds] if len(kinds) > 1 else []
    sentences = [overall_precision.in_words() if len(kinds) > 1 else kinds[0].in_words(), *each]
    return [line[:1].upper() + line[1:] for line in sentences]
