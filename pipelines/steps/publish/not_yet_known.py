"""What is too thin to judge, and when it could be told: topics, fixes, and the vendor's metrics."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from statistics import NormalDist
from typing import Any

import pandas as pd
from scipy.special import logit

from lacuna.models.accuracy.priors import has_healthy_rest
from lacuna.models.accuracy.vendor_audit import LEAST_TAGS
from lacuna.models.metrics.power import days_until, more_until_enough, more_until_excess, more_until_verdict
from lacuna.models.topics.failure_tree import excess, usual_failure
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.diagnose.context import FAILED, MIN_FAILED

__all__ = ["not_yet_known"]

FARTHEST_DAYS = 366  # what could only be told later than this is not told of at all
LEAST_SEEN = 3  # conversations of a topic, or since a fix, from which on they say anything of what will come
_COLUMNS = ["what", "id", "name", "why", "seen", "more", "of", "a_week", "by", "window_days"]
_FACTS = [
    "subtopic_id", "escalated", "answered", "outcome", "p_failed", "in_scope", "in_window", "right", "tag_sample",
]  # fmt: skip


def not_yet_known(job: Job, backlog: pd.DataFrame) -> pd.DataFrame:
    """Every topic that fails more than usual and is too thin for a verdict, every fix and metric of which none is told.

    Parameters
    ----------
    backlog
        The run's gaps, with their subtopics.

    Returns
    -------
    DataFrame
        The columns of `not_yet_known` in `published.toml`; the soonest first.
    """
    facts = job.read("measure/facts", _FACTS)
    window = facts[facts["in_window"]]
    rows = [*_topics(job, window, backlog), *_fixes(job), *_metrics(job, window)]
    table = pd.DataFrame(rows, columns=_COLUMNS).astype(
        dict.fromkeys(("what", "id", "name", "why", "of", "by"), "str")
        | {"seen": "int64", "more": "Int64", "a_week": "float64", "window_days": "Int64"}
    )
    return table.sort_values(["by", "what", "id"], na_position="last", ignore_index=True)


def _topics(job: Job, window: pd.DataFrame, backlog: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Subtopics that fail more than usual, by too little evidence or in too few conversations."""
    if not has_healthy_rest(window):  # failing shares can't be compared, so that more of the same would not tell
        return
    base, needed = usual_failure(window["p_failed"]), job.settings.diagnosis.excess_evidence
    judged = {str(each) for subtopics in backlog.get("subtopics", ()) for each in subtopics}
    judged |= {str(cluster["subtopic_id"]) for cluster in job.read_json("diagnose/not_content")}
    failed_of = window[window["in_scope"] & window["p_failed"].gt(FAILED)]["subtopic_id"].value_counts()
    labels = job.read("understand/subtopics").set_index("subtopic_id")["label"]
    for row in records(job.read("measure/subtopic_demand")):
        subtopic, reached, bad = str(row["subtopic_id"]), int(row["reached"]), float(row["failed"])
        failed = int(failed_of.get(subtopic, 0))
        if subtopic in judged or reached < LEAST_SEEN or bad / reached <= base:
            continue
        if failed >= MIN_FAILED and excess(bad, reached, base) >= needed:
            continue  # it was judged, and by other signs found to be no gap
        counts = more_until_excess(bad, reached, base, needed), more_until_enough(failed, failed / reached, MIN_FAILED)
        more = None if counts[0] is None or counts[1] is None else max(counts[0], counts[1])
        a_week = reached / (job.days / 7)
        days = None if more is None else days_until(more, a_week)
        if more is None or days is None or days > FARTHEST_DAYS:
            more = days = None
        earlier = _days_back(row["weekly"], job, more) if more is not None else None
        why = f"{failed} of {reached} failed"
        why += f"; a gap needs {MIN_FAILED}" if failed < MIN_FAILED else f", {base:.0%} is usual; that may be chance"
        yield {
            "what": "topic", "id": subtopic, "name": str(labels.get(subtopic, subtopic)), "why": why, "seen": reached,
            "more": more, "of": "conversations", "a_week": a_week,
            "by": None if days is None else _day(job.end, 0 if earlier is not None else days),
            "window_days": None if days is None else job.days + (earlier if earlier is not None else days),
        }  # fmt: skip


def _days_back(weekly: list[dict[str, Any]], job: Job, more: int) -> int | None:
    """How many days before the window hold so many conversations; None where history does not reach back that far."""
    found = 0
    for week in sorted(weekly, key=lambda each: str(each["week"]), reverse=True):
        monday = date.fromisoformat(str(week["week"]))
        if monday + timedelta(days=6) < job.start:
            found += int(week["conversations"])
            if found >= more:
                return (job.start - monday).days
    return None


def _fixes(job: Job) -> Iterator[dict[str, Any]]:
    """Fixes of which it is too early to tell."""
    limits, confidence = job.settings.impact, job.settings.accuracy.confidence
    for row in records(job.read("rank/impact")):
        if row["verdict"] != "too early" or not row["conversations_before"] or row["measured_in"] != job.run_id:
            continue
        seen, days = int(row["conversations_after"]), int(row["days_after"])
        more: int | None = max(0, limits.least_conversations - seen)
        if seen >= LEAST_SEEN:
            sd = (row["failed_shift_high"] - row["failed_shift_low"]) / (2 * NormalDist().inv_cdf(0.5 + confidence / 2))
            expected = float(row["failed_expected"])
            target = float(logit(expected * (1 - limits.drop_at_least)) - logit(expected))
            told = more_until_verdict(row["failed_shift"], sd, row["failed_error"], seen, target, confidence)
            more = None if told is None else max(told, more or 0)
        a_week = seen / days * 7 if seen else int(row["conversations_before"]) / limits.before_days * 7
        wait = None if more is None else days_until(more, a_week)
        wait = None if wait is None else max(wait, limits.least_days - days)
        if wait is None or days + wait > limits.after_days:
            more = wait = None
        yield {
            "what": "fix", "id": str(row["gap_id"]), "name": str(row["title"]), "why": str(row["why"]), "seen": seen,
            "more": more, "of": "conversations", "a_week": a_week,
            "by": None if wait is None else _day(job.end, wait), "window_days": None,
        }  # fmt: skip


def _metrics(job: Job, window: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Metrics of the vendor with too few random tags."""
    tagged = int((window["tag_sample"].eq("random") & window["right"].notna()).sum())
    table = job.read("measure/vendor_audit")
    for row in records(table[table["by"].eq("all") & table["verdict"].eq("can't tell")]):
        seen = int(row["random_tags"])
        more = None if pd.isna(row["more_tags"]) else int(row["more_tags"])
        # Tags that come are spread over all conversations: a share of them is among those that the metric has judged.
        a_week = (seen or min(1.0, row["conversations"] / max(1, len(window))) * tagged) / (job.days / 7)
        days = None if more is None else days_until(more, a_week)
        yield {
            "what": "metric", "id": str(row["metric"]), "name": str(row["metric"]),
            "why": f"{seen} random tags; an audit needs {LEAST_TAGS}", "seen": seen, "more": more,
            "of": "random tags", "a_week": a_week,
            "by": None if days is None or days > FARTHEST_DAYS else _day(job.end, days), "window_days": None,
        }  # fmt: skip


def _day(end: date, days: int) -> str:
    return (end + timedelta(days=days)).isoformat()
