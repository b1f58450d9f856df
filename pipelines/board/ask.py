"""The page on which people ask a run: whether something is a gap, and what is near it by meaning."""

from __future__ import annotations

from functools import lru_cache

from fastapi import APIRouter, Request
from starlette.responses import Response

from lacuna.data_contracts.errors import LacunaError
from lacuna.pipelines.ask.why import AskedRun
from lacuna.pipelines.board.context import BoardContext, context_of
from lacuna.pipelines.board.snapshot import Run
from lacuna.pipelines.gaps.decisions import decided

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
LONGEST = 200  # characters of a question


@router.get("/ask")
def ask(request: Request) -> Response:
    """The answer to the question in the address, and the gaps, topics and questions that are near it."""
    board, question = context_of(request), request.query_params.get("q", "")[:LONGEST].strip()
    now = board.snapshot.now()
    answer = found = None
    problem = ""
    if question and now.run:
        gaps = [gap.record for gap in now.gaps]
        try:
            asked = _asked(board, now.run)
            answer, found = asked.why(question, gaps, decided(board.state)), asked.search(question, gaps)
        except LacunaError as error:
            problem = f"{error.problem[:1].upper()}{error.problem[1:]}: {error.remedy}."
    return board.page(request, "ask", here="ask", q=question, answer=answer, found=found, problem=problem)


@lru_cache(maxsize=2)
def _asked(_board: BoardContext, run: Run) -> AskedRun:
    return AskedRun(run.folder)
