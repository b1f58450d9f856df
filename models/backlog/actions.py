"""What people may decide about a gap: each action with the status that it gives, what it needs, and its words.

To add an action: an entry here; who may do it, in `pipelines/board/roles.py`; a field that it takes and no other does,
in `pipelines/gaps/decision_fields.py` and in the form `pipelines/board/templates/decide.html.jinja`; a key, in
`pipelines/board/static/board.js`.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ACTIONS", "EDITS", "STATUSES", "Action"]

STATUSES = ("new", "open", "accepted", "drafting", "published", "verified", "reopened", "snoozed", "dismissed")
_TO_TRIAGE = ("new", "open", "reopened", "snoozed")
_IN_WORK = ("accepted", "drafting")
EDITS = ("rename", "reclassify", "exclude", "include")  # what they change is what the gap is, not what becomes of it


@dataclass(frozen=True)
class Action:
    """One thing that a person may decide.

    Parameters
    ----------
    name
        As on the command line, in the API and in the state database.
    status
        The status that it gives the gap; None where it stays as it is.
    allowed_in
        The statuses in which it may be taken.
    label
        As a button says it.
    past
        As a history says it: "Ana accepted …".
    fields
        What a person may say with it.
    needs
        The one of them that must be said.
    adds
        What the program writes down with it.
    """

    name: str
    status: str | None
    allowed_in: tuple[str, ...]
    label: str
    past: str
    fields: tuple[str, ...] = ()
    needs: str | None = None
    adds: tuple[str, ...] = ()

    @property
    def takes(self) -> tuple[str, ...]:
        """All that a decision may hold: what a person says with it, and what the program adds."""
        return (*self.fields, *self.adds)


# In the order in which they are offered.
_ACTIONS = (
    Action("accept", "accepted", ("new", "open", "reopened", "drafting", "snoozed"), "Accept", "accepted"),
    Action(
        "draft", "drafting", ("new", "open", "reopened", "accepted", "snoozed"), "Start drafting", "started drafting"
    ),
    Action(
        "publish", "published", (*_TO_TRIAGE, *_IN_WORK, "published", "verified"), "Mark published",
        "marked as published", ("on", "article_id"),
    ),
    Action("verify", "verified", ("published",), "Mark verified", "marked as verified"),
    Action("reopen", "reopened", ("published", "verified", "snoozed", "dismissed"), "Reopen", "reopened"),
    Action("snooze", "snoozed", (*_TO_TRIAGE, *_IN_WORK), "Snooze", "snoozed", ("until",), "until"),
    Action(
        "dismiss", "dismissed", (*_TO_TRIAGE, *_IN_WORK), "Dismiss", "dismissed", ("reason",), "reason",
        ("conversations",),
    ),
    Action("merge", "dismissed", (*_TO_TRIAGE, *_IN_WORK), "Merge", "merged", ("into",), "into"),
    Action("assign", None, STATUSES, "Assign", "assigned", ("owner_id", "due")),
    Action("note", None, STATUSES, "Note", "left a note on"),
    # What the gap is: kept by every later run, until it is undone.
    Action("rename", None, STATUSES, "Rename", "renamed", ("title",), "title"),
    Action("reclassify", None, STATUSES, "Change the kind", "changed the kind of", ("kind", "article_id"), "kind"),
    Action(
        "exclude", None, STATUSES, "Take a conversation out", "took a conversation out of", ("conversation",),
        "conversation",
    ),
    Action(
        "include", None, STATUSES, "Add a conversation", "added a conversation to", ("conversation",),
        "conversation",
    ),
    # Allowed wherever there is a decision to take back, whatever the status.
    Action("undo", None, (), "Undo", "took back a decision on", adds=("of",)),
)  # fmt: skip
ACTIONS: dict[str, Action] = {action.name: action for action in _ACTIONS}
