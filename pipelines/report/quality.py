"""The data quality section: rows in and kept, warnings, files, steps and settings of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pandas as pd

from lacuna.pipelines.presentation.format import (
    NARROW,
    count,
    items,
    line,
    number,
    percent,
    period,
    record,
    text,
    whole,
)


def quality(
    run: dict[str, Any], quarantine: Iterable[dict[str, Any]], assignments: pd.DataFrame | None
) -> dict[str, Any]:
    """Rows in, kept and quarantined, warnings, and the inputs, versions and settings of the run."""
    tables = []
    for name, row_counts in sorted(record(run.get("tables")).items()):
        sizes = record(row_counts)
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
        ("Embedder", " ".join(part for part in (text(embedder.get("name")), text(embedder.get("version"))) if part)),
        ("Topics found by", text(embedder.get("topics"))),
        ("Languages of the questions", ", ".join(text(language) for language in items(embedder.get("languages")))),
        ("Seed", text(run.get("seed"))),
        ("Input hash", text(run.get("input_hash"))),
        ("Previous run", text(run.get("previous_run"))),
    ]
    return {
        "tables": tables,
        "quarantined": sum(table["quarantined"] for table in tables),
        "rules": [
            {name: line(rejection.get(name), 300) for name in ("table", "rule", "column")}
            | {"count": count(rejection.get("count"))}
            for rejection in map(record, quarantine)
        ],
        "warnings": [
            {
                "table": text(warning.get("table")),
                "rule": text(warning.get("rule")),
                "message": text(warning.get("message"), 500),
                "count": count(warning.get("count")) if whole(warning.get("count")) is not None else "",
            }
            for warning in map(record, items(run.get("warnings")))
        ],
        "edits": [
            {
                "words": f"{line(edit.get('who'), 80)} {line(edit.get('words'), 400)}",
                "standing": ("kept" if edit.get("kept") else "not kept") + _after_colon(line(edit.get("note"), 300)),
            }
            for edit in map(record, items(run.get("topic_edits")))
        ],
        "inputs": [
            {
                "file": line(file.get("file"), 200),
                "rows": count(file.get("rows")),
                "sha256": text(file.get("sha256"))[:16],
            }
            for file in map(record, items(run.get("inputs")))
        ],
        "steps": [
            {
                "name": name,
                "seconds": f"{duration:,.1f} s" if duration is not None else "",
                "memory": f"{peak:,.0f} MB" if peak is not None else "",
            }
            for name, duration, peak in seconds
        ],
        "took": f"{sum(duration for _, duration, _ in seconds if duration is not None):,.1f} s" if seconds else "",
        "facts": [(label, value) for label, value in facts if value],
        "versions": sorted((text(name), text(version)) for name, version in record(run.get("versions")).items()),
        "settings": text(
            json.dumps(run.get("settings") or {}, indent=2, sort_keys=True, ensure_ascii=False, default=str)
        ),
        "topics": _topic_shares(assignments),
        "window": period(record(run.get("window")).get("start"), record(run.get("window")).get("end")),
    }


def _after_colon(note: str) -> str:
    return f": {note}" if note else ""


def _topic_shares(assignments: pd.DataFrame | None) -> str:
    if assignments is None or assignments.empty or "state" not in assignments:
        return ""
    if "question_number" in assignments:
        assignments = assignments[assignments["question_number"] == 1]
    shares = assignments["state"].astype(str).value_counts(normalize=True)
    core, near = float(shares.get("core", 0.0)), float(shares.get("nearest", 0.0))
    sentence = (
        f"{percent(core + near)} of the conversations have a topic"
        f" ({percent(core)} at its core, {percent(near)} near it);"
        f" {100 - round((core + near) * 100)}{NARROW}% have none."
    )
    if "subtopic_id" not in assignments:
        return sentence
    judged = float(assignments["subtopic_id"].notna().mean())
    return f"{sentence} {percent(judged)} have a subtopic, by which gaps are judged."
