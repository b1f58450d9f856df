"""What a run holds of texts as they came in: nothing once they are redacted, and nothing that others can read."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pandas as pd
import pytest

from lacuna.data_contracts.errors import StoreUnusable
from lacuna.pipelines.run import make_job, run_step
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.runtime.runner import begin, perform_alone
from lacuna.pipelines.steps import part_named
from tests.support.standins import make_bundle

CANARY = "quokka@example.org"


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A run whose texts and rejected rows hold an address."""
    bundle = make_bundle(tmp_path)
    file = bundle / "messages.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        row["text"] = f"{row['text']} write to {CANARY}"
    rows.append(rows[-1] | {"role": "nobody"})
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    made = make_job(str(bundle), tmp_path / "store", "2024-06-03", "2024-06-30")
    assert begin(made)
    run_step("load", made.as_json())
    return made


def with_canary(job: Job) -> list[str]:
    """The files of the store that hold the address, compressed ones read."""
    import pyarrow.parquet as pq

    found = []
    for path in sorted(Path(str(job.store)).rglob("*")):
        if path.is_file() and path.stat().st_size:
            told = (
                str(pq.read_table(path).to_pydict())
                if path.suffix == ".parquet"
                else path.read_text("utf-8", "replace")
            )
            found += [str(path.relative_to(str(job.work)))] if CANARY in told else []
    return found


def test_texts_are_removed_once_redacted(job: Job) -> None:
    """Before, they lie in the work folder, which nobody else can look into; after, nowhere."""
    assert {name.split("/")[1] for name in with_canary(job)} == {"messages", "quarantine"}
    assert stat.S_IMODE(Path(str(job.work)).stat().st_mode) == 0o700
    run_step("redact", job.as_json())
    assert with_canary(job) == []
    assert len(job.read("redact/messages")) == len(job.read("redact/messages")["text"].dropna())
    assert job.read("redact/quarantine/messages")["record"].str.contains("<EMAIL>").all()


def test_a_step_that_is_wanted_again_loads_them_again(job: Job) -> None:
    """Redacting twice gives the same, and a single part says what it needs."""
    run_step("redact", job.as_json())
    before = job.read("redact/messages")
    run_step("redact", job.as_json())
    pd.testing.assert_frame_equal(job.read("redact/messages"), before)
    assert with_canary(job) == []
    with pytest.raises(StoreUnusable, match="perform its step load first"):
        perform_alone(job, part_named("redact", "hash_texts"), job.shards_of("load/messages")[0])
    perform_alone(job, part_named("load", "load"), None)
    perform_alone(job, part_named("redact", "hash_texts"), job.shards_of("load/messages")[0])
