"""Each kind of gap is told by its own sign, and none without one."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.diagnosis.change_point import Change
from lacuna.models.diagnosis.evidence import Cited, Conflict, Evidence, Limits, Match, PassedOver, Verdict
from lacuna.models.diagnosis.findability import Findability
from lacuna.models.diagnosis.rules import by_answers, by_sign, incomplete_verdict, stale_verdict, went_stale
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.steps.diagnose import regroup
from lacuna.pipelines.steps.diagnose import step as diagnose

LIMITS = Limits(**load_settings().diagnosis.model_dump())
PLAIN = Evidence(
    failed=20.0, asks=True, tags=8, policy_share=0.0, account_share=0.0, request_share=0.0, misrouted_tags=0,
    misrouted_share=0.0, true_intent=None, predicted_intent=None, cited=[Cited("a", "Returns", 0.5)],
    nearest=[Match("a", "Returns", 3.0, 0.5, 40.0)],
)  # fmt: skip
HIDDEN = PassedOver("b", "Warranty", Findability(1, 2.0, 4.0, 12, 0, 3.0, 2, 3.0), near_enough=1.0, answered=2.0)
CHANGE = Change(10, 9, 11, 6.0, 0.1, 0.8, 8.0, 9.0)


def kind(evidence: Evidence, excess: float = 5.0) -> str | None:
    """What the rules say, those with a sign first."""
    verdict = by_sign(evidence, LIMITS) or by_answers(evidence, LIMITS, excess)
    return verdict.kind if verdict else None


def test_without_a_sign_it_is_missing() -> None:
    """A topic that fails beyond chance and bears no sign has no article; one that may fail by chance is no gap."""
    assert kind(PLAIN) == "missing"
    assert kind(PLAIN, excess=0.1) is None


@pytest.mark.parametrize("share", ["policy_share", "account_share", "request_share"])
def test_what_only_a_person_may_do_is_not_content(share: str) -> None:
    """Hand-over by policy, an action in the account, and a wish for a person come before everything else."""
    assert kind(replace(PLAIN, **{share: 0.9})) == "not_content"


def test_misrouted_questions_are_not_content() -> None:
    """Tags that say the intent was wrong send a topic to whoever trains the intents."""
    verdict = by_sign(replace(PLAIN, misrouted_tags=6, misrouted_share=0.75, true_intent="ebike"), LIMITS)
    assert verdict is not None
    assert (verdict.kind, verdict.not_content) == ("not_content", "intent routing")


def test_messages_without_a_question_are_not_content() -> None:
    """Greetings and tests need no article."""
    verdict = by_sign(replace(PLAIN, asks=False), LIMITS)
    assert verdict is not None
    assert verdict.not_content == "nothing was asked"


def test_a_topic_fails_with_the_article_it_is_about() -> None:
    """A topic whose failures cite a stale article belongs to that article; one that hardly cites it does not."""
    article_verdicts = {"a": stale_verdict("a", "Returns", CHANGE, "2024-05-01")}
    assert kind(replace(PLAIN, article_verdicts=article_verdicts)) == "stale"
    assert kind(replace(PLAIN, article_verdicts=article_verdicts, cited=[Cited("a", "Returns", 0.1)])) == "missing"


def test_two_articles_that_disagree() -> None:
    """Sentences that differ make a contradiction where the bot uses both articles, and none where it uses one."""
    conflict = Conflict("a", "b", "within 30 days", "within 14 days")
    both = [Cited("a", "Returns", 0.4), Cited("b", "Bikes", 0.4)]
    assert kind(replace(PLAIN, conflict=conflict, cited=both)) == "contradictory"
    assert kind(replace(PLAIN, conflict=conflict, cited=[both[0], Cited("b", "Bikes", 0.05)])) == "missing"


def test_agents_cite_what_the_bot_does_not_reach() -> None:
    """Agents answer with an article in half of the cases and the bot in none: it is not found."""
    assert kind(replace(PLAIN, by_agents=[Cited("b", "Warranty", 0.5)])) == "unfindable"
    reached = [Cited("b", "Warranty", 0.6)]
    assert kind(replace(PLAIN, by_agents=[Cited("b", "Warranty", 0.5)], cited=reached)) == "missing"


def test_agents_answer_what_the_bot_passes_over() -> None:
    """Agents cite nothing, and their answers come from an article that the bot never tries."""
    verdict = by_answers(replace(PLAIN, passed_over=HIDDEN), LIMITS, 5.0)
    assert verdict is not None
    assert (verdict.kind, verdict.article_id) == ("unfindable", "b")
    assert "3.0" in " ".join(verdict.reasons)


@pytest.mark.parametrize(
    "doubtful",
    [
        replace(
            HIDDEN, findability=replace(HIDDEN.findability, nearness=0.5)
        ),  # agents say something that stands in no article
        replace(HIDDEN, findability=replace(HIDDEN.findability, lead=0.5)),  # two articles come equally near
        replace(HIDDEN, findability=replace(HIDDEN.findability, evidence=-1.0)),  # the bot tries it, and it does not do
        replace(HIDDEN, answered=40.0),  # it is found by those who ask for it
    ],
)
def test_one_doubt_is_enough_against_unfindable(doubtful: PassedOver) -> None:
    """Every condition counts: with one of them gone, the article is missing."""
    assert kind(replace(PLAIN, passed_over=doubtful)) == "missing"


@given(partial=st.integers(0, 30), others=st.integers(0, 30), usual=st.floats(0.01, 0.5))
def test_incomplete_needs_tags_beyond_chance(partial: int, others: int, usual: float) -> None:
    """More partial tags never make an article less incomplete, and the usual share never makes one."""
    tags = partial + others
    if not tags:
        return
    now = incomplete_verdict("a", "Returns", partial, tags, usual, LIMITS)
    more = incomplete_verdict("a", "Returns", partial + 1, tags + 1, usual, LIMITS)
    assert not (now and not more)
    if partial <= usual * tags:
        assert now is None


def test_incomplete_says_why() -> None:
    """The reason carries the count, the article and the usual share."""
    verdict = incomplete_verdict("a", "Returns", 7, 10, 0.05, LIMITS)
    assert verdict is not None
    said = (
        "7 of 10 tags of this window on answers from “Returns” say that they were only part of one; of all tags, 5% do"
    )
    assert verdict.reasons == [said]


def test_an_article_that_came_too_late_is_named() -> None:
    """A missing article's reasons tell of one that came after the questions."""
    new = Match("n", "Pre-orders", 2.5, 0.6, 1.0, since="2024-06-16")
    verdict = by_answers(replace(PLAIN, nearest=[*PLAIN.nearest, new]), LIMITS, 5.0)
    assert verdict is not None
    assert "“Pre-orders” is there since 2024-06-16 only: see whether it answers these questions" in verdict.reasons


def test_an_article_that_always_failed_did_not_go_stale() -> None:
    """A change counts where the article answered well before it and badly since, with enough to go by."""
    assert went_stale(CHANGE, LIMITS)
    assert not went_stale(replace(CHANGE, before=0.6), LIMITS)
    assert not went_stale(replace(CHANGE, after=0.3), LIMITS)
    assert not went_stale(replace(CHANGE, evidence=0.5), LIMITS)


def test_a_contradiction_that_two_subtopics_share_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put together, they are one gap about the same two articles, though more conversations blur what they cite."""
    conflict = Conflict("kb-1", "kb-2", "Within 14 days.", "Within 30 days.")
    verdict = Verdict("contradictory", "kb-1", 0.8, ["two articles are cited"])
    gaps = [
        {"subtopics": [name], "rows": rows, "verdict": verdict, "evidence": replace(PLAIN, conflict=conflict)}
        for name, rows in (("s-1", np.arange(5)), ("s-2", np.arange(5, 9)))
    ]
    monkeypatch.setattr(regroup, "collect_evidence", lambda *_: PLAIN)
    (together,) = diagnose._by_article(SimpleNamespace(limits=LIMITS), gaps, {})
    assert together["subtopics"] == ["s-1", "s-2"]
    assert together["evidence"].conflict == conflict
