"""Decision forms for one or several gaps, and the handling of what they send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from lacuna.data_contracts.errors import DecidedMeanwhile, DecisionInvalid, LacunaError, NoSuchGap, NotAllowed, Refused
from lacuna.data_contracts.sent import whole_number
from lacuna.models.backlog.actions import ACTIONS, EDITS
from lacuna.models.backlog.gap_kinds import GAP_KINDS
from lacuna.pipelines.board.context import BoardContext, context_of, first, forms, local, person_of
from lacuna.pipelines.board.service import decide_as
from lacuna.pipelines.board.snapshot import GapNow, Now
from lacuna.pipelines.board.view import active, histories
from lacuna.pipelines.gaps.decision_fields import LONGEST_TITLE
from lacuna.pipelines.gaps.decision_words import REASONS
from lacuna.pipelines.gaps.decisions import history
from lacuna.pipelines.gaps.due_dates import form_day

__all__ = ["decide", "likeness", "merge_choices", "proposed", "router"]

router = APIRouter(include_in_schema=False)
_AS_IT_IS = "=as it is"  # the form's value for "keep the owner", which is left out of the decision
_SUGGESTED = 6
_MAX_GAPS = 200  # gaps in one go; a page has fewer


@dataclass
class _Outcome:
    done: list[int] = field(default_factory=list)
    meanwhile: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


# -- forms ------------------------------------------------------------------------------------------------------------


@router.get("/decide/{action}")
def form(request: Request, action: str) -> Response:
    """The form of an action for one or several gaps: a page of its own, or the content of a dialog."""
    board = context_of(request)
    gaps = _gaps(board.snapshot.now(), request.query_params.getlist("gap"))
    if action not in ACTIONS or not gaps:
        return board.message_page(request, 404, "Nothing to decide", "No gap of the latest run is named.")
    given = {name: value for name in ("back", "conversation", "into") if (value := request.query_params.get(name, ""))}
    return _form(board, request, action, gaps[:1] if action in EDITS else gaps, {"back": "/"} | given)


def _form(
    board: BoardContext,
    request: Request,
    action: str,
    gaps: Sequence[GapNow],
    values: Mapping[str, str],
    wrong: LacunaError | None = None,
) -> Response:
    now = board.snapshot.now()
    form_date = form_day(now.run.run_json if now.run else {}, now.day)
    begin = max(form_date, (now.run.until if now.run else None) or date.min)
    weeks = [(f"{n} week{'s' if n > 1 else ''}", (begin + timedelta(weeks=n)).isoformat()) for n in (1, 2, 4)]
    owner_ids, due = {gap.owner_id or "" for gap in gaps}, {gap.life.due or "" for gap in gaps}
    owner_choices = {key: name for key, name in now.owner_names.items() if key in owner_ids or active(now.run, key)}
    page_values = {
        "as_it_is": _AS_IT_IS, "owners": {_AS_IT_IS: _as_it_is(gaps, now), "": "No owner", **owner_choices},
        "due": due.pop() if len(due) == 1 else "",
        "action": action, "gaps": gaps, "sent": forms(gaps), "values": values, "wrong": wrong, "reasons": REASONS,
        "weeks": weeks, "earliest": (begin + timedelta(days=1)).isoformat(), "today": form_date.isoformat(),
        "back": local(values.get("back", "/")),
        "longest_title": LONGEST_TITLE, "kinds": GAP_KINDS, "articles": _articles(gaps[0]),
        "suggested": merge_choices(now, gaps, "") if action == "merge" else [],
    }  # fmt: skip
    return board.page(request, "decide", 400 if wrong else 200, here="backlog", **page_values)


def _articles(gap: GapNow) -> dict[str, str]:
    """The articles that a gap may be about, by id: its own, then the nearest."""
    record = gap.record
    own = {record.article_id: record.article_title or record.article_id} if record.article_id else {}
    return own | {near["article_id"]: near["title"] or near["article_id"] for near in record.nearest_articles}


def _as_it_is(gaps: Sequence[GapNow], now: Now) -> str:
    """The first choice of owner, which changes nothing; it names the owner where all gaps have the same one."""
    stays, owned = "As they are" if len(gaps) > 1 else "As it is", {gap.owner_id for gap in gaps}
    names = [now.owner_names.get(owner, owner) if owner else "no owner" for owner in owned]
    return f"{stays}: {names[0]}" if len(names) == 1 else stays


@router.get("/merge-choices")
def choices(request: Request) -> Response:
    """The gaps offered as merge targets for the words typed so far."""
    board = context_of(request)
    now = board.snapshot.now()
    suggestions = merge_choices(
        now, _gaps(now, request.query_params.getlist("gap")), request.query_params.get("q", "")[:200]
    )
    return board.page(request, "choices", suggested=suggestions)


def merge_choices(now: Now, gaps: Sequence[GapNow], words: str) -> list[GapNow]:
    """Possible merge targets: the gaps that contain all words, or without words those most similar."""
    ids = {gap.id for gap in gaps}
    candidates = [gap for gap in now.gaps if gap.id not in ids and gap.status != "dismissed"]
    if words.strip() or not gaps:
        terms = words.lower().split()
        return [gap for gap in candidates if all(word in gap.keys["find"] for word in terms)][:_SUGGESTED]
    named = proposed(now, gaps[0])
    ranked = sorted(candidates, key=lambda gap: (-likeness(gaps[0], gap), gap.keys["rank"] or 0))
    near = [gap for gap in ranked if likeness(gaps[0], gap) > 0.1]
    first = {gap.id: gap for gap in [*named, *near] if gap.id not in ids}
    return list(first.values())[:_SUGGESTED]


def proposed(now: Now, gap: GapNow) -> list[GapNow]:
    """The gaps that the run names as perhaps the same work, the most alike first, without those put away."""
    named = [now.by_id.get(other["gap_id"]) for other in gap.record.similar]
    return [other for other in named if other is not None and other.status != "dismissed"]


def likeness(gap: GapNow, other: GapNow) -> float:
    """How much two gaps have in common, from 0: topic, article, intents, and words of title and topic."""
    words, other_words, article = _words(gap), _words(other), gap.record.article_id
    score = 1.0 if gap.keys["topic"] == other.keys["topic"] else 0.0
    score += 0.2 if set(gap.record.intents) & set(other.record.intents) else 0.0
    score += 0.5 if article and article == other.record.article_id else 0.0
    return score + len(words & other_words) / max(1, len(words | other_words))


def _words(gap: GapNow) -> set[str]:
    return {word for word in f"{gap.keys['title']} {gap.shown['topic'].lower()}".split() if len(word) > 3}


# -- decisions --------------------------------------------------------------------------------------------------------


async def decide(request: Request) -> Response:
    """Decide on one or several gaps; a page reports conflicting decisions of others and keeps what was typed."""
    return await run_in_threadpool(_decide, request, await request.form(max_files=0, max_fields=_MAX_GAPS + 20))


def _seen(after: str) -> int:
    """The last decision that a form's gap was displayed with; 0 for none."""
    number = whole_number(after or 0)
    if number is None:
        raise DecisionInvalid("the form is not ours", "load it again")
    return number


def _decide(request: Request, form_data: FormData) -> Response:
    board, person, action = context_of(request), person_of(request), first(form_data, "verb")
    sent = [str(value) for value in form_data.getlist("gap")][:_MAX_GAPS]
    if action not in ACTIONS or not sent:
        return board.message_page(request, 400, "Nothing to decide", "No gap and no decision came with the form.")
    outcome, wrong = _Outcome(), None
    for gap_ref in sent:
        gap_id, _, after = gap_ref.rpartition(":")
        try:
            payload = _payload(action, form_data)
            number = decide_as(board, person, gap_id, action, first(form_data, "why")[:4000], payload, _seen(after))
            outcome.done.append(number)
        except DecidedMeanwhile as error:
            outcome.meanwhile.append((gap_id, error.problem))
        except (Refused, NotAllowed, NoSuchGap) as error:
            outcome.refused.append((gap_id, str(error).replace("\n  → ", ": ")))
        except DecisionInvalid as error:
            wrong = error
            break
    back = first(form_data, "back")
    if wrong is not None:
        values = {key: str(value) for key, value in form_data.items() if key != "gap"}
        return _form(board, request, action, _gaps(board.snapshot.now(), _ids(sent)), values, wrong)
    if not outcome.meanwhile and not outcome.refused:
        return RedirectResponse(local(back, outcome.done), 303)
    return _conflict(board, request, action, form_data, outcome, back)


def _conflict(
    board: BoardContext, request: Request, action: str, form_data: FormData, outcome: _Outcome, back: str
) -> Response:
    now, person = board.snapshot.now(), person_of(request)
    entries: list[dict[str, Any]] = []
    for gap_id, problem in outcome.meanwhile:
        gap = now.by_id.get(gap_id)
        latest = histories(history(board.state, gap_id), now)[:1]
        entries.append({"gap": gap, "latest": latest[0] if latest else None, "problem": problem})
    again = [entry["gap"] for entry in entries if entry["gap"] and action in board.actions_for(person, entry["gap"])]
    kept = [(key, str(value)) for key, value in form_data.multi_items() if key != "gap"]
    refusals = [
        (now.by_id[gap_id].shown["title"] if gap_id in now.by_id else gap_id, why) for gap_id, why in outcome.refused
    ]
    return board.page(
        request, "conflict", 409 if entries else 403, here="backlog", action=action, entries=entries, refused=refusals,
        again=forms(again), kept=kept, back=local(back, outcome.done), done=len(outcome.done),
    )  # fmt: skip


def _payload(action: str, form_data: FormData) -> dict[str, Any] | None:
    payload: dict[str, Any] = {name: value for name in ACTIONS[action].fields if (value := first(form_data, name))}
    if action == "undo" and (of := first(form_data, "of")):
        payload["of"] = of
    if action == "snooze" and (chosen := first(form_data, "until_day")):
        payload["until"] = chosen
    if action == "merge" and (typed := first(form_data, "into_id")):
        payload["into"] = typed
    if action == "assign":
        owner = first(form_data, "owner_id") if "owner_id" in form_data else _AS_IT_IS
        payload = {} if owner == _AS_IT_IS else {"owner_id": owner or None}
        if (due := first(form_data, "due")) != first(form_data, "due_before"):
            payload["due"] = due or None
    return payload or None


def _gaps(now: Now, ids: Sequence[str]) -> list[GapNow]:
    return [now.by_id[gap_id] for gap_id in ids[:_MAX_GAPS] if gap_id in now.by_id]


def _ids(sent: Sequence[str]) -> list[str]:
    return [gap_ref.rpartition(":")[0] for gap_ref in sent]
