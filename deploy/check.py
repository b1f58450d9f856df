"""Try a deployment: its scheduler publishes what `lacuna run` publishes, whatever happens to its workers.

Called by `<deployment>/check`, in the environment of its Airflow. Prints a line a check, and ends at one that fails.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import fsspec
import sqlalchemy as sa
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session

from lacuna.pipelines.io.addresses import store_path
from lacuna.pipelines.io.run_folders import find_run, published_runs

HERE = Path(__file__).parent
EXAMPLE = HERE.parent / "docs" / "example-bundle"
LAST_DAY = date(2024, 6, 30)  # of the example; a Sunday
DAG = "lacuna_weekly"
PATIENCE = 900.0  # seconds, for one run
PLACES = ("redact.redact_messages", "understand.match_articles", "understand.find_topics", "publish")
AWAY = {"broker": 10, "postgres": 10, "s3": 60, "s3-silent": 60}  # seconds
BY_THE_CLOCK = ("report.html", "run.json")  # say when and how long it ran


def main() -> None:
    """Perform the checks that were asked for."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--bundle", required=True)
    options.add_argument("--store", required=True)
    options.add_argument("--pids", type=Path)
    options.add_argument("--backfill", action="store_true", help="four weeks, compared with the weeks one by one")
    options.add_argument("--kill", nargs="*", metavar="PLACE", help=f"kill -9 of a worker in: {', '.join(PLACES)}")
    options.add_argument("--approval", action="store_true", help="a run waits until somebody approves it")
    options.add_argument("--restart", nargs="*", metavar="SERVICE", help=f"away for a while: {', '.join(AWAY)}")
    options.add_argument("--only", action="store_true", help="these, and not the run of last week by the schedule")
    chosen = options.parse_args()
    wanted = {"--kill": (chosen.kill, PLACES), "--restart": (chosen.restart, AWAY)}
    for option, (names, there) in wanted.items():
        if unknown := set(names or []) - set(there):
            options.error(f"{option} has no {', '.join(sorted(unknown))}: choose among {', '.join(there)}")
    with tempfile.TemporaryDirectory(prefix="lacuna-check-") as folder:
        if chosen.only:
            wait(lambda: DAG in airflow("dags", "list", "--output", "plain"), 120, "the DAG files are not parsed")
            airflow("dags", "unpause", "--yes", DAG)  # a paused one never starts what is asked for
        else:
            scheduled(chosen.bundle, chosen.store, Path(folder))
        if chosen.backfill:
            backfill(chosen.store, Path(folder))
        if chosen.kill is not None:
            for place in chosen.kill or PLACES:
                killed(place, chosen.store, chosen.pids, Path(folder))
        if chosen.approval:
            approved(chosen.store, Path(folder))
        if chosen.restart is not None:
            for service in chosen.restart or AWAY:
                interrupted(service, chosen.store, Path(folder))


def scheduled(bundle: str, store: str, folder: Path) -> None:
    """The scheduler runs last week, of which the bundle is the example moved to these days; and what hangs on it."""
    today = datetime.now(UTC).date()
    end = today - timedelta(days=today.weekday() + 1)
    put_example(bundle, end)
    shutil.copy(HERE / "after_lacuna.py", Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]))
    wait(lambda: "after_lacuna" in airflow("dags", "list", "--output", "plain"), 120, "the DAG files are not parsed")
    started = time.monotonic()
    for dag in (DAG, "after_lacuna"):
        airflow("dags", "unpause", "--yes", dag)
    run = ended(lambda: runs_of("scheduled")[-1:])[0]
    report(run.state == "success", f"scheduled run {run.run_id}: {run.state} after {time.monotonic() - started:.0f} s")
    compare(store, bundle, end, folder)
    after = ended(lambda: runs_of("asset_triggered", "after_lacuna")[-1:])[0]
    counted = result_of(after)
    report(counted.get("run_id") == end.isoformat(), f"a DAG that is scheduled on the backlog read it: {counted}")


def backfill(store: str, folder: Path) -> None:
    """Four weeks by `airflow backfill`, and the same weeks by `lacuna run` one after another."""
    conf = own_store(store, "backfill", folder) | {"bundle": str(EXAMPLE), "digest": "off"}
    days = [LAST_DAY - timedelta(weeks=back) for back in (2, 1, 0, -1)]
    command = ["backfill", "create", "--dag-id", DAG, "--max-active-runs", "1", "--dag-run-conf", json.dumps(conf)]
    first, last = (day - timedelta(days=6) for day in (days[0], days[-1]))  # a week is named after its Monday
    airflow(*command, "--from-date", f"{first}T00:00:00+00:00", "--to-date", f"{last}T23:00:00+00:00")
    wait(lambda: len(runs_of("backfill")) >= len(days), 120, f"there are no {len(days)} runs: {runs_of('backfill')}")
    runs = ended(lambda: runs_of("backfill"), PATIENCE * 4)
    report(all(run.state == "success" for run in runs), f"backfill: {[(run.run_id, run.state) for run in runs]}")
    for day in days:
        compare(conf["store"], str(EXAMPLE), day, folder, "weeks")


def killed(place: str, store: str, pids: Path, folder: Path) -> None:
    """Kill the worker in the middle of a task, as the kernel does for want of memory; another one comes up."""
    conf = triggered(place, store, folder)
    sid, worker = wait(lambda: worker_of(place, conf, pids), PATIENCE, f"no worker was seen at {place}", every=0.02)
    for pid in session(sid):
        os.kill(pid, signal.SIGKILL)
    seen = published_runs(store_path(conf["store"]))
    report(seen == [], f"kill -9 of {worker} during {place}: nothing half is visible")
    (pids / worker).unlink()
    subprocess.run([HERE / "celery" / "worker", worker.removeprefix("worker-")], check=True)
    finished(conf, folder)


def states(task: str, conf: dict[str, Any]) -> set[str]:
    """The states of a task of this run."""
    with create_session() as session_:
        of_run = sa.select(TaskInstance.state).where(TaskInstance.run_id == run_of(conf), TaskInstance.task_id == task)
        return set(session_.scalars(of_run))


def approved(store: str, folder: Path) -> None:
    """A run that asks for approval waits before it publishes, and publishes when somebody has approved."""
    conf = triggered("approval", store, folder, approval=True)
    wait(lambda: "awaiting_input" in states("approve", conf), PATIENCE, "approve does not ask")
    report(published_runs(store_path(conf["store"])) == [], "a run that asks for approval has published nothing")
    passwords = Path(os.environ["AIRFLOW_HOME"]) / "simple_auth_manager_passwords.json.generated"
    admin = {"username": "admin", "password": json.loads(passwords.read_text())["admin"]}
    token = call("POST", "/auth/token", admin)["access_token"]
    task = f"/api/v2/dags/{DAG}/dagRuns/{run_of(conf)}/taskInstances/approve/-1/hitlDetails"
    print(f"     {call('GET', task, token=token)['body']}", flush=True)
    call("PATCH", task, {"chosen_options": ["Approve"], "params_input": {}}, token)
    finished(conf, folder)


def call(method: str, path: str, content: dict[str, Any] | None = None, token: str = "") -> Any:
    """Ask Airflow's API."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    address = os.environ["AIRFLOW__API__BASE_URL"] + path
    data = json.dumps(content).encode() if content else None
    with urllib.request.urlopen(urllib.request.Request(address, data, headers, method=method), timeout=60) as answer:
        return json.load(answer)


def interrupted(service: str, store: str, folder: Path) -> None:
    """A service is away for a while, in the middle of a run; then it is back."""
    conf = triggered(service, store, folder)
    wait(lambda: any("/understand/" in name for name in held(conf)), PATIENCE, "understand did not begin", 0.05)
    subprocess.run([HERE / "celery" / "interrupt", service, str(AWAY[service])], check=True)
    _engines.clear()
    finished(conf, folder)


def triggered(name: str, store: str, folder: Path, **more: Any) -> dict[str, Any]:
    """Trigger a run of the example in several shards, on a store and a database of its own."""
    conf = own_store(store, re.sub(r"\W", "-", name), folder, shards=0.015)
    conf |= {"bundle": str(EXAMPLE), "end": LAST_DAY.isoformat(), "digest": "off"} | more
    airflow("dags", "trigger", DAG, "--run-id", run_of(conf), "--conf", json.dumps(conf))
    return conf


def finished(conf: dict[str, Any], folder: Path) -> None:
    """Wait until a triggered run has ended, and compare what it published."""
    run = ended(lambda: [run for run in runs_of("manual") if run.run_id == run_of(conf)])[0]
    with create_session() as session_:
        tries = sa.select(TaskInstance.task_id, TaskInstance.map_index, TaskInstance.try_number)
        again = session_.execute(tries.where(TaskInstance.run_id == run.run_id, TaskInstance.try_number > 1)).all()
    report(run.state == "success", f"run {run.run_id}: {run.state}; tried again: {[tuple(one) for one in again]}")
    compare(conf["store"], conf["bundle"], LAST_DAY, folder)


def compare(store: str, bundle: str, end: date, folder: Path, into: str | None = None) -> None:
    """Do the same by `lacuna run` on this machine, and compare all files that don't say when they were made."""
    plain = folder / (into or f"plain-{abs(hash(bundle))}-{end}")
    if not (plain / "runs" / end.isoformat()).exists():
        command = ["lacuna", "run", bundle, "--store", str(plain), "--end", end.isoformat()]
        subprocess.run(command, check=True, capture_output=True)
    ours, theirs = (files_of(find_run(store_path(one), end.isoformat())) for one in (store, plain))
    differ = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    report(
        not differ, f"{store}/runs/{end}: {len(ours)} files as by lacuna run" + (f", save {differ}" if differ else "")
    )
    report(ours.get("backlog.parquet") == theirs["backlog.parquet"], "the backlog's bytes are equal")


def files_of(folder: Path) -> dict[str, bytes]:
    """The files of a run by name, save those that say when and how long it ran."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: content for name, content in files.items() if name not in BY_THE_CLOCK}


def put_example(bundle: str, end: date) -> None:
    """Write the example bundle with all its days moved, so that it ends on this one."""
    moved = end - LAST_DAY
    fs, root = fsspec.core.url_to_fs(bundle)
    fs.makedirs(root, exist_ok=True)
    for path in sorted(EXAMPLE.glob("*.csv")):
        rows = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
        for row in rows:
            for name in [name for name, value in row.items() if name.endswith("_at") and value]:
                row[name] = (datetime.fromisoformat(row[name]) + moved).isoformat()
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
        fs.pipe_file(f"{root}/{path.name}", text.getvalue().encode())


def own_store(store: str, name: str, folder: Path, shards: float | None = None) -> dict[str, str]:
    """An empty store for one check, and settings that name an empty database where the store is not a folder."""
    lines = []
    if "://" in store:
        with open(os.environ["LACUNA_CONFIG"], "rb") as file:
            url = sa.make_url(tomllib.load(file)["state"]["url"])
        database = "lacuna_check_" + re.sub(r"\W", "_", name)
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in (f"DROP DATABASE IF EXISTS {database} WITH (FORCE)", f"CREATE DATABASE {database}"):
                connection.execute(sa.text(statement))
        lines += ["[state]", f"url = '{url.set(database=database).render_as_string(hide_password=False)}'"]
    if shards:
        lines += ["[shards]", f"megabytes = {shards}"]
    config = folder / f"{name}.toml"
    config.write_text("\n".join([*lines, ""]))
    place = f"{store}-check-{name}-{time.time():.0f}"
    return {"store": place, "config": str(config)}


def worker_of(place: str, conf: dict[str, Any], pids: Path) -> tuple[int, str] | None:
    """The session and the name of the worker that is in the middle of a task of this run, once there is one."""
    run_id = LAST_DAY.isoformat()
    names = held(conf)
    fs, root = fsspec.core.url_to_fs(conf["store"])
    fs.invalidate_cache()
    if place == "publish":
        files = fs.find(f"{root}/runs/{run_id}") if run_id in names else []
        if not files or any(path.endswith("manifest.json") for path in files):
            return None
        part = run_id
    else:
        part = next((name for name in names if name.startswith(f"{run_id}/{place.replace('.', '/')}/")), run_id)
        if part == run_id and "running" not in states(place, conf):  # the lease of a part that is done once
            return None
        if place == "understand.match_articles" and not fs.find(f"{root}/cache/vectors"):  # it embeds nothing yet
            return None
    if part not in names:
        return None
    try:
        sid = os.getsid(names[part])
    except ProcessLookupError:
        return None
    of_workers = {int(path.read_text()): path.name for path in pids.glob("worker-*")}
    return (sid, of_workers[sid]) if sid in of_workers else None


_engines: dict[str, sa.Engine] = {}


def held(conf: dict[str, Any]) -> dict[str, int]:
    """The leases that are held, each with the process that holds it."""
    with open(conf["config"], "rb") as file:
        url = tomllib.load(file)["state"]["url"]
    engine = _engines.setdefault(url, sa.create_engine(url))
    with engine.connect() as connection:
        try:
            return {row.name: row.pid for row in connection.execute(sa.text("SELECT name, pid FROM leases"))}
        except sa.exc.ProgrammingError:  # no table yet
            return {}


def session(sid: int) -> list[int]:
    """The processes of a session that we started."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(path.name)) == sid:
                found.append(int(path.name))
        except ProcessLookupError:
            continue
    return found


def run_of(conf: dict[str, Any]) -> str:
    """The id of a run that is triggered with these parameters."""
    return conf["store"].rsplit("/", 1)[-1]


def runs_of(kind: str, dag: str = DAG) -> list[DagRun]:
    """The runs of a DAG that came about in this way, oldest first."""
    with create_session() as session_:
        of_dag = sa.select(DagRun).where(DagRun.dag_id == dag, DagRun.run_type == kind).order_by(DagRun.id)
        return list(session_.scalars(of_dag))


def result_of(run: DagRun) -> dict[str, Any]:
    """What the task of a run returned."""
    with create_session() as session_:
        of_run = sa.select(XComModel).where(XComModel.run_id == run.run_id, XComModel.key == "return_value")
        value = session_.scalars(of_run).first()
        return XComModel.deserialize_value(value) if value else {}


def ended(find: Callable[[], list[DagRun]], patience: float = PATIENCE) -> list[DagRun]:
    """Wait until all runs that are found have ended, and there is one."""

    def over() -> list[DagRun] | None:
        runs = find()
        return runs if runs and all(run.state in ("success", "failed") for run in runs) else None

    return wait(over, patience, "the runs have not ended", every=2.0)


def wait(look: Callable[[], Any], patience: float, otherwise: str, every: float = 1.0) -> Any:
    """Look until there is something, and return it."""
    until = time.monotonic() + patience
    while not (seen := look()):
        if time.monotonic() > until:
            report(False, otherwise)
        time.sleep(every)
    return seen


def airflow(*words: str) -> str:
    """Call Airflow's command, and return what it prints."""
    done = subprocess.run(["airflow", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        report(False, f"airflow {' '.join(words)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def report(holds: bool, what: str) -> None:
    """Print a check; end at one that fails."""
    print(f"{'ok  ' if holds else 'FAIL'} {what}", flush=True)
    if not holds:
        sys.exit(1)


if __name__ == "__main__":
    main()
