"""A column that changes its name is published under both for one version, and old runs are read by the new one."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lacuna.data_contracts.step_tables import step_tables, with_aliases, with_new_names
from lacuna.pipelines.io.published import read_published
from lacuna.pipelines.io.store import write_parquet

KPIS = step_tables("published")["kpis"]
NOW = pd.DataFrame({"week": ["2024-06-24"], "assumed_resolution": [0.25], "confirmed_resolution": [0.5]})


def test_the_former_name_is_published_besides() -> None:
    """Whoever reads the old column finds the same figure in it."""
    published = with_aliases(KPIS, NOW)
    assert published["silent"].tolist() == published["assumed_resolution"].tolist() == [0.25]
    assert published["deflection_confirmed"].tolist() == [0.5]


def test_a_run_reads_the_same_whichever_version_wrote_it(tmp_path: Path) -> None:
    """Old names alone, or both, become the new ones."""
    old = NOW.rename(columns={"assumed_resolution": "silent", "confirmed_resolution": "deflection_confirmed"})
    for number, frame in enumerate((old, with_aliases(KPIS, NOW))):
        write_parquet(tmp_path / str(number) / "kpis.parquet", frame)
        assert read_published(tmp_path / str(number), "kpis").equals(NOW)


def test_a_table_that_a_run_does_not_have_is_empty(tmp_path: Path) -> None:
    """A run in which nothing was fixed has no table of fixes."""
    assert read_published(tmp_path, "impact").empty


def test_no_column_takes_a_name_that_another_one_has() -> None:
    """A former name that is a column of its own today could not be published."""
    for table in step_tables("published").values():
        names = [column.name for column in table.columns]
        former = [column.alias for column in table.columns if column.alias]
        assert not set(names) & set(former), table.name
        assert with_new_names(table, with_aliases(table, pd.DataFrame(columns=names))).columns.tolist() == names
