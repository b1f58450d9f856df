"""A content-addressed cache of vectors, so that a text is embedded once in the life of a store.

A text is known by a hash, under the name and version of the embedder; the text itself is not kept. What is new is
added as files that never change, so that several workers can add at once: what one has added, the others adopt.

Much text is embedded faster by several workers, each of which takes a share, before a run that then finds all of it
cached::

    embed_shard(texts, name, store, "embedding", shard=3, shards=8)   # worker 3 of 8; any worker, any order

Which share a text is in depends on the text alone. A scheduler can map that over ``range(shards)``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from data_contracts.errors import StoreUnusable
from pipelines import progress
from pipelines.embedders import Embedder, embedder
from pipelines.store import lock, usable, write_bytes

__all__ = ["embed", "embed_shard"]

Floats = NDArray[np.float32]
Known = dict[str, NDArray[np.float16]]

KEEP_EVERY = 4096  # texts; what an interrupted run has embedded by then is kept
WAIT_SECONDS = 60.0  # for another worker to write its file


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
    keys = [_key(text) for text in texts]
    known, _ = _filled(dict(zip(keys, texts, strict=True)), embedder(name), store, label)
    vectors = np.stack([known[key] for key in keys]).astype(np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def embed_shard(texts: Sequence[str], name: str, store: Path, label: str, shard: int, shards: int) -> int:
    """Put one share of ``texts`` into the cache, for workers that embed the other shares meanwhile.

    Parameters
    ----------
    texts
        All texts, the same for every worker; doubles are in the same share.
    name, store, label
        As for :func:`embed`.
    shard, shards
        Which share, from 0, of how many.

    Returns
    -------
    int
        How many texts were embedded; those that the store had seen are not.

    Raises
    ------
    SettingsInvalid, StoreUnusable
        As :func:`embed`.

    Examples
    --------
    >>> for shard in range(2):  # doctest: +SKIP
    ...     embed_shard(["hello", "good evening"], "minilm", Path("store"), "embedding", shard, 2)
    """
    if not 0 <= shard < shards:
        raise ValueError(f"shard {shard} is not one of {shards}: they count from 0")
    keyed = {_key(text): text for text in texts}
    mine = {key: text for key, text in keyed.items() if int(key, 16) % shards == shard}
    return _filled(mine, embedder(name), store, f"{label}, share {shard + 1} of {shards}")[1]


def _key(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _filled(texts: dict[str, str], model: Embedder, store: Path, label: str) -> tuple[Known, int]:
    """The vectors of all texts by key, and how many of them were not in the cache."""
    # A model's name may have slashes, and a folder's name anything.
    folder = store / "cache" / "vectors" / f"{quote(model.name, safe='')}-{model.version}"
    seen: set[str] = set()
    known = _read(folder, texts, seen)
    new = sorted(texts.keys() - known.keys())
    if not new:
        return known, 0
    embedded = 0
    with progress.bar(f"{label}: {len(new):,} new texts, {len(known):,} known") as tick:
        for first in range(0, len(new), KEEP_EVERY):
            known |= _read(folder, texts, seen)
            some = [key for key in new[first : first + KEEP_EVERY] if key not in known]
            if some:
                made = model.embed([texts[key] for key in some], partial(_onward, tick, first, len(new)))
                embedded += len(some)
                with lock(store, f"vectors-{folder.name}", WAIT_SECONDS):
                    # Another worker may have been first: one vector a text, or a later run would not repeat this one.
                    known |= _read(folder, some, seen)
                    rows = [row for row, key in enumerate(some) if key not in known]
                    if rows:
                        known |= _write(folder, [some[row] for row in rows], made[rows].astype(np.float16))
    return known, embedded


def _onward(tick: Callable[[int, int], None], before: int, total: int, done: int, _: int) -> None:
    tick(before + done, total)


def _read(folder: Path, wanted: Collection[str], seen: set[str]) -> Known:
    """What the files that are not ``seen`` yet have of ``wanted``; they are seen then."""
    found: Known = {}
    keys = pa.array(sorted(wanted), type=pa.string())
    for file in sorted(folder.glob("*.parquet")):
        if file.name not in seen:
            seen.add(file.name)
            found |= _of_file(file, keys)
    return found


def _of_file(file: Path, wanted: pa.Array) -> Known:
    try:
        table = pq.read_table(file, columns=["key", "vector"], page_checksum_verification=True, partitioning=None)
        table = table.filter(pc.is_in(table["key"], value_set=wanted)).combine_chunks()
        shape = table.num_rows, table.schema.field("vector").type.list_size
        values = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(shape)
        if values.dtype != np.float16 or not np.isfinite(values).all():
            raise ValueError("its vectors are no numbers")
    except FileNotFoundError:  # another worker has set it aside
        return {}
    except (OSError, ValueError, KeyError, AttributeError) as error:
        if isinstance(error, OSError) and error.errno:  # the system's word, not the file's
            raise StoreUnusable(f"{file} can't be read: {error.strerror}", "check your rights on the store") from error
        _set_aside(file, error)
        return {}
    return dict(zip(table["key"].to_pylist(), values, strict=True))


def _set_aside(file: Path, error: Exception) -> None:
    why = str(error).splitlines()[0]
    with usable(file):
        file.rename(file.with_suffix(".damaged"))
    progress.log.warning(
        "%s is damaged (%s): set aside as %s, its texts are embedded anew", file, why, file.with_suffix(".damaged").name
    )


def _write(folder: Path, keys: list[str], vectors: NDArray[np.float16]) -> Known:
    flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    sink = pa.BufferOutputStream()
    # Hardly a number comes twice, so that a dictionary of them takes room, and three times as long to read.
    pq.write_table(
        pa.table({"key": keys, "vector": flat}),
        sink,
        compression="zstd",
        use_dictionary=False,
        write_page_checksum=True,
    )
    name = hashlib.blake2b("".join(keys).encode(), digest_size=8).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / f"{name}.parquet", sink.getvalue().to_pybytes())
    return dict(zip(keys, vectors, strict=True))
