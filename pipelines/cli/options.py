"""What all commands share: the options that many take, and where they print."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from lacuna.pipelines.io.addresses import local_folder, store_path
from lacuna.pipelines.presentation.terminal import SafeConsole

__all__ = ["Config", "Quiet", "Store", "err", "local", "out"]

# What is piped into a file or a log is read at any width; a terminal says its own.
WIDE = None if sys.stdout.isatty() else 160
out = SafeConsole(width=WIDE)
err = SafeConsole(stderr=True, width=WIDE)


def local(option: str) -> Callable[[str | Path], Path]:
    """What reads an option's path: an address such as s3:// would become a folder of that name.

    It is a parser and no callback, because it has to see the text before a path eats one of the slashes.
    """
    return lambda path: local_folder(path, option)


# A URL's path is used as a ``Path`` is; the command line's library takes no choice of two types.
Store = Annotated[
    Path,
    typer.Option(
        "--store", metavar="DIR", parser=store_path, help="Folder (or fsspec URL) of runs; made where missing."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the result, warnings and errors.")]
Config = Annotated[str | None, typer.Option(metavar="FILE", help="TOML file over the defaults; see `lacuna settings`.")]
