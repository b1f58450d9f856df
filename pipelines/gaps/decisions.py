"""Deciding on gaps: the rules that hold for the command line and the board alike, and the backlog as of now."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lacuna.data_contracts.errors import DecidedMeanwhile, DecisionInvalid, NoSuchGap, NotAllowed
from lacuna.models.backlog.lifecycle import Decision, Life, allowed, in_force, last_targets, life_of
from lacuna.pipelines.gaps import due_dates
from lacuna.pipelines.gaps.decision_fields import checked
from lacuna.pipelines.gaps.first_seen import seen_days
from lacuna.pipelines.gaps.status import as_decided, status_now
from lacuna.pipelines.presentation.suggestions import did_you_mean
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state import decision_log
from lacuna.pipelines.state.repository import State

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

__all__ = [
    "as_decided",
    "backlog_now",
    "decide",
    "decided",
    "history",
    "lives",
    "standing",
    "status_now",
    "undo",
    "whoami",
]


def whoami(named: str | None = None) -> str:
    """Who decides on this machine: the name given, else ``$LACUNA_USER``, else the login name."""
    return named or os.environ.get("LACUNA_USER") or getpass.getuser()


def decide(
    state: State,
    gap_id: str,
    verb: str,
    who: str,
    *,
    why: str = "",
    payload: Mapping[str, Any] | None = None,
    after: int | None = None,
) -> int:
    """Append one decision on a gap, and return its id.

    Parameters
    ----------
    state
        The state database.
    gap_id, verb, who, why
        Which gap, one of ``models.backlog.actions.ACTIONS``, and a person's name and words.
    payload
        publish: ``on`` (day; today by default), ``article_id``. snooze: ``until`` (day). dismiss: ``reason``, one of
        ``models.backlog.lifecycle.DISMISS_REASONS``. merge: ``into`` (gap_id). assign: ``owner_id`` (None: nobody),
        ``due`` (day or None), at least one of them. undo: ``of`` (id of a decision; the last in force by default).
    after
        The gap's last decision that the person has seen (``Life.last``; 0: none). None decides after whatever is last.

    Raises
    ------
    DecisionInvalid
        The verb or what comes with it can't be read, the owner is unknown, a note is empty, or nobody is named who
        decides.
    NoSuchGap
        No run has recorded the gap.
    NotAllowed
        The gap's status does not take the verb, there is nothing to undo, or the gap to merge into is not alive.
    DecidedMeanwhile
        Somebody has decided on the gap since ``after``; nothing was changed.
    """
    given = checked(verb, payload)
    if not who.strip():
        raise DecisionInvalid("nobody is named who decides", "say who, with --who NAME or $LACUNA_USER", "who")

    if verb == "note" and not why.strip():
        raise DecisionInvalid("the note is empty", "write what whoever looks at it later should know", "why")

    def write(connection: sa.Connection) -> int:
        decision_log.take_turns(connection)
        row, told = _gap(connection, gap_id), decision_log.read(connection, gap_id)
        life = life_of(told)
        if after is not None and after != life.last:
            raise _meanwhile(gap_id, told, after)
        complete = _complete(row, told, life, verb, given)
        then = life_of([*told, Decision(life.last + 1, gap_id, datetime.now(UTC), who, verb, why, complete)])
        if then.merged_into and then.merged_into != life.merged_into:
            _check_target(connection, gap_id, then.merged_into)
        if complete.get("owner_id"):
            _check_owner(connection, complete["owner_id"])
        return decision_log.append(connection, row, verb, who, why, complete, life.last)

    return state.write(write)


def undo(state: State, gap_id: str, who: str, after: int | None = None) -> int:
    """Take back the gap's last decision in force, and return the undo's id; again takes back the one before.

    Raises
    ------
    NoSuchGap, NotAllowed, DecidedMeanwhile
        As :func:`decide`.
    """
    return decide(state, gap_id, "undo", who, after=after)


def lives(state: State, up_to: str | None = None) -> dict[str, Life]:
    """The life of every gap that was decided on; with ``up_to``, as it was on that run's view.

    A merged gap points to the gap at the end of its mergers.
    """
    return last_targets({gap: life_of(said) for gap, said in decided(state, up_to).items()})


def decided(state: State, up_to: str | None = None) -> dict[str, list[Decision]]:
    """The decisions of every gap that was decided on, by id; with ``up_to``, those that this run may know."""
    with state.reading() as connection:
        told = decision_log.read(connection, up_to=up_to)
    by_gap: dict[str, list[Decision]] = {}
    for said in told:
        by_gap.setdefault(said.gap_id, []).append(said)
    return by_gap


def history(state: State, gap_id: str) -> list[Decision]:
    """All decisions on a gap, by id, those taken back included.

    Raises
    ------
    NoSuchGap
        No run has recorded the gap.
    """
    with state.reading() as connection:
        _gap(connection, gap_id)
        return decision_log.read(connection, gap_id)


def standing(state: State, gap_id: str) -> tuple[str, Life]:
    """The status of one gap as of now, and its life.

    Raises
    ------
    NoSuchGap
        No run has recorded the gap.
    """
    with state.reading() as connection:
        row, life = _gap(connection, gap_id), life_of(decision_log.read(connection, gap_id))
    return status_now(row, life)[0], life


def backlog_now(
    store: Path, state: State, settings: Settings, run_id: str | None = None, today: date | None = None
) -> pd.DataFrame:
    """The backlog of a run, the latest by default, with what people have decided since.

    Parameters
    ----------
    settings
        ``[review]`` says until when gaps have to be dealt with.
    run_id
        Which run.
    today
        The day as of which gaps are due; the clock's by default.

    Returns
    -------
    DataFrame
        All columns of ``backlog.parquet``, by rank, with status, status_note (why a run changed the status, or ""),
        owner_id, owner_reason, owner_name, due (the day that somebody set), falls_due (that day, else the one by
        ``[review]``), overdue (days), escalated (whether it is overdue for so long that it goes to the manager), until,
        merged_into, why (of the last decision in force) and last_decision (its ``Life.last``, which the next decision
        names) as of now.

    Raises
    ------
    StoreUnusable, LacunaError
        There is no run, or not this one.
    """
    import pandas as pd

    from lacuna.pipelines.io.runs import find_run
    from lacuna.pipelines.io.store import read_parquet
    from lacuna.pipelines.presentation.spreadsheet import records

    run = find_run(store, run_id)
    frame = read_parquet(run / "backlog.parquet")
    today = today or due_dates.today()
    known = lives(state)
    with state.reading() as connection:
        seen = seen_days(connection, run.name)
    told = records(frame[[name for name in _READ if name in frame]])
    names = {row["owner_id"]: row.get("owner_name") for row in told}
    rows = []
    for row in told:
        life = known.get(row["gap_id"], Life())
        status, note = status_now(row, life)
        duty = due_dates.duty_now({**row, "status": status}, life, settings, today, seen.get(row["gap_id"]))
        now = {"status": status, "status_note": note, "why": life.why, "last_decision": life.last}
        now |= {"falls_due": duty.due and duty.due.isoformat(), "overdue": duty.overdue, "escalated": duty.escalated}
        rows.append(now | as_decided(row, life, names.get))
    for name, kind in _NOW.items():
        frame[name] = pd.Series([row[name] for row in rows], index=frame.index, dtype=kind)
    return frame.sort_values("rank").reset_index(drop=True)


_NOW = dict.fromkeys(
    ("status", "status_note", "owner_id", "owner_reason", "owner_name", "due", "falls_due", "until", "merged_into",
     "why"), "str",
) | {"overdue": "int64", "escalated": "bool", "last_decision": "int64"}  # fmt: skip
_READ = (
    "gap_id", "rank", "status", "status_note", "status_since", "decided", "first_seen", "last_seen", "conversations",
    "carried", "effect", "owner_id", "owner_reason", "owner_name", "owner_left",
)  # fmt: skip


def _complete(
    row: Mapping[str, Any], told: list[Decision], life: Life, verb: str, given: dict[str, Any]
) -> dict[str, Any]:
    """The payload with what the person need not say; an error where the gap's status does not take the verb."""
    gap = row["gap_id"]
    if verb == "undo":
        return _undone(gap, told, life, given)
    status, _ = status_now(row, life)
    if verb not in allowed(status):
        can = ", ".join((*allowed(status), "undo") if life.undoable else allowed(status))
        merged = f" (merged into {life.merged_into})" if life.merged_into else ""
        raise NotAllowed(f"gap {gap} is {status}{merged}: {verb} is not possible", f"possible are: {can}")
    if verb == "publish" and not given.get("on"):
        return {**given, "on": datetime.now(UTC).date().isoformat()}
    if verb == "publish" and given["on"] > (datetime.now(UTC) + timedelta(days=1)).date().isoformat():  # east of UTC
        raise DecisionInvalid(f"{given['on']} has not come yet", "say so on that day, or start drafting", "on")
    if verb == "dismiss" and given.get("conversations") is None:
        return {**given, "conversations": row.get("conversations")}
    if verb == "snooze" and given["until"] <= str(row["last_seen"]):
        raise DecisionInvalid(
            f"the snooze of gap {gap} would end on {given['until']}, before it began",
            f"choose a day after that of the latest run, {row['last_seen']}",
            "until",
        )
    return given


def _undone(gap: str, told: list[Decision], life: Life, given: dict[str, Any]) -> dict[str, Any]:
    target = given.get("of") or life.undoable
    if not target:
        raise NotAllowed(f"there is no decision on gap {gap} to take back", f"`lacuna backlog {gap}` lists them")
    there = next((said for said in told if said.id == target), None)
    said = Decision(life.last + 1, gap, datetime.now(UTC), "", "undo", payload={"of": target})
    if there is None or in_force([*told, said]) == in_force(told):
        state = "is not one on gap" if there is None else "has been taken back already on gap"
        raise NotAllowed(f"decision {target} {state} {gap}", f"the last in force is {life.undoable or 'none'}")
    return {"of": target}


def _check_target(connection: sa.Connection, gap_id: str, into: str) -> None:
    if into == gap_id:
        raise NotAllowed(f"gap {gap_id} can't be merged into itself", "name another gap")
    row = _gap(connection, into)
    life = life_of(decision_log.read(connection, into))
    status, _ = status_now(row, life)
    if status == "dismissed":
        elsewhere = f"merge into {life.merged_into}" if life.merged_into else "reopen that one first"
        raise NotAllowed(f"gap {into} is dismissed itself, and nothing can be merged into it", elsewhere)


def _check_owner(connection: sa.Connection, owner_id: str) -> None:
    if decision_log.is_owner(connection, owner_id):
        return
    known = decision_log.owner_ids(connection)
    if known and owner_id not in known:
        listed = ", ".join(known[:12]) + (" …" if len(known) > 12 else "")
        remedy = did_you_mean(owner_id, known, f"there are: {listed}; they come from the bundle's owners")
        raise DecisionInvalid(f"there is no owner '{owner_id}'", remedy, "owner_id")


def _gap(connection: sa.Connection, gap_id: str) -> dict[str, Any]:
    row = decision_log.gap_row(connection, gap_id)
    if row is not None:
        return row
    known = decision_log.gap_ids(connection)
    otherwise = f"{len(known)} gaps are known; `lacuna backlog` lists them"
    raise NoSuchGap(f"there is no gap '{gap_id}'", did_you_mean(gap_id, known, otherwise, most=3, cutoff=0.4))


def _meanwhile(gap_id: str, told: list[Decision], after: int) -> DecidedMeanwhile:
    newer = [said for said in told if said.id > after]
    if not newer:
        return DecidedMeanwhile(f"gap {gap_id} has no decision {after}", "look at it again, and decide then")
    last = newer[-1]
    what = f"{last.who} decided meanwhile on gap {gap_id}: {last.verb} at {last.at:%Y-%m-%d %H:%M} UTC"
    because = f" (“{last.why}”)" if last.why else ""
    return DecidedMeanwhile(f"{what}{because}", "nothing was changed; look at it again, and decide then")
