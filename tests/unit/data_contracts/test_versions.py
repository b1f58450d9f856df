"""Several versions of one row: the newest is kept, identical rows are one, and none is lost uncounted."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lacuna.data_contracts.casts import conform
from lacuna.data_contracts.check import Sifted, sift
from lacuna.data_contracts.contract import TABLES


def sifted(table: str, rows: list[dict[str, Any]]) -> Sifted:
    """Rows of a table after its contract, extra columns included, as they stand in a file."""
    raw = pd.DataFrame(rows).astype("object")
    typed, unread = conform(TABLES[table], raw)
    extra = [c for c in raw.columns if c not in typed.columns]
    where = pd.DataFrame({"file": f"{table}.csv", "row": range(2, len(rows) + 2)})
    return sift(TABLES[table], pd.concat([typed, raw[extra].astype("str")], axis=1), unread, where)


def warnings(sifted_table: Sifted) -> list[str]:
    return [f.message for f in sifted_table.findings if f.severity == "warn"]


def conversation(name: str, **more: Any) -> dict[str, Any]:
    return {"conversation_id": name, "started_at": "2024-06-03", "escalated": "no", **more}


version = st.fixed_dictionaries(
    {"name": st.sampled_from(["c1", "c2", "c3"]), "escalated": st.booleans(), "day": st.integers(1, 28)}
)


@settings(max_examples=25)
@given(st.lists(version, min_size=1, max_size=8), st.booleans(), st.randoms())
def test_the_newest_version_is_kept(rows: list[dict[str, Any]], dated: bool, rng: random.Random) -> None:
    """By the column that says when, whatever the order of the rows; else the last row. Every row is accounted for."""
    rng.shuffle(rows)
    frame = [
        conversation(r["name"], escalated=r["escalated"]) | ({"_synced_at": f"2024-07-{r['day']:02d}"} if dated else {})
        for r in rows
    ]
    sifted_table = sifted("conversations", frame)
    newest: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["name"] not in newest or not dated or row["day"] >= newest[row["name"]]["day"]:
            newest[row["name"]] = row
    escalated_by_id = dict(zip(sifted_table.kept["conversation_id"], sifted_table.kept["escalated"], strict=True))
    assert escalated_by_id == {name: row["escalated"] for name, row in newest.items()}
    assert len(sifted_table.kept) + len(sifted_table.rejected) + sifted_table.superseded == len(rows)
    older = sum(row["escalated"] != newest[row["name"]]["escalated"] for row in rows)
    assert [f.count for f in sifted_table.findings if f.rule == "versions"] == ([older] if older else [])


@pytest.mark.parametrize("values", [["2024-06-02", "2024-06-10"], [1717300000, 1717900000], ["9", "10"]])
def test_times_and_numbers_tell_versions_apart(values: list[Any]) -> None:
    """A version may be a time, an epoch or a plain number; the larger one is the newer."""
    for order in (values, values[::-1]):
        sifted_table = sifted("owners", [{"owner_id": "o1", "name": str(v), "updated_at": v} for v in order])
        assert sifted_table.kept["name"].tolist() == [str(values[1])]
        assert warnings(sifted_table) == ["1 older version of a row left out: the newest by updated_at is kept"]


def test_identical_rows_are_one_in_silence() -> None:
    """An export that was written twice says nothing twice, whenever it was synced."""
    rows = [conversation("c1", _synced_at=f"2024-07-0{day}") for day in (1, 2, 3)]
    sifted_table = sifted("conversations", rows)
    assert (len(sifted_table.kept), sifted_table.superseded, sifted_table.findings) == (1, 2, ())


def test_events_that_may_coincide_are_all_kept() -> None:
    """Two people may make the same search in the same second; a tag that is there twice is one tag."""
    searches = [{"searched_at": "2024-06-03", "query": "refund"}] * 3
    assert len(sifted("searches", searches).kept) == 3
    tags = [{"conversation_id": "c1", "outcome": "wrong", "note": note} for note in ("a", "a", "b")]
    sifted_table = sifted("outcomes", tags)
    assert (sifted_table.kept["note"].tolist(), sifted_table.superseded) == (["a", "b"], 1)


def test_a_bad_newest_version_leaves_the_one_before() -> None:
    """A row that is rejected for another fault doesn't take an older, sound one with it."""
    sifted_table = sifted("conversations", [conversation("c1", product="bikes"), conversation("c1", escalated="?")])
    assert sifted_table.kept["product"].tolist() == ["bikes"]
    assert sifted_table.rejected["row"].tolist() == [3]


def test_ids_that_a_spreadsheet_has_rounded_are_not_merged() -> None:
    """Of 1.23457E+14 nobody knows which conversation it was: rows that differ are rejected, not taken for versions."""
    rows = [conversation("1.23457E+14", product=p) for p in ("bikes", "tents")] + [conversation("1.5E+14")]
    sifted_table = sifted("conversations", rows)
    assert sifted_table.kept["conversation_id"].tolist() == ["150000000000000"]
    assert sifted_table.rejected["rule"].tolist() == ["rounded"] * 2
    assert "a spreadsheet seems to have rounded it" in sifted_table.rejected["message"][0]
