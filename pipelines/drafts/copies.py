"""Working copies of drafts in the writers' folder, updated without overwriting what a person wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lacuna.data_contracts.errors import LacunaError
from lacuna.models.backlog.lifecycle import WAITING
from lacuna.pipelines.drafts.front_matter import edited, evidence_hash, values
from lacuna.pipelines.drafts.names import safe_name
from lacuna.pipelines.io.store import write_bytes

__all__ = ["NEW", "Copy", "export", "listed"]

NEW = ".new.md"


@dataclass(frozen=True)
class Copy:
    """A draft compared with its working copy or with the draft of the run before.

    ``state`` is ``new`` (there is no copy), ``unchanged``, ``edited`` (a person changed it), ``evidence changed`` (the
    draft has changed), both of these, or ``no draft`` (the gap did not wait for a writer when the run was made).
    ``path`` is the copy, else the draft; ``new_draft`` is the new draft next to an edited copy.
    """

    gap_id: str
    title: str
    owner_id: str | None
    status: str
    state: str
    path: Path | None
    new_draft: Path | None = None
    note: str = ""


def listed(
    run: Path, backlog: Iterable[Mapping[str, Any]], before: Path | None = None, owner: str | None = None
) -> list[Copy]:
    """The drafts of gaps that wait for a writer, compared with those of the run before, by owner and rank.

    Parameters
    ----------
    run, before
        Folders of the run and of the one before it.
    backlog
        The current rows of the run (:func:`pipelines.gaps.decisions.backlog_now`).
    owner
        Only this owner's drafts; "unowned" for those without an owner.
    """
    previous_drafts = _DraftFolder(before / "drafts") if before is not None else None
    copies = []
    for row, path in _waiting(run, backlog, owner):
        if path is None:
            copies.append(_copy(row, "no draft", None))
            continue
        text = _read(path)
        previous_path = previous_drafts.of(str(row["gap_id"])) if previous_drafts else None
        state = _state(_read(previous_path), text) if previous_path else "new"
        if edited(text):
            state = "edited"
        copies.append(_copy(row, state, path))
    return copies


def export(run: Path, backlog: Iterable[Mapping[str, Any]], into: Path, owner: str | None = None) -> list[Copy]:
    """Update the working copies in a folder from the drafts of a run.

    An unedited copy is replaced if the evidence has changed; an edited one stays as it is, and the new draft is written
    next to it as ``<name>.new.md``. Copies are identified by the gap_id in their front matter, else by their name, so
    that they may be renamed and moved. A second export writes nothing.

    Raises
    ------
    LacunaError
        The folder lies in a run or is a file, or can't be written.
    """
    if run.parent.resolve() in (into.resolve(), *into.resolve().parents):
        raise LacunaError(f"{into} lies in the store's runs, which Lacuna replaces", "name a folder outside the store")
    try:
        into.mkdir(parents=True, exist_ok=True)
        existing = _DraftFolder(into)
        return [
            _export(row, path, existing.of(str(row["gap_id"])), into) if path else _copy(row, "no draft", None)
            for row, path in _waiting(run, backlog, owner)
        ]
    except OSError as error:
        raise LacunaError(
            f"{error.filename or into} can't be written: {error.strerror}", "check --into and your rights on it"
        ) from error


def _export(row: Mapping[str, Any], path: Path, copy: Path | None, into: Path) -> Copy:
    draft = path.read_bytes()
    text = draft.decode("utf-8", "replace")
    target = copy or into / _owner(row) / path.name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(target, draft)
        return _copy(row, "new", target)
    state = _state(_read(target), text)
    if state == "evidence changed":
        write_bytes(target, draft)
    if state != "edited, evidence changed":
        return _copy(row, state, target)
    new_draft = target.with_name(target.name.removesuffix(".md") + NEW)
    new_draft_state = _state(_read(new_draft), text) if new_draft.exists() else "new"
    if new_draft_state in ("new", "evidence changed"):
        write_bytes(new_draft, draft)
    note = "the new file was edited too, and stays" if new_draft_state.startswith("edited") else ""
    return _copy(row, state, target, new_draft, note)


def _state(copy: str, draft: str) -> str:
    changed = evidence_hash(copy) != evidence_hash(draft)
    if edited(copy):
        return "edited, evidence changed" if changed else "edited"
    return "evidence changed" if changed else "unchanged"


def _waiting(
    run: Path, backlog: Iterable[Mapping[str, Any]], owner: str | None
) -> list[tuple[Mapping[str, Any], Path | None]]:
    """Rows that wait for a writer, each with the path of its draft if the run has one, by owner and rank."""
    rows = [row for row in backlog if row.get("status") in WAITING]
    rows = [row for row in rows if owner in (None, row.get("owner_id") or "unowned")]
    rows.sort(key=lambda row: (row.get("owner_id") is None, str(row.get("owner_id")), row.get("rank") or 0))
    rows_and_paths: list[tuple[Mapping[str, Any], Path | None]] = []
    for row in rows:
        path = run / str(row["draft"]) if row.get("draft") else None
        rows_and_paths.append((row, path if path is not None and path.is_file() else None))
    return rows_and_paths


class _DraftFolder:
    """The drafts in a folder, looked up by the gap_id in their front matter, else by their name."""

    def __init__(self, folder: Path) -> None:
        self._files: list[tuple[Path, str, bool]] = []
        for path in sorted(folder.rglob("*.md")):
            if path.is_file() and not path.name.endswith(NEW):
                text = _read(path)
                self._files.append((path, str(values(text).get("gap_id") or ""), edited(text)))

    def of(self, gap_id: str) -> Path | None:
        """The file of a gap; of several, one that a person edited."""
        name = safe_name(gap_id)
        matches = [(not was_edited, path) for path, gap, was_edited in self._files if gap == gap_id]
        matches = matches or [
            (not was_edited, path)
            for path, gap, was_edited in self._files
            if not gap and (path.stem == name or path.name.startswith(f"{name}-"))
        ]
        return min(matches)[1] if matches else None


def _read(path: Path | None) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path is not None else ""


def _owner(row: Mapping[str, Any]) -> str:
    return safe_name(str(row["owner_id"])) if row.get("owner_id") else "unowned"


def _copy(row: Mapping[str, Any], state: str, path: Path | None, new_draft: Path | None = None, note: str = "") -> Copy:
    owner = str(row["owner_id"]) if row.get("owner_id") else None
    return Copy(
        str(row["gap_id"]), str(row.get("title") or ""), owner, str(row["status"]), state, path, new_draft, note
    )
