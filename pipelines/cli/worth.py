"""`lacuna worth`: what fixes were worth in the last quarter."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from lacuna.pipelines.cli.options import Store, local, out

__all__ = ["worth"]


def worth(
    store: Store,
    run: Annotated[str | None, typer.Option(metavar="ID", help="Which run; the latest by default.")] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", parser=local("--html"), help="Write the page for whoever pays here.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", parser=local("--csv"), help="Write the figures of each fix here.")
    ] = None,
) -> None:
    """Show what fixes were worth in the last 91 days: hours and money, confirmed and assumed apart, with intervals.

    For example:

    `lacuna worth --store store`

    `lacuna worth --store store --html worth.html --csv worth.csv`
    """
    from lacuna.pipelines.io.published import read_published
    from lacuna.pipelines.io.runs import find_run, read_run
    from lacuna.pipelines.io.store import write_bytes
    from lacuna.pipelines.presentation.spreadsheet import records
    from lacuna.pipelines.report.worth import render_worth, worth_view
    from lacuna.pipelines.steps.publish.workbook import to_csv

    folder = find_run(store, run)
    frame = read_published(folder, "worth")
    document = read_run(folder)
    view = worth_view(frame, document)
    if frame.empty:
        out.print("Nothing has been fixed yet that this run could measure.", highlight=False)
        return
    out.print(escape(f"{view['quarter']}: {view['fixes']} counted"), highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "money", "hours", "human-handled conversations"):
        table.add_column(name, justify="right" if name else "left")
    for card in view["cards"]:
        cells = [f"{card[name]} {card[f'{name}_range']}".strip() for name in ("cost", "hours", "conversations")]
        table.add_row(*map(escape, (card["label"], *cells)))
    if view["cards"]:
        out.print(table, highlight=False)
    if view["before_after"]:
        out.print(escape(view["before_after"]), highlight=False)
    if view["left_out"]:
        out.print(escape(f"{view['left_out']} left out of the sums; the page says why."), highlight=False)
    if html:
        write_bytes(html, render_worth(frame, document).encode())
        out.print(escape(f"Page: {html}"), highlight=False)
    if csv:
        write_bytes(csv, to_csv(records(frame), list(frame.columns)))
        out.print(escape(f"Figures: {csv}"), highlight=False)
