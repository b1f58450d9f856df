"""A gap's own page in the side panel: why this kind, why this rank, and everything said about it."""

from __future__ import annotations

from datetime import date
from typing import Any

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_kinds import GAP_KINDS, kind_label, kind_meaning
from lacuna.pipelines.presentation.format import (
    NONE,
    day,
    decimal,
    items,
    line,
    monday,
    number,
    plural,
    record,
    short_day,
    text,
    texts,
    whole,
)
from lacuna.pipelines.report.gap_figures import GapFigures, before_and_since, figures_of, nearest_articles
from lacuna.pipelines.report.gaps import owner, relative_link, weeks

_QUOTE = 1200
_CHANGES = {
    "new": "New this time.",
    "up": "Moved up",
    "down": "Moved down",
    "same": "Same rank as last time.",
    "reopened": "Came back.",
}


def page(
    gap: Gap,
    currency: str,
    until: date | None,
    articles: dict[str, str],
    sure: str,
) -> dict[str, Any]:
    """Everything that the side panel shows of a gap, as texts ready to be read.

    Parameters
    ----------
    gap : Gap
        As it stands.
    currency, until
        As in `table_row`.
    articles : dict
        What is known of each article's accuracy, by article_id.
    sure
        The confidence of intervals, as it is printed.
    """
    kind = text(gap.kind)
    figures = figures_of(gap, currency)
    listed = weeks(gap.weekly, until)
    who = owner(gap)
    article = text(gap.article_id)
    ids = texts(gap.conversation_ids)
    return {
        "id": text(gap.gap_id),
        "title": line(gap.title) or "Untitled gap",
        "tone": kind if kind in GAP_KINDS else "other",
        "kindLabel": kind_label(kind),
        "kindMeans": kind_meaning(kind),
        "status": text(gap.status),
        "sure": f"{figures.sure} sure" if figures.sure else "",
        "topic": {
            "id": text(gap.topic_id),
            "label": line(gap.topic_label),
            "theme": line(gap.theme),
        },
        "places": _places(gap),
        "figures": figures.cards(),
        "reasons": texts(gap.reasons),
        "equation": _equation(figures, sure),
        "weekly": [list(entry) for entry in listed],
        "change": _change(gap.change_point, sure),
        "owner": who,
        "draft": {"link": relative_link(gap.draft), "path": text(gap.draft)},
        "article": {
            "id": article,
            "title": line(gap.article_title) or article,
            "accuracy": articles.get(article, ""),
        },
        "quotes": _said(gap.examples),
        "answers": _said(gap.agent_answers),
        "steps": [
            {
                "text": text(found.get("text"), _QUOTE),
                "count": whole(found.get("count")),
                "ids": texts(found.get("conversation_ids"))[:3],
                "ordered": bool(whole(found.get("order"))),
            }
            for found in map(record, items(gap.steps))
            if text(found.get("text"))
        ],
        "passages": [
            {name: text(found.get(name), _QUOTE) for name in ("article_id", "passage", "evidence")}
            for found in map(record, items(gap.passages))
        ],
        "words": texts(gap.customer_words)[:40],
        "nearest": nearest_articles(gap.nearest_articles),
        "history": _history(gap, until),
        "ids": ids,
    }


def _said(value: object) -> list[dict[str, str]]:
    found = [record(entry) if not isinstance(entry, str) else {"quote": entry} for entry in items(value)]
    return [
        {"text": said, "id": text(entry.get("conversation_id"))}
        for entry in found
        if (said := text(entry.get("quote"), _QUOTE))
    ]


def _places(gap: Gap) -> list[str]:
    named = (("Product", "products"), ("Language", "languages"), ("Intent", "intents"))
    return [f"{label}: {', '.join(found[:6])}" for label, name in named if (found := texts(getattr(gap, name)))]


def _equation(figures: GapFigures, sure: str) -> dict[str, Any]:
    return {
        "factors": [{"value": value, "words": words} for value, words in figures.factors()],
        "score": figures.score or NONE,
        "words": f"avoidable a week {figures.score_range}".rstrip(),
        "place": figures.place(sure),
    }


def _change(value: object, sure: str) -> dict[str, str] | None:
    found = record(value)
    week = day(found.get("week"))
    if week is None:
        return None
    low, high = day(found.get("low")) or week, day(found.get("high")) or week
    words = f"It changed in the week of {short_day(week, year=True)}"
    if low != high:
        words += f" ({sure} between {short_day(low)} and {short_day(high)})"
    shares = before_and_since(found)
    words += f": {shares}" if shares else ""
    ends = {name: monday(when).isoformat() for name, when in (("week", week), ("low", low), ("high", high))}
    return ends | {"words": words + "."}


def _history(gap: Gap, until: date | None) -> list[str]:
    carried = record(gap.carried)
    told = []
    first, last = text(gap.first_seen), text(gap.last_seen)
    if first:
        told.append(f"First seen in the run of {short_day(first, year=True)}.")
    change, before = text(carried.get("change")), whole(carried.get("previous_rank"))
    words = _CHANGES.get(change, "")
    if before is not None and change in {"up", "down"}:
        words = f"{words} from rank {before}."
    elif words and not words.endswith("."):
        words += "."
    score = number(carried.get("previous_score"))
    if score is not None:
        words += f" Its score last time was {decimal(score)}, now {decimal(gap.score)}."
    note = line(gap.status_note)
    if note:
        told.append(f"{text(gap.status).capitalize()}: {note}.")
    open_for = whole(carried.get("weeks_open"))
    if open_for:
        words += f" Open for {plural(open_for, 'week')}."
    if words.strip():
        told.append(words.strip())
    if last and last != first and day(last) != until:
        told.append(f"Last seen in the run of {short_day(last, year=True)}.")
    return told or [NONE]
