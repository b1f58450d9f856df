"""Transcripts: the redacted conversations that a run published for its gaps, with what was said and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from lacuna.data_contracts.step_tables import step_tables
from lacuna.pipelines.board.context import context_of, person_of
from lacuna.pipelines.board.snapshot import GapNow, Run
from lacuna.pipelines.board.tagging import OUTCOMES
from lacuna.pipelines.board.view import gap_path
from lacuna.pipelines.io.run_files import run_file
from lacuna.pipelines.io.store import read_parquet, read_rows
from lacuna.pipelines.presentation.format import decimal, items, number, record, short_day, text, texts, whole
from lacuna.pipelines.presentation.spreadsheet import records

__all__ = ["readable", "router"]

router = APIRouter(include_in_schema=False)
_WHO = {"customer": "Customer", "bot": "Bot", "agent": "Agent"}


# Only which conversations there are is kept: the texts of one are read when somebody opens it.
@lru_cache(maxsize=2)
def readable(run: Run) -> Mapping[str, list[str]]:
    """The gaps of each conversation that can be read, by its id; none in a run of an earlier version."""
    path = _table(run)
    with run_file(path):
        listed = records(read_parquet(path, ["conversation_id", "gap_ids"])) if path.exists() else []
    return {str(row["conversation_id"]): texts(row["gap_ids"]) for row in listed}


def _table(run: Run) -> Path:
    return run.folder / step_tables("published")["transcripts"].file


def _row(run: Run, conversation_id: str) -> dict[str, Any]:
    columns = [column.name for column in step_tables("published")["transcripts"].columns]
    return records(read_rows([_table(run)], "conversation_id", [conversation_id], columns))[0]


@router.get("/conversations/{conversation_id:path}")
def conversation(request: Request, conversation_id: str) -> Response:
    """One conversation: a page of its own, or the content of a dialog; ``gap`` says among which it is turned."""
    board, person, gap_id = context_of(request), person_of(request), request.query_params.get("gap", "")
    now = board.snapshot.now()
    run, gap = now.run, now.by_id.get(gap_id)
    talks = readable(run) if run else {}
    if run is None or conversation_id not in talks:
        words = "The latest run publishes the conversations that its gaps quote; this one is not among them."
        return board.message_page(request, 404, "No transcript", words)
    siblings = _of_gap(talks, gap)
    can_exclude = gap is not None and conversation_id in gap.record.conversation_ids
    at = siblings.index(conversation_id) if conversation_id in siblings else None
    return board.page(
        request, "transcript", here="backlog", talk=_talk(_row(run, conversation_id)), gap_id=gap_id,
        back=gap_path(gap_id) if gap_id else "/", place=at + 1 if at is not None else 0, total=len(siblings),
        out=gap is not None and conversation_id in gap.life.excluded,
        can_exclude=can_exclude and gap is not None and "exclude" in board.actions_for(person, gap),
        before=siblings[at - 1] if at else "",
        after=siblings[at + 1] if at is not None and at + 1 < len(siblings) else "",
    )  # fmt: skip


def _of_gap(talks: Mapping[str, list[str]], gap: GapNow | None) -> list[str]:
    """The conversations of a gap that can be read, those first that it quotes."""
    if gap is None:
        return []
    own = [key for key, gap_ids in talks.items() if gap.id in gap_ids]
    quoted = [quote["conversation_id"] for quote in (*gap.record.examples, *gap.record.agent_answers)]
    place = {key: at for at, key in enumerate(dict.fromkeys(quoted))}
    return sorted(own, key=lambda key: (place.get(key, len(place)), key))


def _talk(row: Mapping[str, Any]) -> dict[str, Any]:
    messages = [record(message) for message in items(row["messages"])]
    return {
        "id": text(row["conversation_id"]),
        "day": short_day(row["started_at"], year=True),
        "ended": _ended(row),
        "messages": [
            {
                "role": one["role"] if one.get("role") in _WHO else "bot",
                "who": _WHO.get(text(one.get("role")), text(one.get("role"))),
                "text": text(one.get("text")),
                "articles": texts(one.get("article_ids")),
            }
            for one in messages
        ],
        "more": max(0, (whole(row["n_messages"]) or 0) - len(messages)),
    }


def _ended(row: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """How it ended, in words, each with whether it is what went wrong."""
    escalated, resolved, rating = row["escalated"] is True, row["resolved"], number(row["csat"])
    words = [("Went to a person", True) if escalated else ("Stayed with the bot", False)]
    if row["abandoned"] is True:
        words.append(("The customer left", True))
    if resolved is not None and resolved == resolved:
        words.append(("Resolved", False) if resolved else ("Not resolved", True))
    if rating is not None:
        words.append((f"Rated {decimal(rating)} of 5", rating < 3))
    if outcome := text(row["outcome"]):
        words.append((f"Bot's answer tagged: {OUTCOMES.get(outcome, outcome).lower()}", outcome != "correct"))
    return words
