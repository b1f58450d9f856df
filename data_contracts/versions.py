"""Several versions of one row: the newest is kept, identical rows are one.

An export that was written twice holds each row twice; a table that keeps history (a slowly changing dimension, an
incremental sync) holds every version of a row. Which one is newest is said by the first of the table's `versions`
columns that is there, else by the order of the rows in their files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lacuna.data_contracts.casts import cast
from lacuna.data_contracts.contract import UNREADABLE, Table
from lacuna.data_contracts.ids import rounded
from lacuna.data_contracts.values import is_null, storable

__all__ = ["Settled", "records", "settle"]


@dataclass(frozen=True)
class Settled:
    """Which rows make way for another one of the same key, each a boolean mask.

    Parameters
    ----------
    older
        An older version of a row that differs from the newest.
    same
        Says what the row that is kept says.
    rounded
        Not to be told from another row: an id that a spreadsheet has rounded, shared by rows that differ.
    by
        The column by which the newest was found; empty where it was the order in the files.
    """

    older: pd.Series
    same: pd.Series
    rounded: pd.Series
    by: str = ""


def settle(table: Table, frame: pd.DataFrame, arrival: np.ndarray, out: pd.Series) -> Settled:
    """Find, among rows with the same key, the newest.

    Parameters
    ----------
    table
        The contract; one with a `unique` rule of severity "newest" has one row a key.
    frame
        Typed.
    arrival
        Each row's place in the order in which the files hold them.
    out
        Rows that are left out for another reason, and don't compete.
    """
    none = pd.Series(False, index=frame.index)
    unique = next((r for r in table.rules if r.rule == "unique" and r.severity == "newest"), None)
    if unique is None and not table.merges:
        return Settled(none, none, none)
    columns = list(unique.columns if unique else table.key)
    there = frame[columns].notna().all(axis=1) if unique else pd.Series(True, index=frame.index)
    rows = frame[~out & there]
    rows = rows[rows.duplicated(columns, keep=False)]
    if rows.empty:
        return Settled(none, none, none)
    content = pd.Series(records(rows[table.names]), index=rows.index)
    if unique is None:
        same = none.copy()
        same[content.index[content.duplicated()]] = True
        return Settled(none, same, none)
    by, version = _version(table, rows)
    ranks = pd.DataFrame({"version": version, "arrival": arrival[rows.index]}, index=rows.index)
    ranks = ranks.sort_values(["version", "arrival"], na_position="first")
    last = rows.loc[ranks.index]
    newest_rows = last.index[~last.duplicated(columns, keep="last")]
    group = rows.groupby(columns, sort=False).ngroup()
    newest = group.map(pd.Series(content[newest_rows].to_numpy(), index=group[newest_rows].to_numpy()))
    same, older, lost = none.copy(), none.copy(), none.copy()
    same[rows.index] = (content == newest) & ~rows.index.isin(newest_rows)
    older[rows.index] = content != newest
    ids = [c.name for c in table.columns if c.name in columns and c.type == "id"]
    doubtful = rows[ids].map(rounded).any(axis=1)
    lost[rows.index] = doubtful & group.isin(group[content != newest])
    return Settled(older & ~lost, same & ~lost, lost, by)


def _version(table: Table, rows: pd.DataFrame) -> tuple[str, pd.Series]:
    """The column by which versions are ordered, and each row's rank by it."""
    for name in table.versions:
        if name not in rows.columns or not rows[name].notna().any():
            continue
        for kind in ("timestamp", "float"):
            value, unread = cast(rows[name], kind)
            if not unread.any() and value.notna().any():
                return name, value
    return "", pd.Series(0, index=rows.index)


def records(frame: pd.DataFrame, raw: pd.DataFrame | None = None) -> list[str]:
    """Each row as JSON: unreadable cells by their raw value, nulls left out."""
    out = []
    unread = raw.to_dict("records") if raw is not None and len(raw.columns) else [{}] * len(frame)
    rows = frame.drop(columns=UNREADABLE, errors="ignore").astype("object").to_dict("records")
    for row, more in zip(rows, unread, strict=True):
        fields = {str(k): v for k, v in row.items() if not is_null(v)}
        fields |= {str(k): v for k, v in more.items() if not is_null(v)}
        out.append(storable(json.dumps(fields, ensure_ascii=False, default=_plain)))
    return out


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return str(value)
