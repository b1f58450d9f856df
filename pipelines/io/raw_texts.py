"""Texts as they came in, and names that these showed, in the work folder of a run: which files hold them, and away.

They are needed until the run's step redact is done. What is done of a run is kept without them, and a run that still
needs them loads them again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.processes import TEMPORARY
from lacuna.pipelines.io.store import files_in, write_bytes

__all__ = ["add_mark", "are_whole", "holds_raw_texts", "remove_raw_texts"]

_MARK = "load/raw_texts.json"  # is there while all of them are
_TEXTS = ("load/messages", "load/outcomes", "load/searches")
_REJECTED = "load/quarantine"
# What redact learns from the texts: words as they stand there, and who is named in which conversation.
_LEARNT = ("redact/words", "redact/names", "redact/customer_names")
_LEXICON = "redact/lexicon.json"
_SAID = ("load/warnings.json", "load/languages.json")  # what they say may be a value as it came in


def add_mark(work: StorePath) -> None:
    """Say that all texts are there, and what was learnt of them."""
    document = json.dumps({"tables": [*_TEXTS, _REJECTED]}, indent=2)
    write_bytes(work / _MARK, f"{document}\n".encode())


def are_whole(work: StorePath) -> bool:
    """Whether all texts are there: a step that needs them can rely on them."""
    return (work / _MARK).exists()


def holds_raw_texts(work: StorePath) -> bool:
    """Whether there is any text as it came in, or a name that one showed."""
    if are_whole(work) or (work / _LEXICON).exists() or any(_scraps(work)):
        return True
    return any(path.stat().st_size for path in _files(work))


def remove_raw_texts(work: StorePath) -> None:
    """Empty the files of a work folder that hold them; the files' names, which tell shards, stay.

    A full disk does not hinder it.
    """
    (work / _MARK).unlink(missing_ok=True)  # from here on nobody may rely on them
    for path in _files(work):
        path.write_bytes(b"")
    (work / _LEXICON).unlink(missing_ok=True)
    for path in [*_scraps(work)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _files(work: StorePath) -> Iterator[StorePath]:
    for name in (*_TEXTS, *_LEARNT):
        folder, _, table = name.rpartition("/")
        yield from files_in(work / folder, f"{table}.parquet")
        yield from files_in(work / name, "[!.]*.parquet")
    yield from files_in(work / _REJECTED, "[!.]*.parquet")
    yield from (work / name for name in _SAID if (work / name).exists())


def _scraps(work: StorePath) -> Iterator[Path]:
    """What a step was working with when it was killed; an object store gets its files whole."""
    if isinstance(work, Path):
        yield from work.glob(".scratch-*")
        for folder in ("load", "redact"):
            yield from (work / folder).rglob(f"{TEMPORARY}*")
