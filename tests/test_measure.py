"""measure keeps to the settings, and its figures to what was planted."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from pipelines.job import Job
from pipelines.measure import measure
from pipelines.settings import load_settings


def measured(folder: Path, confidence: float) -> Job:
    """A job after measure, with 40 conversations of one topic in one week, 10 of them escalated and tagged wrong."""
    settings = load_settings(None)
    accuracy = settings.accuracy.model_copy(update={"confidence": confidence})
    settings = settings.model_copy(update={"accuracy": accuracy})
    job = Job("bundle", folder, date(2024, 6, 3), date(2024, 6, 9), None, settings)
    n = 40
    facts = pd.DataFrame(
        {
            "conversation_id": [f"c{i:02d}" for i in range(n)],
            "started_at": pd.Timestamp("2024-06-03", tz="UTC"),
            "week": "2024-06-03",
            "escalated": [i < 10 for i in range(n)],
            "failed": [0.9 if i < 10 else 0.1 for i in range(n)],
            "in_window": True,
            "outcome": pd.array(["wrong" if i < 10 else "correct" for i in range(n)], dtype="str"),
            "sample": pd.array(["random"] * n, dtype="str"),
            "cited_first": pd.array(["a1" if i < 20 else "a2" for i in range(n)], dtype="str"),
            "csat": [4.0 if i % 2 else 5.0 for i in range(n)],
        }
        | {
            name: pd.array([None] * n, dtype="str")
            for name in ("predicted_intent", "product", "language", "customer_id")
        }
    )
    job.write("understand/facts", facts)
    job.write(
        "understand/assignments",
        pd.DataFrame(
            {
                "conversation_id": [*facts["conversation_id"], "c00", "elsewhere"],
                "topic_id": ["t-1"] * n + ["t-2", "t-2"],
                "state": ["core"] * n + ["nearest"] * 2,
                "question_number": [1] * n + [2, 2],
            }
        ),
    )
    labels = ["Brakes squeal", "Bell is loose"]
    job.write("understand/topics", pd.DataFrame({"topic_id": ["t-1", "t-2"], "label": labels}))
    job.write("load/articles", pd.DataFrame({"article_id": ["a1", "a2"], "title": ["One", "Two"]}))
    measure(job)
    return job


def test_every_interval_has_the_confidence_that_is_set(tmp_path: Path) -> None:
    """A lower confidence narrows the intervals of the KPIs and of accuracy."""
    narrow, wide = (measured(tmp_path / str(c), c) for c in (0.8, 0.95))
    for ratio in ("escalation_ratio", "resolution_accuracy", "csat_self_service"):
        spread = [
            float((job.read("measure/kpis")[f"{ratio}_high"] - job.read("measure/kpis")[f"{ratio}_low"]).iloc[0])
            for job in (narrow, wide)
        ]
        assert spread[0] < spread[1], ratio
    for by in ("topic", "article"):
        tables = [job.read("measure/accuracy").set_index("by").loc[[by]] for job in (narrow, wide)]
        first, second = ((t["high"] - t["low"]).sum() for t in tables)
        assert first < second, by


def test_a_topic_s_demand_and_accuracy_are_those_of_its_conversations(tmp_path: Path) -> None:
    """Forty conversations of which ten fail are a rate of forty a week, three quarters of them right."""
    job = measured(tmp_path, 0.95)
    demand = job.read("measure/demand").iloc[0]
    assert (demand["reached"], demand["weekly_rate"], round(demand["failed"], 6)) == (40, 40.0, 12.0)
    other = job.read("measure/demand").iloc[1]
    assert (other["reached"], other["also"], other["weekly_rate"], other["failed"]) == (0, 1, 1.0, 0.0)
    topic = job.read("measure/accuracy").query("by == 'topic'").iloc[0]
    assert (topic["label_name"], topic["labels"], topic["conversations"]) == ("Brakes squeal", 40, 40)
    assert topic["low"] < 0.7 < topic["high"]
