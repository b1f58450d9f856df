"""What all commands share: the options that many take, and where they print."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

__all__ = ["Config", "Quiet", "Store", "err", "out"]

# What is piped into a file or a log is read at any width; a terminal says its own.
WIDE = None if sys.stdout.isatty() else 160
out = Console(width=WIDE)
err = Console(stderr=True, width=WIDE)

Store = Annotated[Path, typer.Option("--store", metavar="DIR", help="Folder of runs and state; made where missing.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the result, warnings and errors.")]
Config = Annotated[str | None, typer.Option(metavar="FILE", help="TOML file over the defaults; see `lacuna settings`.")]
