"""The table of what fixes were worth in the quarter up to the window's last day."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import pandas as pd

from lacuna.models.impact.worth import HandlingTime, quarter_worth
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.runtime.job import Job

__all__ = ["worth_of_fixes"]

LEAST_TIMES = 5  # handling times from which on their mean is used, as for the cost of a gap


def worth_of_fixes(job: Job, columns: list[str]) -> pd.DataFrame:
    """One row a fix, in the order of the impact table; without rows where nothing was fixed.

    Parameters
    ----------
    columns
        Of the table, as `published.toml` declares it.
    """
    handling, z = _handling(job), NormalDist().inv_cdf(0.5 + job.settings.accuracy.confidence / 2)
    fixes = [row for row in records(job.read("rank/impact")) if row.get("fixed_on")]
    rows = [
        quarter_worth(row, job.end, handling, z)
        | {"quarter_end": job.end.isoformat(), "currency": job.settings.cost.currency}
        for row in fixes
    ]
    table = pd.DataFrame(rows, columns=columns)
    texts = ("gap_id", "title", "owner_id", "fixed_on", "verdict", "quarter_end", "currency")
    dtypes = dict.fromkeys(columns, "float64") | dict.fromkeys(texts, "str") | {"counted": "bool"}
    return table.astype({name: dtypes[name] for name in columns})


def _handling(job: Job) -> HandlingTime:
    facts = job.read("measure/facts", ["in_window", "handle_seconds"])
    seconds = facts.loc[facts["in_window"], "handle_seconds"].dropna()
    cost = job.settings.cost
    if len(seconds) < LEAST_TIMES:
        return HandlingTime(float("nan"), float("nan"), cost.per_escalation, 0.0)
    hours, error = float(seconds.mean()) / 3600, float(seconds.std()) / sqrt(len(seconds)) / 3600
    return HandlingTime(hours, error, hours * cost.agent_hour, error * cost.agent_hour)
