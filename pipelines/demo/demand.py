"""When people write: the demo's days, and how many conversations fall on each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from lacuna.pipelines.demo.world import Topic

WEEKDAY = (1.32, 1.18, 1.06, 1.0, 0.98, 0.74, 0.72)
HOURS = (1, 0, 0, 0, 0, 1, 2, 5, 9, 11, 11, 10, 9, 9, 9, 8, 8, 8, 8, 9, 9, 7, 4, 2)


@dataclass(frozen=True)
class Calendar:
    """The demo's days: ``weeks`` whole weeks that end with ``end``, and ``later`` weeks after it.

    What is planted counts its days from ``end``. ``until`` is the last day that a bundle tells of; what happens on the
    days before does not depend on it.
    """

    end: date
    weeks: int
    later: int = 0
    until: date | None = None

    @property
    def days(self) -> list[date]:
        """Every day, first to last."""
        return [self.ago(back) for back in range(self.weeks * 7 - 1, -self.later * 7 - 1, -1)]

    @property
    def last(self) -> date:
        """The last day of the demo."""
        return self.until or self.days[-1]

    def ago(self, days: int) -> date:
        """The day ``days`` before the last one."""
        return self.end - timedelta(days=days)

    def since(self, days_ago: int | None, day: date) -> bool:
        """Whether ``day`` is the one ``days_ago`` or a later one; never, where nothing is to happen."""
        return days_ago is not None and day >= self.ago(days_ago)


def demand(topic: Topic, calendar: Calendar, rng: Random) -> list[int]:
    """Conversations a day: Poisson about the topic's rate, by weekday, by good and bad weeks, with a planted surge."""
    counts, mood = [], 1.0
    for number, day in enumerate(calendar.days):
        if number % 7 == 0:
            mood = rng.lognormvariate(0, 0.1)
        rate = topic.weekly / 7 * WEEKDAY[day.weekday()] * mood
        if topic.surge and calendar.since(int(topic.surge["days_ago"]), day):
            rate *= topic.surge["factor"]
        counts.append(poisson(rate, rng))
    return counts


def spread(total: int, days: int, rng: Random) -> list[int]:
    """``total`` conversations on days drawn at random."""
    counts = [0] * days
    for _ in range(total):
        counts[rng.randrange(days)] += 1
    return counts


def poisson(rate: float, rng: Random) -> int:
    """A Poisson number (Knuth 1997, 3.4.1), from the standard generator so that every numpy gives the same bytes."""
    limit, product, count = math.exp(-rate), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def moment(day: date, rng: Random) -> datetime:
    """A time of ``day``, most likely before noon or in the evening."""
    hour = rng.choices(range(24), HOURS)[0]
    return datetime.combine(day, time(hour, rng.randrange(60), rng.randrange(60)), UTC)
