"""The summary at the top of the report: a few sentences, made of texts and links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.lifecycle import CLOSED
from lacuna.models.diagnosis.no_gap_reason import why_no_gap
from lacuna.pipelines.presentation.format import (
    count,
    decimal,
    is_first_run,
    line,
    money,
    number,
    percent,
    plural,
    record,
    text,
)
from lacuna.pipelines.report.gap_figures import movement
from lacuna.pipelines.report.gaps import link_to_gap
from lacuna.pipelines.report.small import apart, folded_sentence

_NAMED = 3
_STEEP = 1.5  # times as much as before, from which on a rise is told


def _link(gap: Gap) -> dict[str, str]:
    key = text(gap.gap_id)
    return {"link": link_to_gap(key), "text": line(gap.title, 90) or "Untitled gap"}


def _plain(value: str) -> dict[str, str]:
    return {"text": value, "link": ""}


def _titles(gaps: Sequence[Gap], note: dict[str, str] | None = None) -> list[dict[str, str]]:
    """Titles as links, at most three, with how many more there are."""
    parts: list[dict[str, str]] = []
    for position, gap in enumerate(gaps[:_NAMED]):
        if position:
            parts.append(_plain(", " if position < min(len(gaps), _NAMED) - 1 or len(gaps) > _NAMED else " and "))
        parts.append(_link(gap))
        if note and note.get(text(gap.gap_id)):
            parts.append(_plain(f" ({note[text(gap.gap_id)]})"))
    if len(gaps) > _NAMED:
        parts.append(_plain(f" and {len(gaps) - _NAMED:,} more"))
    return parts


def summary(
    backlog: Sequence[Gap], currency: str, previous: dict[str, Any] | None, run: dict[str, Any] | None = None
) -> list[list[dict[str, str]]]:
    """The summary in sentences: open gaps, new, rising and reopened ones, those without an owner, and the precision.

    Returns
    -------
    list of list of dict
        Sentences made of parts: `text`, and `link` where the part leads to a gap or to a filter.
    """
    not_closed = [gap for gap in backlog if text(gap.status) not in CLOSED]
    open_gaps, too_small = apart(not_closed)
    small_sentences = [[_plain(folded_sentence(len(too_small), run))]] if too_small else []
    if too_small and not open_gaps:
        return [[_plain("No gap is large enough to act on.")], *small_sentences, *_precision(run)]
    if not open_gaps:
        closed = f"No gap is open: {plural(len(backlog), 'gap is', 'gaps are')} verified, snoozed or dismissed."
        no_gap_text = closed if backlog else f"No gap was found in this window. {why_no_gap(record(run))}"
        return [[_plain(no_gap_text)], *_precision(run)]
    avoidable = sum(number(gap.score) or 0.0 for gap in open_gaps)
    cost = sum(number(gap.cost_avoidable) or 0.0 for gap in open_gaps)
    first = [
        _plain(
            f"{plural(len(open_gaps), 'gap is', 'gaps are')} open, and closing "
            f"{'it' if len(open_gaps) == 1 else 'them'} would avoid about {decimal(avoidable)} human-handled "
            "conversations a week"
        )
    ]
    if cost > 0:
        first.append(_plain(f" ({money(cost, currency)})"))
    if len(open_gaps) > 8 and avoidable > 0:
        top = sum(sorted((number(gap.score) or 0.0 for gap in open_gaps), reverse=True)[:5])
        first.append(_plain(f"; the first five make up {percent(top / avoidable)} of that"))
    gaps = record(record(previous).get("backlog")).get("gaps") if previous else None
    if number(gaps) is not None:
        first.append(_plain(f". The run before listed {count(gaps)}"))
    sentences = [[*first, _plain(".")]]
    new = [gap for gap in open_gaps if text(gap.status) == "new"]
    reopened = [gap for gap in open_gaps if text(gap.status) == "reopened"]
    if new and len(new) == len(open_gaps):
        where = " in this first run" if is_first_run(run) else ""
        sentences.append([_plain(f"All of them are new{where}, led by "), *_titles(new), _plain(".")])
    elif new:
        sentences.append(
            [{"text": f"{len(new):,} new", "link": "#status=new"}, _plain(": "), *_titles(new), _plain(".")]
        )
    else:
        sentences.append([_plain("Nothing is new this time.")])
    rising, notes = _rising(open_gaps)
    if rising:
        sentences.append([_plain("Rising: "), *_titles(rising, notes), _plain(".")])
    if reopened:
        sentences.append(
            [
                {"text": f"{len(reopened):,} came back", "link": "#status=reopened"},
                _plain(": "),
                *_titles(reopened),
                _plain("."),
            ]
        )
    unowned = [gap for gap in open_gaps if not text(gap.owner_id)]
    if unowned:
        verb_phrase = "has no owner" if len(unowned) == 1 else "have no owner"
        sentences.append(
            [
                {"text": f"{plural(len(unowned), 'gap')} {verb_phrase}", "link": "#owner=-"},
                _plain(": "),
                *_titles(unowned),
                _plain("."),
            ]
        )
    else:
        sentences.append([_plain("Every gap has an owner.")])
    return [*sentences, *small_sentences, *_precision(run)]


def _precision(run: dict[str, Any] | None) -> list[list[dict[str, str]]]:
    """The backlog's precision according to reviewers' decisions, as a sentence; empty where there are none."""
    precision = record(record(run).get("backlog")).get("precision")
    sentence = text(record(precision[0]).get("told")) if isinstance(precision, list) and precision else ""
    return [[_plain(f"In review, {sentence}.")]] if sentence else []


def _rising(open_gaps: Sequence[Gap]) -> tuple[list[Gap], dict[str, str]]:
    """Gaps whose demand clearly rises, the steepest first; those that surge stand before all others already."""
    steep: list[tuple[float, str, Gap]] = []
    notes: dict[str, str] = {}
    for gap in open_gaps:
        moving = movement(gap)
        if moving.direction == "up" and not moving.surges and (moving.ratio or 0.0) >= _STEEP:
            key = text(gap.gap_id)
            steep.append((-(moving.ratio or 0.0), key, gap))
            notes[key] = moving.times
    steep.sort(key=lambda entry: entry[:2])
    return [gap for _, _, gap in steep], notes
