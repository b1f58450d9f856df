"""The read-only pages: backlog, gap, drafts, week, owners, impact, KPIs, tags."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from lacuna.data_contracts.errors import NoSuchGap
from lacuna.models.backlog.lifecycle import CLOSED, IN_PROGRESS
from lacuna.models.diagnosis.no_gap_reason import why_no_gap
from lacuna.models.impact.random_order import suggested_order
from lacuna.pipelines.board import drafting, tagging
from lacuna.pipelines.board.context import ASSETS, BoardContext, asset, context_of, person_of
from lacuna.pipelines.board.filters import PAGE, SORTS, VIEWS, Query, choices, counted, matching_gaps, neighbours
from lacuna.pipelines.board.snapshot import Now, Run
from lacuna.pipelines.board.transcripts import readable
from lacuna.pipelines.board.trying import golden_words
from lacuna.pipelines.board.view import changes, gap_page, gap_path, histories, owner_loads, precision_rows, this_week
from lacuna.pipelines.gaps.decisions import history
from lacuna.pipelines.gaps.membership import pending
from lacuna.pipelines.io.run_folders import run_place
from lacuna.pipelines.io.runs import read_run
from lacuna.pipelines.report.accuracy import accuracy
from lacuna.pipelines.report.coverage import coverage
from lacuna.pipelines.report.figures import kpi_cards
from lacuna.pipelines.report.impact import fixes
from lacuna.pipelines.report.incidents import incidents
from lacuna.pipelines.report.small import folded_sentence
from lacuna.pipelines.state.decision_log import gap_row

__all__ = ["router"]

router = APIRouter(include_in_schema=False)


@router.get("/")
def backlog(request: Request) -> Response:
    """The backlog, filtered and sorted by the address."""
    board, query = context_of(request), Query.of(request.query_params)
    now = board.snapshot.now()
    matching = matching_gaps(now.gaps, query)
    pages = max(1, -(-len(matching) // PAGE))
    page = min(query.page, pages)
    rows = matching[(page - 1) * PAGE : page * PAGE]
    person = person_of(request)
    return board.page(
        request, "backlog", here="backlog", query=query, rows=rows, total=len(matching), page=page, pages=pages,
        views=VIEWS, counts=counted(now), filters=choices(now), sorts=SORTS, n_gaps=len(now.gaps),
        actions_of={gap.id: board.actions_for(person, gap) for gap in rows}, first=(page - 1) * PAGE,
        incidents=incidents(gap.record for gap in now.gaps),
        coverage=coverage(now.run.run_json) if now.run else {}, no_gap=why_no_gap(now.run.run_json) if now.run else "",
        small_words=folded_sentence(counted(now)["small"], now.run.run_json) if now.run else "",
    )  # fmt: skip


@router.get("/gaps/{gap_id}")
def gap(request: Request, gap_id: str) -> Response:
    """One gap, with its evidence and decisions."""
    board, query = context_of(request), Query.of(request.query_params)
    now, person = board.snapshot.now(), person_of(request)
    current = now.by_id.get(gap_id)
    if current is None or now.run is None:
        return _former_gap(board, request, gap_id)
    place, before, after = neighbours(matching := matching_gaps(now.gaps, query), current)
    text = query.text(page=1)
    onward = gap_path(after.id, text) if after else f"/{text}"
    decision_log = histories(history(board.state, gap_id), now)
    return board.page(
        request, "gap", here="backlog", gap=current, shown=gap_page(now.run, current), place=place, total=len(matching),
        before=gap_path(before.id, text) if before else "", after=gap_path(after.id, text) if after else "",
        onward=onward, back=f"/{text}", query_text=text, decision_log=decision_log,
        can=board.actions_for(person, current), into=now.by_id.get(current.life.merged_into or ""),
        draft=drafting.read(board, current), fix=now.run.fix_of(gap_id), readable=readable(now.run),
        membership=pending(current.record, current.life), golden=golden_words(now.run, gap_id),
    )  # fmt: skip


def _former_gap(board: BoardContext, request: Request, gap_id: str) -> Response:
    """The page of a gap that only earlier runs had, so that old links still work."""
    try:
        decisions = history(board.state, gap_id)
    except NoSuchGap as error:
        return board.message_page(
            request, 404, "No such gap", f"{error.problem[:1].upper()}{error.problem[1:]}. {error.remedy}."
        )
    with board.state.reading() as connection:
        row = gap_row(connection, gap_id)
    now = board.snapshot.now()
    fix = now.run.fix_of(gap_id) if now.run else None
    return board.page(
        request,
        "gone",
        here="backlog",
        row=row,
        decision_log=histories(decisions, now),
        fix=fix,
        golden=golden_words(now.run, gap_id),
    )


@router.get("/gaps/{gap_id}/draft")
def draft(request: Request, gap_id: str) -> Response:
    """A gap's draft as a Markdown file."""
    board = context_of(request)
    current = board.snapshot.now().by_id.get(gap_id)
    text = drafting.text_of(board, current) if current else None
    if text is None:
        return board.message_page(request, 404, "No draft", "The latest run wrote no draft for this gap.")
    name = drafting.file_name(current) if current else "draft.md"
    return PlainTextResponse(
        text, media_type="text/markdown", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@router.get("/drafts")
def drafts(request: Request) -> Response:
    """A writer's work: gaps in work and accepted, those waiting for a decision, and those published."""
    board, person = context_of(request), person_of(request)
    now = board.snapshot.now()
    owner = request.query_params.get("owner", person.owner_id or "")
    own_gaps = [gap for gap in now.gaps if not owner or (gap.owner_id or "-") == owner]
    groups = [
        ("In work", [g for g in own_gaps if g.status == "drafting"]),
        ("Accepted, not begun", [g for g in own_gaps if g.status == "accepted"]),
        ("Waiting for a decision", [g for g in own_gaps if g.status in VIEWS["todo"][1] and not g.record.folded]),
        ("Published, effect not known yet", [g for g in own_gaps if g.status == "published"]),
    ]
    places = _places_by_lot(board, now)
    due = lambda g: (places.get(g.id, 0), g.keys["due"] or "9999", g.keys["rank"] or 0)  # noqa: E731
    return board.page(
        request, "drafts", here="drafts", owner=owner, owners=now.owner_names, places=places,
        groups=[(name, sorted(gaps, key=due)) for name, gaps in groups if gaps],
        actions_of={g.id: board.actions_for(person, g) for g in own_gaps},
    )  # fmt: skip


def _places_by_lot(board: BoardContext, now: Now) -> dict[str, int]:
    """The place of each gap that is to be written, where their order is drawn by lot; as in the digest."""
    if not board.settings.impact.randomise:
        return {}
    return suggested_order((gap.id for gap in now.gaps if gap.status in IN_PROGRESS), board.settings.run.seed)


@router.get("/week")
def week(request: Request) -> Response:
    """What has changed since the run before."""
    board = context_of(request)
    now = board.snapshot.now()
    before = str(now.run.run_json.get("previous_run") or "") if now.run else ""
    sentences, groups = _week_changes(board, now, before)
    return board.page(
        request,
        "week",
        here="week",
        before=before,
        sentences=sentences,
        groups=groups,
        decided=_latest_decisions(board),
    )


# Cached, because with thousands of gaps these take long; they depend on the runs and the decisions only.
@lru_cache(maxsize=2)
def _week_changes(board: BoardContext, now: Now, before: str) -> tuple[list[Any], list[dict[str, Any]]]:
    return this_week(now, _run_json_of(board, before)), changes(now, _listed(board, now.run, before))


@lru_cache(maxsize=2)
def _listed(board: BoardContext, _run: Run | None, before: str) -> list[dict[str, Any]]:
    return board.state.gap_titles(before) if before else []


def _run_json_of(board: BoardContext, run_id: str) -> dict[str, Any] | None:
    try:
        place = run_place(board.store, run_id) if run_id else None
        return read_run(place) if place else None
    except (OSError, ValueError):
        return None


def _latest_decisions(board: BoardContext) -> list[dict[str, Any]]:
    """The latest decisions on any gap, each with its gap."""
    now = board.snapshot.now()
    entries = []
    with board.state.reading() as connection:
        for decision in board.snapshot.latest(20):
            gap = now.by_id.get(decision.gap_id)
            gap_shown = gap.shown if gap else gap_row(connection, decision.gap_id) or {"title": decision.gap_id}
            entries.append(
                histories([decision], now)[0] | {"path": gap_path(decision.gap_id), "title": gap_shown["title"]}
            )
    return entries


@router.get("/owners")
def owners(request: Request) -> Response:
    """Each owner's load and capacity, and the gaps without an owner."""
    board, person = context_of(request), person_of(request)
    now = board.snapshot.now()
    loose = [g for g in now.gaps if g.owner_id is None and g.status not in CLOSED and not g.record.folded]
    return board.page(
        request, "owners", here="owners", loads=owner_loads(now), loose=loose[:PAGE], unowned=len(loose),
        actions_of={g.id: board.actions_for(person, g) for g in loose[:PAGE]},
        unverified=now.run.unverified if now.run else {}, unowned_articles=now.run.unowned if now.run else {},
    )  # fmt: skip


@router.get("/impact")
def impact(request: Request) -> Response:
    """The fixes, their effect, and the savings so far."""
    board = context_of(request)
    now = board.snapshot.now()
    measured = now.run.impact if now.run else fixes(None)
    measured_ids = {fix["id"] for fix in measured["rows"]}
    waiting = [g for g in now.gaps if g.status == "published" and g.id not in measured_ids]
    golden = {fix_id: golden_words(now.run, fix_id) for fix_id in measured_ids}
    return board.page(request, "impact", here="impact", impact=measured, golden=golden, waiting=waiting)


@router.get("/kpis")
def kpis(request: Request) -> Response:
    """The KPIs, the precision of the backlog, and the accuracy of the bot's answers."""
    board = context_of(request)
    run, confidence = board.snapshot.now().run, board.settings.accuracy.confidence
    return board.page(
        request, "kpis", here="kpis", cards=kpi_cards(run.kpis, run.run_json, run.accuracy) if run else [],
        precision=precision_rows(board.snapshot.precision(confidence), confidence),
        groups=accuracy(run.accuracy) if run else [],
    )  # fmt: skip


@router.get("/tags")
def tags(request: Request) -> Response:
    """The conversations whose tags would most change the backlog."""
    board, person = context_of(request), person_of(request)
    entries = tagging.conversations_to_tag(board)
    return board.page(request, "tags", here="tags", entries=entries, outcomes=tagging.OUTCOMES, writes=person.writes)


@router.get("/static/{name}")
def static(name: str) -> Response:
    """Styles, scripts and licence texts; their address changes with the content, so browsers may cache them."""
    if name not in ASSETS:
        return PlainTextResponse("no such file", 404)
    return Response(
        asset(name), media_type=ASSETS[name][1], headers={"Cache-Control": "public, max-age=31536000, immutable"}
    )
