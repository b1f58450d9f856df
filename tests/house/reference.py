"""The pages in ``docs/`` that are written from the code: ``make docs`` writes them, a test says that they are true."""

from __future__ import annotations

from collections.abc import Callable

import typer.cli
import typer.main

from lacuna.pipelines.cli.main import app
from tests.support.paths import REPO

HEAD = "Written from the code by `make docs`; a test compares the two. Change the code, not this page.\n"


def command_line() -> str:
    """Every command of ``lacuna`` with its arguments and options, as ``--help`` prints them."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="lacuna")
    text = typer.cli.get_docs_for_click(obj=command, ctx=context, name="lacuna", title="The command line")
    title, rest = text.strip().split("\n", 1)
    return f"{title}\n\n{HEAD}{rest}\n"


PAGES: dict[str, Callable[[], str]] = {"cli.md": command_line}


def main() -> None:
    """Write all pages."""
    for name, page in PAGES.items():
        (REPO / "docs" / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
