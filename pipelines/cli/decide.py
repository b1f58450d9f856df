"""`lacuna backlog`, `decide`, `assign` and `undo`: the review on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from lacuna.data_contracts.errors import DecisionInvalid
from lacuna.pipelines.cli.options import Config, Store, err, local, out

if TYPE_CHECKING:
    from lacuna.pipelines.settings import Settings
    from lacuna.pipelines.state.repository import State

__all__ = ["assign", "backlog", "decide", "undo"]

Gap = Annotated[str, typer.Argument(metavar="GAP", help="A gap_id, or a rank of the latest run such as 1.")]
Who = Annotated[str | None, typer.Option(metavar="NAME", help="Who decides; default: $LACUNA_USER or the login name.")]
Why = Annotated[str, typer.Option(metavar="TEXT", help="Why, for whoever looks at it later.")]


def backlog(
    store: Store,
    gap: Annotated[
        str | None,
        typer.Argument(metavar="[GAP]", help="Show all decisions on this one, by gap_id or rank.", show_default=False),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            metavar="FILE",
            parser=local("--csv"),
            help="Write it as CSV, with columns to fill in: see `decide`.",
        ),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Rows to print.")] = 20,
    everything: Annotated[
        bool, typer.Option("--all", help="Show verified, snoozed, dismissed and too small gaps too.")
    ] = False,
    owner: Annotated[
        str | None, typer.Option(metavar="OWNER", help="Only the gaps of this owner_id; 'nobody': those without one.")
    ] = None,
    config: Config = None,
) -> None:
    """List the backlog of the latest run as it stands now, with what was decided since.

    For example:

    `lacuna backlog --store store`

    `lacuna backlog 3 --store store`

    `lacuna backlog --store store --csv backlog.csv`
    """
    from lacuna.models.backlog.precision import by_kind
    from lacuna.models.diagnosis.no_gap_reason import why_no_gap
    from lacuna.pipelines.gaps import decisions
    from lacuna.pipelines.io.runs import find_run, read_run
    from lacuna.pipelines.io.store import write_bytes
    from lacuna.pipelines.presentation import backlog_tables
    from lacuna.pipelines.presentation.spreadsheet import records

    with _state(store, config) as (state, settings):
        if gap is not None:
            gap_row = _find_gap_row(store, gap)
            history, (status, _) = (
                decisions.history(state, gap_row["gap_id"]),
                decisions.standing(state, gap_row["gap_id"]),
            )
            title = str(gap_row.get("title", ""))
            out.print(backlog_tables.history_table(gap_row["gap_id"], title, status, history), highlight=False)
            return
        frame = decisions.backlog_now(store, state, settings)
        no_gap = frame.empty
        if owner is not None:
            frame = frame[frame["owner_id"].isna() if owner == "nobody" else frame["owner_id"].eq(owner)]
        if csv is not None:
            from lacuna.pipelines.gaps.decision_sheets import sheet

            write_bytes(csv, sheet(frame))
            out.print(f"Written: {escape(str(csv))}", highlight=False, soft_wrap=True)
            return
        if no_gap:
            why = why_no_gap(read_run(find_run(store)))
            out.print(f"No gap was found in the latest run. {escape(why)}", highlight=False, soft_wrap=True)
            return
        out.print(backlog_tables.backlog_now_table(records(frame), top, everything), highlight=False)
        for line in backlog_tables.precision_lines(by_kind(decisions.decided(state))):
            out.print(line, highlight=False, soft_wrap=True)


def decide(
    store: Store,
    gap: Annotated[
        str | None, typer.Argument(metavar="GAP", help="A gap_id, or a rank of the latest run such as 1.")
    ] = None,
    step: Annotated[
        str | None,
        typer.Argument(
            metavar="DECISION",
            help="accept, draft, publish, verify, reopen, snooze, dismiss, merge or note; "
            "rename, reclassify, exclude or include",
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Many at once: a filled-in `lacuna backlog --csv`.")
    ] = None,
    why: Why = "",
    until: Annotated[str | None, typer.Option(metavar="DAY", help="snooze: the day on which it comes back.")] = None,
    reason: Annotated[
        str | None, typer.Option(help="dismiss: not_a_gap, duplicate, already_fixed, not_content or wont_fix.")
    ] = None,
    into: Annotated[str | None, typer.Option(metavar="GAP", help="merge: the gap that this one is part of.")] = None,
    on: Annotated[str | None, typer.Option(metavar="DAY", help="publish: the day; today by default.")] = None,
    article: Annotated[
        str | None,
        typer.Option(metavar="ID", help="publish: the article that was written; reclassify: the one that it is about."),
    ] = None,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="rename: what every later run calls it.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="reclassify: missing, stale, incomplete, contradictory or unfindable.")
    ] = None,
    conversation: Annotated[
        str | None, typer.Option(metavar="ID", help="exclude, include: out of the gap or into it from the next run on.")
    ] = None,
    who: Who = None,
    config: Config = None,
) -> None:
    """Decide on a gap, or on many from a file: what becomes of it, and why.

    To fill in are the columns from `decision` to `why`. `assign_to` (an owner_id, or `nobody`) and `due` give the gap
    an owner and a day, beside the row's decision or alone; `owner_id` and `falls_due` only show what is. Days are
    written as 2024-07-12.

    A row of the file that is wrong, or whose gap another person has decided on meanwhile, is named and left out; the
    others are recorded. The same file again records nothing twice.

    For example:

    `lacuna decide 1 accept --store store`

    `lacuna decide g-3f9a2c51 dismiss --reason not_content --why "only a person may do that" --store store`

    `lacuna decide 2 rename --title "Say that duties are paid by us" --store store`

    `lacuna decide 2 reclassify --kind stale --article kb-12 --store store`

    `lacuna decide --from backlog.csv --store store`
    """
    from lacuna.pipelines.gaps import decisions

    if (file is None) == (gap is None or step is None) or (file is not None and gap is not None):
        raise DecisionInvalid("it is not said what to decide", "give GAP and DECISION, or --from FILE alone")
    options = {
        "until": until,
        "reason": reason,
        "into": into,
        "on": on,
        "article_id": article,
        "title": title,
        "kind": kind,
    }
    options |= {"conversation": conversation}
    payload = {name: value for name, value in options.items() if value is not None}
    with _state(store, config) as (state, _):
        if file is not None:
            _from_file(state, file, decisions.whoami(who))
            return
        gap_row = _find_gap_row(store, str(gap))
        if payload.get("into"):
            payload["into"] = _find_gap_row(store, payload["into"])["gap_id"]
        if conversation and step in ("exclude", "include"):
            _check_membership(store, gap_row["gap_id"], step, conversation)
        decisions.decide(state, gap_row["gap_id"], str(step), decisions.whoami(who), why=why, payload=payload)
        _print_state(state, gap_row)


def _from_file(state: State, file: Path, who: str) -> None:
    from lacuna.pipelines.gaps.decision_sheets import apply_sheet

    result = apply_sheet(state, file, who)
    for row in result.refused:
        place = f", column {row.column}: {row.value!r}" if row.column else ""
        where = escape(f"{file}, row {row.line}{place}")
        err.print(f"[bold red]left out[/] {where}\n  {escape(str(row.error))}", highlight=False, soft_wrap=True)
    already = f", {result.already_recorded:,} there already" if result.already_recorded else ""
    left = f", {len(result.refused):,} left out" if result.refused else ""
    out.print(f"{result.recorded:,} recorded{already}{left}.", highlight=False)
    if result.refused:
        raise typer.Exit(2)


def assign(
    gap: Gap,
    owner: Annotated[str, typer.Argument(metavar="OWNER", help="An owner_id; 'nobody' leaves it unowned.")],
    store: Store,
    due: Annotated[str | None, typer.Option(metavar="DAY", help="By when it is due.")] = None,
    why: Why = "",
    who: Who = None,
    config: Config = None,
) -> None:
    """Give a gap to an owner, with a day by which it is due.

    For example:

    `lacuna assign 1 o-amara --due 2024-07-12 --store store`
    """
    from lacuna.pipelines.gaps import decisions

    payload = {"owner_id": None if owner == "nobody" else owner} | ({"due": due} if due else {})
    with _state(store, config) as (state, _):
        gap_row = _find_gap_row(store, gap)
        decisions.decide(state, gap_row["gap_id"], "assign", decisions.whoami(who), why=why, payload=payload)
        _print_state(state, gap_row)


def undo(
    gap: Gap,
    store: Store,
    decision: Annotated[
        int | None,
        typer.Option(
            "--decision", metavar="ID", help="Which one, by its id in `lacuna backlog GAP`; the last if none."
        ),
    ] = None,
    who: Who = None,
    config: Config = None,
) -> None:
    """Take back a decision on a gap, the last one by default; nothing is deleted.

    For example:

    `lacuna undo 1 --store store`

    `lacuna undo 1 --decision 12 --store store`
    """
    from lacuna.pipelines.gaps import decisions

    with _state(store, config) as (state, _):
        gap_row = _find_gap_row(store, gap)
        payload = None if decision is None else {"of": decision}
        decisions.decide(state, gap_row["gap_id"], "undo", decisions.whoami(who), payload=payload)
        _print_state(state, gap_row)


@contextmanager
def _state(store: Path, config: str | None) -> Iterator[tuple[State, Settings]]:
    from lacuna.pipelines.io.runs import find_run
    from lacuna.pipelines.settings import load_settings
    from lacuna.pipelines.state.dead_runs import open_store

    find_run(store)
    settings = load_settings(config)
    with open_store(settings, store) as state:
        yield state, settings


def _find_gap_row(store: Path, gap_or_rank: str) -> dict[str, Any]:
    """The gap of this id, or of this rank in the latest run; an id of an earlier run passes as it is."""
    from lacuna.pipelines.io.runs import find_gap, find_run, read_backlog

    gaps = read_backlog(find_run(store))
    if gap_or_rank.isdigit():
        return find_gap(gaps, gap_or_rank).as_row()
    return next((gap.as_row() for gap in gaps if gap.gap_id == gap_or_rank), {"gap_id": gap_or_rank})


def _check_membership(store: Path, gap_id: str, action: str, conversation: str) -> None:
    from lacuna.pipelines.gaps.membership import check_membership
    from lacuna.pipelines.io.runs import find_gap, find_run, read_backlog

    run = find_run(store)
    check_membership(run, find_gap(read_backlog(run), gap_id), action, conversation)


def _print_state(state: State, gap: dict[str, Any]) -> None:
    from lacuna.pipelines.gaps.decisions import standing
    from lacuna.pipelines.presentation.format import quoted

    status, gap_state = standing(state, gap["gap_id"])
    name = gap_state.title or gap.get("title")
    title = f" {quoted(name)}" if name else ""
    owner = f", owner {gap_state.owner_id or 'nobody'}" if gap_state.assigned else ""
    due = f", due {gap_state.due}" if gap_state.due else ""
    out.print(f"{escape(gap['gap_id'])}{escape(title)} is {status}{escape(owner)}{due}.", highlight=False)
