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
from lacuna.pipelines.report.gaps import link_to_gap
from lacuna.pipelines.report.topic_tree import tree_view

_PARTS = 4  # subtopics that are named
_TONES = 9  # colours of themes: the tenth theme gets the first colour again; letters are not reused
_EXIT_TRIGGERS = {
    "handoff_request": "asked for a person",
    "policy_handoff": "handed off by policy",
    "account_action": "only a person could act",
    "repeated_fallback": "no answer twice",
    "rephrasing": "had to say it again",
    "frustration": "frustrated",
}
_MIN_SHARE, _MIN_TIMES = 0.1, 3  # triggers below this share or count are left out


def topics(
    frame: pd.DataFrame | None, gap_titles: dict[str, str], tree: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The topics table and the map in two sizes.

    Parameters
    ----------
    frame : DataFrame or None
        `topics.parquet`.
    gap_titles : dict
        Titles of the backlog's gaps by gap_id, so that a topic links only to gaps that the report holds.
    tree : dict or None
        `topic_tree.json`.
    """
    entries: list[dict[str, Any]] = []
    for row in records(frame):
        key, label = text(row.get("topic_id")), line(row.get("label"), 200) or "Unnamed topic"
        failure = number(row.get("failure_rate"))
        entries.append(
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
                "examples": [line(example, 240) for example in texts(row.get("examples"))[:2]],
                "parts": _parts(row.get("subtopics")),
                "lineage": text(row.get("lineage")),
                "novelty": {"new": "New", "known": "Known"}.get(text(row.get("novelty")), ""),
                "left": _exit_reasons(row),
                "searches": whole(row.get("searches")) or 0,
                "season": _season(row.get("season")),
                "gaps": [
                    {"link": link_to_gap(gap), "title": gap_titles[gap]}
                    for gap in texts(row.get("gap_ids"))
                    if gap in gap_titles
                ],
                "x": row.get("x"),
                "y": row.get("y"),
            }
        )
    entries.sort(key=lambda topic: (-topic["conversations"], topic["topic_id"]))
    themes = _themes(entries)
    return {
        "rows": entries,
        "themes": themes,
        "tree": tree_view(frame, tree, lambda topic: "#topic=" + quote(topic, safe="")),
        "novelty": new_vs_known(entries),
        "searched": any(topic["searches"] for topic in entries),
        "maps": [
            {"name": "wide", "width": 1160, "height": 560, "marks": topic_map(_gravest(entries, 90), 1160, 560, 40)},
            {"name": "narrow", "width": 358, "height": 520, "marks": topic_map(_gravest(entries, 40), 358, 520, 12)},
        ]
        if len(entries) > 1
        else [],
    }


def _parts(subtopics: object) -> str:
    """The largest subtopics with their conversations; empty where a topic has fewer than two."""
    sizes = [(line(part.get("label"), 80), whole(part.get("conversations")) or 0) for part in items(subtopics)]
    phrases = [f"{label} ({asked:,})" for label, asked in sizes[:_PARTS]]
    if len(sizes) > _PARTS:
        phrases.append(f"{len(sizes) - _PARTS:,} more")
    return "; ".join(phrases) if len(sizes) > 1 else ""


def _exit_reasons(row: dict[str, Any]) -> list[str]:
    """Why people leave the bot in a topic: the two most frequent triggers among those that are not rare."""
    conversations = whole(row.get("conversations")) or 0
    shares = [(share, words) for name, words in _EXIT_TRIGGERS.items() if (share := number(row.get(name))) is not None]
    frequent = sorted(
        (entry for entry in shares if entry[0] >= max(_MIN_SHARE, _MIN_TIMES / max(conversations, 1))), reverse=True
    )
    return [f"{percent(share)} {words}" for share, words in frequent[:2]]


def _season(value: object) -> str:
    season = record(value)
    peak, ratio = number(season.get("peak_week")), number(season.get("ratio"))
    if peak is None or ratio is None:
        return ""
    month = (date(2023, 1, 1) + timedelta(weeks=min(peak, 52.0))).strftime("%B")
    return f"Every year most in {month}, {ratio:.1f} times as often as when it is rarest."


def new_vs_known(entries: list[dict[str, Any]]) -> str:
    """The shares of the conversations that are about known topics and about new ones, as one sentence."""
    conversations = sum(topic["conversations"] for topic in entries)
    if not conversations or not any(topic["novelty"] for topic in entries):
        return ""
    share = {
        name: sum(topic["conversations"] for topic in entries if topic["novelty"] == name) / conversations
        for name in ("Known", "New")
    }
    known_share, new_share = percent(share["Known"]), percent(share["New"])
    return f"{known_share} of these conversations are about known topics, {new_share} about new ones"


def _gravest(entries: list[dict[str, Any]], limit: int) -> list[dict[str, Any]]:
    """The topics that fit on a map: those with gaps first, then by their number of failed conversations."""
    return sorted(entries, key=lambda t: (not t["gaps"], -t["failed"], -t["conversations"], t["topic_id"]))[:limit]


def _themes(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The themes, largest first, each with a letter and a colour; writes both into the theme's topics too."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for topic in entries:
        topic |= {"letter": "", "tone": "x"}
        if topic["theme"]:
            groups.setdefault(topic["theme"], []).append(topic)
    conversations = {name: sum(topic["conversations"] for topic in members) for name, members in groups.items()}
    themes = []
    for place, name in enumerate(sorted(groups, key=lambda name: (-conversations[name], name))):
        members = groups[name]
        mark = {"letter": chr(ord("A") + place) if place < 26 else str(place + 1), "tone": str(place % _TONES)}
        for topic in members:
            topic |= mark
        themes.append(
            mark
            | {
                "name": name,
                "link": "#theme=" + quote(name, safe=""),
                "topics": plural(len(members), "topic"),
                "asked": plural(conversations[name], "conversation"),
                "fails": percent(sum(topic["failed"] for topic in members) / conversations[name])
                if conversations[name]
                else "",
            }
        )
    return themes
