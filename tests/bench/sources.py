"""The demo pulled through each vendor's fake: rows a second, and the backlog beside the one that came by files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lacuna.pipelines.presentation import progress
from lacuna.pipelines.run import run
from lacuna.pipelines.sources import pull, zendesk
from lacuna.pipelines.sources.tables import columns_of
from tests.support.servers import serving
from tests.support.vendors.help_desk import HelpDesk, help_desk
from tests.support.vendors.vendors import VENDORS

END = "2024-06-30"
SAME = 0.8  # of the conversations of the smaller of two gaps
Gap = Mapping[str, Any]


def sources(messages: int) -> int:
    """Print a table of vendors, and what a pull of many messages from a Parquet file takes.

    Parameters
    ----------
    messages
        Messages of the Parquet file; none where 0.
    """
    progress.configure(quiet=True)
    desk = help_desk()
    with tempfile.TemporaryDirectory() as folder:
        by_files = backlog_of(write_files(desk, Path(folder) / "files"), Path(folder) / "store")
        print(f"by files: {len(desk.threads):,} conversations, {len(by_files)} gaps")
        print("Equal: the backlog of what the vendor carries is that of files with the same columns, row by row.")
        print("| vendor | conversations | rows a second | equal | gaps | of those by files: same, other kind, none |")
        print("|---|---|---|---|---|---|")
        for vendor in VENDORS:
            print(line_of(vendor, desk, by_files, Path(folder) / vendor.kind), flush=True)
    if messages:
        for redacts in (False, True):
            print(large_pull(messages, redacts), flush=True)
    return 0


def line_of(vendor: Any, desk: HelpDesk, by_files: Sequence[Gap], folder: Path) -> str:
    """A vendor's line of the table."""
    folder.mkdir()
    os.environ.update(vendor.secrets)
    zendesk.EXPORTS_A_MINUTE = 1_000_000
    with serving(vendor.app(desk)) as address:
        began = time.perf_counter()
        pulled = pull.pull(vendor.settings(folder, address), "desk", folder / "bundle")
        seconds = time.perf_counter() - began
    expected = backlog_of(write_rows(vendor.truth(desk), folder / "truth"), folder / "truth-store")
    carried = backlog_of(carried_part(vendor, folder / "bundle", folder / "carried"), folder / "carried-store")
    ids = {
        thread.number: vendor.changed("conversations", "conversation_id", str(thread.number)) for thread in desk.threads
    }
    names = {ids[thread.number]: thread.row["conversation_id"] for thread in desk.threads}
    gaps = [{**gap, "conversation_ids": [names[one] for one in gap["conversation_ids"]]}
            for gap in backlog_of(folder / "bundle", folder / "store")]  # fmt: skip
    found = [match(gap, gaps) for gap in by_files]
    same = sum(one is not None and one["kind"] == gap["kind"] for gap, one in zip(by_files, found, strict=True))
    none = found.count(None)
    rate = sum(pulled.rows.values()) / seconds
    verdict = f"{same}, {len(found) - same - none}, {none}"
    equal = "yes" if carried == expected else "no"
    return f"| {vendor.kind} | {pulled.rows['conversations']:,} | {rate:,.0f} | {equal} | {len(gaps)} | {verdict} |"


def carried_part(vendor: Any, bundle: Path, into: Path) -> Path:
    """A pulled bundle, file by file, with the columns alone that the vendor is said to carry."""
    for table, names in vendor.carried.items():
        (into / table).mkdir(parents=True)
        for file in (bundle / table).glob("*.parquet"):
            whole = pq.read_table(file)
            nothing = {name: pa.nulls(len(whole), whole[name].type) for name in whole.column_names if name not in names}
            columns = [nothing.get(name, whole[name]) for name in whole.column_names]
            pq.write_table(pa.table(columns, names=whole.column_names), into / table / file.name)
    return into


def match(gap: Gap, others: Sequence[Gap]) -> Gap | None:
    """The gap that holds most of the same conversations, if that is enough."""
    mine = set(gap["conversation_ids"])
    shares = [
        (len(mine & set(one["conversation_ids"])) / min(len(mine), len(one["conversation_ids"])), one) for one in others
    ]
    best = max(shares, key=lambda pair: pair[0], default=None)
    return best[1] if best and best[0] >= SAME else None


def backlog_of(bundle: Path, store: Path) -> list[Gap]:
    """The backlog that a run of a bundle publishes."""
    folder = run(str(bundle), store, end=END).folder
    return [json.loads(line) for line in (folder / "backlog.jsonl").read_text(encoding="utf-8").splitlines()]


def write_files(desk: HelpDesk, bundle: Path) -> Path:
    """The help desk's rows as files of the contract."""
    tables = {
        "conversations": [thread.row for thread in desk.threads],
        "messages": [row for thread in desk.threads for row in thread.messages],
        "outcomes": [row for thread in desk.threads for row in thread.outcomes],
        "articles": desk.articles,
        "article_revisions": desk.revisions,
        "owners": desk.owners,
        "searches": desk.searches,
    }
    return write_rows(tables, bundle)


def write_rows(tables: Mapping[str, Sequence[Mapping[str, Any]]], bundle: Path) -> Path:
    """Rows as files of the contract; a column that a row lacks is empty."""
    bundle.mkdir()
    for table, rows in tables.items():
        columns = columns_of(table)
        arrays = [pa.array([row.get(name) for row in rows], kind) for name, kind in columns.items()]
        pq.write_table(pa.table(arrays, names=list(columns)), bundle / f"{table}.parquet")
    return bundle


CHILD = """
import resource, sys, time
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.sources.pull import pull
progress.configure(quiet=True)
began = time.perf_counter()
rows = pull(load_settings(sys.argv[1]), "export", sys.argv[2]).rows
print(sum(rows.values()) / (time.perf_counter() - began), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def large_pull(messages: int, redacts: bool) -> str:
    """What a pull of a Parquet file of messages takes: rows a second, and the peak of its process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_large(folder / "export.parquet", messages)
        (folder / "lacuna.toml").write_text(
            f'[sources.export]\ntype = "files"\nredact = {str(redacts).lower()}\n[[sources.export.files]]\n'
            f'path = "{folder / "export.parquet"}"\n[sources.export.files.columns.conversations]\n'
            'conversation_id = "ticket"\nstarted_at = "at"\nescalated = "escalated"\n'
            '[sources.export.files.columns.messages]\nconversation_id = "ticket"\nrole = "author"\ntext = "body"\n'
            'sent_at = "at"\n',
            encoding="utf-8",
        )
        command = [sys.executable, "-c", CHILD, str(folder / "lacuna.toml"), str(folder / "bundle")]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    redaction = "with redaction" if redacts else "without redaction"
    rate, peak = map(float, printed)
    return f"{messages:,} messages from Parquet, {redaction}: {rate:,.0f} rows a second, peak {peak:,.0f} MiB"


def write_large(path: Path, messages: int) -> None:
    """The demo's conversations again and again, with ids of their own, in one file."""
    desk = help_desk()
    rows = [(thread, row) for thread in desk.threads for row in thread.messages]
    schema = pa.schema(
        [("ticket", pa.string()), ("author", pa.string()), ("body", pa.string()), ("at", pa.timestamp("us", "UTC")),
         ("escalated", pa.bool_())]
    )  # fmt: skip
    with pq.ParquetWriter(path, schema) as writer:
        for copy in range(-(-messages // len(rows))):
            some = rows[: messages - copy * len(rows)]
            arrays = [
                [f"{copy}-{thread.number}" for thread, _ in some], [row["role"] for _, row in some],
                [row["text"] for _, row in some], [row["sent_at"] or thread.row["started_at"] for thread, row in some],
                [thread.row["escalated"] for thread, _ in some],
            ]  # fmt: skip
            columns = [pa.array(values, field.type) for values, field in zip(arrays, schema, strict=True)]
            writer.write_table(pa.table(columns, schema=schema))
