"""The life of a gap: what people decided about it, folded into where it stands, and its status in a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from lacuna.models.backlog.actions import ACTIONS

__all__ = [
    "CLOSED",
    "DISMISS_REASONS",
    "IN_PROGRESS",
    "WAITING",
    "Decision",
    "GapState",
    "allowed",
    "gap_state",
    "in_force",
    "last_targets",
    "status_at_run",
]

WAITING = ("new", "open", "accepted", "drafting", "reopened")  # for a writer
IN_PROGRESS = ("accepted", "drafting")
CLOSED = ("verified", "snoozed", "dismissed")  # nothing has to be done about it now
DISMISS_REASONS = ("not_a_gap", "duplicate", "already_fixed", "not_content", "wont_fix")


@dataclass(frozen=True)
class Decision:
    """One row of the decisions: what a person said about a gap, never changed afterwards.

    ``run_id`` is the latest run when it was said: the day in the data's own time; ``kind`` is the gap's kind that the
    person saw. Both are None in decisions of a time when they were not written down.
    """

    id: int
    gap_id: str
    at: datetime
    who: str
    verb: str
    why: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    run_id: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class GapState:
    """Where a gap stands by what people decided.

    Attributes
    ----------
    status : one of ``STATUSES``; None where nobody decided on it
    last : id of the gap's last decision, undo included; 0 where there is none. Who decides next names it
    undoable : id of the decision that an undo would take back; 0 where there is none
    decided, run_id : id of the decision that gave ``status`` (0: none), and the latest run when it was made
    since : when that decision was made
    owner_id, assigned, assigned_by : the owner that people chose (None: nobody), whether they chose, and who did
    due, until, published_on : days, as ``2024-06-30``; ``until`` is the day on which a snooze ends
    merged_into : the gap that this one is part of
    article_id : the new article, where a missing one was written
    dismissed_at_conversations, reason : how large the gap was when it was dismissed, and why (``DISMISS_REASONS``)
    who, at, why : of the last decision in force
    """

    status: str | None = None
    last: int = 0
    undoable: int = 0
    decided: int = 0
    run_id: str | None = None
    since: datetime | None = None
    owner_id: str | None = None
    assigned: bool = False
    assigned_by: str | None = None
    due: str | None = None
    until: str | None = None
    merged_into: str | None = None
    published_on: str | None = None
    article_id: str | None = None
    dismissed_at_conversations: int | None = None
    reason: str | None = None
    who: str | None = None
    at: datetime | None = None
    why: str = ""


def allowed(status: str) -> tuple[str, ...]:
    """The actions that a gap of this status takes, in order; undo besides, where there is something to take back.

    Examples
    --------
    >>> allowed("dismissed")
    ('reopen', 'assign', 'note')
    """
    return tuple(action.name for action in ACTIONS.values() if status in action.allowed_in)


def in_force(decisions: Sequence[Decision]) -> list[Decision]:
    """The decisions of one gap that were not taken back, undos left out, by id.

    An undo takes its target back; an undo that was undone itself takes nothing back.
    """
    taken: set[int] = set()
    kept = []
    for said in sorted(decisions, key=lambda d: d.id, reverse=True):
        if said.id in taken:
            continue
        if said.verb == "undo":
            taken.add(int(said.payload["of"]))
        else:
            kept.append(said)
    return kept[::-1]


def gap_state(decisions: Sequence[Decision]) -> GapState:
    """Fold the decisions of one gap, in any order, into where it stands.

    Examples
    --------
    >>> noon = datetime(2024, 7, 1, 12)
    >>> said = [Decision(1, "g-1", noon, "ada", "accept"), Decision(2, "g-1", noon, "bob", "undo", payload={"of": 1})]
    >>> gap_state(said[:1]).status, gap_state(said).status, gap_state(said).last
    ('accepted', None, 2)
    """
    life = GapState()
    for said in in_force(decisions):
        life = _after(life, said)
    return replace(life, last=max((said.id for said in decisions), default=0))


def _after(life: GapState, said: Decision) -> GapState:
    given = said.payload
    life = replace(life, undoable=said.id, who=said.who, at=said.at, why=said.why)
    status = ACTIONS[said.verb].status if said.verb in ACTIONS else None
    if said.verb == "assign":
        if "owner_id" in given:
            life = replace(life, owner_id=given["owner_id"], assigned=True, assigned_by=said.who)
        return replace(life, due=given["due"]) if "due" in given else life
    if status is None:
        return life
    life = replace(
        life, status=status, decided=said.id, run_id=said.run_id, since=said.at,
        until=given.get("until"), merged_into=given.get("into"), reason=given.get("reason"),
        dismissed_at_conversations=given.get("conversations"),
    )  # fmt: skip
    if said.verb == "publish":
        day = given.get("on") or said.at.date().isoformat()
        # What the due day was for is done; what comes back later has its own.
        life = replace(life, published_on=day, article_id=given.get("article_id"), due=None)
    return life


def last_targets(lives: Mapping[str, GapState]) -> dict[str, GapState]:
    """The lives, with each merged gap pointing to the gap at the end: that which its target was merged into, and so on.

    Examples
    --------
    >>> last_targets({"a": GapState(merged_into="b"), "b": GapState(merged_into="c")})["a"].merged_into
    'c'
    """
    found = {}
    for gap, life in lives.items():
        target, passed = life.merged_into, {gap}
        while target and target not in passed and (beyond := lives.get(target, GapState()).merged_into):
            passed.add(target)
            target = beyond
        found[gap] = life if target == life.merged_into else replace(life, merged_into=target)
    return found


def status_at_run(
    life: GapState,
    *,
    day: str | date,
    seen_before: bool,
    was: str | None,
    came_back: bool,
    conversations: int,
    grow_factor: float,
    effect: str | None = None,
) -> tuple[str, str]:
    """The status that a gap has in a run, and why where the run changed it.

    Parameters
    ----------
    life
        What people decided.
    day
        The run's last day.
    seen_before
        Whether an earlier run had the gap.
    was
        The status that the gap had in the latest run that had it; None where people have decided on it since.
    came_back
        Whether an earlier run had the gap and the run before did not; False where people decided on it since.
    conversations
        How many it has in this run's window.
    grow_factor
        How many times as large a dismissed gap must be to come back.
    effect
        What the published fix did: "verified", "too early", "no effect", "worse"; None where that is not known.

    Returns
    -------
    status : one of ``STATUSES``
    note : one sentence, or ""

    Examples
    --------
    >>> status_at_run(GapState("dismissed", dismissed_at_conversations=10), day="2024-07-07", seen_before=True,
    ...           was="dismissed", came_back=False, conversations=23, grow_factor=2.0)
    ('reopened', 'dismissed at 10 conversations, now 23')
    """
    back = "it was gone in the run before, and is back"
    if life.status is None:
        return ("reopened", back) if came_back else ("open" if seen_before else "new", "")
    if life.status == "snoozed":
        if life.until is None or str(day) < life.until:
            return "snoozed", ""
        return ("reopened" if came_back else "open"), f"snoozed until {life.until}"
    if life.status == "dismissed":
        before = life.dismissed_at_conversations
        if life.merged_into:
            return "dismissed", f"part of {life.merged_into}"
        if before and conversations >= grow_factor * before:
            return "reopened", f"dismissed at {before} conversations, now {conversations}"
        return ("reopened" if was == "reopened" else "dismissed"), ""
    if life.status in ("published", "verified"):
        return _after_the_fix(life, was, came_back, effect, back)
    return life.status, ""


def _after_the_fix(life: GapState, was: str | None, came_back: bool, effect: str | None, back: str) -> tuple[str, str]:
    if effect in ("no effect", "worse"):
        did = "had no effect" if effect == "no effect" else "made it worse"
        return "reopened", f"the fix of {life.published_on} {did}"
    if effect == "verified":
        return "verified", ""
    if came_back and effect is None:
        return "reopened", back
    return (was if was in ("reopened", "verified") else str(life.status)), ""
