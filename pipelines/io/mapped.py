"""A bundle's own names and values put into the contract's, as the settings say."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lacuna.data_contracts.errors import BundleUnreadable
from lacuna.data_contracts.times import from_numbers
from lacuna.data_contracts.values import is_null, text_of
from lacuna.pipelines.io.mapping import Mapped

__all__ = ["mapped_frame", "unused"]


def mapped_frame(mapped: Mapped, table: str, file: str, frame: pd.DataFrame) -> pd.DataFrame:
    """A raw table with the contract's names and values, as far as the settings say what stands for them.

    Parameters
    ----------
    mapped
        The settings' section `[input]`.
    table, file
        What the frame is, and where it comes from.
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
            frame = frame.assign(**{column: _said(frame[column], words)})
    for column, unit in mapped.times.get(table, {}).items():
        if column in frame.columns:
            frame = frame.assign(**{column: from_numbers(frame[column], unit)})
    return frame


def unused(mapped: Mapped, table: str, present: set[str]) -> list[str]:
    """What the settings say of columns that no file of a table has, a sentence each.

    ``present`` are the names in the files, before any was renamed.
    """
    known = present | {ours for theirs, ours in mapped.columns.get(table, {}).items() if theirs in present}
    out = [f"[input.columns.{table}] names '{c}'" for c in mapped.columns.get(table, {}) if c not in present]
    for section, found in (("values", mapped.values), ("times", mapped.times)):
        out += [f"[input.{section}.{table}] names '{c}'" for c in found.get(table, {}) if c not in known]
    return [f"{said}, a column that no file of the table has" for said in out]


def _said(raw: pd.Series, words: dict[str, str | bool]) -> pd.Series:
    def one(value: Any) -> Any:
        text = None if is_null(value) else text_of(value)
        return value if text is None else words.get(text.strip(), value)

    return pd.Series([one(value) for value in raw], index=raw.index, dtype="object")
