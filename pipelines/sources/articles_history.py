"""What git knows about the pages of a folder: who changed which of them when."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lacuna.pipelines.presentation import progress

__all__ = ["Revision", "code_owners", "head_of", "history"]

_RECORD, _FIELD = "\x1e", "\x1f"
_FORMAT = _RECORD + _FIELD.join(("%aI", "%aE", "%aN", "%s")) + _FIELD
_OWNERS_AT = ("CODEOWNERS", ".github/CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")


@dataclass(frozen=True)
class Revision:
    """A change of a page."""

    at: datetime
    email: str
    summary: str


def head_of(folder: Path) -> str | None:
    """The commit that is checked out in the repository that a folder is in; None where it is in none."""
    return _git(folder, "rev-parse", "HEAD")


def history(folder: Path) -> tuple[dict[str, list[Revision]], dict[str, str]]:
    """The revisions of each page, by its path in the folder, and people's names by address.

    The newest revision is the first; a page keeps them when it is renamed.

    One call of git for all pages. There are none where the folder is in no repository, or its clone is cut off: the
    first commit of such a clone would pass for the day on which every page was written.
    """
    if _git(folder, "rev-parse", "--is-shallow-repository") != "false":
        if head_of(folder):
            progress.log.warning(
                "%s is a clone without its history, so pages have no dates and no authors: git fetch --unshallow",
                folder,
            )
        return {}, {}
    log = _git(
        folder, "-c", "core.quotepath=off", "log", "--no-merges", "--relative", "-M", "--name-status",
        f"--format={_FORMAT}", "--", ".",
    )  # fmt: skip
    pages: dict[str, list[Revision]] = {}
    people: dict[str, str] = {}
    today: dict[str, str] = {}  # names that pages had once, and have now
    for record in (log or "").split(_RECORD)[1:]:
        at, email, name, summary, files = record.split(_FIELD)
        revision = Revision(datetime.fromisoformat(at).astimezone(UTC), email.lower(), summary)
        people.setdefault(revision.email, name)
        for line in files.strip().splitlines():
            status, *paths = line.split("\t")
            page = today.get(paths[-1], paths[-1])
            if status.startswith("R"):
                today[paths[0]] = page
            if status not in ("D", "R100"):
                pages.setdefault(page, []).append(revision)
    return pages, people


def code_owners(folder: Path) -> Callable[[str], str]:
    """What gives the first owner of a page by its path in the folder, as the repository's CODEOWNERS has it, or ""."""
    top = Path(_git(folder, "rev-parse", "--show-toplevel") or folder).resolve()
    file = next((top / name for name in _OWNERS_AT if (top / name).is_file()), None)
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file else []
    rules = [
        (_pattern(words[0]), words[1] if words[1:] else "")
        for words in (line.split("#")[0].split() for line in lines)
        if words and not words[0].startswith(("[", "^["))  # sections, as GitLab has them
    ]

    def owner(page: str) -> str:
        path = (folder.resolve() / page).relative_to(top).as_posix()
        # The last rule that fits counts; one without an owner takes it away.
        return next((name for pattern, name in reversed(rules) if pattern.match(path)), "")

    return owner


def _pattern(glob: str) -> re.Pattern[str]:
    """A pattern as .gitignore has them, of paths in the repository."""
    anywhere = "" if "/" in glob.rstrip("/") else "(?:.*/)?"
    body = re.escape(glob.strip("/"))
    for mark, meaning in ((r"\*\*/", "(?:.*/)?"), (r"\*\*", ".*"), (r"\*", "[^/]*"), (r"\?", "[^/]")):
        body = body.replace(mark, meaning)
    # "docs/*" means the files of that folder alone; "docs" and "docs/" all that is below it.
    below = "" if glob.endswith("/*") else "(?:/.*)?"
    return re.compile(rf"{anywhere}{body}{below}\Z")


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True, text=True, encoding="utf-8", errors="replace", check=False, timeout=600,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip("\n") if done.returncode == 0 else None
