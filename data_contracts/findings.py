"""The findings of a check: one record for each broken rule, with examples and the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from lacuna.data_contracts.values import is_null, storable

__all__ = ["EXAMPLES", "REJECTED", "Finding", "counted", "examples_of", "shown"]

# The columns of the quarantine.
REJECTED = ["table", "file", "row", "rule", "column", "value", "message", "record"]

EXAMPLES = 3
_LONGEST_VALUE = 200


@dataclass(frozen=True)
class Finding:
    """One rule that rows of a table break: how many, up to three of them as (file, row, column, value), the remedy."""

    table: str
    rule: str
    column: str
    severity: str
    count: int
    message: str
    examples: tuple[tuple[str, int, str, str], ...] = ()
    remedy: str = ""


def counted(number: int, noun: str, verb: str = "") -> str:
    """A number with its noun, and a verb, in the singular or the plural.

    Examples
    --------
    >>> counted(1, "row", "name"), counted(2000, "row", "name"), counted(1, "value")
    ('1 row names', '2,000 rows name', '1 value')
    """
    singular = number == 1
    return " ".join(
        filter(None, (f"{number:,} {noun}{'' if singular else 's'}", verb and f"{verb}{'s' if singular else ''}"))
    )


def shown(value: Any, longest: int = _LONGEST_VALUE) -> str:
    """A value as short text for messages and the quarantine."""
    if is_null(value):
        return ""
    text = value.isoformat() if isinstance(value, pd.Timestamp) else str(value)
    return storable(text if len(text) <= longest else f"{text[: longest - 1]}…")


def examples_of(where: pd.DataFrame, values: pd.Series, column: str) -> tuple[tuple[str, int, str, str], ...]:
    """The first values with their places: (file, row, column, value)."""
    picked = values.head(EXAMPLES)
    places = where.loc[picked.index]
    return tuple(
        (str(f), int(r), column, shown(v, 60)) for f, r, v in zip(places["file"], places["row"], picked, strict=True)
    )
