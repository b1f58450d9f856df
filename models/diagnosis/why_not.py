"""Why a subtopic is no gap, and what would have to change: sentences from the figures that it was judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lacuna.models.text.vectors import ENOUGH_OF_A_LANGUAGE

__all__ = ["RULES", "WhyNot", "why_not"]

# In the order in which they are tried: what is so where the rule did not hold.
RULES = {
    "not asked": "nobody asked about it alone",
    "as usual": "fails no more often than usual",
    "too few failed": "too little failed",
    "one language": "has nothing in common but its language",
    "not content": "no article would help",
    "chance": "chance may explain what failed",
    "not told apart": "nothing says what is lacking",
    "elsewhere": "is judged with an article",
}


@dataclass(frozen=True)
class WhyNot:
    """Why a subtopic is no gap; each field is one or two sentences, or "".

    Attributes
    ----------
    rule
        The first rule that did not hold, one of :data:`RULES`.
    demand, failure
        How often it was asked, and how often its answers failed.
    why
        Which rule did not hold, and by how much.
    change
        What would make it a gap.
    articles
        Which article answers it, or comes near.
    """

    rule: str
    demand: str
    failure: str
    why: str
    change: str
    articles: str

    @property
    def sentences(self) -> list[str]:
        """All that there is to say, in order."""
        return [part for part in (self.demand, self.failure, self.why, self.change, self.articles) if part]


def why_not(row: Mapping[str, Any]) -> WhyNot:
    """Say why a subtopic is no gap.

    Parameters
    ----------
    row
        A row of the published table ``subtopics_judged`` whose ``rule`` is not ``gap``, as plain values.

    Examples
    --------
    >>> answer = why_not({
    ...     "conversations": 20, "besides": 0, "weekly_rate": 5.0, "customers": 18, "escalated": 2, "failed": 3.1,
    ...     "failed_conversations": 3, "failure_rate": 0.155, "usual_rate": 0.3, "evidence": 0.0,
    ...     "needed_evidence": 1.5, "least_failed": 4, "rule": "as usual", "needed_failed": 11, "needed_more": 11,
    ... })
    >>> answer.why
    'It is no gap because it fails no more often than the rest: 16% against 30%.'
    >>> answer.change[:78]
    'All else the same, it would be one if 11 of the 20 failed (55%) instead of abo'
    """
    return WhyNot(str(row["rule"]), _demand(row), _failure(row), _why(row), _change(row), _articles(row))


def _demand(row: Mapping[str, Any]) -> str:
    asked, besides = row["conversations"], row["besides"]
    if not asked:
        return f"In this window nobody asked about it alone; it came up besides in {_count(besides, 'conversation')}."
    more = f"; {besides:,} more bring it up besides" if besides else ""
    return (
        f"{_count(asked, 'conversation')} of the window {'is' if asked == 1 else 'are'} about it, by "
        f"{_count(row['customers'], 'customer')}{more} ({row['weekly_rate']:.1f} a week)."
    )


def _failure(row: Mapping[str, Any]) -> str:
    if not row["conversations"]:
        return ""
    return (
        f"The answer failed in about {row['failed']:.0f} of them ({row['failure_rate']:.0%}; over all topics "
        f"{row['usual_rate']:.0%}), and a person took over {row['escalated']:,}."
    )


def _why(row: Mapping[str, Any]) -> str:
    rate, usual = f"{row['failure_rate']:.0%}", f"{row['usual_rate']:.0%}"
    rule = row["rule"]
    if rule == "as usual":
        against = "about as often" if rate == usual else f"{rate} against {usual}"
        return f"It is no gap because it fails no more often than the rest: {against}."
    if rule == "too few failed":
        few = _count(row["failed_conversations"], "conversation")
        return (
            f"It is no gap because too little failed: the answer probably failed in {few}, and a gap needs "
            f"{row['least_failed']}."
        )
    if rule == "chance":
        return (
            f"It is no gap because chance may explain that it fails more often than the rest ({rate} against {usual}): "
            f"the evidence that it does is {row['evidence']:.1f}, and an article that is missing needs "
            f"{row['needed_evidence']:.1f} (log-likelihood ratio). No other sign points to an article that is stale, "
            "incomplete, contradictory or not found."
        )
    if rule == "not content":
        return f"It is no gap of content because no article would mend it ({row['reason']}): {'; '.join(row['why'])}."
    return {
        "not asked": "It is no gap because nobody was left without an answer to it.",
        "one language": (
            "It is no gap because its conversations may have nothing in common but their language, of which there is "
            "too little to tell."
        ),
        "not told apart": (
            "It is no gap because nothing says what is lacking: there are no answers that did to compare it with, and "
            "questions and agents' replies come near several articles alike, or near one that is used."
        ),
        "elsewhere": (
            "It is no gap of its own although it fails often: what failed was answered from an article that is judged "
            "as a whole, or differs too much from the gap that it was found with."
        ),
    }.get(rule, "")


def _change(row: Mapping[str, Any]) -> str:
    rule, asked, enough, more = row["rule"], row["conversations"], row["needed_failed"], row["needed_more"]
    if rule == "not content":
        return "The bot's rules, its intents or the product would have to change."
    if rule == "one language":
        return f"It will be judged like any other once there are {ENOUGH_OF_A_LANGUAGE} questions in that language."
    if rule == "not told apart":
        return "Conversations that nobody took over, or the articles that agents cite (`article_ids`), would tell."
    if rule not in ("as usual", "too few failed", "chance"):
        return ""
    further = f"if {more:,} more came and all failed" if more else ""
    if enough is None:
        return f"All {asked:,} failing would be too few to tell; it would be one {further}." if further else ""
    if enough <= round(row["failed"]):
        return f"All else the same, it would be one {further}." if further else ""
    same = f"if {enough:,} of the {asked:,} failed ({enough / asked:.0%}) instead of about {row['failed']:.0f}"
    return f"All else the same, it would be one {same}{'; or ' + further if further else ''}."


def _articles(row: Mapping[str, Any]) -> str:
    parts = [
        f"“{article['title']}” answered it in {_count(article['conversations'], 'conversation')}"
        for article in row.get("worked") or []
    ]
    parts += [
        f"agents answered with “{article['title']}” in {article['share']:.0%} of what failed"
        for article in row.get("by_agents") or []
    ]
    if nearest := row.get("nearest"):
        near = max(nearest, key=lambda article: article["similarity"])
        parts.append(f"nearest to what failed is “{near['title']}” (similarity {near['similarity']:.2f})")
    words = "; ".join(parts)
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
