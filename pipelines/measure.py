"""measure: accuracy against tags, demand and trend by topic, and the week's KPIs."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd

from models import intervals, kpis
from models.accuracy import FAILED
from pipelines.job import Job

# Some hundred topics are looked at every week: one in a thousand keeps false alarms to one in ten weeks.
SURGE_P, SURGE_RATIO = 0.001, 2.0


def measure(job: Job) -> None:
    """Write measure/{facts,accuracy,demand,kpis}."""
    assigned = job.read("understand/assignments")
    main = assigned["question_number"] == 1
    facts = job.read("understand/facts").merge(
        assigned.loc[main, ["conversation_id", "topic_id", "state"]], how="left", on="conversation_id"
    )
    further = assigned[~main & assigned["conversation_id"].isin(facts.loc[facts["in_window"], "conversation_id"])]
    topics = job.read("understand/topics")
    labels = dict(zip(topics["topic_id"], topics["label"], strict=True))
    articles = job.read("load/articles").drop_duplicates("article_id")
    titles = dict(zip(articles["article_id"], articles["title"], strict=True))
    confidence = job.settings.accuracy.confidence
    job.write("measure/facts", facts)
    job.write("measure/accuracy", _accuracy(facts[facts["in_window"]], labels, titles, confidence))
    job.write("measure/demand", _demand(facts, further, list(topics["topic_id"]), job.days))
    job.write("measure/kpis", kpis.weekly_kpis(facts, job.settings.cost, confidence))


def _accuracy(facts: pd.DataFrame, labels: dict[str, str], titles: dict[str, str], confidence: float) -> pd.DataFrame:
    tagged = facts.assign(good=1 - facts["outcome"].map(FAILED).astype(float), estimate=1 - facts["failed"])
    tagged["sampled"] = tagged["sample"].eq("random") & tagged["good"].notna()
    parts = []
    ways = {"topic": "topic_id", "article": "cited_first", "intent": "predicted_intent"}
    for by, column in (ways | {"product": "product", "language": "language", "week": "week"}).items():
        groups = tagged[tagged[column].notna()].groupby(column, sort=True)
        if not groups.ngroups:
            continue
        part = groups.agg(
            conversations=("conversation_id", "size"),
            labels=("good", "count"),
            right=("good", "sum"),
            estimate=("estimate", "sum"),
            sampled=("sampled", "sum"),
            escalated=("escalated", lambda e: float(e.fillna(False).astype(float).mean())),
        ).reset_index(names="key")
        # Tags lie mostly on escalated conversations; every conversation's own chance keeps the healthy ones counted.
        mean, low, high = intervals.beta_binomial_pool(
            part["estimate"].to_numpy(), part["conversations"].to_numpy(), confidence=confidence
        )
        part["accuracy"], part["low"], part["high"] = mean, low, high
        part["basis"] = np.where(
            part["sampled"] >= 5, "all", np.where(part["labels"] > 0, "escalated only", "estimated")
        )
        part.insert(0, "by", by)
        name = {"topic": labels, "article": titles}.get(by, {})
        part.insert(2, "label_name", pd.Series([name.get(key, key) for key in part["key"]], dtype="str"))
        parts.append(part.drop(columns=["estimate", "escalated", "sampled", "right"]))
    columns = ["by", "key", "label_name", "conversations", "labels", "accuracy", "low", "high", "basis"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _demand(facts: pd.DataFrame, further: pd.DataFrame, topic_ids: list[str], days: int) -> pd.DataFrame:
    """One row a topic: its weekly series over history and window, its rate in the window, trend and surge.

    ``also`` counts the window's conversations that bring the topic up besides what they are about. They are demand,
    and whether their answer failed is not known of that problem alone.
    """
    weeks = sorted(facts["week"].unique())
    whole = facts.groupby("week")["conversation_id"].size().reindex(weeks, fill_value=0).to_numpy()
    rows = []
    for topic in topic_ids:
        own = facts[facts["topic_id"] == topic]
        counts = own.groupby("week")["conversation_id"].size().reindex(weeks, fill_value=0)
        failed = own.groupby("week")["failed"].sum().reindex(weeks, fill_value=0.0)
        inside = own[own["in_window"]]
        also = int(further["topic_id"].eq(topic).sum())
        rows.append(
            {
                "topic_id": topic,
                "reached": len(inside),
                "failed": float(inside["failed"].sum()),
                "also": also,
                "weekly_rate": (len(inside) + also) / (days / 7),
                "weekly": [
                    {"week": w, "conversations": int(c), "failed": round(float(f), 3)}
                    for w, c, f in zip(weeks, counts, failed, strict=True)
                ],
                "trend": asdict(intervals.rate_trend(counts.to_numpy(), whole)),
                "surge": _surge(own, facts),
            }
        )
    return pd.DataFrame(
        rows, columns=["topic_id", "reached", "failed", "also", "weekly_rate", "weekly", "trend", "surge"]
    )


def _surge(own: pd.DataFrame, facts: pd.DataFrame) -> dict[str, object] | None:
    if own.empty:
        return None
    last = facts["started_at"].max().normalize()
    first = max(facts["started_at"].min().normalize(), last - pd.Timedelta(days=83))
    days = pd.date_range(first, last, freq="D")
    counts = own["started_at"].dt.normalize().value_counts().reindex(days, fill_value=0)
    found = intervals.surge(counts.to_numpy(), last=7)
    if found.started is None or found.p_value > SURGE_P or found.ratio < SURGE_RATIO:
        return None
    return {"started": days[found.started].date().isoformat(), "ratio": found.ratio, "p_value": found.p_value}
