"""Did it work? What became of a gap's conversations after its article was published or changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd

from lacuna.models.arrays import Flags
from lacuna.models.impact.effect import Change, Group, change_of

__all__ = ["VERDICTS", "Fix", "Limits", "Verdict", "main_articles", "measure", "totals", "verdict", "weekly"]

Verdict = Literal["verified", "too early", "no effect", "worse"]
VERDICTS: tuple[Verdict, ...] = ("verified", "too early", "no effect", "worse")
OUTCOMES = ("failed", "escalated", "confirmed")
_COLUMNS = {"failed": "p_failed"}  # an outcome's column, where it has another name
SIDES = ("", "_low", "_high")
MISSING = ("missing", "unfindable")  # known by their subtopics alone: what is cited changes with the fix


@dataclass(frozen=True)
class Fix:
    """A gap and the day on which it was closed.

    ``subtopics`` are the gap's as they are called now; ``since`` is the day on which it began to fail, where that
    is known: what came before it says nothing of how bad it was.
    """

    gap_id: str
    kind: str
    day: date
    subtopics: tuple[str, ...]
    article_id: str | None = None
    since: date | None = None


@dataclass(frozen=True)
class Limits:
    """When an effect counts.

    ``before_days`` and ``after_days`` are the longest spans that are compared, ``least_days`` and
    ``least_conversations`` what a verdict needs after the fix, ``drop_at_least`` the relative fall that is worth an
    article.
    """

    before_days: int
    after_days: int
    least_days: int
    least_conversations: int
    drop_at_least: float


def verdict(change: Change, conversations: int, days: int, limits: Limits) -> tuple[Verdict, str]:
    """What a change means: verified, too early, no effect or worse, and why in plain words.

    Verified: the interval excludes that nothing fell, and the fall is practically large. Worse: it excludes that
    nothing rose. No effect: it excludes a practically large fall. Else it is too early to tell.

    Parameters
    ----------
    change
        Of the share of answers that failed.
    conversations, days
        Seen since the fix.
    """
    if not np.isfinite(change.before):
        return "too early", "No conversation of before the fix is known, so there is nothing to compare with."
    if days < limits.least_days:
        return "too early", f"Only {_counted(days, 'day')} since the fix; a verdict needs {limits.least_days}."
    if conversations < limits.least_conversations:
        count = _counted(conversations, "conversation")
        return "too early", f"Only {count} since the fix; a verdict needs {limits.least_conversations}."
    sentence = (
        f"{change.after:.0%} of the answers failed since the fix, {change.before:.0%} before it; without it,"
        f" {change.expected:.0%} were to be expected: {_drop(change)}."
    )
    if change.drop_low > 0 and change.drop >= limits.drop_at_least:
        return "verified", sentence
    if change.drop_high < 0:
        return "worse", sentence
    if change.drop_high < limits.drop_at_least:
        return "no effect", sentence
    return "too early", f"{sentence} That is too unsure for a verdict."


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _drop(change: Change) -> str:
    """The relative fall and its interval in words: "71 % fewer (from 52 to 84 % fewer)"."""

    def percent(value: float) -> str:
        return f"{abs(value):.0%} {'fewer' if value >= 0 else 'more'}"

    return f"{percent(change.drop)} (between {percent(change.drop_low)} and {percent(change.drop_high)})"


def measure(
    facts: pd.DataFrame, fix: Fix, touched: Collection[str], last: date, limits: Limits, unit_cost: float,
    confidence: float = 0.95, seed: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """Measure one fix over all conversations that a run knows.

    Parameters
    ----------
    facts
        One row a conversation, any order: day (datetime64, midnight), subtopic_id, cited_first (str or null), p_failed
        (float, a chance), escalated, confirmed (bool: it was solved without a human, and something says so).
    fix
        What was done, and when. The day itself counts for neither side.
    touched
        Topics that something else was done about; they are no measure of what comes by itself.
    last
        The last day that is known.
    unit_cost
        Of a human-handled conversation.

    Returns
    -------
    dict
        verdict, why; conversations_before, conversations_after, days_after; for failed and escalated, what
        :class:`models.impact.effect.Change` holds (``failed_before`` …); for avoided (human-handled conversations),
        confirmed (of these, solved with something that says so) and assumed (the rest): ``…_weekly``, ``…_since`` and
        ``…_cost`` since the fix, the first two with _low and _high; ``compared`` is the number of untouched subtopics.
    """
    own = _reached(facts, fix)
    before, after = _spans(facts["day"], fix, last, limits)
    groups = _groups(facts, own, before, after, [*fix.subtopics, *touched])
    changes = {}
    for place, outcome in enumerate(OUTCOMES):
        of_gap, untouched, others = (
            [_group(row, outcome) for row in groups[groups["role"] == role].to_dict("records")]
            for role in ("own", "untouched", "touched")
        )
        changes[outcome] = change_of(of_gap[0], untouched, others, confidence, seed + place)
    n_before, n_after = int((own & before).sum()), int((own & after).sum())
    days = max(0, min((last - fix.day).days, limits.after_days))
    outcome_verdict, why = verdict(changes["failed"], n_after, days, limits)
    since = int((own & (facts["day"] > pd.Timestamp(fix.day)).to_numpy()).sum())
    return {
        "verdict": outcome_verdict,
        "why": why,
        "conversations_before": n_before,
        "conversations_after": n_after,
        "days_after": days,
        "compared": int((groups["role"] == "untouched").sum()),
        **{f"{name}_{k}": v for name in OUTCOMES[:2] for k, v in asdict(changes[name]).items()},
        **_savings(changes, n_after, days, since, unit_cost),
    }


def _reached(facts: pd.DataFrame, fix: Fix) -> Flags:
    """Which conversations could have met the gap."""
    of_subtopic = facts["subtopic_id"].isin(list(fix.subtopics)).to_numpy(dtype=bool)
    if fix.kind in MISSING or fix.article_id is None:
        return of_subtopic
    return of_subtopic | facts["cited_first"].eq(fix.article_id).fillna(False).to_numpy(dtype=bool)


def _spans(day: pd.Series, fix: Fix, last: date, limits: Limits) -> tuple[Flags, Flags]:
    """Which conversations are in the period before the fix, and which in the period after it."""
    away = (day - pd.Timestamp(fix.day)).dt.days.to_numpy(dtype=int)
    began = -limits.before_days if fix.since is None else max(-limits.before_days, (fix.since - fix.day).days)
    until = min(limits.after_days, (last - fix.day).days)
    return (away >= began) & (away < 0), (away > 0) & (away <= until)


def _groups(
    facts: pd.DataFrame,
    own: Flags,
    before: Flags,
    after: Flags,
    touched: Collection[str],
) -> pd.DataFrame:
    """Counts of the fixed group (role own) and of every other subtopic, by outcome and side."""
    name = facts["subtopic_id"].where(~own, "")
    columns: dict[str, Any] = {"name": name}
    for side, inside in (("before", before), ("after", after)):
        columns[f"n_{side}"] = inside.astype(float)
        for outcome in OUTCOMES:
            value = facts[_COLUMNS.get(outcome, outcome)].fillna(0).astype(float).to_numpy() * inside
            columns |= {f"{outcome}_{side}": value, f"{outcome}_squares_{side}": value**2}
    table = pd.DataFrame(columns)
    counts = table[table["name"].notna()].groupby("name", sort=True).sum()
    if "" not in counts.index:
        counts.loc[""] = 0.0
    counts = counts.sort_index().reset_index()
    is_touched = counts["name"].isin(list(touched))
    # A subtopic that is seen on one side alone says nothing of a change, but how bad subtopics are.
    dark = (counts["n_before"] == 0) | (counts["n_after"] == 0)
    counts["role"] = np.select(
        [counts["name"] == "", (counts["n_before"] == 0), is_touched | dark], ["own", "", "touched"], "untouched"
    )
    return counts


def _group(row: dict[Any, Any], outcome: str) -> Group:
    return Group(
        *(float(row[f"{what}_{side}"]) for side in ("before", "after") for what in ("n", outcome, f"{outcome}_squares"))
    )


def _savings(changes: dict[str, Change], n_after: int, days: int, since: int, unit_cost: float) -> dict[str, float]:
    """Human-handled conversations avoided, by week and since the fix, split into confirmed and assumed resolutions."""
    fewer = changes["escalated"]
    more = changes["confirmed"]
    avoided = np.array([fewer.fewer, fewer.fewer_low, fewer.fewer_high])
    confirmed = np.array([-more.fewer, -more.fewer_high, -more.fewer_low])
    # What is solved and known to be is part of what was avoided, and can be no more than that.
    confirmed[0] = np.clip(confirmed[0], min(0.0, avoided[0]), max(0.0, avoided[0]))
    weekly = n_after / days * 7 if days else 0.0
    out: dict[str, float] = {}
    for name, share in (("avoided", avoided), ("confirmed", confirmed), ("assumed", avoided[:1] - confirmed[:1])):
        for side, value in zip(SIDES, share, strict=False):
            for what, times in (("weekly", weekly), ("since", since), ("cost", since * unit_cost)):
                out[f"{name}_{what}{side}"] = float(value * times)
    return out


def weekly(facts: pd.DataFrame, fix: Fix, touched: Collection[str]) -> list[dict[str, Any]]:
    """The gap's conversations week by week, compared with the subtopics that nobody touched.

    Returns
    -------
    list of dict
        week (Monday, ISO), conversations, failed (chances added up), escalated, compared (the share of answers that
        failed in untouched subtopics, None in a week without any); every week that the facts reach.
    """
    own = _reached(facts, fix)
    untouched = ~own & facts["subtopic_id"].notna().to_numpy() & ~facts["subtopic_id"].isin(list(touched)).to_numpy()
    rows = []
    for week in sorted(facts["week"].unique()):
        here = facts["week"].eq(week).to_numpy()
        of_gap, of_others = facts[here & own], facts[here & untouched]
        rows.append(
            {
                "week": str(week),
                "conversations": len(of_gap),
                "failed": round(float(of_gap["p_failed"].sum()), 2),
                "escalated": int(of_gap["escalated"].fillna(False).astype(bool).sum()),
                "compared": round(float(of_others["p_failed"].mean()), 4) if len(of_others) else None,
            }
        )
    return rows


def main_articles(facts: pd.DataFrame, share: float) -> dict[str, str]:
    """The article that the bot cites in this share of a subtopic's conversations or more, by subtopic."""
    in_topic = facts[facts["subtopic_id"].notna()]
    size = in_topic.groupby("subtopic_id").size()
    cited = in_topic.groupby(["subtopic_id", "cited_first"]).size().reset_index(name="times")
    cited = cited[cited["times"] >= share * cited["subtopic_id"].map(size)]
    most = cited.sort_values(["subtopic_id", "times", "cited_first"], ascending=[True, False, True])
    most = most.drop_duplicates("subtopic_id")
    return {str(t): str(a) for t, a in zip(most["subtopic_id"], most["cited_first"], strict=True)}


def totals(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """What all measured fixes saved since, those that did not work included: a choice of the good ones would flatter.

    So what is credited to an article without a decision is left out: it is known of only because it worked.

    Parameters
    ----------
    rows
        What :func:`measure` gives; counted_with: the gap_id of another fix of the same conversations, or null; and
        credited (bool), which may be missing.

    Returns
    -------
    dict
        fixes (measured), avoided, avoided_low, avoided_high, avoided_weekly (human-handled conversations), cost,
        cost_low, cost_high, confirmed, confirmed_cost, assumed, assumed_cost. Intervals take fixes as independent.
    """
    measured = [row for row in rows if row["conversations_before"] and row["conversations_after"]]
    measured = [row for row in measured if not isinstance(row["counted_with"], str)]  # null may be NaN in a frame
    measured = [row for row in measured if row.get("credited") is not True]

    def added(name: str) -> float:
        return float(sum(row[name] for row in measured))

    def sided(name: str, side: str) -> float:
        way = 1 if side == "high" else -1
        squares = sum((row[f"{name}_{side}"] - row[name]) ** 2 for row in measured)
        return added(name) + way * float(np.sqrt(squares))

    return {
        "fixes": len(measured),
        "avoided": added("avoided_since"),
        "avoided_low": sided("avoided_since", "low"),
        "avoided_high": sided("avoided_since", "high"),
        "avoided_weekly": added("avoided_weekly"),
        "cost": added("avoided_cost"),
        "cost_low": sided("avoided_cost", "low"),
        "cost_high": sided("avoided_cost", "high"),
        "confirmed": added("confirmed_since"),
        "confirmed_cost": added("confirmed_cost"),
        "assumed": added("assumed_since"),
        "assumed_cost": added("assumed_cost"),
    }
