"""The fields of a decision: which ones each action takes, and whether their values can be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import Any

from lacuna.data_contracts.errors import DecisionInvalid
from lacuna.data_contracts.sent import LARGEST_ID, plain, whole_number
from lacuna.models.backlog.actions import ACTIONS
from lacuna.models.backlog.gap_kinds import GAP_KINDS
from lacuna.models.backlog.lifecycle import DISMISS_REASONS
from lacuna.pipelines.presentation.suggestions import did_you_mean

__all__ = ["LONGEST_TITLE", "checked"]

LONGEST_TITLE = 160  # letters

_DAYS = ("on", "until", "due")
_FIRST, _LAST = date(2000, 1, 1), date(2199, 12, 31)
_NUMBERS = {"conversations": 10**9, "of": LARGEST_ID}  # the largest of each
_LONGEST = 200  # letters of an id


def checked(action: str, payload: Mapping[str, Any] | None) -> dict[str, Any]:
    """The payload of a decision with its days as ``2024-06-30``, without a time of day.

    Raises
    ------
    DecisionInvalid
        The action is unknown, or a field is unknown, missing or can't be read.

    Examples
    --------
    >>> checked("snooze", {"until": "2024-07-15"})
    {'until': '2024-07-15'}
    """
    if action not in ACTIONS:
        raise DecisionInvalid(f"there is no decision '{action}'", _suggestion(action, ACTIONS))
    fields = ACTIONS[action].takes
    read = {}
    for name, value in (payload or {}).items():
        if name not in fields:
            takes = f"it takes {', '.join(fields)}" if fields else "it takes nothing"
            raise DecisionInvalid(f"{action} knows no '{name}'", takes, name)
        read[name] = _value(action, name, value)
    needed = ACTIONS[action].needs
    if needed and not read.get(needed):
        choice = f", one of {', '.join(DISMISS_REASONS)}" if needed == "reason" else ""
        raise DecisionInvalid(f"{action} needs '{needed}'", f"say {_MEANING[needed]}{choice}", needed)
    if action == "assign" and not read:
        raise DecisionInvalid("assign needs 'owner_id' or 'due'", "say whose it is, or by when it is due", "owner_id")
    if action == "rename" and len(read["title"]) > LONGEST_TITLE:
        raise DecisionInvalid(f"the title has {len(read['title'])} letters", f"{LONGEST_TITLE} are the most", "title")
    return read


_MEANING = {"until": "the day on which the gap comes back", "reason": "why", "into": "which gap it is part of",
    "title": "what it is called", "kind": "what it is", "conversation": "which one",
}  # fmt: skip


def _value(action: str, name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _DAYS:
        try:
            day = date.fromisoformat((value if isinstance(value, date) else _day(str(value))).isoformat()[:10])
        except ValueError:
            remedy = "write it as 2024-06-30: year, month, day"
            raise DecisionInvalid(f"{action}: '{name}' is no day: {_short(value)}", remedy, name) from None
        if not _FIRST <= day <= _LAST:
            raise DecisionInvalid(f"{action}: '{name}' is out of range: {day}", f"from {_FIRST} to {_LAST}", name)
        return day.isoformat()
    if name in _NUMBERS:
        number = whole_number(value, _NUMBERS[name])
        if number is None:
            remedy = f"write digits alone, up to {_NUMBERS[name]}"
            raise DecisionInvalid(f"{action}: '{name}' is no such number: {_short(value)}", remedy, name)
        return number
    text = " ".join(str(value).split()) if name == "title" else str(value).strip()
    if name == "kind" and text not in GAP_KINDS:
        raise DecisionInvalid(f"there is no kind '{text}'", _suggestion(text, GAP_KINDS), name)
    if name == "reason" and text not in DISMISS_REASONS:
        raise DecisionInvalid(f"there is no reason '{text}' to dismiss", _suggestion(text, DISMISS_REASONS), name)
    if name != "title" and (len(text) > _LONGEST or plain(text, also="") != text):
        remedy = f"up to {_LONGEST} letters, and no control characters"
        raise DecisionInvalid(f"{action}: '{name}' is not one that we take: {_short(text)}", remedy, name)
    return plain(text) or None


def _short(value: Any) -> str:
    text = repr(value) if not isinstance(value, int) or abs(value) <= LARGEST_ID else "a number of too many digits"
    return text if len(text) <= 60 else f"{text[:60]}…"


def _day(text: str) -> date:
    """A day as people and spreadsheets write it, who may add a time of day."""
    day, _, clock = text.strip().replace("T", " ").partition(" ")
    if clock:
        time.fromisoformat(clock)
    return date.fromisoformat(day)


def _suggestion(wrong: str, names: Iterable[str]) -> str:
    return did_you_mean(wrong, names, f"there are: {', '.join(names)}")
