"""The schedule: it imports, it says what to do when it fails, and it runs to success."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

DAGS = Path(__file__).parents[1] / "dags"

LOOK = """
import json
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(dag_folder={dags!r})
dag = bag.dags["lacuna_weekly"]
print("found " + json.dumps({{
    "errors": bag.import_errors,
    "tasks": [task.task_id for task in dag.topological_sort()],
    "chain": {{task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks}},
    "doc": dag.doc_md,
    "tags": sorted(dag.tags),
    "owners": sorted({{task.owner for task in dag.tasks}}),
    "retries": sorted({{task.retries for task in dag.tasks}}),
    "delays": sorted({{task.retry_delay.total_seconds() for task in dag.tasks}}),
    "catchup": dag.catchup,
    "active": dag.max_active_runs,
    "params": sorted(dag.params),
    "digest": dag.params.get_param("digest").schema["enum"] + [dag.params["digest"]],
    "timetable": type(dag.timetable).__name__,
}}))
"""

TEST = """
from airflow.dag_processing.dagbag import DagBag
dag = DagBag(dag_folder={dags!r}).dags["lacuna_weekly"]
for one in dag.tasks:
    one.retries = 0
run = dag.test(run_conf={conf!r}, mark_success_pattern={done!r})
print("state " + str(run.state))
print("tasks " + " ".join(sorted(f"{{ti.task_id}}={{ti.state}}" for ti in run.get_task_instances())))
"""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a fresh Airflow with its database."""
    home = tmp_path_factory.mktemp("airflow")
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    command(["-m", "airflow", "db", "migrate"], environment)
    return environment


def command(arguments: list[str], environment: dict[str, str]) -> str:
    """Run Python with these arguments and return all that it printed."""
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-8000:]
    return done.stdout + done.stderr


def test_the_dag_is_a_weekly_timetable_of_the_seven_verbs(airflow: dict[str, str]) -> None:
    """The DAG imports, a task a verb in the order of a run and the digest, with retries and triage notes."""
    from lacuna.pipelines.run import STEPS

    printed = command(["-c", LOOK.format(dags=str(DAGS))], airflow)
    found = json.loads(next(line for line in printed.splitlines() if line.startswith("found "))[6:])
    verbs = [verb.__name__ for verb in STEPS]
    assert found["errors"] == {}
    tasks = ["plan", *verbs, "digest"]
    assert found["tasks"] == tasks
    assert found["chain"] == {a: [b] for a, b in pairwise(tasks)} | {"digest": []}
    assert found["digest"] == ["off", "dry run", "send", "dry run"]
    assert found["timetable"] == "CronDataIntervalTimetable"
    assert (found["catchup"], found["active"], found["owners"], found["retries"]) == (False, 1, ["knowledge"], [2])
    assert min(found["delays"]) >= 60
    assert found["params"] == ["bundle", "config", "digest", "end", "start", "store"]
    assert "lacuna" in found["tags"]
    assert "## Triage" in found["doc"]


def dag_test(airflow: dict[str, str], conf: dict[str, str], done: str | None) -> tuple[str, dict[str, str], str]:
    """``dag.test()`` with these parameters: the state of the run and of each task, and all that was printed."""
    printed = command(["-c", TEST.format(dags=str(DAGS), conf=conf, done=done)], airflow)
    said = dict(line.split(" ", 1) for line in printed.splitlines() if line.startswith(("state ", "tasks ")))
    return said["state"], dict(one.split("=") for one in said["tasks"].split()), printed


@pytest.mark.slow
def test_dag_test_publishes_a_run(airflow: dict[str, str], bundle: Path, tmp_path: Path) -> None:
    """``dag.test()`` publishes the window given; a digest that fails does so alone; the same again does nothing."""
    store, config = tmp_path / "store", tmp_path / "ours.toml"
    config.write_text('[delivery]\nsmtp_host = "127.0.0.1"\n', encoding="utf-8")
    conf = {"bundle": str(bundle), "store": str(store), "start": "2024-06-03", "end": "2024-06-30"}
    conf |= {"config": str(config), "digest": "send"}
    state, tasks, printed = dag_test(airflow, conf, None)
    assert (state, tasks.pop("digest"), set(tasks.values())) == ("success", "failed", {"success"})
    assert "'delivery.sender' is no e-mail address" in printed
    assert json.loads((store / "runs/2024-06-30/run.json").read_text())["run_id"] == "2024-06-30"
    assert not (store / ".work/2024-06-30").exists()
    state, tasks, _ = dag_test(airflow, conf, None)
    assert (state, tasks.pop("plan"), set(tasks.values())) == ("success", "success", {"skipped"})


@pytest.mark.slow
def test_a_run_that_is_not_published_tells_nobody(airflow: dict[str, str], tmp_path: Path) -> None:
    """The digest is skipped where it is off, and does not come up where a verb before it failed."""
    verbs = "load|redact|understand|measure|diagnose|rank"
    conf = {"bundle": str(tmp_path), "store": str(tmp_path), "digest": "off"}
    state, tasks, _ = dag_test(airflow, conf, f"^(plan|{verbs}|publish)$")
    assert (state, tasks["digest"]) == ("success", "skipped")
    state, tasks, _ = dag_test(airflow, conf | {"digest": "send"}, f"^(plan|{verbs})$")
    assert (state, tasks["publish"], tasks["digest"]) == ("failed", "failed", "upstream_failed")


@pytest.mark.slow
def test_airflow_dags_test_takes_the_week_from_the_interval(
    airflow: dict[str, str], bundle: Path, tmp_path: Path
) -> None:
    """``airflow dags test`` with a date, and no days given, publishes the week that ends on the interval's Sunday."""
    store = tmp_path / "store"
    environment = {**airflow, "LACUNA_BUNDLE": str(bundle), "LACUNA_STORE": str(store)}
    told = command(["-m", "airflow", "dags", "test", "lacuna_weekly", "2024-06-24T05:00:00+00:00"], environment)
    published = sorted(path.name for path in (store / "runs").iterdir())
    assert len(published) == 1
    assert date.fromisoformat(published[0]).weekday() == 6
    assert f"the week of {published[0]}, no gap was found" in told
    assert "Nothing was sent: it was a dry run." in told
