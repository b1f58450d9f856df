"""The sections below the backlog: clusters that no article would fix, and each owner's load."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

import pandas as pd

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.lifecycle import CLOSED
from lacuna.pipelines.presentation.format import (
    decimal,
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
from lacuna.pipelines.report.gaps import owner

REASONS = {
    "handoff by policy": "A rule sends these to a human. An article would not change that; the rule might.",
    "account action needed": "Only a person, or the product itself, may do what the customer needs.",
    "nothing was asked": "The messages hold no question: greetings, tests, broken-off starts.",
    "intent routing": "The bot took the question for another one. This is work for whoever trains the intents.",
    "bot fault": "The article answers it and the bot answered wrongly. This is work for whoever runs the bot.",
}


def not_content(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The clusters that an article would not fix, grouped by why, largest group first."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        reason = text(entry.get("reason")) or "other"
        true, predicted = text(entry.get("true_intent")), text(entry.get("predicted_intent"))
        groups.setdefault(reason, []).append(
            {
                "label": line(entry.get("title") or entry.get("topic_label"), 200) or text(entry.get("cluster_id")),
                "conversations": whole(entry.get("conversations")) or 0,
                "rate": decimal(entry.get("weekly_rate")),
                "fails": percent(entry.get("failure_rate")),
                "why": texts(entry.get("why")),
                "routing": f"{predicted} → {true}" if true and predicted and true != predicted else "",
                "examples": [_quote(example) for example in items(entry.get("examples"))[:3]],
            }
        )
    reason_groups = []
    for reason, rows in groups.items():
        rows.sort(key=lambda row: (-row["conversations"], row["label"]))
        total = sum(row["conversations"] for row in rows)
        reason_groups.append(
            {
                "reason": reason[:1].upper() + reason[1:],
                "means": REASONS.get(reason, ""),
                "rows": rows,
                "total": plural(total, "conversation"),
                "size": total,
            }
        )
    return sorted(reason_groups, key=lambda group: (-group["size"], group["reason"]))


def _quote(value: object) -> str:
    return text(value, 400) if isinstance(value, str) else text(record(value).get("quote"), 400)


def owners(gaps: Sequence[Gap], frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    """The load of each owner: open gaps, conversations and score, against the capacity where it is known."""
    rows_by_owner = {text(row.get("owner_id")): row for row in records(frame)}
    load: dict[str, dict[str, Any]] = {}
    for gap in gaps:
        if text(gap.status) in CLOSED or gap.folded:
            continue
        gap_owner = owner(gap)
        entry = load.setdefault(
            gap_owner["id"], {"id": gap_owner["id"], "name": gap_owner["name"], "gaps": 0, "asked": 0, "score": 0.0}
        )
        entry["gaps"] += 1
        entry["asked"] += whole(gap.conversations) or 0
        entry["score"] += number(gap.score) or 0.0
    top_score = max((entry["score"] for entry in load.values()), default=0.0)
    for entry in load.values():
        owner_row = rows_by_owner.get(entry["id"], {})
        capacity = whole(owner_row.get("weekly_capacity"))
        entry |= {
            "known": bool(entry["id"]),
            "name": line(owner_row.get("name"), 80) or entry["name"],
            "team": line(owner_row.get("team"), 80),
            "link": "#owner=" + quote(entry["id"] or "-", safe=""),
            "shown_gaps": plural(entry["gaps"], "gap"),
            "shown_asked": plural(entry["asked"], "conversation"),
            "shown_score": decimal(entry["score"]),
            "bar": f"{entry['score'] / top_score * 160:.3g}" if top_score else "0",
            "capacity": ""
            if not capacity
            else f"can take {capacity} a week: {plural(-(-entry['gaps'] // capacity), 'week')} of work",
            "over": bool(capacity) and entry["gaps"] > 4 * (capacity or 0),
        }
    return sorted(load.values(), key=lambda entry: (entry["known"], -entry["score"], entry["id"]))
