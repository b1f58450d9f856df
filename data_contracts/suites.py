"""Contracts compiled to Great Expectations suites: the gate that every table passes before anything is computed.

The suite says which rules are broken (a `SUMMARY` result is quick); which rows break them is found by
:mod:`data_contracts.masks`, from the same rule. Great Expectations takes seconds to import: only inside functions.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from lacuna.data_contracts.contract import UNREADABLE, Rule, Table

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext

__all__ = ["broken_rules", "suite"]

_context: EphemeralDataContext | None = None


def suite(table: Table, rows: int = 0) -> ExpectationSuite:
    """Compile a table's contract to a suite.

    Parameters
    ----------
    table
        The contract. `references` rules are left out: they are about two tables.
    rows
        Rows of the frame that will be checked, for `counts_rows`.

    Returns
    -------
    great_expectations.ExpectationSuite
        One expectation a rule; its ``meta`` holds the rule's place in ``table.rules``.
    """
    gx = _great_expectations()
    expectations = []
    for place, rule in enumerate(table.rules):
        if rule.rule == "references":
            continue
        if rule.rule == "counts_rows":
            rule = replace(rule, low=1, high=max(rows, 1))
        kind, arguments = _COMPILERS[rule.rule](rule)
        severity = "critical" if rule.severity == "fail" else "warning"
        made = getattr(gx.expectations, kind)(**arguments, severity=severity, meta={"place": place})
        expectations.append(made)
    return gx.ExpectationSuite(name=table.name, expectations=expectations)


def broken_rules(table: Table, frame: pd.DataFrame) -> list[Rule]:
    """The rules that at least one row of a frame breaks, in the contract's order.

    Parameters
    ----------
    table
        The contract.
    frame
        Typed, every column of the contract there, and the column ``__unreadable__``.
    """
    if frame.empty:
        return []
    gx = _great_expectations()
    global _context
    if _context is None:
        _context = gx.get_context(mode="ephemeral")
        _context.variables.progress_bars = {"globally": False}
    source = _context.data_sources.add_or_update_pandas(name="contracts")
    asset = source.add_dataframe_asset(name=table.name)
    checked = frame[[*table.names, UNREADABLE]].reset_index(drop=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": checked})
        result = batch.validate(suite(table, len(frame)), result_format="SUMMARY")
    # Results come back in another order than the suite's: told apart by their place.
    configs = [r.expectation_config for r in result.results if not r.success]
    broken = {config.meta["place"] for config in configs if config is not None}
    return [rule for place, rule in enumerate(table.rules) if place in broken]


def _great_expectations() -> Any:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    return gx


Compiled = tuple[str, dict[str, Any]]


def _column(kind: str) -> Callable[[Rule], Compiled]:
    return lambda rule: (kind, {"column": rule.column})


def _unique(rule: Rule) -> Compiled:
    if len(rule.columns) == 1:
        return "ExpectColumnValuesToBeUnique", {"column": rule.column}
    return "ExpectCompoundColumnsToBeUnique", {
        "column_list": list(rule.columns),
        "ignore_row_if": "any_value_is_missing",
    }


def _allowed(rule: Rule) -> Compiled:
    return "ExpectColumnValuesToBeInSet", {"column": rule.column, "value_set": list(rule.values)}


def _between(rule: Rule) -> Compiled:
    bounds = {"min_value": rule.low, "max_value": rule.high}
    return "ExpectColumnValuesToBeBetween", {"column": rule.column, **bounds}


def _length(rule: Rule) -> Compiled:
    return "ExpectColumnValueLengthsToBeBetween", {"column": rule.column, "max_value": int(rule.high or 0)}


def _not_below(rule: Rule) -> Compiled:
    upper, lower = rule.columns
    pair = {"column_A": upper, "column_B": lower, "or_equal": True, "ignore_row_if": "either_value_is_missing"}
    return "ExpectColumnPairValuesAToBeGreaterThanB", pair


def _null_when(rule: Rule) -> Compiled:
    from great_expectations.expectations.row_conditions import Column

    assert rule.when is not None
    column, value = rule.when
    return "ExpectColumnValuesToBeNull", {"column": rule.column, "row_condition": Column(column) == value}


def _matches(rule: Rule) -> Compiled:
    return "ExpectColumnValuesToMatchRegex", {"column": rule.column, "regex": rule.pattern}


_COMPILERS: dict[str, Callable[[Rule], Compiled]] = {
    "readable": _column("ExpectColumnValuesToBeNull"),
    "not_null": _column("ExpectColumnValuesToNotBeNull"),
    "unique": _unique,
    "allowed": _allowed,
    "between": _between,
    "length": _length,
    "not_below": _not_below,
    "null_when": _null_when,
    "matches": _matches,
    "counts_rows": _between,
}
