"""The DAG files: where they lie once installed, and their copies in a scheduler's folder."""

from __future__ import annotations

import hashlib
import re
from importlib import metadata
from pathlib import Path
from typing import Literal

from lacuna.data_contracts.errors import LacunaError
from lacuna.pipelines.io.store import write_bytes

__all__ = ["copy_dags", "dag_files"]

SHARE = "share/lacuna-kb/dags/"
NEW = ".new"  # after .py, so that no scheduler takes it for a DAG
# Whoever edits the rest of a copy need not know: it no longer fits what its first line says.
_HEAD = re.compile(rb"# From lacuna-kb; as it came, what follows has the SHA-256 ([0-9a-f]{64})\.\n")

Copied = tuple[Path, Literal["new", "unchanged", "updated", "edited"]]


def dag_files() -> list[Path]:
    """The DAG files of the checkout that this is, else those that were installed with the package."""
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").exists():
        return sorted((checkout / "dags").glob("*.py"))
    installed = metadata.distribution("lacuna-kb").files or []
    return sorted(Path(str(file.locate())).resolve() for file in installed if SHARE in file.as_posix())


def copy_dags(into: Path) -> list[Copied]:
    """Bring the copies in a folder up to date, and say what became of each.

    One that nobody edited is replaced where the DAG has changed; one that a person edited stays, and where the DAG has
    changed since, it is written beside it as ``<name>.py.new``.

    Raises
    ------
    LacunaError
        The folder is a file, or can't be written.
    """
    try:
        into.mkdir(parents=True, exist_ok=True)
        return [told for source in dag_files() for told in _copied(source.read_bytes(), into / source.name)]
    except OSError as error:
        where = error.filename or into
        raise LacunaError(f"{where} can't be used: {error.strerror}", "check --into and your rights on it") from error


def _copied(content: bytes, target: Path) -> list[Copied]:
    copy = _headed(content)
    if not target.exists():
        write_bytes(target, copy)
        return [(target, "new")]
    there = target.read_bytes()
    if there in (copy, content):
        return [(target, "unchanged")]
    if _untouched(there):
        write_bytes(target, copy)
        return [(target, "updated")]
    if there.startswith(copy.partition(b"\n")[0]):
        return [(target, "edited")]
    beside = target.with_name(target.name + NEW)
    known = beside.exists() and beside.read_bytes() == copy
    write_bytes(beside, copy)
    return [(target, "edited"), (beside, "unchanged" if known else "new")]


def _headed(content: bytes) -> bytes:
    digest = hashlib.sha256(content).hexdigest()
    return f"# From lacuna-kb; as it came, what follows has the SHA-256 {digest}.\n".encode() + content


def _untouched(copy: bytes) -> bool:
    head = _HEAD.match(copy)
    return head is not None and head[1].decode() == hashlib.sha256(copy[head.end() :]).hexdigest()
