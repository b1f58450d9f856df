"""The schedule: it imports, it says what to do when it fails, and it runs to success."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.leases import lease
from lacuna.pipelines.steps import PARTS, STEPS, Part, parts_of
from tests.support.paths import REPO
from tests.support.standins import make_bundle

pytestmark = pytest.mark.slow

# One process for all that is asked of Airflow: most of its time is Airflow's start, and then ours.
SCRIPT = """
import json
import time
from datetime import timedelta
from airflow.cli.cli_parser import get_parser
from airflow.dag_processing.dagbag import DagBag
from airflow.models.asset import AssetDagRunQueue, AssetEvent, AssetModel
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance
from airflow.models.trigger import handle_event_submit
from airflow.sdk import timezone
from airflow.triggers.base import TriggerEvent
from airflow.utils.session import create_session
from sqlalchemy import select, update

# dag.test() waits a second before each look at a run in which nothing is left to do, six times where `plan` failed; and
# where a person is asked, who here answers at once.
sleep = time.sleep
time.sleep = lambda seconds: approve() if seconds == 1 else sleep(seconds)

def approve():
    with create_session() as session:
        for detail in session.scalars(select(HITLDetail).where(HITLDetail.responded_at.is_(None))):
            ti = session.get(TaskInstance, detail.ti_id)
            others = ti.get_dagrun(session=session).get_task_instances(session=session)
            publish = [other.state for other in others if other.task_id == "publish"]
            print("asked", detail.subject, detail.options, detail.body, ti.state, "publish:", publish)
            detail.responded_at, detail.chosen_options = timezone.utcnow(), ["Approve"]
            handle_event_submit(TriggerEvent(detail.as_resume_event_payload()), task_instance=ti, session=session)

def command(*words):
    arguments = get_parser().parse_args(words)
    arguments.func(arguments)

def after():
    with create_session() as session:
        of_backlog = select(AssetModel.id).where(AssetModel.name == "lacuna_backlog")
        events = session.scalars(select(AssetEvent).where(AssetEvent.asset_id.in_(of_backlog)))
        queued = session.scalars(select(AssetDagRunQueue.target_dag_id))
        return {{"events": [event.extra for event in events], "queued": list(queued)}}

command("db", "migrate")
command("dags", "reserialize")
with create_session() as session:
    session.execute(update(DagModel).values(is_paused=False))
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
    "params": {{name: dag.params.get_param(name).description for name in dag.params}},
    "digest": dag.params.get_param("digest").schema["enum"] + [dag.params["digest"]],
    "approval": dag.params["approval"],
    "groups": sorted(dag.task_group.children),
    "mapped": sorted(task.task_id for task in dag.tasks if task.is_mapped),
    "assets": {{task.task_id: [asset.name for asset in task.inlets + task.outlets]
               for task in dag.tasks if task.inlets or task.outlets}},
    "pools": {{task.task_id: task.pool for task in dag.tasks}},
    "timetable": type(dag.timetable).__name__,
}}))
for one in dag.tasks:
    one.retry_delay, one.retry_exponential_backoff = timedelta(0), False
for case in {cases!r}:
    if "command" in case:
        command(*case["command"])
        with create_session() as session:
            run = session.scalars(select(DagRun).order_by(DagRun.id.desc())).first()
    else:
        for one in dag.tasks:
            one.retries = case.get("retries", 0)
        run = dag.test(run_conf=case["conf"], mark_success_pattern=case.get("done"))
    exec(case.get("then", ""))
    found = run.get_task_instances()
    print("ended " + json.dumps({{
        "state": run.state,
        "tasks": {{ti.task_id: ti.state for ti in found}},
        "tries": {{ti.task_id: ti.try_number for ti in found}},
        **after(),
    }}))
"""

# What the button "mark failed" does while `load` runs, and the scheduler's next look at the run.
MARK_FAILED = """
from airflow.api.common.mark_tasks import set_dag_run_state_to_failed
from airflow.models.serialized_dag import SerializedDagModel
with create_session() as session:
    run = session.scalars(select(DagRun).where(DagRun.run_id == run.run_id)).one()
    for ti in run.get_task_instances(session=session):
        ti.state = {"plan": "success", "load": "running"}.get(ti.task_id)
    run.state = "running"
    session.flush()
    stored = SerializedDagModel.get_dag("lacuna_weekly", session=session)
    set_dag_run_state_to_failed(dag=stored, run_id=run.run_id, commit=True, session=session)
    session.flush()
    session.expire_all()
    looks = 0
    while run.state == "running" and looks < 3:
        run.dag, looks = stored, looks + 1
        for ti in run.get_task_instances(session=session):
            ti.state = ti.state or "skipped"  # the teardown of a setup that was skipped
        run.update_state(session=session, execute_callbacks=False)
        session.flush()
"""


@dataclass(frozen=True)
class Ended:
    """What became of a run: its state, those of its tasks, how often each was tried, and what was printed.

    And what is so after it: the events of the backlog, and the DAGs that are to start because of one.
    """

    state: str
    tasks: dict[str, str | None]
    tries: dict[str, int]
    events: list[dict[str, str]]
    queued: list[str]
    printed: str


@dataclass(frozen=True)
class Airflow:
    """What a fresh Airflow said of the DAG, and how its runs ended, by case."""

    dag: dict[str, Any]
    ends: dict[str, Ended]
    folder: Path


def _task_of(part: Part) -> str:
    return f"{part.step}.{part.name}" if len(parts_of(part.step)) > 1 else part.name


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    """A fresh Airflow with its database, which has looked at the DAG and made a run of it in each case."""
    tmp = tmp_path_factory.mktemp("airflow")
    bundle, broken = make_bundle(tmp), make_bundle(tmp / "broken")
    (broken / "articles.jsonl").unlink()
    dags = tmp / "dags"
    dags.mkdir()
    for file in (REPO / "dags/lacuna_weekly.py", REPO / "deploy/after_lacuna.py"):
        shutil.copy(file, dags)
    (tmp / "ours.toml").write_text('[delivery]\nsmtp_host = "127.0.0.1"\n', encoding="utf-8")
    (tmp / "retained.toml").write_text("[retention]\nruns_days = 30\ncache_days = 30\n", encoding="utf-8")
    full_conf = {"bundle": str(bundle), "store": str(tmp / "store"), "start": "2024-06-03", "end": "2024-06-30"}
    full_conf |= {"config": str(tmp / "ours.toml"), "digest": "send"}
    conf = {"bundle": str(broken), "store": str(tmp / "none"), "end": "2024-06-30"}
    cases: dict[str, dict[str, Any]] = {
        "published": {"conf": full_conf, "retries": 2},  # the first of all: libraries that make noise are imported here
        "again": {"conf": full_conf},
        "broken": {"conf": conf, "retries": 2},
        "busy": {"conf": conf | {"store": str(tmp / "busy")}, "retries": 1},
        "empty": {"conf": conf | {"start": "2023-01-01", "end": "2023-01-31"}, "retries": 2},
        "elsewhere": {"conf": conf | {"store": "s3://bucket/store"}, "retries": 2},
        "nobody told": {
            "conf": full_conf | {"store": str(tmp / "nobody"), "digest": "off", "config": str(tmp / "retained.toml")}
        },
        "asked": {"conf": full_conf | {"store": str(tmp / "asked"), "digest": "off", "approval": True}},
        "marked failed": {"conf": conf | {"digest": "off"}, "done": "^.*$", "then": MARK_FAILED},
        "by date": {"command": ["dags", "test", "lacuna_weekly", "2024-06-24T05:00:00+00:00"]},
    }
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp / "home"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp / 'airflow.db'}",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "LACUNA_POOL": "lacuna",
        "LACUNA_BUNDLE": str(bundle),
        "LACUNA_STORE": str(tmp / "by date"),
    }
    script = SCRIPT.format(dags=str(dags), cases=list(cases.values()))
    with lease(load_settings(), tmp / "busy", "2024-06-30"):
        process = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=900, check=False
        )
    printed = process.stdout + process.stderr
    assert process.returncode == 0, printed[-8000:]
    dag = json.loads(next(line for line in printed.splitlines() if line.startswith("found "))[6:])
    *parts, _ = re.split(r"^ended (.*)\n", printed, flags=re.MULTILINE)
    runs = [Ended(**json.loads(ended), printed=text) for text, ended in zip(parts[::2], parts[1::2], strict=True)]
    return Airflow(dag, dict(zip(cases, runs, strict=True)), tmp)


def test_the_dag_is_a_weekly_timetable_of_the_seven_steps(airflow: Airflow) -> None:
    """The DAG imports: a task a part of a step, in seven boxes, with retries and triage notes."""
    dag = airflow.dag
    assert dag["errors"] == {}
    parts = [_task_of(part) for part in PARTS]
    tasks = ["plan", *parts[:-1], "approve", "publish", "digest", "retention"]
    assert dag["tasks"] == tasks
    assert all(later in dag["chain"][task] for task, later in pairwise(tasks))
    assert dag["groups"] == sorted(["plan", *STEPS, "approve", "digest", "retention"])
    assert dag["digest"] == ["off", "dry run", "send", "dry run"]
    assert dag["approval"] is False
    assert dag["timetable"] == "CronDataIntervalTimetable"
    assert (dag["catchup"], dag["active"], dag["owners"], dag["retries"]) == (False, 1, ["knowledge"], [0, 2])
    assert min(dag["delays"]) >= 60
    assert sorted(dag["params"]) == ["approval", "bundle", "config", "digest", "end", "start", "store"]
    assert all(len(description or "") > 20 for description in dag["params"].values()), dag["params"]
    assert "lacuna" in dag["tags"]
    assert "## Triage" in dag["doc"]


def test_parts_by_shards_are_mapped(airflow: Airflow) -> None:
    """They, and no others, are expanded over the shards, whose names the task before them returns; all in one pool."""
    assert airflow.dag["mapped"] == sorted(_task_of(part) for part in PARTS if part.by_shards_of)
    assert airflow.dag["mapped"]
    assert not any(before.by_shards_of and after.by_shards_of for before, after in pairwise(PARTS))
    assert {airflow.dag["pools"][_task_of(part)] for part in PARTS} == {"lacuna"}
    assert {airflow.dag["pools"][task] for task in ("plan", "approve", "digest", "retention")} == {"default_pool"}


def test_another_dag_may_be_scheduled_on_the_backlog(airflow: Airflow) -> None:
    """The bundle goes in and the backlog comes out; the event of a run says where its files are."""
    assert airflow.dag["assets"] == {"plan": ["lacuna_bundle"], "publish": ["lacuna_backlog"]}
    store = str(airflow.folder / "store")
    event = {"run_id": "2024-06-30", "store": store, "run": f"{store}/runs/2024-06-30"}
    published = airflow.ends["published"]
    assert published.events == [event]
    assert published.queued == ["after_lacuna"]
    assert airflow.ends["again"].events == [event], "nothing was published anew"


def test_dag_test_publishes_a_run(airflow: Airflow) -> None:
    """``dag.test()`` publishes the window given, whoever can't be told of it; the same again does nothing."""
    first, again = airflow.ends["published"], airflow.ends["again"]
    tasks = dict(first.tasks)
    assert tasks.pop("retention") == "upstream_failed"
    assert (first.state, tasks.pop("digest"), set(tasks.values())) == ("failed", "failed", {"success"})
    assert "'delivery.sender' is no e-mail address" in first.printed
    assert first.tries["digest"] == 1, "wrong settings stay wrong"
    assert "great_expectations" not in first.printed, "its noise drowns what load says"
    store = airflow.folder / "store"
    assert json.loads((store / "runs/2024-06-30/run.json").read_text())["run_id"] == "2024-06-30"
    assert not (store / ".work/2024-06-30").exists()
    tasks = dict(again.tasks)
    assert (again.state, tasks.pop("plan"), set(tasks.values())) == ("success", "success", {"skipped"})


def test_what_no_retry_can_mend_fails_at_once(airflow: Airflow) -> None:
    """A broken contract fails its task at the first try, however many it has; the log ends with the remedy."""
    broken = airflow.ends["broken"]
    assert (broken.state, broken.tasks["plan"], broken.tasks["load"]) == ("failed", "success", "failed")
    assert (broken.tasks["publish"], broken.tries["load"]) == ("upstream_failed", 1)
    assert "there is no table 'articles'" in broken.printed
    assert "name the file or folder articles." in broken.printed
    assert f"What to look at: the bundle {airflow.folder / 'broken'}" in broken.printed
    assert (airflow.ends["elsewhere"].tasks["plan"], airflow.ends["elsewhere"].tries["plan"]) == ("failed", 1)
    assert "the store s3://bucket/store is on no file system" in airflow.ends["elsewhere"].printed


def test_a_store_that_is_busy_is_tried_again(airflow: Airflow) -> None:
    """Another run of the same week is in the way: each try is made."""
    busy = airflow.ends["busy"]
    assert (busy.state, busy.tasks["plan"], busy.tries["plan"]) == ("failed", "failed", 2)
    assert "another run holds '2024-06-30'" in busy.printed


def test_an_empty_window_is_skipped(airflow: Airflow) -> None:
    """Where no conversation started in the window, plan does not succeed, no task after it starts, nothing fails."""
    empty = airflow.ends["empty"]
    assert (empty.state, set(empty.tasks.values())) == ("success", {"skipped"})
    assert "no conversation of" in empty.printed
    assert "it holds those from 2024-06-08 to 2024-06-30" in empty.printed


def test_a_run_that_is_not_published_tells_nobody(airflow: Airflow) -> None:
    """The digest is skipped where it is off, and does not come up where a step before it failed."""
    assert (airflow.ends["nobody told"].state, airflow.ends["nobody told"].tasks["digest"]) == ("success", "skipped")
    broken = airflow.ends["broken"].tasks
    assert (broken["publish"], broken["digest"]) == ("upstream_failed", "upstream_failed")


def test_retention_comes_last(airflow: Airflow) -> None:
    """It is skipped where the settings keep everything for ever, and done though nobody is told."""
    by_date = airflow.ends["by date"]
    assert by_date.tasks["retention"] == "skipped"
    assert "The settings keep everything for ever." in by_date.printed
    nobody_told = airflow.ends["nobody told"].tasks
    assert (nobody_told["digest"], nobody_told["retention"]) == ("skipped", "success")


def test_nothing_is_published_before_somebody_approves(airflow: Airflow) -> None:
    """With the parameter `approval`, the run waits before it publishes, and shows what would be published."""
    asked = airflow.ends["asked"]
    assert "asked Publish this week's backlog? ['Approve', 'Reject'] **2024-06-03 to 2024-06-30**" in asked.printed
    assert "awaiting_input publish: [None]" in asked.printed
    assert (asked.state, asked.tasks["publish"], asked.tasks["digest"]) == ("success", "success", "skipped")
    assert "asked Publish" not in airflow.ends["published"].printed, "by default, nobody has to"


def test_a_run_marked_failed_stays_failed(airflow: Airflow) -> None:
    """Who stops a run by marking it failed finds it failed afterwards; nothing is published and nobody is told."""
    marked = airflow.ends["marked failed"]
    assert marked.state == "failed"
    assert (marked.tasks["load"], marked.tasks["publish"], marked.tasks["digest"]) == ("failed", "skipped", "skipped")


def test_airflow_dags_test_takes_the_week_from_the_interval(airflow: Airflow) -> None:
    """``airflow dags test`` with a date, and no days given, publishes the week that ends on the interval's Sunday."""
    by_date = airflow.ends["by date"]
    tasks = dict(by_date.tasks)
    assert (by_date.state, tasks.pop("retention"), set(tasks.values())) == ("success", "skipped", {"success"})
    published = sorted(path.name for path in (airflow.folder / "by date" / "runs").iterdir())
    assert len(published) == 1
    assert date.fromisoformat(published[0]).weekday() == 6
    assert f"the week of {published[0]}, no gap was found" in by_date.printed
    assert "Nothing was sent: it was a dry run." in by_date.printed
