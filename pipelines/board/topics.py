"""The pages of topics: all of them as one tree, one with its history, and the forms by which people change them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pandas as pd
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from lacuna.data_contracts.errors import DecidedMeanwhile, DecisionInvalid, LacunaError, NotAllowed, Refused
from lacuna.data_contracts.sent import whole_number
from lacuna.pipelines.board.bodies import RowId
from lacuna.pipelines.board.context import ERROR_CODES, BoardContext, context_of, first, local, person_of
from lacuna.pipelines.board.roles import may
from lacuna.pipelines.board.service import edit_topic_as, undo_edit_as
from lacuna.pipelines.board.view import when
from lacuna.pipelines.io.published import read_published
from lacuna.pipelines.presentation.format import line, number, percent
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.report.topic_tree import tree_view
from lacuna.pipelines.state.topic_history import gap_state, topic_rows
from lacuna.pipelines.topic_edits import current_topics, edits_now

__all__ = ["edit", "router", "topic_path", "undo"]

router = APIRouter(include_in_schema=False)
_SHOWN_EDITS = 100


def topic_path(topic_id: str, query: str = "") -> str:
    """The address of a topic's page."""
    return f"/topics/{quote(topic_id, safe='')}{query}"


@router.get("/topics")
def topics(request: Request) -> Response:
    """The latest run's topics as a tree, all topics of all runs, and what people have changed."""
    board = context_of(request)
    words = request.query_params.get("q", "")[:200]
    rows = topic_rows(board.state)
    matching = [t for t in rows if all(w in f"{t['topic_id']} {t['label']}".lower() for w in words.lower().split())]
    run = board.snapshot.now().run
    names = {row["topic_id"]: row["label"] for row in rows}
    return board.page(
        request, "topics", here="topics", topics=matching[:500], total=len(rows), n_matches=len(matching), q=words,
        tree=tree_view(run.topics, run.topic_tree, topic_path, names) if run else {},
        edits=_edits(board, request), done=_done(board, request), back="/topics",
    )  # fmt: skip


@router.get("/topics/{topic_id}")
def topic(request: Request, topic_id: str) -> Response:
    """A topic's history, run by run, with its gaps, and the forms by which it is changed."""
    return _topic_page(context_of(request), request, topic_id)


def _topic_page(
    board: BoardContext, request: Request, topic_id: str, values: dict[str, str] | None = None, code: int = 200,
    wrong: LacunaError | None = None,
) -> Response:  # fmt: skip
    history = gap_state(board.state, topic_id)
    now, person = board.snapshot.now(), person_of(request)
    is_there = now.run is not None and history["last_seen"] == now.run.run_id and not history["ended"]
    can_edit = is_there and may(person, "edit_topic")
    others = [row for row in current_topics(board.state) if row["topic_id"] != topic_id] if can_edit else []
    return board.page(
        request, "topic", code, here="topics", topic=history, gaps=[g for g in now.gaps if g.keys["topic"] == topic_id],
        can_edit=can_edit, others=others,
        questions=_questions(board, topic_id) if is_there else [], edits=_edits(board, request, topic_id),
        done=_done(board, request), back=topic_path(topic_id), values=values or {}, wrong=wrong,
    )  # fmt: skip


def _questions(board: BoardContext, topic_id: str) -> list[dict[str, Any]]:
    """The questions of a topic that the run lists, each with the part of the topic that it is in."""
    run = board.snapshot.now().run
    listed = read_published(run.folder, "topic_questions") if run else pd.DataFrame()
    if "topic_id" not in listed:
        return []
    rows = run.topics if run else pd.DataFrame()
    parts = {
        part["subtopic_id"]: part["label"]
        for row in records(rows[rows["topic_id"] == topic_id]) for part in row.get("subtopics") or []
    }  # fmt: skip
    return [
        {
            "id": row["conversation_id"],
            "text": line(row["question"], 300),
            "short": line(row["question"], 90),
            "part": line(parts.get(row["subtopic_id"]), 80) if len(parts) > 1 else "",
            "near": percent(row["strength"]) if number(row["strength"]) is not None else "",
        }
        for row in records(listed[listed["topic_id"] == topic_id])
    ]


def _edits(board: BoardContext, request: Request, topic_id: str | None = None) -> list[dict[str, Any]]:
    may_undo = may(person_of(request), "edit_topic")
    return [
        row | {"when": when(row["at"]), "stamp": row["at"].isoformat(), "undoable": row["undoable"] and may_undo}
        for row in edits_now(board.state, topic_id)[:_SHOWN_EDITS]
    ]


def _done(board: BoardContext, request: Request) -> dict[str, Any] | None:
    """The edit that was just made (its id is in the address), to say so and to offer to undo it."""
    number_made = request.query_params.get("edited", "")
    number = whole_number(number_made)
    rows = [] if number is None else edits_now(board.state)
    row = next((one for one in rows if one["id"] == number), None)
    return row if row and row["who"] == person_of(request).name else None


# -- changes ----------------------------------------------------------------------------------------------------------


async def edit(request: Request, topic_id: str) -> Response:
    """Change a topic as the form on its page says; the page reports what is wrong, and keeps what was typed."""
    return await run_in_threadpool(_edit, request, topic_id, await request.form(max_files=0, max_fields=20))


def _edit(request: Request, topic_id: str, form: FormData) -> Response:
    board, person, deed = context_of(request), person_of(request), first(form, "deed")
    target, after = topic_id, first(form, "after")
    payload: dict[str, Any] = {}
    if deed == "merge":
        payload = {"into": first(form, "into")}
    elif deed == "split":
        payload = {"examples": [first(form, "first"), first(form, "second")]}
    elif deed == "rename":
        payload = {"label": first(form, "label")}
    elif deed == "pin":
        payload, target = {"question": first(form, "question")}, first(form, "to") or topic_id
    seen = whole_number(after) if target == topic_id else None
    try:
        made = edit_topic_as(board, person, deed, target, first(form, "why")[:4000], payload, seen)
    except (DecidedMeanwhile, NotAllowed, DecisionInvalid, Refused) as error:
        values = {name: str(value) for name, value in form.items()}
        return _topic_page(board, request, topic_id, values, ERROR_CODES[type(error)], error)
    return RedirectResponse(topic_path(topic_id, f"?edited={made}"), 303)


async def undo(request: Request, edit_id: RowId) -> Response:
    """Take an edit back, and go back to where that was asked for."""
    form = await request.form(max_files=0, max_fields=5)
    board, person = context_of(request), person_of(request)
    made = await run_in_threadpool(undo_edit_as, board, person, edit_id)
    back = local(first(form, "back") or "/topics").split("?", 1)[0]
    return RedirectResponse(f"{back}?edited={made}", 303)
