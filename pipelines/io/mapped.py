"""A bundle's own names and values translated into the contract's, by the settings."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lacuna.data_contracts.errors import BundleUnreadable
from lacuna.data_contracts.times import from_numbers
from lacuna.data_contracts.values import is_null, text_of
from lacuna.pipelines.io.mapping import Mapped

__all__ = ["mapped_frame", "unused"]


def mapped_frame(mapped: Mapped, table: str, file: str, frame: pd.DataFrame) -> pd.DataFrame:
    """A raw table with the contract's names and values, as far as the settings map them.

    Parameters
    ----------
    mapped
        The settings' section `[input]`.
    table, file
        The table, and the file that it was read from.
    frame
        Raw columns.

    Raises
    ------
    BundleUnreadable
        A column would get the name of one that is there already.
    """
    names = {theirs: ours for theirs, ours in mapped.columns.get(table, {}).items() if theirs in frame.columns}
    for theirs, ours in names.items():
        if ours in frame.columns and ours not in names:
            raise BundleUnreadable(
                f"{file} has both '{theirs}' and '{ours}', and the settings read '{theirs}' as '{ours}'",
                f"take '{theirs}' out of [input.columns.{table}], or out of the file",
            )
    frame = frame.rename(columns=names)
    for column, words in mapped.values.get(table, {}).items():
        if column in frame.columns:
            frame = frame.assign(**{column: _translated(frame[column], words)})
    for column, unit in mapped.times.get(table, {}).items():
        if column in frame.columns:
            frame = frame.assign(**{column: from_numbers(frame[column], unit)})
    return frame


def unused(mapped: Mapped, table: str, present: set[str]) -> list[str]:
    """A sentence for each column that the settings name and that no file of the table has.

    ``present`` are the names in the files, before any was renamed.
    """
    names = present | {ours for theirs, ours in mapped.columns.get(table, {}).items() if theirs in present}
    phrases = [
        f"[input.columns.{table}] names '{column}'" for column in mapped.columns.get(table, {}) if column not in present
    ]
    for section, columns in (("values", mapped.values), ("times", mapped.times)):
        phrases += [
            f"[input.{section}.{table}] names '{column}'" for column in columns.get(table, {}) if column not in names
        ]
    return [f"{phrase}, a column that no file of the table has" for phrase in phrases]


def _translated(raw: pd.Series, words: dict[str, str | bool]) -> pd.Series:
    def one(value: Any) -> Any:
        text = None if is_null(value) else text_of(value)
        return value if text is None else words.get(text.strip(), value)

    return pd.Series([one(value) for value in raw], index=raw.index, dtype="object")
