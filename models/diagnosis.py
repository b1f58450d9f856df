"""Why a subtopic fails: one kind each, by rules that stand here and nowhere else, with reasons that carry figures.

The rules are read from top to bottom; the first that holds decides. What an article could not mend comes first, then
what is known of the article that the bot uses, then whether any article has the answer at all.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import binom

from models.changes import Change
from models.signs import Evidence, Limits, Verdict

HANDOFF = "handoff by policy"
ACCOUNT = "account action needed"
ROUTING = "intent routing"
NOTHING_ASKED = "nothing was asked"
LEAST_ON_TOPIC = 1.5  # conversations about an article that must lie on each side of a change
SERVED_BY_CHANCE = 3.0  # conversations that an article answers well though it is hard to find


def by_sign(seen: Evidence, limits: Limits) -> Verdict | None:
    """The verdict on a subtopic that bears the sign of one kind, however much or little it fails; else None."""
    rules = (_not_content, _known("stale"), _contradictory, _unfindable, _known("incomplete"))
    for rule in rules:
        verdict = rule(seen, limits)
        if verdict:
            return verdict
    return None


def by_answers(seen: Evidence, limits: Limits, excess: float) -> Verdict | None:
    """The verdict on a subtopic without a sign of its own: whether an article would do that the bot passes over.

    Parameters
    ----------
    seen, limits
        What is known of the subtopic, and where rules begin to hold.
    excess
        Log-likelihood by which the subtopic fails more than others.

    Returns
    -------
    Verdict or None
        None where the subtopic may fail by chance alone.
    """
    verdict = _unfindable_by_answers(seen, limits) if excess >= limits.hint_evidence else None
    return verdict or (_missing(seen) if excess >= limits.excess_evidence else None)


def _not_content(seen: Evidence, limits: Limits) -> Verdict | None:
    if not seen.asks:
        why = f"none of the {seen.failed:.0f} conversations says what the customer wanted"
        return Verdict("not_content", None, 0.9, [why], NOTHING_ASKED)
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


def _known(kind: str) -> Callable[[Evidence, Limits], Verdict | None]:
    """The rule that a subtopic fails with the article it is about, where that is of this kind wherever it is cited."""

    def rule(seen: Evidence, limits: Limits) -> Verdict | None:
        for cited in seen.cited[:2]:
            verdict = seen.known.get(cited.article_id)
            if verdict and verdict.kind == kind and cited.share >= limits.cited_share:
                return verdict
        return None

    return rule


def went_stale(change: Change, limits: Limits) -> bool:
    """Whether an article answered well before a change, badly after it, and that is no accident."""
    return (
        change.evidence >= limits.change_evidence
        and change.before <= limits.before_at_most
        and change.after >= limits.after_at_least
        and min(change.weight_before, change.weight_after) >= LEAST_ON_TOPIC
    )


def stale_verdict(article_id: str, title: str, change: Change, day: str) -> Verdict:
    """The verdict on an article that went stale, wherever its conversations lie."""
    reasons = [
        f"answers from '{title}' failed in {change.before:.0%} of conversations before {day or 'the change'}, "
        f"and in {change.after:.0%} since",
        f"a change explains this {_times(change.evidence)} better than a constant rate",
    ]
    return Verdict("stale", article_id, min(0.97, 0.5 + change.evidence / 12), reasons)


def incomplete_verdict(
    article_id: str, title: str, partial: int, tags: int, usual: float, limits: Limits
) -> Verdict | None:
    """The verdict on an article whose answers are tagged as partial more often than others' by more than chance.

    Parameters
    ----------
    partial, tags
        Tags on answers from the article: those that say partial, and all.
    usual
        Share of partial among all tags.
    """
    if partial < limits.partial_tags or partial < limits.partial_share * tags:
        return None
    if binom.sf(partial - 1, tags, usual) > limits.partial_chance:
        return None
    reasons = [
        f"{partial} of {tags} tags on answers from '{title}' say that they were only part of one; "
        f"of all tags, {usual:.0%} do"
    ]
    return Verdict("incomplete", article_id, _sure(partial / tags, limits.partial_share), reasons)


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


def _unfindable_by_answers(seen: Evidence, limits: Limits) -> Verdict | None:
    near = seen.passed_over
    if near is None:
        return None
    found = near.reach
    if found.nearness < near.near_enough or found.lead < limits.answers_lead:
        return None  # agents answer something that no article says
    if found.evidence < limits.passed_over:
        return None  # the bot tries it, and it does not do
    if near.answered > limits.served_share * seen.failed + SERVED_BY_CHANCE:
        return None  # it is found: it answers its own questions, and these are others
    reasons = [
        f"what agents answered comes from '{near.title}': {found.answers} answers lie {found.nearness:.1f} standard "
        f"deviations nearer to it than answers usually do ({near.near_enough:.1f} would be enough)",
        f"the bot tried it in {found.tried} of {seen.failed:.0f} failed conversations, where its text would lead one "
        f"to expect {found.expected:.1f}; where it answered from it, that did in {found.worked} conversations",
    ]
    return Verdict("unfindable", near.article_id, float(0.9 - 0.4 * np.exp(-found.evidence)), reasons)


def _missing(seen: Evidence) -> Verdict:
    reasons = []
    if seen.nearest:
        near = seen.nearest[0]
        reasons.append(
            f"no article answers it: the nearest, '{near.title}', has a similarity of {near.similarity:.2f} "
            f"and answers other questions ({near.answered:.0f} of them well)"
        )
        reasons += [
            f"'{new.title}' is there since {new.since} only: see whether it answers these questions"
            for new in seen.nearest[:3]
            if new.since
        ]
    else:
        reasons.append("the knowledge base has no article to compare with")
    if seen.cited:
        best = seen.cited[0]
        reasons.append(f"the bot tried '{best.title}' in {best.share:.0%} of the failed conversations")
    else:
        reasons.append("the bot cited no article in any of the failed conversations")
    lead = seen.passed_over.reach.lead if seen.passed_over else 0.0
    return Verdict("missing", None, float(min(0.9, max(0.6, 0.9 - lead / 15))), reasons)


def _sure(share: float, limit: float) -> float:
    return float(min(0.95, 0.6 + 0.35 * (share - limit) / max(1e-9, 1 - limit)))


def _times(evidence: float) -> str:
    factor = 2.718281828**evidence
    return f"{factor:,.0f} times" if factor < 10_000 else "more than 10,000 times"
