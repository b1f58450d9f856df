"""Stand-ins that several tests share: small tables, one backlog row, a publish that writes it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pandas as pd

from lacuna.models.backlog.gap import Gap
from lacuna.pipelines.io.publishing import publishing
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.state.repository import open_state

Rows = list[dict[str, Any]]
Lacuna = Callable[..., tuple[int, str, str]]


def write_table(folder: Path, table: str, rows: Rows) -> Path:
    """Write ``rows`` as ``<folder>/<table>.jsonl``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{table}.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def make_bundle(within: Path) -> Path:
    """Twelve conversations in the four weeks up to 2024-06-30, two articles, one owner, in ``<within>/bundle``."""
    folder = within / "bundle"
    conversations, messages = [], []
    for i in range(12):
        day = f"2024-06-{30 - 2 * i:02d}"
        question = ["how do I reset my password", "where is my refund", "can I change the delivery address"][i % 3]
        conversations.append(
            {
                "conversation_id": f"c{i:02d}",
                "started_at": f"{day}T09:00:00Z",
                "escalated": i % 2 == 0,
                "customer_id": f"u{i:02d}",
                "language": "en",
                "channel": "chat",
            }
        )
        for position, (role, text) in enumerate(
            [("customer", question), ("bot", "See the article."), ("customer", "no")]
        ):
            messages.append({"conversation_id": f"c{i:02d}", "position": position, "role": role, "text": text})
    write_table(folder, "conversations", conversations)
    write_table(folder, "messages", messages)
    write_table(
        folder,
        "articles",
        [
            {"article_id": "a1", "title": "Reset your password", "body": "Open Settings.", "owner_id": "o1"},
            {"article_id": "a2", "title": "Returns", "body": "Send the parcel back to us.", "owner_id": "o1"},
        ],
    )
    write_table(folder, "owners", [{"owner_id": "o1", "name": "Ada"}])
    return folder


BACKLOG_ROW: dict[str, Any] = {
    "gap_id": "g-1a2b3c",
    "rank": 1,
    "kind": "missing",
    "status": "new",
    "title": "Change the delivery address after ordering",
    "topic_id": "t-1",
    "topic_label": "Change delivery address",
    "article_id": None,
    "nearest_articles": [{"article_id": "a2", "title": "Returns", "similarity": 0.31}],
    "owner_id": "o1",
    "owner_reason": "owns the area 'delivery'",
    "conversations": 40,
    "customers": 38,
    "weekly_rate": 10.0,
    "trend": {"direction": "up", "ratio": 1.5, "p_value": 0.02},
    "failure_rate": 0.8,
    "failure_low": 0.7,
    "failure_high": 0.9,
    "n_tagged": 12,
    "score": 7.2,
    "score_low": 5.0,
    "score_high": 9.0,
    "rank_low": 1,
    "rank_high": 2,
    "cost_avoidable": 54.0,
    "reasons": ["no article is nearer than 0.31 to the 40 questions"],
    "examples": [{"conversation_id": "c02", "quote": "can I change the [bold]delivery[/bold] address"}],
    "conversation_ids": ["c02", "c05"],
    "draft": None,
    "first_seen": "2024-06-30",
    "last_seen": "2024-06-30",
}


def a_gap(**changes: Any) -> Gap:
    """A gap as in ``BACKLOG_ROW``, with changes."""
    return Gap.from_row(BACKLOG_ROW | changes)


def small_publish(job: Job) -> None:
    """A publish that writes one gap: for tests of what stands around the steps."""
    begun = job.read_json("run")
    row = {**BACKLOG_ROW, "first_seen": job.run_id, "last_seen": job.run_id}
    hold = job.lease.hold if job.lease else nullcontext
    with publishing(job.store, job.run_id, hold) as folder:
        (folder / "backlog.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
        pd.DataFrame([row]).to_parquet(folder / "backlog.parquet")
        (folder / "report.html").write_text("<!doctype html><title>Report</title>", encoding="utf-8")
        (folder / "run.json").write_text(json.dumps({"run_id": job.run_id, **begun}), encoding="utf-8")
    state = open_state(job.settings, job.store)
    gaps = pd.DataFrame([{name: row[name] for name in ("gap_id", "kind", "title", "status", "score", "rank")}])
    require = job.lease.require if job.lease else None
    state.record_run(job.run_id, begun["input_hash"], pd.DataFrame(), gaps, (job.start, job.end), require=require)
    state.close()


small_publish.__name__ = "publish"


@contextmanager
def without_rights() -> Iterator[None]:
    """Be an ordinary user for a while: root may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
