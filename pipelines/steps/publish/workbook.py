"""The backlog as files: JSON lines, Parquet, CSV and a workbook. The same run gives the same bytes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lacuna.pipelines.presentation.spreadsheet import flat, plain, records, safe_csv_text
from lacuna.pipelines.steps.publish.sheets import workbook

__all__ = ["write_backlog"]

_QUOTE = pa.struct([("conversation_id", pa.string()), ("quote", pa.string())])
_ASKED = pa.struct([*_QUOTE, ("count", pa.int64())])
_NAMES = pa.list_(pa.string())
# Said here and not inferred: a run without a single change point still has the column's type.
SCHEMA: dict[str, pa.DataType] = {
    "gap_id": pa.string(),
    "rank": pa.int64(),
    "kind": pa.string(),
    "status": pa.string(),
    "title": pa.string(),
    "topic_id": pa.string(),
    "topic_label": pa.string(),
    "article_id": pa.string(),
    "nearest_articles": pa.list_(
        pa.struct([("article_id", pa.string()), ("title", pa.string()), ("similarity", pa.float64())])
    ),
    "owner_id": pa.string(),
    "owner_reason": pa.string(),
    "conversations": pa.int64(),
    "customers": pa.int64(),
    "weekly_rate": pa.float64(),
    "trend": pa.struct([("direction", pa.string()), ("ratio", pa.float64()), ("p_value", pa.float64())]),
    "failure_rate": pa.float64(),
    "failure_low": pa.float64(),
    "failure_high": pa.float64(),
    "labels": pa.int64(),
    "score": pa.float64(),
    "score_low": pa.float64(),
    "score_high": pa.float64(),
    "rank_low": pa.int64(),
    "rank_high": pa.int64(),
    "cost_avoidable": pa.float64(),
    "reasons": _NAMES,
    "examples": pa.list_(_ASKED),
    "conversation_ids": _NAMES,
    "draft": pa.string(),
    "first_seen": pa.string(),
    "last_seen": pa.string(),
    # Beyond the contract, for whoever shows or explains a gap.
    "probability": pa.float64(),
    "reached": pa.int64(),
    "by_people": pa.float64(),
    "demand": pa.float64(),
    "p_fail": pa.float64(),
    "p_fixable": pa.float64(),
    "weekly": pa.list_(pa.struct([("week", pa.string()), ("conversations", pa.float64()), ("failed", pa.float64())])),
    "theme": pa.string(),
    "products": _NAMES,
    "languages": _NAMES,
    "intents": _NAMES,
    "customer_words": _NAMES,
    "searches": pa.int64(),
    "queries": pa.list_(pa.struct([("query", pa.string()), ("count", pa.int64())])),
    "agent_answers": pa.list_(_QUOTE),
    "passages": pa.list_(
        pa.struct(
            [
                ("article_id", pa.string()),
                ("section", pa.string()),
                ("passage", pa.string()),
                ("evidence", pa.string()),
                ("count", pa.int64()),
                ("conversation_ids", _NAMES),
            ]
        )
    ),
    "steps": pa.list_(
        pa.struct(
            [
                ("text", pa.string()),
                ("count", pa.int64()),
                ("worked", pa.int64()),
                ("conversation_ids", _NAMES),
                ("way", pa.int64()),
                ("order", pa.int64()),
                ("asked", pa.string()),
            ]
        )
    ),
    "answered": pa.struct([("conversations", pa.int64()), ("well", pa.int64()), ("badly", pa.int64())]),
    "change_point": pa.struct(
        [
            ("week", pa.string()),
            ("low", pa.string()),
            ("high", pa.string()),
            ("before", pa.float64()),
            ("after", pa.float64()),
        ]
    ),
    "carried": pa.struct(
        [
            ("weeks_open", pa.int64()),
            ("previous_rank", pa.int64()),
            ("previous_score", pa.float64()),
            ("change", pa.string()),
            ("previous_run", pa.string()),
            ("previous_status", pa.string()),
            ("came_back", pa.bool_()),
        ]
    ),
    "status_note": pa.string(),
    "status_since": pa.string(),
    "due": pa.string(),
    "until": pa.string(),
    "merged_into": pa.string(),
    "effect": pa.string(),
    "decided": pa.int64(),
    "topics": _NAMES,
    "subtopics": _NAMES,
    "subtopic_label": pa.string(),
    "article_title": pa.string(),
    "other_article_id": pa.string(),
    "owner_name": pa.string(),
    "owner_left": pa.string(),
    "surge": pa.struct([("started", pa.string()), ("ratio", pa.float64()), ("p_value", pa.float64())]),
}
_CONTRACT = list(SCHEMA)[: list(SCHEMA).index("last_seen") + 1]


def write_backlog(
    folder: Path,
    backlog: pd.DataFrame,
    run: dict[str, Any],
    topics: pd.DataFrame | None = None,
    kpis: pd.DataFrame | None = None,
    not_content: Iterable[dict[str, Any]] = (),
    accuracy: pd.DataFrame | None = None,
) -> None:
    """Write `backlog.jsonl`, `.parquet`, `.csv` and `.xlsx` into a run's folder.

    The columns of the contract come first and are always there; others follow in the backlog's own order. The CSV is
    UTF-8 with a byte order mark, without which Excel reads it in the machine's old code page; every reader of tables
    skips the mark. Lists are joined by `; ` there and in the workbook, and every text that a spreadsheet might run is
    guarded (`pipelines.presentation.spreadsheet`).

    Parameters
    ----------
    folder : Path
        The run's folder; it exists.
    backlog : DataFrame
        One row a gap.
    run : dict
        `run.json`, for the window and the settings that the workbook tells.
    topics, kpis, accuracy : DataFrame or None
        The run's tables, for sheets of their own; None or empty leaves a sheet that says so.
    not_content : iterable of dict
        The lines of `not_content.jsonl`.

    Raises
    ------
    OSError
        The folder can't be written.
    """
    rows = ordered(backlog)
    (folder / "backlog.jsonl").write_text(
        "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows),
        encoding="utf-8",
        newline="",
    )
    pq.write_table(to_table(rows), folder / "backlog.parquet", compression="zstd")
    (folder / "backlog.csv").write_bytes(to_csv(rows, list(rows[0]) if rows else _CONTRACT))
    (folder / "backlog.xlsx").write_bytes(
        workbook(rows, run, records(topics), records(kpis), list(not_content), records(accuracy))
    )


def ordered(backlog: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows by rank as plain dicts, the contract's fields first and complete."""
    rows = records(backlog)
    rows.sort(key=lambda row: (row.get("rank") is None, row.get("rank"), str(row.get("gap_id"))))
    extra = [str(name) for name in backlog.columns if name not in SCHEMA]
    named = [*_CONTRACT, *(name for name in SCHEMA if name in backlog.columns and name not in _CONTRACT), *extra]
    return [
        {name: conform(row.get(name), SCHEMA[name]) if name in SCHEMA else row.get(name) for name in named}
        for row in rows
    ]


def conform(value: Any, wanted: pa.DataType) -> Any:
    """A plain value in the shape of a Parquet type; what does not fit at all becomes null.

    A list that is missing reads as an empty one, so that nobody has to ask twice; a missing dict stays null. What a
    dict holds beyond its type is dropped.
    """
    if pa.types.is_list(wanted):
        items = value if isinstance(value, list) else [] if value is None else [value]
        return [found for item in items if (found := conform(item, wanted.value_type)) is not None]
    if pa.types.is_struct(wanted):
        if not isinstance(value, dict):
            return None
        return {field.name: conform(value.get(field.name), field.type) for field in wanted}
    if value is None:
        return None
    if pa.types.is_string(wanted):
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if pa.types.is_boolean(wanted):
        return bool(value)
    try:
        return int(value) if pa.types.is_integer(wanted) else float(value)
    except (TypeError, ValueError):
        return None


def to_table(rows: list[dict[str, Any]]) -> pa.Table:
    """The rows as an Arrow table with the declared types; further columns keep the type that Arrow finds in them."""
    names = list(rows[0]) if rows else _CONTRACT
    arrays = []
    for name in names:
        values = [row[name] for row in rows]
        arrays.append(pa.array(values, type=SCHEMA[name]) if name in SCHEMA else pa.array(values))
    return pa.table(arrays, names=names)


def to_csv(rows: list[dict[str, Any]], names: Sequence[str]) -> bytes:
    """The columns ``names`` of the rows as CSV, safe to open in a spreadsheet."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([safe_csv_text(name) for name in names])
    for row in rows:
        cells = (flat(plain(row[name])) for name in names)
        writer.writerow(
            [safe_csv_text(cell) if isinstance(cell, str) else "" if cell is None else cell for cell in cells]
        )
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")
