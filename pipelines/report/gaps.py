"""A backlog row for the report's table, and helpers that the table and the side panel share."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_kinds import GAP_KINDS, kind_label
from lacuna.pipelines.presentation.charts import bar, spark
from lacuna.pipelines.presentation.format import NONE, day, items, line, monday, number, record, text, texts, whole
from lacuna.pipelines.report.gap_figures import figures_of, movement


def weeks(value: object, until: date | None = None) -> list[tuple[str, float, float]]:
    """The weekly counts in order, weeks without a conversation filled with zero, as (Monday, conversations, failed)."""
    counts_by_week: dict[date, tuple[float, float]] = {}
    for entry in map(record, items(value)):
        when = day(entry.get("week"))
        if when is not None:
            asked = number(entry.get("conversations")) or 0.0
            counts_by_week[monday(when)] = (asked, min(max(number(entry.get("failed")) or 0.0, 0.0), asked))
    if not counts_by_week:
        return []
    current, last = min(counts_by_week), max(counts_by_week)
    if until is not None:
        last = max(last, monday(until))
    filled: list[tuple[str, float, float]] = []
    while current <= last and len(filled) < 1000:
        asked, failed = counts_by_week.get(current, (0.0, 0.0))
        filled.append((current.isoformat(), asked, round(failed, 2)))
        current += timedelta(days=7)
    return filled


def relative_link(path: object) -> str:
    """A draft's path as a link; empty unless it is a plain relative path inside the run folder."""
    relative = text(path).replace("\\", "/")
    parts = relative.split("/")
    if not relative or ":" in parts[0] or relative.startswith("/") or any(part in {"", ".", ".."} for part in parts):
        return ""
    return quote(relative)


def link_to_gap(gap_id: str) -> str:
    """The link that opens a gap in the report."""
    return "#gap=" + quote(gap_id, safe="")


def owner(gap: Gap) -> dict[str, Any]:
    """Who owns the gap, and why; a gap without an owner says so."""
    key = line(gap.owner_id)
    name = line(gap.owner_name, 80) or key
    return {"id": key, "name": name or "No owner", "reason": text(gap.owner_reason), "known": bool(key)}


def table_row(gap: Gap, currency: str, top_score: float, until: date | None) -> dict[str, Any]:
    """A gap's row in the table, with the keys by which the table is sorted and filtered.

    Parameters
    ----------
    gap : Gap
        The gap with its current status.
    currency : str
        ISO code of the costs.
    top_score : float
        The largest score in the backlog, which sets the length of the score bars.
    until : date or None
        The window's last day.
    """
    key, kind, status = text(gap.gap_id), text(gap.kind), text(gap.status)
    gap_owner = owner(gap)
    title = line(gap.title, 400) or "Untitled gap"
    topic = line(gap.topic_label, 160)
    products, languages = texts(gap.products), texts(gap.languages)
    rank, low, high = (whole(getattr(gap, name)) for name in ("rank", "rank_low", "rank_high"))
    score, figures, demand = number(gap.score), figures_of(gap, currency), movement(gap)
    weekly_counts = [conversations for _, conversations, _ in weeks(gap.weekly, until)]
    return {
        "id": key,
        "link": link_to_gap(key),
        "rank": figures.rank or NONE,
        "band": f"{low}–{high}" if low is not None and high is not None and low != high else "",
        "title": title,
        "topic": topic,
        "place": " · ".join([*products[:2], *(language.upper() for language in languages[:3])]),
        "tone": kind if kind in GAP_KINDS else "other",
        "kind_label": kind_label(kind),
        "status": status,
        "owner": gap_owner,
        "conversations": figures.conversations or NONE,
        "rate": figures.weekly or NONE,
        "trend": {"arrow": demand.arrow, "direction": demand.direction, "words": demand.in_words()}
        if demand.arrow
        else {},
        "spark": spark(weekly_counts),
        "fails": figures.failed or NONE,
        "fails_range": figures.failed_range,
        "fails_bar": bar(gap.failure_rate, gap.failure_low, gap.failure_high),
        "score": figures.score or NONE,
        "score_range": figures.score_range,
        "score_bar": f"{max((score or 0.0) / top_score, 0.0) * 84:.3g}" if top_score > 0 else "0",
        "cost": figures.cost or NONE,
        "keys": {
            "id": key,
            "rank": rank,
            "title": title.lower(),
            "kind": kind,
            "status": status,
            "small": gap.folded,
            "owner": gap_owner["id"],
            "ownerName": gap_owner["name"].lower() if gap_owner["known"] else None,
            "conversations": whole(gap.conversations),
            "rate": number(gap.weekly_rate),
            "fails": number(gap.failure_rate),
            "score": score,
            "cost": number(gap.cost_avoidable),
            "topic": text(gap.topic_id),
            "theme": line(gap.theme, 120),
            "product": products,
            "language": languages,
            "find": " ".join(
                [
                    key,
                    title,
                    topic,
                    gap_owner["name"],
                    gap_owner["id"],
                    line(gap.article_title),
                    text(gap.article_id),
                    *texts(gap.intents),
                    *texts(gap.customer_words)[:12],
                ]
            ).lower(),
        },
    }
