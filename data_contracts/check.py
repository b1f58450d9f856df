"""Check a table against its contract: which rows are kept, which are rejected and why, and what is only a warning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lacuna.data_contracts.casts import conform
from lacuna.data_contracts.contract import TABLES, UNREADABLE, Table
from lacuna.data_contracts.emptied import without_broken_values
from lacuna.data_contracts.findings import EXAMPLES, REJECTED, Finding, counted, examples_of, shown
from lacuna.data_contracts.remedies import remedy, unreadable
from lacuna.data_contracts.rules import Rule, failing
from lacuna.data_contracts.values import is_null
from lacuna.data_contracts.versions import Settled, records, settle

__all__ = ["Sifted", "faults", "rejections", "sift", "sifted_in_all"]

_MOST_VALUES = 12


@dataclass(frozen=True)
class Sifted:
    """A table after its contract.

    Parameters
    ----------
    kept
        Rows that break no rule of severity fail, the newest of each key, sorted by key; the contract's columns, then
        extra ones.
    where
        File and row of each kept row, same index.
    rejected
        Rows that break a rule, columns ``REJECTED``: the first rule broken with column and value, all faults in
        `message`, the whole row as JSON in `record`.
    emptied
        Values of kept rows that were left empty, columns ``REJECTED``: key and value as JSON in `record`.
    superseded
        How many rows made way for a newer version, or for one that says the same.
    findings
        What was found, a rule each.
    newest_by
        The column by which the newest version was found; empty where it was the order in the files.
    """

    kept: pd.DataFrame
    where: pd.DataFrame
    rejected: pd.DataFrame
    emptied: pd.DataFrame
    superseded: int
    findings: tuple[Finding, ...]
    newest_by: str = ""


def sift(table: Table, frame: pd.DataFrame, raw: pd.DataFrame, where: pd.DataFrame) -> Sifted:
    """Split a table into rows that keep its contract and rows that don't.

    Parameters
    ----------
    table
        The contract.
    frame
        Typed, with the column `__unreadable__`; a RangeIndex, in the order of the files.
    raw
        Raw values of unreadable cells, same index.
    where
        `file` and `row`, same index.

    Returns
    -------
    Sifted
        Of rows with one key the newest is kept (see :mod:`data_contracts.versions`); where no rule tells them apart,
        the order of the rows in their files decides nothing.
    """
    order = _order(frame, raw, table.key)
    frame, raw, where = (f.iloc[order].reset_index(drop=True) for f in (frame, raw, where))
    # Great Expectations takes seconds to import, and commands that check nothing import this module.
    from lacuna.data_contracts.suites import broken_rules

    broken = broken_rules(table, frame)
    clean, emptied = without_broken_values(table, frame, raw, where, broken)
    bad = pd.Series(False, index=frame.index)
    hits: list[tuple[Rule, pd.Series]] = []
    # Uniqueness comes last: a row that is rejected anyway must not push a good row with its key into quarantine.
    for rule in sorted((r for r in broken if r.severity == "fail"), key=lambda r: r.rule == "unique"):
        mask = failing(frame[~bad] if rule.rule == "unique" else frame, rule).reindex(frame.index, fill_value=False)
        if rule.rule == "not_null" and rule.column in raw.columns:
            mask &= raw[rule.column].isna()
        hits.append((rule, mask))
        bad |= mask
    settled = settle(table, clean, order, bad)
    if settled.rounded.any():
        hits.append((Rule("rounded", table.key), settled.rounded))
        bad = bad | settled.rounded
    rejected = _rejected(table, frame, raw, where, hits, bad)
    stays = ~(bad | settled.older | settled.same)
    kept = clean[stays].drop(columns=UNREADABLE).reset_index(drop=True)
    places = where[stays].reset_index(drop=True)
    emptied = emptied[stays.loc[emptied.index].to_numpy()].reset_index(drop=True)
    warned = [_warned(table, kept, places, r) for r in broken if r.severity == "warn"]
    findings = (
        *rejections(table, rejected),
        *_values_lost(table, emptied),
        *_superseded(table, clean, where, settled),
        *(f for f in warned if f.count),
    )
    superseded = int((settled.older | settled.same).sum())
    return Sifted(kept, places, rejected, emptied, superseded, findings, settled.by)


def sifted_in_all(table: Table, parts: Sequence[Sifted]) -> Sifted:
    """What :func:`sift` finds in a whole table, given what it found in parts of it in the order of the key.

    Kept rows are left out. Every key's rows must lie in one part, and no rule of the table may be a warning about its
    own rows.
    """
    if any(rule.severity == "warn" and rule.within for rule in table.rules):
        raise ValueError(f"{table.name} can't be sifted in parts: it has a rule that warns")
    nothing = parts[0].kept.head(0), parts[0].where.head(0)
    if len(parts) == 1:
        return replace(parts[0], kept=nothing[0], where=nothing[1])
    rejected = _joined([part.rejected for part in parts]).sort_values(["file", "row"], ignore_index=True)
    emptied = _joined([part.emptied for part in parts])
    columns = {name: number for number, name in enumerate(table.names)}
    order = emptied["column"].map(columns).astype("int64").sort_values(kind="stable").index
    emptied = emptied.loc[order].reset_index(drop=True)
    older = [finding for part in parts for finding in part.findings if finding.rule == "versions"]
    by = next((part.newest_by for part in parts if part.newest_by), "")
    examples = tuple(example for finding in older for example in finding.examples)[:EXAMPLES]
    count = sum(finding.count for finding in older)
    findings = (
        *rejections(table, rejected),
        *_values_lost(table, emptied),
        *([_versions(table, count, by, examples)] if count else []),
    )
    return Sifted(*nothing, rejected, emptied, sum(part.superseded for part in parts), findings, by)


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames[0]


def rejections(table: Table, rejected: pd.DataFrame) -> tuple[Finding, ...]:
    """Rejected rows counted by rule and column, each with examples; the message is the first one's."""
    out = []
    for (rule, column), rows in rejected.groupby(["rule", "column"], sort=True):
        message = str(rows["message"].iloc[0])
        values = rows["value"].value_counts()
        if rule == "allowed" and len(rows) > 1:
            value_counts = ", ".join(f"'{shown(v, 30)}' ({n:,})" for v, n in values.head(_MOST_VALUES).items())
            message = f"{message}; found: {value_counts}"
        todo = remedy(table, str(rule), str(column), values.index.tolist())
        out.append(Finding(table.name, str(rule), str(column), "fail", len(rows), message, _examples(rows), todo))
    return tuple(out)


def faults(name: str, frame: pd.DataFrame) -> list[str]:
    """What is wrong with a finished table, for example the backlog before it is published.

    Parameters
    ----------
    name
        A table of ``TABLES``.
    frame
        Any frame; columns are read as their contract types first.

    Returns
    -------
    list of str
        One sentence a broken rule of severity fail, with its count and an example; empty where all is well.
    """
    table = TABLES[name]
    frame = frame.reset_index(drop=True)
    missing = [c for c in table.needed if c not in frame.columns]
    if missing:
        return [f"{name} has no column '{c}'" for c in missing]
    typed, raw = conform(table, frame)
    where = pd.DataFrame({"file": name, "row": np.arange(1, len(frame) + 1)}, index=frame.index)
    sifted = sift(table, typed, raw, where)
    return [f"{f.message} ({counted(f.count, 'row')})" for f in sifted.findings if f.severity == "fail"]


def _order(frame: pd.DataFrame, raw: pd.DataFrame, key: tuple[str, ...]) -> np.ndarray:
    """Positions of the rows by key, and among equal keys by the whole row."""
    order = frame.sort_values(list(key), kind="stable", na_position="last").index.to_numpy()
    tied = frame.duplicated(list(key), keep=False).to_numpy()[order]
    if not tied.any():
        return order
    group = (~frame.iloc[order].duplicated(list(key)).to_numpy()).cumsum()
    content = np.full(len(order), "", dtype=object)
    content[tied] = records(frame.iloc[order[tied]], raw.iloc[order[tied]])
    codes = pd.factorize(content, sort=True)[0]
    return order[np.lexsort((codes, group))]


def _values_lost(table: Table, emptied: pd.DataFrame) -> list[Finding]:
    """The values that were left empty, counted by rule and column."""
    types = {c.name: c.type for c in table.columns}
    out = []
    for (rule, column), rows in emptied.groupby(["rule", "column"], sort=True):
        what = "whose references are lost" if types[str(column)] == "ids" else "the rows are kept"
        message = f"{counted(len(rows), 'value')} left empty, {what}: {rows['message'].iloc[0]}"
        todo = remedy(table, str(rule), str(column), rows["value"].value_counts().index.tolist())
        out.append(Finding(table.name, str(rule), str(column), "warn", len(rows), message, _examples(rows), todo))
    return out


def _superseded(table: Table, frame: pd.DataFrame, where: pd.DataFrame, settled: Settled) -> list[Finding]:
    """The older versions of rows, as one finding; identical rows are merged without one."""
    count = int(settled.older.sum())
    if not count:
        return []
    key = ", ".join(table.key)
    names = frame.loc[settled.older, list(table.key)].astype("str").agg(", ".join, axis=1)
    return [_versions(table, count, settled.by, examples_of(where, names, key))]


def _versions(table: Table, count: int, by: str, examples: tuple[tuple[str, int, str, str], ...]) -> Finding:
    last = f"the newest by {by} is kept" if by else "the last in the files is kept"
    message = f"{counted(count, 'older version')} of a row left out: {last}"
    return Finding(table.name, "versions", ", ".join(table.key), "warn", count, message, examples)


def _examples(rows: pd.DataFrame) -> tuple[tuple[str, int, str, str], ...]:
    cells = rows.head(3)[["file", "row", "column", "value"]].itertuples(index=False)
    return tuple((str(f), int(r), str(c), shown(v, 60)) for f, r, c, v in cells)


def _rejected(
    table: Table,
    frame: pd.DataFrame,
    raw: pd.DataFrame,
    where: pd.DataFrame,
    hits: list[tuple[Rule, pd.Series]],
    bad: pd.Series,
) -> pd.DataFrame:
    faults_at: dict[int, list[tuple[str, str, str, str]]] = {}
    for rule, mask in hits:
        for place, fault in _faults(table, frame, raw, where, bad, rule, mask):
            faults_at.setdefault(place, []).append(fault)
    places = sorted(faults_at)
    out = {
        "table": [table.name] * len(places),
        "file": where["file"].iloc[places].tolist(),
        "row": where["row"].iloc[places].tolist(),
        "rule": [faults_at[p][0][0] for p in places],
        "column": [faults_at[p][0][1] for p in places],
        "value": [faults_at[p][0][2] for p in places],
        "message": ["; ".join(fault[3] for fault in faults_at[p]) for p in places],
        "record": records(frame.iloc[places], raw.iloc[places]),
    }
    return pd.DataFrame(out, columns=REJECTED).sort_values(["file", "row"], ignore_index=True)


def _faults(
    table: Table,
    frame: pd.DataFrame,
    raw: pd.DataFrame,
    where: pd.DataFrame,
    bad: pd.Series,
    rule: Rule,
    mask: pd.Series,
) -> list[tuple[int, tuple[str, str, str, str]]]:
    """Place and (rule, column, value, message) of each row that breaks a rule."""
    places = np.flatnonzero(mask.to_numpy())
    if rule.rule == "readable":
        types = {c.name: c.type for c in table.columns}
        return [
            (int(p), (rule.rule, name, shown(raw.at[p, name]), unreadable(name, types[name], raw.at[p, name])))
            for name in raw.columns
            if name in table.vital
            for p in places
            if not is_null(raw.at[p, name])
        ]
    out = []
    columns = ", ".join(rule.columns) if rule.by_key else rule.column
    first = _standing(frame, bad, rule) if rule.rule == "unique" else {}
    files, rows = where["file"].tolist(), where["row"].tolist()
    for p, cells in zip(places, frame.loc[places, list(rule.columns)].itertuples(index=False), strict=True):
        value = ", ".join(map(shown, cells)) if rule.by_key else shown(cells[0])
        message = f"{columns} {rule.says()}{rule.but(*cells)}"
        if tuple(cells) in first:
            stays = first[tuple(cells)]
            kept_place, rejected_place = f"{files[stays]} row {rows[stays]}", f"{files[p]} row {rows[p]}"
            message = f"{columns} {value!r} is there twice: {kept_place} is kept, {rejected_place} is not"
        out.append((int(p), (rule.rule, columns, value, message)))
    return out


def _standing(frame: pd.DataFrame, bad: pd.Series, rule: Rule) -> dict[tuple[Any, ...], int]:
    """For each key that is there more than once, the place of the row that stays."""
    columns = list(rule.columns)
    stays = frame.loc[frame.duplicated(columns, keep=False) & ~bad, columns]
    return {tuple(cells): int(p) for p, cells in zip(stays.index, stays.itertuples(index=False), strict=True)}


def _warned(table: Table, kept: pd.DataFrame, where: pd.DataFrame, rule: Rule) -> Finding:
    # The gate saw rejected rows too: only kept ones are worth a warning. `failing` needs the column it may look at.
    hit = failing(kept.assign(**{UNREADABLE: None}), rule)
    columns = ", ".join(rule.columns) if rule.by_key else rule.column
    values = kept.loc[hit, rule.column]
    count = int(hit.sum())
    message = f"{counted(count, 'row')}: {columns} {rule.says()}"
    return Finding(table.name, rule.rule, columns, "warn", count, message, examples_of(where, values, columns))
