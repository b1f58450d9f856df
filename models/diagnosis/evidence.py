"""The records that the rules of :mod:`models.diagnosis.rules` read and return: evidence, thresholds and verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import exp

from lacuna.models.diagnosis.agreement import Agreement
from lacuna.models.diagnosis.findability import Findability

__all__ = ["Agreed", "Cited", "Conflict", "Contrary", "Evidence", "Limits", "Match", "PassedOver", "Verdict"]


@dataclass(frozen=True)
class Limits:
    """The thresholds of the rules; shares are of the subtopic's failed conversations."""

    excess_evidence: float
    hint_evidence: float
    policy_share: float
    routing_share: float
    routing_tags: int
    cited_share: float
    conflict_share: float
    change_evidence: float
    before_at_most: float
    after_at_least: float
    partial_share: float
    partial_tags: int
    partial_chance: float
    agents_share: float
    agents_times: int
    reach_at_most: float
    answers_lead: float
    passed_over: float
    served_share: float
    same_work: float


def stricter(limits: Limits, by: Mapping[str, float]) -> Limits:
    """The limits raised, so that each kind needs more evidence: ``by`` is the extra log-likelihood (≥ 0) by kind."""
    return replace(
        limits,
        excess_evidence=limits.excess_evidence + by.get("missing", 0.0),
        hint_evidence=limits.hint_evidence + by.get("unfindable", 0.0),
        change_evidence=limits.change_evidence + by.get("stale", 0.0),
        partial_chance=limits.partial_chance * exp(-by.get("incomplete", 0.0)),
    )


@dataclass(frozen=True)
class Cited:
    """An article that was cited in a subtopic, and in which share of the subtopic's failed conversations."""

    article_id: str
    title: str
    share: float


@dataclass(frozen=True)
class Match:
    """An article near a subtopic.

    ``match`` is in standard deviations over all articles, ``similarity`` a cosine; ``answered`` counts conversations
    that it answered anywhere, weighted by how surely they were about it; ``since`` is the day on which it came, where
    that was after most of the conversations.
    """

    article_id: str
    title: str
    match: float
    similarity: float
    answered: float
    since: str | None = None


@dataclass(frozen=True)
class PassedOver:
    """The article that agents' answers in a subtopic are nearest to, and how often the bot retrieves it.

    ``near_enough`` is the nearness from which on answers come from an article; ``answered`` counts conversations that
    it answered anywhere, weighted by how surely they were about it.
    """

    article_id: str
    title: str
    findability: Findability
    near_enough: float
    answered: float


@dataclass(frozen=True)
class Contrary:
    """A sentence of an article that agents contradict.

    ``statement`` is what agents say instead, in ``conversations`` conversations; in ``agreeing`` others they say the
    same as the article.
    """

    passage: str
    statement: str
    conversations: int
    agreeing: int


@dataclass(frozen=True)
class Agreed:
    """The article that customers' questions and agents' answers are nearest to.

    ``near_enough`` is the nearness from which on an article counts as the answer; ``contrary`` the sentence of it that
    agents contradict, if there is one.
    """

    article_id: str
    title: str
    agreement: Agreement
    near_enough: float
    contrary: Contrary | None = None


@dataclass(frozen=True)
class Conflict:
    """Two statements that disagree."""

    article_id: str
    other_id: str
    sentence: str
    other_sentence: str


@dataclass(frozen=True)
class Verdict:
    """A kind of gap, or a reason why no article would help.

    ``probability`` is how sure the rule is of its kind, from 0 to 1: a judgement that grows with the margin by which
    the rule holds, not a frequency.
    """

    kind: str
    article_id: str | None
    probability: float
    reasons: list[str]
    not_content: str | None = None


@dataclass(frozen=True)
class Evidence:
    """The evidence on a failing subtopic; counts are of conversations, shares of its failed ones.

    ``by_people`` is the share that people handled without a bot's answer; ``usual`` the number of failed conversations
    of the median subtopic; ``article_verdicts`` the verdicts on articles reached before, by article id.
    """

    failed: float
    asks: bool
    tags: int
    policy_share: float
    account_share: float
    request_share: float
    misrouted_tags: int
    misrouted_share: float
    true_intent: str | None
    predicted_intent: str | None
    cited: list[Cited] = field(default_factory=list)
    by_agents: list[Cited] = field(default_factory=list)
    nearest: list[Match] = field(default_factory=list)
    passed_over: PassedOver | None = None
    agreed: Agreed | None = None
    by_people: float = 0.0
    usual: float = 0.0
    article_verdicts: dict[str, Verdict] = field(default_factory=dict)
    conflict: Conflict | None = None
