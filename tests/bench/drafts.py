"""Ten drafts of demo and replays in the docs: scored against a checklist, and edited to what could be published."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.bench.common import REPLAY, RUN_ID, demo_runs, run
from tests.support.paths import REPO

EDITED = Path(__file__).parent / "edited_drafts"
LONGEST = 400  # words of an article
_DIFF = re.compile(r"^```diff\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
CHANGED = 0.6  # least likeness (Ratcliff & Obershelp 1988) of a sentence that was changed and not written anew
CHECKS = {
    "answer": "The answer comes first",
    "cases": "Cases are told apart",
    "consistent": "Nothing contradicts itself",
    "grounded": "Nothing is invented or taken for granted",
    "sourced": "Every sentence has its source (counted)",
    "style": "It reads as the house writes",
    "short": f"At most {LONGEST} words (counted)",
    "ready": "Ready after ten minutes",
}


@dataclass(frozen=True)
class Judged:
    """A draft with what a writer made of it."""

    name: str
    kind: str
    conversations: int
    path: str
    article: str
    edited: str
    verdict: dict[str, Any]

    @property
    def sentences(self) -> list[str]:
        """What the draft proposes: the sentences of its article, or the lines that it adds to one."""
        return sentences(self.article)

    def counts(self) -> tuple[int, int, int, int]:
        """Sentences kept as they are, changed, dropped, and written anew."""
        left, kept, changed, anew = list(self.sentences), 0, 0, 0
        for sentence in sentences(self.edited):
            near = max(left, key=lambda one: _likeness(one, sentence), default="")
            likeness = _likeness(near, sentence) if near else 0.0
            if likeness >= CHANGED:
                left.remove(near)
                kept, changed = kept + (likeness == 1), changed + (likeness < 1)
            else:
                anew += 1
        return kept, changed, len(left), anew


def drafts(folder: Path) -> int:
    """Write ten drafts of the demo and two replays into docs/drafts.md, scored and with what a writer changed."""
    demo = demo_runs(folder)
    for name in ("", "-s12"):
        run(REPLAY.with_name(REPLAY.name + name) / "bundle", folder / f"store{name}")
    page = REPO / "docs" / "drafts.md"
    runs = {"demo": demo} | {f"replay{name}": folder / f"store{name}" / "runs" / RUN_ID for name in ("", "-s12")}
    page.write_text(drafts_page(runs), encoding="utf-8")
    print(page)
    return 0


def drafts_page(runs: dict[str, Path]) -> str:
    """The page, from the folders of three runs by name."""
    judged = [_judged(path, runs) for path in sorted(EDITED.glob("*.md"))]
    parts = [(EDITED / "head.txt").read_text(encoding="utf-8").strip(), _scores(judged), _edits(judged)]
    for number, one in enumerate(judged, start=1):
        notes = "\n".join(f"- {note}" for note in one.verdict["notes"])
        edited = one.edited.strip()
        folded = (
            f"<details><summary>The draft, and what became of it</summary>\n\n**As written** (`{one.path}`)\n\n"
            f"{_lower(one.article)}\n\n**As edited**\n\n{_lower(edited)}\n\n</details>"
        )
        parts.append(f"### {number}. {one.name}\n\n{notes}\n\n{folded}")
    return "\n\n".join(parts) + "\n"


def _judged(path: Path, runs: dict[str, Path]) -> Judged:
    head, edited = path.read_text(encoding="utf-8").removeprefix("---\n").split("\n---\n", 1)
    verdict = yaml.safe_load(head)
    folder = runs[verdict["run"]]
    rows = [json.loads(line) for line in (folder / "backlog.jsonl").read_text(encoding="utf-8").splitlines()]
    row = [row for row in rows if row["draft"] and row["kind"] == verdict["kind"]][verdict["which"]]
    text = (folder / row["draft"]).read_text(encoding="utf-8").split("\n---\n", 1)[1]
    article = text.split("\n## Evidence\n", 1)[0].strip()
    return Judged(verdict["name"], row["kind"], row["conversations"], row["draft"], article, edited, verdict)


def _scores(judged: list[Judged]) -> str:
    """The table of scores: checks that can be counted are counted, the others are as a reader judged them."""
    lines = ["| | draft | " + " | ".join(CHECKS) + " | holds |", "|---|---|" + "---|" * (len(CHECKS) + 1)]
    for number, one in enumerate(judged, start=1):
        marks = {check: bool(one.verdict.get(check)) for check in CHECKS}
        marks["sourced"], marks["short"] = _all_sourced(one.article), _words(one.article) <= LONGEST
        cells = " | ".join("✓" if marks[check] else "✗" for check in CHECKS)
        lines.append(f"| {number} | {one.name} ({one.kind}) | {cells} | {sum(marks.values())} of {len(CHECKS)} |")
    ready = sum(bool(one.verdict.get("ready")) for one in judged)
    return "\n".join(lines) + f"\n\n**Ready after ten minutes: {ready} of {len(judged)}.**"


def _edits(judged: list[Judged]) -> str:
    lines = ["| | draft | sentences | kept | changed | dropped | written anew |", "|---|---|---|---|---|---|---|"]
    sums = [0, 0, 0, 0]
    for number, one in enumerate(judged, start=1):
        counts = one.counts()
        sums = [total + count for total, count in zip(sums, counts, strict=True)]
        lines.append(f"| {number} | {one.name} | {len(one.sentences)} | " + " | ".join(map(str, counts)) + " |")
    total = sum(sums[:3])
    shares = " | ".join(f"{count} ({count / max(1, total):.0%})" for count in sums[:3])
    lines.append(f"| | **all** | {total} | {shares} | {sums[3]} |")
    return "## What a writer changed\n\n" + "\n".join(lines)


def sentences(article: str) -> list[str]:
    """The sentences that a text proposes to readers: what a diff adds, and the prose and lists of an article."""
    found = []
    for line in _proposed(article):
        plain = re.sub(r"\[\^\d+\]|\*\*|\\", "", re.sub(r"^(?:\d+\.|-) ", "", line))
        found += [part.strip() for part in re.split(r"(?<=[.!?])\s+(?=[A-ZÄÖÜ])", plain) if part.strip()]
    return found


def _proposed(article: str) -> list[str]:
    """The lines that a text proposes to readers, with their footnotes."""
    diffs = [diff.splitlines() for diff in _DIFF.findall(article)]
    added = [line[1:] for diff in diffs for line in diff if line.startswith("+") and not line.startswith("+#")]
    body = _DIFF.sub("", article)
    if re.search(r"^> \*\*(?!Write)", body, flags=re.MULTILINE):  # of a change: the parts in other languages alone
        body = "".join(re.findall(r"^## In .*?(?=^## (?!In )|\Z)", body, flags=re.MULTILINE | re.DOTALL))
    body = re.split(r"^## (?:To settle|Ask the expert).*$", body, flags=re.MULTILINE)[0]
    body = re.sub(r"^#+ (?:Related articles|See also|Verwandte Artikel)\n+(?:- .*\n?)+", "", body, flags=re.MULTILINE)
    lines = [line.strip() for line in body.splitlines()]
    return added + [line for line in lines if line and not line.startswith(("#", ">", "*", "["))]


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one.rstrip("."), other.rstrip(".")).ratio()


def _all_sourced(article: str) -> bool:
    """Whether each line that a draft proposes has a footnote, and each footnote its line."""
    notes = set(re.findall(r"^\[\^(\d+)\]:", article, flags=re.MULTILINE))
    marks = [re.findall(r"\[\^(\d+)\]", line) for line in _proposed(article)]
    return all(mark and set(mark) <= notes for mark in marks)


def _words(article: str) -> int:
    return sum(len(sentence.split()) for sentence in sentences(article))


def _lower(text: str) -> str:
    """A draft within a page: headings three levels lower, footnotes as plain text."""
    text = "\n".join(f"###{line}" if line.startswith("#") else line for line in text.splitlines())
    return re.sub(r"^(\[\^\d+\]:.*)$", r"\1  ", text, flags=re.MULTILINE)
