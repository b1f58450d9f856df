"""What the data of a run carry, on its way into run.json and out of it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import pandas as pd

from lacuna.data_contracts.values import among
from lacuna.models.data_coverage.coverage import Coverage, data_coverage

__all__ = ["coverage_of", "window_coverage"]


def window_coverage(tables: Mapping[str, pd.DataFrame], start: datetime) -> list[dict[str, Any]]:
    """What the conversations since ``start``, and all other tables, carry: plain data, for run.json."""
    conversations = tables["conversations"]
    inside = conversations[conversations["started_at"] >= start]
    # Texts are most of the table, and nothing here reads them.
    said = {"messages": tables["messages"].drop(columns="text"), "outcomes": tables["outcomes"]}
    mined = {name: rows[among(rows["conversation_id"], inside["conversation_id"])] for name, rows in said.items()}
    return [asdict(part) for part in data_coverage({**tables, **mined, "conversations": inside})]


def coverage_of(run: Mapping[str, Any]) -> list[Coverage]:
    """What a run's data carry, from its run.json; empty where a run of an earlier version doesn't say."""
    told = run.get("data")
    names = {field.name for field in fields(Coverage)}
    found = [entry for entry in told if isinstance(entry, Mapping)] if isinstance(told, list) else []
    known = [{name: entry[name] for name in names} for entry in found if names <= set(entry)]
    return [Coverage(**entry | {"with_it": tuple(entry["with_it"])}) for entry in known]
