"""measure keeps to the settings, and its figures to what was planted."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from lacuna.models.diagnosis.novelty import new_or_known
from lacuna.models.metrics.seasons import YEAR, season
from lacuna.models.metrics.trends import rate_trend
from lacuna.models.retrieval.candidates import Candidates
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.steps.measure.demand import demand_tables, surge_of, with_trends
from lacuna.pipelines.steps.measure.searches import searches_by_topic, searches_for
from lacuna.pipelines.steps.measure.step import measure
from lacuna.pipelines.steps.understand.matching import RANKED, WAYS, candidates_table
from tests.support.tables import plant

SEARCHES = pd.DataFrame(
    {
        "searched_at": pd.Timestamp("2024-06-04", tz="UTC"),
        "query": ["brake squeal", "Brake  squeal", "bell", "brake squeal", "brake squeal"],
        "results": pd.array([0, 3, 0, 0, 5], dtype="Int64"),
        "clicked_article_id": pd.array([None, None, None, None, "a1"], dtype="str"),
        "conversation_id": pd.array(["c01", "c02", "c03", None, "c04"], dtype="str"),
        "language": "en",
    }
)


def measured(folder: Path, confidence: float, searches: pd.DataFrame | None = None) -> Job:
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
            "p_failed": [0.9 if i < 10 else 0.1 for i in range(n)],
            "in_window": True,
            "outcome": pd.array(["wrong" if i < 10 else "correct" for i in range(n)], dtype="str"),
            "sample": pd.array(["random"] * n, dtype="str"),
            "cited_first": pd.array(["a1" if i < 20 else "a2" for i in range(n)], dtype="str"),
            "csat": [4.0 if i % 2 else 5.0 for i in range(n)],
            "fallbacks": 0,
            "answered": True,
        }
        | {
            name: pd.array([None] * n, dtype="str")
            for name in ("predicted_intent", "product", "language", "customer_id")
        }
    )
    plant(job, "understand/facts", facts)
    tags = facts[["conversation_id", "outcome", "sample"]].assign(true_intent=pd.array([None] * n, dtype="str"))
    plant(job, "redact/outcomes", tags)
    plant(job, "redact/searches", searches if searches is not None else SEARCHES.iloc[:0])
    vectors = [[1.0, 0.0] if i < 20 else [0.0, 1.0] for i in range(n)]
    ids = facts["conversation_id"]
    asked = pd.DataFrame({"conversation_id": ids, "question": "brakes", "language": facts["language"]})
    plant(job, "understand/questions", asked)
    plant(job, "understand/vectors", pd.DataFrame({"conversation_id": ids, "vector": vectors}))
    by_article = np.array(vectors, dtype=np.float32)
    plant(job, "understand/match", candidates_table(ids, Candidates.whole(dict.fromkeys(WAYS, by_article), RANKED)))
    plant(
        job,
        "understand/assignments",
        pd.DataFrame(
            {
                "conversation_id": [*facts["conversation_id"], "c00", "elsewhere"],
                "topic_id": ["t-1"] * n + ["t-2", "t-2"],
                "subtopic_id": ["s-1"] * n + ["s-2", "s-2"],
                "subtopic_core": [True] * n + [False] * 2,
                "state": ["core"] * n + ["nearest"] * 2,
                "question_number": [1] * n + [2, 2],
            }
        ),
    )
    labels = ["Brakes squeal", "Bell is loose"]
    plant(job, "understand/topics", pd.DataFrame({"topic_id": ["t-1", "t-2"], "label": labels}))
    plant(job, "understand/subtopics", pd.DataFrame({"subtopic_id": ["s-1", "s-2"], "topic_id": ["t-1", "t-2"]}))
    articles = {"article_id": ["a1", "a2"], "title": ["One", "Two"], "body": "Text", "status": "published"}
    plant(job, "load/articles", pd.DataFrame(articles))
    plant(job, "redact/messages", pd.DataFrame(columns=["conversation_id", "position", "role", "text"]))
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
    for by in ("all", "topic"):
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
    assert (topic["label_name"], topic["n_tagged"], topic["conversations"]) == ("Brakes squeal", 40, 40)
    assert topic["low"] < 0.7 < topic["high"]


def test_demand_where_no_topic_was_made(tmp_path: Path) -> None:
    """Without topics there is no demand: the tables are empty, with all their columns."""
    job = measured(tmp_path, 0.95)
    demand = job.read("measure/demand")
    for table in ("topics", "subtopics"):
        plant(job, f"understand/{table}", job.read(f"understand/{table}").head(0))
    empty = demand_tables(job)
    assert [len(table) for table in empty.values()] == [0, 0]
    assert list(empty["demand"].columns) == list(demand.columns)
    assert [row["conversations"] for row in demand["weekly"][0]] == [40]


def test_searches_in_vain_join_the_topic_of_their_ticket_and_are_counted_apart(tmp_path: Path) -> None:
    """No result or no click, and then a ticket: three searches of a topic, whose conversations stay forty."""
    job = measured(tmp_path, 0.95, SEARCHES)
    topic_searches = searches_by_topic(job.read("measure/searches"), job.days).loc["t-1"]
    assert (topic_searches["searches"], topic_searches["searches_a_week"]) == (3, 3.0)
    assert topic_searches["queries"] == [{"query": "Brake  squeal", "count": 2}, {"query": "bell", "count": 1}]
    assert job.read("measure/demand").iloc[0]["reached"] == 40


def test_a_gap_s_searches_are_those_of_its_topics_and_before_its_conversations(tmp_path: Path) -> None:
    """Each counts once, those of other topics and of other weeks don't."""
    job = measured(tmp_path, 0.95, SEARCHES)
    searches = job.read("measure/searches")
    conversation = searches.loc[searches["topic_id"].eq("t-1") & searches["in_window"], "conversation_id"].iloc[0]
    assert searches_for(searches, {"s-1"}, {conversation})["searches"] == 3
    assert (
        searches_for(searches, set(), {conversation})["searches"]
        == searches["conversation_id"].eq(conversation).sum()
        == 1
    )
    assert searches_for(searches.assign(in_window=False), {"s-1"}, {conversation}) == {"searches": 0, "queries": []}


def moving(rising: int, seed: int = 0) -> pd.DataFrame:
    """Demand of 60 topics over 26 weeks, of which the first few double and the others only vary."""
    rng = np.random.default_rng(seed)
    level = [np.linspace(10, 30, 26) if i < rising else np.full(26, 15.0) for i in range(60)]
    return pd.DataFrame({"season": None, "counts": [rng.poisson(mean) for mean in level]})


def test_of_many_topics_that_only_vary_hardly_any_is_said_to_rise() -> None:
    """Sixty p-values below 0.05 three times by chance; adjusted together, none is left in ten tries but one."""
    flat = [with_trends(moving(0, seed), np.full(26, 1000.0)) for seed in range(10)]
    n_moving = [sum(t["direction"] != "flat" for t in table["trend"]) for table in flat]
    assert sum(n_moving) <= 2
    trends = with_trends(moving(6), np.full(26, 1000.0))["trend"]
    assert [t["direction"] for t in trends[:6]] == ["up"] * 6
    assert sum(t["direction"] != "flat" for t in trends[6:]) <= 1


def many_thin(seed: int, rising: bool) -> pd.DataFrame:
    """Demand of 150 topics of two conversations and nine that only vary, and before them one that rises or varies."""
    rng = np.random.default_rng(seed)
    first = rng.poisson(np.linspace(0.5, 5, 26) if rising else np.full(26, 3.0))
    rest = [*rng.multinomial(2, np.full(26, 1 / 26), 150), *rng.poisson(2, (9, 26))]
    return pd.DataFrame({"season": None, "counts": [first, *rest]})


def test_a_rising_topic_is_not_lost_among_topics_too_thin_to_rise() -> None:
    """Topics of two conversations can't rise, so they don't count against one that does; luck alone hardly does."""
    tables = [many_thin(seed, rising=True) for seed in range(12)]
    trends = [with_trends(table, np.full(26, 1000.0))["trend"] for table in tables]
    p_values = [false_discovery_control([rate_trend(c).p_value for c in table["counts"]])[0] for table in tables]
    n_up = sum(trend[0]["direction"] == "up" for trend in trends)
    assert n_up >= 10
    assert sum(p < 0.05 for p in p_values) <= n_up - 3
    assert {(t["direction"], t["p_value"]) for trend in trends for t in trend[1:151]} == {("flat", 1.0)}
    level = [with_trends(many_thin(seed, rising=False), np.full(26, 1000.0))["trend"] for seed in range(12)]
    assert sum(any(t["direction"] != "flat" for t in trend) for trend in level) <= 1


def test_what_comes_every_december_does_not_rise_in_december() -> None:
    """Three years of a yearly peak: a season is found with its week, and no trend is."""
    weeks = np.arange(160)
    counts = np.random.default_rng(1).poisson(12 * np.exp(1.2 * np.cos(2 * np.pi * (weeks - 50) / YEAR)))
    yearly = season(counts, np.full(160, 500.0), weeks % YEAR)
    assert yearly is not None
    assert abs(yearly.peak_week - 50) < 3
    table = pd.DataFrame({"season": [yearly, None], "counts": [counts, np.random.default_rng(2).poisson(9, 160)]})
    with_season = with_trends(table, np.full(160, 500.0))
    assert with_season["season"].iloc[0]["ratio"] > 5
    assert with_season["trend"].iloc[0]["direction"] == "flat"
    assert season(counts[:80], np.full(80, 500.0), weeks[:80] % YEAR) is None


def test_a_topic_is_known_where_an_article_has_answered_it() -> None:
    """Answered from an article: known; never tried: new; tried in vain: unclear; mostly a missing gap: new."""
    topics = ["known"] * 4 + ["untried"] * 4 + ["vain"] * 4 + ["gap"] * 4 + ["part"] * 4
    facts = pd.DataFrame({"topic_id": topics, "in_window": True, "agent_cited": [[]] * 20})
    facts["subtopic_id"] = [None] * 12 + ["lost"] * 2 + [None, "late"] + ["late"] + [None] * 3
    facts["cited_first"] = [None if t == "untried" else "a1" for t in topics]
    facts["p_failed"] = [0.1 if t in ("known", "gap", "part") else 0.9 for t in topics]
    topics_table = new_or_known(facts, pd.DataFrame({"kind": ["missing"], "subtopics": [["lost", "late"]]}))
    expected = {"known": "known", "untried": "new", "vain": "unclear", "gap": "new", "part": "known"}
    assert topics_table["novelty"].to_dict() == expected
    assert topics_table["served"].to_dict() == {"known": 4, "untried": 0, "vain": 0, "gap": 4, "part": 4}


def test_the_ratio_of_a_surge_is_that_of_the_counts_beside_it() -> None:
    """Whoever divides the two counts that are shown gets the ratio that is shown."""
    days = pd.date_range("2024-04-08", periods=84).date
    found = surge_of(np.array([1, 0, 1, 2, 0, 1, 1] * 11 + [6] * 7), days)
    assert found is not None
    assert (found["recent"], found["usual"], found["ratio"]) == (42, 6.0, 7.0)
