"""The daily DAG pulls every source of the settings, and says that the bundle is up to date."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import REPO

pytestmark = pytest.mark.slow

SCRIPT = """
import json
from airflow.cli.cli_parser import get_parser
from airflow.dag_processing.dagbag import DagBag
from airflow.models.asset import AssetEvent
from airflow.utils.session import create_session
from sqlalchemy import select

for words in (["db", "migrate"], ["dags", "reserialize"]):
    arguments = get_parser().parse_args(words)
    arguments.func(arguments)
bag = DagBag(dag_folder={dags!r})
dag = bag.dags["lacuna_pull"]
for one in dag.tasks:
    one.retries = 0
ended = dict()
for name, conf in {cases!r}.items():
    run = dag.test(run_conf=conf)
    tasks = [(ti.task_id, ti.map_index, ti.state) for ti in run.get_task_instances()]
    ended[name] = dict(state=run.state, tasks=sorted(tasks))
with create_session() as session:
    events = [event.extra for event in session.scalars(select(AssetEvent))]
print("ended " + json.dumps(dict(
    errors=bag.import_errors, doc=dag.doc_md, runs=ended, events=events,
    outlets=[asset.name for task in dag.tasks for asset in task.outlets],
)))
"""
SETTINGS = """
[sources.desk_export]
type = "sql"
url_env = "DESK_URL"
[sources.desk_export.tables.conversations]
query = "SELECT 'c1' AS conversation_id, '2024-06-03T10:00:00Z' AS started_at, 1 AS escalated"
[sources.desk_export.tables.messages]
query = "SELECT 'c1' AS conversation_id, 0 AS position, 'customer' AS role, 'where is my parcel' AS text"

[sources.help_pages]
type = "articles"
path = "{pages}"
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What became of a run of all sources, and of one that asks for a source that there is not."""
    tmp = tmp_path_factory.mktemp("pull")
    (tmp / "pages").mkdir()
    (tmp / "pages" / "parcels.md").write_text("# Where is my parcel?\n\nLook at the tracking page.\n")
    config = tmp / "ours.toml"
    config.write_text(SETTINGS.format(pages=tmp / "pages"))
    conf = {"bundle": str(tmp / "bundle"), "config": str(config)}
    cases = {"all": conf, "unknown": conf | {"sources": ["helpdesk"]}}
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp / "home"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPO / "dags"),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp / 'airflow.db'}",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "DESK_URL": f"sqlite:///{tmp / 'desk.db'}",
    }
    script = SCRIPT.format(dags=str(REPO / "dags" / "lacuna_pull.py"), cases=cases)
    process = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    printed = process.stdout + process.stderr
    assert process.returncode == 0, printed[-6000:]
    line = next(line for line in printed.splitlines() if line.startswith("ended "))
    return {**json.loads(line[6:]), "printed": printed, "folder": tmp}


def test_every_source_is_pulled_by_a_task_of_its_own(ended: dict[str, Any]) -> None:
    assert ended["errors"] == {}
    assert "## Triage" in ended["doc"]
    run = ended["runs"]["all"]
    assert run["state"] == "success", ended["printed"][-6000:]
    assert run["tasks"] == [
        ["bundle_is_current", -1, "success"],
        ["list_sources", -1, "success"],
        ["pull", 0, "success"],
        ["pull", 1, "success"],
    ]
    bundle: Path = ended["folder"] / "bundle"
    files = sorted(file.relative_to(bundle).as_posix() for file in bundle.glob("*/*.parquet"))
    assert "articles/help_pages.parquet" in files
    assert "messages/desk_export-2024-06.parquet" in files


def test_the_bundle_is_an_asset_that_other_dags_may_wait_for(ended: dict[str, Any]) -> None:
    assert ended["outlets"] == ["lacuna_bundle"]
    (event,) = ended["events"]
    assert [one["source"] for one in event["pulled"]] == ["desk_export", "help_pages"]
    assert all(one["finished"] for one in event["pulled"])


def test_a_source_that_is_not_configured_fails_at_once(ended: dict[str, Any]) -> None:
    run = ended["runs"]["unknown"]
    assert run["state"] == "failed"
    assert ["list_sources", -1, "failed"] in run["tasks"]
    assert "there is no source 'helpdesk' in the settings" in ended["printed"]
