"""What a run was made of: rows in and kept, warnings, files, steps and settings."""

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
    told = (
        f"{percent(core + near)} of the conversations have a topic"
        f" ({percent(core)} at its core, {percent(near)} near it);"
        f" {100 - round((core + near) * 100)}{NARROW}% have none."
    )
    if "subtopic_id" not in assignments:
        return told
    judged = float(assignments["subtopic_id"].notna().mean())
    return f"{told} {percent(judged)} have a subtopic, by which gaps are judged."
