"""understand: one question per conversation, matched to articles and grouped into topics that keep their ids."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd

from lacuna.models.accuracy.priors import has_healthy_rest
from lacuna.models.arrays import Flags
from lacuna.models.conversations.follow_ups import follow_up_questions
from lacuna.models.conversations.questions import StockText, first_messages
from lacuna.models.conversations.questions import questions as main_questions
from lacuna.models.topics.describe import unassigned_alarm
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.understand.facts import build_facts, message_facts
from lacuna.pipelines.steps.understand.follow_ups import with_follow_ups
from lacuna.pipelines.steps.understand.levels import group
from lacuna.pipelines.steps.understand.matching import (
    Matcher,
    Texts,
    agent_replies,
    candidates_table,
    embed_replies,
    language_codes,
)
from lacuna.pipelines.steps.understand.sample import places, read_sample

# Where no answers succeeded, only texts show what an article answers, and a vague text must not pass for near: weight
# in articles (20 simulated draws of tickets: macro-F1 0.34, without 0.31; with successful answers, 0.48 and 0.47).
BY_TEXTS_ALONE = 10
STOCK_SAMPLE = 20_000  # conversations whose first messages show what many customers write alike


def understand(job: Job) -> None:
    """Write understand/{facts,questions,vectors,match,assignments,warnings} and the tables of topics (`group`).

    Texts are read a shard at a time. What is learnt from many of them at once (stock text, topics) is learnt from a
    bounded sample, which is chosen by content.
    """
    questions, of_messages, follow_ups = _read_messages(job)
    facts = build_facts(job, of_messages)
    job.write("understand/facts", facts)
    about = ["conversation_id", "language", "in_window", "p_failed", "customer_id", "cited", "agent_cited"]
    questions = questions.merge(facts[about], how="left", on="conversation_id")
    healthy = has_healthy_rest(facts[facts["in_window"]])
    del facts, of_messages
    _match_questions(job, questions, 0 if healthy else BY_TEXTS_ALONE)
    sample = read_sample(job, questions)
    assigned = group(job, questions, sample, lambda: places(job, sample))
    job.write("understand/assignments", with_follow_ups(job, follow_ups, assigned, sample))
    in_window, at_most = assigned[questions["in_window"].to_numpy()], job.settings.topics.unassigned_at_most
    alarm = unassigned_alarm(in_window["topic_id"].isna().tolist(), at_most)
    alarm = alarm or unassigned_alarm(in_window["subtopic_id"].isna().tolist(), at_most, "subtopic")
    job.write_json("understand/warnings", [{"rule": "topics.unassigned_at_most", "message": alarm}] if alarm else [])


def _read_messages(job: Job) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Read the messages: write understand/questions; return the questions' keys, message facts and follow-up questions.

    Questions come in the order of understand/questions, with conversation_id and key.
    """
    stock = StockText.of(_first_messages(job))
    keys, facts, follow_ups = [], [], []
    with progress.bar("reading messages") as tick:
        shards = job.shards_of("redact/messages")
        for done, shard in enumerate(shards):
            tick(done, len(shards))
            messages, conversations = _messages_of(job, shard)
            asked = main_questions(messages, stock)
            job.write_shard(
                "understand/questions", shard,
                asked.merge(conversations, how="left", on="conversation_id")[
                    ["conversation_id", "question", "language", "key"]
                ],
            )  # fmt: skip
            keys.append(asked[["conversation_id", "key"]])
            facts.append(message_facts(messages))
            further = follow_up_questions(messages)
            follow_ups.append(further[further["conversation_id"].isin(asked["conversation_id"])])
    return _joined(keys), _joined(facts), _joined(follow_ups)


def _messages_of(job: Job, shard: str | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A shard's messages of conversations that are there, and conversation_id and language of these."""
    conversations = job.read_shard("load/conversations", shard, ["conversation_id", "language"])
    messages = job.read_shard("redact/messages", shard)
    return messages[messages["conversation_id"].isin(conversations["conversation_id"])], conversations


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)] or parts[:1]
    return filled[0] if len(filled) == 1 else pd.concat(filled, ignore_index=True)


def _first_messages(job: Job) -> list[str]:
    """The customers' first messages of a bounded number of conversations, chosen by a hash of their ids."""
    ids = job.read("load/conversations", ["conversation_id"])["conversation_id"]
    if len(ids) > STOCK_SAMPLE:
        order = ids.map(lambda name: hashlib.blake2b(str(name).encode(), digest_size=8).hexdigest())
        ids = ids[order.argsort(kind="stable").to_numpy()[:STOCK_SAMPLE]]
    chosen = pd.Index(ids)
    columns = ["conversation_id", "position", "role", "text"]
    parts = [part[part["conversation_id"].isin(chosen)] for part in job.read_shards("redact/messages", columns)]
    return list(first_messages(_joined(parts)).sort_index())


def _match_questions(job: Job, questions: pd.DataFrame, drawn: int) -> None:
    """Write understand/vectors and understand/match, shard by shard."""
    matcher = Matcher(job, drawn)
    parts = _parts(job, questions)
    if matcher.compares_texts:
        sample = np.zeros(len(questions), dtype=bool)
        sample[np.lexsort((questions["conversation_id"], questions["key"]))[: job.settings.topics.fit_at_most]] = True
        matcher.learn_usual([_texts(job, shard, questions[own], sample[own]) for shard, own in parts])
    with progress.bar("matching articles") as tick:
        for done, (shard, own) in enumerate(parts):
            tick(done, len(parts))
            texts = _texts(job, shard, questions[own])
            ids = questions["conversation_id"][own].reset_index(drop=True)
            vectors = pd.DataFrame({"conversation_id": ids, "vector": list(texts.vectors)})
            job.write_shard("understand/vectors", shard, vectors)
            job.write_shard("understand/match", shard, candidates_table(ids, matcher.match(texts)))


def _parts(job: Job, questions: pd.DataFrame) -> list[tuple[str | None, slice]]:
    """Each shard of the questions, and its rows among all of them."""
    lengths = [len(part) for part in job.read_shards("understand/questions", ["key"])]
    ends = np.cumsum(lengths)
    assert ends[-1] == len(questions)
    shards = job.shards_of("understand/questions")
    return [(shard, slice(end - n, end)) for shard, n, end in zip(shards, lengths, ends.tolist(), strict=True)]


def _texts(job: Job, shard: str | None, questions: pd.DataFrame, rows: Flags | None = None) -> Texts:
    """A shard's questions, or those of some of its rows, with what agents answered and what was cited."""
    asked = job.read_shard("understand/questions", shard)
    if rows is not None:
        asked, questions = asked[rows], questions[rows]
    messages = job.read_shard("redact/messages", shard, ["conversation_id", "position", "role", "text"])
    replies = agent_replies(messages, asked["conversation_id"])
    texts = list(asked["question"])
    vectors = embed(texts, job.settings.embedder.name, job.store, "embedding questions")
    both = zip(questions["cited"], questions["agent_cited"], strict=True)
    cited = [list(dict.fromkeys([*by_bot, *by_agent])) for by_bot, by_agent in both]
    return Texts(texts, language_codes(asked["language"]), vectors, replies, *embed_replies(job, replies), cited)
