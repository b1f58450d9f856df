"""measure: accuracy against tags, demand and trend by topic, and the week's KPIs."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from lacuna.models.accuracy import kpis
from lacuna.models.metrics import seasons, trends
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.measure.accuracy import accuracy_table, calibration_table, judged
from lacuna.pipelines.steps.measure.intents import intent_confusion, intent_suspects
from lacuna.pipelines.steps.measure.searches import failed_searches

# Some hundred topics are looked at every week: one in a thousand keeps false alarms to one in ten weeks.
SURGE_P, SURGE_RATIO = 0.001, 2.0
FALSE_DISCOVERIES = 0.05


def measure(job: Job) -> None:
    """Write measure/{facts,accuracy,calibration,demand,subtopic_demand,searches,intents,suspects,kpis}."""
    assigned = job.read("understand/assignments")
    main = assigned["question_number"] == 1
    facts = job.read("understand/facts").merge(
        assigned.loc[main, ["conversation_id", "topic_id", "subtopic_id", "state"]], how="left", on="conversation_id"
    )
    further = assigned[~main & assigned["conversation_id"].isin(facts.loc[facts["in_window"], "conversation_id"])]
    topics = job.read("understand/topics")
    labels = dict(zip(topics["topic_id"], topics["label"], strict=True))
    articles = job.read("load/articles").drop_duplicates("article_id")
    titles = dict(zip(articles["article_id"], articles["title"], strict=True))
    confidence = job.settings.accuracy.confidence
    facts, chances = judged(job, facts)
    job.write("measure/facts", facts)
    names = {"topic": labels, "article": titles}
    job.write("measure/accuracy", accuracy_table(facts, chances, names, job.start_ts, job.days, confidence))
    job.write("measure/calibration", calibration_table(facts, chances, confidence))
    for table, key, ids in (
        ("demand", "topic_id", topics["topic_id"]),
        ("subtopic_demand", "subtopic_id", job.read("understand/subtopics")["subtopic_id"]),
    ):
        job.write(f"measure/{table}", _demand(facts, further, key, list(ids), job.days))
    job.write("measure/searches", failed_searches(job, facts))
    job.write("measure/intents", intent_confusion(job, facts))
    job.write("measure/suspects", intent_suspects(job, facts))
    job.write("measure/kpis", kpis.weekly_kpis(facts, job.settings.cost, confidence, chances))


def _demand(facts: pd.DataFrame, further: pd.DataFrame, key: str, ids: list[str], days: int) -> pd.DataFrame:
    """One row a topic or subtopic (``key``): its series over history and window, rate in the window, trend, surge.

    ``also`` counts the window's conversations that bring the topic up besides what they are about. They are demand,
    and whether their answer failed is not known of that problem alone.
    """
    weeks = sorted(facts["week"].unique())
    whole = facts.groupby("week")["conversation_id"].size().reindex(weeks, fill_value=0).to_numpy()
    place = (pd.to_datetime(pd.Series(weeks)).dt.day_of_year.to_numpy() - 1) / 7
    parts = dict(iter(facts.groupby(key)))
    rows = []
    for name in ids:
        own = parts.get(name, facts.iloc[:0])
        counts = own.groupby("week")["conversation_id"].size().reindex(weeks, fill_value=0)
        failed = own.groupby("week")["failed"].sum().reindex(weeks, fill_value=0.0)
        inside = own[own["in_window"]]
        also = int(further[key].eq(name).sum())
        rows.append(
            {
                key: name,
                "reached": len(inside),
                "failed": float(inside["failed"].sum()),
                "also": also,
                "weekly_rate": (len(inside) + also) / (days / 7),
                "weekly": [
                    {"week": w, "conversations": int(c), "failed": round(float(f), 3)}
                    for w, c, f in zip(weeks, counts, failed, strict=True)
                ],
                "season": seasons.season(counts.to_numpy(), whole, place),
                "counts": counts.to_numpy(),
                "surge": _surge(own, facts),
            }
        )
    table = pd.DataFrame(
        rows,
        columns=[key, "reached", "failed", "also", "weekly_rate", "weekly", "season", "counts", "surge"],
    )
    return with_trends(table, whole).drop(columns="counts")


def with_trends(table: pd.DataFrame, whole: np.ndarray) -> pd.DataFrame:
    """The demand with each topic's season and trend, p-values adjusted because all topics are looked at.

    Of the topics that are said to rise, fall or have a season, at most one in twenty does so by chance. A topic of too
    few conversations for any trend to show is not looked at (:func:`models.metrics.trends.adjusted`). A season goes out
    of the trend: what comes every December does not rise in December.
    """
    yearly: list[seasons.Season] = [found for found in table["season"] if found is not None]
    sure = dict(zip((s.p_value for s in yearly), _adjusted([s.p_value for s in yearly]), strict=True))
    slopes, least, kept = [], [], []
    for counts, found in zip(table["counts"], table["season"], strict=True):
        p = 1.0 if found is None else sure[found.p_value]
        clear = found is not None and p < FALSE_DISCOVERIES
        kept.append({"peak_week": found.peak_week, "ratio": found.ratio, "p_value": p} if clear else None)
        offered = whole * found.factor if clear else whole
        slopes.append(trends.rate_trend(counts, offered))
        least.append(trends.least_p(counts.sum(), offered))
    p_values = trends.adjusted([slope.p_value for slope in slopes], least, FALSE_DISCOVERIES)
    told = [
        asdict(slope) | {"p_value": float(p), "direction": slope.direction if p < FALSE_DISCOVERIES else "flat"}
        for slope, p in zip(slopes, p_values, strict=True)
    ]
    return table.assign(
        trend=pd.Series(told, table.index, dtype="object"), season=pd.Series(kept, table.index, dtype="object")
    )


def _adjusted(p_values: list[float]) -> list[float]:
    return [float(p) for p in false_discovery_control(p_values)] if p_values else []


def _surge(own: pd.DataFrame, facts: pd.DataFrame) -> dict[str, object] | None:
    if own.empty:
        return None
    last = facts["started_at"].max().normalize()
    first = max(facts["started_at"].min().normalize(), last - pd.Timedelta(days=83))
    days = pd.date_range(first, last, freq="D")
    counts = own["started_at"].dt.normalize().value_counts().reindex(days, fill_value=0)
    found = trends.surge(counts.to_numpy(), last=7)
    if found.started is None or found.p_value > SURGE_P or found.ratio < SURGE_RATIO:
        return None
    return {"started": days[found.started].date().isoformat(), "ratio": found.ratio, "p_value": found.p_value}
