"""`lacuna run`, `check`, `demo`, `runs` and `explain`: from conversations to a backlog, and why a gap is one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.cli.options import Config, Quiet, Store, local, out
from lacuna.pipelines.io.addresses import is_local
from lacuna.pipelines.presentation import progress

if TYPE_CHECKING:
    from lacuna.pipelines.run import RunResult
    from lacuna.pipelines.steps.load.step import CheckResult

__all__ = ["check", "demo", "explain", "run", "runs"]

DEMO_WEEKS = ("2024-06-16", "2024-06-23", "2024-06-30")

Bundle = Annotated[str, typer.Argument(metavar="BUNDLE", help="Folder (or fsspec URL) with conversations, messages, …")]


def demo(
    store: Store,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder",
            metavar="DIR",
            parser=local("--folder"),
            help="Where the demo's input goes; default: in the store.",
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write a made-up company's conversations, mine three weeks of them, and show the backlog.

    For example:

    `lacuna demo --store demo-store`
    """
    from lacuna.pipelines.demo import write_demo
    from lacuna.pipelines.run import run as run_pipeline

    progress.configure(quiet)
    if folder is None and not is_local(store):
        raise SettingsInvalid(f"the store {store} is not on this machine, and the demo's input is", "name its --folder")
    target = folder or store / "demo"
    write_demo(target)
    for week in DEMO_WEEKS:
        progress.say(f"Week up to {week}")
        result = run_pipeline(str(target / "bundle"), store, end=week)
    _print_result(result, top=10)


def check(bundle: Bundle, config: Config = None) -> None:
    """Check a bundle against the data contract, and write nothing.

    Prints what is wrong, table by table, and exits with 1 where something is; 0 where all is well. Warnings alone
    don't count. Then it says what the data don't carry, what that costs, and the cheapest way to supply it.

    For example:

    `lacuna check bundle`
    """
    from lacuna.pipelines.presentation.coverage_table import coverage_table
    from lacuna.pipelines.settings import load_settings
    from lacuna.pipelines.steps.load.step import check_bundle

    progress.configure()
    settings = load_settings(config)
    result = check_bundle(bundle, settings.contract.limits, settings.input)
    _print_check(result)
    if result.data:
        out.print()
        out.print(coverage_table(result.data), highlight=False)
    if not result.ok:
        stops = "a run would go on without these rows" if result.runnable else "a run would stop at this"
        out.print(f"{escape(bundle)} breaks the contract; {stops}. Put it right and check again.", highlight=False)
        raise typer.Exit(1)
    warned = len(result.warnings) + sum(finding.severity == "warn" for finding in result.findings)
    noun = "warning" if warned == 1 else "warnings"
    out.print(f"{escape(bundle)} keeps the contract ({warned} {noun}).", highlight=False)


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
    """Mine a bundle, and publish backlog, report and drafts as `DIR/runs/<last day>`.

    Without dates it looks at the last 28 days of the bundle; what lies before serves trends. The same input again
    changes nothing, changed input replaces the run, an interrupted run goes on where it stopped.

    For example:

    `lacuna run bundle --store store`

    `lacuna run s3://support/export --store s3://support/gaps --end 2024-06-30 --config ours.toml`
    """
    from lacuna.pipelines.run import run as run_pipeline

    progress.configure(quiet)
    _print_result(run_pipeline(bundle, store, start, end, config, force=force), top)


def runs(store: Store) -> None:
    """List the runs in a store.

    For example:

    `lacuna runs --store store`
    """
    from lacuna.pipelines.io.runs import find_run, published_runs, read_run, run_place

    find_run(store)
    table = Table("run", "from", "to", "gaps", "kinds", box=None, pad_edge=False, header_style="bold")
    for run_id in published_runs(store):
        place = run_place(store, run_id)
        run_json = read_run(place) if place else {}
        window, backlog = run_json.get("window") or {}, run_json.get("backlog") or {}
        kinds = ", ".join(f"{count} {kind}" for kind, count in (backlog.get("by_kind") or {}).items() if count)
        table.add_row(run_id, window.get("start", ""), window.get("end", ""), str(backlog.get("gaps", "")), kinds)
    out.print(table)


def explain(
    gap: Annotated[str, typer.Argument(metavar="GAP_ID", help="A gap_id, or a rank such as 1.")],
    store: Store,
    run: Annotated[str | None, typer.Option(metavar="ID", help="Which run; the latest by default.")] = None,
    config: Config = None,
) -> None:
    """Explain one gap: why this kind, why this rank, who should act, what people wrote.

    For example:

    `lacuna explain 1 --store store`

    `lacuna explain g-3f9a2c --store store --run 2024-06-23`
    """
    from lacuna.pipelines.gaps.decisions import as_named
    from lacuna.pipelines.io import runs as explaining
    from lacuna.pipelines.settings import load_settings
    from lacuna.pipelines.state.dead_runs import open_store

    with explaining.whole_run(store, run) as folder:
        gap_row = explaining.find_gap(explaining.read_backlog(folder), gap)
        cost = (explaining.read_run(folder).get("settings") or {}).get("cost") or {}
    if run is None:  # an old run keeps what it was called then
        with open_store(load_settings(config), store) as state:
            gap_row = as_named(state, gap_row)
    out.print(explaining.explain(gap_row, cost.get("currency", "")))


def _print_check(result: CheckResult) -> None:
    for problem in result.problems:
        out.print(f"[bold red]fail[/] {escape(problem)}", highlight=False)
    for warning in result.warnings:
        out.print(f"[yellow]warn[/] {escape(warning)}", highlight=False)
    counts = Table(box=None, pad_edge=False, header_style="bold")
    counts.add_column("table")
    for name in ("rows", "kept", "older", "quarantined", "limit"):
        counts.add_column(name, justify="right")
    for table in result.tables:
        style = None if table.within_limit else "red"
        rows = [f"{count:,}" for count in (table.rows, table.kept, table.superseded)]
        row = (*rows, f"{table.quarantined:,} ({table.share:.1%})", f"{table.limit:.0%}")
        counts.add_row(table.table, *row, style=style)
    out.print(counts, highlight=False)
    if not result.findings:
        return
    faults = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("severity", "table", "rule", "column", "rows", "what is wrong", "for example"):
        faults.add_column(name, overflow="fold", justify="right" if name == "rows" else "left")
    for finding in result.findings:
        places = [f"{file}:{row} {_short(value)}".strip() for file, row, _, value in finding.examples]
        cells = (finding.severity, finding.table, finding.rule, finding.column, f"{finding.count:,}", finding.message)
        faults.add_row(
            *map(escape, cells), escape("\n".join(places)), style=None if finding.severity == "fail" else "dim"
        )
    out.print()
    out.print(faults, highlight=False)
    # Below the table and unbroken, so that lines for the settings can be copied.
    for finding in result.findings:
        if finding.remedy:
            remedy = f"{finding.table}.{finding.column}: {finding.remedy}"
            out.print(f"\n{escape(remedy)}", highlight=False, soft_wrap=True)


def _print_result(result: RunResult, top: int) -> None:
    from lacuna.models.diagnosis.no_gap_reason import why_no_gap
    from lacuna.pipelines.io.runs import backlog_table, read_backlog, read_run
    from lacuna.pipelines.report.incidents import incident_sentences

    rows = read_backlog(result.folder)
    messages = {
        "published": f"Run {result.run_id} is published.",
        "replaced": f"Run {result.run_id} has been replaced.",
        "unchanged": f"Run {result.run_id} is there already, from the same input: nothing to do (--force redoes it).",
    }
    out.print(messages[result.state], highlight=False)
    if rows and top:
        out.print()
        for sentence in incident_sentences(rows):
            out.print(escape(sentence), highlight=False, soft_wrap=True)
        out.print(backlog_table(rows, top), highlight=False)
        if len(rows) > top:
            out.print(f"… and {len(rows) - top} more", highlight=False)
        out.print()
    elif not rows:
        why = why_no_gap(read_run(result.folder))
        out.print(f"No gap was found in this window. {escape(why)}", highlight=False, soft_wrap=True)
    if not is_local(result.address):
        out.print(f"Published at {escape(str(result.address))}, and copied here:", highlight=False, soft_wrap=True)
    report = result.folder / "report.html"
    out.print(f"Report: {escape(str(report))}", highlight=False, soft_wrap=True)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"
