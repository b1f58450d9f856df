"""The benchmarks' command line, and the draws that one of them makes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.bench.__main__ import parse
from tests.bench.simulation import PLANTED, Pool, draw


@pytest.mark.parametrize("words", [[], ["steps"]])
def test_the_steps_are_measured_where_nothing_is_named(words: list[str]) -> None:
    """`make bench` says no word, and gets the time and memory of each step."""
    assert parse(words).what == "steps"


def test_each_benchmark_is_asked_for_by_name() -> None:
    """Options belong to their benchmark."""
    assert parse(["replays", "--tags", "0.1"]).tags == 0.1
    assert parse(["replays", "--without", "csat"]).without == "csat"
    assert parse(["ablations"]).what == "ablations"
    assert parse(["topics", "--embedder", "lexical"]).embedder == "lexical"
    assert parse(["embedding", "a-folder"]).names == ["a-folder"]
    assert parse(["simulated", "--draws", "7"]).draws == 7


@pytest.fixture(scope="module")
def pool() -> Pool:
    """Fourteen articles with forty questions each, and as many questions again of which nobody knows the article."""
    articles = [f"kb-{i:02}" for i in range(14)]
    n = 40 * len(articles)
    start = pd.Timestamp("2023-01-01", tz="UTC")
    questions = pd.DataFrame(
        {
            "started_at": [start + pd.Timedelta(hours=20 * i) for i in range(2 * n)],
            "question": [f"question {i}" for i in range(2 * n)],
            "article": [articles[i % 14] if i < n else None for i in range(2 * n)],
            "intent": "settings",
            "escalated": False,
            "resolved": True,
        },
        index=pd.Index([f"c-{i:04}" for i in range(2 * n)], name="conversation_id"),
    )
    messages = pd.DataFrame(
        {
            "conversation_id": questions.index,
            "position": 2,
            "role": "agent",
            "text": "Do this.",
            "sent_at": start,
            "article_ids": None,
        }
    )
    bodies = [f"See Title {(i + 1) % 14:02}. for more." for i in range(14)]
    titles = [f"Title {i:02}." for i in range(14)]
    search = np.random.default_rng(0).random((2 * n, 14))
    chances = {"correct": 0.07, "partial": 0.55, "wrong": 0.8, "no_answer": 0.93}
    truth = {
        "window": ["2023-01-01", "2024-06-30"], "min_linked": 8, "owner_of_article": {},
        "confusions": [["settings", "customization"]],
        "probabilities": {
            "missing_cites_wrong": 0.6, "unfindable_cites": 0.15, "normal_cites": 0.82, "else_cites_wrong": 0.6,
            "distractor_cites": 0.6, "distractor_correct": 0.5, "escalated": chances, "csat_present": 0.25,
            "csat_mean": {"correct": 4.4, "partial": 3.2, "wrong": 2.1, "no_answer": 2.3}, "csat_sd": 0.7,
            "handle_median_s": 600, "handle_sigma": 0.7, "tag_escalated": 0.45, "tag_random": 0.07, "tag_noise": 0.06,
            "misclassified": 0.5, "stale_after": {"wrong": 0.8, "partial": 0.15, "correct": 0.05},
        },
    }  # fmt: skip
    return Pool(
        questions[:n], questions[n:], messages,
        pd.DataFrame({"article_id": articles, "title": titles, "summary": "", "body": bodies, "updated_at": start}),
        pd.DataFrame({"article_id": articles, "revised_at": start, "approved": True}),
        pd.DataFrame({"owner_id": ["o"], "areas": [[f"article:{a}" for a in articles]]}),
        truth, pd.DataFrame(search, questions.index, articles), {},
    )  # fmt: skip


def test_a_draw_is_the_same_for_the_same_seed(pool: Pool) -> None:
    """Two designs can be compared draw by draw."""
    one, other = draw(pool, 3), draw(pool, 3)
    assert one[1] == other[1]
    assert all(one[0][name].equals(other[0][name]) for name in one[0])
    assert draw(pool, 4)[1]["missing"] != one[1]["missing"]


def test_withheld_articles_leave_no_trace(pool: Pool) -> None:
    """Neither an article, a citation, a revision, an owner nor another article's link tells of it."""
    tables, truth = draw(pool, 3)
    assert {kind: len(truth[kind]) for kind in PLANTED} == PLANTED
    for article in truth["missing"]:
        assert article not in set(tables["articles"]["article_id"]) | set(tables["article_revisions"]["article_id"])
        assert (
            not tables["messages"]["article_ids"].map(lambda ids, a=article: isinstance(ids, list) and a in ids).any()
        )
        assert f"article:{article}" not in tables["owners"]["areas"].iloc[0]
        assert not tables["articles"]["body"].str.contains(f"Title {article[-2:]}.", regex=False).any()


def test_the_bot_cites_each_kind_as_often_as_the_readme_says(pool: Pool) -> None:
    """Healthy articles four times in five, unfindable ones hardly ever; what went stale fails from its day on."""
    reached: dict[str, list[bool]] = {"healthy": [], "unfindable": []}
    late: list[bool] = []
    for seed in range(4):
        tables, truth = draw(pool, seed)
        bot = tables["messages"][tables["messages"]["role"].eq("bot")].set_index("conversation_id")
        cited = bot["article_ids"].map(lambda ids: ids[0] if ids else None)
        assert bot["is_fallback"].eq(cited.isna()).all()
        assert 0.2 < cited.isna().mean() < 0.4
        conversations = tables["conversations"].set_index("conversation_id")
        for conversation, article in truth["conversation_article"].items():
            kind = next((k for k in PLANTED if article in truth[k]), "healthy")
            if kind in reached:
                reached[kind].append(cited[conversation] == article)
            if (
                kind == "stale"
                and cited[conversation] == article
                and conversations["started_at"][conversation].year == 2024
            ):
                late.append(bool(conversations["escalated"][conversation]))
    assert np.mean(reached["healthy"]) == pytest.approx(0.82, abs=0.04)
    assert np.mean(reached["unfindable"]) == pytest.approx(0.15, abs=0.05)
    assert np.mean(late) == pytest.approx(0.8 * 0.8 + 0.15 * 0.55 + 0.05 * 0.07, abs=0.1)
