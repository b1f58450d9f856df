"""Files of the store, on this machine or on an object store: each is written whole or not at all.

A file system gets a temporary file, which takes the place of the old one in one step; an object store gets the file in
one put.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lacuna.data_contracts.errors import StoreUnusable
from lacuna.pipelines.io.addresses import StorePath, is_local, of_a_driver, store_unusable
from lacuna.pipelines.io.processes import TEMPORARY, own_mark, temporary_folder

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq
    from numpy.typing import NDArray

__all__ = [
    "add_bytes",
    "add_columns",
    "check_writable",
    "files_in",
    "local_copies",
    "put_file",
    "read_array_blocks",
    "read_arrays",
    "read_parquet",
    "read_rows",
    "remove_folder",
    "sync_folder",
    "sync_tree",
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
_ROW_GROUP = 102_400  # rows that are copied at a time

# What a file system says that can't give a file a second name.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES}


@contextmanager
def usable(path: StorePath, disk_only: bool = False, passing: type[Exception] = StoreUnusable) -> Iterator[None]:
    """Turn what the operating system, or an object store, says about ``path`` into a message with a remedy.

    With ``disk_only``, errors that may have nothing to do with the store (a missing file, say) pass through; of an
    object store, all errors of its driver are taken for the store's. An error of the class ``passing`` passes through.

    Raises
    ------
    StoreUnusable
        An OSError or an error of a driver came up inside.
    """
    try:
        yield
    except (StoreUnusable, passing):
        raise
    except Exception as error:
        if not is_local(path):
            if of_a_driver(error) or (isinstance(error, ImportError) and not disk_only):
                raise store_unusable(str(path), error) from error
            raise
        if not isinstance(error, OSError) or (disk_only and error.errno not in _DISK):
            raise
        remedy = _REMEDY.get(error.errno or 0, "see that its folder is there and yours to write, and run again")
        raise StoreUnusable(f"{path} can't be written: {error.strerror or error}", remedy) from error


def check_writable(store: StorePath) -> None:
    """Write a probe into the store and delete it, so that a bad store is found before the work and not after it.

    Raises
    ------
    StoreUnusable
        The store can't be reached, made or written.
    """
    with usable(store):
        probe = store / f".probe-{uuid.uuid4().hex}"
        if isinstance(probe, Path):
            (store / "runs").mkdir(parents=True, exist_ok=True)
            try:
                with probe.open("wb") as file:
                    file.write(b"\0" * 65536)
                    file.flush()
                    os.fsync(file.fileno())
            finally:
                probe.unlink(missing_ok=True)
        else:
            probe.fs.pipe_file(probe.path, b"probe")
            probe.fs.cat_file(probe.path)
            probe.fs.rm_file(probe.path)


def write_bytes(path: StorePath, content: bytes) -> None:
    """Write a file whole or not at all; its folder is made where it is missing.

    Raises
    ------
    StoreUnusable
        The disk is full, read-only, or the path is not ours to write.
    """
    if not isinstance(path, Path):
        with usable(path):
            path.fs.pipe_file(path.path, content)
        return
    with _replacing(path) as temporary:
        temporary.write_bytes(content)


def put_file(path: StorePath, file: Path) -> None:
    """Put a file of this machine in place, whole or not at all; it is gone from where it was.

    Raises
    ------
    StoreUnusable
        As :func:`write_bytes`.
    """
    if isinstance(path, Path):
        with _replacing(path) as temporary:
            shutil.move(file, temporary)
        return
    with usable(path):
        path.fs.put_file(str(file), path.path)
    file.unlink()


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; on leaving, it takes the place of ``path`` in one step.

    What a link leads to is replaced, and not the link; a pipe or a device is written to.
    """
    if path.is_symlink():
        path = path.resolve()
    if path.exists() and not path.is_file() and not path.is_dir():
        with usable(path), temporary_folder("output") as folder:
            temporary = folder / path.name
            yield temporary
            with temporary.open("rb") as whole, path.open("wb") as into:
                shutil.copyfileobj(whole, into)
        return
    with _temporary(path) as temporary:
        yield temporary
        _sync_file(temporary)
        os.replace(temporary, path)


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; what lies there on leaving is deleted."""
    if not path.name:
        raise StoreUnusable(f"{path} names no file", "give the path of a file")
    temporary = path.with_name(f"{TEMPORARY}{own_mark()}{path.name}")
    with usable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)


def add_bytes(path: StorePath, content: bytes) -> bool:
    """Write a file that is not there yet, whole or not at all; False where it is there already.

    Of several workers that add a file of one name at once, one succeeds, on whatever machines they are.

    Raises
    ------
    StoreUnusable
        As :func:`write_bytes`.
    """
    if isinstance(path, Path):
        with _temporary(path) as temporary:
            temporary.write_bytes(content)
            _sync_file(temporary)
            return _named_once(temporary, path)
    with usable(path):
        try:
            path.fs.pipe_file(path.path, content, mode="create")
        except FileExistsError:
            return False
    return True


def _named_once(temporary: Path, path: Path) -> bool:
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # Another worker may come in between: its file is replaced then, and its results are computed again.
        if path.exists():
            return False
        os.replace(temporary, path)
    return True


def write_parquet(path: StorePath, frame: pd.DataFrame) -> None:
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
    with _sink(path) as sink:
        pq.write_table(table, sink, compression="zstd")


@contextmanager
def _sink(path: StorePath) -> Iterator[Any]:
    """Give what pyarrow writes a file to; on leaving, the file is there whole."""
    import pyarrow as pa

    if isinstance(path, Path):
        with _replacing(path) as temporary:
            yield temporary
        return
    sink = pa.BufferOutputStream()
    yield sink
    write_bytes(path, sink.getvalue().to_pybytes())


def read_parquet(path: StorePath | Sequence[StorePath], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read what :func:`write_parquet` wrote, as :func:`to_frame` puts it; of several files, all rows in order.

    ``columns`` are those to read, all by default.
    """
    import pyarrow as pa

    tables = list(_tables(path, columns))
    # A column that holds nothing in one file has no type there.
    return to_frame(tables[0] if len(tables) == 1 else pa.concat_tables(tables, promote_options="permissive"))


def read_rows(paths: Sequence[StorePath], column: str, values: Collection[str], columns: Sequence[str]) -> pd.DataFrame:
    """The rows whose ``column`` is one of these values, in order; of all others, few are in memory at a time."""
    import pyarrow as pa
    import pyarrow.compute as pc

    pieces: list[pa.Table] = []
    for path in paths:
        with _opened(path) as file:
            wanted = pa.array(values, pa.string()).cast(file.schema_arrow.field(column).type)
            pieces.append(file.schema_arrow.empty_table().select(list(columns)))
            for batch in file.iter_batches(_ROW_GROUP, columns=list(columns)):
                chosen = batch.filter(pc.is_in(batch.column(column), value_set=wanted))
                if len(chosen):
                    pieces.append(pa.Table.from_batches([chosen]))
    return to_frame(pa.concat_tables(pieces, promote_options="permissive"))


def read_arrays(path: StorePath, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Columns of numbers, and of lists of numbers that are all equally long, as arrays: (n,) and (n, length).

    It takes a thousandth of the time and room that Python's own lists would.
    """
    (table,) = _tables(path, columns)
    return {column: _array(table[column].combine_chunks()) for column in columns}


def read_array_blocks(path: StorePath, columns: Sequence[str], rows: int) -> Iterator[dict[str, NDArray[Any]]]:
    """As :func:`read_arrays`, so many rows at a time; one block at least, which may be empty."""
    with _opened(path) as file:
        if not file.metadata.num_rows:
            yield read_arrays(path, columns)
        for batch in file.iter_batches(rows, columns=list(columns)):
            yield {column: _array(batch.column(column)) for column in columns}


def _array(values: pa.Array) -> NDArray[Any]:
    import pyarrow as pa

    if not isinstance(values, pa.ListArray):
        return values.to_numpy(zero_copy_only=False)
    numbers = values.flatten().to_numpy(zero_copy_only=False)
    return numbers.reshape(len(values), len(numbers) // max(1, len(values)))


def add_columns(path: StorePath, base: StorePath, frame: pd.DataFrame) -> None:
    """Write a table of the columns of another, and of a frame with as many rows, in the same order, besides.

    The other one is never whole in memory. Of columns of one name, the frame's is taken.

    Raises
    ------
    StoreUnusable
        As :func:`write_parquet`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    added, start = pa.Table.from_pandas(frame, preserve_index=False, nthreads=1), 0
    with _opened(base) as file, _sink(path) as sink:
        kept = [column for column in file.schema_arrow if column.name not in frame.columns]
        schema = pa.schema([*kept, *added.schema])
        with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
            for batch in file.iter_batches(_ROW_GROUP, columns=[column.name for column in kept]):
                rows = pa.Table.from_batches([batch])
                for column in added.slice(start, len(batch)).itercolumns():
                    rows = rows.append_column(schema.field(rows.num_columns), column)
                writer.write_table(rows)
                start += len(batch)


def _tables(path: StorePath | Sequence[StorePath], columns: Sequence[str] | None) -> Iterator[pa.Table]:

    for each in path if isinstance(path, Sequence) else [path]:
        with _opened(each) as file:
            yield file.read(None if columns is None else list(columns))


def _opened(path: StorePath) -> pq.ParquetFile:
    import pyarrow.parquet as pq

    return pq.ParquetFile(path if isinstance(path, Path) else BytesIO(path.read_bytes()))


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
def local_copies(paths: Sequence[StorePath]) -> Iterator[list[Path]]:
    """Give files on this machine with the same content, for code that knows no other: the files, or copies of them."""
    with temporary_folder("copies") as folder:
        copies = []
        for number, path in enumerate(paths):
            if isinstance(path, Path):
                copies.append(path)
            else:
                copy = folder / f"{number:05d}-{path.name}"
                copy.write_bytes(path.read_bytes())
                copies.append(copy)
        yield copies


def files_in(folder: StorePath, pattern: str) -> list[StorePath]:
    """The files of a folder whose names match, sorted by name; none where there is no such folder."""
    with usable(folder):
        paths: list[StorePath] = [*folder.glob(pattern)]
        return sorted(paths, key=lambda path: path.name)


def remove_folder(folder: StorePath) -> None:
    """Delete a folder and all that is in it; nothing happens where there is none."""
    if isinstance(folder, Path):
        shutil.rmtree(folder, ignore_errors=True)
        return
    with usable(folder), suppress(FileNotFoundError):
        folder.fs.rm(folder.path, recursive=True)


def sync_tree(folder: Path) -> None:
    """See to it that all files below a folder outlast a power cut."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            _sync_file(path)
    sync_folder(folder)


def _sync_file(path: Path) -> None:
    # Windows writes to disk only what was opened for writing.
    with path.open("r+b" if sys.platform == "win32" else "rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """See to it that the names in a folder outlast a power cut."""
    if sys.platform == "win32":  # a folder can't be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
