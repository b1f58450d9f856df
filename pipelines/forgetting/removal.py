"""What is removed, place by place: runs, files beside them, bundles that are ours, caches, and rows of the state."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import sqlalchemy as sa

from lacuna.pipelines.forgetting.collect import PRIVATE
from lacuna.pipelines.forgetting.files import rewritten
from lacuna.pipelines.forgetting.places import (
    bundles_within,
    files_below,
    own_files,
    relative_to,
    sources_of,
)
from lacuna.pipelines.forgetting.traces import Traces, keeping_form
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.published import read_published
from lacuna.pipelines.io.publishing import clean_leftovers, leftovers, publishing, withdraw
from lacuna.pipelines.io.run_folders import drop_copies, published_runs, run_folder
from lacuna.pipelines.io.store import remove_folder, usable, write_bytes
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.sources.source import PULL
from lacuna.pipelines.state import schema
from lacuna.pipelines.state.forgotten import COPY
from lacuna.pipelines.state.leases import lease
from lacuna.pipelines.state.repository import State

__all__ = [
    "Removed",
    "begun_runs",
    "beside_runs",
    "conversations_of",
    "from_bundle",
    "from_caches",
    "from_kept_results",
    "from_run",
    "from_state",
    "remove_cached",
    "run_ids",
    "withdrawn",
]

_A_DAY = timedelta(days=1)  # what clocks and time zones may differ by
_OURS_ALONE = ("runs/", "cache/", ".work/", f"{PRIVATE}/", "state.db", COPY)
# Tables of the state without a word of customers.
_NO_WORDS = {
    schema.schema_version, schema.runs, schema.contacts, schema.deliveries, schema.pushes, schema.sessions,
    schema.leases, schema.forgotten, schema.forgetting_key, schema.forgettings,
}  # fmt: skip


@dataclass
class Removed:
    """How much went: files that are gone or were written again, and rows and texts in them."""

    files: int = 0
    rows: int = 0

    def __bool__(self) -> bool:
        return bool(self.files or self.rows)

    def __add__(self, other: Removed) -> Removed:
        return Removed(self.files + other.files, self.rows + other.rows)


def begun_runs(store: StorePath) -> list[str]:
    """The runs of a store that were begun and not ended: somebody is at work on them, or was stopped."""
    work = store / ".work"
    with usable(work):
        folders = [one.name for one in work.iterdir() if one.is_dir()] if work.exists() else []
    return sorted({*leftovers(store), *folders})


def run_ids(store: StorePath) -> list[str]:
    """The runs of a store, those that are not published included."""
    return sorted({*published_runs(store), *begun_runs(store)})


def from_run(settings: Settings, store: StorePath, run_id: str, traces: Traces, dry: bool = False) -> Removed:
    """Write a run again without the traces, in one step, and remove what of it was never published.

    Raises
    ------
    StoreUnusable
        Somebody else works on this run.
    """
    with nullcontext() if dry else lease(settings, store, run_id) as held:
        work = files_below(store / ".work" / run_id)
        removed = Removed(files=len(work))
        if not dry:
            remove_folder(store / ".work" / run_id)
            clean_leftovers(store, run_id)
        folder = run_folder(store, run_id)
        if folder is None:
            return removed
        changed, rows = _changed(folder, traces)
        removed += Removed(len(changed), rows)
        if changed and not dry:
            assert held is not None
            with publishing(store, run_id, held.hold) as building:
                for file in sorted(path for path in folder.rglob("*") if path.is_file()):
                    name = relative_to(folder, file)
                    target = building / str(traces.without(name))
                    target.parent.mkdir(parents=True, exist_ok=True)
                    if changed.get(name) is None:
                        shutil.copy2(file, target)
                    else:
                        target.write_bytes(changed[name] or b"")
        if not dry:
            drop_copies(store, run_id)
        return removed


def withdrawn(settings: Settings, store: StorePath, run_id: str) -> Removed:
    """Delete a published run as a whole.

    Raises
    ------
    StoreUnusable
        Somebody else works on this run.
    """
    with lease(settings, store, run_id):
        files = len(files_below(store / "runs" / run_id))
        withdraw(store, run_id)
        drop_copies(store, run_id)
    return Removed(files=files)


def conversations_of(store: StorePath, run_id: str) -> set[str]:
    """The conversations of a published run's window."""
    folder = run_folder(store, run_id)
    assignments = read_published(folder, "assignments") if folder else None
    return set() if assignments is None or assignments.empty else set(assignments["conversation_id"].astype(str))


def _changed(folder: Path, traces: Traces) -> tuple[dict[str, bytes | None], int]:
    """The files of a folder that hold traces: what they are without, None where the name alone changes; and rows."""
    before, changed = traces.removed, {}
    for file in files_below(folder):
        name = relative_to(folder, file)
        content = _rewritten(file, file.read_bytes(), traces)
        if content is not None or traces.without(name) != name:
            changed[name] = content
    return changed, traces.removed - before


def _rewritten(file: StorePath, content: bytes, traces: Traces) -> bytes | None:
    try:
        return rewritten(file.name, content, traces)
    except (ValueError, OSError, EOFError) as error:  # pyarrow's errors are among these
        progress.log.warning("%s can't be read, and was left as it is: %s", file, str(error).splitlines()[0])
        return None


def beside_runs(store: StorePath, traces: Traces, dry: bool = False) -> Removed:
    """Write files again that lie in a store and are no run's: exports and sheets. Other people's bundles stay."""
    bundles = tuple(f"{place}/" for place in bundles_within(store))
    files = [file for file in files_below(store) if not relative_to(store, file).startswith((*_OURS_ALONE, *bundles))]
    return _written_again(files, traces, dry)


def from_bundle(settings: Settings, bundle: StorePath, traces: Traces, dry: bool = False) -> Removed:
    """Remove rows of the conversations from the files of a bundle that `lacuna pull` wrote.

    Raises
    ------
    StoreUnusable
        A pull is at work, or the bundle can't be written.
    """
    removed = Removed()
    ids = Traces(traces.ids)  # what others wrote in these words is theirs
    for source in sources_of(bundle):
        with nullcontext() if dry else lease(settings, bundle / PULL, f"pull-{source}"):
            files = [file for file in own_files(bundle) if _is_of(file, source)]
            removed += _written_again(files, ids, dry)
    return removed


def _is_of(file: StorePath, source: str) -> bool:
    return file.name.startswith(source) or file.parent.parent.name == source


def _written_again(files: list[StorePath], traces: Traces, dry: bool) -> Removed:
    removed, before = Removed(), traces.removed
    for file in files:
        with usable(file):
            content = file.read_bytes()
        after = _rewritten(file, content, traces)
        if after is None:
            continue
        removed.files += 1
        if dry:
            continue
        if file.name.endswith(".parquet") and not _rows(after):
            with usable(file):
                file.unlink(missing_ok=True)
        else:
            write_bytes(file, after)
    removed.rows = traces.removed - before
    return removed


def _rows(content: bytes) -> int:
    from io import BytesIO

    return int(pq.ParquetFile(BytesIO(content)).metadata.num_rows)


def from_caches(store: StorePath, began: datetime | None, dry: bool = False) -> Removed:
    """Remove what was cached since the first of the conversations began; all of it where that is not known.

    Caches hold vectors, cuts and tables by hashes of texts: whose they are, nothing tells. What was cached before a
    conversation began is none of its.
    """
    since = None if began is None else (began - _A_DAY).timestamp()
    return remove_cached(store, lambda age: since is None or age >= since, dry)


def from_kept_results(store: StorePath, dry: bool = False) -> Removed:
    """Remove the results of parts that are kept for later runs: tables of many conversations each."""
    files = files_below(store / "cache" / "parts")
    if not dry:
        remove_folder(store / "cache" / "parts")
    return Removed(files=len(files))


def remove_cached(store: StorePath, goes: Any, dry: bool = False) -> Removed:
    """Remove files of the caches whose time of writing ``goes``; results of a part go together."""
    removed = Removed()
    folders: dict[str, list[StorePath]] = {}
    for file in files_below(store / "cache"):
        folders.setdefault(str(file.parent), []).append(file)
    for files in folders.values():
        with usable(store):
            times = [float(file.stat().st_mtime) for file in files]
        together = relative_to(store, files[0]).startswith("cache/parts/")
        gone = [file for file, time in zip(files, times, strict=True) if goes(max(times) if together else time)]
        removed.files += len(gone)
        for file in () if dry else gone:
            with usable(file):
                file.unlink(missing_ok=True)
    return removed


def from_state(state: State, traces: Traces, dry: bool = False) -> Removed:
    """Remove rows and words of the conversations from every table of the state database, in one transaction."""

    def write(connection: sa.Connection) -> int:
        return sum(_table_without(connection, table, traces, dry) for table in schema.metadata.sorted_tables)

    if dry:
        with state.reading() as connection:
            return Removed(rows=write(connection))
    return Removed(rows=state.write(write))


def _table_without(connection: sa.Connection, table: sa.Table, traces: Traces, dry: bool) -> int:
    if table in _NO_WORDS:
        return 0
    texts = [column for column in table.columns if isinstance(column.type, sa.Text | sa.JSON)]
    key = list(table.primary_key.columns)
    changed = 0
    for row in connection.execute(sa.select(*key, *(c for c in table.columns if c not in key))).mappings().all():
        is_own = "conversation_id" in row and traces.owns(row["conversation_id"])
        values = {} if is_own else dict(_values_without(row, texts, traces))
        changed += is_own or bool(values)
        if dry or not (is_own or values):
            continue
        this = sa.and_(*(column == row[column.name] for column in key))
        connection.execute(sa.delete(table).where(this) if is_own else sa.update(table).where(this).values(values))
    return changed


def _values_without(row: Any, texts: list[sa.Column[Any]], traces: Traces) -> Iterator[tuple[str, Any]]:
    for column in texts:
        value = row[column.name]
        after = keeping_form(value, traces.without(value, column.name))
        if after is not value and after != value:
            yield column.name, after
            if column.name == "members" and not after:  # the mean of what they asked is what they asked
                for name in ("centroid", "label_centroid"):
                    if row[name]:
                        yield name, bytes(len(row[name]))
