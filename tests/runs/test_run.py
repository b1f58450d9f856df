"""What stands around the seven steps: once for the same input, on from a crash, one at a time, replaced whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from lacuna.data_contracts.errors import BundleUnreadable, SettingsInvalid, StoreUnusable
from lacuna.pipelines.gaps.decisions import decide
from lacuna.pipelines.run import make_job, plan_scheduled, run, run_step
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.runtime.runner import begin, file_hashes, perform
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.leases import lease
from lacuna.pipelines.state.repository import open_state
from lacuna.pipelines.steps import STEPS, step_named
from tests.support.lease_holder import lease_holder
from tests.support.standins import small_publish, without_rights, write_table

Steps = list[Callable[[Job], None]]
ALL = ["first", "second", "publish"]
QUESTIONS = pd.DataFrame({"conversation_id": ["c"], "question": ["Where is it?"], "language": ["en"], "key": ["k"]})
JUNE = {"start": "2024-06-03", "end": "2024-06-30"}


def test_every_step_is_found_by_its_name() -> None:
    """The names are in the order of a run, and each has its function in the folder of that name."""
    assert STEPS == ("load", "redact", "understand", "measure", "diagnose", "rank", "publish")
    assert tuple(step_named(name).__name__ for name in STEPS) == STEPS


def test_a_run_is_named_after_its_last_day(bundle: Path, tmp_path: Path, steps: Steps, steps_run: list[str]) -> None:
    """The run is published whole under its window's last day, and the work folder is gone."""
    result = run(str(bundle), tmp_path / "store", steps=steps)
    assert (result.run_id, result.state) == ("2024-06-30", "published")
    assert result.folder == tmp_path / "store/runs/2024-06-30"
    assert result.backlog["gap_id"].tolist() == ["g-1a2b3c"]
    assert steps_run == ALL
    assert not (tmp_path / "store/.work/2024-06-30").exists()


def test_the_same_input_again_is_nothing_to_do(
    bundle: Path, tmp_path: Path, steps: Steps, steps_run: list[str]
) -> None:
    """A second run of the same input does no step and leaves every byte; ``force`` does all of it again."""
    run(str(bundle), tmp_path / "store", steps=steps)
    before = (tmp_path / "store/runs/2024-06-30/run.json").stat().st_mtime_ns
    assert run(str(bundle), tmp_path / "store", steps=steps).state == "unchanged"
    assert steps_run == ALL
    assert (tmp_path / "store/runs/2024-06-30/run.json").stat().st_mtime_ns == before
    assert run(str(bundle), tmp_path / "store", steps=steps, force=True).state == "replaced"
    assert steps_run == ALL * 2


def change_a_file(bundle: Path, store: Path) -> dict[str, str]:
    with (bundle / "articles.jsonl").open("a") as file:
        file.write('{"article_id": "a3", "title": "New", "body": "New"}\n')
    return {}


def add_a_table(bundle: Path, store: Path) -> dict[str, str]:
    write_table(bundle, "outcomes", [{"conversation_id": "c00", "outcome": "wrong"}])
    return {}


def change_a_setting(bundle: Path, store: Path) -> dict[str, str]:
    (bundle.parent / "ours.toml").write_text("[cost]\nagent_hour = 45\n")
    return {"config": str(bundle.parent / "ours.toml")}


def start_earlier(bundle: Path, store: Path) -> dict[str, str]:
    return {"start": "2024-06-01"}


def accept_a_gap(bundle: Path, store: Path) -> dict[str, str]:
    state = open_state(load_settings(), store)
    decide(state, "g-1a2b3c", "accept", "ada", why="ours")
    state.close()
    return {}


def run_the_week_before(bundle: Path, store: Path) -> dict[str, str]:
    run(str(bundle), store, end="2024-06-23", steps=[small_publish])
    return {}


@pytest.mark.parametrize(
    "change", [change_a_file, add_a_table, change_a_setting, start_earlier, accept_a_gap, run_the_week_before]
)
def test_changed_input_replaces_the_run(
    bundle: Path, tmp_path: Path, steps: Steps, steps_run: list[str], change: Callable[[Path, Path], dict[str, str]]
) -> None:
    """Another byte of a table, setting, window, decision or earlier run: the run is made again and replaced."""
    store = tmp_path / "store"
    run(str(bundle), store, **JUNE, steps=steps)
    changed = change(bundle, store)
    assert run(str(bundle), store, **{**JUNE, **changed}, steps=steps).state == "replaced"
    assert steps_run == ALL * 2


def a_later_run(bundle: Path, store: Path) -> None:
    run(str(bundle), store, end="2024-06-30", steps=[small_publish])


def a_later_decision(bundle: Path, store: Path) -> None:
    a_later_run(bundle, store)
    accept_a_gap(bundle, store)


def a_stray_file(bundle: Path, store: Path) -> None:
    (bundle / "README.txt").write_text("not a table")


@pytest.mark.parametrize("change", [a_later_run, a_later_decision, a_stray_file])
def test_what_a_run_does_not_read_does_not_change_it(
    bundle: Path, tmp_path: Path, steps: Steps, change: Callable[[Path, Path], None]
) -> None:
    """A later week, what is decided on its gaps, or a file that is no table, is no reason to make a run again."""
    run(str(bundle), tmp_path / "store", end="2024-06-23", steps=steps)
    change(bundle, tmp_path / "store")
    assert run(str(bundle), tmp_path / "store", end="2024-06-23", steps=steps).state == "unchanged"


def test_an_interrupted_run_goes_on_from_the_first_step_not_done(
    bundle: Path, tmp_path: Path, steps: Steps, steps_run: list[str]
) -> None:
    """After a crash in the second step, the first is kept; nothing was published meanwhile."""

    def second(job: Job) -> None:
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        run(str(bundle), tmp_path / "store", steps=[steps[0], second, steps[2]])
    assert not (tmp_path / "store/runs/2024-06-30").exists()
    assert run(str(bundle), tmp_path / "store", steps=steps).state == "published"
    assert steps_run == ALL


def test_an_interrupted_run_of_other_input_starts_afresh(
    bundle: Path, tmp_path: Path, steps: Steps, steps_run: list[str]
) -> None:
    """What a crash left is not used once the input has changed."""

    def second(job: Job) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        run(str(bundle), tmp_path / "store", steps=[steps[0], second, steps[2]])
    change_a_file(bundle, tmp_path)
    run(str(bundle), tmp_path / "store", steps=steps)
    assert steps_run == ["first", *ALL]


def test_a_crash_between_publishing_and_recording_is_caught_up(
    bundle: Path, tmp_path: Path, steps: Steps, steps_run: list[str]
) -> None:
    """A folder that the database has not heard of is not taken for done: publishing is done again, the rest is kept."""

    def publish(job: Job) -> None:
        small_publish(job)
        state = open_state(job.settings, job.store)
        with state._engine.connect().execution_options(lacuna_writes=True) as connection, connection.begin():
            connection.exec_driver_sql("DELETE FROM runs")
        state.close()
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        run(str(bundle), tmp_path / "store", steps=[*steps[:2], publish])
    run(str(bundle), tmp_path / "store", steps=steps)
    assert steps_run == ALL
    assert run(str(bundle), tmp_path / "store", steps=steps).state == "unchanged"


def test_a_step_done_again_undoes_what_stands_on_it(bundle: Path, tmp_path: Path, steps: Steps) -> None:
    """A scheduler that repeats a step makes the steps after it due again."""
    job = make_job(str(bundle), tmp_path / "store")
    assert begin(job)
    names = [step.__name__ for step in steps]
    for step in (*steps[:2], steps[0]):
        perform(job, step, names)
    assert [path.stem for path in job.path("steps").iterdir()] == ["first"]


def test_every_step_s_cost_is_recorded(bundle: Path, tmp_path: Path, steps: Steps) -> None:
    """Seconds and peak memory of each finished step lie in the work folder, where publish finds them."""
    job = make_job(str(bundle), tmp_path / "store")
    begin(job)
    perform(job, steps[0], [step.__name__ for step in steps])
    cost = job.read_json("steps/first")
    assert cost["name"] == "first"
    assert cost["seconds"] >= 0
    assert cost["peak_mb"] > 10


def test_two_runs_of_one_window_at_once(bundle: Path, tmp_path: Path, steps: Steps, steps_run: list[str]) -> None:
    """The second of two runs of a window is told so, and does nothing; another window is free."""
    store = tmp_path / "store"
    with lease_holder(store, "2024-06-30"):
        with pytest.raises(StoreUnusable, match="another run holds '2024-06-30'") as caught:
            run(str(bundle), store, steps=steps)
        assert "wait" in caught.value.remedy
        assert steps_run == []
        assert run(str(bundle), store, end="2024-06-23", steps=steps).state == "published"
    assert run(str(bundle), store, steps=steps).state == "published"


def test_rows_that_are_lost_stop_the_run(bundle: Path, tmp_path: Path) -> None:
    """Where rows in are not rows kept, quarantined, superseded or later, the run fails instead of publishing less."""

    def load(job: Job) -> None:
        counts = {"rows_in": 10, "rows_kept": 6, "rows_quarantined": 1, "rows_superseded": 1, "rows_later": 1}
        job.write_json("load/load", {"tables": {"messages": counts}, "inputs": []})

    with pytest.raises(AssertionError, match="rows of messages were lost"):
        run(str(bundle), tmp_path / "store", steps=[load, small_publish])


def test_a_bundle_that_changes_while_it_is_read_is_refused(bundle: Path, tmp_path: Path) -> None:
    """A run never claims the hash of one input for the rows of another."""

    def load(job: Job) -> None:
        change_a_file(bundle, tmp_path)
        inputs = [{"file": name, "sha256": digest} for name, digest in file_hashes(job.bundle).items()]
        job.write_json("load/load", {"tables": {}, "inputs": inputs})

    with pytest.raises(BundleUnreadable, match="changed while"):
        run(str(bundle), tmp_path / "store", steps=[load, small_publish])


def test_a_store_without_rights_is_found_before_any_work(
    bundle: Path, tmp_path: Path, steps: Steps, steps_run: list[str]
) -> None:
    """A store that can't be written stops the run before its first step."""
    (tmp_path / "store").mkdir(mode=0o555)
    with without_rights(), pytest.raises(StoreUnusable):
        run(str(bundle), tmp_path / "store", end="2024-06-30", steps=steps)
    assert steps_run == []


def test_a_store_on_an_object_store_needs_a_database(bundle: Path) -> None:
    """SQLite lies in a file system: without one, the state's address has to be set."""
    with pytest.raises(SettingsInvalid, match=r"'state.url' names no database") as caught:
        make_job(str(bundle), "s3://bucket/store")
    assert "postgresql" in caught.value.remedy


def test_a_job_travels_as_paths_and_dates(bundle: Path, tmp_path: Path) -> None:
    """What tasks hand each other is small, plain JSON, and gives the same job again."""
    job = make_job(str(bundle), tmp_path / "store", "2024-06-03", "2024-06-30")
    text = json.dumps(job.as_json())
    assert Job.from_json(json.loads(text)) == job
    assert len(text) < 500
    assert (job.days, job.start_ts.isoformat(), job.end_ts.isoformat()) == (
        28,
        "2024-06-03T00:00:00+00:00",
        "2024-07-01T00:00:00+00:00",
    )


def test_a_scheduled_run_is_skipped_where_nothing_changed(bundle: Path, tmp_path: Path, steps: Steps) -> None:
    """The scheduler gets a job for new input, and nothing for input that was published."""
    params = {"bundle": str(bundle), "store": str(tmp_path / "store"), "end": "2024-06-30"}
    planned = plan_scheduled(params)
    assert planned is not None
    assert planned["start"] == date(2024, 6, 3).isoformat()
    run(str(bundle), tmp_path / "store", steps=steps)
    assert plan_scheduled(params) is None


def test_settings_that_change_half_way_change_the_next_run(bundle: Path, tmp_path: Path) -> None:
    """A scheduled run keeps the settings that it was planned with; where the state is kept is read anew."""
    config = tmp_path / "ours.toml"
    config.write_text("[report]\ntitle = 'Planned'\n")
    params = {"bundle": str(bundle), "store": str(tmp_path / "store"), "end": "2024-06-30", "config": str(config)}
    planned = plan_scheduled(params)
    assert planned is not None
    config.write_text(f"[report]\ntitle = 'Changed'\n[state]\nurl = 'sqlite:///{tmp_path / 'elsewhere.db'}'\n")
    assert run_step("load", planned) == planned
    job = Job.from_json(planned)
    assert job.settings.report.title == "Planned"
    assert job.settings.state.url.endswith("elsewhere.db")
    again = plan_scheduled(params)
    assert again is not None
    assert Job.from_json(again).settings.report.title == "Changed"


def test_no_password_is_frozen_with_the_settings(bundle: Path, tmp_path: Path) -> None:
    """The work folder holds no address that could hold one."""
    config = tmp_path / "ours.toml"
    config.write_text("[delivery]\nchat = ['ana slack://secret-a/secret-b/secret-c']\n")
    plan_scheduled(
        {"bundle": str(bundle), "store": str(tmp_path / "store"), "end": "2024-06-30", "config": str(config)}
    )
    written = [path.read_text() for path in (tmp_path / "store").rglob("*.json")]
    assert written
    assert not any("secret" in text for text in written)


def test_a_lock_on_the_store_does_not_outlive_the_run(bundle: Path, tmp_path: Path, steps: Steps) -> None:
    """A run that fails lets go of its window."""

    def first(job: Job) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        run(str(bundle), tmp_path / "store", steps=[first])
    with lease(load_settings(), tmp_path / "store", "2024-06-30"):
        pass


def test_settings_are_checked_before_anything_is_written(bundle: Path, tmp_path: Path, steps: Steps) -> None:
    """A wrong settings file leaves no store behind."""
    (tmp_path / "ours.toml").write_text("[window]\ndays = -1\n")
    with pytest.raises(SettingsInvalid):
        run(str(bundle), tmp_path / "store", config=str(tmp_path / "ours.toml"), steps=steps)
    assert not (tmp_path / "store").exists()


def test_what_a_step_writes_is_read_by_the_next(bundle: Path, tmp_path: Path) -> None:
    """Steps hand each other tables by name."""
    got: list[pd.DataFrame] = []

    def load(job: Job) -> None:
        job.write("understand/questions", QUESTIONS)

    def publish(job: Job) -> None:
        got.append(job.read("understand/questions"))
        small_publish(job)

    run(str(bundle), tmp_path / "store", steps=[load, publish])
    assert got[0]["question"].tolist() == ["Where is it?"]
