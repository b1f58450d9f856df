"""The tables of published runs, those of earlier versions included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lacuna.data_contracts.step_tables import step_tables, with_new_names
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.run_files import run_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_published"]


def read_published(run: StorePath, name: str) -> pd.DataFrame:
    """A table of a run's folder by today's column names, whichever version wrote it; empty where it has none.

    Parameters
    ----------
    run
        The run's folder.
    name
        One of `data_contracts/tables/outputs/published.toml`, for example ``kpis``.
    """
    import pandas as pd

    table = step_tables("published")[name]
    path = run / table.file
    return with_new_names(table, run_table(path)) if path.exists() else pd.DataFrame()
