"""Tagging a conversation, and signing in and out."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from lacuna.data_contracts.errors import Refused, TagInvalid
from lacuna.pipelines.board.context import context_of, first, local, person_of
from lacuna.pipelines.board.middleware import end_session, start_session
from lacuna.pipelines.board.roles import hashed
from lacuna.pipelines.board.service import tag_as

__all__ = ["router", "sign_in", "tag_conversation"]

router = APIRouter(include_in_schema=False)


async def tag_conversation(request: Request) -> Response:
    """Tag a conversation."""
    return await run_in_threadpool(_tag, request, await request.form(max_files=0, max_fields=10))


def _tag(request: Request, form_data: FormData) -> Response:
    board, conversation = context_of(request), first(form_data, "conversation_id")
    try:
        tag_as(
            board, person_of(request), conversation, first(form_data, "outcome"), first(form_data, "true_intent")[:200],
            first(form_data, "note")[:4000],
        )  # fmt: skip
    except (Refused, TagInvalid) as error:
        code = 403 if isinstance(error, Refused) else 400
        return board.message_page(request, code, "Not tagged", str(error).replace("\n  → ", ": ") + ".")
    return RedirectResponse("/tags", 303)


@router.get("/sign-in")
def sign_in_form(request: Request) -> Response:
    """The page that asks for a token."""
    board, back = context_of(request), local(request.query_params.get("back", "/"))
    if not board.people.by_token:
        return RedirectResponse("/", 303)
    return board.page(request, "sign_in", back=back, wrong=False)


async def sign_in(request: Request) -> Response:
    """Sign in with a token.

    Wrong tokens count against the address they come from, right ones against their person: whoever guesses locks out
    nobody who shares the address. Tokens are too long to be guessed, so that a right one needs no waiting.
    """
    board, form_data = context_of(request), await request.form(max_files=0, max_fields=4)
    back = local(first(form_data, "back") or "/")
    digest = hashed(first(form_data, "token"))
    person = board.people.with_token(digest) if board.people.by_token else None
    if too_often := request.app.state.sign_in_too_often(request, person):
        return too_often
    if person is None:
        return board.page(request, "sign_in", 401, back=back, wrong=True)
    response = RedirectResponse(back, 303)
    start_session(request, response, board.people, board.sessions, digest)
    return response


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    """End the session."""
    board, response = context_of(request), RedirectResponse("/sign-in", 303)
    end_session(request, response, board.people, board.sessions)
    return response
