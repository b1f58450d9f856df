"""The DAG files: where they are installed, and their copies in a scheduler's folder."""

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
# An edited copy is recognised by the hash in its first line, which no longer matches.
_HEAD = re.compile(rb"# From lacuna-kb; as it came, what follows has the SHA-256 ([0-9a-f]{64})\.\n")

Copied = tuple[Path, Literal["new", "unchanged", "updated", "edited"]]


def dag_files() -> list[Path]:
    """The DAG files of this checkout, else those that were installed with the package."""
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").exists():
        return sorted((checkout / "dags").glob("*.py"))
    installed = metadata.distribution("lacuna-kb").files or []
    return sorted(Path(str(file.locate())).resolve() for file in installed if SHARE in file.as_posix())


def copy_dags(into: Path) -> list[Copied]:
    """Update the copies in a folder, and return what was done with each.

    A copy that nobody edited is replaced if the DAG has changed. An edited one stays; if the DAG has changed since, the
    new DAG is written next to it as ``<name>.py.new``.

    Raises
    ------
    LacunaError
        The folder is a file, or can't be written.
    """
    try:
        into.mkdir(parents=True, exist_ok=True)
        return [copied for source in dag_files() for copied in _copied(source.read_bytes(), into / source.name)]
    except OSError as error:
        where = error.filename or into
        raise LacunaError(f"{where} can't be used: {error.strerror}", "check --into and your rights on it") from error


def _copied(content: bytes, target: Path) -> list[Copied]:
    copy = _headed(content)
    if not target.exists():
        write_bytes(target, copy)
        return [(target, "new")]
    current = target.read_bytes()
    if current in (copy, content):
        return [(target, "unchanged")]
    if _untouched(current):
        write_bytes(target, copy)
        return [(target, "updated")]
    if current.startswith(copy.partition(b"\n")[0]):
        return [(target, "edited")]
    new_file = target.with_name(target.name + NEW)
    is_same = new_file.exists() and new_file.read_bytes() == copy
    write_bytes(new_file, copy)
    return [(target, "edited"), (new_file, "unchanged" if is_same else "new")]


def _headed(content: bytes) -> bytes:
    digest = hashlib.sha256(content).hexdigest()
    return f"# From lacuna-kb; as it came, what follows has the SHA-256 {digest}.\n".encode() + content


def _untouched(copy: bytes) -> bool:
    head = _HEAD.match(copy)
    return head is not None and head[1].decode() == hashlib.sha256(copy[head.end() :]).hexdigest()
