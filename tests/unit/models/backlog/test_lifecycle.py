"""The life of a gap: decisions folded, and the status that a run gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.backlog.actions import ACTIONS, STATUSES
from lacuna.models.backlog.lifecycle import Decision, GapState, allowed, gap_state, last_targets, status_at_run

NOON = datetime(2024, 7, 1, 12, tzinfo=UTC)
PAYLOADS: dict[str, list[dict[str, Any]]] = {
    "publish": [{"on": "2024-07-02"}, {"on": "2024-07-03", "article_id": "a9"}],
    "snooze": [{"until": "2024-07-15"}, {"until": "2024-08-01"}],
    "dismiss": [{"reason": "not_a_gap", "conversations": 10}, {"reason": "wont_fix", "conversations": 4}],
    "merge": [{"into": "g-b"}],
    "assign": [{"owner_id": "o1"}, {"owner_id": None}, {"due": "2024-07-20"}, {"owner_id": "o2", "due": None}],
}


def decision(number: int, step: str, payload: dict[str, Any] | None = None, who: str = "ada") -> Decision:
    return Decision(number, "g-a", NOON + timedelta(minutes=number), who, step, f"because {number}", payload or {})


@st.composite
def pasts(draw: st.DrawFn) -> list[Decision]:
    """Decisions on one gap, each undo with an earlier decision as its target."""
    decisions: list[Decision] = []
    for number in range(1, draw(st.integers(0, 12)) + 1):
        step = draw(st.sampled_from([v for v in ACTIONS if v != "undo" or decisions]))
        payload = {"of": draw(st.integers(1, number - 1))} if step == "undo" else draw(
            st.sampled_from(PAYLOADS.get(step, [{}]))
        )  # fmt: skip
        decisions.append(decision(number, step, payload, draw(st.sampled_from(["ada", "bob"]))))
    return decisions


@given(pasts(), st.sampled_from(sorted(set(ACTIONS) - {"undo"})), st.randoms())
def test_an_undo_restores_the_life_before(past: list[Decision], step: str, chance: Any) -> None:
    """Whatever was decided and taken back leaves the gap where it stood; only the number of the last decision moves."""
    number = len(past) + 1
    decided = [*past, decision(number, step, PAYLOADS.get(step, [{}])[0], "eve")]
    undone = [*decided, decision(number + 1, "undo", {"of": number})]
    redone = [*undone, decision(number + 2, "undo", {"of": number + 1})]
    chance.shuffle(undone)
    assert replace(gap_state(undone), last=0) == replace(gap_state(past), last=0)
    assert replace(gap_state(redone), last=0) == replace(gap_state(decided), last=0)
    assert gap_state(undone).last == number + 1


@given(pasts(), st.randoms())
def test_decisions_count_by_number_not_by_the_order_they_come_in(past: list[Decision], chance: Any) -> None:
    """Rows in any order fold into the same life."""
    mixed = list(past)
    chance.shuffle(mixed)
    assert gap_state(mixed) == gap_state(past)


@given(pasts())
def test_a_life_is_whole(past: list[Decision]) -> None:
    """A snooze has its day, a merger its gap, a dismissal its reason, and none of them outlives its status."""
    life = gap_state(past)
    assert life.status in (None, *STATUSES)
    assert (life.until is not None) == (life.status == "snoozed")
    assert (life.status == "dismissed") == bool(life.merged_into or life.reason)
    assert (life.decided == 0) == (life.status is None)
    assert life.decided <= life.undoable <= life.last == len(past)


def test_an_assignment_keeps_what_it_does_not_name() -> None:
    """A new due day leaves the owner, and a new owner leaves the due day; the status is untouched by both."""
    life = gap_state(
        [decision(1, "accept"), decision(2, "assign", {"owner_id": "o1"}), decision(3, "assign", {"due": "2024-07-20"})]
    )
    assert (life.status, life.owner_id, life.due, life.assigned) == ("accepted", "o1", "2024-07-20", True)
    assert gap_state([decision(1, "assign", {"owner_id": None})]).assigned


def test_every_status_takes_verbs_that_lead_on() -> None:
    """No status is a dead end, and none takes a verb that leaves it as it is, but for another day or date."""
    for status in STATUSES:
        leads = {ACTIONS[step].status for step in allowed(status)} - {None, status}
        assert leads
        same = {step for step in allowed(status) if ACTIONS[step].status == status}
        assert same <= {"snooze", "publish"}


def now(life: GapState, **changed: Any) -> tuple[str, str]:
    """The status in a run of a gap that was there the week before, unless said otherwise."""
    usual = {"day": "2024-07-07", "seen_before": True, "was": None, "came_back": False, "effect": None}
    usual |= {"conversations": 10, "grow_factor": 2.0}
    return status_at_run(life, **(usual | changed))


DISMISSED = GapState("dismissed", reason="wont_fix", dismissed_at_conversations=10)
SNOOZED = GapState("snoozed", until="2024-07-07")


def test_a_due_day_is_done_with_the_publication() -> None:
    """What was due is published; if the gap comes back, it isn't overdue by a day that was set for the first fix."""
    past = [decision(1, "assign", {"due": "2024-07-20"}), decision(2, "publish", {"on": "2024-07-10"})]
    assert [gap_state(past[:1]).due, gap_state(past).due] == ["2024-07-20", None]
    assert gap_state([*past, decision(3, "undo", {"of": 2})]).due == "2024-07-20"


PUBLISHED = GapState("published", published_on="2024-06-20")


@pytest.mark.parametrize(
    ("life", "changed", "status", "note"),
    [
        (GapState(), {"seen_before": False}, "new", ""),
        (GapState(), {}, "open", ""),
        (GapState(), {"came_back": True}, "reopened", "gone"),
        (GapState("accepted"), {"came_back": True}, "accepted", ""),
        (DISMISSED, {"conversations": 19}, "dismissed", ""),
        (DISMISSED, {"conversations": 20}, "reopened", "dismissed at 10 conversations, now 20"),
        (DISMISSED, {"was": "reopened"}, "reopened", ""),
        (GapState("dismissed", merged_into="g-b"), {"conversations": 900}, "dismissed", "part of g-b"),
        (SNOOZED, {"day": "2024-07-06"}, "snoozed", ""),
        (SNOOZED, {}, "open", "snoozed until 2024-07-07"),
        (SNOOZED, {"came_back": True}, "reopened", "2024-07-07"),
        (PUBLISHED, {}, "published", ""),
        (PUBLISHED, {"effect": "too early", "came_back": True}, "published", ""),
        (PUBLISHED, {"effect": "verified"}, "verified", ""),
        (PUBLISHED, {"effect": "no effect"}, "reopened", "no effect"),
        (PUBLISHED, {"effect": "worse"}, "reopened", "2024-06-20"),
        (PUBLISHED, {"was": "verified"}, "verified", ""),
        (PUBLISHED, {"was": "verified", "came_back": True}, "reopened", "back"),
        (GapState("verified"), {"came_back": True}, "reopened", "back"),
        (GapState("reopened"), {}, "reopened", ""),
    ],
)
def test_a_run_moves_a_gap_by_its_rules(life: GapState, changed: dict[str, Any], status: str, note: str) -> None:
    """Dismissed unless it grew, snoozed until its day, published until the verdict, reopened where it comes back."""
    status_now, why = now(life, **changed)
    assert status_now == status
    assert note in why
    assert bool(note) == bool(why)


def test_merged_gaps_point_to_the_end() -> None:
    """A gap merged into one that was merged itself points to where that one went; a circle does no harm."""
    lives = {"a": GapState(merged_into="b"), "b": GapState(merged_into="c"), "c": GapState("accepted")}
    assert {gap: life.merged_into for gap, life in last_targets(lives).items()} == {"a": "c", "b": "c", "c": None}
    circle = last_targets({"a": GapState(merged_into="b"), "b": GapState(merged_into="a")})
    assert {life.merged_into for life in circle.values()} <= {"a", "b"}
