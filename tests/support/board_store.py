"""A store with one hand-made run and the run before it, for tests of the review board: no pipeline is run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from lacuna.pipelines.board import make_app
from lacuna.pipelines.io.publishing import publishing
from lacuna.pipelines.io.store import write_parquet
from lacuna.pipelines.report.view import ReportData
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.deliveries import remember_contacts
from lacuna.pipelines.state.repository import State, open_state
from tests.support import sample_run
from tests.support.servers import serving
from tests.support.topic_files import questions_of_topics, tree_of_topics, with_parts

TAG_NEXT = pd.DataFrame(
    [
        {"conversation_id": "c-010003", "question": "is it 30 or 60 days?",
         "answer": "You have 30 days.\nAnything else?", "topic_label": "Returns",
         "article_id": "kb-012", "chance": 0.52, "worth": 0.3},
        {"conversation_id": "c-020001", "question": "where is my bill", "answer": "", "topic_label": "Invoices",
         "article_id": "", "chance": 0.48, "worth": 0.2},
    ]
)  # fmt: skip
_COLUMNS = (
    "gap_id", "kind", "topic_id", "article_id", "title", "status", "score", "rank", "first_seen", "last_seen",
    "conversations", "carried", "owner_id",
)  # fmt: skip


def make_store(store: Path, data: ReportData | None = None) -> Path:
    """Write a store with the run 2024-06-30 of ``data`` (the sample by default) and the week before it on record."""
    data = data or sample_run.sample_run()
    store.mkdir(parents=True, exist_ok=True)
    state = open_state(load_settings(), store)
    record(state, "2024-06-23", data.backlog.iloc[1:].assign(last_seen="2024-06-23"), data)
    earlier_gap = data.backlog.iloc[:1].assign(gap_id="g-gone", title="Gift cards that ran out", last_seen="2024-06-23")
    record(state, "2024-06-16", earlier_gap.assign(last_seen="2024-06-16"), data)
    record(state, "2024-06-30", data.backlog, data)
    state.close()
    publish(store, "2024-06-30", data)
    return store


def record(state: State, run_id: str, backlog: pd.DataFrame, data: ReportData) -> None:
    """Record a run's gaps and topics in the state database."""
    topics = (
        data.topics if data.topics is not None and len(data.topics) else pd.DataFrame(columns=["topic_id", "label"])
    )
    registry = topics.assign(
        embedder="lexical", centroid=[b"\0" * 8] * len(topics), members=[["q"]] * len(topics), size=5, last_seen=run_id
    )[["topic_id", "label", "embedder", "centroid", "members", "size", "last_seen"]]
    events = pd.DataFrame(
        {
            "topic_id": registry["topic_id"],
            "event": "birth",
            "related": [[]] * len(registry),
            "shared": 0,
            "cosine": 1.0,
        }
    )
    gaps = backlog.reindex(columns=list(_COLUMNS)) if len(backlog) else pd.DataFrame(columns=list(_COLUMNS))
    state.record_run(run_id, f"hash of {run_id}", registry, gaps.drop_duplicates("gap_id"), events=events)
    if data.owners is not None:
        remember_contacts(state, data.owners)


def publish(store: Path, run_id: str, data: ReportData) -> None:
    """Write a run's folder, as a run does: whole, and in the place of the one that was there."""
    with publishing(store, run_id) as folder:
        topics = data.topics
        if topics is not None and len(topics):
            topics = with_parts(topics)
            write_parquet(folder / "topic_questions.parquet", questions_of_topics(topics))
            (folder / "topic_tree.json").write_text(json.dumps(tree_of_topics(topics)), encoding="utf-8")
        tables = {"backlog": data.backlog, "topics": topics, "kpis": data.kpis, "accuracy": data.accuracy}
        for name, frame in (tables | {"owners": data.owners}).items():
            write_parquet(folder / f"{name}.parquet", pd.DataFrame() if frame is None else frame)
        write_parquet(folder / "transcripts.parquet", transcripts_of(data.backlog))
        sheet = TAG_NEXT.assign(outcome="", true_intent="", tagged_by="", tagged_at="", note="")
        sheet.to_csv(folder / "tag_next.csv", index=False, encoding="utf-8-sig")
        for row in data.backlog.to_dict("records"):
            path = folder / str(row["draft"])
            if isinstance(row["draft"], str) and path.resolve().is_relative_to(folder.resolve()):
                path.parent.mkdir(parents=True, exist_ok=True)
                quote = "".join(f"\n> {example['quote']}\n" for example in row["examples"])
                path.write_text(
                    f"---\ngap_id: {row['gap_id']}\n---\n\n# {row['title']}\n{quote}\n## What to write\n",
                    encoding="utf-8",
                )
        run_json = {"previous_run": "2024-06-23"} | data.run | {"run_id": run_id}
        (folder / "run.json").write_text(json.dumps(run_json), encoding="utf-8")


def transcripts_of(backlog: pd.DataFrame) -> pd.DataFrame:
    """A conversation of five messages for each example of each gap: the bot fails, an agent answers."""
    said = (
        ("bot", "I can't find an answer.", ["kb-012"]), ("customer", "a person please", []),
        ("agent", "Hello <NAME>, I have sent you a second label.", []), ("customer", "<script>alert(1)</script>", []),
    )  # fmt: skip
    rows = [
        {
            "conversation_id": example["conversation_id"], "gap_ids": [gap["gap_id"]],
            "started_at": pd.Timestamp("2024-06-21T10:00:00Z"), "escalated": True, "resolved": False, "csat": 2.0,
            "outcome": "wrong", "abandoned": False, "n_messages": 7,
            "messages": [
                {"role": role, "text": text, "article_ids": cited}
                for role, text, cited in (("customer", example["quote"], []), *said)
            ],
        }
        for gap in backlog.to_dict("records") for example in gap["examples"] if example.get("conversation_id")
    ]  # fmt: skip
    columns = ["conversation_id"]
    return pd.DataFrame(rows, columns=None if rows else columns).drop_duplicates("conversation_id")


def remove_run(store: Path, run_id: str = "2024-06-30") -> None:
    """Take a run's folder away."""
    shutil.rmtree(store / "runs" / run_id)


@contextmanager
def running(store: Path, who: str = "Rita", **board: Any) -> Iterator[str]:
    """Serve a board over a store on a free port of this machine; gives its address. ``board`` overrides settings."""
    settings = load_settings()
    settings = settings.model_copy(update={"board": settings.board.model_copy(update=board)})
    state = open_state(settings, store)
    app = make_app(store, settings, state, who)
    try:
        with serving(app, log_level="error", lifespan="auto", proxy_headers=False) as address:
            yield address
    finally:
        state.close()
