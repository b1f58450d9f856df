"""The JSON API under ``/api``: what the pages show and do, with the same rights; described in ``/api/openapi.json``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from lacuna.data_contracts.errors import NoSuchGap
from lacuna.data_contracts.sent import LARGEST_ID
from lacuna.models.backlog.actions import ACTIONS
from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_fields import gap_fields
from lacuna.models.backlog.lifecycle import Decision
from lacuna.models.topics.edits import DEEDS
from lacuna.pipelines.board import filters, tagging
from lacuna.pipelines.board.bodies import RowId
from lacuna.pipelines.board.context import BoardContext, context_of, person_of
from lacuna.pipelines.board.service import decide_as, edit_topic_as, tag_as, undo_edit_as
from lacuna.pipelines.board.snapshot import GapNow
from lacuna.pipelines.board.view import owner_loads
from lacuna.pipelines.gaps.decisions import history
from lacuna.pipelines.io.published import read_published
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.state.tags import OUTCOMES
from lacuna.pipelines.state.topic_history import gap_state, topic_rows
from lacuna.pipelines.topic_edits import edits_now, questions_of

__all__ = ["decide_gap", "edit_topic", "router", "tag_conversation", "undo_gap", "undo_topic_edit"]

_LONG = tuple(one.name for one in gap_fields(Gap) if not one.in_lists)


class DecisionRequest(BaseModel):
    """A decision to take."""

    model_config = ConfigDict(extra="forbid")

    verb: str = Field(json_schema_extra={"enum": list(ACTIONS)})
    why: str = Field("", max_length=4000)
    payload: dict[str, Any] | None = Field(
        None,
        description="snooze: until; dismiss: reason; merge: into; assign: owner_id, due; publish: on, article_id; "
        "rename: title; reclassify: kind, article_id; exclude, include: conversation",
    )
    after: int | None = Field(
        None, ge=0, le=LARGEST_ID, description="last_decision of the gap as it was seen; left out: decide anyway"
    )


class Undo(BaseModel):
    """A decision to take back: the last one in force."""

    model_config = ConfigDict(extra="forbid")

    after: int | None = Field(
        None, ge=0, le=LARGEST_ID, description="last_decision of the gap as it was seen; left out: undo anyway"
    )


class Tag(BaseModel):
    """A reviewer's judgement of the bot's answer."""

    model_config = ConfigDict(extra="forbid")

    conversation_id: str
    outcome: str = Field(json_schema_extra={"enum": list(OUTCOMES)})
    true_intent: str = Field("", max_length=200)
    note: str = Field("", max_length=4000)


class TopicEditRequest(BaseModel):
    """A change of a topic."""

    model_config = ConfigDict(extra="forbid")

    deed: str = Field(
        description="drop: it is not a topic", json_schema_extra={"enum": [deed for deed in DEEDS if deed != "undo"]}
    )
    why: str = Field("", max_length=4000)
    payload: dict[str, Any] | None = Field(
        None,
        description="merge: into (topic_id); split: examples (two conversation_ids of the topic); rename: label; "
        "pin: question (conversation_id)",
    )
    after: int | None = Field(
        None, ge=0, le=LARGEST_ID, description="last_edit of the topic as it was seen; left out: edit anyway"
    )


class UndoTopicEdit(BaseModel):
    """An edit of a topic to take back."""

    model_config = ConfigDict(extra="forbid")

    why: str = Field("", max_length=4000)
    after: int | None = Field(
        None, ge=0, le=LARGEST_ID, description="last_edit of its topic as it was seen; left out: undo anyway"
    )


class DecisionRecord(BaseModel):
    """A recorded decision."""

    id: int
    gap_id: str
    at: datetime
    who: str
    verb: str
    why: str
    payload: dict[str, Any]


class Recorded(BaseModel):
    """The id of the new record."""

    id: int


class Problem(BaseModel):
    """What is wrong, and what to do about it."""

    problem: str
    remedy: str


# What the guard and the limits answer, to any request.
_ERRORS: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (400, 401, 413, 421, 429, 503)}
router = APIRouter(prefix="/api", tags=["board"], responses=_ERRORS)


def _leads_to(**steps: tuple[str, str, dict[str, str]]) -> dict[int | str, dict[str, Any]]:
    """The links of an answer, in OpenAPI's words: by name an operation (verb, path) and where its parameters stand."""
    links = {
        name: {"operationRef": f"#/paths/{path.replace('/', '~1')}/{verb}", "parameters": parameters}
        for name, (verb, path, parameters) in steps.items()
    }
    return {200: {"links": links}}


_A_GAP, _A_TOPIC = {"gap_id": "$response.body#/gaps/0/gap_id"}, {"topic_id": "$response.body#/0/topic_id"}
_FROM_GAPS = _leads_to(
    gap=("get", "/api/gaps/{gap_id}", _A_GAP),
    decisions=("get", "/api/gaps/{gap_id}/decisions", _A_GAP),
    decide=("post", "/api/gaps/{gap_id}/decisions", _A_GAP),
    undo=("post", "/api/gaps/{gap_id}/undo", _A_GAP),
)
_FROM_TOPICS = _leads_to(
    topic=("get", "/api/topics/{topic_id}", _A_TOPIC),
    questions=("get", "/api/topics/{topic_id}/questions", _A_TOPIC),
    edit=("post", "/api/topics/{topic_id}/edits", _A_TOPIC),
)
_FROM_EDITS = _leads_to(undo=("post", "/api/topic-edits/{edit_id}/undo", {"edit_id": "$response.body#/0/id"}))


@router.get("/me")
def me(request: Request) -> dict[str, Any]:
    """Who you are here, and what you may do."""
    person = person_of(request)
    return {"name": person.name, "role": person.role, "owner_id": person.owner_id}


@router.get("/gaps", responses=_FROM_GAPS)
def gaps(
    request: Request,
    view: str = "all",
    q: str = "",
    kind: str = "",
    status: str = "",
    owner: str = "",
    product: str = "",
    language: str = "",
    topic: str = "",
    sort: str = "rank",
    limit: int = Query(100, ge=1, le=1000),
    offset: int = Query(0, ge=0, le=LARGEST_ID),
) -> dict[str, Any]:
    """The current backlog; ``view`` is todo, work, late, published, small, closed or all.

    Owner ``-`` finds unowned gaps.

    ``no_gap_reason`` (rule, why, step) explains a run without gaps; null if there are some.
    """
    now = context_of(request).snapshot.now()
    query = filters.Query.of(
        {"view": view, "q": q, "kind": kind, "status": status, "owner": owner, "product": product,
         "language": language, "topic": topic, "sort": sort}
    )  # fmt: skip
    matching = filters.matching_gaps(now.gaps, query)
    return {
        "run_id": now.run.run_id if now.run else None,
        "total": len(matching),
        "no_gap_reason": now.run.run_json.get("no_gap_reason") if now.run else None,
        "gaps": [_brief(gap) for gap in matching[offset : offset + limit]],
    }


@router.get("/gaps/{gap_id}", responses={404: {"model": Problem}})
def gap(request: Request, gap_id: str) -> dict[str, Any]:
    """One gap with all its fields."""
    return _full(_find_gap(context_of(request), gap_id))


@router.get("/gaps/{gap_id}/decisions", responses={404: {"model": Problem}})
def decisions(request: Request, gap_id: str) -> list[DecisionRecord]:
    """All decisions on a gap, oldest first, those taken back included."""
    return [_decision_record(decision) for decision in history(context_of(request).state, gap_id)]


def decide_gap(request: Request, gap_id: str, body: DecisionRequest) -> Recorded:
    """Decide on a gap; 409 if somebody has decided on it since ``after``."""
    board, person = context_of(request), person_of(request)
    return Recorded(id=decide_as(board, person, gap_id, body.verb, body.why, body.payload, body.after))


def undo_gap(request: Request, gap_id: str, body: Undo) -> Recorded:
    """Take back the last decision in force; nothing is deleted."""
    return Recorded(id=decide_as(context_of(request), person_of(request), gap_id, "undo", "", None, body.after))


@router.get("/owners")
def owners(request: Request) -> list[dict[str, Any]]:
    """Each owner's open gaps and weekly capacity."""
    names = ("id", "name", "team", "shown_gaps", "capacity", "over", "work", "late")
    loads = owner_loads(context_of(request).snapshot.now())
    return [{name: entry[name] for name in names} | {"gap_ids": [g.id for g in entry["gaps"]]} for entry in loads]


@router.get("/impact")
def impact(request: Request) -> list[dict[str, Any]]:
    """The fixes, one row each, as in ``impact.parquet``: verdict, failures before and after, savings."""
    run = context_of(request).snapshot.now().run
    return records(read_published(run.folder, "impact")) if run else []


@router.get("/kpis")
def kpis(request: Request) -> list[dict[str, Any]]:
    """The KPIs, one row per week and segment."""
    run = context_of(request).snapshot.now().run
    return records(run.kpis) if run else []


@router.get("/topics", responses=_FROM_TOPICS)
def topics(request: Request) -> list[dict[str, Any]]:
    """All topics of all runs."""
    return topic_rows(context_of(request).state)


@router.get("/topics/{topic_id}", responses={404: {"model": Problem}})
def topic(request: Request, topic_id: str) -> dict[str, Any]:
    """A topic's history, run by run, with the id of its last edit."""
    return gap_state(context_of(request).state, topic_id)


@router.get("/topics/{topic_id}/questions", responses={404: {"model": Problem}})
def topic_questions(request: Request, topic_id: str) -> list[dict[str, Any]]:
    """Questions of a topic in the latest run: by two of them it can be split, and each can be pinned elsewhere."""
    board = context_of(request)
    gap_state(board.state, topic_id)
    return records(questions_of(board.store, topic_id))


@router.get("/topic-edits", responses=_FROM_EDITS)
def topic_edits(request: Request, topic: str = "") -> list[dict[str, Any]]:
    """What people have changed about topics, newest first, each with what became of it."""
    return edits_now(context_of(request).state, topic or None)


def edit_topic(request: Request, topic_id: str, body: TopicEditRequest) -> Recorded:
    """Change a topic, from the next run on; 409 if somebody has edited it since ``after``."""
    board, person = context_of(request), person_of(request)
    return Recorded(id=edit_topic_as(board, person, body.deed, topic_id, body.why, body.payload, body.after))


def undo_topic_edit(request: Request, edit_id: RowId, body: UndoTopicEdit) -> Recorded:
    """Take back an edit of a topic; nothing is deleted."""
    return Recorded(id=undo_edit_as(context_of(request), person_of(request), edit_id, body.why, body.after))


@router.get("/tags")
def tags(request: Request) -> list[dict[str, Any]]:
    """The conversations whose tags would most change the backlog, with their latest tag."""
    return tagging.conversations_to_tag(context_of(request))


def tag_conversation(request: Request, tag: Tag) -> Recorded:
    """Tag a conversation from the latest run's list; the next run reads the tag as an outcome."""
    board, person = context_of(request), person_of(request)
    return Recorded(id=tag_as(board, person, tag.conversation_id, tag.outcome, tag.true_intent, tag.note))


def _find_gap(board: BoardContext, gap_id: str) -> GapNow:
    gap = board.snapshot.now().by_id.get(gap_id)
    if gap is None:
        raise NoSuchGap(f"the latest run has no gap '{gap_id}'", "GET /api/gaps lists those it has")
    return gap


def _full(gap: GapNow) -> dict[str, Any]:
    days = {
        "due": gap.keys["due"],
        "overdue": gap.due_date.overdue,
        "until": gap.life.until,
        "published_on": gap.life.published_on,
    }
    return gap.record.as_row() | days | {"last_decision": gap.life.last, "merged_into": gap.life.merged_into}


def _brief(gap: GapNow) -> dict[str, Any]:
    return {name: value for name, value in _full(gap).items() if name not in _LONG}


def _decision_record(decision: Decision) -> DecisionRecord:
    return DecisionRecord(
        id=decision.id,
        gap_id=decision.gap_id,
        at=decision.at,
        who=decision.who,
        verb=decision.verb,
        why=decision.why,
        payload=dict(decision.payload),
    )
