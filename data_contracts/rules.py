"""The rules that a contract may hold: for each kind, in one place, which rows break it and how it is put into words.

Great Expectations evaluates these same functions (:mod:`data_contracts.suites`). To add a kind, write a function that
marks the rows that break it and decorate it with its sentence; contracts can then name it.

Settings read contracts, and light commands read settings: so nothing here imports pandas before a table is checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KINDS", "Kind", "Rule", "failing", "read_rule", "unknown"]


@dataclass(frozen=True)
class Rule:
    """One thing that must hold of a table's rows.

    Parameters
    ----------
    rule
        The kind of rule, a name of ``KINDS``.
    columns
        The columns that it is about; for `not_below` the first must not be below the second.
    severity
        "fail" sends the row to quarantine, "empty" leaves the value empty and counts it, "newest" keeps the newest of
        the rows that share a key, "warn" counts the row.
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

    @property
    def within(self) -> bool:
        """Whether a table alone shows which of its rows break the rule."""
        return KINDS[self.rule].breaks is not None

    @property
    def by_key(self) -> bool:
        """Whether the rule is about all its columns together, so that a broken row is shown with all of them."""
        return KINDS[self.rule].by_key

    def says(self) -> str:
        """The rule as the end of a sentence that begins with the column's name."""
        says = KINDS[self.rule].says
        return says if isinstance(says, str) else says(self)

    def but(self, *cells: Any) -> str:
        """The end of that sentence on a row that breaks the rule: what its cells hold instead; empty where nothing."""
        return KINDS[self.rule].but(cells)


def _but(cells: tuple[Any, ...]) -> str:
    from lacuna.data_contracts.findings import shown

    value = shown(", ".join(map(shown, cells)), 60)
    return f", not {value!r}" if value else ""


@dataclass(frozen=True)
class Kind:
    """A kind of rule.

    Parameters
    ----------
    says
        The rule in words, see :meth:`Rule.says`.
    breaks
        A mask of the rows that break a rule; null counts as not broken. None where the table alone can't tell.
    but
        What a broken row holds instead, see :meth:`Rule.but`.
    by_key
        See :attr:`Rule.by_key`.
    """

    says: str | Callable[[Rule], str]
    breaks: Callable[[pd.DataFrame, Rule], pd.Series] | None = None
    but: Callable[[tuple[Any, ...]], str] = _but
    by_key: bool = False


KINDS: dict[str, Kind] = {}
Mask = Callable[["pd.DataFrame", Rule], "pd.Series"]


def _kind(says: str | Callable[[Rule], str], **more: Any) -> Callable[[Mask], Mask]:
    """Enter a mask function into ``KINDS`` under its own name."""

    def enter(mask: Mask) -> Mask:
        KINDS[mask.__name__.lstrip("_")] = Kind(says, mask, **more)
        return mask

    return enter


def read_rule(written: dict[str, Any]) -> Rule:
    """A rule as a contract's TOML file writes it."""
    when = written.get("when")
    lists = {name: tuple(written.get(name, ())) for name in ("columns", "values")}
    return Rule(**written | lists | {"when": (when["column"], when["is"]) if when else None})


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
    breaks = KINDS[rule.rule].breaks
    assert breaks is not None, f"a table alone does not show what breaks '{rule.rule}'"
    return breaks(frame, rule).fillna(False).astype(bool)


@_kind("could not be read")
def _readable(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    return frame[rule.column].notna()


@_kind("must not be empty")
def _not_null(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    return frame[rule.column].isna()


@_kind(lambda rule: f"must be unique by {', '.join(rule.columns)}", by_key=True)
def _unique(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    columns = list(rule.columns)
    return frame.duplicated(columns, keep="first") & frame[columns].notna().all(axis=1)


@_kind(lambda rule: f"must be one of {', '.join(rule.values)}")
def _allowed(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    values = frame[rule.column]
    return values.notna() & ~values.isin(rule.values)


def _bounds(rule: Rule) -> str:
    if rule.low is not None and rule.high is not None:
        return f"must be between {rule.low:g} and {rule.high:g}"
    return f"must be at least {rule.low:g}" if rule.low is not None else f"must be at most {rule.high:g}"


@_kind(_bounds)
def _between(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    values = frame[rule.column]
    low = -float("inf") if rule.low is None else rule.low
    high = float("inf") if rule.high is None else rule.high
    return (values < low) | (values > high)


@_kind(
    lambda rule: f"must have at most {rule.high or 0:,.0f} characters",
    but=lambda cells: f", not {len(cells[0]):,}",
)
def _length(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    assert rule.high is not None
    return frame[rule.column].str.len() > rule.high


def _against(cells: tuple[Any, ...]) -> str:
    from lacuna.data_contracts.findings import shown

    return f" ({shown(cells[0])} against {shown(cells[1])})"


@_kind(lambda rule: f"must not be before or below {rule.columns[-1]}", but=_against)
def _not_below(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    upper, lower = rule.columns
    return frame[upper] < frame[lower]


def _condition(rule: Rule) -> str:
    assert rule.when is not None
    return f"must be empty when {rule.when[0]} is {str(rule.when[1]).lower()}"


@_kind(_condition)
def _null_when(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    assert rule.when is not None
    column, value = rule.when
    return (frame[column] == value).fillna(False) & frame[rule.column].notna()


@_kind(lambda rule: f"must match {rule.pattern}")
def _matches(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    pattern = re.compile(rule.pattern)
    values = frame[rule.column]
    return values.notna() & ~values.map(lambda v: bool(pattern.match(v)), na_action="ignore").eq(True)


@_kind("must count the rows from 1")
def _counts_rows(frame: pd.DataFrame, rule: Rule) -> pd.Series:
    return ~frame[rule.column].isin(range(1, len(frame) + 1)) & frame[rule.column].notna()


# Found where the newest of several versions is looked for: see `data_contracts.versions`.
KINDS["rounded"] = Kind(
    "can't be told from another row's: a spreadsheet seems to have rounded it (1.23457E+14)", by_key=True
)

KINDS["references"] = Kind(lambda rule: f"must name a row of {rule.table}")


def unknown(frame: pd.DataFrame, rule: Rule, ids: pd.Index) -> pd.Series:
    """The first name in each row, by a `references` rule, that is not in ``ids``; null where all are.

    Parameters
    ----------
    frame
        Typed; the rule's column is text or lists of text.
    ids
        Every key of the table that is referred to.

    Returns
    -------
    pandas.Series
        str or None, the frame's index.
    """
    from lacuna.data_contracts.values import among

    names = frame[rule.column].explode() if frame[rule.column].dtype == object else frame[rule.column]
    names = names[names.notna() & ~among(names, ids)]
    return names[~names.index.duplicated()].reindex(frame.index)
