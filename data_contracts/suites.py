"""Contracts as Great Expectations suites: the gate that every table passes before anything is computed.

A suite holds no logic of its own: there is one expectation, that no row breaks a rule, and it evaluates the function
that :mod:`data_contracts.rules` has for the rule's kind. Results hold counts alone, never values: those may be what a
customer wrote, and what is shown of them is for `data_contracts.check` to decide.

Great Expectations takes seconds to import, so this module is imported where a table is checked, not before.
"""

from __future__ import annotations

import logging
import os
import warnings
from dataclasses import asdict
from typing import Any, ClassVar

import pandas as pd

from lacuna.data_contracts.contract import UNREADABLE, Table
from lacuna.data_contracts.rules import Rule, failing

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
# While it is imported it writes hundreds of lines of itself into a scheduler's log.
logging.getLogger("great_expectations").setLevel(logging.ERROR)
# This one sets a level of its own when it is imported: only a filter lasts.
logging.getLogger("great_expectations.data_context.types.base").addFilter(lambda line: line.levelno >= logging.ERROR)

import great_expectations as gx  # noqa: E402 - silenced first
from great_expectations.core.metric_domain_types import MetricDomainTypes  # noqa: E402
from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: E402
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine  # noqa: E402
from great_expectations.expectations.expectation import BatchExpectation  # noqa: E402
from great_expectations.expectations.metadata_types import FailureSeverity  # noqa: E402
from great_expectations.expectations.metrics.metric_provider import metric_value  # noqa: E402
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider  # noqa: E402

__all__ = ["broken_rules", "suite"]

_METRIC = "contract.rows_that_break"


class _RowsThatBreak(TableMetricProvider):
    """How many rows break a rule."""

    metric_name = _METRIC
    value_keys = ("rule",)

    @metric_value(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805 - it is called by this name
        execution_engine: PandasExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        **_: Any,
    ) -> int:
        frame, _, _ = execution_engine.get_compute_domain(metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE)
        return int(failing(frame, Rule(**metric_value_kwargs["rule"])).sum())


class ExpectRowsToKeepRule(BatchExpectation):
    """Expect every row of a table to keep a rule of its contract."""

    # A record as plain data: Great Expectations hashes an expectation by its JSON.
    rule: dict[str, Any]
    metric_dependencies = (_METRIC,)
    success_keys: ClassVar[tuple[str, ...]] = ("rule",)
    args_keys = ("rule",)

    def _validate(self, metrics: dict[Any, Any], *_: Any, **__: Any) -> dict[str, Any]:
        count = metrics[_METRIC]
        return {"success": count == 0, "result": {"unexpected_count": count}}


_context = gx.get_context(mode="ephemeral")
_context.variables.progress_bars = ProgressBarsConfig(globally=False)
# One asset for all tables: to make one takes longer than to check a small table, and a second would keep a second
# frame in memory.
_whole_frame = (
    _context.data_sources.add_pandas(name="contracts")
    .add_dataframe_asset(name="table")
    .add_batch_definition_whole_dataframe("whole")
)


def suite(table: Table) -> gx.ExpectationSuite:
    """A table's contract as a suite.

    Returns
    -------
    great_expectations.ExpectationSuite
        One expectation a rule, its place in ``table.rules`` in ``meta``; `references` rules, which are about two
        tables, are left out.
    """
    expectations = [
        ExpectRowsToKeepRule(
            rule=asdict(rule),
            severity=FailureSeverity.CRITICAL if rule.severity == "fail" else FailureSeverity.WARNING,
            description=f"{', '.join(rule.columns)} {rule.says()}",
            meta={"place": place},
        )
        for place, rule in enumerate(table.rules)
        if rule.within
    ]
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
    checked = frame[[*table.names, UNREADABLE]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batch = _whole_frame.get_batch({"dataframe": checked})
        result = batch.validate(suite(table), result_format="SUMMARY")
    broken = set()
    for one in result.results:
        if "unexpected_count" not in one.result:  # an error while it was evaluated, which must not pass for bad rows
            raise RuntimeError(f"a rule of {table.name} could not be evaluated: {one.exception_info}")
        if not one.success and one.expectation_config is not None:
            # Results come back in another order than the suite's: told apart by their place.
            broken.add(one.expectation_config.meta["place"])
    return [rule for place, rule in enumerate(table.rules) if place in broken]
