"""Prepares the board's data for its templates, as plain texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from lacuna.models.backlog.actions import EDITS
from lacuna.models.backlog.gap_kinds import kind_label
from lacuna.models.backlog.lifecycle import CLOSED, Decision, in_force
from lacuna.models.backlog.precision import Precision, overall
from lacuna.pipelines.board.snapshot import GapNow, Now, Run
from lacuna.pipelines.gaps.decision_words import REASONS, decision_words
from lacuna.pipelines.presentation.charts import bar, weekly_chart
from lacuna.pipelines.presentation.format import (
    confidence_text,
    day,
    is_first_run,
    line,
    number,
    percent,
    percent_range,
    plural,
    record,
    rows,
    short_day,
    text,
    whole,
)
from lacuna.pipelines.report.page import page
from lacuna.pipelines.report.sections import owners as loads
from lacuna.pipelines.report.summary import summary
from lacuna.pipelines.report.view import STATUSES

__all__ = [
    "active",
    "changes",
    "gap_page",
    "gap_path",
    "histories",
    "owner_loads",
    "this_week",
    "when",
]


def gap_path(gap_id: str, query: str = "") -> str:
    """The address of a gap's page."""
    return f"/gaps/{quote(gap_id, safe='')}{query}"


def when(moment: datetime) -> str:
    """``24 Nov 2026, 19:40 UTC``."""
    return f"{short_day(moment.date(), year=True)}, {moment:%H:%M} UTC"


def gap_page(run: Run, gap: GapNow) -> dict[str, Any]:
    """The content of a gap's page: that of the report's panel, with charts, status and due dates."""
    shown = page(gap.record, run.currency, run.until, dict(run.articles), confidence_text(run.run_json), run.run_json)
    start = day(record(run.run_json.get("window")).get("start"))
    return shown | {
        "charts": [
            (name, chart)
            for name, width in (("wide", 800), ("narrow", 330))
            if (chart := weekly_chart(shown["weekly"], start, shown["change"], width))
        ],
        "status": gap.status,
        "status_label": STATUSES.get(gap.status, gap.status),
        "note": line(gap.record.status_note),
        "standing": standing(gap),
        "rank": gap.shown["rank"],
    }


def standing(gap: GapNow) -> list[str]:
    """The current effect of people's decisions in sentences: snoozed until, due on, published on, reason."""
    life = gap.life
    sentences = []
    if gap.status == "snoozed" and life.until:
        sentences.append(f"Back on {short_day(life.until, year=True)}.")
    if gap.due_date.due:
        late = f", overdue {plural(gap.due_date.overdue, 'day')}" if gap.due_date.overdue else ""
        sentences.append(f"Due on {short_day(gap.due_date.due, year=True)}{late}.")
    if gap.due_date.escalated:
        sentences.append("It has been overdue for long, and goes to the manager.")
    if gap.status in ("published", "verified") and life.published_on:
        sentences.append(f"Published on {short_day(life.published_on, year=True)}.")
    if gap.status == "dismissed" and life.reason in REASONS:
        sentences.append(f"{REASONS[life.reason][0]}.")
    return sentences


def histories(decisions: Sequence[Decision], now: Now) -> list[dict[str, Any]]:
    """The decisions on a gap, newest first; those taken back are marked."""
    in_force_ids = {decision.id for decision in in_force(decisions)}
    return [
        {
            "id": decision.id, "who": decision.who, "when": when(decision.at), "stamp": decision.at.isoformat(),
            "what": decision_words(decision, now.titles, now.owner_names), "why": decision.why,
            "verb": decision.verb, "edit": decision.verb in EDITS,
            "back": decision.verb != "undo" and decision.id not in in_force_ids,
        }
        for decision in reversed(decisions)
    ]  # fmt: skip


@lru_cache(maxsize=2)
def owner_loads(now: Now) -> list[dict[str, Any]]:
    """Each owner's open gaps and capacity; the entry of gaps without an owner comes first."""
    run = now.run
    if run is None:
        return []
    open_gaps = [gap for gap in now.gaps if gap.status not in CLOSED and not gap.record.folded]
    by_owner: dict[str, list[GapNow]] = {}
    for gap in open_gaps:
        by_owner.setdefault(gap.owner_id or "", []).append(gap)
    owner_entries = loads([gap.record for gap in open_gaps], run.owners)
    for entry in owner_entries:
        own_gaps = by_owner.get(entry["id"], [])
        work = sum(gap.status in ("accepted", "drafting") for gap in own_gaps)
        late = sum(gap.due_date.overdue > 0 for gap in own_gaps)
        entry |= {
            "name": now.owner_names.get(entry["id"], entry["name"]) if entry["id"] else "No owner",
            "path": f"/?view=all&owner={quote(entry['id'] or '-', safe='')}",
            "work": f"{work} in work" if work else "",
            "late": f"{late} overdue" if late else "",
            "late_path": f"/?view=late&owner={quote(entry['id'] or '-', safe='')}",
            "gaps": own_gaps,
        }
    idle = sorted(set(now.owner_names) - set(by_owner), key=lambda key: now.owner_names[key].lower())
    return owner_entries + [_idle(key, now) for key in idle if active(run, key)]


def _idle(key: str, now: Now) -> dict[str, Any]:
    owner = _owner(now.run, key)
    capacity = whole(owner.get("weekly_capacity"))
    return {
        "id": key, "known": True, "name": now.owner_names[key], "team": line(owner.get("team"), 80), "path": "",
        "shown_gaps": "Nothing open", "shown_asked": "", "shown_score": "", "bar": "0", "over": False, "work": "",
        "late": "", "late_path": "", "gaps": [], "capacity": f"can take {capacity} a week" if capacity else "",
    }  # fmt: skip


def _owner(run: Run | None, key: str) -> dict[str, Any]:
    return next((row for row in rows(run.owners if run else None) if text(row.get("owner_id")) == key), {})


def active(run: Run | None, key: str) -> bool:
    """Whether an owner is active; true if the run does not say."""
    flag = _owner(run, key).get("active", True)
    return flag is None or flag != flag or bool(flag)


def precision_rows(kinds: Sequence[Precision], confidence: float) -> list[dict[str, Any]]:
    """The backlog's precision by reviewers' decisions: overall, then by kind."""
    total = overall(kinds, confidence)
    return [
        {
            "name": kind_label(kind_precision.kind) if kind_precision.kind else "All kinds",
            "words": kind_precision.in_words(),
            "rate": percent(kind_precision.rate),
            "range": percent_range(kind_precision.low, kind_precision.high),
            "bar": bar(kind_precision.rate, kind_precision.low, kind_precision.high, 120),
        }
        for kind_precision in ([total, *kinds] if total else [])
    ]


_HASH = re.compile(r"^#(gap|status|owner)=(.*)$")


_FOR_SUMMARY = ("no_gap_reason", "previous_run", "settings")


def this_week(now: Now, previous: dict[str, Any] | None) -> list[list[dict[str, str]]]:
    """The report's summary for the current backlog, with links to the board's pages."""
    if now.run is None:
        return []
    # Of the run's own summary, all but the precision: the page of the KPIs has it as of now.
    reason = {name: now.run.run_json[name] for name in _FOR_SUMMARY if name in now.run.run_json}
    sentences = summary([gap.record for gap in now.gaps], now.run.currency, previous, reason)
    return [[{"text": part["text"], "link": _board_link(part["link"])} for part in sentence] for sentence in sentences]


def _board_link(link: str) -> str:
    match = _HASH.match(link)
    if match is None:
        return ""
    return f"/gaps/{match[2]}" if match[1] == "gap" else f"/?view=all&{match[1]}={match[2]}"


def changes(now: Now, before: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The changes since the run before, as groups of gaps: new, reopened, up, down, gone.

    Parameters
    ----------
    now
        The backlog as of now.
    before
        The gaps of the run before: gap_id, title, kind, rank, status.
    """
    groups: dict[str, list[dict[str, Any]]] = {key: [] for key in ("new", "reopened", "up", "down", "gone")}
    for gap in now.gaps:
        carried = record(gap.record.carried)
        change, rank = text(carried.get("change")), whole(carried.get("previous_rank"))
        if change in groups and not gap.record.folded:
            note = f"rank {gap.shown['rank']}" + (f", was {rank}" if rank is not None else "")
            groups[change].append({"path": gap_path(gap.id), "title": gap.shown["title"], "note": note, "gap": gap})
    for row in before:
        key = text(row.get("gap_id"))
        if key not in now.by_id:
            note = f"was rank {whole(row.get('rank'))}" if number(row.get("rank")) is not None else ""
            groups["gone"].append(
                {"path": gap_path(key), "title": line(row.get("title"), 200) or key, "note": note, "gap": None}
            )
    first_run = is_first_run(now.run.run_json if now.run else None)
    names = {
        "new": ("New in this first run", "No run was published before it.")
        if first_run
        else ("New", "Not in the run before."),
        "reopened": ("Came back", "They were gone or put away, and are here again."),
        "up": ("Moved up", ""),
        "down": ("Moved down", ""),
        "gone": ("No longer there", "They no longer fail often enough to be a gap, or an article has closed them."),
    }
    return [
        {"key": key, "heading": names[key][0], "means": names[key][1], "gaps": listed}
        for key, listed in groups.items()
        if listed
    ]
