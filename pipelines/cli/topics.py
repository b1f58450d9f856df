"""`lacuna topics` and `topic`: what a file of texts is about, what became of a topic, and how people change it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from typer.core import TyperGroup

from lacuna.pipelines.cli.options import Config, Quiet, Store, err, local, out
from lacuna.pipelines.io.addresses import store_path
from lacuna.pipelines.presentation import progress

if TYPE_CHECKING:
    from lacuna.pipelines.state.repository import State
    from lacuna.pipelines.topic_finder import Grouped

__all__ = ["topic_app", "topics"]


class _TopicOrCommand(TyperGroup):
    """`lacuna topic ID` shows a topic: whatever is no command of the group is taken for what `show` takes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `show` in front, unless the arguments begin with a command or ask for help."""
        first = args[0] if args else ""
        return super().parse_args(ctx, args if first in {*self.commands, "--help", "-h"} else ["show", *args])


topic_app = typer.Typer(
    cls=_TopicOrCommand,
    help="Show what became of topics from run to run, and change them: merge, split, rename, pin, drop, undo."
    " `lacuna topic --store DIR` lists all topics, `lacuna topic TOPIC_ID --store DIR` shows one.",
)
TopicId = Annotated[str, typer.Argument(metavar="TOPIC_ID", help="A topic_id of the latest run.")]
Who = Annotated[str | None, typer.Option(metavar="NAME", help="Who it is; default: $LACUNA_USER or the login name.")]
Why = Annotated[str, typer.Option(metavar="TEXT", help="Why, for whoever looks at it later.")]


@topic_app.command("show")
def topic(
    store: Store,
    topic_id: Annotated[
        str | None, typer.Argument(metavar="[TOPIC_ID]", help="A topic_id; all topics by default.", show_default=False)
    ] = None,
    config: Config = None,
) -> None:
    """Show the life of a topic run by run, or list all topics; the word `show` may be left out.

    Of a topic: label, size, what happened to it, and its gaps. It keeps its id while it lives: through growth, splits,
    mergers and absences.

    For example:

    `lacuna topic --store store`

    `lacuna topic t-3f9a2c51 --store store`
    """
    from lacuna.pipelines.state.topic_history import all_topics, life

    with _state(store, config) as state:
        out.print(life(state, topic_id) if topic_id else all_topics(state))


@topic_app.command()
def merge(
    topic_id: TopicId,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The topic that it becomes part of, and whose id stays.")],
    store: Store,
    why: Why = "",
    who: Who = None,
    config: Config = None,
) -> None:
    """Merge a topic into another, from the next run on.

    For example:

    `lacuna topic merge t-3f9a2c51 t-77ab01ef --store store --why "one problem, two wordings"`
    """
    _edit(store, config, "merge", topic_id, who, why, {"into": into})


@topic_app.command()
def split(
    topic_id: TopicId,
    first: Annotated[str, typer.Argument(metavar="EXAMPLE", help="A conversation_id of one problem.")],
    second: Annotated[str, typer.Argument(metavar="OTHER", help="A conversation_id of the other problem.")],
    store: Store,
    why: Why = "",
    who: Who = None,
    config: Config = None,
) -> None:
    """Split a topic into two by an example of each, from the next run on.

    `lacuna topic questions` lists the questions to choose from. Every question goes with the example that it is nearer
    to; subtopics that lie on both sides are split as well.

    For example:

    `lacuna topic split t-3f9a2c51 c-1042 c-2077 --store store`
    """
    _edit(store, config, "split", topic_id, who, why, {"examples": [first, second]})


@topic_app.command()
def rename(
    topic_id: TopicId,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
    store: Store,
    why: Why = "",
    who: Who = None,
    config: Config = None,
) -> None:
    """Give a topic a name, which stays until somebody gives another or takes it back.

    For example:

    `lacuna topic rename t-3f9a2c51 "Import fees" --store store`
    """
    _edit(store, config, "rename", topic_id, who, why, {"label": name})


@topic_app.command()
def pin(
    topic_id: TopicId,
    question: Annotated[
        str, typer.Argument(metavar="CONVERSATION", help="The conversation_id whose question belongs there.")
    ],
    store: Store,
    why: Why = "",
    who: Who = None,
    config: Config = None,
) -> None:
    """Pin a conversation's question to a topic, from the next run on.

    For example:

    `lacuna topic pin t-3f9a2c51 c-1042 --store store`
    """
    _edit(store, config, "pin", topic_id, who, why, {"question": question})


@topic_app.command()
def drop(topic_id: TopicId, store: Store, why: Why = "", who: Who = None, config: Config = None) -> None:
    """Say that a topic is none, from the next run on: its questions are in no topic, and no gap comes from them.

    For example:

    `lacuna topic drop t-3f9a2c51 --why "greetings" --store store`
    """
    _edit(store, config, "drop", topic_id, who, why, {})


@topic_app.command()
def undo(
    edit: Annotated[int, typer.Argument(metavar="EDIT", help="The number of an edit; see `lacuna topic edits`.")],
    store: Store,
    why: Why = "",
    who: Who = None,
    config: Config = None,
) -> None:
    """Take an edit back; nothing is deleted. An undo that is undone makes the edit hold again.

    For example:

    `lacuna topic undo 3 --store store`
    """
    from lacuna.pipelines.gaps.decisions import whoami
    from lacuna.pipelines.topic_edits import undo_edit

    with _state(store, config) as state:
        made = undo_edit(state, edit, whoami(who), why=why)
        _print_made(state, made)


@topic_app.command()
def edits(
    store: Store,
    topic_id: Annotated[
        str | None, typer.Argument(metavar="[TOPIC_ID]", help="Those of this topic alone.", show_default=False)
    ] = None,
    config: Config = None,
) -> None:
    """List what people have changed about topics, with what the latest run made of it.

    For example:

    `lacuna topic edits --store store`
    """
    from lacuna.pipelines.topic_edits import edits_now

    with _state(store, config) as state:
        rows = edits_now(state, topic_id)
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in ("edit", "when", "who and what", "now"):
            table.add_column(name, no_wrap=name in ("edit", "when"))
        for row in rows:
            why = f" ({row['why']})" if row["why"] else ""
            style = "yellow" if row["kept"] is False else None
            words = escape(f"{row['who']} {row['words']}{why}")
            table.add_row(str(row["id"]), f"{row['at']:%Y-%m-%d %H:%M}", words, escape(row["standing"]), style=style)
        if rows:
            out.print(table, highlight=False)
        else:
            out.print("Nobody has changed a topic.", highlight=False)


@topic_app.command()
def questions(topic_id: TopicId, store: Store, config: Config = None) -> None:
    """List questions of a topic in the latest run, from its middle to its edge: to split it by, or to pin elsewhere.

    For example:

    `lacuna topic questions t-3f9a2c51 --store store`
    """
    from lacuna.pipelines.state.topic_history import gap_state
    from lacuna.pipelines.topic_edits import questions_of

    with _state(store, config) as state:
        gap_state(state, topic_id)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("conversation", no_wrap=True)
    table.add_column("question")
    for row in questions_of(store, topic_id).to_dict("records"):
        table.add_row(escape(str(row["conversation_id"])), escape(str(row["question"])))
    out.print(table, highlight=False)


@contextmanager
def _state(store: Path, config: str | None) -> Iterator[State]:
    from lacuna.pipelines.io.runs import find_run
    from lacuna.pipelines.settings import load_settings
    from lacuna.pipelines.state.dead_runs import open_store

    find_run(store)
    with open_store(load_settings(config), store) as state:
        yield state


def _edit(
    store: Path, config: str | None, deed: str, topic_id: str, who: str | None, why: str, payload: dict[str, Any]
) -> None:
    from lacuna.pipelines.gaps.decisions import whoami
    from lacuna.pipelines.topic_edits import edit_topic

    with _state(store, config) as state:
        _print_made(state, edit_topic(store, state, deed, topic_id, whoami(who), why=why, payload=payload))


def _print_made(state: State, made: int) -> None:
    from lacuna.pipelines.topic_edits import edits_now

    row = next(row for row in edits_now(state) if row["id"] == made)
    standing = f": {row['standing']}" if row["standing"] else ""
    out.print(escape(f"Edit {made}: {row['who']} {row['words']}{standing}."), highlight=False, soft_wrap=True)


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
