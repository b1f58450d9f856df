"""Lists that change while they are paged through, read exactly: by the time of change, not by the page's number.

A record that changes moves to the list's other end, and all behind it move up by one: a reader that asks for page 2
then misses one. So page 1 is asked for again and again, each time from the time on with which the last one ended.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

__all__ = ["Listed", "pages_by_time"]

Listed = tuple[Any, Any, Mapping[str, Any]]  # a record's id, when it changed, and the record


def pages_by_time(
    ask: Callable[[Any, int], Sequence[Listed]],
    size: int,
    time: Any,
    given: Collection[Any] = (),
    descending: bool = False,
) -> Iterator[tuple[list[Mapping[str, Any]], Any, list[Any]]]:
    """Read a list that is sorted by the time of change.

    Parameters
    ----------
    ask
        Gives the page of a number, from 1, of the records that changed at a time or later; at it or earlier where
        ``descending``.
    size
        Records of a full page.
    time
        Where to begin.
    given
        Ids of records of just that time that were given before.
    descending
        The newest first.

    Yields
    ------
    records
        Those that were not given yet.
    time, given
        Where to begin next.
    """
    done = set(given)
    while True:
        page = _page(ask, size, time, descending)
        fresh = [record for key, (when, record) in page.items() if when != time or key not in done]
        if not fresh:
            return
        times = [when for when, _ in page.values()]
        end = min(times) if descending else max(times)
        at_end = {key for key, (when, _) in page.items() if when == end}
        done = at_end | done if end == time else at_end
        time = end
        yield fresh, time, sorted(done)


def _page(
    ask: Callable[[Any, int], Sequence[Listed]], size: int, time: Any, descending: bool
) -> dict[Any, tuple[Any, Mapping[str, Any]]]:
    """The first page from a time on; where more records than fit into it share that time, all of these."""
    records: dict[Any, tuple[Any, Mapping[str, Any]]] = {}
    while True:
        before, number = len(records), 1
        while True:
            page = ask(time, number)
            # A list whose bounds are vague may give what is just outside of them.
            inside = [one for one in page if (one[1] <= time if descending else one[1] >= time)]
            records.update({key: (when, record) for key, when, record in inside})
            if len(page) < size or (page[-1][1] < time if descending else page[-1][1] > time):
                break
            number += 1
        # Pages of one time are numbered, so what changed meanwhile may have hidden a record: read until nothing is new.
        if number == 1 or len(records) == before:
            return records
