"""All tables of a bundle after their contracts, and what can only be seen of several of them together."""

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
    """Every table after its contract, what was found in each and between them, and which tables don't join."""
    sifted = {name: _sift(read, bundle.problems) for name, read in bundle.tables.items()}
    there = [name for name in INPUTS if name in {i["table"] for i in bundle.inputs}]
    keys = {name: TABLES[name].key[0] for name in there}
    known = {name: pd.Index(sifted[name].kept[key].unique()) for name, key in keys.items()}
    sides = {name: Side(name, key, sifted[name].kept[key].dropna(), sifted[name].where) for name, key in keys.items()}
    findings: list[Finding] = []
    apart: list[Problem] = []
    for name, one in sifted.items():
        sifted[name] = one = replace(one, kept=split_names(TABLES[name], one.kept, known))
        findings += [*one.findings, *dangling(TABLES[name], one.kept, one.where, known)]
        apart += [Problem(name, "", u.says, u.remedy) for u in unjoined(TABLES[name], one.kept, one.where, sides)]
    findings += _astray(sifted["conversations"])
    told = sifted["messages"].kept["conversation_id"]
    silent = int((~among(sifted["conversations"].kept["conversation_id"], told)).sum())
    if silent:
        message = f"{counted(silent, 'conversation')} without a single message"
        findings.append(Finding("conversations", "has_messages", "conversation_id", "warn", silent, message))
    return sifted, findings, apart


def _astray(conversations: Sifted) -> list[Finding]:
    """Conversations that start after the bundle's last day, as its bulk has it."""
    started = conversations.kept["started_at"]
    last = bulk_end(started)
    later = started[started.dt.date > last] if last else started.head(0)
    if later.empty:
        return []
    says = f"{counted(len(later), 'conversation', 'start')} after {last}, far from all others or in the future"
    examples = examples_of(conversations.where, later, "started_at")
    return [
        Finding(
            "conversations", "astray", "started_at", "warn", len(later), says, examples,
            "see whether the year and the order of day and month are right; a run without --end ends before them",
        )
    ]  # fmt: skip


def _sift(read: Read, problems: list[Problem]) -> Sifted:
    """A table after its contract, rows that could not even be parsed among the rejected."""
    # A column that isn't there is one problem, said once, not one fault a row.
    lacking = {p.column for p in problems if p.table == read.table.name}
    rules = tuple(r for r in read.table.rules if not lacking & set(r.columns))
    one = sift(replace(read.table, rules=rules), read.frame, read.raw, read.where)
    if read.broken.empty:
        return one
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
    found = rejections(read.table, broken)
    rejected = pd.concat([f for f in (one.rejected, broken) if len(f)])
    return replace(
        one, rejected=rejected.sort_values(["file", "row"], ignore_index=True), findings=found + one.findings
    )
