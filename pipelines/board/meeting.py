"""The review meeting: gap after gap with the evidence to decide, a clock, and the minutes at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from lacuna.data_contracts.sent import whole_number
from lacuna.models.backlog.actions import ACTIONS
from lacuna.models.backlog.lifecycle import Decision
from lacuna.pipelines.board import drafting
from lacuna.pipelines.board.actions import likeness, merge_choices, proposed
from lacuna.pipelines.board.bodies import RowId
from lacuna.pipelines.board.context import BoardContext, context_of, first, person_of
from lacuna.pipelines.board.filters import VIEWS, Query, matching_gaps
from lacuna.pipelines.board.roles import may
from lacuna.pipelines.board.snapshot import GapNow, Now
from lacuna.pipelines.board.transcripts import readable
from lacuna.pipelines.board.view import gap_page, histories, when
from lacuna.pipelines.gaps.decisions import history
from lacuna.pipelines.gaps.minutes import ListedGap, decided_gaps, made_in, minutes
from lacuna.pipelines.presentation.charts import weekly_chart
from lacuna.pipelines.presentation.format import day, line, record
from lacuna.pipelines.state.meetings import (
    Meeting,
    begin_meeting,
    end_meeting,
    latest_meetings,
    meeting_of,
    reopen_meeting,
)

__all__ = ["begin", "close", "router"]

router = APIRouter(include_in_schema=False)
_CHOICES = ("todo", "late", "work")  # the views of the backlog that a meeting can go through
_STALE = timedelta(hours=12)  # a meeting that nobody ended is over by then
_MOST_GAPS, _MOST_MINUTES = 200, 480
_EARLIER = 12  # meetings listed
_ALIKE = 0.35  # likeness from which another gap is named beside one: more than intents alone


def meeting_path(meeting_id: int, gap_id: str = "") -> str:
    """The address of a meeting, at one of its gaps or where it stands."""
    return f"/meeting/{meeting_id}" + (f"?{urlencode({'gap': gap_id})}" if gap_id else "")


@dataclass(frozen=True)
class _Place:
    """One gap of a meeting's list: the gap as of now, and what the meeting has decided on it."""

    number: int
    gap: GapNow
    decision: Decision | None

    @property
    def outcome(self) -> str:
        """What was decided, such as ``accepted``; empty where nothing was."""
        return ACTIONS[self.decision.verb].past if self.decision else ""


def _places(board: BoardContext, now: Now, meeting: Meeting) -> list[_Place]:
    """The meeting's gaps that are still in the backlog, in order."""
    settled = decided_gaps(_decisions(board, meeting))
    gaps = [now.by_id[gap_id] for gap_id in meeting.gaps if gap_id in now.by_id]
    return [_Place(number, gap, settled.get(gap.id)) for number, gap in enumerate(gaps, 1)]


def _decisions(board: BoardContext, meeting: Meeting) -> list[Decision]:
    return made_in(meeting, board.snapshot.since(meeting.began_at))


def _next_open(places: Sequence[_Place], number: int) -> _Place | None:
    """The first gap after ``number`` that waits for a decision, else the first before it; None where none does."""
    waiting = [place for place in places if place.decision is None and place.number != number]
    return next((place for place in waiting if place.number > number), waiting[0] if waiting else None)


# -- beginning and ending ---------------------------------------------------------------------------------------------


@router.get("/meeting")
def start(request: Request) -> Response:
    """The page on which a meeting begins or goes on, with the earlier ones and their minutes."""
    board, person = context_of(request), person_of(request)
    now, moment = board.snapshot.now(), datetime.now(UTC)
    earlier = latest_meetings(board.state, _EARLIER)
    open_one = next((one for one in earlier if one.ended_at is None and moment - one.began_at < _STALE), None)
    places = _places(board, now, open_one) if open_one else []
    listed = [(view, VIEWS[view][0], len(_listed(now, view))) for view in _CHOICES]
    return board.page(
        request, "meeting_start", here="meeting", open_one=open_one, began=when(open_one.began_at) if open_one else "",
        decided=sum(place.decision is not None for place in places), total=len(places),
        views=[entry for entry in listed if entry[2] or entry[0] == "todo"], agenda=_listed(now, "todo"),
        gaps=board.settings.board.meeting_gaps, minutes=board.settings.board.meeting_minutes,
        most_gaps=_MOST_GAPS, most_minutes=_MOST_MINUTES, leads=may(person, "meeting"),
        earlier=[(one, when(one.began_at)) for one in earlier],
    )  # fmt: skip


def _listed(now: Now, view: str) -> list[GapNow]:
    return matching_gaps(now.gaps, Query(view=view))


async def begin(request: Request) -> Response:
    """Begin a meeting over the first gaps of the backlog."""
    return await run_in_threadpool(_begin, request, await request.form(max_files=0, max_fields=10))


def _begin(request: Request, form: FormData) -> Response:
    board, person = context_of(request), person_of(request)
    if not may(person, "meeting"):
        return board.message_page(request, 403, "Not yours to do", "A manager begins a meeting; you may look at it.")
    defaults = board.settings.board
    many = _number(first(form, "gaps"), defaults.meeting_gaps, _MOST_GAPS)
    planned = _number(first(form, "minutes"), defaults.meeting_minutes, _MOST_MINUTES)
    view = first(form, "view")
    gaps = _listed(board.snapshot.now(), view if view in _CHOICES else "todo")[:many]
    if not gaps:
        return board.message_page(request, 409, "Nothing to go through", "No gap of the backlog waits for that.")
    number = begin_meeting(board.state, person.name, [gap.id for gap in gaps], planned)
    return RedirectResponse(meeting_path(number), 303)


def _number(text: str, default: int, most: int) -> int:
    return default if (number := whole_number(text)) is None else min(most, max(1, number))


async def close(request: Request, meeting_id: RowId) -> Response:
    """End a meeting, or let one that has ended go on."""
    form = await request.form(max_files=0, max_fields=5)
    return await run_in_threadpool(_close, request, meeting_id, first(form, "again") == "yes")


def _close(request: Request, meeting_id: RowId, again: bool) -> Response:
    board, person = context_of(request), person_of(request)
    if not may(person, "meeting"):
        return board.message_page(request, 403, "Not yours to do", "A manager ends a meeting; you may look at it.")
    if again:
        reopen_meeting(board.state, meeting_id)
        return RedirectResponse(meeting_path(meeting_id), 303)
    end_meeting(board.state, meeting_id)
    return RedirectResponse(f"/meeting/{meeting_id}/minutes", 303)


# -- gap after gap ----------------------------------------------------------------------------------------------------


@router.get("/meeting/{meeting_id}")
def meeting_view(request: Request, meeting_id: RowId) -> Response:
    """One gap of a meeting: the one that the address names, else the first that waits for a decision."""
    board, person = context_of(request), person_of(request)
    now, meeting = board.snapshot.now(), meeting_of(board.state, meeting_id)
    if meeting is None or now.run is None:
        return _no_such_meeting(board, request)
    places = _places(board, now, meeting)
    wanted = request.query_params.get("gap", "")
    place = next((one for one in places if one.gap.id == wanted), None)
    if place is None and meeting.ended_at is None:
        place = _next_open(places, 0)
    if place is None:
        return RedirectResponse(f"/meeting/{meeting_id}/minutes", 303)
    gap, following = place.gap, _next_open(places, place.number)
    onward = meeting_path(meeting_id, following.gap.id) if following else f"/meeting/{meeting_id}/minutes"
    here, at = meeting_path(meeting_id, gap.id), place.number - 1
    toast = board.toast(request, person)
    if toast and toast["back"]:
        toast["to"] = meeting_path(meeting_id, toast["back"][0].rpartition(":")[0])
    can, shown = board.actions_for(person, gap), gap_page(now.run, gap)
    begun = day(record(now.run.run_json.get("window")).get("start"))
    return board.page(
        request, "meeting", here="meeting", meeting=meeting, places=places, place=place, gap=gap,
        shown=shown, chart=weekly_chart(shown["weekly"], begun, shown["change"], 390, 104), can=can,
        onward=onward, stay=here, toast=toast, readable=readable(now.run),
        before=meeting_path(meeting_id, places[at - 1].gap.id) if at else "",
        after=meeting_path(meeting_id, places[at + 1].gap.id) if at + 1 < len(places) else "",
        decided=sum(one.decision is not None for one in places), clock=_clock(meeting),
        decision_log=histories(history(board.state, gap.id), now)[:3],
        has_draft=drafting.text_of(board, gap) is not None, chapters=drafting.chapters(board, gap),
        alike=_alike(now, gap) if "merge" in can else None,
        into=now.by_id.get(gap.life.merged_into or ""),
    )  # fmt: skip


def _alike(now: Now, gap: GapNow) -> GapNow | None:
    """The gap that has so much in common with this one that they may be one."""
    if named := proposed(now, gap):
        return named[0]
    nearest = next(iter(merge_choices(now, [gap], "")), None)
    return nearest if nearest and likeness(gap, nearest) >= _ALIKE else None


@router.get("/meeting/{meeting_id}/draft")
def draft(request: Request, meeting_id: RowId) -> Response:
    """A gap's draft, to be read without leaving the meeting."""
    board, gap_id = context_of(request), request.query_params.get("gap", "")
    gap = board.snapshot.now().by_id.get(gap_id)
    text = drafting.read(board, gap) if gap else None
    if gap is None or text is None:
        return board.message_page(request, 404, "No draft", "The latest run wrote no draft for this gap.")
    return board.page(
        request, "meeting_draft", here="meeting", gap=gap, draft=text, back=meeting_path(meeting_id, gap_id)
    )


def _clock(meeting: Meeting) -> dict[str, Any]:
    """The clock as it stands when the page is made; a script lets it go on."""
    moment = meeting.ended_at or datetime.now(UTC)
    seconds = max(0, int((moment - meeting.began_at).total_seconds()))
    return {
        "seconds": seconds, "shown": clock_text(seconds), "planned": clock_text(60 * meeting.minutes),
        "runs": meeting.ended_at is None,
    }  # fmt: skip


def clock_text(seconds: int) -> str:
    """A span as a clock shows it.

    Examples
    --------
    >>> clock_text(75), clock_text(3700)
    ('1:15', '1:01:40')
    """
    hours, rest = divmod(seconds, 3600)
    short = f"{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"
    return f"{hours}:{short}" if hours else short


# -- minutes ----------------------------------------------------------------------------------------------------------


@router.get("/meeting/{meeting_id}/minutes")
def minutes_page(request: Request, meeting_id: RowId) -> Response:
    """The minutes so far, to read, copy and download."""
    board, person = context_of(request), person_of(request)
    now, meeting = board.snapshot.now(), meeting_of(board.state, meeting_id)
    if meeting is None:
        return _no_such_meeting(board, request)
    places = _places(board, now, meeting)
    text = minutes_of(board, now, meeting)
    return board.page(
        request, "meeting_minutes", here="meeting", meeting=meeting, began=when(meeting.began_at), minutes=text,
        shown=drafting.rendered(text, 0), decided=sum(place.decision is not None for place in places),
        left=sum(place.decision is None for place in places), total=len(places), leads=may(person, "meeting"),
        path=f"/meeting/{meeting_id}", clock=_clock(meeting),
    )  # fmt: skip


@router.get("/meeting/{meeting_id}/minutes.md")
def minutes_file(request: Request, meeting_id: RowId) -> Response:
    """The minutes as a Markdown file."""
    board = context_of(request)
    meeting = meeting_of(board.state, meeting_id)
    if meeting is None:
        return _no_such_meeting(board, request)
    name = f"minutes-{meeting.began_at:%Y-%m-%d}-{meeting.id}.md"
    return PlainTextResponse(
        minutes_of(board, board.snapshot.now(), meeting), media_type="text/markdown",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )  # fmt: skip


def minutes_of(board: BoardContext, now: Now, meeting: Meeting) -> str:
    """The minutes of a meeting as of now, as Markdown."""
    gaps = {
        gap.id: ListedGap(
            line(gap.shown["title"]), str(gap.record.kind), int(gap.record.rank), gap.status,
            now.owner_names.get(gap.owner_id or "", gap.owner_id or ""), gap.keys["due"] or "", gap.life.until or "",
        )
        for gap in now.gaps
    }  # fmt: skip
    return minutes(meeting, _decisions(board, meeting), gaps, now.owner_names, datetime.now(UTC))


def _no_such_meeting(board: BoardContext, request: Request) -> Response:
    return board.message_page(request, 404, "No such meeting", "The page “Meeting” lists those there were.")
