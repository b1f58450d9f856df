"""Texts of customers and agents in gaps, and how their conversations ended."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32
from lacuna.models.conversations.questions import MAX_WORDS, main_question
from lacuna.models.retrieval.candidates import rows_of
from lacuna.models.text.salience import counted
from lacuna.models.writing.last_words import says_unsolved
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.understand.matching import read_vectors

__all__ = ["Corpus", "read_corpus", "shown"]

GOOD, BAD = 4.0, 2.0  # the least csat of a conversation that ended well, and the highest of one that ended badly
CAME_BACK = pd.Timedelta(days=14)  # the same customer escalates the same problem again: it was not resolved
_WORDS = re.compile(rf"(?:\s*\S+){{0,{MAX_WORDS}}}")
_HIDDEN = re.compile(r"<([A-Z_]{2,})>")
_OUTCOME = [
    "conversation_id", "started_at", "customer_id", "escalated", "resolved", "csat", "topic_id", "subtopic_id",
    "language",
]  # fmt: skip


@dataclass(frozen=True)
class Corpus:
    """Texts of customers and agents in gaps, and which of these conversations ended well or badly.

    Words are counted, and their texts, over all conversations. Languages are as the bundle says them.
    """

    questions: Mapping[str, str]
    vectors: Mapping[str, F32]
    replies: Mapping[str, list[str]]
    question_counts: Mapping[str, int]
    n_questions: int
    reply_counts: Mapping[str, int]
    n_replies: int
    ended_well: frozenset[str]
    ended_badly: frozenset[str]
    languages: Mapping[str, str]


def read_corpus(job: Job, gaps: Sequence[Mapping[str, Any]]) -> Corpus:
    """Read the texts a shard at a time: those of conversations in gaps are kept, and the words of all are counted."""
    in_gaps = pd.Index(sorted({str(conversation) for gap in gaps for conversation in gap["conversation_ids"]}))
    questions, replies, row_of = dict[str, str](), dict[str, list[str]](), dict[str, int]()
    question_counts, reply_counts, n_questions, n_replies = Counter[str](), Counter[str](), 0, 0
    unsolved = set[str]()
    shards = zip(
        job.read_shards("redact/messages", ["conversation_id", "position", "role", "text"]),
        job.read_shards("understand/questions", ["conversation_id"]),
        strict=True,
    )
    for messages, with_question in shards:
        ordered = messages.sort_values(["conversation_id", "position"])
        customers, agents = (ordered[ordered["role"] == role] for role in ("customer", "agent"))
        unsolved.update(_unsolved(customers, agents, in_gaps))
        own_replies = {str(c): [str(t) for t in texts] for c, texts in agents.groupby("conversation_id")["text"]}
        # Placeholders of names stay: greetings and sign-offs are recognised by them, and removed with them.
        customer_texts = customers.groupby("conversation_id")["text"]
        openings = {str(c): _opening([shown(t, "NAME") for t in texts]) for c, texts in customer_texts}
        ids = with_question["conversation_id"].tolist()
        question_counts.update(counted(openings.get(conversation, "") for conversation in ids))
        reply_counts.update(counted("\n".join(texts) for texts in own_replies.values()))
        row_of |= {c: row for row, c in enumerate(ids, n_questions) if c in in_gaps}
        questions |= {conversation: openings.get(conversation, "") for conversation in ids if conversation in in_gaps}
        replies |= {conversation: texts for conversation, texts in own_replies.items() if conversation in in_gaps}
        n_questions, n_replies = n_questions + len(ids), n_replies + len(own_replies)
    rows = np.array(list(row_of.values()), dtype=np.int64)
    vectors = np.concatenate(rows_of(read_vectors(job), rows))
    facts = job.read("measure/facts", _OUTCOME)
    ended_badly = facts["resolved"].eq(False).fillna(False) | facts["csat"].le(BAD).fillna(False) | _came_back(facts)
    ended_badly |= facts["conversation_id"].isin(unsolved)
    ended_well = (facts["resolved"].eq(True).fillna(False) | facts["csat"].ge(GOOD).fillna(False)) & ~ended_badly
    of_gaps = facts["conversation_id"].isin(in_gaps)
    known = facts.loc[of_gaps & facts["language"].notna(), ["conversation_id", "language"]].astype(str)
    languages = dict(zip(known["conversation_id"], known["language"], strict=True))
    well, badly = (facts.loc[(of_gaps & ended).astype(bool), "conversation_id"] for ended in (ended_well, ended_badly))
    return Corpus(
        questions, dict(zip(row_of, vectors, strict=True)), replies, question_counts, n_questions, reply_counts,
        n_replies, frozenset(well.astype(str)), frozenset(badly.astype(str)), languages,
    )  # fmt: skip


def _unsolved(customers: pd.DataFrame, agents: pd.DataFrame, ids: pd.Index) -> set[str]:
    """The conversations in which the customer's last words, after an agent's, say that the problem is still there."""
    last = customers[customers["conversation_id"].isin(ids)].groupby("conversation_id").tail(1)
    answered = last["conversation_id"].map(agents.groupby("conversation_id")["position"].min())
    after = last[(last["position"] > answered).fillna(False)]
    told = [says_unsolved(str(text)) for text in after["text"]]
    return set(after.loc[told, "conversation_id"].astype(str))


def _opening(texts: Sequence[str]) -> str:
    """The customer's question with its line breaks, up to the length at which questions are cut."""
    match = _WORDS.match(main_question(list(texts), keep_lines=True))
    return match[0] if match else ""


def shown(text: object, keep: str = "") -> str:
    """A text with placeholders as ‹order›, which are not taken for tags; those of the kind ``keep`` stay."""
    return _HIDDEN.sub(
        lambda match: match[0] if match[1] == keep else f"‹{match[1].lower().replace('_', ' ')}›", str(text)
    )


def _came_back(facts: pd.DataFrame) -> pd.Series:
    """Whether the same customer escalated the same problem again soon: the same subtopic, or topic without one."""
    problem = facts["subtopic_id"].fillna(facts["topic_id"])
    escalated = facts[facts["customer_id"].notna() & problem.notna() & facts["escalated"].fillna(False)]
    ordered = escalated.sort_values("started_at", kind="stable")
    next_start = ordered.groupby(["customer_id", problem[ordered.index]])["started_at"].shift(-1)
    soon = (next_start - ordered["started_at"]) <= CAME_BACK
    return soon.reindex(facts.index, fill_value=False)
