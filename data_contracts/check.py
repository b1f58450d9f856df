"""Sifting a table by its contract: which rows are kept, which are not and why, and what is only worth a warning."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lacuna.data_contracts.casts import conform, is_null, storable
from lacuna.data_contracts.contract import TABLES, UNREADABLE, Rule, Table
from lacuna.data_contracts.masks import failing, unknown
from lacuna.data_contracts.suites import broken_rules

__all__ = ["REJECTED", "Finding", "Sifted", "dangling", "faults", "rejections", "shown", "sift"]

REJECTED = ["table", "file", "row", "rule", "column", "value", "message", "record"]
_EXAMPLES = 3
_LONGEST_VALUE = 200


@dataclass(frozen=True)
class Finding:
    """One rule that rows of a table break: how many, and up to three of them as (file, row, column, value)."""

    table: str
    rule: str
    column: str
    severity: str
    count: int
    message: str
    examples: tuple[tuple[str, int, str, str], ...] = ()


@dataclass(frozen=True)
class Sifted:
    """A table after its contract.

    Parameters
    ----------
    kept
        Rows that break no rule of severity fail, sorted by key; the contract's columns, then extra ones.
    where
        File and row of each kept row, same index.
    rejected
        The other rows, columns ``REJECTED``: the first rule broken with column and value, all faults in `message`,
        the whole row as JSON in `record`.
    findings
        What was found, a rule each.
    """

    kept: pd.DataFrame
    where: pd.DataFrame
    rejected: pd.DataFrame
    findings: tuple[Finding, ...]


def sift(table: Table, frame: pd.DataFrame, raw: pd.DataFrame, where: pd.DataFrame) -> Sifted:
    """Split a table into rows that keep its contract and rows that don't.

    Parameters
    ----------
    table
        The contract.
    frame
        Typed, with the column `__unreadable__`; a RangeIndex.
    raw
        Raw values of unreadable cells, same index.
    where
        `file` and `row`, same index.

    Returns
    -------
    Sifted
        Of rows with one key, the one that sorts first by its whole content is kept, so the order of rows in a file
        never decides.
    """
    order = _order(frame, raw, table.key)
    frame, raw, where = (f.iloc[order].reset_index(drop=True) for f in (frame, raw, where))
    broken = broken_rules(table, frame)
    bad = pd.Series(False, index=frame.index)
    hits: list[tuple[Rule, pd.Series]] = []
    # Uniqueness comes last: a row that is rejected anyway must not push a good row with its key into quarantine.
    for rule in sorted((r for r in broken if r.severity == "fail"), key=lambda r: r.rule == "unique"):
        mask = failing(frame[~bad] if rule.rule == "unique" else frame, rule).reindex(frame.index, fill_value=False)
        if rule.rule == "not_null" and rule.column in raw.columns:
            mask &= raw[rule.column].isna()
        hits.append((rule, mask))
        bad |= mask
    rejected = _rejected(table, frame, raw, where, hits, bad)
    kept = frame[~bad].drop(columns=UNREADABLE).reset_index(drop=True)
    places = where[~bad].reset_index(drop=True)
    warned = [_warned(table, kept, places, r) for r in broken if r.severity == "warn"]
    findings = (*rejections(table, rejected), *(f for f in warned if f.count))
    return Sifted(kept, places, rejected, findings)


def dangling(table: Table, sifted: Sifted, known: dict[str, pd.Index]) -> list[Finding]:
    """Rows whose references lead nowhere, counted a rule each.

    Parameters
    ----------
    table, sifted
        A table and its kept rows.
    known
        The keys of every table that the bundle has; a table that isn't there is not missed.
    """
    out = []
    for rule in table.rules:
        if rule.rule != "references" or rule.table not in known:
            continue
        names = unknown(sifted.kept, rule, known[rule.table]).dropna()
        if len(names):
            message = f"{len(names):,} rows name {rule.table} that are not in the bundle, or are in quarantine"
            examples = _examples(sifted.where, names, rule.column)
            out.append(Finding(table.name, rule.rule, rule.column, rule.severity, len(names), message, examples))
    return out


def rejections(table: Table, rejected: pd.DataFrame) -> tuple[Finding, ...]:
    """Rejected rows counted by rule and column, each with examples; the message is the first one's."""
    out = []
    for (rule, column), rows in rejected.groupby(["rule", "column"], sort=True):
        picked = rows.head(_EXAMPLES)
        cells = zip(picked["file"], picked["row"], picked["column"], picked["value"], strict=True)
        examples = tuple((str(f), int(r), str(c), shown(v, 60)) for f, r, c, v in cells)
        message = str(rows["message"].iloc[0])
        out.append(Finding(table.name, str(rule), str(column), "fail", len(rows), message, examples))
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
    return [f"{f.message} ({f.count:,} rows)" for f in sifted.findings if f.severity == "fail"]


def shown(value: Any, longest: int = _LONGEST_VALUE) -> str:
    """A value as short text for messages and the quarantine."""
    if is_null(value):
        return ""
    text = value.isoformat() if isinstance(value, pd.Timestamp) else str(value)
    return storable(text if len(text) <= longest else f"{text[: longest - 1]}…")


def _order(frame: pd.DataFrame, raw: pd.DataFrame, key: tuple[str, ...]) -> np.ndarray:
    """Positions of the rows by key, and among equal keys by the whole row."""
    order = frame.sort_values(list(key), kind="stable", na_position="last").index.to_numpy()
    tied = frame.duplicated(list(key), keep=False).to_numpy()[order]
    if not tied.any():
        return order
    group = (~frame.iloc[order].duplicated(list(key)).to_numpy()).cumsum()
    content = np.full(len(order), "", dtype=object)
    content[tied] = _records(frame.iloc[order[tied]], raw.iloc[order[tied]])
    codes = pd.factorize(content, sort=True)[0]
    return order[np.lexsort((codes, group))]


def _records(frame: pd.DataFrame, raw: pd.DataFrame) -> list[str]:
    """Each row as JSON: unreadable cells by their raw value, nulls left out."""
    out = []
    unread = raw.to_dict("records") if len(raw.columns) else [{}] * len(frame)
    rows = frame.drop(columns=UNREADABLE).astype("object").to_dict("records")
    for row, more in zip(rows, unread, strict=True):
        cells = {str(k): v for k, v in row.items() if not is_null(v)}
        cells |= {str(k): v for k, v in more.items() if not is_null(v)}
        out.append(storable(json.dumps(cells, ensure_ascii=False, default=_plain)))
    return out


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    if isinstance(value, np.generic):
        return value.item()
    return str(value)


def _rejected(
    table: Table,
    frame: pd.DataFrame,
    raw: pd.DataFrame,
    where: pd.DataFrame,
    hits: list[tuple[Rule, pd.Series]],
    bad: pd.Series,
) -> pd.DataFrame:
    told: dict[int, list[tuple[str, str, str, str]]] = {}
    for rule, mask in hits:
        for place, fault in _faults(table, frame, raw, where, bad, rule, mask):
            told.setdefault(place, []).append(fault)
    places = sorted(told)
    out = {
        "table": [table.name] * len(places),
        "file": where["file"].iloc[places].tolist(),
        "row": where["row"].iloc[places].tolist(),
        "rule": [told[p][0][0] for p in places],
        "column": [told[p][0][1] for p in places],
        "value": [told[p][0][2] for p in places],
        "message": ["; ".join(fault[3] for fault in told[p]) for p in places],
        "record": _records(frame.iloc[places], raw.iloc[places]),
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
            (int(p), (rule.rule, name, shown(raw.at[p, name]), _unreadable(name, types[name], raw.at[p, name])))
            for name in raw.columns
            for p in places
            if not is_null(raw.at[p, name])
        ]
    out = []
    columns = ", ".join(rule.columns) if rule.rule == "unique" else rule.column
    first = _standing(frame, bad, rule) if rule.rule == "unique" else {}
    files, rows = where["file"].tolist(), where["row"].tolist()
    for p, cells in zip(places, frame.loc[places, list(rule.columns)].itertuples(index=False), strict=True):
        value = ", ".join(shown(v) for v in cells) if rule.rule == "unique" else shown(cells[0])
        message = f"{columns} {rule.says()}"
        if tuple(cells) in first:
            stays = first[tuple(cells)]
            kept, left = f"{files[stays]} row {rows[stays]}", f"{files[p]} row {rows[p]}"
            message = f"{columns} {value!r} is there twice: {kept} is kept, {left} is not"
        elif rule.rule == "length":
            message += f", not {len(cells[0]):,}"
        elif rule.rule == "not_below":
            message += f" ({value} against {shown(cells[1])})"
        elif value:
            message += f", not {shown(value, 60)!r}"
        out.append((int(p), (rule.rule, columns, value, message)))
    return out


def _unreadable(name: str, type_: str, value: Any) -> str:
    wanted = {
        "timestamp": "a time like 2024-06-30T12:00:00Z",
        "bool": "true or false",
        "float": "a number",
        "int": "a whole number",
        "list": "a list of text",
        "str": "text",
        "text": "text",
        "record": "an object",
        "records": "a list of objects",
    }[type_]
    return f"{name} could not be read as {wanted}: {shown(value, 60)!r}"


def _standing(frame: pd.DataFrame, bad: pd.Series, rule: Rule) -> dict[tuple[Any, ...], int]:
    """For each key that is there more than once, the place of the row that stays."""
    columns = list(rule.columns)
    stays = frame.loc[frame.duplicated(columns, keep=False) & ~bad, columns]
    return {tuple(cells): int(p) for p, cells in zip(stays.index, stays.itertuples(index=False), strict=True)}


def _warned(table: Table, kept: pd.DataFrame, where: pd.DataFrame, rule: Rule) -> Finding:
    # The gate saw rejected rows too: only kept ones are worth a warning. `failing` needs the column it may look at.
    hit = failing(kept.assign(**{UNREADABLE: None}), rule)
    columns = ", ".join(rule.columns) if rule.rule == "unique" else rule.column
    values = kept.loc[hit, rule.column]
    message = f"{int(hit.sum()):,} rows: {columns} {rule.says()}"
    return Finding(
        table.name, rule.rule, columns, rule.severity, int(hit.sum()), message, _examples(where, values, columns)
    )


def _examples(where: pd.DataFrame, values: pd.Series, column: str) -> tuple[tuple[str, int, str, str], ...]:
    picked = values.head(_EXAMPLES)
    places = where.loc[picked.index]
    return tuple(
        (str(f), int(r), column, shown(v, 60)) for f, r, v in zip(places["file"], places["row"], picked, strict=True)
    )
