"""A gap is defined once: contract, files, state and API take its fields from there."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypedDict

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lacuna.data_contracts.contract import TABLES
from lacuna.data_contracts.errors import StoreUnusable
from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_fields import Sheet, column, contract_columns, gap_fields
from lacuna.pipelines.steps.publish.workbook import write_backlog
from tests.house.reference import BACKLOG, backlog_contract
from tests.support.standins import BACKLOG_ROW, a_gap

RUN = {"run_id": "2024-06-30", "window": {}}


class Mood(TypedDict):
    """A nested record of a field that somebody adds."""

    angry: float | None
    words: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wider(Gap):
    """A gap as it is after somebody has added a field: this one place is all that they write."""

    mood: Mood | None = field(default=None, metadata=column("how customers feel", sheet=Sheet(heading="Mood")))


def test_the_contract_is_what_the_fields_say() -> None:
    """The contract has a gap's fields, in order, with their types, units and meanings."""
    assert TABLES["backlog"].columns == contract_columns(Gap), "run `make docs`"
    assert BACKLOG.read_text(encoding="utf-8") == backlog_contract(), "run `make docs`"


@pytest.mark.parametrize("gaps", [0, 1])
def test_every_field_is_a_column_of_every_file_in_one_order(tmp_path: Path, gaps: int) -> None:
    """JSON lines, Parquet and CSV have the contract's columns, also where there is no gap."""
    write_backlog(tmp_path, [a_gap()] * gaps, RUN)
    names = [one.name for one in contract_columns(Gap)]
    assert [name for name in names if name != "labels"] == [one.name for one in gap_fields(Gap)]
    assert pq.read_schema(tmp_path / "backlog.parquet").names == names
    with (tmp_path / "backlog.csv").open(encoding="utf-8-sig", newline="") as file:
        assert next(csv.reader(file)) == names
    lines = (tmp_path / "backlog.jsonl").read_text(encoding="utf-8").splitlines()
    assert [list(json.loads(line)) for line in lines] == [names] * gaps


def test_a_field_that_is_added_needs_no_other_edit(tmp_path: Path) -> None:
    """Contract, JSON lines, Parquet, CSV and workbook have it from its definition alone, with its type."""
    row = BACKLOG_ROW | {"mood": {"angry": 0.5, "words": ["late", "again"], "beyond its type": 1}}
    write_backlog(tmp_path, [Wider.from_row(row)], RUN, record=Wider)
    (added,) = [one for one in contract_columns(Wider) if one not in contract_columns(Gap)]
    assert (added.name, added.type, added.required, added.doc) == ("mood", "record", False, "how customers feel")
    line = json.loads((tmp_path / "backlog.jsonl").read_text(encoding="utf-8"))
    assert line["mood"] == {"angry": 0.5, "words": ["late", "again"]}
    schema = pq.read_schema(tmp_path / "backlog.parquet")
    assert schema.field("mood").type == pa.struct([("angry", pa.float64()), ("words", pa.list_(pa.string()))])
    with (tmp_path / "backlog.csv").open(encoding="utf-8-sig", newline="") as file:
        (cells,) = csv.DictReader(file)
    assert cells["mood"].startswith("angry 0.5")
    first, second = openpyxl.load_workbook(tmp_path / "backlog.xlsx")["Backlog"].iter_rows(values_only=True)
    assert dict(zip(first, second, strict=True))["Mood"].startswith("angry 0.5")


def test_a_renamed_field_is_published_under_both_names(tmp_path: Path) -> None:
    """For one version whoever reads the former name still finds it."""
    write_backlog(tmp_path, [a_gap(n_tagged=7)], RUN)
    (row,) = pq.read_table(tmp_path / "backlog.parquet").to_pylist()
    assert (row["n_tagged"], row["labels"]) == (7, 7)


def test_a_run_of_an_earlier_version_is_read() -> None:
    """A field under its former name counts, and what the version did not have is as its default says."""
    old = {name: value for name, value in BACKLOG_ROW.items() if name != "n_tagged"} | {"labels": 12}
    gap = Gap.from_row(old)
    assert (gap.n_tagged, gap.probability, gap.subtopics, gap.carried) == (12, None, [], None)


def test_a_gap_goes_into_a_row_and_back() -> None:
    """Nothing is lost on the way, and what is not of its type reads as missing."""
    gap = a_gap(change_point={"week": "2024-06-03", "before": 0.2, "after": 0.7}, probability="sure")
    assert gap.probability is None
    assert gap.change_point == {"week": "2024-06-03", "low": None, "high": None, "before": 0.2, "after": 0.7}
    assert Gap.from_row(gap.as_row()) == gap
    assert replace(gap, owner_name="Ada").owner == "Ada"


def test_a_row_without_what_every_gap_has_says_which() -> None:
    """The error names the gap, the field and what stands there."""
    with pytest.raises(StoreUnusable, match="gap g-1a2b3c has no score \\(it holds 'high'\\)"):
        a_gap(score="high")
