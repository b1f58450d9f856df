"""The pages that are read: backlog, gap, drafts, week, owners, what worked, figures, topics, tags."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from lacuna.data_contracts.errors import NoSuchGap
from lacuna.models.backlog.lifecycle import CLOSED
from lacuna.models.diagnosis.no_gap_reason import why_no_gap
from lacuna.pipelines.board import drafting, tagging
from lacuna.pipelines.board.context import ASSETS, Desk, asset, desk_of, person_of
from lacuna.pipelines.board.filters import PAGE, SORTS, VIEWS, Query, choices, counted, found, neighbours
from lacuna.pipelines.board.snapshot import GapNow, Now, Run
from lacuna.pipelines.board.view import changes, gap_page, gap_path, histories, owner_loads, precision_rows, this_week
from lacuna.pipelines.gaps.decisions import history
from lacuna.pipelines.report.accuracy import accuracy
from lacuna.pipelines.report.coverage import coverage
from lacuna.pipelines.report.figures import kpi_cards
from lacuna.pipelines.report.impact import fixes
from lacuna.pipelines.state.decision_log import gap_row
from lacuna.pipelines.state.topic_history import gap_state, topic_rows

__all__ = ["router"]

router = APIRouter(include_in_schema=False)


@router.get("/")
def backlog(request: Request) -> Response:
    """The backlog, filtered and sorted as the address says."""
    desk, query = desk_of(request), Query.of(request.query_params)
    now = desk.snapshot.now()
    listed = found(now.gaps, query)
    pages = max(1, -(-len(listed) // PAGE))
    page = min(query.page, pages)
    rows = listed[(page - 1) * PAGE : page * PAGE]
    person = person_of(request)
    return desk.page(
        request, "backlog", here="backlog", query=query, rows=rows, total=len(listed), page=page, pages=pages,
        views=VIEWS, counts=counted(now), filters=choices(now), sorts=SORTS, known=len(now.gaps),
        verbs_of={gap.id: desk.verbs(person, gap) for gap in rows}, first=(page - 1) * PAGE,
        coverage=coverage(now.run.told) if now.run else {}, no_gap=why_no_gap(now.run.told) if now.run else "",
    )  # fmt: skip


@router.get("/gaps/{gap_id}")
def gap(request: Request, gap_id: str) -> Response:
    """One gap, with all that is known of it."""
    desk, query = desk_of(request), Query.of(request.query_params)
    now, person = desk.snapshot.now(), person_of(request)
    here = now.by_id.get(gap_id)
    if here is None or now.run is None:
        return _gone(desk, request, gap_id)
    place, before, after = neighbours(listed := found(now.gaps, query), here)
    text = query.text(page=1)
    onward = gap_path(after.id, text) if after else f"/{text}"
    said = histories(history(desk.state, gap_id), now)
    return desk.page(
        request, "gap", here="backlog", gap=here, shown=gap_page(now.run, here), place=place, total=len(listed),
        before=gap_path(before.id, text) if before else "", after=gap_path(after.id, text) if after else "",
        onward=onward, back=f"/{text}", query_text=text, said=said, can=desk.verbs(person, here),
        into=now.by_id.get(here.life.merged_into or ""), draft=drafting.read(desk, here),
        fix=now.run.fix_of(gap_id),
    )  # fmt: skip


def _gone(desk: Desk, request: Request, gap_id: str) -> Response:
    """A gap of an earlier run; its link still tells what became of it."""
    try:
        said = history(desk.state, gap_id)
    except NoSuchGap as error:
        return desk.told(
            request, 404, "No such gap", f"{error.problem[:1].upper()}{error.problem[1:]}. {error.remedy}."
        )
    with desk.state.reading() as connection:
        row = gap_row(connection, gap_id)
    now = desk.snapshot.now()
    fix = now.run.fix_of(gap_id) if now.run else None
    return desk.page(request, "gone", here="backlog", row=row, said=histories(said, now), fix=fix)


@router.get("/gaps/{gap_id}/draft")
def draft(request: Request, gap_id: str) -> Response:
    """A gap's draft as a Markdown file."""
    desk = desk_of(request)
    here = desk.snapshot.now().by_id.get(gap_id)
    text = drafting.text_of(desk, here) if here else None
    if text is None:
        return desk.told(request, 404, "No draft", "The latest run wrote no draft for this gap.")
    name = drafting.file_name(here) if here else "draft.md"
    return PlainTextResponse(
        text, media_type="text/markdown", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@router.get("/drafts")
def drafts(request: Request) -> Response:
    """What a writer has to do: their accepted gaps and those in work, then those that wait for a decision."""
    desk, person = desk_of(request), person_of(request)
    now = desk.snapshot.now()
    owner = request.query_params.get("owner", person.owner_id or "")
    mine = [gap for gap in now.gaps if not owner or (gap.owner_id or "-") == owner]
    groups = [
        ("In work", [g for g in mine if g.status == "drafting"]),
        ("Accepted, not begun", [g for g in mine if g.status == "accepted"]),
        ("Waiting for a decision", [g for g in mine if g.status in VIEWS["todo"][1]]),
        ("Published, effect not known yet", [g for g in mine if g.status == "published"]),
    ]
    due = lambda g: (g.keys["due"] or "9999", g.keys["rank"] or 0)  # noqa: E731
    return desk.page(
        request, "drafts", here="drafts", owner=owner, owners=now.owner_names,
        groups=[(name, sorted(gaps, key=due)) for name, gaps in groups if gaps],
        verbs_of={g.id: desk.verbs(person, g) for g in mine},
    )  # fmt: skip


@router.get("/week")
def week(request: Request) -> Response:
    """What has changed since the run before."""
    desk = desk_of(request)
    now = desk.snapshot.now()
    before = str(now.run.told.get("previous_run") or "") if now.run else ""
    sentences, groups = _moved(desk, now, before)
    return desk.page(
        request, "week", here="week", before=before, sentences=sentences, groups=groups, decided=_decided(desk)
    )


# At thousands of gaps these take longer than the page; they hang on the runs and on what was decided alone.
@lru_cache(maxsize=2)
def _moved(desk: Desk, now: Now, before: str) -> tuple[list[Any], list[dict[str, Any]]]:
    return this_week(now, _told_of(desk, before)), changes(now, _listed(desk, now.run, before))


@lru_cache(maxsize=2)
def _listed(desk: Desk, _run: Run | None, before: str) -> list[dict[str, Any]]:
    return desk.state.gap_titles(before) if before else []


def _told_of(desk: Desk, run_id: str) -> dict[str, Any] | None:
    try:
        return json.loads((desk.store / "runs" / run_id / "run.json").read_text(encoding="utf-8")) if run_id else None
    except (OSError, ValueError):
        return None


def _decided(desk: Desk) -> list[dict[str, Any]]:
    """The latest decisions of all, each with its gap."""
    now = desk.snapshot.now()
    listed = []
    with desk.state.reading() as connection:
        for said in desk.snapshot.latest(20):
            gap = now.by_id.get(said.gap_id)
            known = gap.shown if gap else gap_row(connection, said.gap_id) or {"title": said.gap_id}
            listed.append(histories([said], now)[0] | {"path": gap_path(said.gap_id), "title": known["title"]})
    return listed


@router.get("/owners")
def owners(request: Request) -> Response:
    """Each owner's load against what they can take, and who may be handed what has no owner."""
    desk, person = desk_of(request), person_of(request)
    now = desk.snapshot.now()
    loose = [g for g in now.gaps if g.owner_id is None and g.status not in CLOSED]
    return desk.page(
        request, "owners", here="owners", loads=owner_loads(now), loose=loose[:PAGE], unowned=len(loose),
        verbs_of={g.id: desk.verbs(person, g) for g in loose[:PAGE]},
        unverified=now.run.unverified if now.run else {}, unowned_articles=now.run.unowned if now.run else {},
    )  # fmt: skip


@router.get("/impact")
def impact(request: Request) -> Response:
    """What was fixed, whether it helped, and what it has saved so far."""
    desk = desk_of(request)
    now = desk.snapshot.now()
    measured = now.run.impact if now.run else fixes(None)
    known = {fix["id"] for fix in measured["rows"]}
    waiting = [g for g in now.gaps if g.status == "published" and g.id not in known]
    return desk.page(request, "impact", here="impact", impact=measured, waiting=waiting)


@router.get("/kpis")
def kpis(request: Request) -> Response:
    """The key figures, and how right the bot's answers are, as in the report."""
    desk = desk_of(request)
    run, sure = desk.snapshot.now().run, desk.settings.accuracy.confidence
    return desk.page(
        request, "kpis", here="kpis", cards=kpi_cards(run.kpis, run.told, run.accuracy) if run else [],
        precision=precision_rows(desk.snapshot.precision(sure), sure),
        groups=accuracy(run.accuracy) if run else [],
    )  # fmt: skip


@router.get("/topics")
def topics(request: Request) -> Response:
    """Every topic that any run has seen, and whether it is still there."""
    desk = desk_of(request)
    words = request.query_params.get("q", "")[:200]
    listed = topic_rows(desk.state)
    kept = [t for t in listed if all(w in f"{t['topic_id']} {t['label']}".lower() for w in words.lower().split())]
    return desk.page(request, "topics", here="topics", topics=kept[:500], total=len(listed), found=len(kept), q=words)


@router.get("/topics/{topic_id}")
def topic(request: Request, topic_id: str) -> Response:
    """A topic's life, run by run, with its gaps."""
    desk = desk_of(request)
    told = gap_state(desk.state, topic_id)
    now = desk.snapshot.now()
    own: list[GapNow] = [g for g in now.gaps if g.keys["topic"] == topic_id]
    return desk.page(request, "topic", here="topics", topic=told, gaps=own)


@router.get("/tags")
def tags(request: Request) -> Response:
    """The conversations whose tags would most change the backlog."""
    desk, person = desk_of(request), person_of(request)
    entries = tagging.asked(desk)
    return desk.page(request, "tags", here="tags", entries=entries, outcomes=tagging.OUTCOMES, writes=person.writes)


@router.get("/static/{name}")
def static(name: str) -> Response:
    """Style, script and licence texts; the address changes with the content, so it may be kept for ever."""
    if name not in ASSETS:
        return PlainTextResponse("no such file", 404)
    return Response(
        asset(name), media_type=ASSETS[name][1], headers={"Cache-Control": "public, max-age=31536000, immutable"}
    )
