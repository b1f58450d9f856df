"""The redacted conversations that the gaps' evidence names, to be read on the board: what was said and how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from lacuna.models.backlog.gap import Gap
from lacuna.pipelines.presentation.format import text
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.runtime.job import Job

__all__ = ["chosen_conversations", "transcripts"]

MESSAGES, LETTERS = 40, 2_000  # of a conversation, and of a message
AT_MOST = 20_000  # conversations of a run: the gaps of the last ranks go without
_ENDED = ["started_at", "escalated", "resolved", "csat", "outcome", "abandoned"]


def transcripts(job: Job, gaps: Sequence[Gap]) -> pd.DataFrame:
    """One row a conversation, as `data_contracts/tables/outputs/published.toml` declares it.

    Conversations of gaps alone: of each ``[report] transcripts``, those that its evidence quotes first. So no
    conversation is published that no gap of enough customers stands for.
    """
    gaps_of = chosen_conversations(gaps, job.settings.report.transcripts)
    ids = sorted(gaps_of)
    said = job.read_rows("redact/messages", ids, ["conversation_id", "position", "role", "text", "article_ids"])
    said = said.sort_values(["conversation_id", "position"])
    messages = {str(key): records(own) for key, own in said.groupby("conversation_id")}
    facts = job.read("measure/facts", ["conversation_id", *_ENDED])
    facts = facts[facts["conversation_id"].isin(ids)].sort_values("conversation_id").reset_index(drop=True)
    named = facts["conversation_id"].astype(str)
    facts["gap_ids"] = pd.Series([gaps_of[key] for key in named], index=facts.index, dtype="object")
    facts["n_messages"] = pd.Series([len(messages.get(key, [])) for key in named], index=facts.index, dtype="int64")
    shown = [[_message(one) for one in messages.get(key, [])[:MESSAGES]] for key in named]
    facts["messages"] = pd.Series(shown, index=facts.index, dtype="object")
    return facts[["conversation_id", "gap_ids", *_ENDED, "n_messages", "messages"]]


def chosen_conversations(gaps: Sequence[Gap], of_gap: int) -> dict[str, list[str]]:
    """The conversations whose transcripts are published, each with its gaps: of every gap the first ``of_gap``.

    Those that stand for the gap come first, by quote, agent's answer, step and passage; then the others in the gap.
    """
    gaps_of: dict[str, list[str]] = {}
    for gap in gaps:
        for conversation in list(dict.fromkeys(_named(gap)))[:of_gap]:
            if conversation in gaps_of or len(gaps_of) < AT_MOST:
                gaps_of.setdefault(conversation, []).append(gap.gap_id)
    return gaps_of


def _named(gap: Gap) -> Iterator[str]:
    for quote in (*gap.examples, *gap.agent_answers):
        if quote["conversation_id"]:
            yield quote["conversation_id"]
    for step in gap.steps:
        yield from step["conversation_ids"][:3]
    for passage in gap.passages:
        yield from passage["conversation_ids"][:3]
    yield from gap.conversation_ids


def _message(row: dict[str, Any]) -> dict[str, Any]:
    cited = row["article_ids"]
    return {
        "role": str(row["role"]), "text": text(row["text"], LETTERS),
        "article_ids": [str(article) for article in cited] if cited is not None and len(cited) else [],
    }  # fmt: skip
