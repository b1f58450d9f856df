"""Why a subtopic is no gap, and what would have to change: sentences from the figures that it was judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from typing import Any

from lacuna.models.text.vectors import ENOUGH_OF_A_LANGUAGE

__all__ = ["RULES", "WhyNot", "why_not"]

# In the order in which they are tried: what is so where the rule did not hold.
RULES = {
    "not asked": "nobody asked about it alone",
    "as usual": "it fails no more often than usual",
    "too few failed": "too little failed",
    "few customers": "what failed is of too few customers",
    "one language": "it may have nothing in common but its language",
    "not content": "no article would mend it",
    "chance": "chance may explain that it fails more often than usual",
    "not told apart": "nothing says what is lacking",
    "elsewhere": "what failed is judged with an article",
}
HIGH = 0.4  # a usual failing share from which on what is usual is worth a word
FAR = 0.2  # below this cosine the nearest article is not near
ANSWERED = 2  # conversations that an article answers at least to be named


@dataclass(frozen=True)
class WhyNot:
    """Why a subtopic is no gap; each field is one sentence or more, or "".

    Attributes
    ----------
    rule
        The first rule that did not hold, one of :data:`RULES`.
    verdict
        That in a few words.
    demand, failure
        How often it was asked, and how often its answers failed.
    why
        By how much the rule did not hold.
    change
        What would make it a gap.
    articles
        Which article answers it, or comes near.
    """

    rule: str
    verdict: str
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
    >>> answer.verdict
    'it fails less often than usual'
    >>> answer.failure
    'The answer failed in about 3 of them (16%; usual is 30%), and a person took over 2.'
    >>> answer.change
    'All else the same, it would be a gap if 11 of the 20 failed (55%), or if 11 more came and failed.'
    """
    return WhyNot(str(row["rule"]), _verdict(row), _demand(row), _failure(row), _why(row), _change(row), _articles(row))


def _verdict(row: Mapping[str, Any]) -> str:
    if row["rule"] == "as usual":
        rate, usual = f"{row['failure_rate']:.0%}", f"{row['usual_rate']:.0%}"
        less = row["failure_rate"] < row["usual_rate"] and rate != usual
        return f"it fails {'less' if less else 'about as'} often {'than' if less else 'as'} usual"
    return RULES[row["rule"]]


def _demand(row: Mapping[str, Any]) -> str:
    asked, besides = row["conversations"], row["besides"]
    if not asked:
        return f"In this window it only came up besides, in {_count(besides, 'conversation')}."
    more = f"; {besides:,} more bring it up besides" if besides else ""
    return (
        f"{_count(asked, 'conversation')} of the window {'is' if asked == 1 else 'are'} about it, by "
        f"{_count(row['customers'], 'customer')}{more} ({row['weekly_rate']:.1f} a week)."
    )


def _failure(row: Mapping[str, Any]) -> str:
    if not row["conversations"]:
        return ""
    people = f"a person took over {row['escalated']:,}" if row["escalated"] else "no person took over"
    usual = f"; usual is {row['usual_rate']:.0%}" if row["needed_evidence"] else ""
    return f"The answer failed in about {row['failed']:.0f} of them ({row['failure_rate']:.0%}{usual}), and {people}."


def _why(row: Mapping[str, Any]) -> str:
    rule, asked = row["rule"], row["conversations"]
    if rule == "too few failed":
        few, least = row["failed_conversations"] or "none", row["least_failed"]
        if not row["needed_evidence"]:
            return (
                f"Where people handle everything, a gap needs half as many conversations as the topic in the middle "
                f"has, {least} here, and it has {few}."
            )
        return f"A gap needs {least} failed conversations, and {few} probably failed."
    if rule == "few customers":
        return (
            f"{row['failed_conversations']:,} probably failed, all of {_count(row['failed_customers'], 'customer')}; a "
            f"gap needs {row['least_customers']}, so that one loud customer makes none."
        )
    if rule == "not content":
        why = "; ".join(row["why"])
        return f"{why[:1].upper()}{why[1:]} ({row['reason']})."
    words = {
        "chance": (
            f"In {_count(asked, 'conversation')} that may be chance: a rate like this explains them "
            f"{exp(row['evidence']):.1f} times as well as the usual one, and a missing article needs "
            f"{exp(row['needed_evidence']):.1f} times (log-likelihood ratio {row['evidence']:.2f} of "
            f"{row['needed_evidence']:.2f}). "
            "No other sign points to an article that is stale, incomplete, contradictory or not found."
        ),
        "one language": "They are most of what was asked in their language, of which there is too little to tell.",
        "not told apart": (
            "There are no answers that did to compare it with, and questions and agents' replies come near several "
            "articles alike, or near one that is used."
        ),
        "elsewhere": (
            "What failed was answered from an article that is judged as a whole, or differs too much from the gap that "
            "it was found with."
        ),
    }.get(rule, "")
    if row["usual_rate"] >= HIGH and rule in ("as usual", "chance") and row["failure_rate"] >= HIGH:
        usual = f"{row['usual_rate']:.0%}"
        return (
            f"{words} Usual is high here: of all answers {usual} fail, and a gap is what stands out from that.".strip()
        )
    return words


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
    further = f"if {'one' if more == 1 else f'{more:,}'} more came and failed" if more else ""
    if enough is None:
        return f"All {asked:,} failing would be too few to tell; it would be a gap {further}." if more else ""
    share = f"{enough:,} of the {asked:,} failed ({enough / asked:.0%})"
    same = f"if {f'all {asked:,} failed' if enough == asked else share}"
    ways = [same if enough > round(row["failed"]) else "", further]
    return f"All else the same, it would be a gap {', or '.join(way for way in ways if way)}." if any(ways) else ""


def _articles(row: Mapping[str, Any]) -> str:
    worked = [article for article in row.get("worked") or [] if article["conversations"] >= ANSWERED]
    nearest = sorted(row.get("nearest") or [], key=lambda article: -article["similarity"])[:1]
    parts = [f"“{article['title']}” answered it in {article['conversations']:,} conversations." for article in worked]
    for near in nearest:
        if near["similarity"] < FAR:
            parts.append("No article comes near what failed.")
        elif worked and near["article_id"] == worked[0]["article_id"]:
            parts.append(f"It comes nearest to what failed as well (similarity {near['similarity']:.2f}).")
        else:
            parts.append(f"Nearest to what failed comes “{near['title']}” (similarity {near['similarity']:.2f}).")
    parts += [
        f"Agents answered with “{article['title']}” in {article['share']:.0%} of what failed."
        for article in row.get("by_agents") or []
    ]
    return " ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
