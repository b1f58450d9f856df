"""DuckDB as steps use it: in memory, nothing downloaded, every step's query in order."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from lacuna.pipelines.io.duck import connect, run_query
from lacuna.pipelines.io.store import write_parquet
from tests.support.paths import REPO

QUERIES = sorted((REPO / "pipelines").rglob("*.sql"))


def test_nothing_is_downloaded_and_nothing_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An extension that the wheel lacks is an error, and the folder where the process runs stays empty."""
    monkeypatch.chdir(tmp_path)
    with connect() as connection:
        settings = connection.sql("SELECT name, value FROM duckdb_settings()").fetchall()
        with pytest.raises(duckdb.Error):
            connection.sql("SELECT * FROM read_parquet('https://example.org/a.parquet')").fetchall()
    told = {name: value for name, value in settings if name.startswith("auto") or name in ("threads", "temp_directory")}
    assert told["autoinstall_known_extensions"] == told["autoload_known_extensions"] == "false"
    assert (told["threads"], told["temp_directory"]) == ("1", "")
    assert list(tmp_path.iterdir()) == []


def test_a_query_gives_the_types_that_a_step_s_table_has(tmp_path: Path) -> None:
    """Demand by week comes as text, whole numbers and floats, with the weeks in which nobody asked."""
    facts = pd.DataFrame(
        {
            "week": ["2024-06-03", "2024-06-10", "2024-06-10"],
            "topic_id": pd.array(["t-1", "t-1", None], dtype="str"),
            "subtopic_id": pd.array([None, "s-1", None], dtype="str"),
            "p_failed": [0.25, 0.5, 1.0],
        }
    )
    tables = {"facts": facts, "topics": facts[["topic_id"]].head(1), "subtopics": facts[["subtopic_id"]].iloc[[1]]}
    for name, frame in tables.items():
        write_parquet(tmp_path / f"{name}.parquet", frame)
    with connect() as connection:
        inputs = {name: [tmp_path / f"{name}.parquet"] for name in tables}
        found = run_query(connection, "measure", "demand_by_week", inputs)
    assert [str(kind) for kind in found.dtypes] == ["str", "str", "str", "int64", "int64", "float64"]
    assert found.to_numpy().tolist() == [
        ["subtopic_id", "s-1", "2024-06-03", 1, 0, 0.0],
        ["subtopic_id", "s-1", "2024-06-10", 2, 1, 0.5],
        ["topic_id", "t-1", "2024-06-03", 1, 1, 0.25],
        ["topic_id", "t-1", "2024-06-10", 2, 1, 0.5],
    ]


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.name)
def test_a_query_says_what_a_row_is_and_orders_its_rows(path: Path) -> None:
    """A head with grain and inputs, an order that no machine changes, and no division by a zero."""
    query = path.read_text(encoding="utf-8")
    assert query.startswith("-- Grain: ")
    assert "-- Inputs: " in query
    assert re.search(r"^ORDER BY ", query, re.M)
    assert all("NULLIF(" in line for line in query.splitlines() if " / " in line and not line.startswith("--"))
