from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lacuna.data_contracts.casts import DTYPES, cast, conform
from lacuna.data_contracts.check import faults, sift
from lacuna.data_contracts.contract import INPUTS, TABLES, UNREADABLE, Column, Table
from lacuna.data_contracts.rules import Rule, failing
from lacuna.data_contracts.suites import broken_rules, suite
from lacuna.data_contracts.values import NO_VALUE
from lacuna.models.backlog.gap_kinds import GAP_KINDS

REQUIRED = {
    "conversations": ["conversation_id", "started_at", "escalated"],
    "messages": ["conversation_id", "position", "role", "text"],
    "articles": ["article_id", "title", "body"],
    "outcomes": ["conversation_id", "outcome"],
    "article_revisions": ["article_id", "revised_at"],
    "owners": ["owner_id"],
    "searches": ["searched_at", "query"],
    "releases": ["product", "version", "released_at"],
}


def test_contract_requires_what_the_bundle_format_requires() -> None:
    """Every table of the bundle has its contract, with exactly the required columns of the format."""
    assert {name: TABLES[name].needed for name in INPUTS} == REQUIRED
    assert [name for name in INPUTS if TABLES[name].required] == ["conversations", "messages", "articles"]


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_contract_compiles_to_a_suite(table: Table) -> None:
    """Each contract becomes one suite, an expectation for every rule within the table."""
    expectations = suite(table).expectations
    assert len(expectations) == sum(rule.rule != "references" for rule in table.rules)
    assert {r.severity for r in table.rules} <= {"fail", "empty", "newest", "warn"}
    # Nothing else could be told of a value that a row can't do without, nor be kept of two gaps with one id.
    assert not [r for r in table.rules if r.severity == "empty" and r.column in table.vital]
    assert not [r for r in table.rules if r.severity == "newest" and table.role == "output"]
    named = {c for r in table.rules for c in r.columns}
    assert named <= {*table.names, UNREADABLE}
    assert all(column.doc and column.type in DTYPES for column in table.columns)
    assert all(rule.says() for rule in table.rules)


texts = st.one_of(st.none(), st.sampled_from(["a", "b", "c", "2024-06-30", "ab", "ünï", "😀😀😀", "مرحبا"]))
numbers = st.one_of(st.none(), st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, 5.0, 9.0]))
times = st.one_of(st.none(), st.sampled_from(["2024-01-01", "2024-01-02T03:00:00+02:00", "1979-12-31"]))
bools = st.one_of(st.none(), st.booleans())
row = st.fixed_dictionaries({"t": texts, "u": texts, "x": numbers, "n": numbers, "s": times, "e": times, "b": bools})

TYPES = {"t": "str", "u": "str", "x": "float", "n": "int", "s": "timestamp", "e": "timestamp", "b": "bool"}
MIXED = Table(
    name="mixed",
    role="input",
    required=True,
    grain="one row an example",
    key=("t",),
    limit=1.0,
    columns=tuple(Column(name, kind, required=True) for name, kind in TYPES.items()),
    rules=(
        Rule("readable", (UNREADABLE,)),
        Rule("not_null", ("t",)),
        Rule("not_null", ("s",)),
        Rule("not_null", ("b",)),
        Rule("unique", ("t",)),
        Rule("unique", ("n",)),
        Rule("unique", ("t", "n")),
        Rule("allowed", ("t",), values=("a", "b")),
        Rule("between", ("x",), low=0, high=1),
        Rule("between", ("n",), low=0),
        Rule("between", ("x",), high=5),
        Rule("length", ("t",), high=2),
        Rule("not_below", ("e", "s")),
        Rule("not_below", ("x", "n")),
        Rule("null_when", ("e",), when=("b", False)),
        Rule("null_when", ("u",), when=("t", "a")),
        Rule("matches", ("t",), pattern=r"^\d{4}-\d{2}-\d{2}\Z"),
        Rule("counts_rows", ("n",)),
    ),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(row, min_size=1, max_size=8))
def test_masks_agree_with_great_expectations(rows: list[dict[str, Any]]) -> None:
    """The rules that Great Expectations finds broken are exactly those for which a mask finds a failing row."""
    frame, _ = conform(MIXED, pd.DataFrame(rows).astype("object"))
    by_mask = [rule for rule in MIXED.rules if failing(frame, rule).any()]
    assert broken_rules(MIXED, frame) == by_mask


@settings(max_examples=50)
@given(st.lists(st.one_of(st.none(), st.text(), st.integers(), st.floats(), st.booleans(), st.lists(st.text()))))
def test_cast_reads_or_reports_every_value(values: list[Any]) -> None:
    """Whatever a cell holds, casting gives the contract's dtype, and a lost value is always reported as unreadable."""
    raw = pd.Series(values, dtype="object")
    for kind, dtype in DTYPES.items():
        typed, unreadable = cast(raw, kind)
        assert str(typed.dtype) == dtype
        assert not (typed.notna() & unreadable).any()
        blank = [v is None or v != v or str(v).strip().lower() in NO_VALUE for v in values]
        lost = typed.isna() & ~unreadable
        assert all(b or not is_lost for b, is_lost in zip(blank, lost, strict=True))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024-06-30", "2024-06-30T00:00:00Z"),
        ("2024-06-30 12:30", "2024-06-30T12:30:00Z"),
        ("2024-06-30T12:30:00+02:00", "2024-06-30T10:30:00Z"),
        ("2024-06-30 12:30:00 UTC", "2024-06-30T12:30:00Z"),
        ("2024-06-30T12:30:00,250", "2024-06-30T12:30:00.25Z"),
        ("2024-06-30T12:30:00.123456789Z", "2024-06-30T12:30:00.123456Z"),
        ("1719700000", None),
        ("20240630", None),
        ("30.06.2024", None),
        ("06/30/2024", None),
    ],
)
def test_cast_reads_times(written: str, read: str | None) -> None:
    """Times that begin with the year are read, without a zone as UTC; epochs and day-first dates are refused."""
    typed, unreadable = cast(pd.Series([written]), "timestamp")
    assert unreadable.tolist() == [read is None]
    assert read is None or typed[0] == pd.Timestamp(read)


def test_cast_keeps_ids_as_text() -> None:
    """Ids keep leading zeros; numbers become their digits, also where a hole has made them floats."""
    assert cast(pd.Series(["007", "7"]), "str")[0].tolist() == ["007", "7"]
    assert cast(pd.Series([1001.0, np.nan]), "str")[0].tolist()[0] == "1001"
    assert cast(pd.Series([9007199254740993], dtype="Int64"), "str")[0].tolist() == ["9007199254740993"]


def test_cast_tells_blank_ids_from_blank_text() -> None:
    """A blank id is no value; a message may hold nothing but a line break; an empty cell is no value in either."""
    raw = pd.Series(["\n", ""])
    assert cast(raw, "str")[0].isna().tolist() == [True, True]
    assert cast(raw, "text")[0].isna().tolist() == [False, True]


def test_cast_reads_lists() -> None:
    """A list is read from a list, from semicolons and from JSON text; a list of lists is unreadable."""
    raw = pd.Series([["a", 1], "a; b;", '["x", "y"]', "", [["deep"]]], dtype="object")
    typed, unreadable = cast(raw, "list")
    assert typed.tolist() == [["a", "1"], ["a", "b"], ["x", "y"], None, None]
    assert unreadable.tolist() == [False, False, False, False, True]


def gap(**changes: Any) -> dict[str, Any]:
    """A backlog row that keeps the contract."""
    sound = {
        "gap_id": "g1", "rank": 1, "kind": "missing", "status": "new", "title": "Return a parcel", "topic_id": "t1",
        "topic_label": "Returns", "article_id": None, "nearest_articles": [], "owner_id": None,
        "owner_reason": "nobody owns this area", "conversations": 12, "customers": 10, "weekly_rate": 3.0,
        "trend": {"direction": "up", "ratio": 1.5, "p_value": 0.01}, "failure_rate": 0.5, "failure_low": 0.3,
        "failure_high": 0.7, "n_tagged": 4, "labels": 4, "score": 1.2, "score_low": 0.5, "score_high": 2.0,
        "rank_low": 1, "rank_high": 2, "cost_avoidable": 9.0, "reasons": ["no article answers 12 conversations"],
        "examples": [], "conversation_ids": ["c1"], "draft": None, "first_seen": "2024-06-30",
        "last_seen": "2024-06-30",
    }  # fmt: skip
    return sound | changes


def test_backlog_contract_passes_a_sound_backlog() -> None:
    """Two sound gaps have no faults."""
    assert faults("backlog", pd.DataFrame([gap(), gap(gap_id="g2", rank=2, kind="stale", article_id="a1")])) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"kind": "lost"}, f"kind must be one of {', '.join(GAP_KINDS)}, not 'lost'"),
        ({"rank": 3}, "rank must count the rows from 1, not '3'"),
        ({"article_id": "a1"}, "article_id must be empty when kind is missing, not 'a1'"),
        ({"failure_low": 0.9}, "failure_high must not be before or below failure_low (0.7 against 0.9)"),
        ({"score": float("inf")}, "score could not be read as a number: 'inf'"),
        ({"owner_reason": None}, "owner_reason must not be empty"),
        ({"last_seen": "June"}, r"last_seen must match ^\d{4}-\d{2}-\d{2}\Z, not 'June'"),
        ({"nearest_articles": "a1"}, "nearest_articles could not be read as a list of objects: 'a1'"),
    ],
)
def test_backlog_contract_names_faults(changes: dict[str, Any], fault: str) -> None:
    """A gap that breaks the backlog's contract is named with its fault."""
    faults_named = faults("backlog", pd.DataFrame([gap(**changes)]))
    assert [f.removesuffix(" (1 row)") for f in faults_named] == [fault]


def test_sift_keeps_the_sound_row_of_a_key() -> None:
    """A row that is rejected for another fault doesn't push a sound row with the same key into quarantine."""
    table = TABLES["articles"]
    raw = pd.DataFrame({"article_id": ["a1", "a1"], "title": ["T", "T"], "body": ["new", "newer"], "status": ["", "x"]})
    frame, unread = conform(table, raw)
    sifted = sift(table, frame, unread, pd.DataFrame({"file": "articles.csv", "row": [2, 3]}))
    assert sifted.kept["body"].tolist() == ["new"]
    assert sifted.rejected["rule"].tolist() == ["allowed"]
