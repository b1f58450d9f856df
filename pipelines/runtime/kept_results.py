"""Results of parts, kept in the store for later runs: what has not changed is not worked on again.

A result is kept under a hash of all that it depends on: what the part reads for the shard, settings, the source of
Lacuna, and the versions of the embedder and of libraries. It is copied with its hash checked, so that it is what
performing the part would give; a damaged one is set aside, and the part is performed.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lacuna.pipelines.embedders.registry import embedder
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.store import files_in, read_parquet, remove_folder, usable, write_bytes
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.runtime.job import Job, of_shard
from lacuna.pipelines.steps import Kept, Part

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = ["KeptResults"]

SOURCES = ("data_contracts", "models", "pipelines.embedders", "pipelines.io", "pipelines.runtime", "pipelines.steps")
# What texts, vectors and tables are computed and written with.
LIBRARIES = (
    "bm25s",
    "numpy",
    "pandas",
    "phonenumbers",
    "pyarrow",
    "PyStemmer",
    "python-stdnum",
    "scikit-learn",
    "scipy",
)
INDEX = "results.json"  # of a result: its files with their hashes, written last


class KeptResults:
    """What the store keeps of a part's results for one shard.

    Parameters
    ----------
    job, part, shard
        As of :func:`pipelines.runtime.parts.perform_part`; the part has ``kept``.
    """

    def __init__(self, job: Job, part: Part, shard: str | None) -> None:
        assert part.kept is not None
        self._job, self._part, self._kept = job, part, part.kept
        tables = {f"{name}.parquet": job.shard_path(name, shard) for name in part.kept.results}
        documents = {f"{name}.json": job.path(_document(name, shard)) for name in part.kept.documents_written}
        self._places = {name.replace("/", "."): path for name, path in (tables | documents).items()}
        self._has_shards = shard is not None
        self._of_part = job.store / "cache" / "parts" / f"{part.step}.{part.name}"
        self._of_shard = self._of_part / (shard or "whole")
        self._folder = self._of_shard / _key(job, part, part.kept, shard)

    def put_in_place(self) -> bool:
        """Put the results in place, as if the part had been performed; False where none are kept, or no sound ones."""
        index = self._folder / INDEX
        try:
            with usable(index, passing=FileNotFoundError):
                content = index.read_bytes()
                hashes = json.loads(content)
                results = {name: (self._folder / name).read_bytes() for name in self._places}
        except FileNotFoundError:  # none, or another worker is deleting them
            return False
        except ValueError:
            hashes, results = {}, {}
        damaged = [name for name in self._places if name not in results or _hash(results[name]) != hashes.get(name)]
        if damaged:
            self._set_aside(damaged[0])
            return False
        if not self._hold(results):
            return False
        for name, result in results.items():
            write_bytes(self._places[name], result)
        write_bytes(index, content)  # its time says when the results were used last
        return True

    def keep(self) -> None:
        """Keep the results that the part has written, and delete those that are too many."""
        hashes = {}
        for name, place in self._places.items():
            result = place.read_bytes()
            write_bytes(self._folder / name, result)
            hashes[name] = _hash(result)
        write_bytes(self._folder / INDEX, json.dumps(hashes).encode())
        self._prune()

    def _hold(self, results: dict[str, bytes]) -> bool:
        if not self._kept.holds:
            return True
        written = {name: json.loads(results[f"{name.replace('/', '.')}.json"]) for name in self._kept.documents_written}
        return bool(self._part.beside(self._kept.holds)(self._job, written))

    def _set_aside(self, name: str) -> None:
        damaged = self._folder.with_name(f"{self._folder.name}.damaged")
        remove_folder(damaged)
        with usable(self._folder):
            for file in files_in(self._folder, "*"):
                write_bytes(damaged / file.name, file.read_bytes())
        remove_folder(self._folder)
        progress.log.warning("%s is damaged: set aside as %s, its part is done anew", self._folder / name, damaged.name)

    def _prune(self) -> None:
        """Delete a shard's results but for the latest ones, and those of weeks that are before the bundle's first."""
        with usable(self._of_part):
            folders: list[StorePath] = [*self._of_shard.iterdir()]
            shards: list[StorePath] = [*self._of_part.iterdir()]
            by_use = sorted(folders, key=lambda one: (one != self._folder, -_last_used(one), one.name))
            first = min(self._job.shards) if self._has_shards else ""
        gone = [folder for folder in shards if folder.name < first]
        for folder in [*by_use[self._job.settings.shards.keep_results :], *gone]:
            remove_folder(folder)


def _last_used(folder: StorePath) -> float:
    """When results were used last; 0 where they were not written to their end."""
    try:
        return float((folder / INDEX).stat().st_mtime)
    except FileNotFoundError:
        return 0.0


def _key(job: Job, part: Part, kept: Kept, shard: str | None) -> str:
    """A hash of all that the results depend on."""
    digest = hashlib.blake2b(digest_size=16)
    for piece in _pieces(job, part, kept, shard):
        digest.update(len(piece).to_bytes(8, "big"))
        digest.update(piece)
    return digest.hexdigest()


def _pieces(job: Job, part: Part, kept: Kept, shard: str | None) -> Iterator[bytes]:
    settings = {name: job.settings.model_dump(mode="json")[name] for name in kept.settings}
    model = embedder(job.embedder) if "embedder" in kept.settings else None
    versions = [_source(), _versions(), *([model.name, model.version] if model else [])]
    yield json.dumps([part.step, part.name, settings, versions], sort_keys=True).encode()
    for name, columns in kept.tables:
        table = job.shard_path(name, shard)
        yield name.encode()
        # The same rows give the same bytes.
        yield _encoded(read_parquet(table, columns)) if columns else table.read_bytes()
    for name in kept.documents:
        yield json.dumps([name, job.read_json(name)], sort_keys=True).encode()
    for name in kept.also:
        yield name.encode()
        yield _encoded(part.beside(name)(job, shard))


def _document(name: str, shard: str | None) -> str:
    return f"{of_shard(name, shard)}.json"


def _encoded(rows: pd.DataFrame) -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.Table.from_pandas(rows, preserve_index=False, nthreads=1)
    pq.write_table(table, sink, compression="none", use_dictionary=False)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


@cache
def _source() -> str:
    """A hash of the source that a part's results may depend on, and of the lists of words that go with it."""
    digest = hashlib.blake2b(digest_size=16)
    for package in SOURCES:
        for name, file in sorted(_files(files(f"lacuna.{package}"), package)):
            digest.update(f"{name}\0{_hash(file.read_bytes())}\0".encode())
    return digest.hexdigest()


def _files(folder: Traversable, name: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _files(entry, f"{name}/{entry.name}")
        elif not entry.name.endswith(".pyc"):
            yield f"{name}/{entry.name}", entry


@cache
def _versions() -> str:
    """The versions of libraries, of Python, and the kind of processor."""
    named = [f"{library} {_version(library)}" for library in LIBRARIES]
    return ", ".join([*named, platform.python_version(), platform.machine()])


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "none"
