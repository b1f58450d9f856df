"""The weekly figures that a support manager reads: deflection, escalation, accuracy, satisfaction, cost."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd
from scipy import stats

from models.intervals import wilson

__all__ = ["COLUMNS", "Cost", "judged", "weekly_kpis"]

COLUMNS = [
    "week",
    "segment",
    "conversations",
    "self_service_users",
    "tickets",
    "deflection",
    "deflection_confirmed",
    "silent",
    "abandoned",
    "escalation_ratio",
    "escalation_ratio_low",
    "escalation_ratio_high",
    "resolution_accuracy",
    "resolution_accuracy_low",
    "resolution_accuracy_high",
    "resolution_accuracy_n",
    "resolution_accuracy_basis",
    "csat_self_service",
    "csat_self_service_low",
    "csat_self_service_high",
    "csat_self_service_n",
    "handle_seconds_mean",
    "cost_avoided",
    "currency",
]
SEGMENTS = ("product", "language", "channel", "region")
_SMALLEST_SEGMENT = 20
_ENOUGH_RANDOM_TAGS = 5
_SATISFIED, _DISSATISFIED = 4, 2
_FAILING = ("wrong", "no_answer", "misclassified")


class Cost(Protocol):
    """What a human-handled conversation costs, in one currency."""

    @property
    def currency(self) -> str:
        """Currency code, printed as it is."""

    @property
    def per_escalation(self) -> float:
        """Cost of one human-handled conversation, where its handling time is unknown."""

    @property
    def agent_hour(self) -> float:
        """Cost of an hour of an agent's time, where handling times are known."""


def weekly_kpis(facts: pd.DataFrame, cost: Cost, confidence: float = 0.95) -> pd.DataFrame:
    """The KPIs, one row a week and segment.

    Parameters
    ----------
    facts
        One row a conversation: conversation_id, week (Monday, ISO date), escalated, and where known customer_id,
        answered (bool: the bot answered; missing = it did in all), resolved, outcome, sample, csat (1 to 5),
        handle_seconds, abandoned, product, language, channel, region.
    cost
        Rates and their currency.
    confidence
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        The columns of ``COLUMNS``, by segment ("all" first, then "product:…" and the like by name) and week. Segments
        of fewer than 20 conversations in all are left out. What can't be known is NaN. Shares lie between 0 and 1.

    Notes
    -----
    In a week and segment, with *answered* for conversations in which the bot answered:

    - ``self_service_users`` = distinct customers of answered conversations; one without customer_id counts as one.
    - ``tickets`` = escalated conversations, whether or not the bot answered first.
    - ``deflection`` = 1 − tickets ÷ self_service_users, at least 0 (800 users and 200 tickets are 75 %).
    - Every answered conversation is exactly one of: escalated; *confirmed* (resolved, or tagged correct, or CSAT of 4
      or 5, and nothing that says the opposite); *abandoned* (left after a failed answer: marked so, or not resolved, or
      tagged wrong, no answer or misclassified, or CSAT of 1 or 2); *silent* (nothing known: not a success).
      ``deflection_confirmed``, ``abandoned`` and ``silent`` are their shares of the answered ones.
    - ``escalation_ratio`` = escalated ÷ conversations, Wilson's interval.
    - ``resolution_accuracy`` = tagged correct ÷ tagged, Wilson's interval, among the tags of random audits where the
      week has at least 5 of them (``resolution_accuracy_basis`` "random"), else among all tags ("all tags": mostly
      escalated conversations, so rather too low).
    - ``csat_self_service`` = mean CSAT of conversations that were not escalated, Student's t interval within 1 to 5.
    - ``handle_seconds_mean`` = mean handling time of escalated conversations.
    - ``cost_avoided`` = confirmed conversations × cost of a human-handled one, which is the segment's mean handling
      time over all weeks (else everybody's) × ``agent_hour``, or ``per_escalation`` where no handling time is known.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> facts = pd.DataFrame({"conversation_id": range(1000), "week": "2024-06-24", "escalated": [True] * 200 + [False] * 800,
    ...                       "customer_id": [f"u{i % 800}" for i in range(1000)]})
    >>> float(weekly_kpis(facts, SimpleNamespace(currency="EUR", per_escalation=7.5, agent_hour=32.0))["deflection"].iloc[0])
    0.75
    """
    rows = judged(facts)
    rows = pd.concat([rows.assign(segment="all"), *(_of_segment(facts, rows, column) for column in SEGMENTS)])
    size = rows.groupby("segment")["week"].transform("size")
    rows = rows[(rows["segment"] == "all") | (size >= _SMALLEST_SEGMENT)]
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS)
    kpis = _summed(rows, confidence)
    kpis["cost_avoided"] = kpis["confirmed"] * kpis["segment"].map(_unit_cost(rows, cost))
    kpis["currency"] = cost.currency
    kpis["_order"] = kpis["segment"] != "all"
    return kpis.sort_values(["_order", "segment", "week"], ignore_index=True)[COLUMNS]


def _column(facts: pd.DataFrame, name: str, dtype: str) -> pd.Series:
    if name in facts:
        return facts[name].astype(dtype)  # type: ignore[call-overload]
    return pd.Series(pd.NA if dtype != "float64" else np.nan, index=facts.index, dtype=dtype)


def judged(facts: pd.DataFrame) -> pd.DataFrame:
    """What each conversation adds to the sums, as plain columns: confirmed, escalated, left, quiet and the like.

    ``facts`` as for :func:`weekly_kpis`; the result has its index.
    """
    escalated = _column(facts, "escalated", "boolean").fillna(False).astype(bool)
    answered = _column(facts, "answered", "boolean").fillna("answered" not in facts).astype(bool)
    left = _column(facts, "abandoned", "boolean").fillna(False).astype(bool)
    resolved, outcome = _column(facts, "resolved", "boolean"), _column(facts, "outcome", "str")
    csat, handled = _column(facts, "csat", "float64"), _column(facts, "handle_seconds", "float64")
    good = resolved.fillna(False).astype(bool) | outcome.eq("correct") | csat.ge(_SATISFIED)
    bad = resolved.eq(False).fillna(False).astype(bool) | outcome.isin(_FAILING) | csat.le(_DISSATISFIED)
    alone = answered & ~escalated
    confirmed = alone & good & ~bad
    abandoned = alone & ~confirmed & (bad | left)
    customer = _column(facts, "customer_id", "str")
    # The prefixes keep a customer's id from ever meeting a conversation's.
    user = ("u:" + customer).fillna("c:" + facts["conversation_id"].astype("str"))
    tagged = outcome.notna()
    audited = tagged & _column(facts, "sample", "str").eq("random")
    return pd.DataFrame(
        {
            "week": facts["week"].astype("str"),
            "user": user.where(answered),
            "answered": answered,
            "escalated": escalated,
            "confirmed": confirmed,
            "left": abandoned,
            "quiet": alone & ~confirmed & ~abandoned,
            "tags": tagged,
            "tags_right": outcome.eq("correct"),
            "audits": audited,
            "audits_right": audited & outcome.eq("correct"),
            "rating": csat.where(~escalated),
            "handled": handled.where(escalated),
        }
    )


def _of_segment(facts: pd.DataFrame, rows: pd.DataFrame, column: str) -> pd.DataFrame:
    name = _column(facts, column, "str")
    return rows.assign(segment=f"{column}:" + name)[name.notna() & name.ne("")]


def _summed(rows: pd.DataFrame, confidence: float) -> pd.DataFrame:
    groups = rows.groupby(["segment", "week"], sort=True)
    counted = ["answered", "escalated", "confirmed", "left", "quiet", "tags", "tags_right", "audits", "audits_right"]
    sums = groups[counted].sum().astype("int64")
    kpis = pd.DataFrame({"conversations": groups.size(), "confirmed": sums["confirmed"], "tickets": sums["escalated"]})
    kpis["self_service_users"] = groups["user"].nunique()
    kpis["deflection"] = (1 - _ratio(kpis["tickets"], kpis["self_service_users"])).clip(lower=0.0)
    for share, count in (("deflection_confirmed", "confirmed"), ("silent", "quiet"), ("abandoned", "left")):
        kpis[share] = _ratio(sums[count], sums["answered"])
    kpis["escalation_ratio"] = _ratio(kpis["tickets"], kpis["conversations"])
    low, high = wilson(kpis["tickets"].to_numpy(), kpis["conversations"].to_numpy(), confidence)
    kpis["escalation_ratio_low"], kpis["escalation_ratio_high"] = low, high

    random = sums["audits"] >= _ENOUGH_RANDOM_TAGS
    right = sums["audits_right"].where(random, sums["tags_right"])
    tags = sums["audits"].where(random, sums["tags"])
    kpis["resolution_accuracy"] = _ratio(right, tags)
    low, high = wilson(right.to_numpy(), tags.to_numpy(), confidence)
    kpis["resolution_accuracy_low"], kpis["resolution_accuracy_high"] = low, high
    kpis["resolution_accuracy_n"] = tags
    basis = pd.Series(np.where(random, "random", "all tags"), index=kpis.index, dtype="str")
    kpis["resolution_accuracy_basis"] = basis.where(random | (tags > 0))

    rated = groups["rating"].agg(["mean", "std", "count"])
    kpis["csat_self_service"] = rated["mean"]
    free = (rated["count"] - 1).where(rated["count"] > 1)
    half = (
        stats.t.ppf(0.5 + confidence / 2, free.to_numpy(float)) * rated["std"] / np.sqrt(rated["count"].where(free > 0))
    )
    kpis["csat_self_service_low"] = (rated["mean"] - half).clip(lower=1.0)
    kpis["csat_self_service_high"] = (rated["mean"] + half).clip(upper=5.0)
    kpis["csat_self_service_n"] = rated["count"]
    kpis["handle_seconds_mean"] = groups["handled"].mean()
    return kpis.reset_index()


def _ratio(part: pd.Series, whole: pd.Series) -> pd.Series:
    return part.astype(float) / whole.astype(float).where(whole > 0)


def _unit_cost(rows: pd.DataFrame, cost: Cost) -> dict[str, float]:
    """Cost of one human-handled conversation, by segment."""
    seconds = rows.groupby("segment")["handled"].mean()
    seconds = seconds.fillna(seconds["all"])
    price = (seconds / 3600 * cost.agent_hour).fillna(cost.per_escalation)
    return {str(segment): float(value) for segment, value in price.items()}
