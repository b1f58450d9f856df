"""The contract of each table, read from `tables/<table>.toml` into frozen records.

Two rules follow from the columns and are not written out in the files: a value must be readable as its column's type
(`readable`), and a required column must not be null (`not_null`).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

__all__ = ["INPUTS", "TABLES", "UNREADABLE", "Column", "Rule", "Table"]

# The column that names, row by row, the first column whose value could not be read as its type.
UNREADABLE = "__unreadable__"

_ORDER = (
    "conversations",
    "messages",
    "articles",
    "outcomes",
    "article_revisions",
    "owners",
    "searches",
    "releases",
    "backlog",
)


@dataclass(frozen=True)
class Column:
    """One column: its name, type (str, text, timestamp, bool, float, int, list, record, records), and what it means."""

    name: str
    type: str
    required: bool = False
    doc: str = ""


@dataclass(frozen=True)
class Rule:
    """One thing that must hold of a table's rows.

    Parameters
    ----------
    rule
        readable, not_null, unique, allowed, between, length, not_below, null_when, matches, counts_rows, references.
    columns
        The columns that it is about; for `not_below` the first must not be below the second.
    severity
        "fail" sends the row to quarantine, "warn" counts it.
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
            "references": f"must name a row of {self.table}",
        }[self.rule]


@dataclass(frozen=True)
class Table:
    """One table: what a row is, its key, its columns and rules, and the share of bad rows that a run bears."""

    name: str
    role: str
    required: bool
    grain: str
    key: tuple[str, ...]
    limit: float
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    time: str = ""

    @property
    def names(self) -> list[str]:
        """The names of the columns, in the contract's order."""
        return [c.name for c in self.columns]

    @property
    def needed(self) -> list[str]:
        """The names of the required columns."""
        return [c.name for c in self.columns if c.required]


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
    return Table(columns=columns, rules=rules, key=tuple(d.pop("key")), **d)


def _read() -> dict[str, Table]:
    folder = resources.files("lacuna.data_contracts").joinpath("tables")
    return {name: _table(folder.joinpath(f"{name}.toml").read_text(encoding="utf-8")) for name in _ORDER}


TABLES: dict[str, Table] = _read()
INPUTS: tuple[str, ...] = tuple(name for name, table in TABLES.items() if table.role == "input")
