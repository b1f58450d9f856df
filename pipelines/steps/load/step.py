"""load: read the bundle, check its contract, quarantine what breaks it, leave out what is after the window.

Nothing is lost: rows in = rows kept + rows in quarantine + rows superseded by a newer version or by one that says the
same + rows later than the window + rows of forgotten conversations, for every table of every run. Values that were left
empty are in `quarantine/values`. Of forgotten conversations nothing is written, not even for the time of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from lacuna.data_contracts.check import Sifted
from lacuna.data_contracts.contract import INPUTS, TABLES
from lacuna.data_contracts.errors import ContractBroken, NothingToMine, SettingsInvalid
from lacuna.data_contracts.findings import Finding, counted
from lacuna.data_contracts.values import among
from lacuna.models.data_coverage.coverage import Coverage, data_coverage, messages_carry
from lacuna.pipelines.io.bundle import Bundle, read_bundle, refuse
from lacuna.pipelines.io.parts import scratch
from lacuna.pipelines.io.processes import temporary_folder
from lacuna.pipelines.state.forgotten import read_forgotten
from lacuna.pipelines.state.repository import open_state
from lacuna.pipelines.state.tags import entered_tags, with_tags
from lacuna.pipelines.steps.load.coverage import window_coverage
from lacuna.pipelines.steps.load.shard_writer import ShardWriter, messages_spool
from lacuna.pipelines.steps.load.sifting import SiftedBundle, sift_all
from lacuna.pipelines.steps.load.small_values import without_small_values

if TYPE_CHECKING:
    from lacuna.pipelines.io.mapping import Mapped
    from lacuna.pipelines.runtime.job import Job

__all__ = ["CheckResult", "TableCheck", "check_bundle", "load"]


@dataclass(frozen=True)
class TableCheck:
    """The counts of a table: rows read, kept, rejected, superseded, forgotten; the allowed share of rejected ones."""

    table: str
    rows: int
    kept: int
    quarantined: int
    limit: float
    superseded: int = 0
    forgotten: int = 0

    @property
    def share(self) -> float:
        """Share of rows in quarantine, 0 to 1."""
        return self.quarantined / self.rows if self.rows else 0.0

    @property
    def within_limit(self) -> bool:
        """Whether a run would accept the table."""
        return self.share <= self.limit


@dataclass(frozen=True)
class CheckResult:
    """What `lacuna check` shows.

    Parameters
    ----------
    tables
        Counts, a table each, in the contract's order.
    findings
        Broken rules with count, severity and examples: fail before warn within a table.
    problems
        What stops every run: a missing table or column, tables that don't join.
    warnings
        Oddities of the files: an encoding, an unknown file, a column that may be misspelt.
    data
        Data coverage of the rows that keep the contract; empty where a run would stop at the contract.
    """

    tables: tuple[TableCheck, ...]
    findings: tuple[Finding, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    data: tuple[Coverage, ...] = ()

    @property
    def ok(self) -> bool:
        """Nothing breaks the contract; warnings are allowed."""
        return not self.problems and not any(t.quarantined for t in self.tables)

    @property
    def runnable(self) -> bool:
        """A run would not stop at the contract: broken rows, if any, stay within the limits."""
        return not self.problems and all(t.within_limit for t in self.tables)


def load(job: Job) -> None:
    """Read and check the bundle; write `load/<table>`, `load/quarantine/<table>` and what to know of them.

    That is `load/load.json` (counts), `load/warnings.json` (what was found, with values as they came in),
    `load/data.json` (data coverage), `load/languages.json` (conversations by the language that they are said to be in)
    and `load/shards.json`. Values that too few customers share are emptied.

    Parameters
    ----------
    job
        Its bundle, window and limits are used.

    Raises
    ------
    BundleUnreadable
        The folder or a file can't be opened.
    ContractBroken
        A required table or column is missing, or too many rows of a table break its contract.
    NothingToMine
        No conversation is left in the window.
    SettingsInvalid
        There are more articles than a setting allows.
    """
    with scratch(job.work, "load") as folder:
        spool = messages_spool(folder)
        with open_state(job.settings, job.store) as state:
            forgotten = read_forgotten(state)
        leave_out = forgotten.among if forgotten else None
        bundle = read_bundle(job.bundle, mapped=job.settings.input, spool=spool, leave_out=leave_out)
        refuse(bundle.problems)
        limits = _limits(job.settings.contract.limits)
        taken: list[tuple[_Inside, ShardWriter]] = []

        def receive(sifted: Mapping[str, Sifted]) -> Callable[[pd.DataFrame], None]:
            kept = {name: one.kept for name, one in sifted.items()}
            late = _late(kept["conversations"], job.end)
            inside = _inside(job, _until(kept, late, job.end))
            writer = ShardWriter(job, folder / "shards", spool, inside.tables["conversations"], late)
            taken.append((inside, writer))
            return writer.add

        sifted = sift_all(bundle, spool, receive)
        checks = _checks(bundle, sifted, limits)
        _refuse_beyond(checks, sifted.findings)
        refuse(sifted.unjoined)
        (inside, writer) = taken[0]
        _refuse_empty(
            sifted.tables["conversations"].kept, inside.tables["conversations"], writer.answerable, job.start, job.end
        )
        _refuse_too_many(inside.tables["articles"], job.settings.shards.articles_at_most)
        counts = {}
        for check in checks:
            name = check.table
            rows_kept = writer.kept if name == "messages" else inside.rows[name]
            later = check.kept - rows_kept
            rejected = sifted.tables[name].rejected
            counts[name] = {
                "rows_in": check.rows,
                "rows_kept": rows_kept,
                "rows_quarantined": len(rejected),
                "rows_superseded": check.superseded,
                "rows_later": later,
                "rows_forgotten": check.forgotten,
            }
            if check.rows != rows_kept + len(rejected) + check.superseded + later + check.forgotten:
                raise AssertionError(f"{name}: rows were lost: {counts[name]}")
            job.write(f"load/quarantine/{name}", rejected.astype({"row": "int64"}))
        emptied = pd.concat([s.emptied for s in sifted.tables.values()], ignore_index=True)
        job.write("load/quarantine/values", emptied.astype({"row": "int64"}))
        for name, rows in inside.tables.items():
            if name != "conversations":
                job.write(f"load/{name}", rows)
        job.write_json("load/shards", writer.write())
        job.write_json("load/languages", inside.languages)
        job.write_json("load/data", window_coverage({**inside.tables, "messages": writer.coverage()}, job.start_ts))
    job.write_json(
        "load/load",
        {"inputs": bundle.inputs, "tables": counts, "tags": inside.tags, "limits": limits},
    )
    job.write_json("load/warnings", [*bundle.warnings, *(_plain(f) for f in sifted.findings if f.severity == "warn")])


@dataclass(frozen=True)
class _Inside:
    """The tables until the window's last day, messages apart.

    ``rows`` are those of the bundle by table, and ``tags`` those that were entered in review besides; ``languages`` has
    the number of conversations by the language that they are said to be in.
    """

    tables: dict[str, pd.DataFrame]
    rows: dict[str, int]
    tags: int
    languages: dict[str, int]


def _inside(job: Job, tables: dict[str, pd.DataFrame]) -> _Inside:
    """The tables with the tags that were entered in review, and without values that too few customers share."""
    outcomes, tags = _tagged(job, tables)
    languages = {str(code): int(n) for code, n in tables["conversations"]["language"].value_counts().items()}
    shown = without_small_values(
        tables | {"outcomes": outcomes}, job.settings.topics.min_customers, job.settings.compare.by
    )
    return _Inside(shown, {name: len(rows) for name, rows in tables.items()}, tags, languages)


def _tagged(job: Job, inside: dict[str, pd.DataFrame]) -> tuple[pd.DataFrame, int]:
    """The bundle's outcomes with the tags that were entered in review, and how many those are."""
    with open_state(job.settings, job.store) as state:
        entered = entered_tags(state, job.run_id)
    entered = entered[among(entered["conversation_id"], inside["conversations"]["conversation_id"])]
    return with_tags(inside["outcomes"], entered, job.end_ts), len(entered)


def check_bundle(bundle: str, limits: Mapping[str, float] | None = None, mapped: Mapped | None = None) -> CheckResult:
    """Check a bundle's contract and write nothing.

    Parameters
    ----------
    bundle
        A folder, or an fsspec URL of one.
    limits
        Share of bad rows that is allowed, by table; the contract's own by default.
    mapped
        The mapping of the bundle's own names and values.

    Raises
    ------
    BundleUnreadable
        The folder or a file can't be opened.
    """
    carried: list[pd.DataFrame] = []
    with temporary_folder("check") as folder:
        spool = messages_spool(folder)
        read = read_bundle(bundle, mapped=mapped, spool=spool)
        sifted = sift_all(read, spool, lambda _: lambda kept: carried.append(messages_carry(kept)))
    checks = tuple(_checks(read, sifted, _limits(limits or {})))
    # Coverage is computed only of data that a run could read.
    readable = not read.problems and all(check.within_limit for check in checks)
    tables = {name: one.kept for name, one in sifted.tables.items()} | {"messages": pd.concat(carried)}
    problems = [p.says for p in read.problems] + [f"{p.says}\n  → {p.remedy}" for p in sifted.unjoined]
    return CheckResult(
        checks,
        tuple(sifted.findings),
        tuple(dict.fromkeys(problems)),
        tuple(w["message"] for w in read.warnings),
        data_coverage(tables) if readable else (),
    )


def _limits(settings: Mapping[str, float]) -> dict[str, float]:
    return {name: float(settings.get(name, TABLES[name].limit)) for name in INPUTS}


def _checks(bundle: Bundle, sifted: SiftedBundle, limits: dict[str, float]) -> list[TableCheck]:
    rows, forgotten = dict.fromkeys(INPUTS, 0), dict.fromkeys(INPUTS, 0)
    for file in bundle.inputs:
        rows[file["table"]] += file["rows"]
        forgotten[file["table"]] += file.get("forgotten", 0)
    # Of a table that lacks a required column, no row can be kept.
    lacking = {p.table for p in bundle.problems if p.column}
    return [
        TableCheck(
            n, rows[n], 0 if n in lacking else sifted.kept[n], len(s.rejected), limits[n], s.superseded, forgotten[n]
        )
        for n, s in sifted.tables.items()
    ]


def _refuse_beyond(checks: list[TableCheck], findings: list[Finding]) -> None:
    beyond = [c for c in checks if not c.within_limit]
    if not beyond:
        return
    lines, remedies = [], []
    for c in beyond:
        lines.append(
            f"{c.table}: {c.quarantined:,} of {counted(c.rows, 'row')} ({c.share:.1%}) break the contract, "
            f"more than the limit of {c.limit:.1%}"
        )
        for f in (f for f in findings if f.table == c.table and f.severity == "fail"):
            at = f"{f.examples[0][0]} row {f.examples[0][1]}: " if f.examples else ""
            lines.append(f"  {f.count:>8,}  {' '.join((f.rule, f.column)).strip()}, e.g. {at}{f.message}")
            remedies += [f"{f.column}: {f.remedy}"] if f.remedy else []
    names = ", ".join(f"contract.limits.{c.table}" for c in beyond)
    remedies.append(f"mend the export, or raise {names} in the settings (lacuna check lists all)")
    raise ContractBroken("\n".join(lines), "\n  → ".join(remedies))


def _after(end: date) -> datetime:
    return datetime.combine(end + timedelta(days=1), time(), UTC)


def _late(conversations: pd.DataFrame, end: date) -> pd.Series:
    """The conversations later than the window's last day."""
    return conversations.loc[conversations["started_at"] >= _after(end), "conversation_id"]


def _until(kept: dict[str, pd.DataFrame], late: pd.Series, end: date) -> dict[str, pd.DataFrame]:
    """The tables without rows later than the window's last day; rows without a time stay."""
    inside = {}
    for name, frame in kept.items():
        column = TABLES[name].time
        later = frame[column] >= _after(end) if column else pd.Series(False, index=frame.index)
        if name == "outcomes":
            later |= among(frame["conversation_id"], late)
        inside[name] = frame[~later].reset_index(drop=True) if later.any() else frame
    return inside


def _refuse_too_many(articles: pd.DataFrame, at_most: int) -> None:
    live = int(articles["status"].fillna("published").eq("published").sum())
    if live > at_most:
        raise SettingsInvalid(
            f"the bundle holds {live:,} published articles, and [shards] articles_at_most is {at_most:,}",
            f"leave out those that the bot does not answer from, or set articles_at_most = {live} or more; memory and"
            " time grow with them",
        )


def _refuse_empty(kept: pd.DataFrame, inside: pd.DataFrame, answerable: bool, start: date, end: date) -> None:
    if kept.empty:
        raise NothingToMine("the bundle holds no conversation", "fill the table 'conversations'")
    begin = datetime.combine(start, time(), UTC)
    in_window = inside.loc[inside["started_at"] >= begin, "conversation_id"]
    first, last = kept["started_at"].min().date(), kept["started_at"].max().date()
    if in_window.empty:
        raise NothingToMine(
            f"no conversation started from {start} to {end}",
            f"choose days between {first} and {last}, where this bundle's conversations are (--start, --end)",
        )
    if not answerable:
        raise NothingToMine(
            f"none of the {len(in_window):,} conversations from {start} to {end} has a message",
            "see that 'conversation_id' in the table 'messages' holds the same ids as in 'conversations'",
        )


def _plain(finding: Finding) -> dict[str, Any]:
    return {**asdict(finding), "examples": [list(e) for e in finding.examples]}
