"""What a scheduler's tasks say: where to look after a failure, what was published, what waits for approval."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd
import pytest

from lacuna.data_contracts.errors import (
    BundleUnreadable,
    ContractBroken,
    NotDelivered,
    SettingsInvalid,
    StoreUnusable,
    WorkerUnfit,
)
from lacuna.pipelines.run import make_job
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.runtime.scheduled import approval_text, log_failure, published_run, what_to_look_at

PARAMS = {"bundle": "s3://in/export", "store": "s3://out/store", "config": "ours.toml"}


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (ContractBroken("no articles", "add them"), "lacuna check s3://in/export"),
        (BundleUnreadable("no answer", "wait"), "s3://in/export"),
        (StoreUnusable("held", "wait"), "s3://out/store"),
        (SettingsInvalid("wrong", "mend"), "ours.toml"),
        (WorkerUnfit("other version", "install"), "on every worker"),
        (NotDelivered("refused", "mend"), "[delivery]"),
        (ZeroDivisionError("division by zero"), "traceback"),
        (None, "memory"),
    ],
)
def test_what_to_look_at_names_the_place(error: BaseException | None, named: str) -> None:
    """Each kind of error names the bundle, the store, the settings, the versions or the worker."""
    assert named in what_to_look_at("understand.find_topics", PARAMS, error)


def test_a_schedulers_own_error_is_looked_behind() -> None:
    """Airflow's exception stands for ours, which it was raised from."""
    theirs = RuntimeError("full")
    theirs.__context__ = StoreUnusable("full", "make room")
    assert "s3://out/store" in what_to_look_at("load", PARAMS, theirs)


def test_the_log_says_which_shard_and_attempt(caplog: pytest.LogCaptureFixture) -> None:
    """One error in the log, with the task, the index of its shard and the attempt."""
    with caplog.at_level(logging.ERROR):
        log_failure("understand.match_articles", 3, 2, PARAMS, None)
    assert "understand.match_articles [3] failed at attempt 2.\nWhat to look at: the worker" in caplog.text


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return make_job(str(tmp_path / "bundle"), tmp_path / "store", "2024-06-03", "2024-06-30")


def test_approval_shows_the_first_gaps(job: Job) -> None:
    """The window, how many gaps there are and the first ten of them, with customers' words escaped."""
    titles = ["<b>Refund</b>", *(f"Gap {n}" for n in range(2, 13))]
    backlog = pd.DataFrame({"rank": range(1, 13), "title": titles, "kind": "missing"})
    job.path("rank").mkdir(parents=True)
    backlog.sample(frac=1, random_state=1).to_parquet(job.path("rank/backlog.parquet"))
    text = approval_text(job.as_json())
    assert "2024-06-03 to 2024-06-30" in text
    assert "12 gaps" in text
    assert "1. &lt;b>Refund&lt;/b> (missing)\n2. Gap 2" in text
    assert "10. Gap 10" in text
    assert "Gap 11" not in text
    assert "and 2 more" in text


def test_the_event_of_a_run_says_where_it_is(job: Job) -> None:
    """The run's id, its store, and the address of its files."""
    store = str(job.store)
    assert published_run(job.as_json()) == {"run_id": "2024-06-30", "store": store, "run": f"{store}/runs/2024-06-30"}
