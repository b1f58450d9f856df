"""The command ``lacuna``.

Exit codes: 0 done (also where nothing was left to do); 1 ``check`` found something wrong with the bundle, or ``forget``
something that is left; 2 a problem that the message tells how to put right, wrong usage included; 70 a fault of Lacuna
itself; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.markup import escape

from lacuna.data_contracts.errors import LacunaError
from lacuna.pipelines.cli import (
    ask,
    audit,
    dags,
    decide,
    drafts,
    forget,
    impact,
    init,
    mine,
    pull,
    redact,
    review,
    state,
    topics,
    worth,
)  # fmt: skip
from lacuna.pipelines.cli.options import err, out
from lacuna.pipelines.presentation.terminal import write

# Heavy modules are imported by the commands that need them, so that --help answers at once.

__all__ = ["app", "main"]

OUR_FAULT = 70
INTERRUPTED = 130
WIDTH = 110  # of tables that go to a file or a log

app = typer.Typer(
    name="lacuna",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Turns a folder of support conversations into a ranked, owned backlog of knowledge gaps.",
    epilog="Start here:  `lacuna demo --store demo-store`  ·  Exit codes: 0 done, 1 check found faults"
    " or forget something left, 2 a problem you can put right, 70 a fault of Lacuna, 130 interrupted.",
)


def _version(requested: bool) -> None:
    if requested:
        from importlib import metadata

        out.print(f"lacuna-kb {metadata.version('lacuna-kb')}", highlight=False)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    pass


def settings() -> None:
    """Print every setting with its default and what it does.

    For example:

    `lacuna settings > ours.toml`
    """
    from lacuna.pipelines.settings import default_text

    sys.stdout.write(default_text())


# In the order in which somebody who comes to it new will want them; the help shows them so.
COMMANDS: dict[str, tuple[Callable[..., None], ...]] = {
    "Bring conversations in": (init.init, pull.pull),
    "Find the gaps": (mine.demo, mine.check, mine.run, mine.runs, mine.explain, ask.why),
    "Review and decide": (
        review.review, decide.backlog, decide.decide, decide.assign, decide.undo, review.token, ask.mcp,
    ),
    "Write, tell, and see what worked": (drafts.digest, impact.impact, worth.worth, audit.audit),
    "Look at topics, change settings, schedule": (topics.topics, redact.redact, settings, dags.dags),
    "Forget": (forget.forget,),
}  # fmt: skip

for panel, commands in COMMANDS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)


@contextmanager
def _errors_printed() -> Iterator[None]:
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
    except Exception:  # noqa: BLE001 - the last line of defence: whatever it is, the message says what to do
        write(sys.stderr, traceback.format_exc())
        err.print("[bold red]This is a fault of Lacuna[/], not of your input: please report it with the lines above.")
        raise SystemExit(OUR_FAULT) from None


def _check_arguments(arguments: Sequence[str]) -> None:
    """Refuse bytes that are no text: Python hands them on as halves of characters, which nothing can record."""
    for argument in arguments:
        if any("\ud800" <= letter <= "\udfff" for letter in argument):
            raise LacunaError(
                f"the argument '{argument}' is not UTF-8", "write it in UTF-8; rename a file that has another name"
            )


app.add_typer(drafts.drafts_app, name="drafts", rich_help_panel="Write, tell, and see what worked")
app.add_typer(topics.topic_app, name="topic", rich_help_panel="Look at topics, change settings, schedule")
app.add_typer(state.state_app, name="state", rich_help_panel="Look at topics, change settings, schedule")
app.add_typer(pull.sources, name="sources", rich_help_panel="Bring conversations in")


def main() -> None:
    """Run the command line."""
    if not sys.stdout.isatty():
        os.environ.setdefault("COLUMNS", str(WIDTH))
    with _errors_printed():
        _check_arguments(sys.argv[1:])
        app()


if __name__ == "__main__":
    main()
