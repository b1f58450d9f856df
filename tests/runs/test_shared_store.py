"""Runs on a store that several machines share: the same bytes, one worker at a time, nothing half, equal versions."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from lacuna.data_contracts.errors import StoreUnusable, WorkerUnfit
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.run_folders import published_runs, run_folder
from lacuna.pipelines.run import make_job, plan_scheduled, run, run_step
from lacuna.pipelines.runtime import runner
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.runtime.scheduled import retry_mends
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state import leases, schema
from lacuna.pipelines.state.repository import open_state
from lacuna.pipelines.steps import STEPS
from tests.support.paths import REPO
from tests.support.standins import make_bundle

Steps = list[Callable[[Job], None]]
RUN = "2024-06-30"


@pytest.fixture(params=["sqlite", "postgres"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A settings file that names an empty database."""
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres")
        engine = sa.create_engine(url)
        schema.metadata.drop_all(engine)
        engine.dispose()
    file = tmp_path / "ours.toml"
    file.write_text(f"[state]\nurl = '{url}'\n")
    return str(file)


def files_of(folder: Path | None) -> dict[str, bytes]:
    """The files of a run by name, save those that say when and how long it ran."""
    assert folder is not None
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: content for name, content in files.items() if name not in ("report.html", "run.json")}


@pytest.mark.slow
@pytest.mark.parametrize(("config", "remote"), [("postgres", "s3")], indirect=True)
def test_a_store_on_s3_gives_the_bytes_of_a_local_one(config: str, remote: StorePath, tmp_path: Path) -> None:
    """The example bundle, run whole here, and on S3 a task at a time by a worker of its own each."""
    bundle = str(REPO / "docs/example-bundle")
    here = run(bundle, tmp_path / "store")
    planned = plan_scheduled({"bundle": bundle, "store": str(remote), "config": config})
    assert planned is not None
    script = "import json, sys, lacuna.pipelines.run as r; r.run_step(sys.argv[1], json.loads(sys.argv[2]))"
    for step in STEPS:
        subprocess.run([sys.executable, "-c", script, step, json.dumps(planned)], check=True, timeout=300)
    assert files_of(run_folder(remote, here.run_id)) == files_of(here.folder)
    assert len(files_of(here.folder)) > 20
    assert plan_scheduled({"bundle": bundle, "store": str(remote), "config": config}) is None
    assert [path.name for path in remote.iterdir() if path.name.startswith(".")] in ([], [".work"])
    assert not (remote / ".work" / here.run_id).exists()


def test_a_run_on_an_object_store_behaves_like_any_other(
    remote: StorePath, config: str, bundle: Path, steps: Steps, steps_run: list[str]
) -> None:
    """It is published, left alone where nothing changed, goes on where it stopped, and is replaced."""

    def crash(job: Job) -> None:
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        run(str(bundle), remote, config=config, steps=[steps[0], crash, steps[2]])
    assert published_runs(remote) == []
    result = run(str(bundle), remote, config=config, steps=steps)
    assert (result.state, steps_run) == ("published", ["first", "second", "publish"])
    assert result.backlog["gap_id"].tolist() == ["g-1a2b3c"]
    assert str(result.address).startswith(f"{remote}/runs/{RUN}/")
    assert run(str(bundle), str(remote), config=config, steps=steps).state == "unchanged"
    assert run(str(bundle), remote, config=config, steps=steps, force=True).state == "replaced"
    assert published_runs(remote) == [RUN]
    assert not (remote / ".work" / RUN).exists()


def test_of_two_runs_of_one_window_one_is_told(
    remote: StorePath, config: str, bundle: Path, steps: Steps, steps_run: list[str]
) -> None:
    """The second of two does nothing and says who holds the window since when; another window is free."""
    settings = load_settings(config)
    with leases.lease(settings, remote, RUN):
        with pytest.raises(StoreUnusable, match=rf"another run holds '{RUN}' .*process \d+ on .* since 20") as caught:
            run(str(bundle), remote, config=config, steps=steps)
        assert retry_mends(caught.value)
        with pytest.raises(StoreUnusable, match=f"another run holds '{RUN}'"):
            plan_scheduled({"bundle": str(bundle), "store": str(remote), "config": config, "end": RUN})
        assert steps_run == []
        assert run(str(bundle), remote, end="2024-06-23", config=config, steps=steps).state == "published"
    assert run(str(bundle), remote, config=config, steps=steps).state == "published"


WORKER = """
    import os, signal, sys
    from tests.support.standins import small_publish
    from lacuna.pipelines.io import publishing, store
    from lacuna.pipelines.run import run
    bundle, place, config, how = sys.argv[1:]

    def first(job):
        if how == "stop":
            print("stopping", flush=True)
            os.kill(os.getpid(), signal.SIGSTOP)
        job.write_json("first/table", [1, 2])

    whole = publishing.write_bytes

    def write_bytes(path, content):
        if path.name == how:
            os.kill(os.getpid(), signal.SIGKILL)
        whole(path, content)

    publishing.write_bytes = write_bytes
    run(bundle, place, config=config, steps=[first, small_publish])
"""


@pytest.mark.parametrize("remote", ["s3"], indirect=True)
@pytest.mark.parametrize("where", ["report.html", "manifest.json"])
def test_a_worker_that_is_killed_while_it_publishes_leaves_nothing_half(
    remote: StorePath, config: str, bundle: Path, steps: Steps, where: str
) -> None:
    """After kill -9 in the middle of the upload there is no run; the next one takes over at once and is whole."""
    script = [sys.executable, "-c", textwrap.dedent(WORKER), str(bundle), str(remote), config, where]
    died = subprocess.run(script, check=False, timeout=120, cwd=REPO)
    assert died.returncode == -signal.SIGKILL
    assert published_runs(remote) == []
    assert (remote / "runs" / RUN).is_dir()  # of which nothing is a run
    result = run(str(bundle), remote, config=config, steps=steps)
    assert result.state == "published"
    assert {path.name for path in (remote / "runs" / RUN).iterdir()} == {"manifest.json", result.address.name}


@pytest.mark.parametrize("remote", ["s3"], indirect=True)
def test_a_worker_that_was_suspended_publishes_nothing_once_another_took_over(
    remote: StorePath, config: str, bundle: Path, steps: Steps
) -> None:
    """It wakes up, finds that its run is another's, and fails with a message; the other's run stays."""
    script = [sys.executable, "-c", textwrap.dedent(WORKER), str(bundle), str(remote), config, "stop"]
    worker = subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPO)
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "stopping\n"
        with open_state(load_settings(config), remote) as state:  # as if it were elsewhere, and long silent
            late = {"machine": "another", "expires_at": leases._Clock(-1)}
            state.write(lambda connection: connection.execute(sa.update(schema.leases).values(late)))
        ours = run(str(bundle), remote, config=config, steps=steps)
        worker.send_signal(signal.SIGCONT)
        _, said = worker.communicate(timeout=120)
    finally:
        worker.kill()
    assert worker.returncode == 1
    assert f"this process held '{RUN}' and was silent for too long" in said
    assert "nothing was published here" in said
    assert run(str(bundle), remote, config=config, steps=steps).address == ours.address


@pytest.mark.parametrize("what", ["Lacuna", "the embedder"])
def test_a_worker_of_another_version_is_refused(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task on a worker with another Lacuna, or another model, fails at once and names both versions."""
    bundle = make_bundle(tmp_path)
    planned = plan_scheduled({"bundle": str(bundle), "store": str(tmp_path / "store"), "end": RUN})
    assert planned is not None
    if what == "Lacuna":
        here, there = "9.9.9", runner.version()
        monkeypatch.setattr(runner, "version", lambda: here)
    else:
        both = runner.embedder("minilm+use")
        there = f"{both.name} {both.version}"
        monkeypatch.setattr(runner.embedder("minilm"), "version", "newer")
        here = f"{both.name} {both.version}"
    message = re.escape(f"planned with {what} {there}, and this worker has {here}")
    with pytest.raises(WorkerUnfit, match=message) as caught:
        run_step("load", planned)
    assert not retry_mends(caught.value)
    monkeypatch.undo()
    assert run_step("load", planned) == planned


def test_a_run_begun_with_another_model_starts_afresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: Steps, steps_run: list[str]
) -> None:
    """What one model left is not used with the next."""

    def second(job: Job) -> None:
        raise RuntimeError

    bundle = make_bundle(tmp_path)
    with pytest.raises(RuntimeError):
        run(str(bundle), tmp_path / "store", steps=[steps[0], second, steps[2]])
    monkeypatch.setattr(runner.embedder("minilm"), "version", "newer")
    run(str(bundle), tmp_path / "store", steps=steps)
    assert steps_run == ["first", "first", "second", "publish"]


def test_a_step_without_a_plan_is_refused(tmp_path: Path) -> None:
    """Where the work folder is gone, the message says what to do."""
    job = make_job(str(make_bundle(tmp_path)), tmp_path / "store", end=RUN)
    with pytest.raises(StoreUnusable, match=f"holds no plan of run {RUN}"):
        run_step("redact", job.as_json())
