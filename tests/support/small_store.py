"""A store with one published run of the sample's gaps, for tests of what comes after a run."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from lacuna.pipelines.drafts import write_drafts
from lacuna.pipelines.gaps.read import gaps_of
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import open_state
from lacuna.pipelines.steps.publish.workbook import write_backlog
from tests.support import sample_run


def publish(store: Path, backlog: pd.DataFrame | None = None, run_id: str = "2024-06-30") -> Path:
    """Write a run's backlog, drafts, owners and `run.json`, and return its folder."""
    data = sample_run.sample_run()
    backlog = (data.backlog if backlog is None else backlog).copy()
    open_state(load_settings(), store).close()
    folder = store / "runs" / run_id
    folder.mkdir(parents=True)
    run = {**data.run, "run_id": run_id}
    paths = write_drafts(folder, backlog, sample_run.articles(), run)
    backlog["draft"] = pd.array([paths.get(gap) for gap in backlog["gap_id"]], dtype="str")
    write_backlog(folder, gaps_of(backlog), run)
    if data.owners is not None:
        data.owners.to_parquet(folder / "owners.parquet")
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
    return folder
