"""Every kind of rule: which rows break it, and what is said of them."""

from __future__ import annotations

import pandas as pd
import pytest

from lacuna.data_contracts.casts import conform
from lacuna.data_contracts.contract import UNREADABLE, Column, Table
from lacuna.data_contracts.rules import KINDS, Rule, failing, read_rule
from lacuna.data_contracts.suites import broken_rules

TYPES = {"t": "str", "u": "str", "x": "float", "n": "int", "s": "timestamp", "e": "timestamp", "b": "bool"}
NONE = dict.fromkeys(TYPES)

# Rule, the cells of each row, the rows that break it, and what is said of the first such row.
CASES = [
    (Rule("readable", (UNREADABLE,)), [{"x": "1"}, {"x": "soon"}, {}], [1], "could not be read, not 'x'"),
    (Rule("not_null", ("t",)), [{"t": "a"}, {}], [1], "must not be empty"),
    (Rule("unique", ("t",)), [{"t": "a"}, {"t": "b"}, {"t": "a"}, {}, {}], [2], "must be unique by t, not 'a'"),
    (
        Rule("unique", ("t", "n")),
        [{"t": "a", "n": 1}, {"t": "a", "n": 2}, {"t": "a", "n": 1}, {"t": "a"}, {"t": "a"}],
        [2],
        "must be unique by t, n, not 'a, 1'",
    ),
    (Rule("allowed", ("t",), values=("a", "b")), [{"t": "b"}, {"t": "c"}, {}], [1], "must be one of a, b, not 'c'"),
    (
        Rule("between", ("x",), low=0, high=1),
        [{"x": 0}, {"x": 1}, {"x": -0.1}, {"x": 1.1}, {}],
        [2, 3],
        "must be between 0 and 1, not '-0.1'",
    ),
    (Rule("between", ("n",), low=0), [{"n": 0}, {"n": -1}, {}], [1], "must be at least 0, not '-1'"),
    (Rule("between", ("x",), high=5), [{"x": 5}, {"x": 6}, {}], [1], "must be at most 5, not '6.0'"),
    (
        Rule("length", ("t",), high=2),
        [{"t": "ab"}, {"t": "abc"}, {"t": "😀😀"}, {}],
        [1],
        "must have at most 2 characters, not 3",
    ),
    (
        Rule("not_below", ("e", "s")),
        [{"e": "2024-01-02", "s": "2024-01-01"}, {"e": "2024-01-01", "s": "2024-01-02"}, {"e": "2024-01-01"}, {}],
        [1],
        "must not be before or below s (2024-01-01T00:00:00+00:00 against 2024-01-02T00:00:00+00:00)",
    ),
    (
        Rule("null_when", ("u",), when=("b", False)),
        [{"u": "a", "b": True}, {"u": "a", "b": False}, {"b": False}, {"u": "a"}],
        [1],
        "must be empty when b is false, not 'a'",
    ),
    (
        Rule("matches", ("t",), pattern=r"^\d{4}\Z"),
        [{"t": "2024"}, {"t": "2024\n"}, {"t": "24"}, {}],
        [1, 2],
        r"must match ^\d{4}\Z, not '2024\n'",
    ),
    (
        Rule("counts_rows", ("n",)),
        [{"n": 2}, {"n": 1}, {"n": 0}, {"n": 6}, {}],
        [2, 3],
        "must count the rows from 1, not '0'",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "rows", "broken", "says"), CASES, ids=[case[0].rule for case in CASES])
def test_a_rule_marks_the_rows_that_break_it(
    rule: Rule, rows: list[dict[str, object]], broken: list[int], says: str
) -> None:
    """Exactly the rows with another value break the rule, null breaks none, and the gate finds it broken."""
    columns = tuple(Column(name, kind, required=True) for name, kind in TYPES.items())
    table = Table("mixed", "input", True, "one row an example", ("t",), 1.0, columns, (rule,))
    frame, _ = conform(table, pd.DataFrame([NONE | row for row in rows], dtype="object"))
    mask = failing(frame, rule)
    assert mask.dtype == bool
    assert mask[mask].index.tolist() == broken
    assert rule.says() + rule.but(*frame.loc[broken[0], list(rule.columns)]) == says
    assert broken_rules(table, frame) == [rule]
    assert broken_rules(table, frame.drop(index=broken).reset_index(drop=True)) == []


def test_every_kind_has_a_case() -> None:
    """A kind of rule that is added gets a planted answer here; two need more than one table or version."""
    assert set(KINDS) - {case[0].rule for case in CASES} == {"references", "rounded"}


def test_a_rule_is_read_from_a_contract() -> None:
    """What a TOML file writes becomes one frozen record."""
    written = {"rule": "null_when", "columns": ["u"], "when": {"column": "b", "is": False}, "severity": "warn"}
    assert read_rule(written) == Rule("null_when", ("u",), severity="warn", when=("b", False))
