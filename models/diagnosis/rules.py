"""Why a subtopic fails: one kind each, by rules that stand here and nowhere else, with reasons that carry figures.

The rules are read from top to bottom; the first that holds decides. What an article could not mend comes first, then
what is known of the article that the bot uses, then whether any article has the answer at all.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import binom

from lacuna.models.diagnosis.agreement import ENOUGH_ANSWERS, Agreement
from lacuna.models.diagnosis.change_point import Change
from lacuna.models.diagnosis.evidence import Agreed, Contrary, Evidence, Limits, Verdict

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


def by_agreement(seen: Evidence, limits: Limits) -> Verdict | None:
    """The verdict on a subtopic that needs people, where no answers that did are there to compare it with.

    It is compared with the other subtopics and with the articles. An article answers it where customers' questions and
    agents' answers come near the article, and nearer than to any other. People ask about everything now and then: an
    article is said not to be found where they ask no less than about other things, and to be missing where they ask
    half as often.

    Returns
    -------
    Verdict or None
        None where people ask too seldom, or several articles come equally near, so that no one can be named.
    """
    near = seen.agreed
    if near is None or near.agreement.nearness < near.near_enough:
        return _missing_by_agreement(seen) if seen.failed >= seen.usual / 2 else None
    if near.agreement.lead < limits.answers_lead:
        return None
    if near.contrary and near.contrary.conversations >= limits.agents_times:
        return _contradicted(seen, near, near.contrary)
    by_chance = np.sqrt(seen.usual)  # what chance makes of the number of conversations (Poisson)
    if _reached(seen, near) > limits.reach_at_most or seen.failed < seen.usual - by_chance:
        return None
    return _unfindable_by_agreement(seen, near)


def again(verdict: Verdict, seen: Evidence) -> Verdict:
    """A verdict by agreement, told anew of more conversations than it was found in; its kind and article stay."""
    near = seen.agreed
    if verdict.kind == "missing":
        return _missing_by_agreement(seen)
    if near is None or near.article_id != verdict.article_id:
        return verdict
    if verdict.kind == "unfindable":
        return _unfindable_by_agreement(seen, near)
    return _contradicted(seen, near, near.contrary) if near.contrary else verdict


def _missing_by_agreement(seen: Evidence) -> Verdict:
    """The verdict that no article answers a subtopic, where no answers that did are there to compare it with."""
    reasons = [_handled(seen)]
    near = seen.agreed
    if near is None:
        reasons.append("the knowledge base has no article to compare with")
        return Verdict("missing", None, 0.6, reasons)
    found = near.agreement
    reasons.append(
        f"no article answers it: {_compared(found)} come closest to '{near.title}', {_closer(found.nearness)} than "
        f"usual; to one that answers, they come {near.near_enough:.1f} closer"
    )
    if seen.cited:
        reasons.append(f"the bot tried '{seen.cited[0].title}' in {seen.cited[0].share:.0%} of these conversations")
    far = (near.near_enough - found.nearness) / max(near.near_enough, 1e-9)
    return Verdict("missing", None, float(np.clip(0.65 + 0.2 * far, 0.6, 0.85)), reasons)


def _unfindable_by_agreement(seen: Evidence, near: Agreed) -> Verdict:
    """The verdict that an article answers a subtopic, and people ask all the same.

    It is the least sure of all: on simulated draws with known truth (``python -m tests.bench replays --tickets``) one
    in three or four is right, and half of the missing ones.
    """
    found = near.agreement
    reasons = [
        _handled(seen),
        f"'{near.title}' answers it, and people ask all the same: {_compared(found)} come {_closer(found.nearness)} "
        f"to it than usual; {near.near_enough:.1f} would be enough",
    ]
    if seen.by_people < 1:
        reasons.append(f"the bot reached it in {_reached(seen, near):.0%} of these conversations")
    return Verdict("unfindable", near.article_id, float(0.35 - 0.15 * np.exp(-found.lead / 4)), reasons)


def _contradicted(seen: Evidence, near: Agreed, contrary: Contrary) -> Verdict:
    against, agreeing = contrary.conversations, contrary.agreeing
    reasons = [_handled(seen)]
    if agreeing * 2 > against:
        reasons.append(
            f"agents disagree: '{near.title}' says “{contrary.passage}”, and so they said in {agreeing} conversations; "
            f"in {against} they said “{contrary.said}”"
        )
        return Verdict("contradictory", near.article_id, _often(against), reasons)
    same = f"in {agreeing} the same" if agreeing else "and in none the same"
    reasons.append(f"in {against} conversations agents said otherwise than '{near.title}', {same}")
    return Verdict("stale", near.article_id, _often(against), reasons)


def _often(conversations: int) -> float:
    return float(0.9 - 0.4 * np.exp(-conversations / 6))


def _reached(seen: Evidence, near: Agreed) -> float:
    """Share of the conversations in which the bot used the article."""
    return next((cited.share for cited in seen.cited if cited.article_id == near.article_id), 0.0)


def _handled(seen: Evidence) -> str:
    """How many people were needed, and that this is all that tells of failure here."""
    if seen.by_people == 1:
        return f"people handled all {seen.failed:.0f} conversations; no bot's answers are known"
    return f"all {seen.failed:.0f} conversations went to people; there are no answers that did to compare them with"


def _compared(found: Agreement) -> str:
    if found.answers < ENOUGH_ANSWERS:
        return "customers' questions"
    return f"customers' questions and {found.answers} agents' answers"


def _closer(nearness: float) -> str:
    return f"{nearness:.1f} standard deviations closer" if nearness >= 0.05 else "no closer"


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
        f"of the answers from '{title}', in all weeks read, {change.before:.0%} failed before {day or 'the change'} "
        f"and {change.after:.0%} since",
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
        f"{partial} of {tags} tags of this window on answers from '{title}' say that they were only part of one; "
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
            reasons = [f"agents answered with '{agents.title}' in {agents.share:.0%} of the failed conversations"]
            if seen.by_people < 1:
                reasons.append(f"the bot reached it in {reach.get(agents.article_id, 0):.0%}")
            return Verdict("unfindable", agents.article_id, _sure(agents.share, limits.agents_share), reasons)
    return None


def _unfindable_by_answers(seen: Evidence, limits: Limits) -> Verdict | None:
    near = seen.passed_over
    if near is None:
        return None
    found = near.findability
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
        near = max(seen.nearest, key=lambda match: match.similarity)
        reasons.append(
            f"no article answers it: the nearest, '{near.title}', has a similarity of {round(near.similarity, 3):.2f}"
            + (f" and answers other questions ({near.answered:.0f} of them well)" if near.answered >= 0.5 else "")
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
    lead = seen.passed_over.findability.lead if seen.passed_over else 0.0
    return Verdict("missing", None, float(min(0.9, max(0.6, 0.9 - lead / 15))), reasons)


def _sure(share: float, limit: float) -> float:
    return float(min(0.95, 0.6 + 0.35 * (share - limit) / max(1e-9, 1 - limit)))


def _times(evidence: float) -> str:
    factor = 2.718281828**evidence
    return f"{factor:,.0f} times" if factor < 10_000 else "more than 10,000 times"
