"""The rules that decide why a subtopic fails: one verdict each, with reasons that quote figures.

Rules are tried from top to bottom, and the first that holds decides. First come causes that no article could mend,
then verdicts on the article that the bot uses, then whether any article holds the answer at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

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
LEAST_SIGNS = 3  # conversations that show that a person is needed; fewer may be chance
SERVED_BY_CHANCE = 3.0  # conversations that an article answers well though it is hard to find


def by_sign(evidence: Evidence, limits: Limits) -> Verdict | None:
    """Judge a subtopic by direct signs of one kind of gap, however often it fails; None without such a sign."""
    rules = (_not_content, _as_article("stale"), _contradictory, _unfindable, _as_article("incomplete"))
    for rule in rules:
        verdict = rule(evidence, limits)
        if verdict:
            return verdict
    return None


def by_answers(evidence: Evidence, limits: Limits, excess: float) -> Verdict | None:
    """Judge a subtopic without a direct sign: whether an article holds the answer that the bot does not retrieve.

    Parameters
    ----------
    evidence, limits
        The evidence on the subtopic, and the thresholds of the rules.
    excess
        Log-likelihood ratio of the subtopic's failure rate against the usual one.

    Returns
    -------
    Verdict or None
        None where chance alone may explain the failures.
    """
    verdict = _unfindable_by_answers(evidence, limits) if excess >= limits.hint_evidence else None
    return verdict or (_missing(evidence) if excess >= limits.excess_evidence else None)


def by_agreement(evidence: Evidence, limits: Limits) -> Verdict | None:
    """Judge a subtopic that people handle, where there are no successful answers to compare it with.

    It is compared with the other subtopics and with the articles. An article answers it where customers' questions and
    agents' answers are near the article, and nearer to it than to any other. Every subtopic gets some questions, so
    volume matters: the verdict is "unfindable" only where the subtopic has at least as many conversations as the
    median subtopic, less chance, and "missing" only where it has at least half as many.

    Returns
    -------
    Verdict or None
        None where the subtopic has too few conversations, or several articles are equally near.
    """
    near = evidence.agreed
    if near is None or near.agreement.nearness < near.near_enough:
        return _missing_by_agreement(evidence) if evidence.failed >= evidence.usual / 2 else None
    if near.agreement.lead < limits.answers_lead:
        return None
    if near.contrary and near.contrary.conversations >= limits.agents_times:
        return _contradicted(evidence, near, near.contrary)
    by_chance = np.sqrt(evidence.usual)  # what chance makes of the number of conversations (Poisson)
    if _reached(evidence, near) > limits.reach_at_most or evidence.failed < evidence.usual - by_chance:
        return None
    return _unfindable_by_agreement(evidence, near)


def said_again(verdict: Verdict, evidence: Evidence, limits: Limits) -> Verdict:
    """Rewrite the reasons of a verdict for a larger group of conversations; kind, article and probability stay.

    Reasons that the larger group no longer bears out stay as they were: they are why there is a gap.
    """
    if verdict.kind == "missing":
        return replace(verdict, reasons=_missing(evidence).reasons)
    rules = {"contradictory": (_contradictory,), "unfindable": (_unfindable, _unfindable_by_answers)}
    for rule in rules.get(verdict.kind, ()):
        larger = rule(evidence, limits)
        if larger and larger.article_id == verdict.article_id:
            return replace(verdict, reasons=larger.reasons)
    return verdict


def again(verdict: Verdict, evidence: Evidence) -> Verdict:
    """Rewrite the reasons of a verdict by agreement for a larger group of conversations; kind and article stay."""
    near = evidence.agreed
    if verdict.kind == "missing":
        return _missing_by_agreement(evidence)
    if near is None or near.article_id != verdict.article_id:
        return verdict
    if verdict.kind == "unfindable":
        return _unfindable_by_agreement(evidence, near)
    return _contradicted(evidence, near, near.contrary) if near.contrary else verdict


def _missing_by_agreement(evidence: Evidence) -> Verdict:
    """The verdict "missing", where there are no successful answers to compare the subtopic with."""
    reasons = [_handled(evidence)]
    near = evidence.agreed
    if near is None:
        reasons.append("the knowledge base has no article to compare with")
        return Verdict("missing", None, 0.6, reasons)
    agreement = near.agreement
    reasons.append(
        f"no article answers it: {_compared(agreement)} come closest to “{near.title}”, {_closer(agreement.nearness)} "
        f"than usual; to one that answers, they come {near.near_enough:.1f} closer"
    )
    if evidence.cited:
        reasons.append(
            f"the bot tried “{evidence.cited[0].title}” in {evidence.cited[0].share:.0%} of these conversations"
        )
    far = (near.near_enough - agreement.nearness) / max(near.near_enough, 1e-9)
    return Verdict("missing", None, float(np.clip(0.65 + 0.2 * far, 0.6, 0.85)), reasons)


def _unfindable_by_agreement(evidence: Evidence, near: Agreed) -> Verdict:
    """The verdict that an article answers a subtopic, although people ask all the same.

    It is the least certain verdict: on simulated data with known truth (``python -m tests.bench replays --tickets``)
    one in three or four is right, against half of the "missing" ones.
    """
    agreement = near.agreement
    reasons = [
        _handled(evidence),
        f"“{near.title}” answers it, and people ask all the same: {_compared(agreement)} come "
        f"{_closer(agreement.nearness)} to it than usual; {near.near_enough:.1f} would be enough",
    ]
    if evidence.by_people < 1:
        reasons.append(f"the bot reached it in {_reached(evidence, near):.0%} of these conversations")
    return Verdict("unfindable", near.article_id, float(0.35 - 0.15 * np.exp(-agreement.lead / 4)), reasons)


def _contradicted(evidence: Evidence, near: Agreed, contrary: Contrary) -> Verdict:
    against, agreeing = contrary.conversations, contrary.agreeing
    reasons = [_handled(evidence)]
    if agreeing * 2 > against:
        reasons.append(
            f"agents disagree: “{near.title}” says “{contrary.passage}”, and so they said in {agreeing} conversations; "
            f"in {against} they said “{contrary.statement}”"
        )
        return Verdict("contradictory", near.article_id, _often(against), reasons)
    same = f"in {agreeing} the same" if agreeing else "and in none the same"
    reasons.append(f"in {against} conversations agents said otherwise than “{near.title}”, {same}")
    return Verdict("stale", near.article_id, _often(against), reasons)


def _often(conversations: int) -> float:
    return float(0.9 - 0.4 * np.exp(-conversations / 6))


def _reached(evidence: Evidence, near: Agreed) -> float:
    """Share of the conversations in which the bot used the article."""
    return next((cited.share for cited in evidence.cited if cited.article_id == near.article_id), 0.0)


def _handled(evidence: Evidence) -> str:
    """A sentence: how many conversations people handled, and that there is no other sign of failure here."""
    if evidence.by_people == 1:
        return f"people handled all {evidence.failed:.0f} conversations; no bot's answers are known"
    return f"all {evidence.failed:.0f} conversations went to people; there are no answers that did to compare them with"


def _compared(agreement: Agreement) -> str:
    if agreement.answers < ENOUGH_ANSWERS:
        return "customers' questions"
    return f"customers' questions and {agreement.answers} agents' answers"


def _closer(nearness: float) -> str:
    return f"{nearness:.1f} standard deviations closer" if nearness >= 0.05 else "no closer"


def _not_content(evidence: Evidence, limits: Limits) -> Verdict | None:
    if not evidence.asks:
        why = f"none of the {evidence.failed:.0f} conversations says what the customer wanted"
        return Verdict("not_content", None, 0.9, [why], NOTHING_ASKED)
    for share, what, cause in (
        (evidence.policy_share, "the bot handed off by policy in {:.0%} of the failed conversations", HANDOFF),
        (evidence.request_share, "customers asked for a person in {:.0%} of the failed conversations", HANDOFF),
        (evidence.account_share, "an agent had to act in the customer's account or order in {:.0%} of them", ACCOUNT),
    ):
        if share >= limits.policy_share and share * evidence.failed >= LEAST_SIGNS - 0.5:
            return Verdict("not_content", None, _sure(share, limits.policy_share), [what.format(share)], cause)
    if evidence.misrouted_tags >= limits.routing_tags and evidence.misrouted_share >= limits.routing_share:
        why = (
            f"{evidence.misrouted_tags} of {evidence.tags} tags say that the intent was wrong: "
            f"“{evidence.predicted_intent}” was predicted where “{evidence.true_intent}” was meant"
        )
        return Verdict("not_content", None, _sure(evidence.misrouted_share, limits.routing_share), [why], ROUTING)
    return None


def _as_article(kind: str) -> Callable[[Evidence, Limits], Verdict | None]:
    """The rule that a subtopic takes over the verdict of an article that it often cites, if that is of this kind."""

    def rule(evidence: Evidence, limits: Limits) -> Verdict | None:
        for cited in evidence.cited[:2]:
            verdict = evidence.article_verdicts.get(cited.article_id)
            if verdict and verdict.kind == kind and cited.share >= limits.cited_share:
                return verdict
        return None

    return rule


def went_stale(change: Change, limits: Limits) -> bool:
    """Whether an article answered well before a change and badly after it, beyond what chance explains."""
    return (
        change.evidence >= limits.change_evidence
        and change.before <= limits.before_at_most
        and change.after >= limits.after_at_least
        and min(change.weight_before, change.weight_after) >= LEAST_ON_TOPIC
    )


def stale_verdict(article_id: str, title: str, change: Change, day: str) -> Verdict:
    """The verdict on an article that went stale, over all conversations that cite it."""
    reasons = [
        f"of the answers from “{title}”, in all weeks read, {change.before:.0%} failed before {day or 'the change'} "
        f"and {change.after:.0%} since",
        f"a change on that day explains the failures {_times(change.evidence)} better than no change",
    ]
    return Verdict("stale", article_id, min(0.97, 0.5 + change.evidence / 12), reasons)


def incomplete_verdict(
    article_id: str, title: str, partial: int, tags: int, usual: float, limits: Limits
) -> Verdict | None:
    """The verdict on an article whose answers are tagged as partial more often than chance explains; else None.

    Parameters
    ----------
    partial, tags
        Number of tags on answers from the article: those that say "partial", and all.
    usual
        Share of "partial" among the tags on all articles.
    """
    if partial < limits.partial_tags or partial < limits.partial_share * tags:
        return None
    if binom.sf(partial - 1, tags, usual) > limits.partial_chance:
        return None
    reasons = [
        f"{partial} of {tags} tags of this window on answers from “{title}” say that they were only part of one; "
        f"of all tags, {usual:.0%} do"
    ]
    return Verdict("incomplete", article_id, _sure(partial / tags, limits.partial_share), reasons)


def _contradictory(evidence: Evidence, limits: Limits) -> Verdict | None:
    if evidence.conflict is None or len(evidence.cited) < 2:
        return None
    share = {cited.article_id: cited.share for cited in evidence.cited}
    one, other = evidence.conflict.article_id, evidence.conflict.other_id
    both = share.get(one, 0) + share.get(other, 0)
    if min(share.get(one, 0), share.get(other, 0)) < limits.conflict_share or both < limits.cited_share:
        return None
    reasons = [
        f"the bot answers from two articles ({share[one]:.0%} and {share[other]:.0%} of the failed conversations)",
        f"one says: “{evidence.conflict.sentence}” – the other: “{evidence.conflict.other_sentence}”",
    ]
    return Verdict("contradictory", one, 0.6 + min(0.3, both / 3), reasons)


def _unfindable(evidence: Evidence, limits: Limits) -> Verdict | None:
    reach = {cited.article_id: cited.share for cited in evidence.cited}
    for agents in evidence.by_agents[:1]:
        often = agents.share >= limits.agents_share and agents.share * evidence.failed >= limits.agents_times - 0.5
        if often and reach.get(agents.article_id, 0) <= limits.reach_at_most:
            reasons = [f"agents answered with “{agents.title}” in {agents.share:.0%} of the failed conversations"]
            if evidence.by_people < 1:
                reasons.append(f"the bot reached it in {reach.get(agents.article_id, 0):.0%} of them")
            return Verdict("unfindable", agents.article_id, _sure(agents.share, limits.agents_share), reasons)
    return None


def _unfindable_by_answers(evidence: Evidence, limits: Limits) -> Verdict | None:
    near = evidence.passed_over
    if near is None:
        return None
    findability = near.findability
    if findability.nearness < near.near_enough or findability.lead < limits.answers_lead:
        return None  # agents answer something that no article says
    if findability.evidence < limits.passed_over:
        return None  # the bot tries it, and it does not do
    if near.answered > limits.served_share * evidence.failed + SERVED_BY_CHANCE:
        return None  # it is found: it answers its own questions, and these are others
    reasons = [
        f"what agents answered comes from “{near.title}”: {findability.answers} answers lie {findability.nearness:.1f} "
        f"standard deviations nearer to it than answers usually do ({near.near_enough:.1f} would be enough)",
        f"the bot tried it in {findability.tried} of {evidence.failed:.0f} failed conversations, where its text would "
        f"lead one to expect {findability.expected:.1f}; where it answered from it, that did in {findability.worked} "
        "conversations",
    ]
    return Verdict("unfindable", near.article_id, float(0.9 - 0.4 * np.exp(-findability.evidence)), reasons)


def _missing(evidence: Evidence) -> Verdict:
    reasons = []
    if evidence.nearest:
        near = max(evidence.nearest, key=lambda match: match.similarity)
        reasons.append(
            f"no article answers it: the nearest, “{near.title}”, has a similarity of {round(near.similarity, 3):.2f}"
            + (f" and answers other questions ({near.answered:.0f} of them well)" if near.answered >= 0.5 else "")
        )
        reasons += [
            f"“{new.title}” is there since {new.since} only: see whether it answers these questions"
            for new in evidence.nearest[:3]
            if new.since
        ]
    else:
        reasons.append("the knowledge base has no article to compare with")
    if evidence.cited:
        best = evidence.cited[0]
        reasons.append(f"the bot tried “{best.title}” in {best.share:.0%} of the failed conversations")
    else:
        reasons.append("the bot cited no article in any of the failed conversations")
    lead = evidence.passed_over.findability.lead if evidence.passed_over else 0.0
    return Verdict("missing", None, float(min(0.9, max(0.6, 0.9 - lead / 15))), reasons)


def _sure(share: float, limit: float) -> float:
    return float(min(0.95, 0.6 + 0.35 * (share - limit) / max(1e-9, 1 - limit)))


def _times(evidence: float) -> str:
    factor = 2.718281828**evidence
    return f"{factor:,.0f} times" if factor < 10_000 else "more than 10,000 times"
