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
from lacuna.pipelines.presentation.format import as_shown
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
_RATES = ("weekly_rate", "score")  # rounded as on the board, where people have just seen them
TO_FILL = ("decision", "reason", "until", "into", "on", "article_id", "assign_to", "due", "why")
COLUMNS = (*SHOWN, *TO_FILL, "last_decision")


@dataclass(frozen=True)
class Refused:
    """A row of the file that was left out: its line, the column and value that are wrong, and why."""

    line: int
    column: str
    value: str
    error: LacunaError


@dataclass
class Applied:
    """The result of reading a file: how many decisions were recorded, how many were before, and the rows left out."""

    recorded: int = 0
    already_recorded: int = 0
    refused: list[Refused] = field(default_factory=list)


def sheet(backlog: pd.DataFrame) -> bytes:
    """The backlog as of now as CSV: the columns that describe each gap, and empty columns for the decision.

    Parameters
    ----------
    backlog
        As :func:`pipelines.gaps.decisions.backlog_now` gives it.
    """
    rows = []
    for row in records(backlog):
        shown: dict[str, Any] = {name: row.get(name) for name in SHOWN}
        shown |= {name: as_shown(row.get(name)) for name in _RATES}
        rows.append(shown | dict.fromkeys(TO_FILL, "") | {"last_decision": row["last_decision"]})
    return to_csv(rows, COLUMNS)


def apply_sheet(state: State, path: Path, who: str) -> Applied:
    """Record the decisions of a filled-in sheet; wrong rows are left out, and the others are recorded.

    The columns gap_id and decision are required. A row's assign_to (an owner_id, or ``nobody``) and due are a decision
    to assign, after the row's own decision where it has one; a row with none of them records nothing. The other columns
    are optional: with last_decision, a gap that was decided on since the sheet was written is left alone. Reading the
    same file again records nothing twice. In a sheet without the column assign_to, which earlier versions wrote, the
    decision ``assign`` takes owner_id and due.

    Raises
    ------
    LacunaError
        The file can't be read, or misses a column.
    """
    raw = parse(path.name if path.suffix.lower() == ".csv" else f"{path.name}.csv", _bytes(path), COLUMNS)
    names = {str(name).strip().lower(): name for name in raw.frame.columns}
    missing = [name for name in ("gap_id", "decision") if name not in names]
    if missing:
        columns = ", ".join(str(name) for name in raw.frame.columns) or "nothing"
        raise LacunaError(
            f"{path} has no column '{missing[0]}' (found: {columns})",
            "start from the file that `lacuna backlog --csv FILE` writes",
        )
    result = Applied()
    for broken in raw.broken:
        result.refused.append(Refused(broken.row, "", broken.text, BundleUnreadable(broken.why, "put the row right")))
    rows = [
        _Row(int(line), {name: _text(cells[column]) for name, column in names.items()})
        for line, cells in zip(raw.rows, raw.frame.to_dict("records"), strict=True)
    ]
    _record(state, [row for row in rows if _read(row, result)], who, result)
    result.refused.sort(key=lambda each: each.line)
    return result


@dataclass
class _Row:
    """A row of the file, the gap's last decision when the sheet was written, and the row's decisions with payloads."""

    line: int
    cells: Mapping[str, str]
    last_decision: int | None = None
    decisions: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def refused(self, action: str, error: LacunaError) -> Refused:
        """The row as one that was left out, because this action of it can't be recorded."""
        column = _column(error, action, self.cells)
        return Refused(self.line, column, self.cells.get(column, ""), error)


def _payload(action: str, cells: Mapping[str, str]) -> dict[str, str]:
    """The fields that a row gives for its action."""
    takes = ACTIONS[action].takes if action in ACTIONS else ()
    return {name: cells[name] for name in takes if cells.get(name)}


def _read(row: _Row, result: Applied) -> bool:
    """Read the decisions of a row; False, with the error in ``result``, where one of them can't be read."""
    cells, decision = row.cells, row.cells["decision"].lower()
    actions = []
    if decision not in ("", "assign"):
        actions.append((decision, _payload(decision, cells)))
    if (assignment := _assignment(cells)) or decision == "assign":
        actions.append(("assign", assignment))
    action = decision
    try:
        row.last_decision = _number(cells.get("last_decision", "")) if actions else None
        for action, payload in actions:
            row.decisions.append((action, checked(action, payload)))
    except LacunaError as error:
        result.refused.append(row.refused(action, error))
        return False
    return True


def _assignment(cells: Mapping[str, str]) -> dict[str, Any]:
    """The payload of a row's decision to assign: owner and due day; empty where it assigns nothing."""
    payload: dict[str, Any] = {}
    if owner := cells.get("assign_to"):
        payload["owner_id"] = None if owner.lower() == "nobody" else owner
    if "assign_to" not in cells:  # an earlier sheet: owner_id and due show what is, unless the decision is to assign
        if cells["decision"].lower() != "assign":
            return {}
        if "owner_id" in cells:
            payload["owner_id"] = cells["owner_id"] or None
    return payload | ({"due": cells["due"]} if cells.get("due") else {})


def _record(state: State, rows: Sequence[_Row], who: str, result: Applied) -> None:
    remaining = Counter(row.cells["gap_id"] for row in rows for _ in row.decisions)
    last_recorded: dict[str, int | None] = {}
    for row in rows:
        gap, author, why = row.cells["gap_id"], row.cells.get("who") or who, row.cells.get("why", "")
        for index, (action, payload) in enumerate(row.decisions):
            try:
                after = last_recorded.get(gap, row.last_decision)
                recorded = _recorded_before(history(state, gap), after, remaining[gap], (action, author, why), payload)
                decision_id = recorded or decide(state, gap, action, author, why=why, payload=payload, after=after)
            except LacunaError as error:
                result.refused.append(row.refused(action, error))
                remaining[gap] -= len(row.decisions) - index
                break
            last_recorded[gap] = None if recorded and after is None else decision_id
            remaining[gap] -= 1
            result.already_recorded += bool(recorded)
            result.recorded += not recorded


def _recorded_before(
    decisions: Sequence[Decision],
    after: int | None,
    limit: int,
    decision: tuple[str, str, str],
    payload: Mapping[str, Any],
) -> int | None:
    """The id of the same person's same decision with the same reason since ``after``: the file was read before.

    Where the sheet has no last_decision, the gap's latest decisions are compared, as many as the file still has for
    the gap (``limit``).
    """
    later = decisions[-limit:] if after is None else [each for each in decisions if each.id > after]
    for each in later:
        if (each.verb, each.who, each.why) == decision and payload.items() <= dict(each.payload).items():
            return each.id
    return None


def _column(error: LacunaError, action: str, row: Mapping[str, str]) -> str:
    if isinstance(error, DecisionInvalid):
        return "assign_to" if error.field == "owner_id" and "assign_to" in row else error.field
    if isinstance(error, NoSuchGap):
        return "into" if action == "merge" and f"'{row.get('into')}'" in error.problem else "gap_id"
    return "last_decision" if isinstance(error, DecidedMeanwhile) else "decision"


def _number(text: str) -> int | None:
    if not text:
        return None
    try:
        return int(float(text))  # spreadsheets like to write 12 as 12.0
    except (ValueError, OverflowError):
        problem = f"'last_decision' is no number: {text!r}"
        raise DecisionInvalid(
            problem, "leave it as `lacuna backlog --csv` wrote it, or empty", "last_decision"
        ) from None


def _text(cell: object) -> str:
    """A cell as it was before it was guarded for spreadsheets."""
    return unguarded(cell.strip()) if isinstance(cell, str) else ""


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LacunaError(f"{path} can't be read: {error.strerror}", "check the path given with --from") from None
