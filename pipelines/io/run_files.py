"""The files of a published run: each is read here, so that a missing or damaged one is a message and no traceback."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lacuna.data_contracts.errors import LacunaError, RunUnreadable
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.store import read_parquet

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_run", "run_file", "run_table"]

_REMEDY = "restore the file from a backup, or run that week again with --force"


@contextmanager
def run_file(path: StorePath) -> Iterator[None]:
    """Read a file of a run in this block: what goes wrong names the file, what is wrong with it, and the remedy.

    Raises
    ------
    RunUnreadable
        The file is missing, may not be read, or is not what its name says.
    """
    from pyarrow import ArrowException

    try:
        yield
    except LacunaError:
        raise
    except FileNotFoundError as error:
        raise RunUnreadable(f"{path} is missing", _REMEDY) from error
    except OSError as error:
        said = error.strerror or str(error).splitlines()[0]
        raise RunUnreadable(f"{path} can't be read: {said}", "check its rights, and the disk; or " + _REMEDY) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ArrowException) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise RunUnreadable(f"{path} is damaged: {said}", _REMEDY) from error


def read_run(folder: StorePath) -> dict[str, Any]:
    """A run's ``run.json``.

    Raises
    ------
    RunUnreadable
        It is missing, damaged, or holds no object.
    """
    path = folder / "run.json"
    with run_file(path):
        run = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(run, dict):
            raise ValueError("it holds no JSON object")
        return run


def run_table(path: StorePath, needs: Sequence[str] = ()) -> pd.DataFrame:
    """A Parquet file of a run; ``needs`` are columns that it can't be without.

    Raises
    ------
    RunUnreadable
        It is missing or damaged.
    """
    with run_file(path):
        frame = read_parquet(path)
        if missing := [name for name in needs if name not in frame]:
            raise ValueError(f"it has no column {', '.join(missing)}")
        return frame
