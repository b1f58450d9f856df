"""`lacuna forget`: conversations and customers removed everywhere, with a proof; and what is older than it may be."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.cli.options import Config, Quiet, Store, local, out
from lacuna.pipelines.presentation import progress

if TYPE_CHECKING:
    from lacuna.pipelines.forgetting.forget import Report
    from lacuna.pipelines.forgetting.retention import Retained
    from lacuna.pipelines.settings import Settings
    from lacuna.pipelines.state.forgotten import Forgetting

__all__ = ["forget"]

NOT_REACHED = (
    "Not reached from here: the help desk and the export that the bundle comes from, backups, digests that were sent,"
    " drafts that were pushed or copied, sheets and reports that were saved elsewhere, the language model's provider."
)


def forget(
    store: Store,
    bundle: Annotated[
        str | None,
        typer.Option(
            metavar="BUNDLE", help="Folder (or fsspec URL): tells whose a conversation is, and its whole text."
        ),
    ] = None,
    conversation: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A conversation; may be given again.", show_default=False)
    ] = None,
    customer: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="All conversations of a customer; may be given again.", show_default=False),
    ] = None,
    before: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="All that began before this day.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", parser=local("--file"), help="Conversations, one id a line.")
    ] = None,
    retention: Annotated[
        bool, typer.Option("--retention", help="What is older than `[retention]` in the settings allows.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")] = False,
    log: Annotated[bool, typer.Option("--log", help="List what was forgotten so far.")] = False,
    who: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who does it; default: $LACUNA_USER or the login name.")
    ] = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Remove conversations from runs, caches, state and pulled bundles, keep them out from now on, and prove it.

    Words of theirs that nobody else wrote give way to a mark wherever they stand; then everything is searched for ids
    and words. Exits with 1 where something is left, and names the places. A bundle that others export is never changed:
    it says what has to be deleted there. Stopped half way, the same command ends it.

    For example:

    `lacuna forget --store store --bundle bundle --customer u-4711 --dry-run`

    `lacuna forget --store store --conversation c-17 --conversation c-18`

    `lacuna forget --store store --log`
    """
    from lacuna.pipelines.forgetting.forget import forget as forget_conversations
    from lacuna.pipelines.forgetting.retention import retain
    from lacuna.pipelines.forgetting.selection import Asked, ids_in_file
    from lacuna.pipelines.gaps.decisions import whoami
    from lacuna.pipelines.settings import load_settings

    progress.configure(quiet)
    settings = load_settings(config)
    if log:
        _print_log(settings, store)
        return
    if retention:
        retained = retain(settings, store, whoami(who), bundle, dry_run)
        _print_retained(retained, settings, dry_run)
        if retained.conversations and not retained.conversations.is_done:
            raise typer.Exit(1)
        return
    ids = [*(conversation or ()), *(ids_in_file(file) if file else ())]
    asked = Asked(tuple(dict.fromkeys(ids)), tuple(customer or ()), before.date() if before else None)
    if not (ids or customer or before):
        raise SettingsInvalid(
            "nothing was named to forget", "name it with --conversation, --customer, --before, --file or --retention"
        )
    report = forget_conversations(settings, store, asked, whoami(who), bundle, dry_run)
    _print(report, dry_run)
    if not report.is_done:
        raise typer.Exit(1)


def _print_retained(retained: Retained, settings: Settings, dry: bool) -> None:
    limits = settings.retention
    if not limits.is_set:
        out.print("The settings keep everything for ever: see \\[retention] in `lacuna settings`.", highlight=False)
        return
    verb = "would be deleted" if dry else "deleted"
    if limits.runs_days:
        ids = f": {', '.join(retained.runs)}" if retained.runs else ""
        out.print(f"{len(retained.runs):,} runs older than {limits.runs_days} days {verb}{ids}.", highlight=False)
    if limits.cached_days:
        out.print(
            f"{retained.cached.files:,} cached files older than {limits.cached_days} days {verb}.", highlight=False
        )
    if retained.conversations is not None:
        _print(retained.conversations, dry)


def _print(report: Report, dry: bool) -> None:
    from lacuna.data_contracts.findings import counted

    out.print(f"{counted(report.conversations, 'conversation')} {'would be forgotten' if dry else 'forgotten'}.")
    for customer in report.unknown_customers:
        out.print(f"The bundle holds no conversation of customer {escape(customer)}.", highlight=False)
    if report.unknown:
        shown = ", ".join(report.unknown[:10]) + (" …" if len(report.unknown) > 10 else "")
        kept_out = "" if dry else " They are kept out of later runs and pulls all the same."
        out.print(escape(f"Found nowhere: {shown}.{kept_out}"), highlight=False)
    if report.removed:
        table = Table("would go" if dry else "gone", box=None, pad_edge=False, header_style="bold")
        for name in ("files", "rows and texts"):
            table.add_column(name, justify="right")
        for place, removed in report.removed.items():
            table.add_row(escape(place), f"{removed.files:,}", f"{removed.rows:,}")
        out.print(table, highlight=False)
    for bundle, rows in report.elsewhere.items():
        counts = ", ".join(f"{count:,} in {table}" for table, count in sorted(rows.items()))
        out.print(
            f"[bold]To be deleted by whoever writes it:[/] {escape(bundle)} holds rows of them ({counts}). Runs pass"
            " over these from now on.",
            highlight=False,
        )
    if report.found is not None:
        passed_over = ", but for the bundles above" if report.elsewhere else ""
        out.print(f"Searched: {report.found}{passed_over}.", highlight=False)
        for place, what in sorted(report.found.places.items()):
            out.print(f"[bold red]left[/] {escape(place)}: {escape(what)}", highlight=False)
        if report.is_done:
            out.print("Nothing of them was found.", highlight=False)
        out.print(NOT_REACHED, highlight=False)


def _print_log(settings: Settings, store: Path) -> None:
    from lacuna.data_contracts.findings import counted
    from lacuna.pipelines.state.forgotten import forgettings_so_far
    from lacuna.pipelines.state.repository import open_state

    with open_state(settings, store) as state:
        lines = forgettings_so_far(state)
    if not lines:
        out.print("Nothing was forgotten in this store yet.", highlight=False)
        return
    table = Table("when (UTC)", "who", "what", box=None, pad_edge=False, header_style="bold")
    table.add_column("conversations", justify="right")
    table.add_column("gone", overflow="fold")
    table.add_column("left", overflow="fold")
    for line in lines:
        gone = "; ".join(
            f"{place}: {counted(counts['files'], 'file')}, {counted(counts['rows'], 'row')}"
            for place, counts in line.removed.items()
        )
        table.add_row(
            f"{line.at:%Y-%m-%d %H:%M}",
            escape(line.who),
            escape(line.sort),
            f"{line.conversations:,}",
            escape(gone),
            _left(line),
        )
    out.print(table, highlight=False)


def _left(line: Forgetting) -> str:
    if line.ended_at is None:
        return "stopped half way"
    return f"places: {line.places_left}" if line.places_left else "nothing"
