"""The page on which a gap's draft is tried before it is published, and what its golden queries say since."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from lacuna.data_contracts.errors import LacunaError
from lacuna.pipelines.board import drafting
from lacuna.pipelines.board.context import BoardContext, context_of, first, person_of
from lacuna.pipelines.board.snapshot import Run
from lacuna.pipelines.drafts.trial import TriedRun, sentences
from lacuna.pipelines.io.published import read_published
from lacuna.pipelines.presentation.format import plural
from lacuna.pipelines.presentation.spreadsheet import records

__all__ = ["golden_words", "try_draft"]

SHOWN = 10  # of what is missed, and of what is stolen


async def try_draft(request: Request, gap_id: str) -> Response:
    """Try the draft that the form holds, or the run's own."""
    form = await request.form(max_files=0, max_fields=2)
    return await run_in_threadpool(_try_draft, request, gap_id, first(form, "text"))


def _try_draft(request: Request, gap_id: str, typed: str) -> Response:
    board, now = context_of(request), context_of(request).snapshot.now()
    gap = now.by_id.get(gap_id)
    if not person_of(request).writes:
        return board.message_page(request, 403, "Not yours to do", "A writer or a manager may try a draft.")
    if gap is None or now.run is None:
        return board.message_page(request, 404, "No such gap", "The backlog lists all gaps.")
    text = typed.replace("\r\n", "\n") or drafting.text_of(board, gap) or ""
    words: list[str] = []
    trial, titles, problem = None, dict[str, str](), ""
    try:
        tried = _tried(board, now.run)
        titles = tried.titles
        trial = tried.try_draft(gap.record, text)
        words = sentences(trial, titles.get(str(gap.record.article_id)))
    except LacunaError as error:
        problem = f"{error.problem[:1].upper()}{error.problem[1:]}: {error.remedy}."
    return board.page(
        request, "trying", here="backlog", gap=gap, text=text, words=words, problem=problem, titles=titles,
        missed=trial.missed[:SHOWN] if trial else [], stolen=trial.stolen[:SHOWN] if trial else [],
    )  # fmt: skip


@lru_cache(maxsize=2)
def _tried(board: BoardContext, run: Run) -> TriedRun:
    return TriedRun(run.folder, board.store)


def golden_words(run: Run | None, gap_id: str) -> list[str]:
    """What became of a gap's golden queries, run by run; empty before its article is there."""
    if run is None:
        return []
    return [
        f"Run {row['run_id']}: its article is the best match for {row['won']:,} of the gap's "
        f"{plural(row['asked'], 'golden query', 'golden queries')}; {row['kept']:,} of "
        f"{plural(row['healthy'], 'question')} near it still find the article that answered them."
        for row in _results(run)
        if row["gap_id"] == gap_id and row["article_id"]
    ]


@lru_cache(maxsize=2)
def _results(run: Run) -> list[dict[str, Any]]:
    return records(read_published(run.folder, "golden_results"))
