"""All tables of a bundle checked against their contracts, and the checks across tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lacuna.data_contracts.check import Sifted, rejections, sift, sifted_in_all
from lacuna.data_contracts.contract import INPUTS, TABLES, Table
from lacuna.data_contracts.findings import REJECTED, Finding, counted, examples_of, shown
from lacuna.data_contracts.joins import Side, dangling, dangling_in_all, split_names, unjoined
from lacuna.pipelines.io.bundle import BROKEN, Bundle, Problem, Read
from lacuna.pipelines.io.spool import Spool
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.runtime.days import bulk_end

__all__ = ["SiftedBundle", "sift_all"]


@dataclass(frozen=True)
class SiftedBundle:
    """A bundle after its contract.

    Parameters
    ----------
    tables
        Every table, in the contract's order; of the spooled one without its kept rows.
    kept
        How many rows of each table are kept.
    findings
        What was found within and across tables.
    unjoined
        Tables that don't join.
    """

    tables: dict[str, Sifted]
    kept: dict[str, int]
    findings: list[Finding]
    unjoined: list[Problem]


Each = Callable[[pd.DataFrame], None]


def sift_all(bundle: Bundle, spool: Spool, receiver: Callable[[Mapping[str, Sifted]], Each]) -> SiftedBundle:
    """Every table checked against its contract, and what is found across tables.

    Parameters
    ----------
    bundle, spool
        From :func:`read_bundle`: the tables in memory, and the messages in scratch files.
    receiver
        Called with the sifted tables in memory, gives what takes the kept messages: a block of conversations at a time,
        in the order of their ids.
    """
    # What was read of a table is let go of once it is sifted: conversations alone may be a million rows.
    small = {name: _sift(bundle.tables.pop(name), bundle.problems) for name in list(bundle.tables)}
    present = {i["table"] for i in bundle.inputs}
    keys = {name: TABLES[name].key[0] for name in small if name in present}
    ids = {name: pd.Index(small[name].kept[key].unique()) for name, key in keys.items()}
    sides = {name: Side(name, key, small[name].kept[key].dropna(), small[name].where) for name, key in keys.items()}
    for name, table in small.items():
        small[name] = replace(table, kept=split_names(TABLES[name], table.kept, ids))
    has_messages = np.zeros(len(small["conversations"].kept), dtype=bool)
    of_conversation = pd.Index(small["conversations"].kept["conversation_id"].astype("object"))
    take = receiver(small)

    def take_block(kept: pd.DataFrame) -> None:
        places = of_conversation.get_indexer(kept["conversation_id"].astype("object"))
        has_messages[places[places >= 0]] = True
        take(kept)

    messages = _sift_blocks(spool, bundle.problems, ids, sides, take_block)
    findings: list[Finding] = []
    unjoined_tables: list[Problem] = []
    tables: dict[str, Sifted] = {}
    kept: dict[str, int] = {}
    for name in INPUTS:
        if name == spool.table.name:
            tables[name], kept[name] = messages.sifted, messages.kept
            findings += [*messages.sifted.findings, *messages.dangling]
            unjoined_tables += messages.unjoined
        else:
            tables[name] = table = small[name]
            kept[name] = len(table.kept)
            findings += [*table.findings, *dangling(TABLES[name], table.kept, table.where, ids)]
            unjoined_tables += _unjoined(name, table.kept, table.where, sides)
    findings += [*_date_outliers(small["conversations"]), *_owners_by_case(small["owners"])]
    without_messages = int((~has_messages).sum())
    if without_messages:
        message = f"{counted(without_messages, 'conversation')} without a single message"
        findings.append(Finding("conversations", "has_messages", "conversation_id", "warn", without_messages, message))
    return SiftedBundle(tables, kept, findings, unjoined_tables)


@dataclass(frozen=True)
class _Messages:
    """The spooled table after its contract, and what is found across tables."""

    sifted: Sifted
    kept: int
    dangling: list[Finding]
    unjoined: list[Problem]


def _sift_blocks(
    spool: Spool, problems: list[Problem], ids: dict[str, pd.Index], sides: dict[str, Side], take: Each
) -> _Messages:
    table = spool.table
    parts: list[Sifted] = []
    strays: list[Finding] = []
    references = _References(table)
    kept = 0
    with progress.bar(f"checking {table.name}") as tick:
        for block in spool.blocks():
            read = Read(table, block.frame, block.raw, block.where, pd.DataFrame(columns=BROKEN))
            sifted = _sift(read, problems)
            frame = split_names(table, sifted.kept, ids)
            strays += dangling(table, frame, sifted.where, ids)
            references.add(frame, sifted.where)
            take(frame)
            kept += len(frame)
            parts.append(replace(sifted, kept=frame.head(0), where=sifted.where.head(0)))
            tick(len(parts), max(spool.block_count, len(parts)))
    whole = sifted_in_all(table, parts)
    whole = _with_broken(table, whole, pd.DataFrame(spool.broken, columns=BROKEN))
    return _Messages(whole, kept, dangling_in_all(table, strays), _unjoined(table.name, *references.rows(), sides))


class _References:
    """The rows of a table in which an id, or a reference, stands for the first time: enough to see whether it joins."""

    def __init__(self, table: Table) -> None:
        self._columns = [rule.column for rule in table.rules if rule.rule == "references"]
        self._seen: dict[str, set[str]] = {name: set() for name in self._columns if name not in table.key}
        self._rows: list[pd.DataFrame] = []
        self._where: list[pd.DataFrame] = []

    def add(self, kept: pd.DataFrame, where: pd.DataFrame) -> None:
        """Add a block; it has all rows of its keys."""
        new = np.zeros(len(kept), dtype=bool)
        columns: dict[str, pd.Series] = {}
        for name in self._columns:
            columns[name] = kept[name]
            if name not in self._seen:
                new |= ~kept.duplicated(name).to_numpy()
                continue
            names = (kept[name].explode() if kept[name].dtype == object else kept[name]).dropna().drop_duplicates()
            names = names[[one not in self._seen[name] for one in names]]
            self._seen[name].update(names)
            named = kept.index.isin(names.index)
            # Lists are most of the memory, and only those with a new name are needed.
            columns[name] = kept[name].where(named, None)
            new |= named
        self._rows.append(pd.DataFrame(columns, index=kept.index)[new])
        self._where.append(where[new])

    def rows(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Those rows, and their places."""
        return pd.concat(self._rows, ignore_index=True), pd.concat(self._where, ignore_index=True)


def _unjoined(name: str, kept: pd.DataFrame, where: pd.DataFrame, sides: dict[str, Side]) -> list[Problem]:
    return [Problem(name, "", u.says, u.remedy) for u in unjoined(TABLES[name], kept, where, sides)]


def _owners_by_case(owners: Sifted) -> list[Finding]:
    """Owners whose ids differ in upper and lower case alone: the same person twice, or two whose work gets mixed up."""
    ids = owners.kept["owner_id"]
    alike = ids[ids.str.casefold().duplicated(keep=False)]
    if alike.empty:
        return []
    message = (
        f"{counted(len(alike), 'owner')} whose ids differ in upper and lower case alone: {', '.join(alike.head(4))}"
    )
    examples = examples_of(owners.where, alike, "owner_id")
    remedy = "give one person one id; folders of drafts and filters don't tell such ids apart everywhere"
    return [Finding("owners", "owner_ids_alike", "owner_id", "warn", len(alike), message, examples, remedy)]


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
    return _with_broken(read.table, sifted, read.broken)


def _with_broken(table: Table, sifted: Sifted, unparsable: pd.DataFrame) -> Sifted:
    if unparsable.empty:
        return sifted
    broken = pd.DataFrame(
        {
            "table": table.name,
            "file": unparsable["file"],
            "row": unparsable["row"],
            "rule": "parsable",
            "column": "",
            "value": [shown(t) for t in unparsable["text"]],
            "message": [f"the row can't be parsed: {why}" for why in unparsable["why"]],
            "record": unparsable["text"],
        },
        columns=REJECTED,
    )
    findings = rejections(table, broken)
    rejected = pd.concat([f for f in (sifted.rejected, broken) if len(f)])
    return replace(
        sifted, rejected=rejected.sort_values(["file", "row"], ignore_index=True), findings=findings + sifted.findings
    )
