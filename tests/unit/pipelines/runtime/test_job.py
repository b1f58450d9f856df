"""A job's tables: whole, or a file a shard."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from lacuna.data_contracts.errors import TableWrong, WorkerUnfit
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.runtime.runner import version
from lacuna.pipelines.settings import load_settings
from tests.support.tables import plant


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job("bundle", tmp_path, date(2024, 6, 3), date(2024, 6, 30), None, load_settings(None))


def _questions(*ids: str) -> pd.DataFrame:
    text = pd.array(ids, dtype="str")
    return pd.DataFrame({"conversation_id": text, "question": text, "language": text, "key": text})


def test_a_table_in_shards_reads_as_one_in_the_order_of_the_shards(job: Job) -> None:
    job.write_json("load/shards", [{"shard": "b"}, {"shard": "a"}])
    job.write_shard("understand/questions", "a", _questions("3"))
    job.write_shard("understand/questions", "b", _questions("1", "2"))
    assert job.read("understand/questions")["conversation_id"].tolist() == ["1", "2", "3"]
    assert [len(part) for part in job.read_shards("understand/questions")] == [2, 1]
    assert list(job.read_shard("understand/questions", "a", ["key"]).columns) == ["key"]


def test_a_whole_table_is_read_at_once(job: Job) -> None:
    job.write("understand/questions", _questions("1", "2"))
    assert [part["key"].tolist() for part in job.read_shards("understand/questions", ["key"])] == [["1", "2"]]


def test_a_shard_that_is_missing_is_not_passed_over(job: Job) -> None:
    job.write_json("load/shards", [{"shard": "a"}, {"shard": "b"}])
    job.write_shard("understand/questions", "a", _questions("1"))
    with pytest.raises(FileNotFoundError, match=r"b\.parquet"):
        job.read("understand/questions")


def test_a_shard_keeps_the_declaration_of_its_table(job: Job) -> None:
    with pytest.raises(TableWrong):
        job.write_shard("understand/questions", "a", _questions("1").drop(columns="key"))


def test_rows_of_some_conversations_are_read_from_all_shards(job: Job) -> None:
    job.write_json("load/shards", [{"shard": "a"}, {"shard": "b"}])
    job.write_shard("understand/questions", "a", _questions("1", "2"))
    job.write_shard("understand/questions", "b", _questions("3"))
    rows = job.read_rows("understand/questions", ["3", "2"], ["conversation_id", "key"])
    assert rows.to_dict("list") == {"conversation_id": ["2", "3"], "key": ["2", "3"]}


def test_a_table_that_extends_another_has_its_columns_and_those_declared_besides(job: Job) -> None:
    """Columns that are not declared are refused; a bundle's own come along, save one that the step has too."""
    own = {"state": ["HH", "BY"], "shop": ["north", "south"]}
    plant(job, "understand/facts", pd.DataFrame({"conversation_id": ["1", "2"], **own}))
    added = pd.DataFrame(
        {name: pd.array([None, "x"], dtype="str") for name in ("topic_id", "subtopic_id", "state", "tag_sample")}
        | {name: [1.0, None] for name in ("right", "feedback")}
    )
    job.write_extended("measure/facts", added)
    facts = job.read("measure/facts", ["conversation_id", "shop", "state", "right"])
    assert facts.astype(object).fillna("").to_numpy().tolist() == [["1", "north", "", 1.0], ["2", "south", "x", ""]]
    with pytest.raises(TableWrong, match="not declared"):
        job.write_extended("measure/facts", added.assign(shop="east"))


def test_settings_of_another_version_name_both_versions(job: Job) -> None:
    """A worker whose settings differ from the plan's is refused with a message, before it reads a setting wrongly."""
    job.write_json("settings", {"shards": {"megabytes": 64.0, "of_another_version": 1}})
    job.write_json("run", {"version": "9.9.9"})
    with pytest.raises(WorkerUnfit, match=f"planned with Lacuna 9.9.9, .* this worker, {version()}"):
        Job.from_json(job.as_json())
