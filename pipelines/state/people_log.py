"""What people decided, tagged and edited, as tables of a run folder: from these a lost database gets it back.

A run folder is read by many more than the database is: what people wrote in their own words is redacted there, and
addresses, sign-ins and meetings are not in it at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from lacuna.pipelines.state import schema

if TYPE_CHECKING:
    import pandas as pd

    from lacuna.pipelines.state.repository import State

__all__ = ["PEOPLE_LOGS", "log_rows", "read_logs"]

# The log of each published table, and its column of free text.
PEOPLE_LOGS = {
    "decisions": (schema.decisions, "why"),
    "entered_tags": (schema.tags, "note"),
    "topic_edits": (schema.topic_edits, "why"),
}
_MOMENTS = ("at", "tagged_at")

Redact = Callable[[Sequence[str | None]], list[str | None]]


def read_logs(state: State, run_id: str, redact: Redact) -> dict[str, pd.DataFrame]:
    """What people did on the view of a run or of an earlier one, by published table; free text redacted."""
    import pandas as pd

    logs = {}
    for name, (table, free_text) in PEOPLE_LOGS.items():
        query = sa.select(table).where(schema.made_by(table, run_id)).order_by(table.c.id)
        with state.reading() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        frame = pd.DataFrame(rows, columns=[column.name for column in table.columns])
        for column in frame.columns:
            if column in _MOMENTS:
                frame[column] = pd.to_datetime(frame[column], utc=True).astype("datetime64[us, UTC]")
            elif column == "payload":
                frame[column] = [_as_text(value) for value in frame[column]]
            elif table.c[column].type.python_type is str:
                frame[column] = frame[column].astype("str")
        frame[free_text] = pd.array(redact([row[free_text] for row in rows]), dtype="str")
        logs[name] = frame
    return logs


def log_rows(name: str, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a log as they go into the database, of the table that :func:`read_logs` gave."""
    rows = []
    for record in frame.to_dict("records"):
        row: dict[str, Any] = {str(key): None if _is_missing(value) else value for key, value in record.items()}
        for moment in _MOMENTS:
            if moment in row:
                row[moment] = row[moment].to_pydatetime()
        if "payload" in row:
            row["payload"] = None if row["payload"] is None else json.loads(row["payload"])
        rows.append({column.name: row.get(column.name) for column in PEOPLE_LOGS[name][0].columns})
    return rows


def _as_text(payload: Any) -> str | None:
    return None if payload is None else json.dumps(payload, ensure_ascii=False, sort_keys=True)


def _is_missing(value: Any) -> bool:
    return value is None or value != value
