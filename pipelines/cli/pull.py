"""`lacuna pull` and `lacuna sources`: conversations and articles out of a help desk, a database or files."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape

from lacuna.pipelines.cli.options import Config, Quiet, out
from lacuna.pipelines.presentation import progress

__all__ = ["pull"]


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
    pulled = pull_into(load_settings(config), source, into, since.date() if since else None, minutes)
    counts = ", ".join(f"{count:,} {table.replace('_', ' ')}" for table, count in sorted(pulled.rows.items()))
    rest = "" if pulled.finished else " Time is up: the same command goes on from here."
    out.print(f"{escape(source)} → {escape(into)}: {counts or 'nothing new'}.{rest}", highlight=False, soft_wrap=True)
