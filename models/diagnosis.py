"""Why a topic fails: one kind a topic, by rules that stand here and nowhere else, each with reasons that carry figures.

The rules are read from top to bottom; the first that holds decides. What an article could not mend comes first, then
what is known of the article that the bot uses, then whether any article has the answer at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from models.changes import Change

HANDOFF = "handoff by policy"
ACCOUNT = "account action needed"
ROUTING = "intent routing"


@dataclass(frozen=True)
class Limits:
    """Where a rule begins to hold; shares are of the topic's failed conversations."""

    excess_evidence: float
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
    agents_share: float
    agents_times: int
    reach_at_most: float
    coverage: float
    match_margin: float
    same_work: float


@dataclass(frozen=True)
class Cited:
    """An article among what was cited in a topic: how often, as a share of its failed conversations."""

    article_id: str
    title: str
    share: float


@dataclass(frozen=True)
class Match:
    """An article near a topic.

    ``match`` is in standard deviations over all articles, ``similarity`` a cosine; ``answered`` counts conversations
    that it answered anywhere, weighted by how surely they were about it.
    """

    article_id: str
    title: str
    match: float
    similarity: float
    answered: float


@dataclass(frozen=True)
class Conflict:
    """Two statements that disagree."""

    article_id: str
    other_id: str
    sentence: str
    other_sentence: str


@dataclass(frozen=True)
class Evidence:
    """What is known of a failing topic; counts are of conversations, shares of its failed ones."""

    failed: float
    tags: int
    partial_tags: int
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
    coverage: float = 0.0
    changes: dict[str, Change] = field(default_factory=dict)
    change_days: dict[str, str] = field(default_factory=dict)
    conflict: Conflict | None = None
    complaints: int = 0


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


def diagnose(seen: Evidence, limits: Limits, beyond_chance: bool = True) -> Verdict | None:
    """Say why a topic fails.

    Parameters
    ----------
    seen, limits
        What is known of the topic, and where rules begin to hold.
    beyond_chance
        Whether the topic fails more than others by more than chance. If not, only a rule that has a sign of its own
        for its kind is heard, and the verdict may be None.
    """
    for rule in (_not_content, _stale, _contradictory, _incomplete, _unfindable):
        verdict = rule(seen, limits)
        if verdict:
            return verdict
    return (_unfindable_by_text(seen, limits) or _missing(seen)) if beyond_chance else None


def _not_content(seen: Evidence, limits: Limits) -> Verdict | None:
    if seen.policy_share >= limits.policy_share:
        why = f"the bot handed over by policy in {seen.policy_share:.0%} of the failed conversations"
        return Verdict("not_content", None, _sure(seen.policy_share, limits.policy_share), [why], HANDOFF)
    if seen.request_share >= limits.policy_share:
        why = f"customers asked for a person in {seen.request_share:.0%} of the failed conversations"
        return Verdict("not_content", None, _sure(seen.request_share, limits.policy_share), [why], HANDOFF)
    if seen.account_share >= limits.policy_share:
        why = f"an agent had to act in the customer's account or order in {seen.account_share:.0%} of them"
        return Verdict("not_content", None, _sure(seen.account_share, limits.policy_share), [why], ACCOUNT)
    if seen.misrouted_tags >= limits.routing_tags and seen.misrouted_share >= limits.routing_share:
        why = (
            f"{seen.misrouted_tags} of {seen.tags} tags say that the intent was wrong: "
            f"'{seen.predicted_intent}' was predicted where '{seen.true_intent}' was meant"
        )
        return Verdict("not_content", None, _sure(seen.misrouted_share, limits.routing_share), [why], ROUTING)
    return None


def _stale(seen: Evidence, limits: Limits) -> Verdict | None:
    for cited in seen.cited[:2]:
        change = seen.changes.get(cited.article_id)
        if cited.share < limits.cited_share or change is None or not went_stale(change, limits):
            continue
        return stale_verdict(cited.article_id, cited.title, change, seen.change_days.get(cited.article_id, ""))
    return None


def went_stale(change: Change, limits: Limits) -> bool:
    """Whether an article answered well before a change, badly after it, and that is no accident."""
    return (
        change.evidence >= limits.change_evidence
        and change.before <= limits.before_at_most
        and change.after >= limits.after_at_least
        and change.weight_before >= 2
    )


def stale_verdict(article_id: str, title: str, change: Change, day: str) -> Verdict:
    """The verdict on an article that went stale, wherever its conversations lie."""
    reasons = [
        f"answers from '{title}' failed in {change.before:.0%} of conversations before {day or 'the change'}, "
        f"and in {change.after:.0%} since",
        f"a change explains this {_times(change.evidence)} better than a constant rate",
    ]
    return Verdict("stale", article_id, min(0.97, 0.5 + change.evidence / 12), reasons)


def _contradictory(seen: Evidence, limits: Limits) -> Verdict | None:
    if seen.conflict is None or len(seen.cited) < 2:
        return None
    share = {cited.article_id: cited.share for cited in seen.cited}
    one, other = seen.conflict.article_id, seen.conflict.other_id
    both = share.get(one, 0) + share.get(other, 0)
    if min(share.get(one, 0), share.get(other, 0)) < limits.conflict_share or both < limits.cited_share:
        return None
    reasons = [
        f"the bot answers from two articles ({share[one]:.0%} and {share[other]:.0%} of the failed conversations)",
        f"one says: “{seen.conflict.sentence}” – the other: “{seen.conflict.other_sentence}”",
    ]
    if seen.complaints:
        reasons.append(f"{seen.complaints} customers said that they had read something else")
    return Verdict("contradictory", one, 0.6 + min(0.3, both / 3), reasons)


def _incomplete(seen: Evidence, limits: Limits) -> Verdict | None:
    if not seen.cited or seen.cited[0].share < limits.cited_share or not seen.tags:
        return None
    share = seen.partial_tags / seen.tags
    if seen.partial_tags < limits.partial_tags or share < limits.partial_share:
        return None
    cited = seen.cited[0]
    reasons = [
        f"{seen.partial_tags} of {seen.tags} tags say that the answer was only part of it",
        f"the bot answered from '{cited.title}' in {cited.share:.0%} of the failed conversations",
    ]
    return Verdict("incomplete", cited.article_id, _sure(share, limits.partial_share), reasons)


def _unfindable(seen: Evidence, limits: Limits) -> Verdict | None:
    reach = {cited.article_id: cited.share for cited in seen.cited}
    for agents in seen.by_agents[:1]:
        often = agents.share >= limits.agents_share and agents.share * seen.failed >= limits.agents_times - 0.5
        if often and reach.get(agents.article_id, 0) <= limits.reach_at_most:
            reasons = [
                f"agents answered with '{agents.title}' in {agents.share:.0%} of the failed conversations",
                f"the bot reached it in {reach.get(agents.article_id, 0):.0%}",
            ]
            return Verdict("unfindable", agents.article_id, _sure(agents.share, limits.agents_share), reasons)
    return None


def _unfindable_by_text(seen: Evidence, limits: Limits) -> Verdict | None:
    reach = {cited.article_id: cited.share for cited in seen.cited}
    if seen.coverage < limits.coverage or not seen.nearest:
        return None
    lead = seen.nearest[0].match
    for near in seen.nearest[:3]:
        if near.match >= lead - limits.match_margin and near.answered <= 0.35 * seen.failed + 3:
            if reach.get(near.article_id, 0) > limits.reach_at_most:
                continue
            reasons = [
                f"'{near.title}' matches these questions and what agents answered "
                f"(similarity {near.similarity:.2f}, {near.match:.1f} standard deviations above other articles)",
                f"the bot reached it in {reach.get(near.article_id, 0):.0%} of them",
            ]
            return Verdict("unfindable", near.article_id, 0.5, reasons)
    return None


def _missing(seen: Evidence) -> Verdict:
    reasons = []
    if seen.nearest:
        near = seen.nearest[0]
        reasons.append(
            f"no article answers it: the nearest, '{near.title}', has a similarity of {near.similarity:.2f} "
            f"and answers other questions ({near.answered:.0f} of them well)"
        )
    else:
        reasons.append("the knowledge base has no article to compare with")
    if seen.cited:
        best = seen.cited[0]
        reasons.append(f"the bot tried '{best.title}' in {best.share:.0%} of the failed conversations")
    else:
        reasons.append("the bot cited no article in any of the failed conversations")
    return Verdict("missing", None, float(min(0.9, max(0.5, 0.8 - seen.coverage / 2))), reasons)


def _sure(share: float, limit: float) -> float:
    return float(min(0.95, 0.6 + 0.35 * (share - limit) / max(1e-9, 1 - limit)))


def _times(evidence: float) -> str:
    factor = 2.718281828**evidence
    return f"{factor:,.0f} times" if factor < 10_000 else "more than 10,000 times"
