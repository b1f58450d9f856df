"""Texts as they came in, and names that these showed, in the work folder of a run: which files hold them, and away.

They are needed until the run's step redact is done. What is done of a run is kept without them, and a run that still
needs them loads them again.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.processes import TEMPORARY
from lacuna.pipelines.io.store import files_in, write_bytes

__all__ = ["RAW_REMOVED", "holds_raw_texts", "remove_raw_texts"]

RAW_REMOVED = "load/raw_removed"  # the document that says that they are gone
_TEXTS = ("load/messages", "load/outcomes", "load/searches")
_REJECTED = "load/quarantine"
# What redact learns from the texts: words as they stand there, and who is named in which conversation.
_LEARNT = ("redact/words", "redact/names", "redact/customer_names")
_LEXICON = "redact/lexicon.json"


def holds_raw_texts(work: StorePath) -> bool:
    """Whether a work folder may hold texts as they came in."""
    try:
        told = json.loads((work / f"{RAW_REMOVED}.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return (work / "load").exists()
    except ValueError:
        return True
    return not told["finished"]


def remove_raw_texts(work: StorePath) -> None:
    """Empty the files of a work folder that hold them; the files' names, which tell shards, stay."""
    _say(work, finished=False)  # from here on nobody may rely on them
    for name in (*_TEXTS, *_LEARNT):
        for path in (*files_in(_parent(work, name), f"{name.rpartition('/')[2]}.parquet"), *_shards(work / name)):
            path.write_bytes(b"")
    for path in _shards(work / _REJECTED):
        path.write_bytes(b"")
    (work / _LEXICON).unlink(missing_ok=True)
    if isinstance(work, Path):  # an object store gets its files whole, and has no scratch folders
        for scratch in work.glob(".scratch-*"):
            shutil.rmtree(scratch)
        for half in (*(work / "load").rglob(f"{TEMPORARY}*"), *(work / "redact").rglob(f"{TEMPORARY}*")):
            half.unlink(missing_ok=True)
    _say(work, finished=True)


def _shards(folder: StorePath) -> list[StorePath]:
    return files_in(folder, "[!.]*.parquet")


def _parent(work: StorePath, name: str) -> StorePath:
    return work / name.rpartition("/")[0]


def _say(work: StorePath, finished: bool) -> None:
    tables = [*_TEXTS, _REJECTED, *_LEARNT]
    document = json.dumps({"tables": tables, "finished": finished}, indent=2)
    write_bytes(work / f"{RAW_REMOVED}.json", f"{document}\n".encode())
