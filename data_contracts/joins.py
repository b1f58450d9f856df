"""References between tables: ids that no row has, lists written as one text, and tables that don't join at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from lacuna.data_contracts.contract import Table
from lacuna.data_contracts.findings import EXAMPLES, Finding, counted, examples_of
from lacuna.data_contracts.rules import Rule, unknown
from lacuna.data_contracts.values import among

__all__ = ["Side", "Unjoined", "dangling", "dangling_in_all", "split_names", "unjoined"]

# Two tables belong together where at least this share of the smaller one's ids is in the other.
_LEAST_JOINED = 0.1
# A column that names rows of another table, and never one that is there, is a mistake from this many names on.
_FEWEST_NAMES = 10

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Side:
    """A column of ids with the place of each: what `unjoined` compares."""

    table: str
    column: str
    ids: pd.Series
    where: pd.DataFrame


@dataclass(frozen=True)
class Unjoined:
    """Two columns that should hold the same ids and don't: what is wrong, and what to do."""

    says: str
    remedy: str


def dangling(table: Table, kept: pd.DataFrame, where: pd.DataFrame, ids: dict[str, pd.Index]) -> list[Finding]:
    """Rows with a reference to an id that its table does not have: one finding for each rule.

    Parameters
    ----------
    table, kept, where
        A table's contract, its kept rows and their places.
    ids
        The keys of every table that the bundle has; a table that isn't there is not missed.
    """
    out = []
    for rule in _references(table, ids):
        names = unknown(kept, rule, ids[rule.table]).dropna()
        if len(names):
            out.append(_dangling(table, rule, len(names), examples_of(where, names, rule.column)))
    return out


def dangling_in_all(table: Table, parts: Sequence[Finding]) -> list[Finding]:
    """What :func:`dangling` finds in a whole table, given what it found in parts of it, in order."""
    out = []
    for rule in table.rules:
        found = [part for part in parts if rule.rule == "references" and part.column == rule.column]
        if found:
            examples = tuple(example for part in found for example in part.examples)
            out.append(_dangling(table, rule, sum(part.count for part in found), examples[:EXAMPLES]))
    return out


def _dangling(table: Table, rule: Rule, count: int, examples: tuple[tuple[str, int, str, str], ...]) -> Finding:
    message = f"{counted(count, 'row', 'name')} {rule.table} that the bundle does not have, or that are in quarantine"
    return Finding(table.name, rule.rule, rule.column, rule.severity, count, message, examples)


def split_names(table: Table, kept: pd.DataFrame, ids: dict[str, pd.Index]) -> pd.DataFrame:
    """Split list items that hold several ids ("kb-a,kb-b"), where the other table has at least one of the pieces.

    Only the other table can tell whether a comma belongs to an id.
    """
    for rule in _references(table, ids):
        if kept[rule.column].dtype != object:
            continue
        names = set(ids[rule.table])

        def apart(items: object, names: set[str] = names) -> object:
            if not isinstance(items, list) or all(i in names or not re.search(r"[,|\s]", i) for i in items):
                return items
            out: list[str] = []
            for item in items:
                parts = [part for part in re.split(r"[,|\s]+", item) if part]
                out += parts if item not in names and any(part in names for part in parts) else [item]
            return out

        lists = kept[rule.column].map(apart, na_action="ignore")
        kept = kept.assign(**{rule.column: lists.astype("object").where(lists.notna(), None)})
    return kept


def unjoined(table: Table, kept: pd.DataFrame, where: pd.DataFrame, sides: dict[str, Side]) -> list[Unjoined]:
    """The reference columns of a table of which no id, or hardly any, is in the table that they refer to.

    Messages must belong to the bundle's conversations, or there is nothing to mine: at least a tenth of the ids of the
    smaller table has to be in the other. Any other column that names ten rows or more must hit one.

    Parameters
    ----------
    table, kept, where
        A table's contract, its kept rows and their places.
    sides
        The key column of every table that the bundle has.
    """
    out = []
    for rule in _references(table, sides):
        target = sides[rule.table]
        column = kept[rule.column].explode() if kept[rule.column].dtype == object else kept[rule.column]
        names = column.dropna().drop_duplicates()
        joined = int(among(names, target.ids).sum())
        fewer = min(len(names), target.ids.nunique())
        vital = table.required and rule.column in table.key
        enough = _LEAST_JOINED * fewer if vital else 1
        if not fewer or joined >= enough or (not vital and len(names) < _FEWEST_NAMES):
            continue
        own = Side(table.name, rule.column, names, where)
        out.append(
            Unjoined(
                f"{table.name} and {rule.table} don't join: {joined:,} of {counted(len(names), 'id')} in "
                f"{table.name}.{rule.column} {'is' if joined == 1 else 'are'} in {rule.table}\n"
                f"  {_form(own)}\n  {_form(target)}",
                f"write {rule.table}' ids in the same form in both tables, and export both over the same days"
                + ("" if vital else f"; or leave {table.name}.{rule.column} out"),
            )
        )
    return out


def _references(table: Table, targets: dict[str, pd.Index] | dict[str, Side]) -> list[Rule]:
    return [rule for rule in table.rules if rule.rule == "references" and rule.table in targets]


def _form(side: Side) -> str:
    """A description of the form that most ids of a column have, with an example and its place."""
    shapes = side.ids.map(_shape).to_numpy()
    usual = pd.Series(shapes).mode().iloc[0]
    ids = side.ids[shapes == usual]
    file, row = side.where.loc[ids.index[0], ["file", "row"]]
    return f"{side.table}.{side.column} holds {usual}, such as '{ids.iloc[0]}' ({file} row {row})"


def _shape(text: str) -> str:
    if re.fullmatch(r"\d+", text):
        return "digits with leading zeros" if text.startswith("0") and len(text) > 1 else "whole numbers"
    if re.fullmatch(r"-?\d+\.\d+", text):
        return "numbers with decimals"
    if _UUID.fullmatch(text):
        return "UUIDs"
    if "://" in text:
        return "addresses"
    shape = re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", text))
    return f"text like {shape[:20]}"
