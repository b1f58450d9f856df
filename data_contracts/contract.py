"""The contract of each table, read from `tables/inputs/` and `tables/outputs/` into frozen records.

Two rules follow from the columns and are not written out in the files: a value must be readable as its column's type
(`readable`), and a required column must not be null (`not_null`). Of an input table, a value of an optional column that
can't be read is left empty and counted: it never costs its row.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources

from lacuna.data_contracts.rules import Rule, read_rule

__all__ = ["INPUTS", "TABLES", "UNREADABLE", "Column", "Table"]

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


def _table(text: str) -> Table:
    d = tomllib.loads(text)
    columns = tuple(Column(**c) for c in d.pop("columns"))
    implied = [Rule("readable", (UNREADABLE,))]
    implied += [Rule("not_null", (c.name,)) for c in columns if c.required]
    rules = (*implied, *(read_rule(r) for r in d.pop("rules")))
    versions = tuple(d.pop("versions", ()))
    return Table(columns=columns, rules=rules, key=tuple(d.pop("key")), versions=versions, **d)


def _read(name: str) -> Table:
    folder = resources.files("lacuna.data_contracts").joinpath("tables")
    return _table(folder.joinpath(f"{name}.toml").read_text(encoding="utf-8"))


INPUTS: tuple[str, ...] = _INPUTS
TABLES: dict[str, Table] = {name: _read(f"inputs/{name}") for name in INPUTS} | {"backlog": _read("outputs/backlog")}
