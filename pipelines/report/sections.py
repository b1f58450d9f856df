"""What stands below the backlog: topics and their map, not-content clusters, owners, accuracy, data quality."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

import pandas as pd

from .charts import bar, topic_map
from .format import (
    NARROW,
    count,
    decimal,
    items,
    line,
    number,
    percent,
    percent_range,
    period,
    plural,
    record,
    text,
    texts,
    whole,
)
from .format import rows as records
from .gaps import CLOSED, owner

REASONS = {
    "handoff by policy": "A rule sends these to a human. An article would not change that; the rule might.",
    "account action needed": "Only a person, or the product itself, may do what the customer needs.",
    "nothing was asked": "The messages hold no question: greetings, tests, broken-off starts.",
    "intent routing": "The bot took the question for another one. This is work for whoever trains the intents.",
    "bot fault": "The article answers it and the bot answered wrongly. This is work for whoever runs the bot.",
}
_TONES = 9  # colours of themes; from the tenth on they come again, and the letters do not
_ACCURACY_BY = ("article", "intent", "product", "language", "topic")
_ACCURACY_ROWS = 12
_BASIS = {
    "escalated only": "holds among escalated conversations only",
    "estimated": "no tags, estimated from others",
    "pooled": "few tags, drawn towards what is usual",
}
_LEFT = {
    "handoff_request": "asked for a person",
    "policy_handover": "handed over by policy",
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


def searched(frame: pd.DataFrame | None) -> dict[str, str]:
    """One sentence on the searches in vain of each topic, by topic_id, for the side panel."""
    told = {}
    for row in records(frame):
        asked = whole(row.get("searches")) or 0
        queries = [record(found) for found in items(row.get("queries"))]
        if asked:
            shown = ", ".join(
                f"“{line(q.get('query'), 80)}”" + (f" ×{n}" if (n := whole(q.get("count")) or 1) > 1 else "")
                for q in queries[:6]
            )
            told[text(row.get("topic_id"))] = (
                f"{plural(asked, 'search', 'searches')} in the help centre found nothing of use, "
                f"and a ticket followed: {shown}."
            )
    return told


def calibration(frame: pd.DataFrame | None) -> list[dict[str, str]]:
    """What the model said of answers whose tags it had not seen, and how many of them were right."""
    return [
        {
            "band": f"{percent(row['low'])} to {percent(row['high'])}",
            "tags": count(row["tags"]),
            "predicted": percent(row["predicted"]),
            "observed": percent(row["observed"]),
            "range": percent_range(row["observed_low"], row["observed_high"]),
        }
        for row in records(frame)
    ]


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


def not_content(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The clusters that an article would not fix, grouped by why, largest group first."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        reason = text(entry.get("reason")) or "other"
        true, predicted = text(entry.get("true_intent")), text(entry.get("predicted_intent"))
        groups.setdefault(reason, []).append(
            {
                "label": line(entry.get("topic_label"), 200) or text(entry.get("cluster_id")),
                "conversations": whole(entry.get("conversations")) or 0,
                "rate": decimal(entry.get("weekly_rate")),
                "fails": percent(entry.get("failure_rate")),
                "why": texts(entry.get("why")),
                "routing": f"{predicted} → {true}" if true and predicted and true != predicted else "",
                "examples": [_quote(found) for found in items(entry.get("examples"))[:3]],
            }
        )
    found = []
    for reason, rows in groups.items():
        rows.sort(key=lambda row: (-row["conversations"], row["label"]))
        total = sum(row["conversations"] for row in rows)
        found.append(
            {
                "reason": reason[:1].upper() + reason[1:],
                "means": REASONS.get(reason, ""),
                "rows": rows,
                "total": plural(total, "conversation"),
                "size": total,
            }
        )
    return sorted(found, key=lambda group: (-group["size"], group["reason"]))


def _quote(value: object) -> str:
    return text(value, 400) if isinstance(value, str) else text(record(value).get("quote"), 400)


def owners(rows: list[dict[str, Any]], frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    """The load of each owner: open gaps, conversations and score, against the capacity where it is known."""
    known = {text(row.get("owner_id")): row for row in records(frame)}
    load: dict[str, dict[str, Any]] = {}
    for row in rows:
        if text(row.get("status")) in CLOSED:
            continue
        who = owner(row)
        entry = load.setdefault(who["id"], {"id": who["id"], "name": who["name"], "gaps": 0, "asked": 0, "score": 0.0})
        entry["gaps"] += 1
        entry["asked"] += whole(row.get("conversations")) or 0
        entry["score"] += number(row.get("score")) or 0.0
    most = max((entry["score"] for entry in load.values()), default=0.0)
    for entry in load.values():
        about = known.get(entry["id"], {})
        capacity = whole(about.get("weekly_capacity"))
        entry |= {
            "known": bool(entry["id"]),
            "name": line(about.get("name"), 80) or entry["name"],
            "team": line(about.get("team"), 80),
            "link": "#owner=" + quote(entry["id"] or "-", safe=""),
            "shown_gaps": plural(entry["gaps"], "gap"),
            "shown_asked": plural(entry["asked"], "conversation"),
            "shown_score": decimal(entry["score"]),
            "bar": f"{entry['score'] / most * 160:.3g}" if most else "0",
            "capacity": ""
            if not capacity
            else f"can take {capacity} a week: {plural(-(-entry['gaps'] // capacity), 'week')} of work",
            "over": bool(capacity) and entry["gaps"] > 4 * (capacity or 0),
        }
    return sorted(load.values(), key=lambda entry: (entry["known"], -entry["score"], entry["id"]))


def accuracy(frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    """The lowest answer accuracies by article, intent and so on, each with its interval and its tags."""
    if frame is None or frame.empty or not {"by", "key", "accuracy"} <= set(frame.columns):
        return []
    groups = []
    for by in _ACCURACY_BY:
        rows = [row for row in records(frame[frame["by"].astype(str) == by]) if number(row["accuracy"]) is not None]
        if not rows:
            continue
        rows.sort(key=lambda row: (number(row["accuracy"]), -(number(row.get("conversations")) or 0), text(row["key"])))
        groups.append(
            {
                "by": by,
                "total": len(rows),
                "rows": [
                    {
                        "name": line(row.get("label_name"), 160) or text(row["key"]),
                        "key": text(row["key"]),
                        "accuracy": percent(row["accuracy"]),
                        "range": percent_range(row.get("low"), row.get("high")),
                        "bar": bar(row["accuracy"], row.get("low"), row.get("high"), 120),
                        "conversations": count(row.get("conversations")),
                        "labels": count(row.get("labels")),
                        "basis": _BASIS.get(text(row.get("basis")), ""),
                    }
                    for row in rows[:_ACCURACY_ROWS]
                ],
            }
        )
    return groups


def article_accuracy(frame: pd.DataFrame | None) -> dict[str, str]:
    """One sentence on each article's accuracy, by article_id, for the side panel."""
    if frame is None or frame.empty or not {"by", "key", "accuracy"} <= set(frame.columns):
        return {}
    told = {}
    for row in records(frame[frame["by"].astype(str) == "article"]):
        if number(row["accuracy"]) is not None:
            limits = percent_range(row.get("low"), row.get("high"))
            basis = _BASIS.get(text(row.get("basis")), "")
            told[text(row["key"])] = " ".join(
                part
                for part in (
                    f"Its answers are right {percent(row['accuracy'])}",
                    limits,
                    f"of the time, by {plural(whole(row.get('labels')) or 0, 'tagged answer')}"
                    + (f" ({basis})." if basis else "."),
                )
                if part
            )
    return told


def quality(
    run: dict[str, Any], quarantine: Iterable[dict[str, Any]], assignments: pd.DataFrame | None
) -> dict[str, Any]:
    """Rows in, kept and quarantined, warnings, and what the run was made with."""
    tables = []
    for name, found in sorted(record(run.get("tables")).items()):
        sizes = record(found)
        tables.append(
            {
                "name": text(name),
                "came": count(sizes.get("rows_in")),
                "kept": count(sizes.get("rows_kept")),
                "quarantined": whole(sizes.get("rows_quarantined")) or 0,
                "later": count(sizes.get("rows_later") or 0),
            }
        )
    seconds = [
        (text(step.get("name")), number(step.get("seconds")), number(step.get("peak_mb")))
        for step in map(record, items(run.get("steps")))
    ]
    embedder = record(run.get("embedder"))
    facts = [
        ("Run", text(run.get("run_id"))),
        ("Lacuna", text(run.get("lacuna_version"))),
        ("Embedder", " ".join(found for found in (text(embedder.get("name")), text(embedder.get("version"))) if found)),
        ("Seed", text(run.get("seed"))),
        ("Input hash", text(run.get("input_hash"))),
        ("Previous run", text(run.get("previous_run"))),
    ]
    return {
        "tables": tables,
        "quarantined": sum(table["quarantined"] for table in tables),
        "rules": [
            {name: line(found.get(name), 300) for name in ("table", "rule", "column")}
            | {"count": count(found.get("count"))}
            for found in map(record, quarantine)
        ],
        "warnings": [
            {
                "table": text(found.get("table")),
                "rule": text(found.get("rule")),
                "message": text(found.get("message"), 500),
                "count": count(found.get("count")) if whole(found.get("count")) is not None else "",
            }
            for found in map(record, items(run.get("warnings")))
        ],
        "inputs": [
            {
                "file": line(found.get("file"), 200),
                "rows": count(found.get("rows")),
                "sha256": text(found.get("sha256"))[:16],
            }
            for found in map(record, items(run.get("inputs")))
        ],
        "steps": [
            {
                "name": name,
                "seconds": f"{took:,.1f} s" if took is not None else "",
                "memory": f"{peak:,.0f} MB" if peak is not None else "",
            }
            for name, took, peak in seconds
        ],
        "took": f"{sum(took for _, took, _ in seconds if took is not None):,.1f} s" if seconds else "",
        "facts": [(label, found) for label, found in facts if found],
        "versions": sorted((text(name), text(found)) for name, found in record(run.get("versions")).items()),
        "settings": text(
            json.dumps(run.get("settings") or {}, indent=2, sort_keys=True, ensure_ascii=False, default=str)
        ),
        "topics": _states(assignments),
        "window": period(record(run.get("window")).get("start"), record(run.get("window")).get("end")),
    }


def _states(assignments: pd.DataFrame | None) -> str:
    if assignments is None or assignments.empty or "state" not in assignments:
        return ""
    if "question_number" in assignments:
        assignments = assignments[assignments["question_number"] == 1]
    shares = assignments["state"].astype(str).value_counts(normalize=True)
    core, near = float(shares.get("core", 0.0)), float(shares.get("nearest", 0.0))
    return (
        f"{percent(core + near)} of the conversations have a topic"
        f" ({percent(core)} at its core, {percent(near)} near it);"
        f" {100 - round((core + near) * 100)}{NARROW}% have none."
    )
