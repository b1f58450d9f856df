"""
# Lacuna, weekly

Every Monday at 05:00 UTC: mine the four weeks up to Sunday, and publish `<store>/runs/<Sunday>` with the ranked backlog
and the report for the weekly review. It does what `lacuna run` does, a task a verb.

| parameter | meaning | default |
|---|---|---|
| `bundle` | folder or fsspec URL of the input | `$LACUNA_BUNDLE` |
| `store` | folder of runs and state, the same on every worker | `$LACUNA_STORE` |
| `start`, `end` | first and last day, both included | the schedule's week; by hand: the week after the last run |
| `config` | settings file over the defaults | `$LACUNA_CONFIG` |

## Triage

- **`plan` was skipped, and all after it:** nothing changed since this window was published. Nothing to do.
- **`plan` or `load` says that the contract is broken:** run `lacuna check <bundle>` and pass the table on to whoever
  exports the bundle. Once it is right, clear `plan`.
- **"another run holds …":** somebody runs the same week by hand. The retry comes after it.
- **"can't be written", "disk is full":** the store. Make room, then clear the failed task; what was done is kept.
- **Any other task failed:** its log ends with what to do. Clear it with everything after it; a task that is run again
  gives the same bytes.
- **A week is missing:** trigger the DAG with `end` set to that week's Sunday. Weeks may be run in any order, but a week
  knows only what was published for the weeks before it: go from old to new.
- **Nobody needs to be woken.** The last report stays in place until the next one is complete.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, Param, dag, task

STEPS = ("load", "redact", "understand", "measure", "diagnose", "rank", "publish")


@dag(
    schedule=CronDataIntervalTimetable("0 5 * * 1", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "knowledge",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
        "retry_exponential_backoff": True,
        "execution_timeout": timedelta(hours=6),
    },
    params={
        "bundle": Param(os.environ.get("LACUNA_BUNDLE", "bundle"), type="string", minLength=1),
        "store": Param(os.environ.get("LACUNA_STORE", "store"), type="string", minLength=1),
        "start": Param(None, type=["null", "string"], format="date"),
        "end": Param(None, type=["null", "string"], format="date"),
        "config": Param(os.environ.get("LACUNA_CONFIG"), type=["null", "string"]),
    },
    tags=["lacuna", "knowledge", "weekly"],
    doc_md=__doc__,
)
def lacuna_weekly() -> None:
    """Seven verbs in a row; what is handed on is paths and dates."""

    @task.short_circuit
    def plan(
        params: dict[str, Any] | None = None,
        data_interval_start: datetime | None = None,
        data_interval_end: datetime | None = None,
    ) -> dict[str, Any] | None:
        from pipelines.run import plan_scheduled

        return plan_scheduled(params or {}, data_interval_start, data_interval_end)

    job: Any = plan()
    for step in STEPS:
        job = verb(step)(job)


def verb(name: str) -> Any:
    """The verb ``name`` as a task."""

    @task(task_id=name)
    def perform(job: dict[str, Any]) -> dict[str, Any]:
        from pipelines.run import run_step

        return run_step(name, job)

    return perform


lacuna_weekly()
