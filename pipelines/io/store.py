"""The store on disk: files and run folders that are written whole or not at all."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import socket
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from lacuna.data_contracts.errors import StoreUnusable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = [
    "check_writable",
    "clean_leftovers",
    "lock",
    "publishing",
    "read_arrays",
    "read_parquet",
    "to_frame",
    "usable",
    "write_bytes",
    "write_parquet",
]

_REMEDY = {
    errno.ENOSPC: "the disk is full: free some space, or choose a store on another disk, and run again",
    errno.EDQUOT: "the disk quota is used up: free some space, or choose a store elsewhere, and run again",
    errno.EFBIG: "the file is larger than this system allows: raise the limit (ulimit -f), and run again",
    errno.EROFS: "the file system is read-only: choose another folder with --store",
    errno.EACCES: "the folder may not be written: change its rights, or choose another with --store",
    errno.EPERM: "the folder may not be written: change its rights, or choose another with --store",
    errno.ENOTDIR: "a file is in the way: choose another folder with --store",
    errno.EEXIST: "a file is in the way: choose another folder with --store",
}


_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


@contextmanager
def usable(path: Path, disk_only: bool = False) -> Iterator[None]:
    """Turn what the operating system says about ``path`` into a message with a remedy.

    With ``disk_only``, errors that may have nothing to do with the store (a missing file, say) pass through.

    Raises
    ------
    StoreUnusable
        An OSError came up inside.
    """
    try:
        yield
    except OSError as error:
        if disk_only and error.errno not in _DISK:
            raise
        remedy = _REMEDY.get(error.errno or 0, "check the folder given with --store, and run again")
        raise StoreUnusable(f"{path} can't be written: {error.strerror or error}", remedy) from error


def check_writable(store: Path) -> None:
    """Make the store's folders and write a probe, so that a bad store is found before the work and not after it.

    Raises
    ------
    StoreUnusable
        The folder can't be made or written.
    """
    with usable(store):
        (store / "runs").mkdir(parents=True, exist_ok=True)
        probe = store / f".probe-{uuid.uuid4().hex}"
        try:
            with probe.open("wb") as file:
                file.write(b"\0" * 65536)
                file.flush()
                os.fsync(file.fileno())
        finally:
            probe.unlink(missing_ok=True)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; on leaving, it takes the place of ``path`` in one step."""
    temporary = path.with_name(f".tmp-{uuid.uuid4().hex}-{path.name}")
    with usable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            _sync_file(temporary)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Raises
    ------
    StoreUnusable
        The disk is full, read-only, or the path is not ours to write.
    """
    with _replacing(path) as temporary:
        temporary.write_bytes(content)


def write_parquet(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame as Parquet (zstd), whole or not at all; the same frame gives the same bytes.

    The index is dropped. Text columns keep pandas' ``str``, lists and dicts become nested columns.

    Raises
    ------
    StoreUnusable
        The disk is full, read-only, or the path is not ours to write.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False, nthreads=1)
    with _replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_parquet(path: Path | Sequence[Path], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read what :func:`write_parquet` wrote, as :func:`to_frame` puts it; of several files, all rows in order.

    ``columns`` are those to read, all by default.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    paths = [path] if isinstance(path, Path) else list(path)
    tables = [pq.ParquetFile(each).read(None if columns is None else list(columns)) for each in paths]
    # A column that holds nothing in one file has no type there.
    return to_frame(tables[0] if len(tables) == 1 else pa.concat_tables(tables, promote_options="permissive"))


def read_arrays(path: Path | Sequence[Path], columns: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Columns of numbers, and of lists of numbers that are all equally long, as arrays: (n,) and (n, length).

    It takes a thousandth of the time and room that Python's own lists would.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    paths = [path] if isinstance(path, Path) else list(path)
    arrays: dict[str, list[NDArray[Any]]] = {column: [] for column in columns}
    for each in paths:
        table = pq.ParquetFile(each).read(list(columns))
        for column in columns:
            values = table[column].combine_chunks()
            if isinstance(values, pa.ListArray):
                rows = values.flatten().to_numpy(zero_copy_only=False)
                arrays[column].append(rows.reshape(len(values), len(rows) // max(1, len(values))))
            else:
                arrays[column].append(values.to_numpy(zero_copy_only=False))
    filled = {column: [part for part in parts if len(part)] or parts[:1] for column, parts in arrays.items()}
    return {column: parts[0] if len(parts) == 1 else np.concatenate(parts) for column, parts in filled.items()}


def to_frame(table: pa.Table) -> pd.DataFrame:
    """A table as a frame; a nested column comes back as Python lists and dicts, null as None."""
    import pandas as pd
    import pyarrow as pa

    frame = table.to_pandas()
    for column in table.schema:
        if pa.types.is_nested(column.type):
            values = pd.Series([None] * len(frame), dtype=object, index=frame.index)
            values[:] = table.column(column.name).to_pylist()
            frame[column.name] = values
    return frame


@contextmanager
def lock(store: Path, name: str, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold the store's lock ``name``; the operating system lets go of it when the process ends, however it ends.

    Raises
    ------
    StoreUnusable
        Someone else holds it for longer than ``wait_seconds``; the message says who.
    """
    path = store / ".locks" / f"{name}.lock"
    # Beside the lock and not in it: on Windows nobody else may read a locked file.
    holder = path.with_suffix(".json")
    # Never a marker file instead, where the file system has no locks: it would outlive a process that was killed.
    held = FileLock(path, timeout=wait_seconds, is_singleton=False, fallback_to_soft=False)
    with usable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            held.acquire()
        except Timeout:
            raise StoreUnusable(
                f"another run holds '{name}' in this store ({_holder(holder)})",
                "wait until it is done, or stop it; its finished steps are kept",
            ) from None
    try:
        with usable(holder):
            holder.write_text(
                json.dumps(
                    {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
                )
            )
        yield
    finally:
        held.release()


def _holder(path: Path) -> str:
    with suppress(OSError, ValueError, KeyError):
        holder = json.loads(path.read_text())
        return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    return "by an unknown process"


@contextmanager
def publishing(store: Path, run_id: str) -> Iterator[Path]:
    """Give an empty folder to fill; on leaving it becomes ``runs/<run_id>`` in one step, or vanishes on an error.

    Where a run is already there, readers see the old one or the new one, never a part of either.

    Raises
    ------
    StoreUnusable
        The store can't be written, or another process publishes for more than a minute.

    Examples
    --------
    >>> with publishing(Path("store"), "2024-06-30") as folder:  # doctest: +SKIP
    ...     (folder / "run.json").write_text("{}")
    """
    runs = store / "runs"
    building = runs / f".tmp-{run_id}-{os.getpid()}"
    with usable(runs):
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
    try:
        with usable(runs, disk_only=True):
            yield building
        with usable(runs), lock(store, "publish", wait_seconds=60):
            _sync(building)
            _swap(building, runs / run_id)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _swap(new: Path, place: Path) -> None:
    if not place.exists():
        os.rename(new, place)
    elif not _exchange(new, place):
        aside = place.with_name(f".old-{place.name}")
        shutil.rmtree(aside, ignore_errors=True)
        os.rename(place, aside)
        os.rename(new, place)
        shutil.rmtree(aside, ignore_errors=True)
    _sync_folder(place.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step, where the system can (Linux); False where it can't."""
    if sys.platform != "linux":
        return False
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    at_cwd, exchange = -100, 2
    return bool(rename(at_cwd, os.fsencode(one), at_cwd, os.fsencode(other), exchange) == 0)


def clean_leftovers(store: Path) -> None:
    """Put right what a crash left behind: half-built run folders go, a run that was set aside comes back."""
    runs = store / "runs"
    with usable(runs), lock(store, "publish", wait_seconds=60):
        for aside in sorted(runs.glob(".old-*")):
            place = runs / aside.name.removeprefix(".old-")
            if place.exists():
                shutil.rmtree(aside, ignore_errors=True)
            else:
                os.rename(aside, place)
        for half in sorted(runs.glob(".tmp-*")):
            if not _alive(half.name.rpartition("-")[2]):
                shutil.rmtree(half, ignore_errors=True)


def _alive(pid: str) -> bool:
    if not pid.isdigit():
        return False
    return int(pid) != os.getpid() and _process_exists(int(pid))


if sys.platform == "win32":

    def _process_exists(pid: int) -> bool:
        # os.kill would end the process, whatever the signal.
        query_limited_information = 0x1000
        handle = ctypes.windll.kernel32.OpenProcess(query_limited_information, False, pid)
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)

else:

    def _process_exists(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def _sync(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            _sync_file(path)
    _sync_folder(folder)


def _sync_file(path: Path) -> None:
    # Windows writes to disk only what was opened for writing.
    with path.open("r+b" if sys.platform == "win32" else "rb") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":  # a folder can't be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
