"""A sample of a source: what it holds, how well columns are filled, and what the backlog loses by what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd

from lacuna.data_contracts.contract import TABLES
from lacuna.models.data_coverage.coverage import Coverage
from lacuna.pipelines.io.processes import temporary_folder
from lacuna.pipelines.io.store import files_in, read_parquet
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.sources.pull import pull_source
from lacuna.pipelines.sources.registry import make_source
from lacuna.pipelines.steps.load.step import check_bundle

__all__ = ["Filled", "Sample", "TableSample", "check_source"]

DAYS = 28


@dataclass(frozen=True)
class TableSample:
    """How many rows of a table were looked at, and the first and last day of those that have one."""

    name: str
    rows: int
    first: str = ""
    last: str = ""


@dataclass(frozen=True)
class Filled:
    """The share of a column's values that are there, 0 to 1."""

    table: str
    name: str
    share: float


@dataclass(frozen=True)
class Sample:
    """What a sample shows.

    Attributes
    ----------
    tables, columns
        What the source gives.
    missing
        Tables of the contract that it does not give, with what can be done.
    remedies
        How to get a column that is not filled, by ``table.column``.
    coverage
        What the backlog loses; empty where a run could not read the sample.
    problems
        What would stop a run.
    """

    tables: tuple[TableSample, ...]
    columns: tuple[Filled, ...]
    missing: Mapping[str, str]
    remedies: Mapping[str, str]
    coverage: tuple[Coverage, ...]
    problems: tuple[str, ...]


def check_source(settings: Settings, name: str, since: date | None = None, rows: int = 2_000) -> Sample:
    """Look at a sample of a source; nothing of it is kept.

    Parameters
    ----------
    settings, name
        As of :func:`pipelines.sources.pull.pull`.
    since
        The day from which on conversations are looked at; 28 days ago by default.
    rows
        About how many rows of each stream.

    Raises
    ------
    SettingsInvalid, SourceUnreadable
        As of :func:`pipelines.sources.pull.pull`.
    """
    source = make_source(settings, name, since or datetime.now(UTC).date() - timedelta(days=DAYS))
    given = {table for stream in source.streams() for table in stream.tables}
    with temporary_folder("check") as folder:
        bundle = folder / "bundle"
        pull_source(settings, source, bundle, sample=rows)
        checked = check_bundle(str(bundle), settings.contract.limits)
        frames = {table: _read(bundle, table) for table in TABLES if table in given}
    return Sample(
        tuple(_table_sample(table, frame) for table, frame in frames.items()),
        tuple(filled for table, frame in frames.items() if len(frame) for filled in _filled(table, frame)),
        {
            table: source.lacks.get(table, "")
            for table, of in TABLES.items()
            if of.role == "input" and table not in given
        },
        source.lacks,
        checked.data,
        tuple(problem for problem in checked.problems if not _is_of_another_source(problem, given)),
    )


def _is_of_another_source(problem: str, given: set[str]) -> bool:
    """Whether a problem is that a table is not there which this source does not have."""
    return any(f"no table '{table}'" in problem for table in set(TABLES) - given)


def _read(bundle: Path, table: str) -> pd.DataFrame:
    files = files_in(bundle / table, "*.parquet")
    return read_parquet(files) if files else pd.DataFrame(columns=TABLES[table].names)


def _table_sample(table: str, frame: pd.DataFrame) -> TableSample:
    times = frame[TABLES[table].time].dropna() if TABLES[table].time and len(frame) else pd.Series([], dtype="object")
    if times.empty:
        return TableSample(table, len(frame))
    return TableSample(table, len(frame), f"{times.min():%Y-%m-%d}", f"{times.max():%Y-%m-%d}")


def _filled(table: str, frame: pd.DataFrame) -> list[Filled]:
    return [Filled(table, name, float(frame[name].notna().mean())) for name in TABLES[table].names]
