"""A backlog row as the report's table shows it, and what the table and the side panel share."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

from lacuna.models.backlog.gap_kinds import GAP_KINDS, kind_label
from lacuna.pipelines.presentation.charts import bar, spark
from lacuna.pipelines.presentation.format import NONE, day, items, line, monday, number, record, text, texts, whole
from lacuna.pipelines.report.gap_figures import figures_of, movement


def weeks(value: object, until: date | None = None) -> list[tuple[str, float, float]]:
    """The weekly counts in order, weeks without a conversation filled with zero, as (Monday, conversations, failed)."""
    found: dict[date, tuple[float, float]] = {}
    for entry in map(record, items(value)):
        when = day(entry.get("week"))
        if when is not None:
            seen = number(entry.get("conversations")) or 0.0
            found[monday(when)] = (seen, min(max(number(entry.get("failed")) or 0.0, 0.0), seen))
    if not found:
        return []
    current, last = min(found), max(found)
    if until is not None:
        last = max(last, monday(until))
    listed: list[tuple[str, float, float]] = []
    while current <= last and len(listed) < 1000:
        seen, failed = found.get(current, (0.0, 0.0))
        listed.append((current.isoformat(), seen, round(failed, 2)))
        current += timedelta(days=7)
    return listed


def relative_link(path: object) -> str:
    """A draft's path as a link: only a plain relative path inside the run is one, anything else gives no link."""
    found = text(path).replace("\\", "/")
    parts = found.split("/")
    if not found or ":" in parts[0] or found.startswith("/") or any(part in {"", ".", ".."} for part in parts):
        return ""
    return quote(found)


def owner(row: dict[str, Any]) -> dict[str, Any]:
    """Who owns the gap, and why; a gap without an owner says so."""
    key = line(row.get("owner_id"))
    name = line(row.get("owner_name"), 80) or key
    return {"id": key, "name": name or "No owner", "reason": text(row.get("owner_reason")), "known": bool(key)}


def table_row(row: dict[str, Any], currency: str, top_score: float, until: date | None) -> dict[str, Any]:
    """What the table shows of a gap, with the keys it is sorted and filtered by.

    Parameters
    ----------
    row : dict
        One backlog row.
    currency : str
        ISO code of the costs.
    top_score : float
        The largest score in the backlog, which sets the length of the score bars.
    until : date or None
        The window's last day.
    """
    key, kind, status = text(row.get("gap_id")), text(row.get("kind")), text(row.get("status"))
    who = owner(row)
    title = line(row.get("title"), 400) or "Untitled gap"
    topic = line(row.get("topic_label"), 160)
    products, languages = texts(row.get("products")), texts(row.get("languages"))
    rank, low, high = (whole(row.get(name)) for name in ("rank", "rank_low", "rank_high"))
    score, figures, moving = number(row.get("score")), figures_of(row, currency), movement(row)
    asked = [seen for _, seen, _ in weeks(row.get("weekly"), until)]
    return {
        "id": key,
        "link": "#gap=" + quote(key, safe=""),
        "rank": figures.rank or NONE,
        "band": f"{low}–{high}" if low is not None and high is not None and low != high else "",
        "title": title,
        "topic": topic,
        "place": " · ".join([*products[:2], *(found.upper() for found in languages[:3])]),
        "tone": kind if kind in GAP_KINDS else "other",
        "kind_label": kind_label(kind),
        "status": status,
        "owner": who,
        "conversations": figures.conversations or NONE,
        "rate": figures.weekly or NONE,
        "trend": {"arrow": moving.arrow, "direction": moving.direction, "told": moving.told()} if moving.arrow else {},
        "spark": spark(asked),
        "fails": figures.failed or NONE,
        "fails_range": figures.failed_range,
        "fails_bar": bar(row.get("failure_rate"), row.get("failure_low"), row.get("failure_high")),
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
            "owner": who["id"],
            "ownerName": who["name"].lower() if who["known"] else None,
            "conversations": whole(row.get("conversations")),
            "rate": number(row.get("weekly_rate")),
            "fails": number(row.get("failure_rate")),
            "score": score,
            "cost": number(row.get("cost_avoidable")),
            "topic": text(row.get("topic_id")),
            "theme": line(row.get("theme"), 120),
            "product": products,
            "language": languages,
            "find": " ".join(
                [
                    key,
                    title,
                    topic,
                    who["name"],
                    who["id"],
                    line(row.get("article_title")),
                    text(row.get("article_id")),
                    *texts(row.get("intents")),
                    *texts(row.get("customer_words"))[:12],
                ]
            ).lower(),
        },
    }
