"""Why a subtopic is no gap, and what would make it one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.diagnosis.what_would_change import further_failures, least_failures
from lacuna.models.diagnosis.why_not import RULES, why_not
from lacuna.models.topics.failure_tree import excess


def row(**other: Any) -> dict[str, Any]:
    """A subtopic of twelve conversations, five of which failed, where 30 % is usual."""
    return {
        "conversations": 12, "besides": 0, "weekly_rate": 3.0, "customers": 11, "escalated": 4, "failed": 4.9,
        "failed_conversations": 5, "failed_customers": 5, "failure_rate": 0.41, "usual_rate": 0.3, "evidence": 0.33,
        "needed_evidence": 1.5, "hint_evidence": 0.4, "least_failed": 4, "least_customers": 3, "rule": "chance",
        "reason": None, "why": [], "needed_failed": 7, "needed_more": 4, "worked": [], "nearest": [], "by_agents": [],
    } | other  # fmt: skip


usual_rates, needed = st.floats(0.02, 0.9), st.floats(0.1, 3.0)


@given(st.integers(1, 80), usual_rates, needed, st.integers(1, 5))
def test_the_fewest_failures_are_enough_and_the_fewest(size: int, usual: float, evidence: float, least: int) -> None:
    """So many failures reach the evidence, one fewer does not, or is fewer than are needed at all."""
    bad = least_failures(size, usual, evidence, least)
    if bad is None:
        assert size < least or excess(size, size, usual) < evidence
        return
    assert excess(bad, size, usual) >= evidence
    assert bad >= least
    assert bad == least or excess(bad - 1, size, usual) < evidence or bad - 1 < usual * size


@given(st.integers(0, 40), st.integers(0, 40), usual_rates, needed, st.integers(0, 4))
def test_further_failures_are_enough_and_the_fewest(
    failed: int, answered: int, usual: float, evidence: float, missing: int
) -> None:
    """So many further failing conversations reach the evidence, and one fewer does not."""
    size = failed + answered
    more = further_failures(failed, size, usual, evidence, missing)
    assert more is not None
    assert more >= missing
    assert excess(failed + more, max(1, size + more), usual) >= evidence
    assert more == missing or excess(failed + more - 1, max(1, size + more - 1), usual) < evidence


def test_chance_is_told_as_odds_and_what_is_usual_where_it_is_high() -> None:
    """The evidence stands beside what is needed; a high usual share is explained, a low one is not."""
    answer = why_not(row())
    assert "1.4 times as well" in answer.why
    assert "needs 4.5 times (log-likelihood ratio 0.33 of 1.50)" in answer.why
    assert "Usual is high" not in answer.why
    assert "Usual is high here: of all answers 55% fail" in why_not(row(usual_rate=0.55, failure_rate=0.6)).why


def test_what_is_hardly_above_usual_fails_about_as_often() -> None:
    """It is never said to fail less often at a share that is printed as the usual one or above it."""
    for rate, words in ((0.25, "less often than"), (0.298, "about as often as"), (0.31, "about as often as")):
        assert why_not(row(rule="as usual", failure_rate=rate)).verdict == f"it fails {words} usual"


def test_too_few_to_tell_even_if_all_failed() -> None:
    """Where not even all would do, only more conversations would."""
    answer = why_not(
        row(conversations=3, failed=2.0, failed_conversations=2, rule="too few failed", needed_failed=None)
    )
    assert answer.why == "A gap needs 4 failed conversations, and 2 probably failed."
    assert answer.change == "All 3 failing would be too few to tell; it would be a gap if 4 more came and failed."


def test_no_article_would_mend_it() -> None:
    """The reason is the diagnosis's own, and no number of failures is named."""
    answer = why_not(row(rule="not content", reason="handoff by policy", why=["the bot handed off by policy in 80%"]))
    assert answer.why == "The bot handed off by policy in 80% (handoff by policy)."
    assert "more came" not in answer.change


def test_articles_are_named_where_they_answer_or_come_near() -> None:
    """One conversation names no article, and the one that answers is not named twice."""
    near = {"article_id": "kb-1", "title": "Refunds", "similarity": 0.61}
    once, often = ({"article_id": "kb-1", "title": "Refunds", "conversations": count} for count in (1, 6))
    assert why_not(row(worked=[once], nearest=[near])).articles.startswith("Nearest to what failed comes “Refunds”")
    assert why_not(row(worked=[often], nearest=[near])).articles == (
        "“Refunds” answered it in 6 conversations. It comes nearest to what failed as well (similarity 0.61)."
    )
    assert why_not(row(nearest=[near | {"similarity": 0.1}])).articles == "No article comes near what failed."


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_verdict_and_sentences(rule: str) -> None:
    """Whatever rule did not hold, the answer says so in whole sentences."""
    answer = why_not(row(rule=rule, reason="intent routing", why=["it was misrouted"]))
    assert answer.verdict
    assert all(sentence[0].isupper() or sentence[0] in "“0123456789" for sentence in answer.sentences)
    assert all(sentence.endswith(".") for sentence in answer.sentences)
