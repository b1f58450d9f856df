"""Why a run found no gap, from the tables of its steps; every rendering reads the same words from run.json."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd

from lacuna.models.accuracy.priors import has_healthy_rest
from lacuna.models.diagnosis.no_gap_reason import RunFindings, no_gap_reason
from lacuna.models.topics.failure_tree import excess, usual_failure
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.diagnose.context import FAILED, MIN_FAILED
from lacuna.pipelines.steps.understand.matching import live_articles

__all__ = ["no_gap"]

_FACTS = [
    "conversation_id", "subtopic_id", "customer_id", "escalated", "answered", "outcome", "p_failed", "in_scope",
    "in_window",
]  # fmt: skip


def no_gap(job: Job, gaps: int) -> dict[str, str] | None:
    """Why the run has no gap, as it stands in run.json (rule, why, step); None where it has some."""
    return None if gaps else asdict(no_gap_reason(_run_findings(job)))


def _run_findings(job: Job) -> RunFindings:
    facts = job.read("measure/facts", _FACTS)
    window = facts[facts["in_window"]]
    asking = window[
        window["conversation_id"].isin(job.read("understand/questions", ["conversation_id"])["conversation_id"])
    ]
    failed = asking[asking["in_scope"] & asking["p_failed"].gt(FAILED)]
    by_topic = failed["subtopic_id"].value_counts()
    topics = asking["subtopic_id"].nunique()
    no_article = pd.DataFrame(job.read_json("diagnose/not_content"), columns=["subtopic_id", "reason", "conversations"])
    comparable = has_healthy_rest(window)
    above_usual = _above_usual(job, window, by_topic, comparable)
    open_question = {topic: gain for topic, gain in above_usual.items() if topic not in set(no_article["subtopic_id"])}
    clearest = max(open_question, key=lambda topic: (open_question[topic], topic), default="")
    labels = job.read("understand/subtopics").set_index("subtopic_id")["label"]
    thresholds = job.settings.topics
    customer_ids = asking["customer_id"]
    no_article_counts = no_article.groupby("reason")["conversations"].sum()
    return RunFindings(
        conversations=len(window),
        asking=len(asking),
        failed=len(failed),
        escalated=int(window["escalated"].fillna(False).sum()),
        articles=len(live_articles(job)),
        customers=int(customer_ids.nunique() + customer_ids.isna().sum()),
        topics=int(topics),
        largest=int(by_topic.max()) if len(by_topic) else 0,
        above=len(above_usual),
        needed_failed=MIN_FAILED,
        needed_questions=thresholds.min_questions,
        needed_customers=thresholds.min_customers,
        not_content={str(reason): int(count) for reason, count in no_article_counts.items()},
        not_content_topics=len(no_article),
        label=str(labels[clearest]) if clearest else "",
        share=float(asking.loc[asking["subtopic_id"].eq(clearest), "p_failed"].mean()) if clearest else 0.0,
        usual=usual_failure(window["p_failed"]),
        evidence=open_question.get(clearest, 0.0),
        needed_evidence=job.settings.diagnosis.excess_evidence,
        comparable=comparable,
    )


def _above_usual(job: Job, window: pd.DataFrame, failed: pd.Series, comparable: bool) -> dict[str, float]:
    """The topics with enough failed conversations that fail more than usual, with the log-likelihood by which."""
    demand = job.read("measure/subtopic_demand").set_index("subtopic_id")
    usual = usual_failure(window["p_failed"])
    frequent = [str(topic) for topic, count in failed.items() if count >= MIN_FAILED]
    gains = {topic: excess(demand["failed"][topic], max(demand["reached"][topic], 1), usual) for topic in frequent}
    return {topic: gain for topic, gain in gains.items() if gain > 0 or not comparable}
