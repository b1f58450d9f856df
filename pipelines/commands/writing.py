"""`lacuna drafts` and `lacuna digest`: what reaches the writers, and how."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from pipelines.commands.common import Config, Store, out

if TYPE_CHECKING:
    from pipelines.drafts.copies import Copy

__all__ = ["mount"]

Owner = Annotated[str | None, typer.Option(metavar="ID", help="Only this owner's; `unowned` for those of nobody.")]


def mount(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (drafts,):
        app.command()(command)


def drafts(
    store: Store,
    owner: Owner = None,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="FOLDER", help="Copy them here, where writers work on them.")
    ] = None,
    config: Config = None,
) -> None:
    """List the drafts of the latest run by owner, and copy them to where writers work.

    A copy that a person edited is never overwritten: what is new stands beside it as `<name>.new.md`. A second time
    changes nothing. Once the new evidence is worked in, copy the front matter of the new file over the old one.

    For example:

    `lacuna drafts --store store`

    `lacuna drafts --store store --owner o-amara --into wiki/drafts`
    """
    from pipelines.cells import records
    from pipelines.decisions import backlog_now
    from pipelines.drafts.copies import export, listed
    from pipelines.explain import find_run, published_runs
    from pipelines.settings import load_settings
    from pipelines.state import open_state

    run = find_run(store)
    state = open_state(load_settings(config), store)
    rows = records(backlog_now(store, state))
    state.close()
    if into is not None:
        found = export(run, rows, into, owner)
    else:
        earlier = [known for known in published_runs(store) if known < run.name]
        found = listed(run, rows, store / "runs" / earlier[-1] if earlier else None, owner)
    _print(found, into or run)


def _print(found: list[Copy], folder: Path) -> None:
    if not found:
        out.print("No gap waits for a writer.", highlight=False)
        return
    for owner, copies in groupby(found, key=lambda copy: copy.owner_id):
        out.print(f"[bold]{escape(owner or 'unowned')}[/]", highlight=False)
        for copy in copies:
            where = copy.path.relative_to(folder) if copy.path else "made by the next run"
            out.print(f"  {copy.state:<17} {escape(copy.title)}", highlight=False)
            out.print(f"  {'':<17} [dim]{escape(str(where))}[/]", highlight=False, soft_wrap=True)
            if copy.beside:
                told = copy.note or "has the new evidence; yours is as you left it"
                beside = copy.beside.relative_to(folder)
                out.print(f"  {'':<17} {escape(str(beside))}: {told}", highlight=False, soft_wrap=True)
    counts = {state: sum(copy.state == state for copy in found) for state in dict.fromkeys(c.state for c in found)}
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    out.print(f"{len(found)} drafts in {escape(str(folder))}: {told}", highlight=False, soft_wrap=True)
