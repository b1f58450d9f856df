"""What to do about a broken rule: how to write the value, or the lines of a settings file by which it can be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from lacuna.data_contracts.contract import Table
from lacuna.data_contracts.ids import EXACT, whole_float
from lacuna.data_contracts.times import counted_since, from_numbers, outside
from lacuna.data_contracts.units import FIRST_YEAR, LAST_YEAR, UNITS
from lacuna.data_contracts.values import text_of

__all__ = ["remedy", "settings_lines", "unreadable"]

_TYPE_IN_WORDS = {
    "id": "an id",
    "timestamp": "a time like 2024-06-30T12:00:00Z",
    "bool": "true or false",
    "float": "a number",
    "int": "a whole number",
    "list": "a list of text",
    "ids": "a list of ids",
    "record": "an object",
    "records": "a list of objects",
}
_MOST_VALUES = 12


def unreadable(name: str, type_: str, value: Any) -> str:
    """Why a value does not have its column's type, as a sentence that begins with the column's name."""
    problem = f"{name} could not be read as {_TYPE_IN_WORDS.get(type_, 'text')}: {str(value)[:60]!r}"
    if type_ == "timestamp":
        if year := outside(value):
            return f"{problem} is in the year {year}, and only {FIRST_YEAR} to {LAST_YEAR} can be"
        if unit := counted_since(value):
            time = str(from_numbers(pd.Series([value]), unit)[0])[:16].replace("T", " ")
            return f"{problem} looks like {UNITS[unit][0]} ({time} UTC)"
    if type_ in ("id", "ids") and _inexact(value):
        return f"{problem} is a float of 2**53 or more, whose last digits are lost"
    return problem


def remedy(table: Table, rule: str, column: str, values: Sequence[Any]) -> str:
    """What to do about values that break a rule; empty where the rule itself makes it plain.

    Parameters
    ----------
    table, rule, column
        What is broken.
    values
        The raw values that break it, the most frequent first.
    """
    types = {c.name: c.type for c in table.columns}
    if rule == "allowed":
        allowed = next(r.values for r in table.rules if r.rule == "allowed" and r.column == column)
        lines = settings_lines(table.name, column, values, allowed)
        return (
            f"say in the settings what each stands for (--config), with one of {', '.join(allowed)} for '?':\n{lines}"
        )
    if rule != "readable":
        return ""
    if types[column] == "timestamp":
        units = [unit for unit in map(counted_since, values) if unit]
        if units:
            return f'say so in the settings (--config):\n[input.times.{table.name}]\n{column} = "{units[0]}"'
        if any(map(outside, values)):
            return "put the year right in the export"
        return "write times as 2024-06-30T12:00:00Z, the year first"
    if types[column] in ("id", "ids") and any(map(_inexact, values)):
        return f"export {column} as text or as whole numbers"
    if types[column] in ("list", "ids"):
        return 'write a list as JSON, ["a", "b"], or with semicolons, a;b'
    if types[column] == "bool":
        lines = settings_lines(table.name, column, values, ("true", "false"))
        return f"write true or false, or say in the settings what each stands for (--config):\n{lines}"
    return ""


def settings_lines(table: str, column: str, values: Sequence[Any], allowed: Sequence[str]) -> str:
    """The section of a settings file that maps the values found to the contract's, still to be filled in."""
    lines = [f"[input.values.{table}.{column}]"]
    for value in values[:_MOST_VALUES]:
        key = str(text_of(value) or value).replace("\\", "\\\\").replace('"', '\\"')
        bare = key.replace("-", "").replace("_", "").isalnum() and key.isascii()
        lines.append(f'{key if bare else chr(34) + key + chr(34)} = "?"    # {", ".join(allowed)}')
    return "\n".join(lines)


def _inexact(value: Any) -> bool:
    try:
        return abs(float(value)) >= EXACT and (not isinstance(value, float) or whole_float(value) is None)
    except (TypeError, ValueError, OverflowError):
        return False
