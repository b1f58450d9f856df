"""Decisions by spreadsheet: the backlog out as CSV with columns to fill in, and the filled-in file back in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lacuna.data_contracts.errors import BundleUnreadable, DecidedMeanwhile, DecisionInvalid, LacunaError, NoSuchGap
from lacuna.models.backlog.actions import ACTIONS
from lacuna.models.backlog.lifecycle import Decision
from lacuna.pipelines.gaps.decision_fields import checked
from lacuna.pipelines.gaps.decisions import decide, history
from lacuna.pipelines.io.formats import parse
from lacuna.pipelines.presentation.spreadsheet import records, unguarded
from lacuna.pipelines.state.repository import State
from lacuna.pipelines.steps.publish.workbook import to_csv

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Applied", "Refused", "apply_sheet", "sheet"]

SHOWN = (
    "rank", "gap_id", "kind", "status", "status_note", "title", "conversations", "weekly_rate", "score",
    "cost_avoidable", "first_seen", "owner_id", "falls_due", "overdue",
)  # fmt: skip
TO_FILL = ("decision", "reason", "until", "into", "on", "article_id", "assign_to", "due", "why")
COLUMNS = (*SHOWN, *TO_FILL, "last_decision")


@dataclass(frozen=True)
class Refused:
    """What was left out of a row: its line in the file, the column and value that are wrong, and why."""

    line: int
    column: str
    value: str
    error: LacunaError


@dataclass
class Applied:
    """What became of a file: decisions recorded, those that were there already, and what was left out."""

    recorded: int = 0
    known: int = 0
    refused: list[Refused] = field(default_factory=list)


def sheet(backlog: pd.DataFrame) -> bytes:
    """The backlog as of now as CSV: what to know of each gap, and empty columns for the decision.

    Parameters
    ----------
    backlog
        As :func:`pipelines.gaps.decisions.backlog_now` gives it.
    """
    rows = []
    for row in records(backlog):
        shown: dict[str, Any] = {name: row.get(name) for name in SHOWN}
        rows.append(shown | dict.fromkeys(TO_FILL, "") | {"last_decision": row["last_decision"]})
    return to_csv(rows, COLUMNS)


def apply_sheet(state: State, path: Path, who: str) -> Applied:
    """Record the decisions of a filled-in sheet; what is wrong is left out, and the rest is recorded.

    Needed are the columns gap_id and decision. A row's assign_to (an owner_id, or ``nobody``) and due are a decision to
    assign, after the row's own where it has one; a row without either says nothing. The other columns of the sheet are
    read where they are there: with last_decision, a gap that was decided on since the sheet was written is left alone.
    The same file again records nothing twice. In a sheet without the column assign_to, which earlier versions wrote,
    the decision ``assign`` takes owner_id and due.

    Raises
    ------
    LacunaError
        The file can't be read, or misses a column.
    """
    raw = parse(path.name if path.suffix.lower() == ".csv" else f"{path.name}.csv", _bytes(path), COLUMNS)
    names = {str(name).strip().lower(): name for name in raw.frame.columns}
    missing = [name for name in ("gap_id", "decision") if name not in names]
    if missing:
        found = ", ".join(str(name) for name in raw.frame.columns) or "nothing"
        raise LacunaError(
            f"{path} has no column '{missing[0]}' (found: {found})",
            "start from the file that `lacuna backlog --csv FILE` writes",
        )
    done = Applied()
    for broken in raw.broken:
        done.refused.append(Refused(broken.row, "", broken.text, BundleUnreadable(broken.why, "put the row right")))
    rows = [
        _Row(int(line), {name: _text(cells[column]) for name, column in names.items()})
        for line, cells in zip(raw.rows, raw.frame.to_dict("records"), strict=True)
    ]
    _record(state, [row for row in rows if _read(row, done)], who, done)
    done.refused.sort(key=lambda refused: refused.line)
    return done


@dataclass
class _Row:
    """A row of the file, the gap's decision that it has seen, and what it decides in order, with what comes with it."""

    line: int
    cells: Mapping[str, str]
    seen: int | None = None
    said: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def refused(self, verb: str, error: LacunaError) -> Refused:
        """What is told of the row where a decision of it can't be recorded."""
        column = _column(error, verb, self.cells)
        return Refused(self.line, column, self.cells.get(column, ""), error)


def _with_it(action: str, cells: Mapping[str, str]) -> dict[str, str]:
    """What a row says with its decision."""
    takes = (*ACTIONS[action].fields, *ACTIONS[action].adds) if action in ACTIONS else ()
    return {name: cells[name] for name in takes if cells.get(name)}


def _read(row: _Row, done: Applied) -> bool:
    """Read what a row decides: whether it can be read, all of it."""
    cells, told = row.cells, row.cells["decision"].lower()
    given = []
    if told not in ("", "assign"):
        given.append((told, _with_it(told, cells)))
    if (duty := _duty(cells)) or told == "assign":
        given.append(("assign", duty))
    verb = told
    try:
        row.seen = _number(cells.get("last_decision", "")) if given else None
        for verb, payload in given:
            row.said.append((verb, checked(verb, payload)))
    except LacunaError as error:
        done.refused.append(row.refused(verb, error))
        return False
    return True


def _duty(cells: Mapping[str, str]) -> dict[str, Any]:
    """Whom a row assigns the gap to, and by when."""
    given: dict[str, Any] = {}
    if owner := cells.get("assign_to"):
        given["owner_id"] = None if owner.lower() == "nobody" else owner
    if "assign_to" not in cells:  # an earlier sheet: owner_id and due show what is, unless the decision is to assign
        if cells["decision"].lower() != "assign":
            return {}
        if "owner_id" in cells:
            given["owner_id"] = cells["owner_id"] or None
    return given | ({"due": cells["due"]} if cells.get("due") else {})


def _record(state: State, rows: Sequence[_Row], who: str, done: Applied) -> None:
    to_come = Counter(row.cells["gap_id"] for row in rows for _ in row.said)
    last: dict[str, int | None] = {}
    for row in rows:
        gap, by, why = row.cells["gap_id"], row.cells.get("who") or who, row.cells.get("why", "")
        for at, (verb, payload) in enumerate(row.said):
            try:
                after = last.get(gap, row.seen)
                there = _there_already(history(state, gap), after, to_come[gap], (verb, by, why), payload)
                number = there or decide(state, gap, verb, by, why=why, payload=payload, after=after)
            except LacunaError as error:
                done.refused.append(row.refused(verb, error))
                to_come[gap] -= len(row.said) - at
                break
            last[gap] = None if there and after is None else number
            to_come[gap] -= 1
            done.known += bool(there)
            done.recorded += not there


def _there_already(
    said: Sequence[Decision], after: int | None, most: int, told: tuple[str, str, str], payload: Mapping[str, Any]
) -> int | None:
    """The same person's same decision in the same words since ``after``: the file was read before.

    Where the sheet does not say what was seen, the gap's last decisions are compared, as many as the file still has
    for it (``most``).
    """
    later = said[-most:] if after is None else [one for one in said if one.id > after]
    for one in later:
        if (one.verb, one.who, one.why) == told and payload.items() <= dict(one.payload).items():
            return one.id
    return None


def _column(error: LacunaError, verb: str, row: Mapping[str, str]) -> str:
    if isinstance(error, DecisionInvalid):
        return "assign_to" if error.field == "owner_id" and "assign_to" in row else error.field
    if isinstance(error, NoSuchGap):
        return "into" if verb == "merge" and f"'{row.get('into')}'" in error.problem else "gap_id"
    return "last_decision" if isinstance(error, DecidedMeanwhile) else "decision"


def _number(text: str) -> int | None:
    if not text:
        return None
    try:
        return int(float(text))  # spreadsheets like to write 12 as 12.0
    except (ValueError, OverflowError):
        wrong = f"'last_decision' is no number: {text!r}"
        raise DecisionInvalid(wrong, "leave it as `lacuna backlog --csv` wrote it, or empty", "last_decision") from None


def _text(cell: object) -> str:
    """A cell as it was before it was guarded for spreadsheets."""
    return unguarded(cell.strip()) if isinstance(cell, str) else ""


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LacunaError(f"{path} can't be read: {error.strerror}", "check the path given with --from") from None
