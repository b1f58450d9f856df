"""What became of every subtopic in the diagnosis: its figures, and the first rule that kept it from being a gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.arrays import Ints
from lacuna.models.diagnosis.evidence import Evidence
from lacuna.models.diagnosis.what_would_change import further_failures, least_failures
from lacuna.models.topics.failure_tree import excess, usual_failure
from lacuna.pipelines.steps.diagnose.context import (
    FAILED,
    MIN_FAILED,
    DiagnosisContext,
    bound_by_language,
    collect_evidence,
)

__all__ = ["judged_subtopics"]

AS_USUAL = 0.05  # log-likelihood ratio: what fails at a rate that is hardly any likelier than the usual one
_COLUMNS = [
    "subtopic_id", "conversations", "besides", "weekly_rate", "customers", "escalated", "failed",
    "failed_conversations", "failed_customers", "failure_rate", "usual_rate", "evidence", "needed_evidence",
    "hint_evidence", "least_failed", "least_customers", "rule", "reason", "why", "needed_failed", "needed_more",
    "worked", "nearest", "by_agents",
]  # fmt: skip


def judged_subtopics(
    context: DiagnosisContext,
    demand: pd.DataFrame,
    gaps: Sequence[Mapping[str, Any]],
    not_content: Sequence[Mapping[str, Any]],
) -> pd.DataFrame:
    """The table diagnose/judged, one row a subtopic.

    Parameters
    ----------
    demand
        measure/subtopic_demand, by subtopic_id.
    gaps
        subtopics and rows of all gaps of the run.
    not_content
        The rows of diagnose/not_content.
    """
    no_article = {cluster["subtopic_id"]: cluster for cluster in not_content}
    in_gap = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *(gap["rows"] for gap in gaps)]))
    window = context.facts[context.facts["in_window"]]
    by_subtopic = {str(s): group for s, group in window.groupby("subtopic_id")}
    usual = usual_failure(window["p_failed"])
    rows_of = _failed_by_subtopic(context)
    table = []
    for subtopic, figures in demand.iterrows():
        own = by_subtopic.get(str(subtopic), window.iloc[:0])
        rows = rows_of.get(str(subtopic), np.zeros(0, dtype=np.int64))
        row = _figures(context, own, rows, figures, usual) | {"least_customers": context.min_customers}
        evidence = None
        # A gap about an article may hold a few conversations of many subtopics: that makes none of them a gap.
        if len(rows) and 2 * len(np.intersect1d(rows, in_gap)) >= len(rows):
            row["rule"] = "gap"
        elif subtopic in no_article:
            cluster = no_article[subtopic]
            row |= {"rule": "not content", "reason": cluster["reason"], "why": list(cluster["why"])}
        else:
            if len(rows) >= MIN_FAILED:
                evidence = collect_evidence(context, [str(subtopic)], rows, {})
            row["rule"] = _rule(context, row, rows, evidence)
        table.append({"subtopic_id": str(subtopic)} | row | _articles(context, own, evidence))
    frame = pd.DataFrame(table, columns=_COLUMNS)
    return frame.astype({"reason": "str", "needed_failed": "Int64", "needed_more": "Int64"})


def _failed_by_subtopic(context: DiagnosisContext) -> dict[str, Ints]:
    """The rows of the failed conversations in scope of each subtopic that has any."""
    facts = context.facts
    rows = np.flatnonzero(facts["in_scope"] & facts["p_failed"].gt(FAILED) & facts["subtopic_id"].notna())
    groups = pd.Series(rows).groupby(facts["subtopic_id"].to_numpy()[rows])
    return {str(subtopic): group.to_numpy(dtype=np.int64) for subtopic, group in groups}


def _figures(
    context: DiagnosisContext, own: pd.DataFrame, rows: Ints, demand: pd.Series, usual: float
) -> dict[str, Any]:
    """Demand and failure of a subtopic, and what it lacks to be a gap."""
    reached, failed = int(demand["reached"]), float(demand["failed"])
    needed = context.limits.excess_evidence if context.comparable else 0.0
    least = MIN_FAILED if context.comparable else max(MIN_FAILED, ceil(context.usual / 2))
    enough = least_failures(reached, usual, needed, least)
    return {
        "conversations": reached,
        "besides": int(demand["also"]),
        "weekly_rate": round(float(demand["weekly_rate"]), 3),
        "customers": _customers(own["customer_id"]),
        "escalated": int(own["escalated"].fillna(False).sum()),
        "failed": round(failed, 2),
        "failed_conversations": len(rows),
        "failed_customers": _customers(context.facts["customer_id"].iloc[rows]),
        "failure_rate": round(failed / max(1, reached), 4),
        "usual_rate": round(usual, 4),
        "evidence": max(0.0, round(excess(failed, max(1, reached), usual), 3)),
        "needed_evidence": needed,
        "hint_evidence": context.limits.hint_evidence if context.comparable else 0.0,
        "least_failed": least,
        "reason": None,
        "why": [],
        "needed_failed": enough,
        "needed_more": further_failures(failed, reached, usual, needed, least - len(rows)),
    }


def _customers(customer_ids: pd.Series) -> int:
    """Distinct customers; each conversation without a known one counts as another's."""
    return int(customer_ids.nunique() + customer_ids.isna().sum())


def _rule(context: DiagnosisContext, row: Mapping[str, Any], rows: Ints, evidence: Evidence | None) -> str:
    """The first rule that did not hold, of a subtopic that is in no gap."""
    if not row["conversations"]:
        return "not asked"
    if context.comparable and row["evidence"] < AS_USUAL:
        return "as usual"
    if evidence is None or len(rows) < row["least_failed"]:
        return "too few failed"
    if row["failed_customers"] < row["least_customers"]:
        return "few customers"
    if bound_by_language(context, rows):
        return "one language"
    if not context.comparable:
        return "not told apart"
    if row["evidence"] < row["needed_evidence"]:
        return "chance"
    return "elsewhere"


def _articles(context: DiagnosisContext, own: pd.DataFrame, evidence: Evidence | None) -> dict[str, Any]:
    """The article that answers it most often, and, where it fails often, those that come near."""
    answered = own.loc[own["p_failed"].le(FAILED), "cited_first"].dropna()
    counts = answered[answered.isin(context.numbers)].value_counts()
    best = sorted(counts[counts == counts.max()].index)[:1] if len(counts) else []
    title = lambda article: context.title(context.numbers[article])  # noqa: E731
    return {
        "worked": [{"article_id": a, "title": title(a), "conversations": int(counts[a])} for a in best],
        "nearest": [
            {"article_id": near.article_id, "title": near.title, "similarity": round(near.similarity, 3)}
            for near in (evidence.nearest[:3] if evidence else [])
        ],
        "by_agents": [
            {"article_id": cited.article_id, "title": cited.title, "share": round(cited.share, 3)}
            for cited in (evidence.by_agents[:1] if evidence else [])
        ],
    }
