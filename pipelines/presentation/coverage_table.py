"""Data coverage for a terminal: what is missing as a table, and what is there in one line."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from lacuna.models.data_coverage.coverage import ABSENT, THERE, Coverage, lacking, unknown

__all__ = ["coverage_table"]


def coverage_table(parts: Sequence[Coverage]) -> RenderableType:
    """What the data lack, with its cost and the cheapest next step, then what they contain."""
    lack = lacking(parts)
    if not lack:
        return Text(unknown(parts))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name, share in (("what the data lack", 3), ("what that costs", 5), ("the cheapest next step", 4)):
        table.add_column(name, ratio=share)
    for part in lack:
        cell = escape(part.label) if part.state == ABSENT else f"{escape(part.label)} [dim](in part)[/]"
        cell += f"\n[dim]{escape(part.figures)}[/]"
        if part.with_it:
            cell += f"\n[dim]and so no {escape(', '.join(part.with_it))}[/]"
        table.add_row(cell, escape(part.cost), escape(part.step), end_section=True)
    there = ", ".join(part.label for part in parts if part.state == THERE)
    return Group(table, Text(f"\nThe data carry {there}." if there else ""))
