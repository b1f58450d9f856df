"""Transcripts: of the conversations that gaps quote, redacted, bounded, in order, and of no other."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from lacuna.data_contracts.step_tables import check_step_table, step_tables
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.steps.publish.transcripts import LETTERS, MESSAGES, chosen_conversations, transcripts
from tests.support.standins import a_gap
from tests.support.tables import plant

GAP = a_gap(
    gap_id="g-1", conversation_ids=["c-1", "c-2", "c-3"],
    examples=[{"conversation_id": "c-3", "quote": "why", "count": 1}],
    agent_answers=[{"conversation_id": "c-2", "quote": "so"}], steps=[], passages=[],
)  # fmt: skip


def job_with(folder: Path, of_gap: int) -> Job:
    settings = load_settings()
    settings = settings.model_copy(update={"report": settings.report.model_copy(update={"transcripts": of_gap})})
    job = Job("bundle", folder, date(2024, 6, 3), date(2024, 6, 30), None, settings)
    texts = [("c-3", n, "customer" if n % 2 == 0 else "bot", f"text {n}") for n in reversed(range(MESSAGES + 2))]
    texts += [("c-2", 0, "customer", "x" * 3 * LETTERS), ("c-9", 0, "customer", "of no gap")]
    rows = pd.DataFrame(texts, columns=["conversation_id", "position", "role", "text"])
    plant(job, "redact/messages", rows.assign(article_ids=[["kb-1"] if role == "bot" else [] for role in rows["role"]]))
    ids = ["c-1", "c-2", "c-3", "c-9"]
    plant(job, "measure/facts", pd.DataFrame({"conversation_id": ids, "escalated": [False, True, True, True]}))
    return job


def test_what_the_evidence_quotes_comes_first() -> None:
    """Of more conversations than are published, those that a quote or an answer names are kept."""
    other = a_gap(gap_id="g-2", conversation_ids=["c-3", "c-4"], examples=[], agent_answers=[], steps=[], passages=[])
    assert chosen_conversations([GAP, other], 2) == {"c-3": ["g-1", "g-2"], "c-2": ["g-1"], "c-4": ["g-2"]}
    assert chosen_conversations([GAP], 0) == {}


def test_messages_are_in_order_and_bounded(tmp_path: Path) -> None:
    """A long conversation is cut and says how long it was; a conversation of no gap is not published."""
    table = transcripts(job_with(tmp_path, 2), [GAP])
    check_step_table(step_tables("published")["transcripts"], table)
    rows = {row["conversation_id"]: row for row in table.to_dict("records")}
    assert list(rows) == ["c-2", "c-3"]
    long = rows["c-3"]
    assert [one["text"] for one in long["messages"]] == [f"text {n}" for n in range(MESSAGES)]
    assert long["n_messages"] == MESSAGES + 2
    assert long["messages"][1] == {"role": "bot", "text": "text 1", "article_ids": ["kb-1"]}
    assert len(rows["c-2"]["messages"][0]["text"]) == LETTERS
    assert rows["c-2"]["gap_ids"] == ["g-1"]


def test_none_are_published_where_settings_say_so(tmp_path: Path) -> None:
    """The table is there, and empty."""
    table = transcripts(job_with(tmp_path, 0), [GAP])
    check_step_table(step_tables("published")["transcripts"], table)
    assert table.empty
