"""`lacuna impact`: whether what was fixed worked."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from lacuna.pipelines.cli.options import Store, out

__all__ = ["impact"]


def impact(
    store: Store,
    run: Annotated[str | None, typer.Option(metavar="ID", help="Which run; the latest by default.")] = None,
) -> None:
    """Show what was fixed, whether it worked, and what it has saved so far.

    A fix is verified where fewer answers fail than in topics that nobody touched, surely and clearly; else it is too
    early to tell, had no effect, or made it worse. Intervals are at 95 % unless the settings say otherwise.

    For example:

    `lacuna impact --store store`

    `lacuna impact --store store --run 2024-06-30`
    """
    from lacuna.pipelines.io.published import read_published
    from lacuna.pipelines.io.runs import find_run, read_run
    from lacuna.pipelines.report.impact import fixes
    from lacuna.pipelines.report.random_order import by_lot

    folder = find_run(store, run)
    impact = read_published(folder, "impact")
    if impact.empty:
        out.print("Nothing has been fixed yet that this run could measure.", highlight=False)
        out.print("Say so with `lacuna decide GAP publish --on DAY`, and run again.", highlight=False)
        return
    page = fixes(impact)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in (
        "fixed",
        "gap",
        "verdict",
        "failed before → after",
        "against expected",
        "avoided a week",
        "cost so far",
    ):
        table.add_column(name, overflow="fold", justify="left" if name in ("fixed", "gap", "verdict") else "right")
    for row in page["rows"]:
        avoided = f"{row['avoided'].removesuffix(' a week')} {row['avoided_range']}".strip()
        cells = (row["day"], row["title"], row["verdict"], f"{row['before']} → {row['after']}", row["drop"], avoided)
        table.add_row(*map(escape, cells), escape(row["cost"]))
    out.print(table, highlight=False)
    for sentence in page["saved"]:
        out.print(escape(sentence), highlight=False)
    queue = by_lot(read_published(folder, "random_order"), read_run(folder))
    if queue["rows"]:
        out.print(escape(queue["sentence"]), highlight=False)
