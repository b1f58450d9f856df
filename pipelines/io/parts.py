"""Rows of a frame sorted into many Parquet files at once, each appended to as its rows come."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.processes import temporary_folder
from lacuna.pipelines.io.store import to_frame, usable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Parts", "schema_of", "scratch", "sorted_into"]


@contextmanager
def scratch(folder: StorePath, name: str) -> Iterator[Path]:
    """An empty folder in ``folder`` for files that one step needs while it works; what an earlier try left is gone.

    Where ``folder`` is on an object store, it is one of this machine's temporary folders.
    """
    if not isinstance(folder, Path):
        with temporary_folder(name) as temporary:
            yield temporary
        return
    place = folder / f".scratch-{name}"
    shutil.rmtree(place, ignore_errors=True)
    with usable(place):
        place.mkdir(parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


class Parts:
    """Parquet files of one schema in a folder, by number; they are scratch and gone with the folder."""

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self._folder, self._schema = folder, schema
        self._writers: dict[int, Any] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, frame: pd.DataFrame, numbers: Any) -> None:
        """Append each row to the part of its number, the order of the rows kept; ``numbers`` is an array."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pandas(frame, schema=self._schema, preserve_index=False, nthreads=1)
        order = np.argsort(numbers, kind="stable")
        ordered = numbers[order]
        starts = np.flatnonzero(np.r_[len(ordered) > 0, ordered[1:] != ordered[:-1]])
        for start, end in zip(starts, [*starts[1:], len(ordered)], strict=True):
            number = int(ordered[start])
            if number not in self._writers:
                self._writers[number] = pq.ParquetWriter(self._file(number), self._schema, compression="zstd")
            self._writers[number].write_table(table.take(pa.array(order[start:end])))

    def close(self) -> None:
        """End the files; only then can they be read."""
        for writer in self._writers.values():
            writer.close()

    def read(self, number: int) -> pd.DataFrame:
        """The rows of a part, in the order in which they came; none where none came."""
        import pyarrow.parquet as pq

        file = self._file(number)
        return to_frame(pq.ParquetFile(file).read() if file.exists() else self._schema.empty_table())

    def _file(self, number: int) -> Path:
        return self._folder / f"{number}.parquet"


@contextmanager
def sorted_into(folder: Path, schema: pa.Schema) -> Iterator[Parts]:
    """Parts in a folder; they can be read once the block is left."""
    parts = Parts(folder, schema)
    try:
        yield parts
    finally:
        parts.close()


def schema_of(frame: pd.DataFrame, binary: tuple[str, ...] = ()) -> pa.Schema:
    """The schema of a frame's columns whose dtypes are set; a column of objects holds lists of text, or bytes."""
    import pyarrow as pa

    schema = pa.Schema.from_pandas(frame.head(0), preserve_index=False)
    for at, name in enumerate(schema.names):
        if frame[name].dtype == object:
            kind = pa.binary() if name in binary else pa.list_(pa.string())
            schema = schema.set(at, pa.field(name, kind))
    return schema
