"""Which rows break a rule: boolean masks, one a rule, in step with the suites that Great Expectations checks."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from lacuna.data_contracts.contract import Rule

__all__ = ["among", "failing", "unknown"]


def failing(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    """Rows of a frame that break a rule.

    Parameters
    ----------
    frame
        Typed as by :func:`data_contracts.casts.cast`, with the column ``__unreadable__``.
    rule
        Any rule but `references`, which needs another table (see :func:`unknown`).

    Returns
    -------
    pandas.Series
        bool, the frame's index. A null breaks no rule but `not_null`. Of rows that share a key, `unique` leaves the
        first one standing.
    """
    return _MASKS[rule.rule](frame, rule).fillna(False).astype(bool)


def among(values: pd.Series, known: pd.Series | pd.Index) -> pd.Series:
    """Whether each value is one of many known ones: bool, the index of ``values``.

    As Python objects, because `isin` on Arrow text turns every known value into a scalar first: 20 times slower.
    """
    return values.astype("object").isin(known.astype("object"))


def unknown(frame: pd.DataFrame, rule: Rule, known: pd.Index) -> pd.Series:
    """The first name in each row, by a `references` rule, that is not in ``known``; null where all are.

    Parameters
    ----------
    frame
        Typed; the rule's column is text or lists of text.
    known
        Every key of the table that is referred to.

    Returns
    -------
    pandas.Series
        str or None, the frame's index.
    """
    names = frame[rule.column].explode() if frame[rule.column].dtype == object else frame[rule.column]
    names = names[names.notna() & ~among(names, known)]
    return names[~names.index.duplicated()].reindex(frame.index)


def _readable(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    return frame[rule.column].notna()


def _not_null(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    return frame[rule.column].isna()


def _unique(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    columns = list(rule.columns)
    return frame.duplicated(columns, keep="first") & frame[columns].notna().all(axis=1)


def _allowed(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    values = frame[rule.column]
    return values.notna() & ~values.isin(rule.values)


def _between(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    values = frame[rule.column]
    below = values < rule.low if rule.low is not None else pd.Series(False, index=frame.index)
    above = values > rule.high if rule.high is not None else pd.Series(False, index=frame.index)
    return below | above


def _length(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    assert rule.high is not None
    return frame[rule.column].str.len() > rule.high


def _not_below(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    upper, lower = rule.columns
    return frame[upper] < frame[lower]


def _null_when(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    assert rule.when is not None
    column, value = rule.when
    return (frame[column] == value).fillna(False) & frame[rule.column].notna()


def _matches(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    found = re.compile(rule.pattern)
    values = frame[rule.column]
    return values.notna() & ~values.map(lambda v: bool(found.match(v)), na_action="ignore").eq(True)


def _counts_rows(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    return ~frame[rule.column].isin(np.arange(1, len(frame) + 1)) & frame[rule.column].notna()


_MASKS: dict[str, Callable[[pd.DataFrame, Rule], pd.Series]] = {
    "readable": _readable,
    "not_null": _not_null,
    "unique": _unique,
    "allowed": _allowed,
    "between": _between,
    "length": _length,
    "not_below": _not_below,
    "null_when": _null_when,
    "matches": _matches,
    "counts_rows": _counts_rows,
}
