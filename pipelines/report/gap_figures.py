"""The printed figures of a gap. All outputs take them from here, so that rounding and wording are the same everywhere.

Each figure belongs to one of two sets of conversations: those **in the gap**, whose answer probably failed,
and all those **about it**, failed or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_records import Surge, Trend
from lacuna.pipelines.presentation.format import (
    NONE,
    count,
    decimal,
    decimal_range,
    items,
    line,
    money,
    number,
    percent,
    percent_range,
    record,
    short_day,
    text,
)

__all__ = [
    "SETS", "GapFigures", "Movement", "before_and_since", "figures_of", "movement", "nearest_articles",
    "sets_explanation",
]  # fmt: skip

SETS = (
    (
        "In the gap",
        "The conversations of this window whose answer probably failed, or that people answered because no bot did.",
    ),
    (
        "About it",
        "All conversations of this window that asked the same or were answered from the gap's article, failed or not.",
    ),
)
_ARROWS = {"up": "↑", "down": "↓", "flat": "→"}
_TREND_WORDS = {"up": "rising", "down": "falling", "flat": "steady"}
_DIRECTIONS = {"rising": "up", "falling": "down", "steady": "flat", "stable": "flat", "same": "flat", "none": "flat"}
_CLEAR = 0.05  # trends with a p-value from this on are not clear


def sets_explanation() -> str:
    """The definitions of the two sets as one paragraph, to be printed below a gap's figures."""
    return " ".join(f"{name}: {means[:1].lower()}{means[1:]}" for name, means in SETS)


@dataclass(frozen=True)
class Movement:
    """The change in demand: the surge if there is one, else the trend; all fields are empty if neither is known."""

    arrow: str = ""
    direction: str = ""
    words: str = ""
    times: str = ""
    since: str = ""
    ratio: float | None = None
    rate: str = ""

    @property
    def surges(self) -> bool:
        """Whether demand has jumped within days."""
        return self.words == "surging"

    def in_words(self) -> str:
        """`surging ×10.1 since 25 Jun (38 about it in the last 7 days, 3.4 in 7 days before)`, `steady`, or nothing."""
        return _joined(self.words, self.in_figures())

    def in_figures(self) -> str:
        """The same without the word for it: `×10.1 since 25 Jun (…)`, or nothing."""
        return _joined(self.times, self.since, f"({self.rate})" if self.rate else "")


def movement(gap: Gap) -> Movement:
    """The movement of a gap's demand."""
    return _movement(gap.trend, gap.surge)


def _movement(trend: Trend, surge: Surge | None) -> Movement:
    """A surge where there is one, else the trend.

    Examples
    --------
    >>> _movement({"direction": "up", "ratio": 1.8, "p_value": 0.01}, None).in_words()
    'rising ×1.8'
    >>> flat: Trend = {"direction": "flat", "ratio": None, "p_value": None}
    >>> since: Surge = {"started": "2024-06-25", "ratio": 10.1, "p_value": 0.0, "recent": 38, "usual": 3.4}
    >>> _movement(flat, since).in_words()
    'surging ×10.1 since 25 Jun (38 about it in the last 7 days, 3.4 in 7 days before)'
    """
    surge_ratio = surge["ratio"] if surge else None
    if surge and surge_ratio is not None:
        since = f"since {short_day(surge['started'])}" if surge["started"] else ""
        recent, usual = surge.get("recent"), surge.get("usual")
        rate = ""
        if recent is not None and usual is not None:
            rate = f"{count(recent)} about it in the last 7 days, {decimal(usual)} in 7 days before"
        return Movement(_ARROWS["up"], "up", "surging", f"×{surge_ratio:.1f}", since, surge_ratio, rate)
    direction = (trend["direction"] or "").lower()
    direction = _DIRECTIONS.get(direction, direction)
    if direction not in _ARROWS:
        return Movement()
    ratio, p_value = trend["ratio"], trend["p_value"]
    clear = direction != "flat" and (p_value is None or p_value < _CLEAR)
    words = _TREND_WORDS[direction] if clear or direction == "flat" else f"{_TREND_WORDS[direction]}, not clearly"
    times = f"×{ratio:.1f}" if ratio is not None and direction != "flat" else ""
    arrow_direction = direction if clear else "flat"
    return Movement(_ARROWS[arrow_direction], arrow_direction, words, times, ratio=ratio)


@dataclass(frozen=True)
class GapFigures:
    """The printed figures of one gap; an unknown figure is an empty text.

    Attributes
    ----------
    conversations, weekly, customers : how many conversations are in the gap, how many a week, and of how many customers
    tagged : how many of their answers were tagged
    about, about_weekly : how many conversations are about it, and how many a week
    demand : the change in the number of conversations about it, in words
    failed, failed_range : the share of the conversations about it that failed, with its interval
    by_people : whether no bot answered in any of them; then "failed" counts those that needed people
    fixable : the probability that an article fixes such a failure
    score, score_range : human-handled conversations a week that closing the gap would avoid, with the interval
    cost : what these cost a week
    rank, rank_low, rank_high : its rank, and the ranks between which it lies
    sure : the probability of its kind
    """

    conversations: str
    weekly: str
    customers: str
    tagged: str
    about: str
    about_weekly: str
    demand: str
    failed: str
    failed_range: str
    by_people: bool
    fixable: str
    score: str
    score_range: str
    cost: str
    rank: str
    rank_low: str
    rank_high: str
    sure: str

    def size(self) -> str:
        """`43 conversations in the gap, 11 a week, from 42 customers`."""
        phrases = [f"{_with_noun(self.conversations, 'conversation')} in the gap"] if self.conversations else []
        phrases += [f"{self.weekly} a week"] if self.weekly else []
        phrases += [f"from {_with_noun(self.customers, 'customer')}"] if self.customers else []
        return ", ".join(phrases)

    def all_about(self) -> str:
        """`the 48 conversations about it`."""
        conversations = _with_noun(self.about, "conversation") if self.about else "conversations"
        return f"the {conversations} about it"

    def failing(self) -> str:
        """`an estimated 83 % [70–91] of the 48 conversations about it failed`."""
        if self.by_people and self.failed:
            return f"{self.failed} of {self.all_about()} went to people; no bot answered any of them"
        share = _joined(self.failed, self.failed_range)
        return f"an estimated {share} of {self.all_about()} failed" if self.failed else ""

    def tags(self) -> str:
        """`11 tagged answers in the gap`."""
        return f"{_with_noun(self.tagged, 'tagged answer')} in the gap" if self.tagged else ""

    def cards(self) -> list[dict[str, str]]:
        """The four figures on top of a gap's page, each with a label and a note on what it counts."""
        failing = f"{'' if self.by_people else self.failed_range} of {self.all_about()}".strip()
        whose = f"conversations of this window, from {_with_noun(self.customers, 'customer')}"
        return [
            {"label": "In the gap", "value": self.conversations or NONE, "note": whose if self.customers else ""},
            {"label": "In the gap, a week", "value": self.weekly or NONE,
             "note": f"demand is {self.demand}" if self.demand else ""},
            {"label": "Went to people" if self.by_people else "Failed, of all about it", "value": self.failed or NONE,
             "note": " · ".join(part for part in (failing if self.failed else "", self.tags()) if part)},
            {"label": "Cost a week", "value": self.cost or NONE, "note": "that an article would avoid"},
        ]  # fmt: skip

    def factors(self) -> list[tuple[str, str]]:
        """The factors of the score, as (figure, meaning); empty where one of them is unknown."""
        if not (self.about_weekly and self.failed and self.fixable):
            return []
        return [
            (self.about_weekly, "conversations a week about it"),
            (self.failed, "of them need people" if self.by_people else "of them fail"),
            (self.fixable, "of those an article would fix"),
        ]

    def place(self, certain: str) -> str:
        """The rank and its interval, as a sentence; ``certain`` is the printed confidence of the intervals."""
        if not (self.rank_low and self.rank_high):
            return f"Rank {self.rank}."
        if self.rank_low == self.rank_high:
            return f"Rank {self.rank}, and the order is sure."
        return f"Rank {self.rank}; with {certain} confidence between {self.rank_low} and {self.rank_high}."


def figures_of(gap: Gap, currency: str = "EUR") -> GapFigures:
    """The printed figures of a gap; ``currency`` is the ISO code of its costs."""

    def printed(value: float | None, format_value: Callable[[object], str]) -> str:
        return "" if value is None else format_value(value)

    return GapFigures(
        conversations=count(gap.conversations), weekly=decimal(gap.weekly_rate), customers=count(gap.customers),
        tagged=count(gap.n_tagged), about=printed(gap.reached, count), about_weekly=printed(gap.demand, decimal),
        demand=movement(gap).in_words(), failed=percent(gap.failure_rate),
        failed_range=percent_range(gap.failure_low, gap.failure_high), by_people=gap.by_people == 1,
        fixable=printed(gap.p_fixable, percent), score=decimal(gap.score),
        score_range=decimal_range(gap.score_low, gap.score_high), cost=money(gap.cost_avoidable, currency),
        rank=count(gap.rank), rank_low=count(gap.rank_low), rank_high=count(gap.rank_high),
        sure=printed(gap.probability, percent),
    )  # fmt: skip


def nearest_articles(value: object) -> list[dict[str, Any]]:
    """The articles nearest to a gap, most similar first: id, title, near (0 to 1) and shown (near as text)."""
    entries = sorted(map(record, items(value)), key=lambda entry: -(number(entry.get("similarity")) or 0.0))
    return [
        {
            "id": text(entry.get("article_id")),
            "title": line(entry.get("title"), 300) or text(entry.get("article_id")),
            "near": min(max(number(entry.get("similarity")) or 0.0, 0.0), 1.0),
            "shown": "" if (near := number(entry.get("similarity"))) is None else f"{near:.2f}",
        }
        for entry in entries
    ]


def before_and_since(change: Mapping[str, Any]) -> str:
    """The failure rates of an article's answers before and since it changed, in words; empty where unknown."""
    if number(change.get("before")) is None or number(change.get("after")) is None:
        return ""
    before, since = percent(change["before"]), percent(change["after"])
    return f"of the answers from the article, in all weeks read, {before} failed before and {since} since"


def _with_noun(figure: str, one: str) -> str:
    return f"{figure} {one}" + ("" if figure == "1" else "s")


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
