"""What a run holds of texts as they came in: nothing once they are redacted, and nothing that others can read."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pytest

from lacuna.data_contracts.errors import StoreUnusable
from lacuna.pipelines.io.processes import own_mark, temporary_folder
from lacuna.pipelines.io.raw_texts import holds_raw_texts, remove_raw_texts
from lacuna.pipelines.run import make_job, plan_scheduled, run_part, run_step, shards_for
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.runtime.runner import begin, perform_alone, resume
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.dead_runs import open_store
from lacuna.pipelines.steps import STEPS, part_named, parts_of, step_named
from tests.support.lease_holder import lease_holder
from tests.support.standins import make_bundle

CANARY = "quokka@example.org"
NAME = "Ottilie Quokkason"
DAY_AND_A_BIT = 25 * 3600


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A run whose texts and rejected rows hold an address."""
    bundle = make_bundle(tmp_path)
    file = bundle / "messages.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        row["text"] = f"{row['text']} write to {CANARY}. My name is {NAME}."
    rows.append(rows[-1] | {"role": "nobody"})
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    made = make_job(str(bundle), tmp_path / "store", "2024-06-03", "2024-06-30")
    assert begin(made)
    run_step("load", made.as_json())
    return made


def with_canary(job: Job) -> list[str]:
    """The files of the store that hold the address or a part of the name, compressed ones read."""
    import pyarrow.parquet as pq

    found = []
    for path in sorted(Path(str(job.store)).rglob("*")):
        if path.is_file() and path.stat().st_size:
            told = (
                str(pq.read_table(path).to_pydict())
                if path.suffix == ".parquet"
                else path.read_text("utf-8", "replace")
            )
            is_told = any(word.lower() in told.lower() for word in (CANARY, *NAME.split()))
            found += [os.path.relpath(path, str(job.work))] if is_told else []
    return found


def the_dead(job: Job) -> None:
    """What a process leaves that is killed while it writes: scratch files, half a file."""
    for name in (".scratch-load/messages/0.parquet", f"load/.tmp-{_mark_of_dead()}-messages.parquet"):
        path = Path(str(job.path(name)))
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame({"text": [CANARY]}).to_parquet(path)


def _mark_of_dead() -> str:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    machine, _, random = own_mark().rstrip("-").split("-")
    return f"{machine}-{ended.pid}-{random}"


def test_texts_are_removed_once_redacted(job: Job) -> None:
    """Before, they lie in the work folder, which nobody else can look into; after, nowhere."""
    assert {name.split("/")[1] for name in with_canary(job)} == {"messages", "quarantine"}
    assert stat.S_IMODE(Path(str(job.work)).stat().st_mode) == 0o700
    run_step("redact", job.as_json())
    assert with_canary(job) == []
    assert len(job.read("redact/messages")) == len(job.read("redact/messages")["text"].dropna())
    assert job.read("redact/quarantine/messages")["record"].str.contains("<EMAIL>").all()


def test_nothing_that_was_learnt_of_names_stays(job: Job) -> None:
    """Neither in the work folder nor among the results that are kept for later runs."""
    run_step("redact", job.as_json())
    assert not list(Path(str(job.store)).rglob("*names_elsewhere*"))
    assert (job.store / "cache" / "parts").exists()
    assert with_canary(job) == []


def test_a_step_that_is_wanted_again_loads_them_again(job: Job) -> None:
    """Redacting twice gives the same; a single part is kept as it is, unless the texts are loaded again."""
    run_step("redact", job.as_json())
    before = job.read("redact/messages")
    run_step("redact", job.as_json())
    pd.testing.assert_frame_equal(job.read("redact/messages"), before)
    assert with_canary(job) == []
    (shard,) = job.shards_of("load/messages")
    hashed = job.read_bytes(f"redact/texts/{shard}.parquet")
    job.path(f"redact/texts/{shard}.parquet").unlink()
    perform_alone(job, part_named("redact", "hash_texts"), shard)
    assert not job.path(f"redact/texts/{shard}.parquet").exists()
    perform_alone(job, part_named("load", "load"), None)
    perform_alone(job, part_named("redact", "hash_texts"), shard)
    assert job.read_bytes(f"redact/texts/{shard}.parquet") == hashed


def test_a_run_that_was_killed_is_cleared_by_whatever_comes_next(job: Job) -> None:
    """A run of another day, or a command on the store, removes its texts and what was half written of them."""
    the_dead(job)
    assert len(with_canary(job)) == 4
    open_store(load_settings(), job.store).close()
    assert with_canary(job) == []
    run_step("load", job.as_json())
    the_dead(job)
    assert begin(make_job(job.bundle, job.store, end="2024-06-23"))
    assert with_canary(job) == []


def test_a_run_that_was_cleared_goes_on_where_it_was(job: Job) -> None:
    """It loads its texts again; what it had redacted before it was killed makes no difference."""
    for part in parts_of("redact")[:-1]:
        for shard in shards_for("redact", part.name, job.as_json()):
            run_part("redact", part.name, job.as_json(), shard)
    open_store(load_settings(), job.store).close()
    assert with_canary(job) == []
    resume(job, [step_named(name) for name in STEPS[:2]])
    assert with_canary(job) == []
    assert job.read("redact/messages")["text"].str.contains("<EMAIL>. My name is <NAME>.", regex=False).all()


def test_a_run_at_work_is_left_alone(job: Job) -> None:
    """Whoever holds it or a part of it, in whatever process."""
    before = with_canary(job)
    for held in (job.run_id, f"{job.run_id}/redact/hash_texts/0001"):
        with lease_holder(Path(str(job.store)), held):
            open_store(load_settings(), job.store).close()
            assert with_canary(job) == before


def test_a_scheduled_run_is_left_alone_between_its_tasks(job: Job) -> None:
    """For a day; a task that comes later still loads the texts again, and redacts them to the same bytes."""
    parameters = {"bundle": job.bundle, "store": str(job.store), "start": "2024-06-03", "end": "2024-06-30"}
    planned = plan_scheduled(parameters)
    assert planned is not None
    first, second, *rest = parts_of("redact")
    (shard,) = shards_for("redact", first.name, planned)
    run_part("redact", first.name, planned, shard)
    open_store(load_settings(), job.store).close()
    assert with_canary(job)
    for path in Path(str(job.work)).rglob("*.json"):
        told = path.stat()
        os.utime(path, (told.st_atime - DAY_AND_A_BIT, told.st_mtime - DAY_AND_A_BIT))
    open_store(load_settings(), job.store).close()
    assert with_canary(job) == []
    for part in (second, *rest):
        for shard in shards_for("redact", part.name, planned):
            run_part("redact", part.name, planned, shard)
    assert with_canary(job) == []
    late = job.read("redact/messages")
    run_step("load", planned)
    run_step("redact", planned)
    pd.testing.assert_frame_equal(late, job.read("redact/messages"))


def test_texts_that_were_redacted_go_although_the_process_was_killed_before(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step that comes next removes them."""
    with monkeypatch.context() as patched:
        patched.setattr("lacuna.pipelines.runtime.runner.remove_raw_texts", lambda _: None)
        run_step("redact", job.as_json())
    assert with_canary(job)
    resume(job, [step_named(name) for name in STEPS[:2]])
    assert with_canary(job) == []


def test_a_full_disk_does_not_keep_them(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has to be written to remove them."""

    def full(path: Path, _: bytes) -> None:
        raise StoreUnusable(f"{path} can't be written: no space left on device", "make room")

    monkeypatch.setattr("lacuna.pipelines.io.raw_texts.write_bytes", full)
    remove_raw_texts(job.work)
    assert with_canary(job) == []
    assert not holds_raw_texts(job.work)


def test_temporary_folders_of_killed_processes_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of processes that live, and of other programs, stay."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead = tmp_path / f"lacuna-{_mark_of_dead()}-pull"
    others = [tmp_path / "lacuna-notes", tmp_path / f"lacuna-{own_mark()}pull"]
    for folder in (dead, *others):
        folder.mkdir()
        (folder / "copy").write_text(CANARY)
    with temporary_folder("pull") as ours:
        assert stat.S_IMODE(ours.stat().st_mode) == 0o700
        assert not dead.exists()
    assert sorted(tmp_path.iterdir()) == sorted(others)
