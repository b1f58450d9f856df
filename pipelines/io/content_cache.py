"""A cache of results by a hash of the text that they were computed from; the text itself is not kept.

Files are added and never change, so that several workers can add at once and use each other's results.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lacuna.data_contracts.errors import StoreUnusable
from lacuna.pipelines.io.store import lock, usable, write_bytes
from lacuna.pipelines.presentation import progress

__all__ = ["KEEP_EVERY", "ContentCache", "key_of"]

KEEP_EVERY = 4096  # texts; an interrupted run keeps the results up to the last such block
WAIT_SECONDS = 60.0  # for another worker to write its file


def key_of(text: str) -> str:
    """The hash that stands for a text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


class ContentCache:
    """One kind of result, such as the vectors of one version of one embedder.

    Parameters
    ----------
    store
        The store's folder.
    kind, version
        The results' folder below ``cache``; a new version starts empty.
    column
        Name of the results' column in the files.
    check
        Raises ValueError where results that were read can't be what was written.
    """

    def __init__(self, store: Path, kind: str, version: str, column: str, check: Callable[[pa.Array], None]) -> None:
        self.folder = store / "cache" / kind / version
        self._store, self._kind, self._column, self._check = store, kind, column, check
        self._read_files: set[str] = set()

    def read(self, wanted: Collection[str]) -> tuple[list[str], pa.Array | None]:
        """Keys among ``wanted``, and their results, in the files that were not read yet."""
        keys = pa.array(sorted(wanted), type=pa.string())
        tables = []
        for file in sorted(self.folder.glob("*.parquet")):
            if file.name not in self._read_files:
                self._read_files.add(file.name)
                table = self._of_file(file, keys)
                if table is not None:
                    tables.append(table)
        if not tables:
            return [], None
        table = pa.concat_tables(tables).combine_chunks()
        return table["key"].to_pylist(), table[self._column].combine_chunks()

    def locked(self) -> AbstractContextManager[None]:
        """A lock for writing: read what other workers have added meanwhile, then write the rest."""
        return lock(self._store, f"{self._kind}-{self.folder.name}", WAIT_SECONDS)

    def write(self, keys: Sequence[str], results: pa.Array) -> None:
        """Add a file."""
        sink = pa.BufferOutputStream()
        # Results hardly repeat: a dictionary of them would take more room, and three times as long to read.
        pq.write_table(
            pa.table({"key": list(keys), self._column: results}),
            sink,
            compression="zstd",
            use_dictionary=False,
            write_page_checksum=True,
        )
        name = hashlib.blake2b("".join(keys).encode(), digest_size=8).hexdigest()
        self._read_files.add(f"{name}.parquet")
        self.folder.mkdir(parents=True, exist_ok=True)
        write_bytes(self.folder / f"{name}.parquet", sink.getvalue().to_pybytes())

    def _of_file(self, file: Path, wanted: pa.Array) -> pa.Table | None:
        try:
            with pq.ParquetFile(file, page_checksum_verification=True) as parquet:
                if self._column not in parquet.schema_arrow.names:
                    raise ValueError(f"it has no column {self._column}")
                is_wanted = pc.is_in(parquet.read(["key"])["key"], value_set=wanted)
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


def _set_aside(file: Path, error: Exception) -> None:
    why = str(error).splitlines()[0]
    with usable(file):
        file.rename(file.with_suffix(".damaged"))
    progress.log.warning(
        "%s is damaged (%s): set aside as %s, its texts are done anew", file, why, file.with_suffix(".damaged").name
    )
