"""`lacuna backlog`, `decide`, `assign` and `undo`: the review on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from pipelines.commands.common import Config, Store, out

if TYPE_CHECKING:
    from pipelines.state import State

__all__ = ["mount"]

Gap = Annotated[str, typer.Argument(metavar="GAP", help="A gap_id, or a rank of the latest run such as 1.")]
Who = Annotated[str | None, typer.Option(metavar="NAME", help="Who decides; default: $LACUNA_USER or the login name.")]
Why = Annotated[str, typer.Option(metavar="TEXT", help="Why, for whoever looks at it later.")]


def mount(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (backlog, decide, assign, undo):
        app.command()(command)


def backlog(
    store: Store,
    config: Config = None,
) -> None:
    """List the backlog of the latest run as it stands now.

    For example:

    `lacuna backlog --store store`
    """
    from pipelines.cells import records
    from pipelines.decisions import backlog_now
    from pipelines.explain import backlog_table

    with _state(store, config) as state:
        out.print(backlog_table(records(backlog_now(store, state)), 20), highlight=False)


def decide(
    gap: Gap,
    verb: Annotated[
        str, typer.Argument(metavar="VERB", help="accept, draft, publish, verify, reopen, snooze, dismiss, …")
    ],
    store: Store,
    why: Why = "",
    until: Annotated[str | None, typer.Option(metavar="DAY", help="snooze: the day on which it comes back.")] = None,
    reason: Annotated[
        str | None, typer.Option(help="dismiss: not_a_gap, duplicate, already_fixed, not_content, wont_fix.")
    ] = None,
    into: Annotated[str | None, typer.Option(metavar="GAP", help="merge: the gap that this one is part of.")] = None,
    on: Annotated[str | None, typer.Option(metavar="DAY", help="publish: the day; today by default.")] = None,
    article: Annotated[
        str | None, typer.Option(metavar="ID", help="publish: the new article of a missing one.")
    ] = None,
    who: Who = None,
    config: Config = None,
) -> None:
    """Decide on a gap: what becomes of it, and why.

    For example:

    `lacuna decide 1 accept --store store`

    `lacuna decide g-3f9a2c51 dismiss --reason not_content --why "only a person may do that" --store store`
    """
    from pipelines import decisions

    given = {"until": until, "reason": reason, "into": into, "on": on, "article_id": article}
    payload = {name: value for name, value in given.items() if value is not None}
    with _state(store, config) as state:
        found = _named(store, gap)
        if payload.get("into"):
            payload["into"] = _named(store, payload["into"])["gap_id"]
        decisions.decide(state, found["gap_id"], verb, decisions.whoami(who), why=why, payload=payload)
        _tell(state, found)


def assign(
    gap: Gap,
    owner: Annotated[str, typer.Argument(metavar="OWNER", help="An owner_id; 'nobody' leaves it unowned.")],
    store: Store,
    due: Annotated[str | None, typer.Option(metavar="DAY", help="By when it is due.")] = None,
    why: Why = "",
    who: Who = None,
    config: Config = None,
) -> None:
    """Give a gap to an owner.

    For example:

    `lacuna assign 1 o-amara --due 2024-07-12 --store store`
    """
    from pipelines import decisions

    payload = {"owner_id": None if owner == "nobody" else owner} | ({"due": due} if due else {})
    with _state(store, config) as state:
        found = _named(store, gap)
        decisions.decide(state, found["gap_id"], "assign", decisions.whoami(who), why=why, payload=payload)
        _tell(state, found)


def undo(gap: Gap, store: Store, who: Who = None, config: Config = None) -> None:
    """Take back the last decision on a gap; nothing is deleted, and the history shows both.

    For example:

    `lacuna undo 1 --store store`
    """
    from pipelines import decisions

    with _state(store, config) as state:
        found = _named(store, gap)
        decisions.undo(state, found["gap_id"], decisions.whoami(who))
        _tell(state, found)


@contextmanager
def _state(store: Path, config: str | None) -> Iterator[State]:
    from pipelines.explain import find_run
    from pipelines.settings import load_settings
    from pipelines.state import open_state

    find_run(store)
    state = open_state(load_settings(config), store)
    try:
        yield state
    finally:
        state.close()


def _named(store: Path, wanted: str) -> dict[str, Any]:
    """The gap of this id, or of this rank in the latest run; an id of an earlier run passes as it is."""
    from pipelines.explain import find_gap, find_run, read_backlog

    rows = read_backlog(find_run(store))
    if wanted.isdigit():
        return dict(find_gap(rows, wanted))
    return next((row for row in rows if row["gap_id"] == wanted), {"gap_id": wanted})


def _tell(state: State, gap: dict[str, Any]) -> None:
    from pipelines.decisions import standing

    status, life = standing(state, gap["gap_id"])
    title = f" “{gap['title']}”" if gap.get("title") else ""
    owner = f", owner {life.owner_id or 'nobody'}" if life.assigned else ""
    due = f", due {life.due}" if life.due else ""
    out.print(f"{escape(gap['gap_id'])}{escape(title)} is {status}{escape(owner)}{due}.", highlight=False)
