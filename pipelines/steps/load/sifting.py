"""All tables of a bundle checked against their contracts, and the checks across tables."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from lacuna.data_contracts.check import Sifted, rejections, sift
from lacuna.data_contracts.contract import INPUTS, TABLES
from lacuna.data_contracts.findings import REJECTED, Finding, counted, examples_of, shown
from lacuna.data_contracts.joins import Side, dangling, split_names, unjoined
from lacuna.data_contracts.values import among
from lacuna.pipelines.io.bundle import Bundle, Problem, Read
from lacuna.pipelines.runtime.days import bulk_end

__all__ = ["sift_all"]


def sift_all(bundle: Bundle) -> tuple[dict[str, Sifted], list[Finding], list[Problem]]:
    """Every table checked against its contract, the findings within and across tables, and tables that don't join."""
    sifted = {name: _sift(read, bundle.problems) for name, read in bundle.tables.items()}
    present = [name for name in INPUTS if name in {i["table"] for i in bundle.inputs}]
    keys = {name: TABLES[name].key[0] for name in present}
    ids = {name: pd.Index(sifted[name].kept[key].unique()) for name, key in keys.items()}
    sides = {name: Side(name, key, sifted[name].kept[key].dropna(), sifted[name].where) for name, key in keys.items()}
    findings: list[Finding] = []
    unjoined_tables: list[Problem] = []
    for name, table in sifted.items():
        sifted[name] = table = replace(table, kept=split_names(TABLES[name], table.kept, ids))
        findings += [*table.findings, *dangling(TABLES[name], table.kept, table.where, ids)]
        unjoined_tables += [
            Problem(name, "", u.says, u.remedy) for u in unjoined(TABLES[name], table.kept, table.where, sides)
        ]
    findings += _date_outliers(sifted["conversations"])
    with_messages = sifted["messages"].kept["conversation_id"]
    without_messages = int((~among(sifted["conversations"].kept["conversation_id"], with_messages)).sum())
    if without_messages:
        message = f"{counted(without_messages, 'conversation')} without a single message"
        findings.append(Finding("conversations", "has_messages", "conversation_id", "warn", without_messages, message))
    return sifted, findings, unjoined_tables


def _date_outliers(conversations: Sifted) -> list[Finding]:
    """Conversations that start after the bundle's last day, which leaves outliers out."""
    started = conversations.kept["started_at"]
    last = bulk_end(started)
    later = started[started.dt.date > last] if last else started.head(0)
    if later.empty:
        return []
    message = f"{counted(len(later), 'conversation', 'start')} after {last}, far from all others or in the future"
    examples = examples_of(conversations.where, later, "started_at")
    return [
        Finding(
            "conversations", "astray", "started_at", "warn", len(later), message, examples,
            "see whether the year and the order of day and month are right; a run without --end ends before them",
        )
    ]  # fmt: skip


def _sift(read: Read, problems: list[Problem]) -> Sifted:
    """A table checked against its contract; rows that could not be parsed are among the rejected."""
    # A missing column is one problem, not one finding per row.
    lacking = {p.column for p in problems if p.table == read.table.name}
    rules = tuple(r for r in read.table.rules if not lacking & set(r.columns))
    sifted = sift(replace(read.table, rules=rules), read.frame, read.raw, read.where)
    if read.broken.empty:
        return sifted
    broken = pd.DataFrame(
        {
            "table": read.table.name,
            "file": read.broken["file"],
            "row": read.broken["row"],
            "rule": "parsable",
            "column": "",
            "value": [shown(t) for t in read.broken["text"]],
            "message": [f"the row can't be parsed: {why}" for why in read.broken["why"]],
            "record": read.broken["text"],
        },
        columns=REJECTED,
    )
    findings = rejections(read.table, broken)
    rejected = pd.concat([f for f in (sifted.rejected, broken) if len(f)])
    return replace(
        sifted, rejected=rejected.sort_values(["file", "row"], ignore_index=True), findings=findings + sifted.findings
    )
