"""DuckDB: tables of a run read, joined and counted in SQL, without holding them in memory whole.

A query is a file beside the step that asks, named after the table that it makes; its head says what a row is and what
it reads. Use one where many rows become few. What SQL has no words for (models, intervals) stays in Python.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.processes import temporary_folder
from lacuna.pipelines.io.store import local_copies, to_frame

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    Connection: TypeAlias = duckdb.DuckDBPyConnection

__all__ = ["NEVER", "connect", "count_csv", "csv_chunks", "driver", "read_csv", "run_query"]

_SETTINGS: dict[str, Any] = {
    # Nothing is downloaded, and nothing is written where the process happens to run.
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "temp_directory": "",
    # With several, a sum of floats would depend on which of them came first.
    "threads": 1,
}

# DuckDB takes one text for null: this one, which no file holds, so that an empty value stays an empty text.
NEVER = "\x1a\x1b\x1a"
_READ_CSV = """
WITH file AS (
    FROM read_csv(
        $file, columns = $columns, delim = $delimiter, skip = $skip, quote = '"', escape = '"', header = false,
        auto_detect = false, strict_mode = true, allow_quoted_nulls = false, nullstr = $never
    )
),

whole AS (
    SELECT *, CONCAT(*COLUMNS(*)) AS row_text FROM file
)

SELECT
    * EXCLUDE (row_text),
    STRLEN(row_text) - STRLEN(REPLACE(row_text, CHR(10), '')) AS line_ends,
    STRLEN(REPLACE(REPLACE(REPLACE(row_text, CHR(10), ''), CHR(13), ''), '"', '')) AS letters
FROM whole
"""


@contextmanager
def connect(scratch: StorePath | None = None, memory: str = "") -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory, gone at the end of the block: one a step.

    ``scratch`` is a folder for what doesn't fit into memory; without one, it has to fit. One on an object store stands
    for a folder of this machine that goes with the connection. ``memory`` is how much there is, such as "1GB"; most of
    the machine's by default.
    """
    import duckdb

    with ExitStack() as stack:
        settings = dict(_SETTINGS)
        if scratch is not None:
            local = isinstance(scratch, Path)
            settings["temp_directory"] = str(scratch if local else stack.enter_context(temporary_folder("duckdb")))
        if memory:
            settings["memory_limit"] = memory
        yield stack.enter_context(duckdb.connect(":memory:", config=settings))


def driver() -> Any:
    """The module that opens DuckDB files, as Python's DB-API has it."""
    import duckdb

    return duckdb


def run_query(
    connection: duckdb.DuckDBPyConnection,
    step: str,
    table: str,
    inputs: Mapping[str, Sequence[StorePath]],
    parameters: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Make a table by a step's query.

    Parameters
    ----------
    connection
        From :func:`connect`.
    step, table
        The query is ``pipelines/steps/<step>/<table>.sql``.
    inputs
        Parquet files of each table, by the name that the query has for it.
    parameters
        Values of the query's ``$names``.

    Returns
    -------
    DataFrame
        With the types that :func:`pipelines.io.store.read_parquet` would give it. A query must order its rows.
    """
    query = resources.files(f"lacuna.pipelines.steps.{step}").joinpath(f"{table}.sql").read_text(encoding="utf-8")
    with ExitStack() as stack:
        for name, paths in inputs.items():
            files = stack.enter_context(local_copies(paths))
            connection.read_parquet([str(path) for path in files]).create_view(name, replace=True)
        return to_frame(connection.sql(query, params=dict(parameters or {})).to_arrow_table())


def read_csv(
    connection: duckdb.DuckDBPyConnection, data: bytes, width: int, delimiter: str, skip: int = 0
) -> pd.DataFrame | None:
    """Read a CSV file of which nothing is guessed: every value is text, and an empty one is empty.

    Parameters
    ----------
    connection
        From :func:`connect`.
    data
        The file.
    width, delimiter, skip
        Number of columns, what is between them, and how many lines come before the first row.

    Returns
    -------
    DataFrame or None
        The columns, numbered; `line_ends`, how many line feeds the row's values hold; and `letters`, how many bytes
        they are without quotes and line ends. None where a row has another number of columns, a quote is out of place,
        or the text is not UTF-8.
    """
    import duckdb
    import fsspec

    if NEVER.encode() in data:
        return None
    files = fsspec.filesystem("memory", skip_instance_cache=True)
    place = f"/{uuid.uuid4().hex}.csv"
    files.pipe_file(place, data)
    try:
        connection.register_filesystem(files)
        values = _csv_values(f"memory://{place}", width, delimiter, skip)
        return to_frame(connection.sql(_READ_CSV, params=values).to_arrow_table())
    except duckdb.Error:
        return None
    finally:
        files.rm_file(place)
        connection.unregister_filesystem("memory")


def count_csv(
    connection: duckdb.DuckDBPyConnection, path: Path, width: int, delimiter: str, skip: int = 0
) -> tuple[int, int, int] | None:
    """Rows of a CSV file, and the sums of `line_ends` and `letters`; None where :func:`read_csv` would give None."""
    import duckdb

    try:
        found = connection.sql(
            f"SELECT COUNT(*), COALESCE(SUM(line_ends), 0), COALESCE(SUM(letters), 0) FROM ({_READ_CSV})",  # noqa: S608
            params=_csv_values(str(path), width, delimiter, skip),
        ).fetchall()
    except duckdb.Error:
        return None
    rows, line_ends, letters = (int(value) for value in found[0])
    return rows, line_ends, letters


def csv_chunks(
    connection: duckdb.DuckDBPyConnection, path: Path, width: int, delimiter: str, skip: int, rows: int
) -> Iterator[pd.DataFrame]:
    """The rows of :func:`read_csv`, about ``rows`` at a time."""
    import pyarrow as pa

    query = connection.sql(_READ_CSV, params=_csv_values(str(path), width, delimiter, skip))
    for batch in query.to_arrow_reader(rows):
        if len(batch):
            yield to_frame(pa.Table.from_batches([batch]))


def _csv_values(file: str, width: int, delimiter: str, skip: int) -> dict[str, Any]:
    columns = {f"column_{i}": "VARCHAR" for i in range(width)}
    return {"file": file, "columns": columns, "delimiter": delimiter, "never": NEVER, "skip": skip}
