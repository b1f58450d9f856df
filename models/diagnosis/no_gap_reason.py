"""Why a run found no gap: one sentence with its figures, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["UNKNOWN", "NoGap", "RunFindings", "no_gap_reason", "why_no_gap"]

# The reason shown for a run of an earlier version, which stored none.
UNKNOWN = "Either every topic is answered well, or too few conversations failed to tell."
NAMED = 3  # reasons why no article would help that are named


@dataclass(frozen=True)
class RunFindings:
    """The figures of a run from which the reason for an empty backlog follows; counts are of the window.

    Parameters
    ----------
    conversations, asking, failed
        Conversations; those in which a customer asked something; of those, the ones whose answer probably failed.
    escalated
        Conversations that a person took over.
    articles
        Published articles.
    customers
        Customers who asked something; a conversation without a customer id counts as one.
    topics
        Groups of alike questions, as they are judged.
    largest
        Failed conversations of the topic that has most of them.
    above
        Topics with enough failed conversations whose failure rate is above the average; all with enough failed
        conversations where rates can't be compared.
    not_content
        Conversations that no article would help, by reason.
    not_content_topics
        Number of topics of these.
    label, share, usual
        The topic whose failure rate is most clearly above the average, its rate, and the average; "" and 0 without one.
    comparable
        Whether there are successful answers to compare the others with.
    evidence, needed_evidence
        Log-likelihood ratio of that topic's failure rate, and the least that a missing article needs.
    needed_failed, needed_questions, needed_customers
        Failed conversations that a gap needs, and questions and customers that a topic needs.
    """

    conversations: int
    asking: int
    failed: int
    escalated: int
    articles: int
    customers: int
    topics: int
    largest: int
    above: int
    needed_failed: int
    needed_questions: int
    needed_customers: int
    not_content: Mapping[str, int] = field(default_factory=dict)
    not_content_topics: int = 0
    label: str = ""
    share: float = 0.0
    usual: float = 0.0
    evidence: float = 0.0
    needed_evidence: float = 0.0
    comparable: bool = True


@dataclass(frozen=True)
class NoGap:
    """Why no gap was found: a key, one or two sentences, and the cheapest next step; both begin with a capital."""

    rule: str
    why: str
    step: str


def no_gap_reason(findings: RunFindings) -> NoGap:
    """Say why no gap was found; the first reason that holds.

    Parameters
    ----------
    findings
        The figures of the run.

    Examples
    --------
    >>> reason = no_gap_reason(RunFindings(
    ...     conversations=30, asking=30, failed=0, escalated=0, articles=3, customers=30, topics=1, largest=0, above=0,
    ...     needed_failed=4, needed_questions=5, needed_customers=3,
    ... ))
    >>> reason.rule, reason.why
    ('nothing fails', 'Nothing failed: of 30 conversations none was escalated, and no sign says that an answer failed.')
    """
    rules = (
        _nothing_asked,
        _nothing_fails,
        _no_topic,
        _too_few,
        _not_content,
        _not_told_apart,
        _all_alike,
        _too_unsure,
    )
    gap_reason = next((reason for rule in rules if (reason := rule(findings))), None) or _no_sign(findings)
    if findings.articles:
        return gap_reason
    return NoGap(gap_reason.rule, f"{gap_reason.why} The bundle has no published article either.", gap_reason.step)


def why_no_gap(run: Mapping[str, Any]) -> str:
    """Why a published run without a gap has none, and what to do next, from its run.json.

    Examples
    --------
    >>> why_no_gap({"no_gap_reason": {"rule": "too few", "why": "Two failed.", "step": "Export more."}})
    'Two failed. Export more.'
    """
    stored_reason = run.get("no_gap_reason")
    if not isinstance(stored_reason, Mapping) or not stored_reason.get("why"):
        return UNKNOWN
    return f"{stored_reason['why']} {stored_reason.get('step') or ''}".strip()


def _nothing_asked(findings: RunFindings) -> NoGap | None:
    if findings.asking:
        return None
    return NoGap(
        "nothing asked",
        f"In none of the {_count(findings.conversations, 'conversation')} did a customer ask anything.",
        "See that what customers wrote has the role 'customer' in the table messages.",
    )


def _nothing_fails(findings: RunFindings) -> NoGap | None:
    if findings.failed:
        return None
    handed = (
        f"{findings.escalated:,} were" if findings.escalated > 1 else "one was" if findings.escalated else "none was"
    )
    return NoGap(
        "nothing fails",
        f"Nothing failed: of {_count(findings.conversations, 'conversation')} {handed} escalated, and no sign says "
        "that an answer failed.",
        "If people did take over, see that `escalated` is true there; else tag some answers, so that wrong ones show."
        if not findings.escalated
        else "Tag some of the escalated conversations: a tag tells an answer that failed from one that did not.",
    )


def _no_topic(findings: RunFindings) -> NoGap | None:
    if findings.topics:
        return None
    need = f"{findings.needed_questions:,} alike, by {_count(findings.needed_customers, 'customer')}"
    if findings.asking < findings.needed_questions:
        why = f"There are too few questions to group: {findings.asking:,}. A topic needs {need}."
        return NoGap("too few", why, "Mine a longer window with --start, or export more conversations.")
    if findings.customers < findings.needed_customers:
        why = (
            f"All {findings.asking:,} questions come from {_count(findings.customers, 'customer')}. A topic needs "
            f"{need}."
        )
        return NoGap(
            "one customer", why, "See that every customer has a `customer_id` of their own, or leave it empty."
        )
    why = f"The {findings.asking:,} questions are too different to make a topic, which needs {need}."
    return NoGap("no topic", why, "Mine a longer window with --start: what is asked once today is asked again.")


def _too_few(findings: RunFindings) -> NoGap | None:
    if findings.largest >= findings.needed_failed:
        return None
    return NoGap(
        "too few",
        f"Too few conversations failed: {findings.failed:,} of {findings.conversations:,}, and at most "
        f"{findings.largest:,} in one topic. A gap needs {findings.needed_failed:,}.",
        "Mine a longer window with --start, or export more conversations.",
    )


def _not_content(findings: RunFindings) -> NoGap | None:
    if not findings.not_content_topics or findings.not_content_topics < findings.above:
        return None
    reasons = sorted(findings.not_content.items(), key=lambda item: (-item[1], item[0]))
    top_reasons = ", ".join(f"{why} {count:,}" for why, count in reasons[:NAMED])
    return NoGap(
        "not content",
        "What fails is nothing that an article could mend: "
        f"{_count(sum(findings.not_content.values()), 'conversation')} in "
        f"{_count(findings.not_content_topics, 'topic')} ({top_reasons}).",
        "Look at “Not content”: rules, intents or the product would have to change.",
    )


def _not_told_apart(findings: RunFindings) -> NoGap | None:
    if findings.comparable:
        return None
    return NoGap(
        "not told apart",
        f"{_count(findings.above, 'topic')} {'needs' if findings.above == 1 else 'need'} people, and nothing says what "
        "is lacking: there are no answers that did to compare them with, and questions and agents' replies come near "
        "several articles alike.",
        "Export the conversations that nobody took over too, or which articles agents cite (`article_ids`).",
    )


def _all_alike(findings: RunFindings) -> NoGap | None:
    if findings.above:
        return None
    failed = f"{findings.failed:,} of {_count(findings.conversations, 'conversation')} failed"
    why = (
        f"There is nothing to compare with: {failed}, and all that were grouped are of one topic."
        if findings.topics == 1
        else f"All topics are alike: {failed}, and none of the {findings.topics:,} fails more often than the others."
    )
    if findings.escalated == findings.conversations:
        return NoGap("all alike", why, "Export the conversations that nobody took over too: they show what goes well.")
    return NoGap("all alike", why, "Mine a longer window with --start, or tag the conversations in tag_next.csv.")


def _too_unsure(findings: RunFindings) -> NoGap | None:
    if not findings.label or findings.evidence >= findings.needed_evidence:
        return None
    return NoGap(
        "too unsure",
        f"No topic fails more often than chance explains: the clearest, “{findings.label}”, in {findings.share:.0%} of "
        f"its conversations, where {findings.usual:.0%} is usual.",
        "Mine a longer window with --start, or tag the conversations in tag_next.csv.",
    )


def _no_sign(findings: RunFindings) -> NoGap:
    clearest = (
        f"the clearest, “{findings.label}”, in {findings.share:.0%} of its conversations, " if findings.label else ""
    )
    return NoGap(
        "no sign",
        f"{_count(findings.above, 'topic')} {'fails' if findings.above == 1 else 'fail'} more often than the others, "
        f"{clearest}and none with a sign of what an article lacks.",
        "Read the topics that fail most in the report, and tag the conversations in tag_next.csv.",
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
