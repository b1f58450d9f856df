"""The impact of fixes: a table, a small chart for each fix, and the total saving."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd
from markupsafe import Markup

from lacuna.models.impact.fixes import totals
from lacuna.pipelines.presentation.format import (
    NARROW,
    NONE,
    count,
    day,
    decimal,
    items,
    line,
    money,
    number,
    percent,
    plural,
    record,
    short_day,
    text,
    whole,
)
from lacuna.pipelines.presentation.format import rows as records

__all__ = ["VERDICTS", "failure_weeks", "figures", "fixes", "saved"]

VERDICTS = {
    "verified": ("Verified", "fewer answers fail, surely and clearly"),
    "too early": ("Too early", "not enough has happened since, or it is too unsure"),
    "no effect": ("No effect", "surely no clear fall: it is open again"),
    "worse": ("Worse", "more answers fail than before: it is open again"),
}
WIDE, HIGH, LEFT, FOOT = 320, 110, 34, 18


def fixes(frame: pd.DataFrame | None, unknown: pd.DataFrame | None = None) -> dict[str, Any]:
    """The section of the report: one entry a fix, the latest first, and the totals as sentences.

    Parameters
    ----------
    frame : DataFrame or None
        `impact.parquet`.
    unknown : DataFrame or None
        `not_yet_known.parquet`, for when it could be told of those that it is too early for.
    """
    rows = records(frame)
    soon = {text(row["id"]): _when(row) for row in records(unknown) if text(row["what"]) == "fix"}
    latest_first = sorted(rows, key=lambda r: (text(r.get("fixed_on")), text(r.get("gap_id"))))[::-1]
    entries = [_fix(row) | {"soon": soon.get(text(row.get("gap_id")), "")} for row in latest_first]
    verdicts = Counter(text(row.get("verdict")) for row in rows)
    verdict_counts = [f"{verdicts[name]} {label.lower()}" for name, (label, _) in VERDICTS.items() if verdicts[name]]
    heading = plural(len(entries), "fix", "fixes") + (f": {', '.join(verdict_counts)}" if verdict_counts else "")
    return {"rows": entries, "saved": saved(rows), "figures": figures(rows), "shown": heading}


def _fix(row: dict[str, Any]) -> dict[str, Any]:
    verdict = text(row.get("verdict"))
    label, means = VERDICTS.get(verdict, (verdict.capitalize() or "Unknown", ""))
    currency = text(row.get("currency"))
    measured = bool(whole(row.get("conversations_before")) and whole(row.get("conversations_after")))
    return {
        "id": text(row.get("gap_id")),
        "title": line(row.get("title"), 160) or "Untitled gap",
        "day": short_day(row.get("fixed_on"), year=True),
        "verdict": label,
        "tone": verdict.replace(" ", "-") if verdict in VERDICTS else "other",
        "means": means,
        "why": text(row.get("why"), 600),
        "credit": _credit(row),
        "before": percent(row.get("failed_before")),
        "after": percent(row.get("failed_after")) if measured else NONE,
        "expected": percent(row.get("failed_expected")) if measured else NONE,
        "drop": drop(row) if measured else "",
        "escalated": f"{percent(row.get('escalated_before'))} → {percent(row.get('escalated_after'))}"
        if measured
        else "",
        "avoided": f"{_signed(row.get('avoided_weekly'))} a week" if measured else NONE,
        "avoided_range": _between(row, "avoided_weekly") if measured else "",
        "cost": money(row.get("avoided_cost"), currency) if measured else NONE,
        "picture": failure_weeks(items(row.get("weekly")), row.get("fixed_on"))["svg"],
    }


def _when(row: Mapping[str, Any]) -> str:
    """When it could be told whether a fix worked, as a sentence."""
    if not text(row.get("by")):
        return "Waiting alone will hardly tell: what untouched topics do is too uncertain, or too few ask."
    more, until = whole(row.get("more")) or 0, short_day(row.get("by"), year=True)
    return f"It could be told by {until}" + (f", with {plural(more, 'more conversation')}." if more else ".")


def _credit(row: Mapping[str, Any]) -> str:
    """What closed a gap that nobody decided on, as a sentence; "" for any other."""
    if row.get("credited") is not True:
        return ""
    return (
        f"Nobody decided on it: the article {text(row.get('article_id'))}, new or changed on "
        f"{short_day(row.get('fixed_on'), year=True)}, answers it now. It is left out of the sum, because only what "
        "worked is seen in this way."
    )


def drop(row: Mapping[str, Any]) -> str:
    """The relative fall with its interval: `−71 % [−84 to −52]`; a rise has a plus."""
    falls = [number(row.get(f"failed_{name}")) for name in ("drop", "drop_high", "drop_low")]
    if None in falls:
        return ""
    changes = [f"{-(value or 0.0) * 100:+.0f}".replace("-", "−") for value in falls]
    return f"{changes[0]}{NARROW}% [{changes[1]} to {changes[2]}]"


def _signed(value: object) -> str:
    amount = number(value)
    return NONE if amount is None else f"−{decimal(-amount)}" if amount < 0 else decimal(amount)


def _between(row: Mapping[str, Any], name: str) -> str:
    return f"[{_signed(row.get(f'{name}_low'))} to {_signed(row.get(f'{name}_high'))}]"


def saved(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The total saving of all fixes, in sentences: amount, interval, and the confirmed and the assumed part."""
    if not rows:
        return []
    total = totals(rows)
    if not total["fixes"]:
        return ["None of them can be measured yet."]
    currency = text(rows[0].get("currency"))
    fixed = plural(int(total["fixes"]), "fix that could be measured has", "fixes that could be measured have")
    return [
        f"The {fixed} avoided {_signed(total['avoided'])} human-handled conversations so far"
        f" (between {_signed(total['avoided_low'])} and {_signed(total['avoided_high'])}), about"
        f" {_signed(total['avoided_weekly'])} a week: {money(total['cost'], currency)}"
        f" (between {money(total['cost_low'], currency)} and {money(total['cost_high'], currency)}).",
        f"Confirmed, because the customer or a reviewer said so: {_signed(total['confirmed'])},"
        f" {money(total['confirmed_cost'], currency)}. Assumed, because nobody said anything:"
        f" {_signed(total['assumed'])}, {money(total['assumed_cost'], currency)}.",
    ]


def figures(rows: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """The same totals as cards: label, value, range and meaning; empty where nothing could be measured."""
    total = totals(rows) if rows else {"fixes": 0}
    if not total["fixes"]:
        return []
    currency = text(rows[0].get("currency"))

    def card(label: str, value: str, low: str, high: str, means: str) -> dict[str, str]:
        return {"label": label, "value": value, "range": f"[{low} to {high}]" if low else "", "means": means}

    avoided, low, high = (_signed(total[f"avoided{side}"]) for side in ("", "_low", "_high"))
    cost, cost_low, cost_high = (money(total[f"cost{side}"], currency) for side in ("", "_low", "_high"))
    return [
        card(
            "Avoided so far",
            avoided,
            low,
            high,
            f"human-handled conversations; {_signed(total['avoided_weekly'])} a week",
        ),
        card(
            "Saved so far",
            cost,
            cost_low,
            cost_high,
            f"by {plural(int(total['fixes']), 'fix', 'fixes')} that could be measured",
        ),
        card(
            "Confirmed",
            _signed(total["confirmed"]),
            "",
            "",
            f"{money(total['confirmed_cost'], currency)}; the customer or a reviewer said so",
        ),
        card(
            "Assumed",
            _signed(total["assumed"]),
            "",
            "",
            f"{money(total['assumed_cost'], currency)}; nobody said anything",
        ),
    ]


def failure_weeks(weekly: Sequence[Any], fixed_on: object) -> dict[str, Any]:
    """Failures week by week with the day of the fix, as data and as a picture.

    Parameters
    ----------
    weekly : sequence of dict
        week (Monday), conversations, failed, compared (share in topics that nobody touched, or None).
    fixed_on
        The day of the fix.

    Returns
    -------
    dict
        `weeks` (week, share or None, compared or None, conversations), `fixed_on` (date or None) and `svg` (Markup,
        made of numbers and dates alone; classes fix-chart, own, others, mark, dot, grid). Below two weeks, nothing.
    """
    weeks: list[dict[str, Any]] = []
    for entry in map(record, items(weekly)):
        monday, asked = day(entry.get("week")), whole(entry.get("conversations")) or 0
        if monday is not None:
            share = (number(entry.get("failed")) or 0.0) / asked if asked else None
            point = {"week": monday, "share": share, "compared": number(entry.get("compared")), "conversations": asked}
            weeks.append(point)
    weeks.sort(key=lambda entry: entry["week"])
    when = day(fixed_on)
    return {"weeks": weeks, "fixed_on": when, "svg": _picture(weeks, when)}


def _picture(weeks: Sequence[dict[str, Any]], when: date | None) -> Markup:
    if len(weeks) < 2:
        return Markup("")
    first, days = weeks[0]["week"], (weeks[-1]["week"] - weeks[0]["week"]).days + 7

    def x(moment: date, half: float = 0.0) -> float:
        return LEFT + ((moment - first).days + half) / days * (WIDE - LEFT - 6)

    def y(share: float) -> float:
        return 6 + (1 - min(max(share, 0.0), 1.0)) * (HIGH - FOOT - 6)

    def drawn(name: str) -> list[str]:
        """The SVG points of each unbroken run of weeks in which the figure is present."""
        runs: list[list[str]] = [[]]
        for entry in weeks:
            if entry[name] is None:
                runs.append([])
            else:
                runs[-1].append(f"{x(entry['week'], 3.5):.1f},{y(entry[name]):.1f}")
        return [" ".join(run) for run in runs if run]

    parts = [
        f'<line class="grid" x1="{LEFT}" x2="{WIDE - 6}" y1="{y(share):.1f}" y2="{y(share):.1f}"/>'
        f'<text x="{LEFT - 5}" y="{y(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>'
        for share in (0.0, 0.5, 1.0)
    ]
    parts += [f'<polyline class="others" points="{points}"/>' for points in drawn("compared")]
    parts += [f'<polyline class="own" points="{points}"/>' for points in drawn("share")]
    largest = max(entry["conversations"] for entry in weeks) or 1
    for entry in weeks:
        if entry["share"] is not None:
            radius = 1.5 + 2.5 * (entry["conversations"] / largest) ** 0.5
            cx, cy = x(entry["week"], 3.5), y(entry["share"])
            parts.append(f'<circle class="dot" cx="{cx:.1f}" cy="{cy:.1f}" r="{radius:.1f}"/>')
    if when is not None and first <= when <= first + timedelta(days=days):
        place = x(when)
        side, shift = ("end", -4) if place > WIDE * 0.6 else ("start", 4)
        parts.append(
            f'<line class="mark" x1="{place:.1f}" x2="{place:.1f}" y1="2" y2="{HIGH - FOOT}"/>'
            f'<text x="{place + shift:.1f}" y="{HIGH - 4}" text-anchor="{side}">fixed {short_day(when)}</text>'
        )
    description = _description(weeks, when)
    return Markup(
        f'<svg class="fix-chart" viewBox="0 0 {WIDE} {HIGH}" width="{WIDE}" height="{HIGH}" role="img"'
        f' aria-label="{description}">{"".join(parts)}</svg>'
    )


def _description(weeks: Sequence[dict[str, Any]], when: date | None) -> str:
    """The text alternative of the chart."""

    def share(some_weeks: list[dict[str, Any]]) -> str:
        asked = sum(entry["conversations"] for entry in some_weeks)
        failed = sum((entry["share"] or 0.0) * entry["conversations"] for entry in some_weeks)
        return f"{percent(failed / asked)} of {count(asked)}" if asked else "none"

    if when is None:
        return f"Answers that failed week by week: {share(list(weeks))}."
    before = [entry for entry in weeks if entry["week"] + timedelta(days=6) < when]
    after = [entry for entry in weeks if entry["week"] > when]
    return (
        f"Answers that failed week by week: {share(before)} before {short_day(when)}, {share(after)} after it;"
        " the thin line is topics that nobody touched."
    )
