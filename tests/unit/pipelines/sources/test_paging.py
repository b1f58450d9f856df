"""Lists that change while they are paged through are read exactly."""

from __future__ import annotations

import random

import pytest

from lacuna.pipelines.sources.paging import Listed, pages_by_time

SIZE = 5


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_no_record_is_missed_while_records_change_and_many_share_a_time(seed: int, descending: bool) -> None:
    """Between any two requests a record may change; each is given as it was when it last changed, or will be."""
    chance = random.Random(seed)
    changed = {key: chance.randrange(6) for key in range(40)}
    clock = 100
    begin = 99 if descending else 0

    def ask(time: int, number: int) -> list[Listed]:
        nonlocal clock
        if chance.random() < 0.2:
            clock += 1
            changed[chance.randrange(40)] = clock
        rows = [(key, when, {"key": key}) for key, when in changed.items()]
        # The bound that is asked for is taken vaguely.
        rows = [row for row in rows if (row[1] <= time + 1 if descending else row[1] >= time)]
        rows.sort(key=lambda row: (row[1], row[0]), reverse=descending)
        return rows[(number - 1) * SIZE : number * SIZE]

    given = {record["key"] for records, _, _ in pages_by_time(ask, SIZE, begin, (), descending) for record in records}
    still = {key for key, when in changed.items() if when <= begin} if descending else set(changed)
    assert still <= given


def test_reading_goes_on_where_it_ended() -> None:
    """A place that was kept gives the rest alone, whatever shares its time."""
    rows: list[Listed] = [(key, key // 4, {"key": key}) for key in range(20)]

    def ask(time: int, number: int) -> list[Listed]:
        return [row for row in rows if row[1] >= time][(number - 1) * SIZE : number * SIZE]

    first = next(pages_by_time(ask, SIZE, 0))
    rest = [record["key"] for records, _, _ in pages_by_time(ask, SIZE, first[1], first[2]) for record in records]
    assert [record["key"] for record in first[0]] + rest == list(range(20))
