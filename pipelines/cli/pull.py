"""`lacuna pull` and `lacuna sources`: conversations and articles out of a help desk, a database or files."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from lacuna.pipelines.cli.options import Config, Quiet, out
from lacuna.pipelines.presentation import progress

__all__ = ["check", "pull", "sources"]


def pull(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A section [sources.SOURCE] of the settings.")],
    into: Annotated[str, typer.Option("--into", metavar="BUNDLE", help="Folder (or fsspec URL); made where missing.")],
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Where a first pull begins; default: all there is."),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, metavar="N", help="Stop after so long; the next pull goes on from there.")
    ] = None,
    find_deleted: Annotated[
        bool, typer.Option("--find-deleted", help="List all conversations besides, and drop those that are gone.")
    ] = False,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Pull what is new at a source into a bundle, for `lacuna run` to mine.

    A later pull goes on where the last one ended; one that was interrupted loses nothing and doubles nothing.

    For example:

    `lacuna pull helpdesk --into bundle --since 2024-01-01 --config ours.toml`
    """
    from lacuna.pipelines.settings import load_settings
    from lacuna.pipelines.sources.pull import pull as pull_into

    progress.configure(quiet)
    pulled = pull_into(load_settings(config), source, into, since.date() if since else None, minutes, find_deleted)
    counts = ", ".join(f"{count:,} {table.replace('_', ' ')}" for table, count in sorted(pulled.rows.items()))
    if pulled.forgotten:
        counts += f"{'; ' if counts else ''}{pulled.forgotten:,} forgotten conversations were passed over"
    rest = "" if pulled.finished else " Time is up: the same command goes on from here."
    out.print(f"{escape(source)} → {escape(into)}: {counts or 'nothing new'}.{rest}", highlight=False, soft_wrap=True)


sources = typer.Typer(no_args_is_help=True, help="Look at the sources of the settings before they are pulled.")


@sources.command()
def check(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A section [sources.SOURCE] of the settings.")],
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Default: the last 28 days.")
    ] = None,
    rows: Annotated[int, typer.Option(min=100, help="About so many rows of each kind are looked at.")] = 2_000,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Look at a sample of a source: what it holds, what it lacks, what that costs the backlog, and how to get it.

    Nothing is kept. Exits with 1 where a run would stop at what the source gives.

    For example:

    `lacuna sources check helpdesk --config ours.toml`
    """
    from lacuna.pipelines.presentation.coverage_table import coverage_table
    from lacuna.pipelines.settings import load_settings
    from lacuna.pipelines.sources.check import check_source

    progress.configure(quiet)
    sample = check_source(load_settings(config), source, since.date() if since else None, rows)
    counts = Table("table", box=None, pad_edge=False, header_style="bold")
    for name in ("rows", "from", "to"):
        counts.add_column(name, justify="right")
    for looked_at in sample.tables:
        counts.add_row(looked_at.name, f"{looked_at.rows:,}", looked_at.first, looked_at.last)
    filled = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("table", "filled", "filled in part", "empty"):
        filled.add_column(name, overflow="fold")
    for table in dict.fromkeys(column.table for column in sample.columns):
        columns = [column for column in sample.columns if column.table == table]
        whole = [column.name for column in columns if column.share == 1]
        part = [f"{column.name} {column.share:.0%}" for column in columns if 0 < column.share < 1]
        empty = [column.name for column in columns if not column.share]
        filled.add_row(table, ", ".join(whole), ", ".join(part), ", ".join(empty))
    out.print(counts, "", filled, "", sep="\n", highlight=False)
    for column in sample.columns:
        how = sample.remedies.get(f"{column.table}.{column.name}")
        if how and column.share < 1:
            out.print(f"{column.table}.{column.name}: {escape(how)}", highlight=False, soft_wrap=True)
    for missing, how in sample.missing.items():
        out.print(f"no table {missing}{f': {escape(how)}' if how else ''}", highlight=False, soft_wrap=True)
    if sample.coverage:
        out.print()
        out.print(coverage_table(sample.coverage), highlight=False)
    for problem in sample.problems:
        out.print(f"[bold red]fail[/] {escape(problem)}", highlight=False, soft_wrap=True)
    if sample.problems:
        raise typer.Exit(1)
    out.print(f"\nNext: `lacuna pull {escape(source)} --into bundle`, then `lacuna run bundle --store store`.")
