"""`lacuna audit`: the vendor's own metrics against random tags."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from lacuna.pipelines.cli.options import Store, out

__all__ = ["audit"]


def audit(
    store: Store,
    run: Annotated[str | None, typer.Option(metavar="ID", help="Which run; the latest by default.")] = None,
) -> None:
    """Show what the vendor's own metrics claim, and what random tags say of the same conversations.

    Metrics are the resolution flag (`resolved`), containment, the vendor's score (`vendor_score`) and CSAT, where the
    bundle has them. Only tags of a random audit (`sample` = `random`) correct them; without enough, nothing is said.

    For example:

    `lacuna audit --store store`
    """
    from lacuna.pipelines.io.published import read_published
    from lacuna.pipelines.io.runs import find_run
    from lacuna.pipelines.report.vendor_audit import audits

    entries = audits(read_published(find_run(store, run), "vendor_audit"))
    if not entries:
        out.print(
            "This run has no metric of the vendor: resolved, vendor_score and csat are empty, or it is an old run.",
            highlight=False,
        )
        return
    for entry in entries:
        out.print(f"[bold]{escape(entry['name'])}[/bold] ({escape(entry['means'])})", highlight=False)
        out.print(escape(f"  {entry['sentence']} {entry['basis']}"), highlight=False)
        if entry["topics"]:
            out.print(_topics(entry["topics"]), highlight=False)


def _topics(rows: list[dict[str, str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("topic", "claimed", "estimated", "verdict", "random tags"):
        table.add_column(name, overflow="fold", justify="left" if name in ("topic", "verdict") else "right")
    for row in rows:
        cells = (row["name"], row["claimed"], f"{row['estimate']} {row['range']}", row["verdict"], row["tags"])
        table.add_row(*map(escape, cells))
    return table
