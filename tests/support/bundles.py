"""Small bundles and jobs for the tests of load."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.steps.load.step import load

CONVERSATIONS = [
    {"conversation_id": "c1", "started_at": "2024-06-03T10:00:00Z", "escalated": False, "csat": 5},
    {"conversation_id": "c2", "started_at": "2024-06-04T10:00:00Z", "escalated": True},
    {"conversation_id": "c3", "started_at": "2024-06-05T10:00:00Z", "escalated": False},
]
MESSAGES = [
    {"conversation_id": "c1", "position": 0, "role": "customer", "text": "Where is my parcel?"},
    {"conversation_id": "c1", "position": 1, "role": "bot", "text": "On its way.", "article_ids": ["a1"]},
    {"conversation_id": "c2", "position": 0, "role": "customer", "text": "I want a refund"},
    {"conversation_id": "c3", "position": 0, "role": "customer", "text": "How do I log in?"},
]
ARTICLES = [
    {"article_id": "a1", "title": "Track a parcel", "body": "Use the link."},
    {"article_id": "a2", "title": "Refunds", "body": "Within 30 days."},
]


def jsonl(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_bundle(folder: Path, **files: str | bytes | list[dict[str, Any]] | None) -> str:
    """Write a bundle of three small tables.

    A key such as ``articles`` replaces that table's rows, one such as ``articles_csv`` replaces its file by
    ``articles.csv`` with that content, and None leaves the table out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables: dict[str, Any] = {"conversations": CONVERSATIONS, "messages": MESSAGES, "articles": ARTICLES}
    for key, content in files.items():
        table, _, ending = key.rpartition("_") if key.endswith(("_csv", "_jsonl")) else (key, "", "")
        if ending:
            tables.pop(table, None)
            data = content if isinstance(content, bytes) else str(content).encode()
            (folder / f"{table}.{ending}").write_bytes(data)
        elif content is None:
            tables.pop(table, None)
        else:
            tables[table] = content
    for table, rows in tables.items():
        (folder / f"{table}.jsonl").write_text(jsonl(rows), encoding="utf-8")
    return str(folder)


def make_job(bundle: str, store: Path, start: str = "2024-06-01", end: str = "2024-06-28", **limits: float) -> Job:
    """A job with every table's limit at 1 unless given, so that single bad rows don't stop small bundles."""
    settings = load_settings(None)
    every = dict.fromkeys(settings.contract.limits, 1.0) | limits
    contract = settings.contract.model_copy(update={"limits": every})
    settings = settings.model_copy(update={"contract": contract})
    return Job(bundle, store, date.fromisoformat(start), date.fromisoformat(end), None, settings)


def loaded(tmp_path: Path, **files: Any) -> Job:
    """The job after `load` of a bundle as by :func:`write_bundle`."""
    job = make_job(write_bundle(tmp_path / "bundle", **files), tmp_path / "store")
    load(job)
    return job
