"""
# After Lacuna

An example of a DAG that starts whenever `lacuna_weekly` has published a backlog, and reads it.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Asset, dag, task

BACKLOG = Asset("lacuna_backlog")


@dag(schedule=[BACKLOG], catchup=False, tags=["lacuna"], doc_md=__doc__)
def after_lacuna() -> None:
    """One task: count the gaps."""

    @task(inlets=[BACKLOG])
    def count(triggering_asset_events: Any = None) -> dict[str, Any]:
        import pandas as pd

        event = triggering_asset_events[BACKLOG][-1].extra
        return {"run_id": event["run_id"], "gaps": len(pd.read_parquet(f"{event['run']}/backlog.parquet"))}

    count()


after_lacuna()
