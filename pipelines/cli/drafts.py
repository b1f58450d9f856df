"""`lacuna drafts` and `lacuna digest`: what reaches the writers, and how."""

from __future__ import annotations

import json
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from lacuna.data_contracts.errors import NoSuchGap
from lacuna.pipelines.cli.options import Config, Store, local, out
from lacuna.pipelines.io.addresses import store_path

if TYPE_CHECKING:
    from lacuna.models.retrieval.draft_trial import Trial
    from lacuna.pipelines.delivery.send import Outcome
    from lacuna.pipelines.drafts.copies import Copy

__all__ = ["digest", "drafts", "drafts_app", "push", "try_draft"]

EXAMPLES = 5  # of what is missed, and of what is stolen

Owner = Annotated[str | None, typer.Option(metavar="ID", help="Only this owner's; `unowned` for those of nobody.")]


drafts_app = typer.Typer(invoke_without_command=True, help="List drafts, and bring them to where writers work.")


@drafts_app.callback()
def drafts(
    context: typer.Context,
    store: Annotated[
        Path | None,
        typer.Option("--store", metavar="DIR", parser=store_path, help="Folder (or fsspec URL) of runs."),
    ] = None,
    owner: Owner = None,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into", metavar="FOLDER", parser=local("--into"), help="Copy them here, where writers work on them."
        ),
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
    if context.invoked_subcommand:
        return
    if store is None:
        raise typer.BadParameter("it is needed here", param_hint="--store")
    from lacuna.pipelines.drafts.copies import export, listed
    from lacuna.pipelines.gaps.decisions import backlog_now
    from lacuna.pipelines.io.runs import published_runs, run_folder, whole_run
    from lacuna.pipelines.presentation.spreadsheet import records
    from lacuna.pipelines.settings import load_settings
    from lacuna.pipelines.state.dead_runs import open_store

    settings = load_settings(config)
    with whole_run(store) as run:
        with open_store(settings, store) as state:
            rows = records(backlog_now(store, state, settings, run.name))
        if into is not None:
            copies = export(run, rows, into, owner)
        else:
            earlier = [run_id for run_id in published_runs(store) if run_id < run.name]
            copies = listed(run, rows, run_folder(store, earlier[-1]) if earlier else None, owner)
    _print(copies, into or run)


@drafts_app.command()
def push(
    store: Store,
    to: Annotated[str, typer.Option("--to", metavar="TARGET", help="A section [push.TARGET] of the settings.")],
    gap: Annotated[str | None, typer.Option(metavar="GAP_ID", help="This gap's draft alone.")] = None,
    send: Annotated[bool, typer.Option("--send", help="Send them; without this, show what would be sent.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace also what people have edited in the target since.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Send nothing: close the gaps whose draft was published there.")
    ] = False,
    config: Config = None,
) -> None:
    """Push the drafts of gaps that wait for a writer to a help center, a repository or a folder: as drafts.

    Nothing is ever published, and no article that is live is changed. A second push changes nothing. What a person has
    edited there since is shown with its difference, and stays.

    For example:

    `lacuna drafts push --store store --to helpcenter --config ours.toml`

    `lacuna drafts push --store store --to helpcenter --config ours.toml --send`
    """
    from lacuna.pipelines.gaps.decisions import backlog_now
    from lacuna.pipelines.io.runs import whole_run
    from lacuna.pipelines.presentation.spreadsheet import records
    from lacuna.pipelines.push.push import plan_push, push_drafts, read_published
    from lacuna.pipelines.push.registry import make_target
    from lacuna.pipelines.settings import load_settings
    from lacuna.pipelines.state.dead_runs import open_store

    if check and send:
        raise typer.BadParameter("it sends nothing: leave out --send", param_hint="--check")
    settings = load_settings(config)
    target = make_target(settings, to)
    with whole_run(store) as run, open_store(settings, store) as state:
        if check:
            closed = read_published(target, state, gap)
            names = ", ".join(closed) or "none"
            out.print(f"Published in {escape(to)} since: {names}.", highlight=False, soft_wrap=True)
            return
        planned = plan_push(target, state, run, records(backlog_now(store, state, settings, run.name)), gap)
        sent = push_drafts(target, state, planned, overwrite) if send else []
    urls = {one.draft.gap_id: one.url for one in sent}
    for one in planned:
        place = urls.get(one.draft.gap_id) or one.url
        line = f"{one.state:<10} {one.draft.gap_id}  {escape(one.draft.title)}{f'  {escape(place)}' if place else ''}"
        out.print(line, highlight=False, soft_wrap=True)
        if one.diff and not send:
            out.print(escape(one.diff), highlight=False, soft_wrap=True, style="dim")
    if not planned and gap:
        raise NoSuchGap(f"no gap '{gap}' waits for a writer with a draft", "`lacuna drafts` lists those that do")
    if not planned:
        out.print("No gap waits for a writer.", highlight=False)
    elif send:
        out.print(f"{len(sent)} of {len(planned)} sent to {escape(to)}.", highlight=False)
    else:
        out.print("Nothing was sent: --send sends what is new or changed.", highlight=False)


@drafts_app.command("try")
def try_draft(
    gap: Annotated[str, typer.Argument(metavar="GAP", help="The gap's id, or its rank.")],
    store: Store,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", metavar="FILE", help="The draft, as Markdown; the run's own by default.", parser=local("--file")
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all that was found as JSON.")] = False,
    config: Config = None,
) -> None:
    """Try a draft before it is published: which questions it would win, which it would miss, and which it would steal.

    The gap's failed questions, failed ones near it, and questions that articles answer well are matched with the
    articles of the latest run, without the draft and with it. Nothing is changed.

    For example:

    `lacuna drafts try 1 --store store`

    `lacuna drafts try g-1a2b3c4d --store store --file wiki/drafts/customs.md`
    """
    from lacuna.data_contracts.errors import LacunaError
    from lacuna.pipelines.drafts.trial import TriedRun
    from lacuna.pipelines.gaps.decisions import backlog_now
    from lacuna.pipelines.gaps.read import gaps_of
    from lacuna.pipelines.io.runs import find_gap, whole_run
    from lacuna.pipelines.settings import load_settings
    from lacuna.pipelines.state.dead_runs import open_store

    settings = load_settings(config)
    with whole_run(store) as folder, open_store(settings, store) as state:
        chosen = find_gap(gaps_of(backlog_now(store, state, settings, folder.name)), gap)
        path = file or (folder / chosen.draft if chosen.draft else None)
        if path is None:
            raise LacunaError(f"the run wrote no draft for gap {chosen.gap_id}", "name one with --file")
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise LacunaError(f"{path} can't be read: {error}", "name a text file with --file") from None
        tried = TriedRun(folder, store)
        trial = tried.try_draft(chosen, text)
    if as_json:
        document = {"gap_id": chosen.gap_id, "run_id": tried.run_id, **trial.as_dict()}
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    else:
        out.print(f"[bold]{escape(chosen.title)}[/] ({escape(chosen.gap_id)})", highlight=False, soft_wrap=True)
        _print_trial(trial, tried.titles, chosen.article_id)


def _print_trial(trial: Trial, titles: dict[str, str], article_id: str | None) -> None:
    from lacuna.models.text.words import shortened
    from lacuna.pipelines.drafts.trial import sentences

    for words in sentences(trial, titles.get(str(article_id))):
        out.print(escape(words), highlight=False, soft_wrap=True)
    missed = [
        (one.question, f"{titles.get(one.best_article_id, one.best_article_id)}, ahead by {one.margin:.2f}")
        for one in trial.missed
    ]
    stolen = [
        (one.question, f"from {titles.get(one.article_id, one.article_id)}, by {one.margin:.2f}")
        for one in trial.stolen
    ]
    for heading, rows in (("Still missed, the nearest first", missed), ("Stolen, the surest first", stolen)):
        if rows:
            out.print(f"[bold]{heading}[/]", highlight=False)
        for question, why in rows[:EXAMPLES]:
            line = f"  “{escape(shortened(question, 120))}” [dim]({escape(why)})[/]"
            out.print(line, highlight=False, soft_wrap=True)


def digest(
    store: Store,
    send: Annotated[
        bool, typer.Option("--send", help="Send it; without this, print what would be sent to whom.")
    ] = False,
    owner: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this owner's message; `managers` for the summary.")
    ] = None,
    config: Config = None,
) -> None:
    """Tell each owner what waits for them, and the managers how the week went, by e-mail and chat.

    Prints what would be sent to whom; `--send` sends it. Each message goes once a run and recipient: a second call
    sends only what failed, and exits with 2 where something did. Addresses and servers stand in `[delivery]`.

    For example:

    `lacuna digest --store store`

    `lacuna digest --store store --config ours.toml --send`
    """
    from lacuna.pipelines.delivery.weekly import send_digest
    from lacuna.pipelines.settings import load_settings

    _print_digest(send_digest(store, load_settings(config), owner=owner, send=send), send)


def _print_digest(outcomes: list[Outcome], send: bool) -> None:
    from lacuna.pipelines.delivery.send import summary

    for outcome in outcomes:
        out.print(f"[bold]{escape(outcome.line)}[/]", highlight=False, soft_wrap=True)
        if not send and outcome.state != "sent before":
            out.print(f"  Subject: {escape(outcome.message.subject)}", highlight=False, soft_wrap=True)
            for line in outcome.message.text.splitlines():
                out.print(f"  {escape(line)}" if line else "", highlight=False, soft_wrap=True)
    sentence = summary(outcomes)
    out.print(f"{sentence}." + ("" if send else " Nothing was sent: --send sends it."), highlight=False, soft_wrap=True)
    if any(outcome.state == "failed" for outcome in outcomes):
        raise typer.Exit(2)


def _print(drafts_listed: list[Copy], folder: Path) -> None:
    if not drafts_listed:
        out.print("No gap waits for a writer.", highlight=False)
        return
    for owner, copies in groupby(drafts_listed, key=lambda copy: copy.owner_id):
        out.print(f"[bold]{escape(owner or 'unowned')}[/]", highlight=False)
        for copy in copies:
            where = copy.path.relative_to(folder) if copy.path else "made by the next run"
            out.print(f"  {copy.state:<17} {escape(copy.title)}", highlight=False)
            out.print(f"  {'':<17} [dim]{escape(str(where))}[/]", highlight=False, soft_wrap=True)
            if copy.new_draft:
                note = copy.note or "has the new evidence; yours is as you left it"
                new_version = copy.new_draft.relative_to(folder)
                out.print(f"  {'':<17} {escape(str(new_version))}: {note}", highlight=False, soft_wrap=True)
    counts = {
        state: sum(copy.state == state for copy in drafts_listed)
        for state in dict.fromkeys(c.state for c in drafts_listed)
    }
    counts_in_words = ", ".join(f"{count} {state}" for state, count in counts.items())
    out.print(
        f"{len(drafts_listed)} drafts in {escape(str(folder))}: {counts_in_words}", highlight=False, soft_wrap=True
    )
