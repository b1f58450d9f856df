"""Worlds with little or nothing in them: a run ends with a report, or with a message that says what to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lacuna.pipelines.run import RunResult, run

pytestmark = pytest.mark.slow

ATTACK = '=HYPERLINK("http://x.example")<script>alert(1)</script>"><img src=x onerror=alert(1)> مرحبا 😀 \u202e'


def small_bundle(folder: Path, texts: list[str], escalated: bool, articles: int = 3, text: str = "") -> Path:
    """A bundle with one conversation for each text, all in one month, and a few articles."""
    bundle = folder / "bundle"
    bundle.mkdir(parents=True)
    start = datetime(2024, 6, 3, 9, tzinfo=UTC)
    conversations, messages = [], []
    for i, words in enumerate(texts):
        key = f"c-{i:03}"
        conversations.append(
            {
                "conversation_id": key,
                "started_at": start + timedelta(hours=5 * i),
                "escalated": escalated,
                "customer_id": f"u-{i}",
                "product": text or "bikes",
                "predicted_intent": text or "brakes",
            }
        )
        cited = [f"kb-{i % articles}"] if articles and not escalated else []
        messages += [
            {
                "conversation_id": key,
                "position": 0,
                "role": "customer",
                "text": words,
                "article_ids": [],
                "is_fallback": None,
            },
            {
                "conversation_id": key,
                "position": 1,
                "role": "bot",
                "text": "Here you are." + text,
                "article_ids": cited,
                "is_fallback": not cited,
            },
            {
                "conversation_id": key,
                "position": 2,
                "role": "agent",
                "article_ids": [],
                "is_fallback": None,
                "text": "We send a new part within five days, please keep the old one." + text,
            },
        ]
    kb = [
        {"article_id": f"kb-{i}", "title": f"Article {i} {text}", "body": f"# Part {i}\nAll about part {i}. {text}"}
        for i in range(articles)
    ]
    pd.DataFrame(conversations).to_parquet(bundle / "conversations.parquet")
    pd.DataFrame(messages).to_parquet(bundle / "messages.parquet")
    pd.DataFrame(kb, columns=["article_id", "title", "body"]).astype("str").to_parquet(bundle / "articles.parquet")
    return bundle


def with_conversations_of(bundle: Path, other: Path) -> Path:
    """The bundle with another one's conversations as well."""
    for table in ("conversations", "messages"):
        more = pd.read_parquet(other / f"{table}.parquet")
        more["conversation_id"] = "h" + more["conversation_id"]
        pd.concat([pd.read_parquet(bundle / f"{table}.parquet"), more]).to_parquet(bundle / f"{table}.parquet")
    return bundle


def mine(bundle: Path, store: Path, folder: Path, more: str = "") -> RunResult:
    """Run with the small embedder, which needs no model, and with ``more`` settings."""
    config = folder / "lexical.toml"
    config.write_text(f'[embedder]\nname = "lexical"\n{more}')
    return run(str(bundle), store, config=str(config))


WORLDS: dict[str, dict[str, Any]] = {
    "one conversation": {"texts": ["my brakes squeal"], "escalated": True},
    "nobody fails": {"texts": ["how do I adjust my brakes"] * 30, "escalated": False},
    "no article": {
        "texts": [f"the chain of my bike fell off again {i}" for i in range(20)],
        "escalated": True,
        "articles": 0,
    },
    "one article": {
        "texts": [f"the chain of my bike fell off again {i}" for i in range(20)],
        "escalated": True,
        "articles": 1,
    },
    "greetings only": {"texts": ["hello", "hi", "hallo", "…"], "escalated": True},
    "the same words": {"texts": ["where is my parcel"] * 40, "escalated": True},
}


@pytest.mark.parametrize("name", WORLDS)
def test_small_world_ends_with_a_report(tmp_path: Path, name: str) -> None:
    """However little there is to find, the run is published and its files can be read."""
    result = mine(small_bundle(tmp_path, **WORLDS[name]), tmp_path / "store", tmp_path)
    run_json = json.loads((result.folder / "run.json").read_text(encoding="utf-8"))
    assert run_json["backlog"]["gaps"] == len(result.backlog)
    assert "</html>" in (result.folder / "report.html").read_text(encoding="utf-8")


def test_failing_topic_without_articles_is_missing(tmp_path: Path) -> None:
    """Twenty people with one problem and no knowledge base make one missing article, and nobody owns it."""
    healthy = [f"please tell me the opening hours on day {i}" for i in range(40)]
    bundle = small_bundle(tmp_path / "a", [f"my chain fell off the bike again {i}" for i in range(20)], escalated=True)
    bundle = with_conversations_of(bundle, small_bundle(tmp_path / "b", healthy, escalated=False))
    rows = mine(bundle, tmp_path / "store", tmp_path).backlog.to_dict("records")
    assert [(row["kind"], row["conversations"]) for row in rows] == [("missing", 20)]
    assert "unowned" in rows[0]["owner_reason"]


def test_a_run_without_a_question_remembers_topics(tmp_path: Path) -> None:
    """A month in which nobody asked anything is published, and the topics of before end with it."""
    mine(small_bundle(tmp_path / "a", **WORLDS["one article"]), tmp_path / "store", tmp_path)
    silent = small_bundle(tmp_path / "b", ["?"] * 10, escalated=True)
    messages = pd.read_parquet(silent / "messages.parquet")
    messages[messages["role"] != "customer"].to_parquet(silent / "messages.parquet")
    later = pd.read_parquet(silent / "conversations.parquet")
    later["started_at"] += timedelta(days=40)
    later.to_parquet(silent / "conversations.parquet")
    result = mine(silent, tmp_path / "store", tmp_path)
    assert pd.read_parquet(result.folder / "topics.parquet").empty
    assert "</html>" in (result.folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "warned"), [("one conversation", True), ("the same words", False)])
def test_a_run_warns_of_many_questions_in_no_topic(tmp_path: Path, name: str, warned: bool) -> None:
    """Where most questions are like no other, run.json says so; where all are in a topic, it does not."""
    result = mine(small_bundle(tmp_path, **WORLDS[name]), tmp_path / "store", tmp_path)
    warnings = json.loads((result.folder / "run.json").read_text(encoding="utf-8"))["warnings"]
    assert any(warning["rule"] == "topics.unassigned_at_most" for warning in warnings) == warned


def test_a_run_warns_of_an_endpoint_that_names_no_topic(tmp_path: Path) -> None:
    """Where nobody answers at the endpoint, run.json says that the names are the run's own."""
    bundle = small_bundle(tmp_path, **WORLDS["the same words"])
    result = mine(bundle, tmp_path / "store", tmp_path, '[labels]\nendpoint = "http://127.0.0.1:9/v1"\nmodel = "m"\n')
    warnings = json.loads((result.folder / "run.json").read_text(encoding="utf-8"))["warnings"]
    silent = [(warning["table"], warning["count"]) for warning in warnings if warning["rule"] == "labels by endpoint"]
    assert silent == [("topics", 1), ("subtopics", 1)]


def test_hostile_text_goes_through_unharmful(tmp_path: Path) -> None:
    """Markup, formulas, emoji and right-to-left text in every field end as text in every file."""
    texts = [f"my chain fell off the bike again {i} {ATTACK}" for i in range(20)]
    result = mine(small_bundle(tmp_path, texts, escalated=True, text=ATTACK), tmp_path / "store", tmp_path)
    page = (result.folder / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    for line in (result.folder / "backlog.csv").read_text(encoding="utf-8-sig").split("\n"):
        assert not line.startswith("=")
