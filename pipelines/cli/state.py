"""``lacuna state``: the state database lost and made again, copied and put back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from lacuna.pipelines.cli.options import Config, Store, local, out

if TYPE_CHECKING:
    from lacuna.pipelines.state.rebuild import Rebuilt

__all__ = ["state_app"]

state_app = typer.Typer(
    no_args_is_help=True,
    help="Back the state database up, put it back, or make it again from the runs where it was lost.",
)


@state_app.command()
def rebuild(
    store: Store,
    since: Annotated[
        str | None, typer.Option(metavar="RUN", help="Only runs from this one on; all of them by default.")
    ] = None,
    config: Config = None,
) -> None:
    """Make a lost state database again from the published runs, and say what they do not hold.

    Topics, subtopics and gaps keep their ids, so that the next run goes on as it would have. What people decided comes
    back as far as the latest run had it. A database that is there is left as it is.

    For example:

    `lacuna state rebuild --store store`
    """
    from lacuna.pipelines.settings import load_settings
    from lacuna.pipelines.state.rebuild import rebuild_state

    _print_rebuilt(rebuild_state(load_settings(config), store, since))


@state_app.command()
def backup(
    store: Store,
    to: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to; a new file.", parser=local("--out"))],
    config: Config = None,
) -> None:
    """Copy the state database into a file, while runs and the board go on.

    It holds addresses of owners, and hashes of sign-ins: its owner alone may read it. A Postgres is backed up with its
    own tools.

    For example:

    `lacuna state backup --store store --out backups/state-2024-06-30.db`
    """
    from lacuna.pipelines.settings import load_settings
    from lacuna.pipelines.state.backups import back_up

    back_up(load_settings(config), store, to)
    out.print(escape(f"The state database is copied to {to}."), highlight=False, soft_wrap=True)


@state_app.command()
def restore(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What `lacuna state backup` wrote.", parser=local("FILE"))
    ],
    store: Store,
    config: Config = None,
) -> None:
    """Put a backup in the place of a lost state database.

    For example:

    `lacuna state restore backups/state-2024-06-30.db --store store`
    """
    from lacuna.pipelines.settings import load_settings
    from lacuna.pipelines.state.backups import restore as put_back

    unknown = put_back(load_settings(config), store, file)
    out.print(escape(f"The state database is back, as it was when {file} was written."), highlight=False)
    if unknown:
        out.print(
            f"It does not know {_runs(unknown)}: make them again, oldest first, with `lacuna run … --force`; or move"
            " state.db away, and `lacuna state rebuild` makes it from the runs.",
            highlight=False, soft_wrap=True,
        )  # fmt: skip


@state_app.command()
def new(store: Store, config: Config = None) -> None:
    """Start afresh beside runs that are there: make an empty state database that knows none of them.

    The next run gives topics and gaps new ids, and nothing is decided. Nothing is deleted.

    For example:

    `lacuna state new --store store`
    """
    from lacuna.pipelines.settings import load_settings
    from lacuna.pipelines.state.rebuild import new_state

    new_state(load_settings(config), store)
    out.print("A new state database is there. It knows no run, no topic, no gap and no decision.", highlight=False)


def _print_rebuilt(rebuilt: Rebuilt) -> None:
    from lacuna.pipelines.presentation.format import plural

    latest, counts = rebuilt.runs[-1], rebuilt.counts
    topics, subtopics, gaps, decisions, tags, edits, owners = (
        plural(counts[name], one)
        for name, one in (
            ("topics", "topic"), ("subtopics", "subtopic"), ("gaps", "gap"), ("decisions", "decision"),
            ("tags", "tag"), ("topic_edits", "edit"), ("owners", "owner"),
        )
    )  # fmt: skip
    lines = [
        f"The state database is made again from {_runs(rebuilt.runs)}:",
        f"  {topics}, {subtopics} and {gaps} under their ids, with what became of them",
        f"  {decisions}, {tags} and {edits} of topics, made before run {latest} was published; what people wrote in"
        " their own words is as redacted",
        f"  names of {owners}",
        "What is not in the runs is lost:",
        f"  decisions, tags and edits made since run {latest} was published",
        "  addresses of owners, until the next run brings them",
        "  sign-ins (people sign in once more), lists of review meetings, which digests were sent (the latest may be"
        " sent again), and where drafts were pushed (docs/push.md says what a push does then)",
        "Since when people could see each gap, by which it falls due, goes by the dates of the runs' files.",
    ]
    if rebuilt.without_topics:
        lines.append(
            f"An earlier version published {_runs(rebuilt.without_topics)} without the registry of topics: topics that"
            " no later run has get new ids."
        )
    out.print(escape("\n".join(lines)), highlight=False, soft_wrap=True)


def _runs(runs: list[str] | tuple[str, ...]) -> str:
    return f"run {runs[0]}" if len(runs) == 1 else f"{len(runs)} runs, {runs[0]} to {runs[-1]}"
