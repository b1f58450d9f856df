"""The contract of each table, read from `tables/inputs/` and `tables/outputs/` into frozen records.

Two rules follow from the columns and are not written out in the files: a value must be readable as its column's type
(`readable`), and a required column must not be null (`not_null`). Of an input table, a value of an optional column that
can't be read is left empty and counted: it never costs its row.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

__all__ = ["INPUTS", "TABLES", "UNREADABLE", "Column", "Rule", "Table"]

# The column that names, row by row, the first column whose value could not be read as its type.
UNREADABLE = "__unreadable__"

_INPUTS = (
    "conversations", "messages", "articles", "outcomes", "article_revisions", "owners", "searches", "releases",
)  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One column: its name, its type (see :func:`data_contracts.casts.cast`), what it means, its unit."""

    name: str
    type: str
    required: bool = False
    doc: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Rule:
    """One thing that must hold of a table's rows.

    Parameters
    ----------
    rule
        readable, not_null, unique, allowed, between, length, not_below, null_when, matches, counts_rows, references,
        rounded.
    columns
        The columns that it is about; for `not_below` the first must not be below the second.
    severity
        "fail" sends the row to quarantine, "empty" leaves the value empty and counts it, "newest" keeps the newest of
        the rows that share a key, "warn" counts the row.
    """

    rule: str
    columns: tuple[str, ...]
    severity: str = "fail"
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    pattern: str = ""
    table: str = ""
    when: tuple[str, Any] | None = None

    @property
    def column(self) -> str:
        """The column that a broken row is shown with."""
        return self.columns[0]

    def says(self) -> str:
        """The rule as the end of a sentence that begins with the column's name."""
        if self.rule == "between":
            return _bounds(self.low, self.high)
        if self.rule == "null_when" and self.when is not None:
            return f"must be empty when {self.when[0]} is {str(self.when[1]).lower()}"
        return {
            "readable": "could not be read",
            "not_null": "must not be empty",
            "unique": f"must be unique by {', '.join(self.columns)}",
            "allowed": f"must be one of {', '.join(self.values)}",
            "length": f"must have at most {self.high or 0:,.0f} characters",
            "not_below": f"must not be before or below {self.columns[-1]}",
            "matches": f"must match {self.pattern}",
            "counts_rows": "must count the rows from 1",
            "rounded": "can't be told from another row's: a spreadsheet seems to have rounded it (1.23457E+14)",
            "references": f"must name a row of {self.table}",
        }[self.rule]


@dataclass(frozen=True)
class Table:
    """One table: what a row is, its key, its columns and rules, and the share of bad rows that a run bears.

    Parameters
    ----------
    time
        The column that says when a row came to be; what is later than a run's window is left out.
    versions
        Columns, of the contract or extra ones, by which the newest version of a row is found: the first that is there.
    merges
        Whether rows that are identical are one row; of searches, two people may have made the same one.
    """

    name: str
    role: str
    required: bool
    grain: str
    key: tuple[str, ...]
    limit: float
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    time: str = ""
    versions: tuple[str, ...] = ()
    merges: bool = True

    @property
    def names(self) -> list[str]:
        """The names of the columns, in the contract's order."""
        return [c.name for c in self.columns]

    @property
    def needed(self) -> list[str]:
        """The names of the required columns."""
        return [c.name for c in self.columns if c.required]

    @property
    def vital(self) -> list[str]:
        """The names of the columns whose unreadable values cost the row: all of them where the table is an output."""
        return self.names if self.role == "output" else self.needed


def _bounds(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"must be between {low:g} and {high:g}"
    return f"must be at least {low:g}" if low is not None else f"must be at most {high:g}"


def _rule(d: dict[str, Any]) -> Rule:
    d = dict(d)
    if "when" in d:
        d["when"] = (d["when"]["column"], d["when"]["is"])
    d["columns"] = tuple(d["columns"])
    d["values"] = tuple(d.get("values", ()))
    return Rule(**d)


def _table(text: str) -> Table:
    d = tomllib.loads(text)
    columns = tuple(Column(**c) for c in d.pop("columns"))
    implied = [Rule("readable", (UNREADABLE,))]
    implied += [Rule("not_null", (c.name,)) for c in columns if c.required]
    rules = (*implied, *(_rule(r) for r in d.pop("rules")))
    versions = tuple(d.pop("versions", ()))
    return Table(columns=columns, rules=rules, key=tuple(d.pop("key")), versions=versions, **d)


def _read(name: str) -> Table:
    folder = resources.files("lacuna.data_contracts").joinpath("tables")
    return _table(folder.joinpath(f"{name}.toml").read_text(encoding="utf-8"))


INPUTS: tuple[str, ...] = _INPUTS
TABLES: dict[str, Table] = {name: _read(f"inputs/{name}") for name in INPUTS} | {"backlog": _read("outputs/backlog")}
