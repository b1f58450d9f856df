"""The summary at the top of the report: a few sentences, made of texts and links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.lifecycle import CLOSED
from lacuna.models.diagnosis.no_gap_reason import why_no_gap
from lacuna.pipelines.presentation.format import count, decimal, line, money, number, percent, plural, record, text
from lacuna.pipelines.report.gap_figures import movement

_NAMED = 3


def _link(gap: Gap) -> dict[str, str]:
    key = text(gap.gap_id)
    return {"link": "#gap=" + quote(key, safe=""), "text": line(gap.title, 90) or "Untitled gap"}


def _say(value: str) -> dict[str, str]:
    return {"text": value, "link": ""}


def _listed(gaps: Sequence[Gap], note: dict[str, str] | None = None) -> list[dict[str, str]]:
    """Titles as links, at most three, with how many more there are."""
    parts: list[dict[str, str]] = []
    for position, gap in enumerate(gaps[:_NAMED]):
        if position:
            parts.append(_say(", " if position < min(len(gaps), _NAMED) - 1 or len(gaps) > _NAMED else " and "))
        parts.append(_link(gap))
        if note and note.get(text(gap.gap_id)):
            parts.append(_say(f" ({note[text(gap.gap_id)]})"))
    if len(gaps) > _NAMED:
        parts.append(_say(f" and {len(gaps) - _NAMED:,} more"))
    return parts


def summary(
    backlog: Sequence[Gap], currency: str, previous: dict[str, Any] | None, run: dict[str, Any] | None = None
) -> list[list[dict[str, str]]]:
    """The summary in sentences: open gaps, new, surging and reopened ones, those without an owner, and the precision.

    Returns
    -------
    list of list of dict
        Sentences made of parts: `text`, and `link` where the part leads to a gap or to a filter.
    """
    live = [gap for gap in backlog if text(gap.status) not in CLOSED]
    if not live:
        closed = f"No gap is open: {plural(len(backlog), 'gap is', 'gaps are')} verified, snoozed or dismissed."
        none = closed if backlog else f"No gap was found in this window. {why_no_gap(record(run))}"
        return [[_say(none)], *_precision(run)]
    hands = sum(number(gap.score) or 0.0 for gap in live)
    cost = sum(number(gap.cost_avoidable) or 0.0 for gap in live)
    first = [
        _say(
            f"{plural(len(live), 'gap is', 'gaps are')} open, and closing {'it' if len(live) == 1 else 'them'} "
            f"would avoid about {decimal(hands)} human-handled conversations a week"
        )
    ]
    if cost > 0:
        first.append(_say(f" ({money(cost, currency)})"))
    if len(live) > 8 and hands > 0:
        top = sum(sorted((number(gap.score) or 0.0 for gap in live), reverse=True)[:5])
        first.append(_say(f"; the first five make up {percent(top / hands)} of that"))
    gaps = record(record(previous).get("backlog")).get("gaps") if previous else None
    if number(gaps) is not None:
        first.append(_say(f". The run before listed {count(gaps)}"))
    sentences = [[*first, _say(".")]]
    fresh = [gap for gap in live if text(gap.status) == "new"]
    back = [gap for gap in live if text(gap.status) == "reopened"]
    if fresh and len(fresh) == len(live):
        sentences.append([_say("All of them are new, led by "), *_listed(fresh), _say(".")])
    elif fresh:
        sentences.append(
            [{"text": f"{len(fresh):,} new", "link": "#status=new"}, _say(": "), *_listed(fresh), _say(".")]
        )
    else:
        sentences.append([_say("Nothing is new this time.")])
    surged, notes = _surging(live)
    if surged:
        sentences.append([_say("Surging: "), *_listed(surged, notes), _say(".")])
    if back:
        sentences.append(
            [
                {"text": f"{len(back):,} came back", "link": "#status=reopened"},
                _say(": "),
                *_listed(back),
                _say("."),
            ]
        )
    lone = [gap for gap in live if not text(gap.owner_id)]
    if lone:
        many = "has no owner" if len(lone) == 1 else "have no owner"
        sentences.append(
            [{"text": f"{plural(len(lone), 'gap')} {many}", "link": "#owner=-"}, _say(": "), *_listed(lone), _say(".")]
        )
    else:
        sentences.append([_say("Every gap has an owner.")])
    return sentences + _precision(run)


def _precision(run: dict[str, Any] | None) -> list[list[dict[str, str]]]:
    """The backlog's precision according to reviewers' decisions, as a sentence; empty where there are none."""
    judged = record(record(run).get("backlog")).get("precision")
    sentence = text(record(judged[0]).get("told")) if isinstance(judged, list) and judged else ""
    return [[_say(f"In review, {sentence}.")]] if sentence else []


def _surging(live: Sequence[Gap]) -> tuple[list[Gap], dict[str, str]]:
    """Gaps with a surge, steepest first; without any, gaps whose demand clearly rises."""
    steep: list[tuple[float, str, Gap]] = []
    notes: dict[str, str] = {}
    moves = [(gap, movement(gap)) for gap in live]
    surges = [(gap, moving) for gap, moving in moves if moving.words == "surging"]
    for gap, moving in surges or moves:
        if moving.direction == "up" and moving.ratio is not None and (surges or moving.ratio >= 1.5):
            key = text(gap.gap_id)
            steep.append((-moving.ratio, key, gap))
            notes[key] = f"{moving.times} {moving.since}".rstrip()
    steep.sort(key=lambda entry: entry[:2])
    return [gap for _, _, gap in steep], notes
