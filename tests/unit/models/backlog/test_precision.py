"""Precision of the backlog by reviewers' verdicts, and what it does to the rank."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.backlog.lifecycle import Decision
from lacuna.models.backlog.precision import by_kind, overall, stricter_by, verdict_of
from lacuna.models.backlog.priority import FIXABLE, FIXABLE_WEIGHT, rank_gaps
from lacuna.models.diagnosis.evidence import Limits, stricter
from lacuna.pipelines.settings import load_settings

NOON = datetime(2024, 7, 1, 12, tzinfo=UTC)


def decided(*verbs: str, kind: str | None = "missing") -> list[Decision]:
    """Decisions on one gap; a dismissal is written as its reason, an undo takes back the one before."""
    decisions = []
    for number, step in enumerate(verbs, 1):
        payload: dict[str, Any] = {"of": number - 1} if step == "undo" else {}
        if step in ("not_a_gap", "not_content", "duplicate", "already_fixed", "wont_fix"):
            step, payload = "dismiss", {"reason": step}
        decisions.append(Decision(number, "g", NOON, "ada", step, "", payload, None, kind))
    return decisions


@pytest.mark.parametrize(
    ("verbs", "right"),
    [
        (("accept",), True),
        (("draft",), True),
        (("publish",), True),
        (("not_a_gap",), False),
        (("not_content",), False),
        (("duplicate",), None),
        (("already_fixed",), None),
        (("wont_fix",), None),
        (("snooze",), None),
        (("note", "assign"), None),
        ((), None),
        (("accept", "wont_fix"), True),
        (("accept", "not_a_gap"), False),
        (("not_a_gap", "reopen"), None),
        (("not_a_gap", "undo"), None),
        (("publish", "reopen"), True),
    ],
)
def test_what_a_decision_says_about_the_verdict(verbs: tuple[str, ...], right: bool | None) -> None:
    """To act on a gap says that it is one; only two reasons to dismiss say that it is none; others say nothing."""
    judged = verdict_of(decided(*verbs))
    assert judged == (None if right is None else ("missing", right))


def test_a_verdict_of_an_unknown_kind_counts_for_none() -> None:
    """Decisions of a time when the kind was not written down are left out."""
    assert verdict_of(decided("accept", kind=None)) is None


def test_precision_is_told_with_its_interval() -> None:
    """19 of 23 right is 83 %, and by Wilson's interval between 63 and 93 %."""
    decisions = {f"g{i}": decided("accept" if i < 19 else "not_a_gap") for i in range(23)}
    decisions |= {"s1": decided("not_content", kind="stale"), "s2": decided("duplicate", kind="stale")}
    missing, stale = by_kind(decisions)
    assert missing.in_words() == "of 23 judged missing gaps 19 were right: 83 % (95 % interval 63–93 %)"
    assert (stale.kind, stale.judged, stale.right) == ("stale", 1, 0)
    all_kinds = overall([missing, stale])
    assert all_kinds is not None
    assert all_kinds.in_words().startswith("of 24 judged gaps 19 were right")
    assert overall([]) is None


def test_verdicts_move_the_chance_that_an_article_helps() -> None:
    """A kind that reviewers keep rejecting sinks, one that they accept rises, each as far as the count says."""
    gaps = pd.DataFrame(
        [
            {"gap_id": "g1", "kind": "missing", "probability": 1.0, "reached": 40.0, "failed": 20.0},
            {"gap_id": "g2", "kind": "unfindable", "probability": 1.0, "reached": 40.0, "failed": 20.0},
        ]
    )
    before = rank_gaps(gaps, 4, 0.95, 1).set_index("gap_id")
    judged = {"missing": (2, 18), "unfindable": (9, 10)}
    after = rank_gaps(gaps, 4, 0.95, 1, judged).set_index("gap_id")
    assert before["rank"].to_dict() == {"g1": 1, "g2": 2}
    assert after["rank"].to_dict() == {"g2": 1, "g1": 2}
    expected = (FIXABLE["missing"] * FIXABLE_WEIGHT + 2) / (FIXABLE_WEIGHT + 18)
    assert after["p_fixable"]["g1"] == pytest.approx(expected)
    width = (after["score_high"] - after["score_low"]) / after["score"]
    assert width["g2"] < ((before["score_high"] - before["score_low"]) / before["score"])["g2"]


def test_rejected_kinds_need_more_evidence() -> None:
    """Where reviewers reject a kind's gaps, a topic that just made one makes none; other kinds stay as they are."""
    limits = Limits(**load_settings().diagnosis.model_dump())
    stricter_limits = stricter(limits, {"missing": stricter_by(20, 6), "stale": stricter_by(20, 20)})
    assert stricter_limits.excess_evidence > limits.excess_evidence + 1
    assert replace(stricter_limits, excess_evidence=limits.excess_evidence) == limits


@given(judged=st.integers(0, 200), right=st.integers(0, 200))
def test_a_rejection_never_asks_for_less(judged: int, right: int) -> None:
    """One more rejected gap asks for at least as much evidence, one more accepted for at most as much."""
    right = min(right, judged)
    now = stricter_by(judged, right)
    assert 0 <= stricter_by(judged + 1, right + 1) <= now <= stricter_by(judged + 1, right)
