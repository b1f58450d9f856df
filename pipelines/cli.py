"""The command ``lacuna``.

Exit codes: 0 done (also where nothing was left to do); 1 ``check`` found something wrong with the bundle; 2 a problem
that the message tells how to put right, wrong usage included; 70 a fault of Lacuna itself; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from data_contracts.errors import LacunaError
from pipelines import progress
from pipelines.commands import deciding, impact, reviewing, writing
from pipelines.commands.common import Config, Quiet, Store, err, out

if TYPE_CHECKING:
    from pipelines.load import CheckResult
    from pipelines.run import RunResult
    from pipelines.texts import Grouped

# Heavy modules are imported by the commands that need them, so that --help answers at once.

__all__ = ["app", "main"]

OUR_FAULT = 70
INTERRUPTED = 130
WIDTH = 110  # of tables that go to a file or a log
DEMO_WEEKS = ("2024-06-16", "2024-06-23", "2024-06-30")

app = typer.Typer(
    name="lacuna",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Turns a folder of support conversations into a ranked, owned backlog of knowledge gaps.",
    epilog="Start here:  `lacuna demo --store demo-store`  ·  Exit codes: 0 done, 1 check found faults,"
    " 2 a problem you can put right, 70 a fault of Lacuna, 130 interrupted.",
)
Bundle = Annotated[str, typer.Argument(metavar="BUNDLE", help="Folder (or fsspec URL) with conversations, messages, …")]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        out.print(f"lacuna-kb {metadata.version('lacuna-kb')}", highlight=False)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    pass


@app.command()
def run(
    bundle: Bundle,
    store: Store,
    start: Annotated[str | None, typer.Option(metavar="DATE", help="First day of the window, as 2024-06-03.")] = None,
    end: Annotated[str | None, typer.Option(metavar="DATE", help="Last day, included; it names the run.")] = None,
    config: Config = None,
    force: Annotated[bool, typer.Option("--force", help="Run again even where nothing changed.")] = False,
    quiet: Quiet = False,
    top: Annotated[int, typer.Option(min=0, help="Rows of the backlog to print.")] = 10,
) -> None:
    """Mine a bundle and publish `DIR/runs/<last day>`.

    Without dates it looks at the last 28 days of the bundle; what lies before serves trends. The same input again
    changes nothing, changed input replaces the run, an interrupted run goes on where it stopped.

    For example:

    `lacuna run bundle --store store`

    `lacuna run s3://support/export --store store --end 2024-06-30 --config ours.toml`
    """
    from pipelines.run import run as run_pipeline

    progress.configure(quiet)
    _print_result(run_pipeline(bundle, store, start, end, config, force=force), top)


@app.command()
def check(bundle: Bundle, config: Config = None) -> None:
    """Check a bundle against the data contract, and write nothing.

    Prints what is wrong, table by table, and exits with 1 where something is; 0 where all is well. Warnings alone
    don't count.

    For example:

    `lacuna check bundle`
    """
    from pipelines.load import check_bundle
    from pipelines.settings import load_settings

    progress.configure()
    result = check_bundle(bundle, load_settings(config).contract.limits)
    _print_check(result)
    if not result.ok:
        stops = "a run would go on without these rows" if result.runnable else "a run would stop at this"
        out.print(f"{escape(bundle)} breaks the contract; {stops}. Put it right and check again.", highlight=False)
        raise typer.Exit(1)
    warned = len(result.warnings) + sum(finding.severity == "warn" for finding in result.findings)
    out.print(f"{escape(bundle)} keeps the contract ({warned} warnings).", highlight=False)


@app.command()
def explain(
    gap: Annotated[str, typer.Argument(metavar="GAP_ID", help="A gap_id, or a rank such as 1.")],
    store: Store,
    run: Annotated[str | None, typer.Option(metavar="ID", help="Which run; the latest by default.")] = None,
) -> None:
    """Explain one gap: why this kind, why this rank, who should act, what people wrote.

    For example:

    `lacuna explain 1 --store store`

    `lacuna explain g-3f9a2c --store store --run 2024-06-23`
    """
    from pipelines import explain as explaining

    folder = explaining.find_run(store, run)
    row = explaining.find_gap(explaining.read_backlog(folder), gap)
    cost = (explaining.read_run(folder).get("settings") or {}).get("cost") or {}
    out.print(explaining.explain(row, cost.get("currency", "")))


@app.command()
def demo(
    store: Store,
    folder: Annotated[
        Path | None, typer.Option("--folder", metavar="DIR", help="Where the demo's input goes; default: in the store.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write a made-up company's conversations, mine three weeks of them, and show the backlog.

    For example:

    `lacuna demo --store demo-store`
    """
    from pipelines.demo import write_demo
    from pipelines.run import run as run_pipeline

    progress.configure(quiet)
    target = folder or store / "demo"
    write_demo(target)
    for week in DEMO_WEEKS:
        progress.say(f"Week up to {week}")
        result = run_pipeline(str(target / "bundle"), store, end=week)
    _print_result(result, top=10)


@app.command()
def runs(store: Store) -> None:
    """List the runs in a store.

    For example:

    `lacuna runs --store store`
    """
    from pipelines.explain import find_run, published_runs, read_run

    find_run(store)
    table = Table("run", "from", "to", "gaps", "kinds", box=None, pad_edge=False, header_style="bold")
    for run_id in published_runs(store):
        told = read_run(store / "runs" / run_id)
        window, backlog = told.get("window") or {}, told.get("backlog") or {}
        kinds = ", ".join(f"{count} {kind}" for kind, count in (backlog.get("by_kind") or {}).items() if count)
        table.add_row(run_id, window.get("start", ""), window.get("end", ""), str(backlog.get("gaps", "")), kinds)
    out.print(table)


@app.command()
def topics(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSONL, CSV or Parquet, one text a row.")],
    text: Annotated[str, typer.Option("--text", metavar="COLUMN", help="The column of texts.")],
    name: Annotated[
        str | None, typer.Option("--id", metavar="COLUMN", help="Column of unique ids; row numbers from 1 by default.")
    ] = None,
    into: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="CSV or Parquet of id, topic_id, state, strength.")
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option("--store", metavar="DIR", help="Keeps vectors for next time; default: your cache folder."),
    ] = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Group texts into topics: no store, no articles, no outcomes needed.

    Prints each topic with its size. How many topics there are is found, not asked. Personal data is taken out first;
    a text that is there twice counts once. `state` is core (the topic was found in it), nearest (it joined the topic
    most like it) or unassigned (it is like none: `topic_id` is empty).

    For example:

    `lacuna topics questions.csv --text question`

    `lacuna topics tickets.jsonl --text subject --id ticket_id --out topics.parquet`
    """
    from pipelines.settings import load_settings
    from pipelines.texts import default_cache, group_file

    progress.configure(quiet)
    found = group_file(file, text, name, into, store or default_cache(), load_settings(config))
    _print_topics(found)
    if into is not None:
        out.print(f"Written: {escape(str(into))}", highlight=False, soft_wrap=True)


@app.command()
def topic(
    store: Store,
    topic_id: Annotated[
        str | None, typer.Argument(metavar="[TOPIC_ID]", help="A topic_id; all topics by default.", show_default=False)
    ] = None,
    config: Config = None,
) -> None:
    """Show the life of a topic, run by run: label, size, what happened to it, its gaps; or list all topics.

    A topic keeps its id while it lives: through growth, splits, mergers and absences.

    For example:

    `lacuna topic --store store`

    `lacuna topic t-3f9a2c51 --store store`
    """
    from pipelines.explain import find_run
    from pipelines.settings import load_settings
    from pipelines.state import open_state
    from pipelines.topic_life import all_topics, life

    find_run(store)
    state = open_state(load_settings(config), store)
    out.print(life(state, topic_id) if topic_id else all_topics(state))
    state.close()


@app.command()
def settings() -> None:
    """Print every setting with its default and what it does.

    For example:

    `lacuna settings > ours.toml`
    """
    from pipelines.settings import default_text

    sys.stdout.write(default_text())


deciding.mount(app)
impact.mount(app)
writing.mount(app)
reviewing.mount(app)


def _print_topics(found: Grouped) -> None:
    rows = found.assignments
    for row, why in found.unreadable[:5]:
        err.print(f"[yellow]warn[/] row {row} was left out: {escape(why)}", highlight=False)
    if len(found.unreadable) > 5:
        err.print(f"[yellow]warn[/] … and {len(found.unreadable) - 5} more", highlight=False)
    outside = int((rows["state"] == "unassigned").sum())
    share = f" ({outside / len(rows):.1%})" if len(rows) else ""
    if len(found.topics):
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("topic", justify="right")
        table.add_column("label")
        for column in ("texts", "core", "nearest"):
            table.add_column(column, justify="right")
        for topic in found.topics.to_dict("records"):
            core, nearest = int(topic["core"]), int(topic["nearest"])
            figures = (f"{core + nearest:,}", f"{core:,}", f"{nearest:,}")
            table.add_row(str(topic["topic_id"]), escape(str(topic["label"])), *figures)
        out.print(table, highlight=False)
    else:
        out.print("No topic was found: there are too few texts, or none is like another.", highlight=False)
    out.print(
        f"{len(rows):,} texts, {found.distinct:,} of them distinct, in {len(found.topics)} topics;"
        f" {outside:,} unassigned{share}",
        highlight=False,
    )
    if found.alarm:
        err.print(f"[yellow]warn[/] {escape(found.alarm)}", highlight=False, soft_wrap=True)


def _print_check(result: CheckResult) -> None:
    for problem in result.problems:
        out.print(f"[bold red]fail[/] {escape(problem)}", highlight=False)
    for warning in result.warnings:
        out.print(f"[yellow]warn[/] {escape(warning)}", highlight=False)
    counts = Table(box=None, pad_edge=False, header_style="bold")
    counts.add_column("table")
    for name in ("rows", "kept", "quarantined", "limit"):
        counts.add_column(name, justify="right")
    for table in result.tables:
        style = None if table.within_limit else "red"
        row = (f"{table.rows:,}", f"{table.kept:,}", f"{table.quarantined:,} ({table.share:.1%})", f"{table.limit:.0%}")
        counts.add_row(table.table, *row, style=style)
    out.print(counts, highlight=False)
    if not result.findings:
        return
    faults = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("severity", "table", "rule", "column", "rows", "what is wrong", "for example"):
        faults.add_column(name, overflow="fold", justify="right" if name == "rows" else "left")
    for found in result.findings:
        places = [f"{file}:{row} {_short(value)}".strip() for file, row, _, value in found.examples]
        cells = (found.severity, found.table, found.rule, found.column, f"{found.count:,}", found.message)
        faults.add_row(
            *map(escape, cells), escape("\n".join(places)), style=None if found.severity == "fail" else "dim"
        )
    out.print()
    out.print(faults, highlight=False)


def _print_result(result: RunResult, top: int) -> None:
    from pipelines.explain import backlog_table, read_backlog

    rows = read_backlog(result.folder)
    said = {
        "published": f"Run {result.run_id} is published.",
        "replaced": f"Run {result.run_id} has been replaced.",
        "unchanged": f"Run {result.run_id} is there already, from the same input: nothing to do (--force redoes it).",
    }
    out.print(said[result.state], highlight=False)
    if rows and top:
        out.print()
        out.print(backlog_table(rows, top), highlight=False)
        if len(rows) > top:
            out.print(f"… and {len(rows) - top} more", highlight=False)
        out.print()
    elif not rows:
        out.print("No gap was found in this window.")
    report = result.folder / "report.html"
    out.print(f"Report: {escape(str(report))}", highlight=False, soft_wrap=True)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"


@contextmanager
def _spoken() -> Iterator[None]:
    """Say errors in the way a user can use: ours without a traceback, faults with one and where to take it."""
    try:
        yield
    except LacunaError as error:
        err.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        err.print("stopped; the same command goes on from here")
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:
        raise SystemExit(0) from None
    except Exception:  # noqa: BLE001 - the last line of defence: whatever it is, the user is told what to do with it
        traceback.print_exc()
        err.print("[bold red]This is a fault of Lacuna[/], not of your input: please report it with the lines above.")
        raise SystemExit(OUR_FAULT) from None


def main() -> None:
    """Run the command line."""
    if not sys.stdout.isatty():
        os.environ.setdefault("COLUMNS", str(WIDTH))
    with _spoken():
        app()


if __name__ == "__main__":
    main()
