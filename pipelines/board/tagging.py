"""The conversations to tag next, with tags entered since."""

from __future__ import annotations

from typing import Any

from lacuna.pipelines.board.context import BoardContext
from lacuna.pipelines.board.view import when
from lacuna.pipelines.presentation.format import line, number, percent, text
from lacuna.pipelines.state.tags import entered_tags

__all__ = ["OUTCOMES", "conversations_to_tag"]

# What a reviewer may say of the bot's answer, in plain words.
OUTCOMES = {
    "correct": "Right",
    "partial": "Part of it",
    "wrong": "Wrong",
    "no_answer": "No answer",
    "misclassified": "Took it for another question",
}


def conversations_to_tag(board: BoardContext) -> list[dict[str, Any]]:
    """The latest run's conversations to tag, in the run's order, each with its latest tag."""
    run = board.snapshot.now().run
    if run is None:
        return []
    to_tag = [row for row in run.tag_next if row.get("conversation_id")]
    entered = entered_tags(board.state, among=[row["conversation_id"] for row in to_tag]).to_dict("records")
    tags = {row["conversation_id"]: row for row in entered}
    return [_entry(row, tags.get(row["conversation_id"])) for row in to_tag]


def _entry(row: dict[str, str], tag: dict[Any, Any] | None) -> dict[str, Any]:
    return {
        "id": row["conversation_id"],
        "question": text(row.get("question"), 1200),
        "answer": text(row.get("answer"), 2400),
        "topic": line(row.get("topic_label"), 200),
        "article": line(row.get("article_id"), 200),
        "chance": percent(row.get("chance")) if number(row.get("chance")) is not None else "",
        "tag": None
        if tag is None
        else {
            "outcome": tag["outcome"],
            "label": OUTCOMES.get(tag["outcome"], tag["outcome"]),
            "who": tag["tagged_by"],
            "when": when(tag["tagged_at"]),
            "note": text(tag["note"]),
            "true_intent": text(tag["true_intent"]),
        },
    }
