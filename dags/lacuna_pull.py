"""
# Lacuna, daily: pull

Every day at 03:00 UTC: bring what is new at each configured source into the bundle, which `lacuna_weekly` mines. A task
a source does what `lacuna pull` does. On Sundays all conversations are listed besides, so that those that were deleted
at the source leave the bundle.

| parameter | meaning | default |
|---|---|---|
| `bundle` | folder or fsspec URL that is pulled into | `$LACUNA_BUNDLE` |
| `config` | settings file with the sections `[sources.…]` | `$LACUNA_CONFIG` |
| `sources` | the sources to pull, by name; empty for all of the settings | all |
| `minutes` | stop a source after so long; the next day goes on from there | 240 |
| `find_deleted` | list all conversations: `sundays`, `always` or `never` | `sundays` |

Secrets come from the environment of the workers, under the names that the settings give.

## Assets

The last task writes the asset `lacuna_bundle`. To mine after each pull instead of on Mondays, give `lacuna_weekly` the
schedule `[Asset("lacuna_bundle")]`.

## Triage

- **"the credentials are wrong", "lack a permission":** make a new token as `docs/sources-<vendor>.md` says, and clear
  the task.
- **"got no answer", "refused with 5…", "the vendor's limit was not lifted":** tried again after 10 and 20 minutes. What
  was pulled is kept, and the next pull goes on from there.
- **"is not as it is documented":** the vendor has changed its answers. The bundle is as it was before that record.
- **"another … holds 'pull-…'":** somebody pulls the same source by hand. The retry comes after it.
- **A first pull takes days:** that is the vendor's limit. Each day goes on where the last one stopped.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Asset, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

BUNDLE = Asset("lacuna_bundle")
POOL = os.environ.get("LACUNA_POOL") or "default_pool"


def what_to_look_at(context: Any) -> None:
    """Log what whoever is on call should look at first."""
    from lacuna.pipelines.runtime.scheduled import log_failure

    ti = context["ti"]
    log_failure(ti.task_id, ti.map_index, ti.try_number, dict(context["params"]), context.get("exception"))


@dag(
    schedule="0 3 * * *",
    start_date=datetime(2020, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "knowledge",
        "retries": 2,
        "retry_delay": timedelta(minutes=float(os.environ.get("LACUNA_RETRY_MINUTES") or 10)),
        "retry_exponential_backoff": True,
        "execution_timeout": timedelta(hours=12),
        "on_failure_callback": what_to_look_at,
    },
    params={
        "bundle": Param(
            os.environ.get("LACUNA_BUNDLE", "bundle"),
            type="string",
            minLength=1,
            description="Folder or fsspec URL (s3://, gs://) that is pulled into. Default: $LACUNA_BUNDLE.",
        ),
        "config": Param(
            os.environ.get("LACUNA_CONFIG"),
            type=["null", "string"],
            description="Settings file with the sections [sources.…]. Default: $LACUNA_CONFIG.",
        ),
        "sources": Param(
            [],
            type="array",
            items={"type": "string"},
            description="The sources to pull, by name. Empty: all of the settings.",
        ),
        "minutes": Param(
            240, type="number", minimum=1, description="Stop a source after so long; the next day goes on from there."
        ),
        "find_deleted": Param(
            "sundays",
            type="string",
            enum=["sundays", "always", "never"],
            description="List all conversations besides, and drop those that were deleted at the source.",
        ),
    },
    tags=["lacuna", "knowledge", "daily"],
    doc_md=__doc__,
)
def lacuna_pull() -> None:
    """A task a source, and the asset that says that the bundle is up to date."""

    @task
    def list_sources(params: dict[str, Any] | None = None) -> list[str]:
        from lacuna.data_contracts.errors import LacunaError
        from lacuna.pipelines.sources.scheduled import sources_to_pull

        try:
            return sources_to_pull(params or {})
        except LacunaError as error:
            raise AirflowFailException(str(error)) from None

    @task(pool=POOL, map_index_template="{{ source }}")
    def pull(source: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        from lacuna.data_contracts.errors import LacunaError
        from lacuna.pipelines.runtime.scheduled import retry_mends
        from lacuna.pipelines.sources.scheduled import pull_scheduled

        get_current_context()["source"] = source
        try:
            return pull_scheduled(params or {}, source)
        except LacunaError as error:
            if retry_mends(error):
                raise
            raise AirflowFailException(str(error)) from None

    @task(outlets=[BUNDLE])
    def bundle_is_current(pulled: Any) -> None:
        get_current_context()["outlet_events"][BUNDLE].extra = {"pulled": list(pulled)}

    bundle_is_current(pull.expand(source=list_sources()))


lacuna_pull()
