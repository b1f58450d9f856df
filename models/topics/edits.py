"""What people change about topics: merge, split, rename, pin, drop, undo; and which of it is in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

__all__ = ["DEEDS", "Outcome", "TopicEdit", "described", "in_force", "names_in_force", "not_kept", "out_of_use"]

DEEDS = ("merge", "split", "rename", "pin", "drop", "undo")


@dataclass(frozen=True)
class TopicEdit:
    """One row of the log of edits, which is never changed afterwards.

    Attributes
    ----------
    id, at, who, why : the row's number, when it was made, by whom, and their reason
    deed : one of :data:`DEEDS`
    topic_id : the topic that it is about; of a merger, the one that becomes part of another
    payload : ``topic`` (and for a merger ``into``): topic_id, label, embedder, centroid (bytes of float32 in base64)
        and members (question keys) of then. split: ``examples``, two of conversation_id, key and question (its text).
        pin: ``question``, one such. rename: ``label``. undo: ``of``, the id of an edit.
    run_id : the latest run when it was made
    """

    id: int
    deed: str
    topic_id: str
    at: datetime
    who: str
    why: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    run_id: str | None = None

    @property
    def into(self) -> str:
        """The topic that a merger's topic becomes part of; empty for other deeds."""
        return str(self.payload["into"]["topic_id"]) if self.deed == "merge" else ""


@dataclass(frozen=True)
class Outcome:
    """What became of an edit in a run.

    Attributes
    ----------
    edit_id : the edit
    kept : whether the run's topics are as it says
    note : why not, or what is worth to know; may be empty
    topics : ids of the run's topics that it shaped
    """

    edit_id: int
    kept: bool
    note: str = ""
    topics: tuple[str, ...] = ()


def in_force(edits: Sequence[TopicEdit]) -> list[TopicEdit]:
    """The edits that were not undone, by id, without the undos; an undo that was itself undone has no effect.

    Examples
    --------
    >>> noon = datetime(2024, 7, 1, 12)
    >>> drop, undo = TopicEdit(1, "drop", "t-1", noon, "ada"), TopicEdit(2, "undo", "t-1", noon, "bob", "", {"of": 1})
    >>> again = TopicEdit(3, "undo", "t-1", noon, "ada", "", {"of": 2})
    >>> [len(in_force(edits)) for edits in ([drop], [drop, undo], [drop, undo, again])]
    [1, 0, 1]
    """
    undone: set[int] = set()
    standing = []
    for edit in sorted(edits, key=lambda one: one.id, reverse=True):
        if edit.id in undone:
            continue
        if edit.deed == "undo":
            undone.add(int(edit.payload["of"]))
        else:
            standing.append(edit)
    return standing[::-1]


def names_in_force(edits: Sequence[TopicEdit]) -> dict[str, str]:
    """The name that a person gave each topic, by topic_id, of all edits in any order."""
    return {edit.topic_id: str(edit.payload["label"]) for edit in in_force(edits) if edit.deed == "rename"}


def out_of_use(edits: Sequence[TopicEdit]) -> dict[str, TopicEdit]:
    """The topics that are no longer topics of their own, each with the merger or the drop by which."""
    return {edit.topic_id: edit for edit in in_force(edits) if edit.deed in ("merge", "drop")}


def described(edit: TopicEdit) -> str:
    """An edit in words that go on after a name, such as ``renamed “Refunds” to “Late refunds”``."""
    payload = edit.payload
    if edit.deed == "undo":
        return f"took back edit {payload['of']}"
    label = f"“{payload['topic']['label']}”"
    if edit.deed == "merge":
        return f"merged {label} into “{payload['into']['label']}”"
    if edit.deed == "split":
        first, second = (_short(example) for example in payload["examples"])
        return f"split {label} between “{first}” and “{second}”"
    if edit.deed == "rename":
        return f"renamed {label} to “{payload['label']}”"
    if edit.deed == "pin":
        return f"pinned “{_short(payload['question'])}” to {label}"
    return f"said that {label} is not a topic"


def _short(question: Mapping[str, Any]) -> str:
    text = str(question["question"] or question["conversation_id"])
    return text if len(text) <= 80 else text[:79].rstrip() + "…"


def not_kept(edit: Mapping[str, Any]) -> str:
    """The warning for an edit that a run could not keep, from its entry in run.json."""
    return f"edit {edit['id']} is not kept: {edit['who']} {edit['words']}; {edit['note']}"
