"""Deciding on gaps, by the same rules on the command line and on the board, and the backlog as of now."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lacuna.data_contracts.errors import DecidedMeanwhile, DecisionInvalid, NoSuchGap, NotAllowed
from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.lifecycle import Decision, GapState, allowed, gap_state, in_force, last_targets
from lacuna.pipelines.gaps import due_dates
from lacuna.pipelines.gaps.decision_fields import checked
from lacuna.pipelines.gaps.first_seen import visible_since_days
from lacuna.pipelines.gaps.status import as_decided, as_found, status_now
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.presentation.suggestions import did_you_mean
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state import decision_log
from lacuna.pipelines.state.repository import State

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

__all__ = [
    "as_decided",
    "as_named",
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


def whoami(name: str | None = None) -> str:
    """Who decides on this machine: the name given, else ``$LACUNA_USER``, else the login name."""
    return name or os.environ.get("LACUNA_USER") or getpass.getuser()


def decide(
    state: State,
    gap_id: str,
    action: str,
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
    gap_id, action, who, why
        The gap, one of ``models.backlog.actions.ACTIONS``, the person who decides, and their reason.
    payload
        publish: ``on`` (day; today by default), ``article_id``. snooze: ``until`` (day). dismiss: ``reason``, one of
        ``models.backlog.lifecycle.DISMISS_REASONS``. merge: ``into`` (gap_id). assign: ``owner_id`` (None: nobody),
        ``due`` (day or None), at least one of them. rename: ``title``. reclassify: ``kind``, ``article_id``
        (needed where the gap has none). exclude, include: ``conversation`` (its id). undo: ``of`` (id of a decision;
        the last in force by default).
    after
        The gap's last decision that the person has seen (``GapState.last``; 0: none). None decides after whatever is
        last.

    Raises
    ------
    DecisionInvalid
        The action is unknown or its payload can't be read, the owner is unknown, a note is empty, or ``who`` is.
    NoSuchGap
        No run has recorded the gap.
    NotAllowed
        The gap's status does not allow the action, there is nothing to undo, or the gap to merge into is dismissed.
    DecidedMeanwhile
        Somebody has decided on the gap since ``after``; nothing was changed.
    """
    fields = checked(action, payload)
    if not who.strip():
        raise DecisionInvalid("nobody is named who decides", "say who, with --who NAME or $LACUNA_USER", "who")

    if action == "note" and not why.strip():
        raise DecisionInvalid("the note is empty", "write what whoever looks at it later should know", "why")

    def write(connection: sa.Connection) -> int:
        decision_log.take_turns(connection)
        row, decisions = _gap(connection, gap_id), decision_log.read(connection, gap_id)
        life = gap_state(decisions)
        if after is not None and after != life.last:
            raise _decided_meanwhile(gap_id, decisions, after)
        complete = _complete(row, decisions, life, action, fields)
        life_after = gap_state(
            [*decisions, Decision(life.last + 1, gap_id, datetime.now(UTC), who, action, why, complete)]
        )
        if life_after.merged_into and life_after.merged_into != life.merged_into:
            _check_target(connection, gap_id, life_after.merged_into)
        if complete.get("owner_id"):
            _check_owner(connection, complete["owner_id"])
        return decision_log.append(connection, row, action, who, why, complete, life.last)

    return state.write(write)


def undo(state: State, gap_id: str, who: str, after: int | None = None) -> int:
    """Take back the gap's last decision in force, and return the undo's id; again takes back the one before.

    Raises
    ------
    NoSuchGap, NotAllowed, DecidedMeanwhile
        As :func:`decide`.
    """
    return decide(state, gap_id, "undo", who, after=after)


def lives(state: State, up_to: str | None = None) -> dict[str, GapState]:
    """The life of every gap that was decided on; with ``up_to``, only decisions made before a later run existed.

    A merged gap points to the gap at the end of its mergers.
    """
    return last_targets({gap: gap_state(gap_decisions) for gap, gap_decisions in decided(state, up_to).items()})


def decided(state: State, up_to: str | None = None) -> dict[str, list[Decision]]:
    """The decisions on every gap that has any, by gap id; with ``up_to``, those made before a later run existed."""
    with state.reading() as connection:
        decisions = decision_log.read(connection, up_to=up_to)
    by_gap: dict[str, list[Decision]] = {}
    for decision in decisions:
        by_gap.setdefault(decision.gap_id, []).append(decision)
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


def standing(state: State, gap_id: str) -> tuple[str, GapState]:
    """The status of one gap as of now, and its life.

    Raises
    ------
    NoSuchGap
        No run has recorded the gap.
    """
    with state.reading() as connection:
        row, life = _gap(connection, gap_id), gap_state(decision_log.read(connection, gap_id))
    return status_now(row, life)[0], life


def as_named(state: State, gap: Gap) -> Gap:
    """A gap of the latest run with the title and the kind that people gave it, also since that run."""
    with state.reading() as connection:
        life = gap_state(decision_log.read(connection, gap.gap_id))
    now = as_decided(gap.as_row(), life, lambda owner: owner)
    return replace(
        gap, **{name: now[name] for name in ("title", "kind", "article_id", "article_title", "found_as", "reasons")}
    )


def backlog_now(
    store: StorePath, state: State, settings: Settings, run_id: str | None = None, today: date | None = None
) -> pd.DataFrame:
    """The backlog of a run, the latest by default, with what people have decided since.

    Parameters
    ----------
    settings
        ``[review]`` sets the due days.
    run_id
        The run.
    today
        The day as of which gaps are due; the clock's by default.

    Returns
    -------
    DataFrame
        All columns of ``backlog.parquet``, by rank, with status, status_note (why a run changed the status, or ""),
        owner_id, owner_reason, owner_name, due (the day that somebody set), falls_due (that day, else the one by
        ``[review]``), overdue (days), escalated (whether it is overdue so long that the manager is informed), until,
        merged_into, why (of the last decision in force) and last_decision (its ``GapState.last``, which the next
        decision names) as of now.

    Raises
    ------
    StoreUnusable, LacunaError
        There is no run, or not this one.
    """
    import pandas as pd

    from lacuna.pipelines.io.run_files import run_table
    from lacuna.pipelines.io.runs import find_run
    from lacuna.pipelines.presentation.spreadsheet import records

    run = find_run(store, run_id)
    backlog = run_table(run / "backlog.parquet", needs=("gap_id", "rank", "title", "kind"))
    today = today or due_dates.today()
    life_of_gap = lives(state)
    with state.reading() as connection:
        visible_since = visible_since_days(connection, run.name)
    gaps = records(backlog[[name for name in _READ if name in backlog]])
    names = {row["owner_id"]: row.get("owner_name") for row in gaps}
    rows = []
    for row in gaps:
        life = life_of_gap.get(row["gap_id"], GapState())
        status, note = status_now(row, life)
        due_date = due_dates.due_date_now(
            {**row, "status": status}, life, settings, today, visible_since.get(row["gap_id"])
        )
        values = {"status": status, "status_note": note, "why": life.why, "last_decision": life.last}
        values |= {
            "falls_due": due_date.due and due_date.due.isoformat(),
            "overdue": due_date.overdue,
            "escalated": due_date.escalated,
        }
        rows.append(values | as_decided(row, life, names.get))
    for name, kind in _NOW.items():
        backlog[name] = pd.Series([row[name] for row in rows], index=backlog.index, dtype=kind)
    return backlog.sort_values("rank").reset_index(drop=True)


_NOW = dict.fromkeys(
    ("status", "status_note", "owner_id", "owner_reason", "owner_name", "due", "falls_due", "until", "merged_into",
     "why", "title", "kind", "article_id", "article_title"), "str",
) | {"found_as": "object", "overdue": "int64", "escalated": "bool", "last_decision": "int64"}  # fmt: skip
_READ = (
    "gap_id", "rank", "status", "status_note", "status_since", "decided", "first_seen", "last_seen", "conversations",
    "carried", "effect", "owner_id", "owner_reason", "owner_name", "owner_left",
    "too_small", "title", "kind", "article_id", "article_title", "nearest_articles", "found_as",
)  # fmt: skip


def _complete(
    row: Mapping[str, Any], decisions: list[Decision], life: GapState, action: str, fields: dict[str, Any]
) -> dict[str, Any]:
    """The payload with defaults filled in; an error where the gap's status does not allow the action."""
    gap = row["gap_id"]
    if action == "undo":
        return _undo_payload(gap, decisions, life, fields)
    status, _ = status_now(row, life)
    if action not in allowed(status):
        possible = ", ".join((*allowed(status), "undo") if life.undoable else allowed(status))
        merged = f" (merged into {life.merged_into})" if life.merged_into else ""
        raise NotAllowed(f"gap {gap} is {status}{merged}: {action} is not possible", f"possible are: {possible}")
    if action == "publish" and not fields.get("on"):
        return {**fields, "on": datetime.now(UTC).date().isoformat()}
    if action == "publish" and fields["on"] > (datetime.now(UTC) + timedelta(days=1)).date().isoformat():  # east of UTC
        raise DecisionInvalid(f"{fields['on']} has not come yet", "say so on that day, or start drafting", "on")
    if action == "reclassify":
        return _reclassified(row, fields)
    if action == "dismiss" and fields.get("conversations") is None:
        return {**fields, "conversations": row.get("conversations")}
    if action == "snooze" and fields["until"] <= str(row["last_seen"]):
        raise DecisionInvalid(
            f"the snooze of gap {gap} would end on {fields['until']}, before it began",
            f"choose a day after that of the latest run, {row['last_seen']}",
            "until",
        )
    return fields


def _reclassified(row: Mapping[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """The kind with the article that it is about: the one named, else the one that was found."""
    if fields["kind"] == "missing":
        return {"kind": "missing"}
    article = fields.get("article_id") or as_found(row).get("article_id")
    if not article:
        raise DecisionInvalid(
            f"a gap that is {fields['kind']} is about an article, and {row['gap_id']} has none",
            "say which with 'article_id'", "article_id",
        )  # fmt: skip
    return {"kind": fields["kind"], "article_id": article}


def _undo_payload(gap: str, decisions: list[Decision], life: GapState, fields: dict[str, Any]) -> dict[str, Any]:
    target = fields.get("of") or life.undoable
    if not target:
        raise NotAllowed(f"there is no decision on gap {gap} to take back", f"`lacuna backlog {gap}` lists them")
    taken_back = next((each for each in decisions if each.id == target), None)
    undo = Decision(life.last + 1, gap, datetime.now(UTC), "", "undo", payload={"of": target})
    if taken_back is None or in_force([*decisions, undo]) == in_force(decisions):
        problem = "is not one on gap" if taken_back is None else "has been taken back already on gap"
        raise NotAllowed(f"decision {target} {problem} {gap}", f"the last in force is {life.undoable or 'none'}")
    return {"of": target}


def _check_target(connection: sa.Connection, gap_id: str, into: str) -> None:
    if into == gap_id:
        raise NotAllowed(f"gap {gap_id} can't be merged into itself", "name another gap")
    row = _gap(connection, into)
    life = gap_state(decision_log.read(connection, into))
    status, _ = status_now(row, life)
    if status == "dismissed":
        remedy = f"merge into {life.merged_into}" if life.merged_into else "reopen that one first"
        raise NotAllowed(f"gap {into} is dismissed itself, and nothing can be merged into it", remedy)


def _check_owner(connection: sa.Connection, owner_id: str) -> None:
    if decision_log.is_owner(connection, owner_id):
        return
    owners = decision_log.owner_ids(connection)
    if owners and owner_id not in owners:
        listed = ", ".join(owners[:12]) + (" …" if len(owners) > 12 else "")
        remedy = did_you_mean(owner_id, owners, f"there are: {listed}; they come from the bundle's owners")
        raise DecisionInvalid(f"there is no owner '{owner_id}'", remedy, "owner_id")


def _gap(connection: sa.Connection, gap_id: str) -> dict[str, Any]:
    row = decision_log.gap_row(connection, gap_id)
    if row is not None:
        return row
    ids = decision_log.gap_ids(connection)
    otherwise = f"{len(ids)} gaps are known; `lacuna backlog` lists them"
    raise NoSuchGap(f"there is no gap '{gap_id}'", did_you_mean(gap_id, ids, otherwise, most=3, cutoff=0.4))


def _decided_meanwhile(gap_id: str, decisions: list[Decision], after: int) -> DecidedMeanwhile:
    newer = [each for each in decisions if each.id > after]
    if not newer:
        return DecidedMeanwhile(f"gap {gap_id} has no decision {after}", "look at it again, and decide then")
    last = newer[-1]
    sentence = f"{last.who} decided meanwhile on gap {gap_id}: {last.verb} at {last.at:%Y-%m-%d %H:%M} UTC"
    reason = f" (“{last.why}”)" if last.why else ""
    return DecidedMeanwhile(f"{sentence}{reason}", "nothing was changed; look at it again, and decide then")
