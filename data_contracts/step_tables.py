"""The tables that steps hand to one another and that a run publishes: what each column holds, checked when written.

They are declared in `tables/steps/<step>.toml` and `tables/outputs/published.toml`, and read when they are needed: a
command that prints fifteen rows pays for none of them.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from lacuna.data_contracts.contract import INPUTS, TABLES, Column
from lacuna.data_contracts.errors import TableUndeclared, TableWrong

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["StepTable", "check_step_table", "extension", "step_table", "step_tables", "with_aliases", "with_new_names"]

# The dtypes that a column may have, by its type; what holds no value may have any.
_DTYPES: dict[str, tuple[str, ...]] = {
    "str": ("str", "string"),
    "int": ("int64", "Int64", "int32"),
    "float": ("float64", "float32", "int64", "Int64"),
    "bool": ("bool", "boolean", "object"),
    "timestamp": ("datetime64[us, UTC]",),
    "list": ("object",),
    "record": ("object",),
    "records": ("object",),
    "vector": ("object",),
    "bytes": ("object",),
}
# The types of the bundle's contract that are told apart only while it is read.
_PLAIN = {"id": "str", "name": "str", "text": "str", "ids": "list"}


@dataclass(frozen=True)
class StepTable:
    """One table between steps, or of a run.

    Parameters
    ----------
    name
        Step and table, for example ``measure/facts``; of a published one the table alone.
    grain
        What a row is.
    key
        The columns that no two rows share; empty where rows may repeat.
    columns
        Name, type, unit and meaning of each.
    open
        Whether it may have further columns: a bundle's own are carried through untouched.
    file
        Of a published table, its file in the run folder.
    extends
        The table whose columns come first, as it is declared; empty where there is none.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    open: bool = False
    file: str = ""
    extends: str = ""


def step_table(name: str) -> StepTable:
    """The declaration of a table by step and name, for example ``understand/topics``.

    Raises
    ------
    TableUndeclared
        No file declares it.
    """
    if name.partition("/")[2].startswith("quarantine/"):
        return step_table("load/quarantine")
    step, _, table = name.partition("/")
    if step in ("load", "redact") and table in INPUTS:
        return replace(_of_contract(table), name=name)
    tables = step_tables(step)
    if table not in tables:
        raise TableUndeclared(
            f"the table '{name}' is not declared", f"describe its columns in data_contracts/tables/steps/{step}.toml"
        )
    return tables[table]


def extension(name: str) -> StepTable:
    """What a table adds to the one that it extends: its own columns, without a key."""
    table = step_table(name)
    return replace(table, key=(), columns=table.columns[len(_base(table.extends).columns) :], open=False)


@cache
def step_tables(step: str) -> dict[str, StepTable]:
    """All tables of a step, or of ``published`` ones, by name."""
    folder = resources.files("lacuna.data_contracts").joinpath("tables")
    path = folder.joinpath("outputs/published.toml" if step == "published" else f"steps/{step}.toml")
    declared = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {
        name: _table(name if step == "published" else f"{step}/{name}", columns) for name, columns in declared.items()
    }


def _table(name: str, declared: dict[str, Any]) -> StepTable:
    own = tuple(Column(**column) for column in declared.get("columns", ()))
    base = _base(declared["extends"]) if "extends" in declared else None
    return StepTable(
        name,
        declared.get("grain") or (base.grain if base else ""),
        tuple(declared.get("key", base.key if base else ())),
        (*(base.columns if base else ()), *own),
        declared.get("open", base.open if base else False),
        declared.get("file", ""),
        declared.get("extends", ""),
    )


def _base(name: str) -> StepTable:
    room, _, table = name.partition("/")
    return _of_contract(table) if room in ("inputs", "outputs") else step_table(name)


def _of_contract(name: str) -> StepTable:
    table = TABLES[name]
    columns = tuple(replace(column, type=_PLAIN.get(column.type, column.type)) for column in table.columns)
    # Of searches, two people may have made the same one; rows of a key that a rule lets repeat stay.
    return StepTable(name, table.grain, (), columns, open=table.role == "input")


def _fits(values: pd.Series, type_: str) -> bool:
    """Whether a column has a dtype of its type; one without any value may have any."""
    if str(values.dtype) in _DTYPES[type_] or not values.notna().any():
        return True
    return type_ == "str" and values.dtype == object and all(isinstance(value, str) for value in values.dropna())


def check_step_table(table: StepTable, frame: pd.DataFrame) -> None:
    """Check that a frame is as its table is declared: columns, dtypes, and no key twice.

    Parameters
    ----------
    table
        From :func:`step_table`.
    frame
        What is about to be written. A frame without rows needs no columns at all.

    Raises
    ------
    TableWrong
        A column is missing, too many, or of another type, or a key is there twice.
    """
    if not len(frame):
        return
    where = f"data_contracts/tables (table '{table.name}')"
    names = [column.name for column in table.columns]
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise TableWrong(f"{table.name} lacks the column '{missing[0]}'", f"write it, or take it out of {where}")
    undeclared = [str(name) for name in frame.columns if name not in names]
    if undeclared and not table.open:
        raise TableWrong(f"{table.name} has a column '{undeclared[0]}' that is not declared", f"describe it in {where}")
    for column in table.columns:
        values = frame[column.name]
        if not _fits(values, column.type):
            raise TableWrong(
                f"{table.name}.{column.name} is {values.dtype}, and is declared as {column.type}",
                f"write it as one of {', '.join(_DTYPES[column.type])}, or change {where}",
            )
    if table.key and (twice := frame.duplicated(list(table.key))).any():
        first = ", ".join(str(value) for value in frame[list(table.key)][twice].iloc[0])
        raise TableWrong(
            f"{table.name} has '{first}' twice, and has one row by {', '.join(table.key)}",
            f"see what makes two rows of it, or change the key in {where}",
        )


def with_aliases(table: StepTable, frame: pd.DataFrame) -> pd.DataFrame:
    """A published table with the former names of its columns besides, at its end."""
    former = {column.alias: frame[column.name] for column in table.columns if column.alias and column.name in frame}
    return frame.assign(**former) if former else frame


def with_new_names(table: StepTable, frame: pd.DataFrame) -> pd.DataFrame:
    """A table of an earlier run by today's names, without the former ones."""
    former = {column.alias: column.name for column in table.columns if column.alias in frame.columns}
    there = {alias for alias, name in former.items() if name in frame.columns}
    return frame.drop(columns=list(there)).rename(columns=former)
