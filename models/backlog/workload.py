"""The workload of owners: gaps in progress against the number that they can take a week."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["Workload"]

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class Workload:
    """The number of gaps in progress of each owner, which grows as gaps are assigned.

    Parameters
    ----------
    capacity
        Gaps that each owner can take a week, by owner_id; an owner without one, or with 0, is never full.
    in_progress
        Gaps that each owner has accepted or is drafting, by owner_id.
    weeks_ahead
        An owner with more weeks of work than this is full.

    Examples
    --------
    >>> work = Workload({"ada": 2}, {"ada": 1}, weeks_ahead=4)
    >>> work.take("ada"); work.room("ada"), work.full("ada")
    (0, False)
    """

    def __init__(
        self,
        capacity: Mapping[str, int] | None = None,
        in_progress: Mapping[str, int] | None = None,
        weeks_ahead: float = 4.0,
    ) -> None:
        self._capacity = {owner: n for owner, n in (capacity or {}).items() if n > 0}
        self._load = dict(in_progress or {})
        self._weeks_ahead = weeks_ahead

    def take(self, owner_id: str) -> None:
        """Give the owner one more gap."""
        self._load[owner_id] = self._load.get(owner_id, 0) + 1

    def room(self, owner_id: str) -> int | None:
        """How many more gaps the owner can take this week; None where the capacity is not known."""
        capacity = self._capacity.get(owner_id)
        return None if capacity is None else max(0, capacity - self._load.get(owner_id, 0))

    def weeks(self, owner_id: str) -> float:
        """Weeks of work in hand; 0 where the capacity is not known."""
        capacity = self._capacity.get(owner_id)
        return self._load.get(owner_id, 0) / capacity if capacity else 0.0

    def full(self, owner_id: str) -> bool:
        """Whether the owner has more work in hand than anybody should plan ahead."""
        return self.weeks(owner_id) >= self._weeks_ahead

    def room_in_words(self, owner_id: str) -> str:
        """What room the owner has, as the end of a sentence, or "" where that is not known."""
        room = self.room(owner_id)
        if room is None:
            return ""
        if room:
            return f"; has room for {room} more this week"
        in_hand, capacity = self._load.get(owner_id, 0), self._capacity[owner_id]
        over = "is over capacity: " if self.full(owner_id) else ""
        return f"; {over}has {in_hand} in hand and can take {capacity} a week"


def with_others(number: int) -> str:
    """How many others share something: " with two others", or "" for nobody."""
    if number < 1:
        return ""
    in_words = NUMBERS[number] if number < len(NUMBERS) else str(number)
    return f" with {in_words} other{'s' if number > 1 else ''}"
