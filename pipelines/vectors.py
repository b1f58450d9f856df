"""A content-addressed cache of vectors, so that a text is embedded once in the life of a store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines import progress
from pipelines.embedders import embedder
from pipelines.store import write_bytes

Floats = NDArray[np.float32]

KEEP_EVERY = 4096  # texts; what an interrupted run has embedded by then is kept


def embed(texts: Sequence[str], name: str, store: Path, label: str) -> Floats:
    """Vectors of ``texts`` by the embedder ``name``: float32 (len(texts), dim), each row of length 1.

    Texts that the store has seen come from its cache; new ones are added file by file, so that several workers can
    add to it at once and an interrupted run loses little. Vectors are kept in half precision, and used as kept,
    whether they are new or not: a run with a warm cache gives the same bytes as one with a cold cache.
    """
    keys = [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest() for text in texts]
    model = embedder(name)
    folder = store / "cache" / "vectors" / f"{model.name}-{model.version}"
    known = _read(folder, set(keys))
    fresh = {key: text for key, text in sorted(zip(keys, texts, strict=True)) if key not in known}
    if fresh:
        new = list(fresh.items())
        with progress.bar(f"{label}: {len(new):,} new texts, {len(known):,} known") as tick:
            for first in range(0, len(new), KEEP_EVERY):
                some = dict(new[first : first + KEEP_EVERY])
                step = partial(_onward, tick, first, len(new))
                made = model.embed(list(some.values()), step).astype(np.float16)
                known |= dict(zip(some, made, strict=True))
                _write(folder, list(some), made)
    if not keys:
        return np.zeros((0, 1), dtype=np.float32)
    vectors = np.stack([known[key] for key in keys]).astype(np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def _onward(tick: Callable[[int, int], None], before: int, total: int, done: int, _: int) -> None:
    tick(before + done, total)


def _read(folder: Path, wanted: set[str]) -> dict[str, NDArray[np.float16]]:
    found: dict[str, NDArray[np.float16]] = {}
    for file in sorted(folder.glob("*.parquet")):
        table = pq.read_table(file)
        keys = table["key"].to_pylist()
        dim = table["vector"].type.list_size
        values = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(-1, dim)
        found |= {key: values[row] for row, key in enumerate(keys) if key in wanted}
    return found


def _write(folder: Path, keys: list[str], vectors: NDArray[np.float16]) -> None:
    flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"key": keys, "vector": flat}), sink, compression="zstd")
    name = hashlib.blake2b("".join(keys).encode(), digest_size=8).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / f"{name}.parquet", sink.getvalue().to_pybytes())
