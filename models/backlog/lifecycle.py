"""The life cycle of a gap: people's decisions folded into a state, and the status that follows from it in a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from lacuna.models.backlog.actions import ACTIONS, EDITS

__all__ = [
    "CLOSED",
    "DISMISS_REASONS",
    "IN_PROGRESS",
    "UNDECIDED",
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
UNDECIDED = ("new", "open", "reopened")  # for somebody's decision
IN_PROGRESS = ("accepted", "drafting")
CLOSED = ("verified", "snoozed", "dismissed")  # nothing has to be done about it now
DISMISS_REASONS = ("not_a_gap", "duplicate", "already_fixed", "not_content", "wont_fix")


@dataclass(frozen=True)
class Decision:
    """One row of the decision log: a decision about a gap, which is never changed afterwards.

    ``run_id`` is the latest run at that time, which is a day in the data's own time; ``kind`` is the gap's kind as the
    person saw it. Both are None in older decisions, for which they were not recorded.
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
    """The state of a gap that follows from people's decisions.

    Attributes
    ----------
    status : one of ``STATUSES``; None where nobody decided on it
    last : id of the gap's last decision, undo included; 0 where there is none. The next decision must name it
    undoable : id of the decision that an undo would take back; 0 where there is none
    decided, run_id : id of the decision that gave ``status`` (0: none), and the latest run when it was made
    since : when that decision was made
    owner_id, assigned, assigned_by : the owner that people chose (None: nobody), whether they chose, and who did
    due, until, published_on : days, as ``2024-06-30``; ``until`` is the day on which a snooze ends
    merged_into : the gap that this one is part of
    article_id : the new article, where a missing one was written
    title, kind, kind_article_id : what people call it and the kind that they gave it, with its article; None: as found
    edited_by : who renamed or reclassified it last
    excluded, included : the conversations that people took out of it and added to it
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
    title: str | None = None
    kind: str | None = None
    kind_article_id: str | None = None
    edited_by: str | None = None
    excluded: frozenset[str] = frozenset()
    included: frozenset[str] = frozenset()
    dismissed_at_conversations: int | None = None
    reason: str | None = None
    who: str | None = None
    at: datetime | None = None
    why: str = ""


def allowed(status: str) -> tuple[str, ...]:
    """The actions that are allowed for a gap of this status, in order; undo is not listed.

    Examples
    --------
    >>> allowed("dismissed")
    ('reopen', 'assign', 'note', 'rename', 'reclassify', 'exclude', 'include')
    """
    return tuple(action.name for action in ACTIONS.values() if status in action.allowed_in)


def in_force(decisions: Sequence[Decision]) -> list[Decision]:
    """The decisions of one gap that were not undone, by id, without the undos themselves.

    An undo that was itself undone has no effect.
    """
    undone: set[int] = set()
    standing = []
    for decision in sorted(decisions, key=lambda d: d.id, reverse=True):
        if decision.id in undone:
            continue
        if decision.verb == "undo":
            undone.add(int(decision.payload["of"]))
        else:
            standing.append(decision)
    return standing[::-1]


def gap_state(decisions: Sequence[Decision]) -> GapState:
    """Fold the decisions of one gap, given in any order, into its state.

    Examples
    --------
    >>> noon = datetime(2024, 7, 1, 12)
    >>> accepted = Decision(1, "g-1", noon, "ada", "accept")
    >>> undone = [accepted, Decision(2, "g-1", noon, "bob", "undo", payload={"of": 1})]
    >>> gap_state([accepted]).status, gap_state(undone).status, gap_state(undone).last
    ('accepted', None, 2)
    """
    state = GapState()
    for decision in in_force(decisions):
        state = _after(state, decision)
    return replace(state, last=max((decision.id for decision in decisions), default=0))


def _after(state: GapState, decision: Decision) -> GapState:
    payload = decision.payload
    state = replace(state, undoable=decision.id, who=decision.who, at=decision.at, why=decision.why)
    status = ACTIONS[decision.verb].status if decision.verb in ACTIONS else None
    if decision.verb == "assign":
        if "owner_id" in payload:
            state = replace(state, owner_id=payload["owner_id"], assigned=True, assigned_by=decision.who)
        return replace(state, due=payload["due"]) if "due" in payload else state
    if decision.verb in EDITS:
        return _edited(state, decision)
    if status is None:
        return state
    state = replace(
        state, status=status, decided=decision.id, run_id=decision.run_id, since=decision.at,
        until=payload.get("until"), merged_into=payload.get("into"), reason=payload.get("reason"),
        dismissed_at_conversations=payload.get("conversations"),
    )  # fmt: skip
    if decision.verb == "publish":
        day = payload.get("on") or decision.at.date().isoformat()
        # The work that was due is done; a gap that comes back later gets a due day of its own.
        state = replace(state, published_on=day, article_id=payload.get("article_id"), due=None)
    return state


def _edited(state: GapState, decision: Decision) -> GapState:
    payload = decision.payload
    if decision.verb == "rename":
        return replace(state, title=payload.get("title"), edited_by=decision.who)
    if decision.verb == "reclassify":
        kind, article = payload.get("kind"), payload.get("article_id")
        return replace(state, kind=kind, kind_article_id=article, edited_by=decision.who)
    moved = frozenset({str(payload["conversation"])} if payload.get("conversation") else set())
    if decision.verb == "exclude":
        return replace(state, excluded=state.excluded | moved, included=state.included - moved)
    return replace(state, included=state.included | moved, excluded=state.excluded - moved)


def last_targets(states: Mapping[str, GapState]) -> dict[str, GapState]:
    """The states with ``merged_into`` followed to the end, where the target was merged into another gap itself.

    Examples
    --------
    >>> last_targets({"a": GapState(merged_into="b"), "b": GapState(merged_into="c")})["a"].merged_into
    'c'
    """
    resolved = {}
    for gap, state in states.items():
        target, passed = state.merged_into, {gap}
        while target and target not in passed and (beyond := states.get(target, GapState()).merged_into):
            passed.add(target)
            target = beyond
        resolved[gap] = state if target == state.merged_into else replace(state, merged_into=target)
    return resolved


def status_at_run(
    state: GapState,
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
    state
        The state by people's decisions.
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
    if state.status is None:
        return ("reopened", back) if came_back else ("open" if seen_before else "new", "")
    if state.status == "snoozed":
        if state.until is None or str(day) < state.until:
            return "snoozed", ""
        return ("reopened" if came_back else "open"), f"snoozed until {state.until}"
    if state.status == "dismissed":
        before = state.dismissed_at_conversations
        if state.merged_into:
            return "dismissed", f"part of {state.merged_into}"
        if before and conversations >= grow_factor * before:
            return "reopened", f"dismissed at {before} conversations, now {conversations}"
        return ("reopened" if was == "reopened" else "dismissed"), ""
    if state.status in ("published", "verified"):
        return _after_the_fix(state, was, came_back, effect, back)
    return state.status, ""


def _after_the_fix(state: GapState, was: str | None, came_back: bool, effect: str | None, back: str) -> tuple[str, str]:
    if effect in ("no effect", "worse"):
        did = "had no effect" if effect == "no effect" else "made it worse"
        return "reopened", f"the fix of {state.published_on} {did}"
    if effect == "verified":
        return "verified", ""
    if came_back and effect is None:
        return "reopened", back
    return (was if was in ("reopened", "verified") else str(state.status)), ""
