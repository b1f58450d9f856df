"""Data coverage, what a run's data contain and what they lack: written to run.json and read from it."""

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
    """Data coverage of the conversations since ``start`` and of the other tables, as plain data for run.json.

    Of the messages, what :func:`messages_carry` leaves of them is enough.
    """
    conversations = tables["conversations"]
    in_window = conversations[conversations["started_at"] >= start]
    tables_of_conversations = {name: tables[name] for name in ("messages", "outcomes")}
    in_scope = {
        name: rows[among(rows["conversation_id"], in_window["conversation_id"])]
        for name, rows in tables_of_conversations.items()
    }
    return [asdict(part) for part in data_coverage({**tables, **in_scope, "conversations": in_window})]


def coverage_of(run: Mapping[str, Any]) -> list[Coverage]:
    """Data coverage from a run's run.json; empty for runs of earlier versions, which do not have it."""
    data = run.get("data")
    names = {field.name for field in fields(Coverage)}
    entries = [entry for entry in data if isinstance(entry, Mapping)] if isinstance(data, list) else []
    complete = [{name: entry[name] for name in names} for entry in entries if names <= set(entry)]
    return [Coverage(**entry | {"with_it": tuple(entry["with_it"])}) for entry in complete]
