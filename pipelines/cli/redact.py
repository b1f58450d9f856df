"""`lacuna redact`: one column of a file without personal data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from lacuna.pipelines.cli.options import Config, Quiet, out
from lacuna.pipelines.presentation import progress

if TYPE_CHECKING:
    from lacuna.pipelines.redacted_file import RedactedFile

__all__ = ["redact"]


def redact(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, JSON lines or Parquet.", show_default=False)],
    text: Annotated[str, typer.Option(metavar="COLUMN", help="The column with the texts.")],
    into: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Where it is written: CSV, JSON lines or Parquet.")
    ],
    name: Annotated[
        str | None,
        typer.Option(
            "--id",
            metavar="COLUMN",
            help="The column with the conversation: a name that one of its rows shows goes from all of them. Each row"
            " by itself by default. An e-mail address in it is replaced.",
        ),
    ] = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Take personal data out of a file's texts, as a run does before anything else.

    Names, addresses, numbers and secrets become placeholders such as `<NAME>`; no other column is written than the id
    and the text. What is not found, by kind and language, stands in docs/trust.md: look through a sample before you
    hand the file on.

    For example:

    `lacuna redact messages.csv --text body --id conversation_id --out redacted.csv`
    """
    from lacuna.pipelines.redacted_file import redact_file
    from lacuna.pipelines.settings import load_settings

    progress.configure(quiet)
    done = redact_file(file, text, name, into, load_settings(config))
    if not quiet:
        _show(done, into)


def _show(done: RedactedFile, into: Path) -> None:
    table = Table("replaced", "times", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for kind, count in done.replaced.items():
        table.add_row(kind, f"{count:,}")
    out.print(table)
    out.print(f"{done.changed:,} of {done.texts:,} texts changed; written to {escape(str(into))}", highlight=False)
    languages = ", ".join(done.languages) or "too few texts to tell"
    out.print(f"Languages: {languages}. Phone numbers of: {', '.join(done.regions)}.", highlight=False)
    if done.without:
        out.print(
            f"[yellow]No country is known for {', '.join(done.without)}: national phone numbers in these texts are not"
            " found. Name the countries in \\[privacy] phone_regions.[/yellow]"
        )
    for row, why in done.unreadable[:5]:
        out.print(f"[yellow]row {row} could not be read and is left out: {escape(why)}[/yellow]")
