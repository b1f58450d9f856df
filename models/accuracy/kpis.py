"""The weekly figures that a support manager reads: deflection, escalation, accuracy, satisfaction, cost."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import numpy as np
import pandas as pd
from scipy import stats

from lacuna.models.accuracy.first_contact import first_contact
from lacuna.models.accuracy.groups import group_accuracy
from lacuna.models.accuracy.outcome_model import Chances
from lacuna.models.metrics.intervals import wilson

__all__ = ["COLUMNS", "SEGMENTS", "Cost", "judged", "weekly_kpis"]

COLUMNS = [
    "week", "segment", "conversations", "self_service_users", "tickets",
    *(
        f"{name}{end}"
        for name in (
            "deflection", "confirmed_resolution", "assumed_resolution", "abandoned", "escalation_ratio", "resolution_accuracy",
            "first_contact_resolution", "csat_self_service", "handle_seconds_mean", "cost_avoided",
        )
        for end in ("", "_low", "_high")
    ),
    "resolution_accuracy_n", "resolution_accuracy_basis", "first_contact_resolution_n", "csat_self_service_n",
    "handle_seconds_n", "currency",
]  # fmt: skip
SEGMENTS = ("product", "language", "channel", "region")
_SMALLEST_SEGMENT = 20
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


def weekly_kpis(
    facts: pd.DataFrame, cost: Cost, confidence: float = 0.95, chances: Chances | None = None, least_customers: int = 1
) -> pd.DataFrame:
    """The KPIs, one row a week and segment.

    Parameters
    ----------
    facts
        One row a conversation: conversation_id, week (Monday, ISO date), escalated, and where known customer_id,
        answered (bool: the bot answered; missing = it did in all), resolved, outcome, csat (1 to 5), handle_seconds,
        abandoned, right and tag_sample (what a reviewer's tag says), started_at, topic_id, predicted_intent, product,
        language, channel, region.
    cost
        Rates and their currency.
    confidence
        Coverage of the intervals.
    chances
        How likely each answer was right, by :func:`models.accuracy.outcome_model.chance_right`; without, accuracy is not known.
    least_customers
        Distinct customers that a segment needs in a week to be named in it; who is not known counts as one.

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
    - ``deflection`` = 1 − tickets ÷ self_service_users, at least 0 (800 users and 200 tickets are 75 %); the interval is
      that of a ratio of two sums over customers, linearised (Cochran 1977, chapter 6).
    - Every answered conversation is exactly one of: escalated; *confirmed* (resolved, or tagged correct, or CSAT of 4
      or 5, and nothing that says the opposite); *abandoned* (left after a failed answer: marked so, or not resolved, or
      tagged wrong, no answer or misclassified, or CSAT of 1 or 2); *assumed* (nothing known: not a success).
      ``confirmed_resolution``, ``abandoned`` and ``assumed_resolution`` are their shares of the answered ones, Wilson's intervals.
    - ``escalation_ratio`` = escalated ÷ conversations, Wilson's interval.
    - ``resolution_accuracy``: the share of right answers, as in :func:`models.accuracy.groups.group_accuracy`.
    - ``first_contact_resolution`` = solved ÷ known at first contact (:func:`models.accuracy.first_contact.first_contact`),
      Wilson's interval.
    - ``csat_self_service`` = mean CSAT of conversations that were not escalated, Student's t interval within 1 to 5.
    - ``handle_seconds_mean`` = mean handling time of escalated conversations, Student's t interval, at least 0.
    - ``cost_avoided`` = confirmed conversations × cost of a human-handled one, which is the segment's mean handling
      time over all weeks (else everybody's) × ``agent_hour``, or ``per_escalation`` where no handling time is known,
      and NaN where the bot answered nothing;
      the interval takes in both the share of confirmed ones and the handling time (delta method).

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> facts = pd.DataFrame({"conversation_id": range(1000), "week": "2024-06-24", "escalated": [True] * 200 + [False] * 800,
    ...                       "customer_id": [f"u{i % 800}" for i in range(1000)]})
    >>> float(weekly_kpis(facts, SimpleNamespace(currency="EUR", per_escalation=7.5, agent_hour=32.0))["deflection"].iloc[0])
    0.75
    """
    rows = judged(facts)
    sums, handling = [], []
    for kind in ("all", *SEGMENTS):  # one after the other: together, they hold each conversation five times
        of_kind = _with_segment(facts, rows, kind)
        sums.append(_summed(of_kind if kind == "all" else _shared(of_kind, least_customers), confidence))
        handling.append(of_kind.groupby("segment")["handled"].agg(["mean", "sem"]))
    kpis = pd.concat([each for each in sums if len(each)] or sums[:1], ignore_index=True)
    if kpis.empty:
        return pd.DataFrame(columns=COLUMNS)
    accuracy = _accuracy(facts, kpis["segment"].unique(), chances, confidence)
    kpis = kpis.merge(accuracy, how="left", on=["segment", "week"])
    kpis["resolution_accuracy_n"] = kpis["resolution_accuracy_n"].fillna(0).astype("int64")
    kpis = _cost_avoided(kpis, pd.concat(handling), cost, confidence)
    kpis["_order"] = kpis["segment"] != "all"
    return kpis.sort_values(["_order", "segment", "week"], ignore_index=True)[COLUMNS]


def _column(facts: pd.DataFrame, name: str, dtype: str) -> pd.Series:
    if name in facts:
        return facts[name].astype(dtype)  # type: ignore[call-overload]
    return pd.Series(pd.NA if dtype != "float64" else np.nan, index=facts.index, dtype=dtype)


def _flag(facts: pd.DataFrame, name: str) -> pd.Series:
    return _column(facts, name, "boolean").fillna(False).astype(bool)


def _answered(facts: pd.DataFrame) -> pd.Series:
    return _column(facts, "answered", "boolean").fillna("answered" not in facts).astype(bool)


def judged(facts: pd.DataFrame) -> pd.DataFrame:
    """What each conversation adds to the sums, as plain columns: confirmed, escalated, left, quiet and the like.

    Customers have numbers, in the order of their ids.
    ``facts`` as for :func:`weekly_kpis`; the result has its index.
    """
    escalated, answered, left = _flag(facts, "escalated"), _answered(facts), _flag(facts, "abandoned")
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
    return pd.DataFrame(
        {
            "week": facts["week"].astype("str"),
            "user": pd.factorize(user, sort=True)[0],
            "answered": answered,
            "escalated": escalated,
            "confirmed": confirmed,
            "left": abandoned,
            "quiet": alone & ~confirmed & ~abandoned,
            "first": first_contact(facts, good, bad | left),
            "rating": csat.where(~escalated),
            "handled": handled.where(escalated),
        }
    )


def _with_segment(facts: pd.DataFrame, rows: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The rows with their segment of one kind, such as that of their product; those of small segments are left out."""
    if kind == "all":
        return rows.assign(segment=pd.Series("all", rows.index, dtype="str"))
    name = _column(facts, kind, "str")
    known = rows.assign(segment=f"{kind}:" + name)[name.notna() & name.ne("")]
    return known[known.groupby("segment")["week"].transform("size") >= _SMALLEST_SEGMENT]


def _shared(rows: pd.DataFrame, least: int) -> pd.DataFrame:
    """The rows of segments and weeks that enough customers share."""
    return rows[rows.groupby(["segment", "week"])["user"].transform("nunique") >= least]


def _summed(rows: pd.DataFrame, confidence: float) -> pd.DataFrame:
    groups = rows.groupby(["segment", "week"], sort=True)
    sums = groups[["answered", "escalated", "confirmed", "left", "quiet"]].sum().astype("int64")
    kpis = pd.DataFrame({"conversations": groups.size(), "confirmed": sums["confirmed"], "tickets": sums["escalated"]})
    kpis["answered"] = sums["answered"]
    kpis["self_service_users"] = rows[rows["answered"]].groupby(["segment", "week"])["user"].nunique()
    kpis["self_service_users"] = kpis["self_service_users"].fillna(0).astype("int64")
    kpis["deflection"] = (1 - _ratio(kpis["tickets"], kpis["self_service_users"])).clip(lower=0.0)
    half = _deflection_error(rows).reindex(kpis.index) * _errors(confidence)
    kpis["deflection_low"] = (kpis["deflection"] - half).clip(lower=0.0)
    kpis["deflection_high"] = (kpis["deflection"] + half).clip(upper=1.0)
    firsts = groups["first"].agg(["sum", "count"])
    kpis["first_contact_resolution_n"] = firsts["count"]
    for name, part, whole in (
        ("confirmed_resolution", sums["confirmed"], sums["answered"]),
        ("assumed_resolution", sums["quiet"], sums["answered"]),
        ("abandoned", sums["left"], sums["answered"]),
        ("escalation_ratio", sums["escalated"], kpis["conversations"]),
        ("first_contact_resolution", firsts["sum"], firsts["count"]),
    ):
        kpis[name] = _ratio(part, whole)
        kpis[f"{name}_low"], kpis[f"{name}_high"] = wilson(part.to_numpy(), whole.to_numpy(), confidence)
    for name, column, bounds in (
        ("csat_self_service", "rating", (1.0, 5.0)),
        ("handle_seconds_mean", "handled", (0.0, None)),
    ):
        spread = groups[column].agg(["mean", "std", "count"])
        free = (spread["count"] - 1).where(spread["count"] > 1)
        half = (
            stats.t.ppf(0.5 + confidence / 2, free.to_numpy(float))
            * spread["std"]
            / np.sqrt(spread["count"].where(free > 0))
        )
        kpis[name] = spread["mean"]
        kpis[f"{name}_low"] = (spread["mean"] - half).clip(*bounds)
        kpis[f"{name}_high"] = (spread["mean"] + half).clip(*bounds)
        kpis[f"{name.removesuffix('_mean')}_n"] = spread["count"]
    return kpis.reset_index()


def _errors(confidence: float) -> float:
    return float(stats.norm.ppf(0.5 + confidence / 2))


def _deflection_error(rows: pd.DataFrame) -> pd.Series:
    """Standard error of tickets by users, customers being the sample, by segment and week."""
    each = rows.groupby(["segment", "week", "user"])[["escalated", "answered"]].agg(
        {"escalated": "sum", "answered": "max"}
    )
    each = each.astype(float)
    groups = each.groupby(["segment", "week"])
    total, size = groups.sum(), groups.size()
    each["ratio"] = _ratio(groups["escalated"].transform("sum"), groups["answered"].transform("sum"))
    square = ((each["escalated"] - each["ratio"] * each["answered"]) ** 2).groupby(["segment", "week"]).sum()
    return np.sqrt(square * size / (size - 1).where(size > 1)) / total["answered"].where(total["answered"] > 0)


def _accuracy(
    facts: pd.DataFrame, segments: Collection[str], chances: Chances | None, confidence: float
) -> pd.DataFrame:
    """Accuracy by segment and week of these segments; the segments of one kind, such as all products, are estimated together."""
    names = ["segment", "week", *(f"resolution_accuracy{end}" for end in ("", "_low", "_high", "_n", "_basis"))]
    unknown = pd.DataFrame(columns=names).astype(
        {"segment": "str", "week": "str"} | dict.fromkeys(names[2:6], "float64")
    )
    if chances is None:
        return unknown
    right, escalated = _column(facts, "right", "float64").to_numpy(), _flag(facts, "escalated").to_numpy()
    random = _column(facts, "tag_sample", "str").eq("random").to_numpy(dtype=bool)
    week = facts["week"].astype("str").where(_answered(facts))
    parts = []
    for column in ("all", *SEGMENTS):
        segment = pd.Series("all", index=facts.index, dtype="str")
        if column != "all":
            name = _column(facts, column, "str")
            segment = (f"{column}:" + name).where(name.ne(""))
        segment = segment.where(segment.isin(list(segments)))
        estimates = group_accuracy(segment + "\t" + week, right, chances, escalated, random, confidence)
        if len(estimates):
            key = estimates.pop("key").str.rsplit("\t", n=1)
            parts.append(estimates.assign(segment=key.str[0], week=key.str[1]))
    if not parts:  # nobody's answer is known: a ticket desk has no bot
        return unknown
    suffixes = {"accuracy": "", "low": "_low", "high": "_high", "n_tagged": "_n", "basis": "_basis"}
    table = pd.concat(parts, ignore_index=True)
    return table.rename(columns={old: f"resolution_accuracy{new}" for old, new in suffixes.items()})[names]


def _cost_avoided(kpis: pd.DataFrame, handling: pd.DataFrame, cost: Cost, confidence: float) -> pd.DataFrame:
    unit, error = _unit_cost(handling, cost)
    price, unsure = kpis["segment"].map(unit), kpis["segment"].map(error)
    share = kpis["confirmed_resolution"].fillna(0.0)
    luck = kpis["answered"] * share * (1 - share)
    half = _errors(confidence) * np.sqrt(price**2 * luck + (kpis["confirmed"] * unsure) ** 2)
    # Where no bot answered, nobody knows what one would avoid.
    kpis["cost_avoided"] = (kpis["confirmed"] * price).where(kpis["answered"] > 0)
    kpis["cost_avoided_low"] = (kpis["cost_avoided"] - half).clip(lower=0.0)
    kpis["cost_avoided_high"] = kpis["cost_avoided"] + half
    kpis["currency"] = cost.currency
    return kpis


def _ratio(part: pd.Series, whole: pd.Series) -> pd.Series:
    return part.astype(float) / whole.astype(float).where(whole > 0)


def _unit_cost(handling: pd.DataFrame, cost: Cost) -> tuple[dict[str, float], dict[str, float]]:
    """Cost of one human-handled conversation and its standard error, by segment."""
    own = handling["mean"].notna()
    seconds, error = (
        handling["mean"].fillna(handling["mean"]["all"]),
        handling["sem"].where(own, handling["sem"]["all"]),
    )
    price = (seconds / 3600 * cost.agent_hour).fillna(cost.per_escalation)
    unsure = (error / 3600 * cost.agent_hour).fillna(0.0)
    return {str(s): float(v) for s, v in price.items()}, {str(s): float(v) for s, v in unsure.items()}
