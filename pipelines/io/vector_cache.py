"""A content-addressed cache of vectors, so that a text is embedded once in the life of a store.

A text is known by a hash, under the name and version of the embedder; the text itself is not kept. What is new is
added as files that never change, so that several workers can add at once: what one has added, the others adopt.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lacuna.pipelines.embedders.registry import Embedder, embedder
from lacuna.pipelines.io.content_cache import KEEP_EVERY, ContentCache, key_of
from lacuna.pipelines.presentation import progress

__all__ = ["embed"]

# Raised where the same text gets another vector from the same model; 1 had vectors that depended on their batch.
MADE = 2
Floats = NDArray[np.float32]
Halves = NDArray[np.float16]


def embed(texts: Sequence[str], name: str, store: Path, label: str) -> Floats:
    """Vectors of ``texts`` by the embedder ``name``: float32 (len(texts), dim), each row of length 1.

    Texts that the store has seen come from its cache; new ones are added file by file, so that an interrupted run
    loses little. Vectors are kept in half precision, and used as kept, whether they are new or not: a run with a warm
    cache gives the same bytes as one with a cold cache. A file that is damaged is set aside with a warning, and its
    texts are embedded anew.

    Raises
    ------
    SettingsInvalid
        There is no such embedder.
    StoreUnusable
        The cache can't be written.
    """
    if not len(texts):
        return np.zeros((0, 1), dtype=np.float32)
    keys = [key_of(text) for text in texts]
    known = _filled(dict(zip(keys, texts, strict=True)), embedder(name), store, label)
    vectors = known.rows(keys).astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return vectors


class _Known:
    """Vectors by key, as they come."""

    def __init__(self) -> None:
        self.at: dict[str, int] = {}
        self._blocks: list[Halves] = []

    def add(self, keys: Sequence[str], vectors: Halves) -> None:
        self.at.update(zip(keys, range(len(self.at), len(self.at) + len(keys)), strict=True))
        self._blocks.append(vectors)

    def rows(self, keys: Sequence[str]) -> Halves:
        return np.concatenate(self._blocks)[[self.at[key] for key in keys]]


def _filled(texts: dict[str, str], model: Embedder, store: Path, label: str) -> _Known:
    """The vectors of all texts by key."""
    # A model's name may have slashes, and a folder's name anything.
    cache = ContentCache(store, "vectors", f"{quote(model.name, safe='')}-{model.version}-{MADE}", "vector", _check)
    known = _Known()
    _read(cache, texts.keys(), known)
    new = sorted(texts.keys() - known.at.keys())
    if not new:
        return known
    with progress.bar(f"{label}: {len(new):,} new texts, {len(known.at):,} known") as tick:
        for first in range(0, len(new), KEEP_EVERY):
            _read(cache, texts.keys(), known)
            some = [key for key in new[first : first + KEEP_EVERY] if key not in known.at]
            if some:
                made = model.embed([texts[key] for key in some], partial(_onward, tick, first, len(new)))
                with cache.locked():
                    # Another worker may have been first: one vector a text, or a later run would not repeat this one.
                    _read(cache, some, known)
                    rows = [row for row, key in enumerate(some) if key not in known.at]
                    if rows:
                        _write(cache, [some[row] for row in rows], made[rows].astype(np.float16), known)
    return known


def _onward(tick: Callable[[int, int], None], before: int, total: int, done: int, _: int) -> None:
    tick(before + done, total)


def _read(cache: ContentCache, wanted: Collection[str], known: _Known) -> None:
    keys, vectors = cache.read(wanted)
    if vectors is None:
        return
    new = [row for row, key in enumerate(keys) if key not in known.at]
    known.add([keys[row] for row in new], _rows(vectors)[new] if len(new) < len(keys) else _rows(vectors))


def _check(vectors: pa.Array) -> None:
    rows = _rows(vectors)
    if rows.dtype != np.float16 or not np.isfinite(rows).all():
        raise ValueError("its vectors are no numbers")


def _rows(vectors: pa.Array) -> Halves:
    return vectors.flatten().to_numpy(zero_copy_only=False).reshape(len(vectors), vectors.type.list_size)


def _write(cache: ContentCache, keys: list[str], vectors: Halves, known: _Known) -> None:
    cache.write(keys, pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1]))
    known.add(keys, vectors)
