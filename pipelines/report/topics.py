"""The topics table and their map: what customers ask about, how much of it fails, why people leave."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

import pandas as pd

from lacuna.pipelines.presentation.charts import topic_map
from lacuna.pipelines.presentation.format import (
    count,
    items,
    line,
    number,
    percent,
    plural,
    record,
    text,
    texts,
    whole,
)
from lacuna.pipelines.presentation.format import rows as records

_PARTS = 4  # subtopics that are named
_TONES = 9  # colours of themes; from the tenth on they come again, and the letters do not
_LEFT = {
    "handoff_request": "asked for a person",
    "policy_handoff": "handed over by policy",
    "account_action": "only a person could act",
    "repeated_fallback": "no answer twice",
    "rephrasing": "had to say it again",
    "frustration": "frustrated",
}
_LEFT_SHARE, _LEFT_TIMES = 0.1, 3  # a trigger that is rarer says nothing of its topic


def topics(frame: pd.DataFrame | None, shown: dict[str, str]) -> dict[str, Any]:
    """The topics table and the map in two sizes.

    Parameters
    ----------
    frame : DataFrame or None
        `topics.parquet`.
    shown : dict
        Titles of the backlog's gaps by gap_id, so that a topic links only to gaps that are there.
    """
    listed: list[dict[str, Any]] = []
    for row in records(frame):
        key, label = text(row.get("topic_id")), line(row.get("label"), 200) or "Unnamed topic"
        failure = number(row.get("failure_rate"))
        listed.append(
            {
                "topic_id": key,
                "label": label,
                "short": label if len(label) <= 30 else label[:29].rstrip() + "…",
                "theme": line(row.get("theme"), 120),
                "conversations": whole(row.get("conversations")) or 0,
                "asked": plural(whole(row.get("conversations")) or 0, "conversation"),
                "customers": count(row.get("customers")),
                "fails": percent(failure),
                "failure": failure,
                "failed": (failure or 0.0) * (whole(row.get("conversations")) or 0),
                "link": "#topic=" + quote(key, safe=""),
                "keywords": ", ".join(texts(row.get("keywords"))[:6]),
                "examples": [line(found, 240) for found in texts(row.get("examples"))[:2]],
                "parts": _parts(row.get("subtopics")),
                "lineage": text(row.get("lineage")),
                "novelty": {"new": "New", "known": "Known"}.get(text(row.get("novelty")), ""),
                "left": _left(row),
                "searches": whole(row.get("searches")) or 0,
                "season": _season(row.get("season")),
                "gaps": [
                    {"link": "#gap=" + quote(gap, safe=""), "title": shown[gap]}
                    for gap in texts(row.get("gap_ids"))
                    if gap in shown
                ],
                "x": row.get("x"),
                "y": row.get("y"),
            }
        )
    listed.sort(key=lambda topic: (-topic["conversations"], topic["topic_id"]))
    themes = _themes(listed)
    return {
        "rows": listed,
        "themes": themes,
        "novelty": new_vs_known(listed),
        "searched": any(topic["searches"] for topic in listed),
        "maps": [
            {"name": "wide", "width": 1160, "height": 560, "marks": topic_map(_gravest(listed, 90), 1160, 560, 40)},
            {"name": "narrow", "width": 358, "height": 520, "marks": topic_map(_gravest(listed, 40), 358, 520, 12)},
        ]
        if len(listed) > 1
        else [],
    }


def _parts(subtopics: object) -> str:
    """The largest subtopics with their conversations; nothing where a topic is all one."""
    found = [(line(part.get("label"), 80), whole(part.get("conversations")) or 0) for part in items(subtopics)]
    told = [f"{label} ({asked:,})" for label, asked in found[:_PARTS]]
    if len(found) > _PARTS:
        told.append(f"{len(found) - _PARTS:,} more")
    return "; ".join(told) if len(found) > 1 else ""


def _left(row: dict[str, Any]) -> list[str]:
    """Why people leave the bot in a topic: the two commonest triggers that are more than a stray one."""
    asked = whole(row.get("conversations")) or 0
    shares = [(share, words) for name, words in _LEFT.items() if (share := number(row.get(name))) is not None]
    common = sorted(
        (found for found in shares if found[0] >= max(_LEFT_SHARE, _LEFT_TIMES / max(asked, 1))), reverse=True
    )
    return [f"{percent(share)} {words}" for share, words in common[:2]]


def _season(value: object) -> str:
    found = record(value)
    peak, ratio = number(found.get("peak_week")), number(found.get("ratio"))
    if peak is None or ratio is None:
        return ""
    month = (date(2023, 1, 1) + timedelta(weeks=min(peak, 52.0))).strftime("%B")
    return f"Every year most in {month}, {ratio:.1f} times as often as when it is rarest."


def new_vs_known(listed: list[dict[str, Any]]) -> str:
    """What share of the conversations is about topics that the knowledge base knows, and about new ones."""
    asked = sum(topic["conversations"] for topic in listed)
    if not asked or not any(topic["novelty"] for topic in listed):
        return ""
    share = {
        name: sum(topic["conversations"] for topic in listed if topic["novelty"] == name) / asked
        for name in ("Known", "New")
    }
    known, new = percent(share["Known"]), percent(share["New"])
    return f"{known} of these conversations are about known topics, {new} about new ones"


def _gravest(listed: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """Those topics that a map has room for: with gaps first, then by how many conversations they failed."""
    return sorted(listed, key=lambda t: (not t["gaps"], -t["failed"], -t["conversations"], t["topic_id"]))[:most]


def _themes(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The themes, largest first, each with a letter and a colour, which its topics get as well."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for topic in listed:
        topic |= {"letter": "", "tone": "x"}
        if topic["theme"]:
            groups.setdefault(topic["theme"], []).append(topic)
    asked = {name: sum(topic["conversations"] for topic in own) for name, own in groups.items()}
    found = []
    for place, name in enumerate(sorted(groups, key=lambda name: (-asked[name], name))):
        own = groups[name]
        mark = {"letter": chr(ord("A") + place) if place < 26 else str(place + 1), "tone": str(place % _TONES)}
        for topic in own:
            topic |= mark
        found.append(
            mark
            | {
                "name": name,
                "link": "#theme=" + quote(name, safe=""),
                "topics": plural(len(own), "topic"),
                "asked": plural(asked[name], "conversation"),
                "fails": percent(sum(topic["failed"] for topic in own) / asked[name]) if asked[name] else "",
            }
        )
    return found
