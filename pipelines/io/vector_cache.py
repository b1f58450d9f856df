"""A content-addressed cache of vectors, so that a text is embedded once in the life of a store.

A text is identified by a hash, under the name and version of the embedder; the text itself is not kept. New vectors
are added as files that never change, so that several workers can add at once and use each other's vectors; where two
embed a text at once, both use the vector that was added first, so that machines which round differently agree.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from urllib.parse import quote

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lacuna.models.arrays import F32
from lacuna.pipelines.embedders.registry import Embedder, SideBySide, embedder, joined
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.content_cache import KEEP_EVERY, ContentCache, key_of
from lacuna.pipelines.presentation import progress

__all__ = ["embed"]

# Raised when the same model gives a text another vector than before; in 1, vectors depended on their batch.
MADE = 2
Halves = NDArray[np.float16]


def embed(texts: Sequence[str], name: str, store: StorePath, label: str) -> F32:
    """Vectors of ``texts`` by the embedder ``name``: float32 (len(texts), dim), each row of length 1.

    Vectors of texts in the store's cache are read; new ones are added file by file, so that an interrupted run
    loses little. Of embedders that are used side by side, each has a cache of its own. Vectors are kept in half
    precision, and used as kept, whether they are new or not: a run with a warm cache gives the same bytes as one with
    a cold cache. A file that is damaged is set aside with a warning, and its texts are embedded anew.

    Raises
    ------
    SettingsInvalid
        There is no such embedder.
    StoreUnusable
        The cache can't be written.
    """
    if not len(texts):
        return np.zeros((0, 1), dtype=np.float32)
    model = embedder(name)
    if isinstance(model, SideBySide):
        return joined([embed(texts, part.name, store, f"{label} ({part.name})") for part in model.parts])
    keys = [key_of(text) for text in texts]
    vectors_of = _filled(dict(zip(keys, texts, strict=True)), model, store, label)
    vectors = vectors_of.rows(keys).astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return vectors


class _Vectors:
    """Vectors by key, in the order in which they were added."""

    def __init__(self) -> None:
        self.at: dict[str, int] = {}
        self._blocks: list[Halves] = []

    def add(self, keys: Sequence[str], vectors: Halves) -> None:
        self.at.update(zip(keys, range(len(self.at), len(self.at) + len(keys)), strict=True))
        self._blocks.append(vectors)

    def rows(self, keys: Sequence[str]) -> Halves:
        return np.concatenate(self._blocks)[[self.at[key] for key in keys]]


def _filled(texts: dict[str, str], model: Embedder, store: StorePath, label: str) -> _Vectors:
    """The vectors of all texts by key."""
    # A model's name may have slashes, and a folder's name anything.
    cache = ContentCache(store, "vectors", f"{quote(model.name, safe='')}-{model.version}-{MADE}", "vector", _check)
    vectors_of = _Vectors()
    _read(cache, texts.keys(), vectors_of)
    new = sorted(texts.keys() - vectors_of.at.keys())
    if not new:
        return vectors_of
    with progress.bar(f"{label}: {len(new):,} new texts, {len(vectors_of.at):,} known") as tick:
        for first in range(0, len(new), KEEP_EVERY):
            _read(cache, texts.keys(), vectors_of)
            block = [key for key in new[first : first + KEEP_EVERY] if key not in vectors_of.at]
            if block:
                embedded = model.embed([texts[key] for key in block], partial(_onward, tick, first, len(new)))
                _add(cache, block, embedded.astype(np.float16), vectors_of)
    return vectors_of


def _onward(tick: Callable[[int, int], None], before: int, total: int, done: int, _: int) -> None:
    tick(before + done, total)


def _add(cache: ContentCache, keys: list[str], embedded: Halves, vectors_of: _Vectors) -> None:
    """Add vectors to the cache, save those that another worker has added meanwhile: those are used here too."""
    while rows := [row for row, key in enumerate(keys) if key not in vectors_of.at]:
        new, vectors = [keys[row] for row in rows], embedded[rows]
        if cache.add(new, pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])):
            vectors_of.add(new, vectors)
        else:
            _read(cache, keys, vectors_of)


def _read(cache: ContentCache, wanted: Collection[str], vectors_of: _Vectors) -> None:
    keys, vectors = cache.read(wanted)
    if vectors is None:
        return
    # Where a text has two vectors, the first counts.
    row_of: dict[str, int] = {}
    for row, key in enumerate(keys):
        if key not in vectors_of.at:
            row_of.setdefault(key, row)
    vectors_of.add(list(row_of), _rows(vectors)[list(row_of.values())])


def _check(vectors: pa.Array) -> None:
    rows = _rows(vectors)
    if rows.dtype != np.float16 or not np.isfinite(rows).all():
        raise ValueError("its vectors are no numbers")


def _rows(vectors: pa.Array) -> Halves:
    return vectors.flatten().to_numpy(zero_copy_only=False).reshape(len(vectors), vectors.type.list_size)
