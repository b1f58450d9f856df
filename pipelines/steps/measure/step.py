"""measure: accuracy against tags, demand and trend by topic, and the week's KPIs."""

from __future__ import annotations

from lacuna.models.accuracy import kpis
from lacuna.models.accuracy.vendor_audit import vendor_audit
from lacuna.models.metrics.small_groups import without_small_groups
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.measure.accuracy import accuracy_table, calibration_table, tagged_facts
from lacuna.pipelines.steps.measure.demand import demand_tables
from lacuna.pipelines.steps.measure.intents import intent_confusion, intent_suspects
from lacuna.pipelines.steps.measure.searches import failed_searches

# What is needed of each conversation, of understand/facts.
_FACTS = [
    "conversation_id", "started_at", "escalated", "channel", "language", "product", "region", "customer_id", "resolved",
    "predicted_intent", "intent_confidence", "csat", "vendor_score", "handle_seconds", "cited_first", "handoff_request",
    "frustration", "rephrasing", "repeated_fallback", "fallbacks", "account_action", "policy_handoff", "thanked",
    "abandoned", "outcome", "answered", "week", "in_window",
]  # fmt: skip
_ADDED = ["topic_id", "subtopic_id", "state", "right", "tag_sample", "feedback"]


def measure(job: Job) -> None:
    """Write measure/{facts,accuracy,calibration,vendor_audit,demand,subtopic_demand,searches,intents,suspects,kpis}."""
    assigned = job.read(
        "understand/assignments", ["conversation_id", "question_number", "topic_id", "subtopic_id", "state"]
    )
    main = assigned[assigned["question_number"] == 1].drop(columns="question_number")
    facts = job.read("understand/facts", _FACTS).merge(main, how="left", on="conversation_id")
    del assigned, main
    topics = job.read("understand/topics")
    labels = dict(zip(topics["topic_id"], topics["label"], strict=True))
    articles = job.read("load/articles").drop_duplicates("article_id")
    titles = dict(zip(articles["article_id"], articles["title"], strict=True))
    confidence = job.settings.accuracy.confidence
    facts, chances = tagged_facts(job, facts)
    job.write_extended("measure/facts", facts[_ADDED])
    names = {"topic": labels, "article": titles}
    least = job.settings.topics.min_customers
    job.write("measure/kpis", kpis.weekly_kpis(facts, job.settings.cost, confidence, chances, least))
    facts = without_small_groups(facts, [*kpis.SEGMENTS, "predicted_intent"], least, facts["in_window"])
    job.write("measure/accuracy", accuracy_table(facts, chances, names, job.start_ts, job.days, confidence))
    job.write("measure/calibration", calibration_table(facts, chances, confidence))
    job.write("measure/vendor_audit", vendor_audit(facts[facts["in_window"]], labels, confidence))
    for table, demand in demand_tables(job).items():
        job.write(f"measure/{table}", demand)
    job.write("measure/searches", failed_searches(job, facts))
    job.write("measure/intents", intent_confusion(job, facts))
    job.write("measure/suspects", intent_suspects(job, facts))
