"""Deciding and tagging in a person's name: what the pages and the JSON API both call, with the same rights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lacuna.data_contracts.errors import Refused, TagInvalid
from lacuna.pipelines.board.context import Desk
from lacuna.pipelines.board.roles import Person, may
from lacuna.pipelines.board.snapshot import GapNow
from lacuna.pipelines.board.tagging import asked
from lacuna.pipelines.gaps.decisions import decide
from lacuna.pipelines.state.tags import enter_tag

__all__ = ["decide_as", "tag_as"]


def decide_as(
    desk: Desk, person: Person, gap_id: str, verb: str, why: str, payload: Mapping[str, Any] | None, after: int | None
) -> int:
    """Decide on a gap in a person's name, if they may.

    Raises
    ------
    Refused
        Their role does not allow it.
    LacunaError
        As ``pipelines.gaps.decisions.decide``.
    """
    gap = desk.snapshot.now().by_id.get(gap_id)
    owner = gap.owner_id if gap else None
    if not may(person, verb, owner, decided_by=_decided_by(desk, gap, payload)):
        whose = "accept, draft, publish and note gaps that are theirs" if person.writes else "look, and no more"
        raise Refused(
            f"{person.name} is a {person.role} and may not {verb} this gap",
            f"a {person.role} may {whose}; ask a manager",
        )
    if verb == "undo" and gap and after is None and not person.manages:
        after = gap.life.last  # the right holds for what was looked at, and not for what comes meanwhile
    return decide(desk.state, gap_id, verb, person.name, why=why, payload=payload, after=after)


def _decided_by(desk: Desk, gap: GapNow | None, payload: Mapping[str, Any] | None) -> str | None:
    """Whose decision an undo takes back: that which it names, or the last one in force."""
    named = str((payload or {}).get("of") or "").strip()
    if not named:
        return gap.life.who if gap else None
    said = desk.snapshot.said([int(named)]) if named.isdecimal() else []
    return said[0].who if said else None


def tag_as(desk: Desk, person: Person, conversation_id: str, outcome: str, true_intent: str, note: str) -> int:
    """Tag a conversation that the latest run asks about, in a person's name.

    Raises
    ------
    Refused
        Their role does not allow it.
    TagInvalid
        The run does not ask about this conversation, or the outcome is unknown.
    """
    if not may(person, "tag"):
        raise Refused(f"{person.name} is a {person.role} and may not tag", "ask a writer or a manager")
    entry = next((one for one in asked(desk) if one["id"] == conversation_id), None)
    if entry is None:
        raise TagInvalid(f"the latest run does not ask about '{conversation_id}'", "load the page again: it may be new")
    return enter_tag(
        desk.state, conversation_id, outcome, person.name,
        true_intent=true_intent, article_id=entry["article"], note=note,
    )  # fmt: skip
