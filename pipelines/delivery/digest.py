"""The content of a digest: one message per owner with the gaps that wait for them, and one for the managers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.lifecycle import WAITING
from lacuna.models.backlog.small_gaps import is_folded
from lacuna.pipelines.presentation.format import is_first_run
from lacuna.pipelines.report.gap_figures import figures_of
from lacuna.pipelines.report.incidents import incident_sentences
from lacuna.pipelines.report.small import folded_sentence
from lacuna.pipelines.state.deliveries import Contact

__all__ = ["MANAGERS", "Message", "digests"]

MANAGERS = "managers"
MAX_LISTED = 20  # gaps listed per part; the board has the rest
_PARTS = {
    "escalated": "Overdue for so long that the managers are told",
    "overdue": "Overdue",
    "reopened": "Came back",
    "new": "New this week",
    "published": "Published, waiting to be verified",
    "open": "Still open",
}

_SHORT = {
    "escalated": "overdue for long", "overdue": "overdue", "reopened": "came back", "new": "new",
    "published": "to be verified", "open": "open",
}  # fmt: skip
_URGENT = ("escalated", "overdue", "reopened", "new")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Message:
    """A message to one recipient, an owner_id or ``managers``, as plain text and as HTML."""

    recipient: str
    name: str
    subject: str
    text: str
    html: str


def digests(
    rows: Sequence[Row],
    run_id: str,
    people: Mapping[str, Contact],
    board: str = "",
    title: str = "Knowledge gaps",
    no_gap: str = "",
    run: Mapping[str, Any] | None = None,
    places: Mapping[str, int] | None = None,
) -> list[Message]:
    """The messages of a run's digest: the managers' first, then the owners' by id; no message is empty.

    Parameters
    ----------
    rows
        The current backlog (:func:`pipelines.gaps.decisions.backlog_now`), by rank.
    run_id
        The run of the backlog.
    people
        Owners' names and addresses, by id.
    board
        Address of the board, for links; "" for no links.
    title
        The beginning of the subject.
    no_gap
        Why the run found no gap, sent to the managers if ``rows`` is empty; "" sends nothing.
    run
        `run.json`.
    places
        The place in the suggested order of gaps that are to be written in the order of a lot.
    """
    rows = [{**row, "place": (places or {}).get(str(row["gap_id"]))} for row in rows]
    headings = _PARTS | ({"new": "New in this first run"} if is_first_run(run) else {})
    by_part = [(row, _part(row)) for row in rows]
    waiting = [(row, part) for row, part in by_part if part]
    owner_messages = []
    for owner in sorted({str(row["owner_id"]) for row, _ in waiting if row.get("owner_id")}):
        owner_rows = [(row, part) for row, part in waiting if row.get("owner_id") == owner]
        name = (people[owner].name if owner in people else None) or owner_rows[0][0].get("owner_name") or owner
        lead = f"{_count(len(owner_rows), 'gap')} of yours in the run of {run_id}: {_shares(owner_rows)}."
        owner_messages.append(
            _message(
                owner, str(name), f"{title}: {_shares(owner_rows)}", lead, _parts(owner_rows, board, headings), board
            )
        )
    if not rows:
        lead = f"No gap was found in the run of {run_id}. {no_gap}"
        subject = f"{title}: the week of {run_id}, no gap was found"
        return [_message(MANAGERS, "managers", subject, lead, [], board)] if no_gap else []
    unowned = [(row, part) for row, part in waiting if not row.get("owner_id")]
    urgent = [(row, part) for row, part in waiting if part in _URGENT]
    lead = (
        f"{_count(len(waiting), 'gap')} wait in the run of {run_id}: {_shares(waiting) or 'none'}. "
        f"{_count(len({r['owner_id'] for r, _ in waiting if r.get('owner_id')}), 'owner')} have some, and "
        f"{_count(len(unowned), 'gap')} {'has' if len(unowned) == 1 else 'have'} none."
    )
    for sentence in incident_sentences(Gap.from_row(row) for row in rows):
        lead = f"{lead} {_plain(sentence)}"
    if too_small := folded_sentence(sum(map(_is_folded, rows)), run):
        lead = f"{lead} {too_small}"
    parts = [("Nobody owns these", [_line(row, board) for row, _ in unowned])] if unowned else []
    parts += _parts([pair for pair in urgent if pair[0].get("owner_id")], board, headings, with_owner=True)
    subject = f"{title}: the week of {run_id}, {_shares(waiting) or 'nothing waits'}"
    return [_message(MANAGERS, "managers", subject, lead, parts, board), *owner_messages]


def _part(row: Row) -> str:
    """The part of the digest to which a gap belongs; "" for none."""
    status = str(row["status"])
    if _is_folded(row):
        return ""
    if row["overdue"]:
        return "escalated" if row["escalated"] else "overdue"
    if status in ("new", "reopened", "published"):
        return status
    return "open" if status in WAITING else ""


def _is_folded(row: Row) -> bool:
    return is_folded(row.get("too_small"), str(row["status"]), row.get("due"))


def _parts(
    rows: Sequence[tuple[Row, str]], board: str, headings: Mapping[str, str], with_owner: bool = False
) -> list[tuple[str, list[dict[str, str]]]]:
    sections = []
    for part, heading in headings.items():
        lines = [_line(row, board, with_owner) for row, row_part in rows if row_part == part]
        if lines:
            sections.append((heading, lines))
    return sections


def _line(row: Row, board: str, with_owner: bool = False) -> dict[str, str]:
    gap_figures = figures_of(Gap.from_row(row))
    figures = [str(row["kind"]), *(part for part in (gap_figures.size(), gap_figures.failing()) if part)]
    figures += [f"due {row['falls_due']}"] if row.get("falls_due") else []
    figures += [f"{_count(int(row['overdue']), 'day')} overdue"] if row["overdue"] else []
    figures += [f"owner {row.get('owner_name') or row['owner_id']}"] if with_owner and row.get("owner_id") else []
    figures += [f"to be written as number {row['place']} of the lot"] if row.get("place") else []
    reasons = row.get("reasons")
    why = row.get("status_note") or (reasons[0] if isinstance(reasons, list) and reasons else "")
    return {
        "rank": str(row["rank"]),
        "title": _plain(row.get("title") or "Untitled gap"),
        "figures": _plain(", ".join(figures)),
        "why": _plain(why),
        "draft": _plain(row.get("draft") or ""),
        "link": f"{board.rstrip('/')}/gaps/{quote(str(row['gap_id']), safe='')}" if board else "",
    }


def _message(
    recipient: str, name: str, subject: str, lead: str, parts: Sequence[tuple[str, list[dict[str, str]]]], board: str
) -> Message:
    shown = [(heading, lines[:MAX_LISTED], max(0, len(lines) - MAX_LISTED)) for heading, lines in parts]
    text = [f"Hello {_plain(name)},", "", lead]
    for heading, lines, more in shown:
        text += ["", heading, "-" * len(heading)]
        for line in lines:
            text.append(f"{line['rank']}. {line['title']} ({line['figures']})")
            text += [f"   {label}{line[key]}" for key, label in _LABELS if line[key]]
        text += [f"… and {more} more"] if more else []
    text += ["", f"The board: {board}"] if board else []
    html = _template().render(name=_plain(name), lead=lead, parts=shown, board=board)
    return Message(recipient, name, " ".join(_plain(subject).split()), "\n".join(text) + "\n", html)


_LABELS = (("why", "Why: "), ("draft", "Draft: "), ("link", ""))


@cache
def _template() -> Any:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(files("lacuna.pipelines.delivery").joinpath("digest.html.jinja").read_text("utf-8"))


def _plain(value: object) -> str:
    """A text on one line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())


def _shares(rows: Sequence[tuple[Row, str]]) -> str:
    counts = {part: sum(row_part == part for _, row_part in rows) for part in _PARTS}
    return ", ".join(f"{counts[part]} {_SHORT[part]}" for part in _PARTS if counts[part])


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
