"""A table that does not fit into memory: read and typed a chunk at a time into local scratch files, given back by id.

What the checks of a whole table need is kept for the table as a whole: the place of every row, its order in the files,
the raw values of cells that could not be read, and what kind each extra column is in each file. The rows come back in
blocks of ids, each with all rows of its ids, and all blocks one after the other are in the order of the ids.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lacuna.data_contracts.casts import cast, conform
from lacuna.data_contracts.contract import UNREADABLE, Table
from lacuna.pipelines.io.chunks import CHUNK_BYTES
from lacuna.pipelines.io.formats import as_extra, extra_kind, extra_kinds
from lacuna.pipelines.io.parts import Parts, schema_of, sorted_into

__all__ = ["BLOCK_BYTES", "Block", "Spool", "text_lengths"]

# Text of a block: what is checked at once. Checking takes about ten times as much memory.
BLOCK_BYTES = 24 << 20
# Rows weigh something besides their text.
_ROW_BYTES = 100

_FILE, _ROW, _ORDER, _RAW, _EXTRA = "__file__", "__row__", "__order__", "__raw__", "__extra__"


@dataclass(frozen=True)
class Block:
    """All rows of some ids, in the order of the files; as of :class:`bundle.Read`."""

    frame: pd.DataFrame
    raw: pd.DataFrame
    where: pd.DataFrame


@dataclass
class _Extra:
    """An extra column in one file: its kinds, a chunk each, and its dtypes where it is no column of objects."""

    kinds: list[frozenset[str] | None] = field(default_factory=list)
    dtypes: set[str] = field(default_factory=set)
    objects: bool = False
    filled: bool = False


class Spool:
    """One table of a bundle in scratch files.

    Parameters
    ----------
    table
        Its contract.
    by
        The column of ids that blocks are made by.
    text
        The column whose length is what a row weighs.
    folder
        An empty folder for scratch files.
    block_bytes
        Text of a block; one id's rows are never parted.
    chunk_bytes
        The size of a file from which it is read in chunks, and about the size of each.
    """

    def __init__(
        self,
        table: Table,
        by: str,
        text: str,
        folder: Path,
        block_bytes: int = BLOCK_BYTES,
        chunk_bytes: int = CHUNK_BYTES,
    ) -> None:
        self.table, self.folder, self.chunk_bytes = table, folder, chunk_bytes
        self.rows, self.block_count = 0, 1
        self.broken: list[dict[str, Any]] = []
        self._by, self._text, self._block_bytes = by, text, block_bytes
        self._files: list[str] = []
        self._extras: list[dict[str, _Extra]] = []
        self._chunks: list[tuple[int, Path]] = []
        self._sizes: list[pd.Series] = []
        folder.mkdir(parents=True, exist_ok=True)

    def begin(self, file: str) -> None:
        """The chunks added from here on are of this file."""
        self._files.append(file)
        self._extras.append({})

    def add(
        self, frame: pd.DataFrame, rows: np.ndarray, leave_out: Callable[[pd.Series], np.ndarray] | None = None
    ) -> int:
        """Add a chunk of the file: raw columns, and the row or line of each row.

        Rows of the ids that ``leave_out`` tells are not written anywhere; how many there are is what it returns.
        """
        typed, raw = conform(self.table, frame)
        gone = np.zeros(len(rows), dtype=bool) if leave_out is None else leave_out(typed[self._by])
        if gone.any():
            frame, typed, raw = (part[~gone].reset_index(drop=True) for part in (frame, typed, raw))
            rows = rows[~gone]
        extra = sorted({str(c) for c in frame.columns} - set(typed.columns))
        objects = {}
        for name in extra:
            fact = self._extras[-1].setdefault(name, _Extra())
            fact.filled |= bool(frame[name].notna().any())
            if frame[name].dtype == object:
                fact.objects = True
                fact.kinds.append(extra_kinds(frame[name]))
                objects[name] = frame[name]
            else:
                fact.dtypes.add(str(frame[name].dtype))
                typed[name] = frame[name]
        typed[_FILE] = np.full(len(rows), len(self._files) - 1, dtype=np.int32)
        typed[_ROW] = rows
        typed[_ORDER] = np.arange(self.rows, self.rows + len(rows), dtype=np.int64)
        typed[_RAW] = _packed(raw)
        typed[_EXTRA] = _packed(pd.DataFrame(objects, index=frame.index, dtype="object"))
        self.rows += len(rows)
        if not len(rows):
            return int(gone.sum())
        self._sizes.append(self._weighed(typed))
        path = self.folder / f"chunk-{len(self._chunks)}"
        with sorted_into(path, schema_of(typed, (_RAW, _EXTRA))) as parts:
            parts.add(typed, np.zeros(len(typed), dtype=np.int64))
        self._chunks.append((len(self._files) - 1, path))
        return int(gone.sum())

    def text_bytes(self) -> pd.Series:
        """Bytes of text of each id, sorted by id."""
        if not self._sizes:
            return pd.Series([], index=pd.Index([], dtype="str"), dtype="int64")
        sizes = pd.concat(self._sizes)
        sizes = sizes.groupby(level=0, sort=True).sum()
        self._sizes = [sizes]
        return sizes

    def mixed(self) -> list[str]:
        """The extra columns that are of one type in a file, and of another in another."""
        return [name for name in self._extra_names() if len(self._dtypes(name)) > 1]

    def blocks(self) -> Iterator[Block]:
        """All rows, a block of ids at a time; at least one block, which may be empty."""
        empty = self._empty()
        bounds = self._bounds(self.text_bytes())
        self.block_count = len(bounds)
        if len(bounds) == 1:
            frames = [self._chunk(number) for number in range(len(self._chunks))]
            yield self._block(pd.concat(frames, ignore_index=True) if frames else empty)
            return
        with sorted_into(self.folder / "blocks", schema_of(empty, (_RAW,))) as parts:
            for number in range(len(self._chunks)):
                frame = self._chunk(number)
                parts.add(frame, _block_of(frame[self._by], bounds))
        for number in range(len(bounds)):
            yield self._block(parts.read(number))
            pa.default_memory_pool().release_unused()

    def schema(self) -> pa.Schema:
        """The schema of the rows: the contract's columns, then extra ones."""
        return schema_of(self._empty().drop(columns=[UNREADABLE, _FILE, _ROW, _ORDER, _RAW]))

    def _empty(self) -> pd.DataFrame:
        return self._unified(conform(self.table, pd.DataFrame())[0].assign(**_no_places()), None)

    def _weighed(self, typed: pd.DataFrame) -> pd.Series:
        of_ids = pd.Series(text_lengths(typed[self._text]), index=typed[self._by])
        return of_ids[of_ids.index.notna()].groupby(level=0, sort=False).sum()

    def _bounds(self, sizes: pd.Series) -> list[str]:
        """The first id of each block; the first block begins with all ids before."""
        rows = self.rows * _ROW_BYTES / max(len(sizes), 1)
        total = np.cumsum(sizes.to_numpy() + rows)
        block = ((total - 1e-9) // self._block_bytes).astype(np.int64)
        starts = np.flatnonzero(np.r_[True, block[1:] != block[:-1]]) if len(block) else np.array([0])
        return [""] + [str(sizes.index[start]) for start in starts[1:]]

    def _chunk(self, number: int) -> pd.DataFrame:
        """A chunk with its extra columns as they are in the whole table."""
        file, path = self._chunks[number]
        parts = Parts(path, schema_of(pd.DataFrame()))
        frame = parts.read(0)
        packed = frame.pop(_EXTRA)
        objects = {name for name, fact in self._extras[file].items() if fact.objects}
        cells = [pickle.loads(cell) if cell is not None else {} for cell in packed] if objects else []
        for name in sorted(objects):
            raw = pd.Series([row.get(name) for row in cells], index=frame.index, dtype="object")
            if name in frame.columns:  # a column of objects in another chunk only
                raw = frame[name].astype("object")
            frame[name] = as_extra(raw, extra_kind(self._extras[file][name].kinds))
        return self._unified(frame, file)

    def _unified(self, frame: pd.DataFrame, file: int | None) -> pd.DataFrame:
        names = self._extra_names()
        for name in names:
            dtypes = self._dtypes(name)
            there = file is not None and name in self._extras[file] and self._extras[file][name].filled
            if there and len(dtypes) > 1:
                frame = frame.assign(**{name: cast(frame[name], "str")[0]})
            elif not there:
                dtype: Any = next(iter(dtypes)) if len(dtypes) == 1 else "str"
                gap = pd.Series([None] * len(frame), index=frame.index, dtype="object")
                frame = frame.assign(**{name: gap if dtype == "object" else gap.astype(dtype)})
        return frame[[*self.table.names, *names, UNREADABLE, _FILE, _ROW, _ORDER, _RAW]]

    def _extra_names(self) -> list[str]:
        return sorted({name for extras in self._extras for name in extras})

    def _dtypes(self, name: str) -> set[str]:
        """The dtypes of an extra column in the files where it holds anything."""
        facts = [extras[name] for extras in self._extras if name in extras]
        facts = [fact for fact in facts if fact.filled] or facts
        kinds = {"bool": "boolean", "int": "Int64", "float": "float64", "list": "object", "text": "str"}
        return {dtype for fact in facts for dtype in ({kinds[extra_kind(fact.kinds)]} if fact.objects else fact.dtypes)}

    def _block(self, frame: pd.DataFrame) -> Block:
        frame = frame.sort_values(_ORDER, kind="stable", ignore_index=True)
        files = np.array([*self._files, ""], dtype=object)
        where = pd.DataFrame(
            {"file": pd.Series(files[frame[_FILE].to_numpy(dtype=np.int64)], dtype="str"), "row": frame[_ROW]}
        )
        cells = {at: pickle.loads(cell) for at, cell in enumerate(frame[_RAW]) if cell is not None}
        unread = {name for cell in cells.values() for name in cell}
        names = [name for name in self.table.names if name in unread]
        columns = {name: [None] * len(frame) for name in names}
        for at, cell in cells.items():
            for name, value in cell.items():
                columns[name][at] = value
        raw = pd.DataFrame(columns, index=frame.index, dtype="object")
        return Block(frame.drop(columns=[_FILE, _ROW, _ORDER, _RAW]), raw, where.astype({"row": "int64"}))


def text_lengths(texts: pd.Series) -> np.ndarray:
    """The length of each text in bytes of UTF-8; 0 for none."""
    lengths = pc.fill_null(pc.binary_length(pa.array(texts, type=pa.large_string())), 0)
    return np.asarray(lengths.to_numpy(zero_copy_only=False), dtype=np.int64)


def _packed(cells: pd.DataFrame) -> pd.Series:
    """The values of each row as bytes; None for a row without any."""
    packed: list[bytes | None] = [None] * len(cells)
    if len(cells.columns):
        for at, row in enumerate(cells.to_dict("records")):
            there = {name: value for name, value in row.items() if value is not None}
            packed[at] = pickle.dumps(there) if there else None
    out = np.empty(len(packed), dtype=object)
    out[:] = packed
    return pd.Series(out, index=cells.index, dtype="object")


def _block_of(ids: pd.Series, bounds: list[str]) -> np.ndarray:
    """The number of each id's block; rows without an id come last."""
    codes, unique = pd.factorize(ids, use_na_sentinel=True)
    at = np.searchsorted(np.array(bounds, dtype=object), np.array(unique, dtype=object), side="right") - 1
    return np.where(codes < 0, len(bounds) - 1, at[codes] if len(at) else 0).astype(np.int64)


def _no_places() -> dict[str, pd.Series]:
    numbers = {_FILE: "int32", _ROW: "int64", _ORDER: "int64", _RAW: "object"}
    return {name: pd.Series([], dtype=dtype) for name, dtype in numbers.items()}
