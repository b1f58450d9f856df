"""Deciding, tagging and editing topics on behalf of a person, with their rights: for the pages and the JSON API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lacuna.data_contracts.errors import Refused, TagInvalid
from lacuna.data_contracts.sent import whole_number
from lacuna.pipelines.board.context import BoardContext
from lacuna.pipelines.board.roles import Person, may
from lacuna.pipelines.board.snapshot import GapNow
from lacuna.pipelines.board.tagging import conversations_to_tag
from lacuna.pipelines.gaps.decisions import decide
from lacuna.pipelines.gaps.membership import check_membership
from lacuna.pipelines.state.tags import enter_tag
from lacuna.pipelines.topic_edits import edit_topic, undo_edit

__all__ = ["decide_as", "edit_topic_as", "tag_as", "undo_edit_as"]


def decide_as(
    board: BoardContext,
    person: Person,
    gap_id: str,
    action: str,
    why: str,
    payload: Mapping[str, Any] | None,
    after: int | None,
) -> int:
    """Decide on a gap on behalf of a person, if they may.

    Raises
    ------
    Refused
        Their role does not allow it.
    LacunaError
        As ``pipelines.gaps.decisions.decide``.
    """
    now = board.snapshot.now()
    gap = now.by_id.get(gap_id)
    owner = gap.owner_id if gap else None
    if not may(person, action, owner, decided_by=_decided_by(board, gap, payload)):
        whose = "accept, draft, publish, rename and note gaps that are theirs" if person.writes else "look, and no more"
        raise Refused(
            f"{person.name} is a {person.role} and may not {action} this gap",
            f"a {person.role} may {whose}; ask a manager",
        )
    if (
        action in ("include", "exclude")
        and gap
        and now.run
        and (conversation := str((payload or {}).get("conversation")))
    ):
        check_membership(now.run.folder, gap.record, action, conversation)
    if action == "undo" and gap and after is None and not person.manages:
        after = gap.life.last  # the right covers the decision that was displayed, not a later one
    return decide(board.state, gap_id, action, person.name, why=why, payload=payload, after=after)


def _decided_by(board: BoardContext, gap: GapNow | None, payload: Mapping[str, Any] | None) -> str | None:
    """The person whose decision an undo takes back: the one it names, or the last one in force."""
    decision_id = str((payload or {}).get("of") or "").strip()
    if not decision_id:
        return gap.life.who if gap else None
    number = whole_number(decision_id)
    decisions = board.snapshot.decisions([] if number is None else [number])
    return decisions[0].who if decisions else None


def tag_as(board: BoardContext, person: Person, conversation_id: str, outcome: str, true_intent: str, note: str) -> int:
    """Tag a conversation from the latest run's list on behalf of a person.

    Raises
    ------
    Refused
        Their role does not allow it.
    TagInvalid
        The run does not ask about this conversation, or the outcome is unknown.
    """
    if not may(person, "tag"):
        raise Refused(f"{person.name} is a {person.role} and may not tag", "ask a writer or a manager")
    entry = next((candidate for candidate in conversations_to_tag(board) if candidate["id"] == conversation_id), None)
    if entry is None:
        raise TagInvalid(f"the latest run does not ask about '{conversation_id}'", "load the page again: it may be new")
    return enter_tag(
        board.state, conversation_id, outcome, person.name,
        true_intent=true_intent, article_id=entry["article"], note=note,
    )  # fmt: skip


def edit_topic_as(
    board: BoardContext,
    person: Person,
    deed: str,
    topic_id: str,
    why: str,
    payload: Mapping[str, Any] | None,
    after: int | None,
) -> int:
    """Edit a topic on behalf of a person, if they may.

    Raises
    ------
    Refused
        Their role does not allow it.
    LacunaError
        As ``pipelines.topic_edits.edit_topic``.
    """
    _check_may_edit(person)
    return edit_topic(board.store, board.state, deed, topic_id, person.name, why=why, payload=payload, after=after)


def undo_edit_as(board: BoardContext, person: Person, edit_id: int, why: str = "", after: int | None = None) -> int:
    """Take back an edit of a topic on behalf of a person, if they may; errors as :func:`edit_topic_as`."""
    _check_may_edit(person)
    return undo_edit(board.state, edit_id, person.name, why=why, after=after)


def _check_may_edit(person: Person) -> None:
    if not may(person, "edit_topic"):
        raise Refused(f"{person.name} is a {person.role} and may not change topics", "ask a manager")
