"""A job's tables: whole, or a file a shard."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from lacuna.data_contracts.errors import TableWrong
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.settings import load_settings


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
