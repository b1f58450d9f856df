"""Turns the run's tables into the plain dicts that the template prints, with every figure already formatted as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_kinds import GAP_KINDS, kind_label, kind_meaning
from lacuna.pipelines.gaps.read import gaps_of
from lacuna.pipelines.presentation.format import (
    confidence_text,
    day,
    json_block,
    line,
    number,
    period,
    plural,
    record,
    short_day,
    text,
)
from lacuna.pipelines.presentation.format import rows as records
from lacuna.pipelines.presentation.links import conversation_url
from lacuna.pipelines.report import asides, sections
from lacuna.pipelines.report.accuracy import accuracy, article_accuracy, calibration
from lacuna.pipelines.report.coverage import coverage
from lacuna.pipelines.report.due import due_articles, unowned_articles, watched_articles
from lacuna.pipelines.report.figures import kpi_cards
from lacuna.pipelines.report.gap_figures import sets_explanation
from lacuna.pipelines.report.gaps import link_to_gap, table_row
from lacuna.pipelines.report.impact import fixes
from lacuna.pipelines.report.incidents import incidents
from lacuna.pipelines.report.not_yet_known import open_questions
from lacuna.pipelines.report.page import page
from lacuna.pipelines.report.quality import quality
from lacuna.pipelines.report.random_order import by_lot
from lacuna.pipelines.report.side_by_side import sides
from lacuna.pipelines.report.small import apart, folded_sentence, not_worth_writing
from lacuna.pipelines.report.summary import summary
from lacuna.pipelines.report.topics import topics
from lacuna.pipelines.report.vendor_audit import audits

FIRST_ROWS = 60


@dataclass(frozen=True)
class ReportData:
    """The tables of a run from which the report is made.

    Attributes
    ----------
    backlog, topics, kpis, accuracy : DataFrame
        As in the run folder.
    assignments : DataFrame or None
        Conversation to topic, for the share without one.
    not_content : sequence of dict
        The lines of `not_content.jsonl`.
    run : dict
        `run.json`.
    previous : dict or None
        `run.json` of the run before.
    owners : DataFrame or None
        The bundle's owners, for names, teams and capacities.
    quarantine : sequence of dict
        Rejected rows counted by `table`, `rule` and `column`, each with a `count`.
    due : DataFrame or None
        Articles due for verification.
    watched : DataFrame or None
        Of :func:`models.diagnosis.watch_list.watch_list`.
    unowned : DataFrame or None
        Articles that nobody owns.
    impact : DataFrame or None
        `impact.parquet`, where something was fixed.
    tag_next, confusion, suspects, calibration : DataFrame or None
        The rows of `tag_next.csv`, and of `intent_confusion`, `intent_suspects` and `accuracy_calibration`.
    topic_tree : dict or None
        `topic_tree.json`.
    vendor_audit, not_yet_known, side_by_side, random_order : DataFrame or None
        The tables of these names.
    """

    backlog: pd.DataFrame
    topics: pd.DataFrame | None
    assignments: pd.DataFrame | None
    kpis: pd.DataFrame | None
    accuracy: pd.DataFrame | None
    not_content: Sequence[dict[str, Any]]
    run: dict[str, Any]
    previous: dict[str, Any] | None = None
    owners: pd.DataFrame | None = None
    quarantine: Sequence[dict[str, Any]] = ()
    due: pd.DataFrame | None = None
    unowned: pd.DataFrame | None = None
    watched: pd.DataFrame | None = None
    impact: pd.DataFrame | None = None
    tag_next: pd.DataFrame | None = None
    confusion: pd.DataFrame | None = None
    suspects: pd.DataFrame | None = None
    calibration: pd.DataFrame | None = None
    topic_tree: dict[str, Any] | None = None
    vendor_audit: pd.DataFrame | None = None
    not_yet_known: pd.DataFrame | None = None
    side_by_side: pd.DataFrame | None = None
    random_order: pd.DataFrame | None = None


def build_view(data: ReportData) -> dict[str, Any]:
    """Everything that the template prints, and the two blocks of JSON that the script reads.

    Returns
    -------
    dict
        `rows_json` holds the keys to sort and filter by, one entry a row; `pages_json` one line of JSON a gap, so that
        the script parses only the gap that is opened.
    """
    run = data.run
    window = record(run.get("window"))
    until = day(window.get("end"))
    settings = record(record(run.get("settings")).get("report"))
    url = conversation_url(run)
    currency = _currency(data)
    backlog = gaps_of(data.backlog)
    top_score = max((gap.score for gap in backlog), default=0.0)
    to_act_on, too_small = apart(backlog)
    listed = [*to_act_on, *too_small]  # the script finds a gap's row and page by its place here
    rows = [table_row(gap, currency, top_score, until) for gap in listed]
    n_rows = min(FIRST_ROWS, len(to_act_on))
    accuracy_sentences = article_accuracy(data.accuracy)
    confidence = confidence_text(run)
    pages = [page(gap, currency, until, accuracy_sentences, confidence, run) for gap in listed]
    titles = {row["id"]: row["title"] for row in rows}
    return {
        "title": line(settings.get("title"), 120) or "Knowledge gaps",
        "company": line(settings.get("company"), 120),
        "run_id": text(run.get("run_id")),
        "window": period(window.get("start"), window.get("end")),
        "days": plural(int(number(window.get("days")) or 0), "day") if window.get("days") else "",
        "range": _range(backlog),
        "sure": confidence,
        "kpis": kpi_cards(data.kpis, run, data.accuracy),
        "audits": audits(data.vendor_audit),
        "not_yet_known": open_questions(data.not_yet_known, run),
        "queue": by_lot(data.random_order, run),
        "sides": sides(data.side_by_side),
        "incidents": incidents(backlog),
        "link_to_gap": link_to_gap,
        "summary": summary(backlog, currency, data.previous, run),
        "coverage": coverage(run),
        "kinds": _kinds(to_act_on),
        "sets": sets_explanation(),
        "rows": rows[:n_rows],
        "more_rows": rows[n_rows:],
        "total": len(to_act_on),
        "small": rows[len(to_act_on) :],
        "small_words": folded_sentence(len(too_small), run),
        "not_worth": not_worth_writing(backlog, run, currency),
        "filters": _filters(rows[: len(to_act_on)]),
        "impact": fixes(data.impact, data.not_yet_known),
        "topics": topics(data.topics, titles, data.topic_tree),
        "not_content": sections.not_content(data.not_content),
        "owners": sections.owners(backlog, data.owners),
        "accuracy": accuracy(data.accuracy),
        "due": due_articles(data.due, data.owners),
        "unowned": unowned_articles(data.unowned, data.owners),
        "watched": watched_articles(data.watched, data.owners),
        "calibration": calibration(data.calibration),
        "tag_next": asides.tag_next(data.tag_next),
        "intents": asides.intents(data.confusion, data.suspects),
        "quality": quality(run, data.quarantine, data.assignments),
        "rows_json": json_block(
            {
                "rows": [row["keys"] for row in rows],
                "window": text(window.get("start")),
                "topics": {
                    key: line(label, 80)
                    for key, label in sorted((_topic_names(backlog) | _named_topics(records(data.topics))).items())
                    if key
                },
                "statuses": STATUSES,
                "sets": sets_explanation(),
            }
            | ({"conversation_url": url} if url else {})
        ),
        "conversation_url": url,
        "pages_json": "\n".join(json_block(entry) for entry in pages),
    }


STATUSES = {
    "new": "New",
    "open": "Open",
    "accepted": "Accepted",
    "drafting": "Drafting",
    "published": "Published",
    "verified": "Verified",
    "reopened": "Came back",
    "snoozed": "Snoozed",
    "dismissed": "Dismissed",
}


def _topic_names(gaps: Iterable[Gap]) -> dict[str, str]:
    return {text(gap.topic_id): text(gap.topic_label) for gap in gaps}


def _named_topics(rows: Iterable[dict[str, Any]]) -> dict[str, str]:
    return {text(row.get("topic_id")): text(row.get("label")) for row in rows}


def _currency(data: ReportData) -> str:
    cost = record(record(data.run.get("settings")).get("cost"))
    if text(cost.get("currency")):
        return text(cost["currency"])
    if data.kpis is not None and "currency" in data.kpis and len(data.kpis):
        return text(data.kpis["currency"].iloc[0]) or "EUR"
    return "EUR"


def _range(backlog: Iterable[Gap]) -> str:
    """A sentence with the first week in any gap's history; empty without one."""
    week_starts = sorted(when for gap in backlog for entry in gap.weekly if (when := day(entry["week"])) is not None)
    return f"History since {short_day(week_starts[0], year=True)}" if week_starts else ""


def _kinds(backlog: Sequence[Gap]) -> list[dict[str, Any]]:
    counts = Counter(text(gap.kind) for gap in backlog)
    largest = max(counts.values(), default=1)
    kinds = [*GAP_KINDS, *sorted(set(counts) - set(GAP_KINDS))]
    return [
        {
            "kind": kind,
            "tone": kind if kind in GAP_KINDS else "other",
            "label": kind_label(line(kind, 30)),
            "means": kind_meaning(kind),
            "count": counts[kind],
            "wide": f"{counts[kind] / largest * 100:.3g}",
        }
        for kind in kinds
        if counts[kind]
    ]


def _filters(rows: Sequence[dict[str, Any]]) -> dict[str, list[tuple[str, str]]]:
    """The choices of each filter as (value, label), with how many gaps each has."""
    gap_counts: dict[str, Counter[str]] = {
        name: Counter() for name in ("status", "owner", "theme", "product", "language")
    }
    names: dict[str, str] = {}
    for row in rows:
        keys = row["keys"]
        gap_counts["status"][keys["status"]] += 1
        gap_counts["owner"][keys["owner"] or "-"] += 1
        names.setdefault(keys["owner"] or "-", row["owner"]["name"])
        gap_counts["theme"].update({keys["theme"]} - {""})
        gap_counts["product"].update(set(keys["product"]))
        gap_counts["language"].update(set(keys["language"]))
    label = {
        "status": lambda value: STATUSES.get(value, value or "Unknown"),
        "owner": lambda value: names[value],
        "theme": lambda value: value,
        "product": lambda value: value,
        "language": lambda value: value,
    }
    order = {
        "status": lambda value: (list(STATUSES).index(value) if value in STATUSES else 99, value),
        "owner": lambda value: (value != "-", names[value].lower(), value),
        "theme": lambda value: (0, value.lower(), value),
        "product": lambda value: (0, value.lower(), value),
        "language": lambda value: (0, value.lower(), value),
    }
    return {
        name: [
            (value, f"{line(label[name](value), 60)} ({counted[value]})") for value in sorted(counted, key=order[name])
        ]
        for name, counted in gap_counts.items()
    }
