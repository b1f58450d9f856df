"""`lacuna topics` and `topic`: what a file of texts is about, and what became of a topic from run to run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from lacuna.pipelines.cli.options import Config, Quiet, Store, err, local, out
from lacuna.pipelines.io.addresses import store_path
from lacuna.pipelines.presentation import progress

if TYPE_CHECKING:
    from lacuna.pipelines.topic_finder import Grouped

__all__ = ["topic", "topics"]


def topic(
    store: Store,
    topic_id: Annotated[
        str | None, typer.Argument(metavar="[TOPIC_ID]", help="A topic_id; all topics by default.", show_default=False)
    ] = None,
    config: Config = None,
) -> None:
    """Show the life of a topic run by run, or list all topics.

    Of a topic: label, size, what happened to it, and its gaps. It keeps its id while it lives: through growth, splits,
    mergers and absences.

    For example:

    `lacuna topic --store store`

    `lacuna topic t-3f9a2c51 --store store`
    """
    from lacuna.pipelines.io.runs import find_run
    from lacuna.pipelines.settings import load_settings
    from lacuna.pipelines.state.repository import open_state
    from lacuna.pipelines.state.topic_history import all_topics, life

    find_run(store)
    with open_state(load_settings(config), store) as state:
        out.print(life(state, topic_id) if topic_id else all_topics(state))


def topics(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSONL, CSV or Parquet, one text a row.")],
    text: Annotated[str, typer.Option("--text", metavar="COLUMN", help="The column of texts.")],
    name: Annotated[
        str | None, typer.Option("--id", metavar="COLUMN", help="Column of unique ids; row numbers from 1 by default.")
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", parser=local("--out"), help="CSV or Parquet of id, topic_id, state, strength."
        ),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(
            "--store",
            metavar="DIR",
            parser=store_path,
            help="Keeps vectors for next time; default: your cache folder.",
        ),
    ] = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Group a file of texts into topics: no store, no articles, no outcomes needed.

    Prints each topic with its size. How many topics there are is found, not asked. Personal data is taken out first;
    a text that is there twice counts once. `state` is core (the topic was found in it), nearest (it joined the topic
    most like it) or unassigned (it is like none: `topic_id` is empty). Exits with 2 where no topic is found.

    For example:

    `lacuna topics questions.csv --text question`

    `lacuna topics tickets.jsonl --text subject --id ticket_id --out topics.parquet`
    """
    from lacuna.pipelines.io.run_folders import user_cache
    from lacuna.pipelines.settings import load_settings
    from lacuna.pipelines.topic_finder import group_file

    progress.configure(quiet)
    grouped = group_file(file, text, name, into, store or user_cache(), load_settings(config))
    _print_topics(grouped)
    if into is not None:
        out.print(f"Written: {escape(str(into))}", highlight=False, soft_wrap=True)
    if not len(grouped.topics):
        raise typer.Exit(2)


_MORE = "give a few hundred or more, one question or problem in each; --text names the column that holds them"


def _print_topics(grouped: Grouped) -> None:
    rows = grouped.assignments
    for row, why in grouped.unreadable[:5]:
        err.print(f"[yellow]warn[/] row {row} was left out: {escape(why)}", highlight=False)
    if len(grouped.unreadable) > 5:
        err.print(f"[yellow]warn[/] … and {len(grouped.unreadable) - 5} more", highlight=False)
    outside = int((rows["state"] == "unassigned").sum())
    share = f" ({outside / len(rows):.1%})" if len(rows) else ""
    if len(grouped.topics):
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("topic", justify="right")
        table.add_column("label")
        for column in ("texts", "core", "nearest"):
            table.add_column(column, justify="right")
        for topic in grouped.topics.to_dict("records"):
            core, nearest = int(topic["core"]), int(topic["nearest"])
            figures = (f"{core + nearest:,}", f"{core:,}", f"{nearest:,}")
            table.add_row(str(topic["topic_id"]), escape(str(topic["label"])), *figures)
        out.print(table, highlight=False)
    else:
        problem = (
            f"no topic was found in {grouped.distinct:,} distinct texts: they are too few, or none is like another"
        )
        err.print(f"[bold red]error:[/] {problem}\n  → {_MORE}", highlight=False, soft_wrap=True)
    out.print(
        f"{len(rows):,} texts, {grouped.distinct:,} of them distinct, in {len(grouped.topics)} topics;"
        f" {outside:,} unassigned{share}",
        highlight=False,
    )
    if grouped.alarm:
        err.print(f"[yellow]warn[/] {escape(grouped.alarm)}", highlight=False, soft_wrap=True)
