"""The minutes of a review meeting as Markdown: what was decided, by whom, what is next, and what was left open.

They are made from the log of decisions alone, so that they can be made at any time, and come out the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lacuna.data_contracts.errors import DecisionInvalid
from lacuna.models.backlog.actions import ACTIONS
from lacuna.models.backlog.gap_kinds import kind_label
from lacuna.models.backlog.lifecycle import IN_PROGRESS, UNDECIDED, Decision, in_force
from lacuna.pipelines.gaps.decision_words import decision_words
from lacuna.pipelines.gaps.decisions import backlog_now
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.presentation.format import plural, short_day, text
from lacuna.pipelines.presentation.markdown import inline, quote
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state import decision_log
from lacuna.pipelines.state.meetings import Meeting, latest_meetings
from lacuna.pipelines.state.repository import State

__all__ = ["ListedGap", "decided_gaps", "made_in", "minutes", "minutes_since"]

# Decisions by their verb, in the order in which minutes count them.
_OUTCOMES = {
    "accept": "accepted", "draft": "begun", "publish": "published", "verify": "verified", "merge": "merged",
    "dismiss": "dismissed", "snooze": "snoozed", "reopen": "reopened",
}  # fmt: skip


@dataclass(frozen=True)
class ListedGap:
    """What minutes say of a gap as it stands now; ``owner`` is a name, ``due`` and ``until`` are days, "" for none."""

    title: str
    kind: str
    rank: int
    status: str
    owner: str = ""
    due: str = ""
    until: str = ""


def made_in(meeting: Meeting, decisions: Sequence[Decision]) -> list[Decision]:
    """The decisions that were made while a meeting went on and are in force, by id.

    Parameters
    ----------
    decisions
        All decisions, or those since the meeting began, of all gaps.
    """
    during = [
        one for one in decisions
        if one.at >= meeting.began_at and (meeting.ended_at is None or one.at <= meeting.ended_at)
    ]  # fmt: skip
    by_gap: dict[str, list[Decision]] = {}
    for decision in during:
        by_gap.setdefault(decision.gap_id, []).append(decision)
    standing = [decision for own in by_gap.values() for decision in in_force(own)]
    return sorted(standing, key=lambda decision: decision.id)


def decided_gaps(decisions: Sequence[Decision]) -> dict[str, Decision]:
    """The decision that gave each gap its status last, by gap_id; gaps only assigned or noted are left out."""
    return {one.gap_id: one for one in decisions if one.verb in ACTIONS and ACTIONS[one.verb].status is not None}


def minutes(
    meeting: Meeting,
    decisions: Sequence[Decision],
    gaps: Mapping[str, ListedGap],
    owner_names: Mapping[str, str],
    now: datetime,
) -> str:
    """The minutes of a meeting, as Markdown.

    Parameters
    ----------
    meeting
        When it was and what was on its list; one without a list covers all that was decided in its time.
    decisions
        From :func:`made_in`.
    gaps
        The backlog as it stands, by gap_id.
    owner_names
        By owner_id.
    now
        The moment until which a meeting that has not ended has gone on.
    """
    by_gap: dict[str, list[Decision]] = {}
    for decision in decisions:
        by_gap.setdefault(decision.gap_id, []).append(decision)
    settled = decided_gaps(decisions)
    place = {gap: at for at, gap in enumerate(meeting.gaps)}
    order = sorted(by_gap, key=lambda gap: (place.get(gap, len(place)), _rank(gaps, gap), gap))
    left = [gap for gap in meeting.gaps if gap not in settled and gap in gaps and gaps[gap].status in UNDECIDED]
    titles = {gap: listed.title for gap, listed in gaps.items()}
    told = [_entry(gap, by_gap[gap], gaps, titles, owner_names) for gap in order if gap in settled]
    changed = [_entry(gap, by_gap[gap], gaps, titles, owner_names) for gap in order if gap not in settled]
    chapters = [
        ("Decided", told or ["- Nothing yet."]),
        ("Changed without a decision", changed),
        ("Next", _next_steps(order, gaps)),
        ("Left open", [f"- {_named(gap, gaps)}" for gap in left]),
    ]
    body = [f"## {heading}\n\n" + "\n".join(lines) for heading, lines in chapters if lines]
    return "\n\n".join([_head(meeting, settled, left, now), *body]) + "\n"


def minutes_since(store: StorePath, state: State, settings: Settings, since: str) -> str:
    """The minutes of the last meeting (``last``), or of all that was decided since a day or a moment.

    Parameters
    ----------
    since
        ``last``, or a day or moment as ``2024-07-01`` or ``2024-07-01T14:00``; UTC where it names no time zone.

    Raises
    ------
    DecisionInvalid
        It is neither, or there was no meeting.
    StoreUnusable
        There is no run.
    """
    now = datetime.now(UTC)
    if since == "last":
        meeting = next(iter(latest_meetings(state, 1)), None)
        if meeting is None:
            raise DecisionInvalid("there was no meeting yet", "name a day instead: --minutes 2024-07-01")
    else:
        meeting = Meeting(0, _moment(since), "", now, None, 0, ())
    with state.reading() as connection:
        decisions = made_in(meeting, decision_log.read(connection))
    rows = records(backlog_now(store, state, settings))
    names = {str(row["owner_id"]): str(row["owner_name"] or row["owner_id"]) for row in rows if row["owner_id"]}
    gaps = {
        str(row["gap_id"]): ListedGap(
            text(row["title"]), str(row["kind"]), int(row["rank"]), str(row["status"]),
            names.get(str(row["owner_id"]), ""), text(row["falls_due"]), text(row["until"]),
        )
        for row in rows
    }  # fmt: skip
    return minutes(meeting, decisions, gaps, names, now)


def _moment(since: str) -> datetime:
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        remedy = "write `last`, a day such as 2024-07-01, or a moment such as 2024-07-01T14:00"
        raise DecisionInvalid(f"'{since}' is no day and no moment", remedy) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _head(meeting: Meeting, settled: Mapping[str, Decision], left: Sequence[str], now: datetime) -> str:
    end = meeting.ended_at or now
    took = max(1, round((end - meeting.began_at).total_seconds() / 60))
    until = f"{end:%H:%M} UTC" if end.date() == meeting.began_at.date() else f"{short_day(end.date())}, {end:%H:%M} UTC"
    began = f"Began {meeting.began_at:%H:%M}, ended {until} ({plural(took, 'minute')})"
    running = f"Began {meeting.began_at:%H:%M} UTC, still going on ({plural(took, 'minute')})"
    since = f"All that was decided from {meeting.began_at:%H:%M} to {until}"
    span = since if not meeting.id else began if meeting.ended_at else running
    by, run = (f", led by {inline(meeting.began_by)}" if meeting.id else ""), f" Run {meeting.run_id}."
    counts = [
        f"{number} {words}" for verb, words in _OUTCOMES.items()
        if (number := sum(decision.verb == verb for decision in settled.values()))
    ]  # fmt: skip
    of = f" of {len(meeting.gaps)}" if meeting.gaps else ""
    total = sum(gap in settled for gap in meeting.gaps) if meeting.gaps else len(settled)
    also = len(settled) - total
    decided = f"{total}{of} gaps decided" + (f", and {also} beside the list" if also else "")
    tally = decided + (f": {', '.join(counts)}" if counts else "") + "."
    open_words = f" {len(left)} left open." if left else ""
    day = short_day(meeting.began_at.date(), year=True)
    return f"# Knowledge gaps: minutes of {day}\n\n{span}{by}.{run if meeting.run_id else ''}\n\n{tally}{open_words}"


def _entry(
    gap_id: str, own: Sequence[Decision], gaps: Mapping[str, ListedGap], titles: Mapping[str, str],
    owner_names: Mapping[str, str],
) -> str:  # fmt: skip
    """One gap: what was done to it, by whom and why, and whose it is now."""
    lines = [f"- **{_named(gap_id, gaps)}**"]
    for decision in own:
        lines.append(f"  - {inline(decision.who)} {inline(decision_words(decision, titles, owner_names))}")
        if decision.why:
            lines.append("\n".join(f"    {line}" for line in quote(decision.why).split("\n")))
    listed = gaps.get(gap_id)
    if listed and listed.status in (*UNDECIDED, *IN_PROGRESS):
        lines.append(f"  - Owner: {inline(listed.owner) or 'nobody yet'}{_due(listed)}")
    return "\n".join(lines)


def _next_steps(order: Sequence[str], gaps: Mapping[str, ListedGap]) -> list[str]:
    """Who does what until when: by owner, work that nobody has first; then what comes back by itself."""
    work = [gap for gap in order if gap in gaps and gaps[gap].status in IN_PROGRESS]
    steps = [f"- Find an owner for {_named(gap, gaps)}" for gap in work if not gaps[gap].owner]
    owned = sorted((gap for gap in work if gaps[gap].owner), key=lambda gap: (gaps[gap].owner, gaps[gap].due))
    steps += [f"- {inline(gaps[gap].owner)}: {_named(gap, gaps)}{_due(gaps[gap])}" for gap in owned]
    asleep = [gap for gap in order if gap in gaps and gaps[gap].status == "snoozed"]
    steps += [f"- {_named(gap, gaps)} comes back on {short_day(gaps[gap].until, year=True)}" for gap in asleep]
    return steps


def _named(gap_id: str, gaps: Mapping[str, ListedGap]) -> str:
    listed = gaps.get(gap_id)
    if listed is None:
        return f"{inline(gap_id)} (no longer in the backlog)"
    return f"{inline(listed.title)} ({kind_label(listed.kind).lower()}, rank {listed.rank})"


def _rank(gaps: Mapping[str, ListedGap], gap_id: str) -> int:
    return gaps[gap_id].rank if gap_id in gaps else 10**6


def _due(listed: ListedGap) -> str:
    return f", due {short_day(listed.due, year=True)}" if listed.due else ""
