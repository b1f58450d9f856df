"""The section `[input]` of the settings: columns to rename, values to translate, numbers to read as times.

The meaning of a vendor's word is never guessed: `admin` is an agent in one help desk and a bot in another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from lacuna.data_contracts.contract import INPUTS, TABLES
from lacuna.data_contracts.units import UNITS
from lacuna.pipelines.presentation.section import Section
from lacuna.pipelines.presentation.suggestions import likely

__all__ = ["NOTHING_MAPPED", "Mapped", "check_column", "check_words", "mapping_wrong"]

Columns = dict[str, dict[str, str]]
Values = dict[str, dict[str, dict[str, str | bool]]]


def _columns(mapping: Columns) -> Columns:
    for table, names in mapping.items():
        for ours in names.values():
            check_column(table, ours)
    return mapping


def _values(mapping: Values) -> Values:
    for table, columns in mapping.items():
        for column, words in columns.items():
            check_column(table, column)
            check_words(table, column, words.values())
    return mapping


def _times(mapping: Columns) -> Columns:
    for table, columns in mapping.items():
        for column, unit in columns.items():
            check_column(table, column)
            if unit not in UNITS:
                raise mapping_wrong(f"{table}.{column} takes one of {', '.join(UNITS)}: not {unit!r}")
            if next(c.type for c in TABLES[table].columns if c.name == column) != "timestamp":
                raise mapping_wrong(f"{table}.{column} holds no times")
    return mapping


def check_column(table: str, column: str) -> None:
    """Check that the contract has the column."""
    columns = TABLES[table].names if table in INPUTS else []
    if table not in INPUTS:
        raise mapping_wrong(f"there is no table '{table}'{_meant(table, INPUTS)}")
    if column not in columns:
        raise mapping_wrong(f"there is no column '{column}' in {table}{_meant(column, columns)}")


def check_words(table: str, column: str, words: Iterable[object]) -> None:
    """Check that a column takes each of the words."""
    allowed = next((r.values for r in TABLES[table].rules if r.rule == "allowed" and r.column == column), ())
    wrong = [word for word in words if allowed and word not in allowed and word != ""]
    if wrong:
        raise mapping_wrong(f'{table}.{column} takes one of {", ".join(allowed)}, or "" for no value: not {wrong[0]!r}')


def _meant(name: str, names: Iterable[str]) -> str:
    close = likely(name, names)
    return f"; did you mean '{close}'?" if close else ""


def mapping_wrong(says: str) -> PydanticCustomError:
    """The error of a mapping that can't be, for pydantic to report with its place."""
    return PydanticCustomError("input", "{says}", {"says": says})


class Mapped(Section):
    """How tables of a bundle that differ from the contract's names and values are read."""

    columns: Annotated[Columns, AfterValidator(_columns)]
    values: Annotated[Values, AfterValidator(_values)]
    times: Annotated[Columns, AfterValidator(_times)]
    expands_to_megabytes: Annotated[float, Field(gt=0)]

    @property
    def expanded_bytes(self) -> int:
        """Bytes that a packed file may expand to."""
        return int(self.expands_to_megabytes * 2**20)


NOTHING_MAPPED = Mapped(columns={}, values={}, times={}, expands_to_megabytes=1024.0)
