"""Tables of a run's steps, planted for the step under test."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lacuna.data_contracts.step_tables import step_table
from lacuna.pipelines.io.store import write_parquet
from lacuna.pipelines.runtime.job import Job


def plant(job: Job, name: str, frame: pd.DataFrame) -> None:
    """Write a table as if the step before had; columns that the test is not about hold nothing, no or none."""
    write_parquet(job.path(f"{name}.parquet"), _whole(name, frame))


def _whole(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    nothing: dict[str, Any] = {"str": None, "int": 0, "float": float("nan"), "bool": False, "timestamp": pd.NaT}
    dtypes: dict[str, Any] = {"str": "str", "timestamp": "datetime64[us, UTC]"}
    out = frame.copy()
    for column in step_table(name).columns:
        if column.name not in out.columns:
            empty = [[] for _ in range(len(out))] if column.type == "list" else [nothing.get(column.type)] * len(out)
            out[column.name] = pd.Series(empty, index=out.index, dtype=dtypes.get(column.type))
    return out
