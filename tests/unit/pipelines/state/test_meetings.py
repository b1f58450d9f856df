"""Review meetings in the state database, on SQLite and on Postgres."""

from __future__ import annotations

from lacuna.pipelines.state.meetings import begin_meeting, end_meeting, latest_meetings, meeting_of, reopen_meeting
from lacuna.pipelines.state.repository import State


def test_a_meeting_keeps_its_list_and_its_times(state: State) -> None:
    """What began is found again, the one before it ends with it, and an end can be taken back."""
    first = begin_meeting(state, "Rita", ["g-2", "g-1"], 15)
    begun = meeting_of(state, first)
    assert begun is not None
    assert (begun.gaps, begun.began_by, begun.minutes, begun.ended_at) == (("g-2", "g-1"), "Rita", 15, None)
    assert begun.began_at.utcoffset() is not None
    second = begin_meeting(state, "Mia", ["g-3"], 20)
    assert [one.id for one in latest_meetings(state, 5)] == [second, first]
    ended = meeting_of(state, first)
    assert ended is not None
    assert ended.ended_at is not None
    end_meeting(state, first)
    assert meeting_of(state, first) == ended
    reopen_meeting(state, first)
    assert meeting_of(state, first) == begun
    assert meeting_of(state, 99) is None
