"""Decisions by spreadsheet: the backlog out as CSV with columns to fill in, and the filled-in file back in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_contracts.errors import BundleUnreadable, DecidedMeanwhile, DecisionInvalid, LacunaError, NoSuchGap
from models.life import Decision
from pipelines.cells import records, unguarded
from pipelines.decision_payloads import FIELDS, checked
from pipelines.decisions import decide, history
from pipelines.formats import parse
from pipelines.state import State
from pipelines.workbook import to_csv

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Applied", "Refused", "apply_sheet", "sheet"]

SHOWN = (
    "rank", "gap_id", "kind", "status", "status_note", "title", "conversations", "weekly_rate", "score",
    "cost_avoidable", "first_seen", "falls_due", "overdue", "owner_id", "due",
)  # fmt: skip
TO_FILL = ("decision", "reason", "until", "into", "on", "article_id", "why")
COLUMNS = (*SHOWN, *TO_FILL, "last_decision")


@dataclass(frozen=True)
class Refused:
    """A row that was left out: its line in the file, the column and value that are wrong, and why."""

    line: int
    column: str
    value: str
    error: LacunaError


@dataclass
class Applied:
    """What became of a file: decisions recorded, rows whose decision was there already, and rows left out."""

    recorded: int = 0
    known: int = 0
    refused: list[Refused] = field(default_factory=list)


def sheet(backlog: pd.DataFrame) -> bytes:
    """The backlog as of now as CSV: what to know of each gap, and empty columns for the decision.

    Parameters
    ----------
    backlog
        As :func:`pipelines.decisions.backlog_now` gives it.
    """
    rows = []
    for row in records(backlog):
        shown: dict[str, Any] = {name: row.get(name) for name in SHOWN}
        rows.append(shown | dict.fromkeys(TO_FILL, "") | {"last_decision": row["last_decision"]})
    return to_csv(rows, COLUMNS)


def apply_sheet(state: State, path: Path, who: str) -> Applied:
    """Record the decisions of a filled-in sheet; a row that is wrong is left out, and the others are recorded.

    Needed are the columns gap_id and decision; a row without a decision says nothing. The other columns of the sheet
    are read where they are there: with last_decision, a gap that was decided on since the sheet was written is left
    alone. The same file again records nothing twice.

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
    last: dict[str, int] = {}
    for line, cells in zip(raw.rows, raw.frame.to_dict("records"), strict=True):
        row = {name: _text(cells[column]) for name, column in names.items()}
        if row["decision"]:
            _apply(state, int(line), row, who, last, done)
    done.refused.sort(key=lambda refused: refused.line)
    return done


def _apply(state: State, line: int, row: Mapping[str, str], who: str, last: dict[str, int], done: Applied) -> None:
    gap, verb = row["gap_id"], row["decision"].lower()
    by = row.get("who") or who
    try:
        payload, why = checked(verb, _payload(verb, row)), row.get("why", "")
        after = last.get(gap, _number(row.get("last_decision", "")))
        there = _there_already(history(state, gap), after, (verb, by, why), payload)
        last[gap] = there or decide(state, gap, verb, by, why=why, payload=payload, after=after)
        done.known += bool(there)
        done.recorded += not there
    except LacunaError as error:
        column = _column(error, verb, row)
        done.refused.append(Refused(line, column, row.get(column, ""), error))


def _payload(verb: str, row: Mapping[str, str]) -> dict[str, Any]:
    fields = [name for name in FIELDS.get(verb, ()) if name in row]
    given: dict[str, Any] = {name: row[name] for name in fields if row[name]}
    if verb == "assign" and "owner_id" in row:
        given["owner_id"] = row["owner_id"] or None
    return given


def _there_already(
    said: Sequence[Decision], after: int | None, told: tuple[str, str, str], payload: Mapping[str, Any]
) -> int | None:
    """The same person's same decision in the same words since ``after``: the file was read before.

    Where the sheet does not say what was seen, the gap's last decision alone is compared.
    """
    later = said[-1:] if after is None else [one for one in said if one.id > after]
    for one in later:
        if (one.verb, one.who, one.why) == told and payload.items() <= dict(one.payload).items():
            return one.id
    return None


def _column(error: LacunaError, verb: str, row: Mapping[str, str]) -> str:
    if isinstance(error, DecisionInvalid):
        return error.field
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
