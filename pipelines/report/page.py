"""A gap's own page in the side panel: the reasons for its kind and its rank, and the evidence."""

from __future__ import annotations

from datetime import date
from typing import Any

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_kinds import GAP_KINDS, kind_label, kind_meaning
from lacuna.pipelines.presentation.format import (
    NONE,
    day,
    decimal,
    is_first_run,
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
from lacuna.pipelines.report.small import small_gap_sentence
from lacuna.pipelines.report.story import similar_sentences, story

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
    confidence: str,
    run: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Everything that the side panel shows of a gap, formatted as text.

    Parameters
    ----------
    gap : Gap
        The gap with its current status.
    currency, until
        As in `table_row`.
    articles : dict
        One sentence on the accuracy of each article, by article_id.
    confidence
        The confidence of intervals, as it is printed.
    run
        `run.json`.
    """
    kind = text(gap.kind)
    figures = figures_of(gap, currency)
    weekly_counts = weeks(gap.weekly, until)
    gap_owner = owner(gap)
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
        "story": story(gap),
        "similar": similar_sentences(gap),
        "figures": figures.cards(),
        "reasons": texts(gap.reasons),
        "equation": _equation(figures, confidence, small_gap_sentence(gap, run)),
        "weekly": [list(entry) for entry in weekly_counts],
        "change": _change(gap.change_point, confidence),
        "owner": gap_owner,
        "draft": {"link": relative_link(gap.draft), "path": text(gap.draft)},
        "article": {
            "id": article,
            "title": line(gap.article_title) or article,
            "accuracy": articles.get(article, ""),
        },
        "quotes": _quotations(gap.examples),
        "answers": _quotations(gap.agent_answers),
        "steps": [
            {
                "text": text(step.get("text"), _QUOTE),
                "count": whole(step.get("count")),
                "ids": texts(step.get("conversation_ids"))[:3],
                "worked": whole(step.get("worked")) or 0,
                "way": whole(step.get("way")) or 1,
                "ordered": bool(whole(step.get("order"))),
            }
            for step in map(record, items(gap.steps))
            if text(step.get("text"))
        ],
        "passages": _passages(gap),
        "words": texts(gap.customer_words)[:40],
        "nearest": nearest_articles(gap.nearest_articles),
        "history": _history(gap, until, is_first_run(run)),
        "ids": ids,
    }


def _quotations(value: object) -> list[dict[str, str]]:
    entries = [record(entry) if not isinstance(entry, str) else {"quote": entry} for entry in items(value)]
    return [
        {"text": quotation, "id": text(entry.get("conversation_id"))}
        for entry in entries
        if (quotation := text(entry.get("quote"), _QUOTE))
    ]


def _passages(gap: Gap) -> list[dict[str, Any]]:
    """Each passage to change once, in the order of the article, with what stands against it, most frequent first."""
    against: dict[tuple[str, str], dict[str, int]] = {}
    for entry in map(record, items(gap.passages)):
        passage = (text(entry.get("article_id")), text(entry.get("passage"), _QUOTE))
        times = against.setdefault(passage, {})
        if evidence := text(entry.get("evidence"), _QUOTE):
            times[evidence] = whole(entry.get("count")) or 0
    return [
        {"article_id": article_id, "passage": passage, "evidence": sorted(times, key=lambda said: -times[said])}
        for (article_id, passage), times in against.items()
    ]


def _places(gap: Gap) -> list[str]:
    labels_and_fields = (("Product", "products"), ("Language", "languages"), ("Intent", "intents"))
    return [
        f"{label}: {', '.join(values[:6])}"
        for label, name in labels_and_fields
        if (values := texts(getattr(gap, name)))
    ]


def _equation(figures: GapFigures, confidence: str, too_small: str) -> dict[str, Any]:
    return {
        "factors": [{"value": value, "words": words} for value, words in figures.factors()],
        "score": figures.score or NONE,
        "words": f"avoidable a week {figures.score_range}".rstrip(),
        "place": f"{figures.place(confidence)} {too_small}".rstrip(),
    }


def _change(value: object, confidence: str) -> dict[str, str] | None:
    change_point = record(value)
    week = day(change_point.get("week"))
    if week is None:
        return None
    low, high = day(change_point.get("low")) or week, day(change_point.get("high")) or week
    words = f"It changed in the week of {short_day(week, year=True)}"
    if low != high:
        words += f" ({confidence} between {short_day(low)} and {short_day(high)})"
    shares = before_and_since(change_point)
    words += f": {shares}" if shares else ""
    ends = {name: monday(when).isoformat() for name, when in (("week", week), ("low", low), ("high", high))}
    return ends | {"words": words + "."}


def _history(gap: Gap, until: date | None, first_run: bool) -> list[str]:
    carried = record(gap.carried)
    sentences = [line(gap.edited)] if gap.edited else []
    first, last = text(gap.first_seen), text(gap.last_seen)
    if first:
        sentences.append(f"First seen in the run of {short_day(first, year=True)}.")
    change, previous_rank = text(carried.get("change")), whole(carried.get("previous_rank"))
    note = line(gap.status_note)
    words = "New in this first run." if first_run and change == "new" else _CHANGES.get(change, "")
    if change == "reopened" and note and text(gap.status) == "reopened":
        words = ""  # the note says so
    if previous_rank is not None and change in {"up", "down"}:
        words = f"{words} from rank {previous_rank}."
    elif words and not words.endswith("."):
        words += "."
    score = number(carried.get("previous_score"))
    if score is not None:
        words += f" Its score last time was {decimal(score)}, now {decimal(gap.score)}."
    if note:
        sentences.append(f"{text(gap.status).capitalize()}: {note}.")
    open_for = whole(carried.get("weeks_open"))
    if open_for:
        words += f" Open for {plural(open_for, 'week')}."
    if words.strip():
        sentences.append(words.strip())
    if last and last != first and day(last) != until:
        sentences.append(f"Last seen in the run of {short_day(last, year=True)}.")
    return sentences or [NONE]
