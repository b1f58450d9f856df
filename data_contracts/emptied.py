"""Broken values of optional columns: each is set to null and reported, and its row is kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd

from lacuna.data_contracts.casts import empty
from lacuna.data_contracts.contract import Table
from lacuna.data_contracts.findings import REJECTED, shown
from lacuna.data_contracts.remedies import unreadable
from lacuna.data_contracts.rules import Rule, failing
from lacuna.data_contracts.versions import records

__all__ = ["without_broken_values"]


def without_broken_values(
    table: Table, frame: pd.DataFrame, raw: pd.DataFrame, where: pd.DataFrame, broken: list[Rule]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The frame without the values that break a rule of severity empty; those values, and those that were unreadable.

    The values come with the columns ``REJECTED``, and the index of their rows.
    """
    types = {c.name: c.type for c in table.columns}
    lost: list[tuple[str, str, pd.Series, Callable[[Any], str]]] = [
        ("readable", name, raw[name].dropna(), partial(unreadable, name, types[name]))
        for name in raw.columns
        if name not in table.vital
    ]
    lost += [
        (rule.rule, rule.column, frame.loc[failing(frame, rule), rule.column], partial(_breaks, rule))
        for rule in broken
        if rule.severity == "empty"
    ]
    parts = [_values(table, frame, where, *one) for one in lost]
    for rule, name, values, _ in lost:
        if rule != "readable":
            emptied = frame.index.isin(values.index)
            frame = frame.assign(**{name: frame[name].mask(emptied, empty(types[name], frame.index))})
    return frame, pd.concat(parts) if parts else pd.DataFrame(columns=REJECTED)


def _values(
    table: Table, frame: pd.DataFrame, where: pd.DataFrame, rule: str, name: str, values: pd.Series,
    says: Callable[[Any], str],
) -> pd.DataFrame:  # fmt: skip
    places = values.index
    columns = [*dict.fromkeys((*(c for c in table.key if c != name), name))]
    record = frame.loc[places, columns].astype("object").assign(**{name: values.astype("object")})
    return pd.DataFrame(
        {
            "table": table.name,
            "file": where.loc[places, "file"],
            "row": where.loc[places, "row"],
            "rule": rule,
            "column": name,
            "value": [shown(v) for v in values],
            "message": [says(v) for v in values],
            "record": records(record),
        },
        index=places,
        columns=REJECTED,
    )


def _breaks(rule: Rule, value: Any) -> str:
    return f"{rule.column} {rule.says()}{rule.but(value)}"
