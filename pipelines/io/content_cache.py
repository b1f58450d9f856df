"""A cache of results by a hash of the text that they were computed from; the text itself is not kept.

Files are numbered, added and never changed. Of several workers that would add the next number at once, on whatever
machines, one succeeds; the others read its file before they try again. So all use the same result of a text, the first
one, and no lock is needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lacuna.data_contracts.errors import StoreUnusable
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.store import add_bytes, files_in, usable
from lacuna.pipelines.presentation import progress

__all__ = ["KEEP_EVERY", "ContentCache", "key_of"]

KEEP_EVERY = 4096  # texts; an interrupted run keeps the results up to the last such block
_DIGITS = 8  # of a file's number
_FILES_REMEMBERED = 1024  # 0.1 MB each
_KEYS: dict[str, pa.ChunkedArray] = {}


def key_of(text: str) -> str:
    """The hash that stands for a text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


class ContentCache:
    """One kind of result, such as the vectors of one version of one embedder.

    Parameters
    ----------
    store
        The store.
    kind, version
        The results' folder below ``cache``; a new version starts empty.
    column
        Name of the results' column in the files.
    check
        Raises ValueError where results that were read can't be what was written.
    """

    def __init__(
        self, store: StorePath, kind: str, version: str, column: str, check: Callable[[pa.Array], None]
    ) -> None:
        self.folder = store / "cache" / kind / version
        self._column, self._check = column, check
        self._read_files: set[str] = set()
        self._next = 0  # a number above those of all files seen

    def read(self, wanted: Collection[str]) -> tuple[list[str], pa.Array | None]:
        """Keys among ``wanted``, and their results, in the files that were not read yet."""
        keys = pa.array(sorted(wanted), type=pa.string())
        tables = []
        for file in self._files():
            if file.name not in self._read_files:
                self._read_files.add(file.name)
                table = self._of_file(file, keys)
                if table is not None:
                    tables.append(table)
        if not tables:
            return [], None
        table = pa.concat_tables(tables).combine_chunks()
        return table["key"].to_pylist(), table[self._column].combine_chunks()

    def add(self, keys: Sequence[str], results: pa.Array) -> bool:
        """Add a file; False where another worker has added one since :meth:`read`, which has to be read first."""
        sink = pa.BufferOutputStream()
        # Results hardly repeat: a dictionary of them would take more room, and three times as long to read.
        pq.write_table(
            pa.table({"key": list(keys), self._column: results}),
            sink,
            compression="zstd",
            use_dictionary=False,
            write_page_checksum=True,
        )
        name = f"{self._next:0{_DIGITS}d}.parquet"
        if not add_bytes(self.folder / name, sink.getvalue().to_pybytes()):
            return False
        _remember(self.folder / name, pa.chunked_array([pa.array(keys, type=pa.string())]))
        self._read_files.add(name)
        self._next += 1
        return True

    def _files(self) -> list[StorePath]:
        """The files in the order in which they were added; those of earlier versions were named by a longer hash."""
        paths = sorted(files_in(self.folder, "[0-9a-f]*.*"), key=lambda path: len(path.stem) == _DIGITS)
        # A number is never given twice, not even where its file was damaged.
        numbers = [int(path.stem) for path in paths if len(path.stem) == _DIGITS]
        self._next = max([self._next, *(number + 1 for number in numbers)])
        return [path for path in paths if path.suffix == ".parquet"]

    def _of_file(self, file: StorePath, wanted: pa.Array) -> pa.Table | None:
        seen = _KEYS.get(str(file))
        if seen is not None and not pc.any(pc.is_in(seen, value_set=wanted)).as_py():
            return None
        try:
            with pq.ParquetFile(_readable(file), page_checksum_verification=True) as parquet:
                if self._column not in parquet.schema_arrow.names:
                    raise ValueError(f"it has no column {self._column}")
                keys = parquet.read(["key"])["key"]
                _remember(file, keys)
                is_wanted = pc.is_in(keys, value_set=wanted)
                if not pc.any(is_wanted).as_py():
                    return None
                table = parquet.read(["key", self._column])
            self._check(table[self._column].combine_chunks())
            return table if pc.all(is_wanted).as_py() else table.filter(is_wanted)
        except FileNotFoundError:  # another worker has set it aside
            return None
        except (OSError, ValueError, KeyError, AttributeError) as error:
            if isinstance(error, OSError) and error.errno:  # the operating system can't read it; the file may be sound
                raise StoreUnusable(
                    f"{file} can't be read: {error.strerror}", "check your rights on the store"
                ) from error
            _set_aside(file, error)
            return None


def _remember(file: StorePath, keys: pa.ChunkedArray) -> None:
    """Spare this process another reading of a file for keys that it has not: files never change."""
    if len(_KEYS) >= _FILES_REMEMBERED:
        _KEYS.clear()
    _KEYS[str(file)] = keys


def _readable(file: StorePath) -> Path | BytesIO:
    if isinstance(file, Path):
        return file
    with usable(file, passing=FileNotFoundError):
        return BytesIO(file.read_bytes())


def _set_aside(file: StorePath, error: Exception) -> None:
    why = str(error).splitlines()[0]
    damaged = file.with_suffix(".damaged")
    with usable(file), suppress(FileNotFoundError):  # another worker was quicker
        file.rename(damaged)  # type: ignore[arg-type]
    progress.log.warning("%s is damaged (%s): set aside as %s, its texts are done anew", file, why, damaged.name)
