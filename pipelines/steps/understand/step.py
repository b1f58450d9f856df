"""understand: one question per conversation, matched to articles and grouped into topics that keep their ids.

Texts are read, matched and assigned a shard at a time. What is learnt from many of them at once is learnt from a
bounded number, chosen by content: what many customers write alike, what scores usually are, and topics.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict

import numpy as np
import pandas as pd

from lacuna.models.accuracy.priors import has_healthy_rest
from lacuna.models.arrays import Flags
from lacuna.models.conversations.follow_ups import follow_up_questions
from lacuna.models.conversations.questions import StockText, first_messages
from lacuna.models.conversations.questions import questions as main_questions
from lacuna.models.retrieval.article_match import Usual
from lacuna.models.topics.describe import unassigned_alarm
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.runtime.parts import perform_parts
from lacuna.pipelines.steps.understand.assign import assign_shard
from lacuna.pipelines.steps.understand.embedder_choice import choose_embedder
from lacuna.pipelines.steps.understand.facts import build_facts, message_facts
from lacuna.pipelines.steps.understand.levels import group
from lacuna.pipelines.steps.understand.matching import (
    Matcher,
    Texts,
    agent_replies,
    candidates_table,
    embed_replies,
    language_codes,
    live_articles,
)
from lacuna.pipelines.steps.understand.sample import read_sample
from lacuna.pipelines.steps.understand.topic_space import write_topic_space

__all__ = [
    "assign_topics", "check_assignments", "find_topics", "learn_stock_text", "match_articles",
    "matched_articles", "read_messages", "understand", "write_facts",
]  # fmt: skip

# Where no answers succeeded, only texts show what an article answers, and a vague text must not pass for near: weight
# in articles (20 simulated draws of tickets: macro-F1 0.34, without 0.31; with successful answers, 0.48 and 0.47).
BY_TEXTS_ALONE = 10
STOCK_SAMPLE = 20_000  # conversations whose first messages show what many customers write alike
COLUMNS = ["conversation_id", "position", "role", "text"]


def understand(job: Job) -> None:
    """Write understand/{facts,questions,vectors,match,assignments,warnings} and the tables of topics."""
    perform_parts(job, "understand")


def learn_stock_text(job: Job) -> None:
    """Write understand/stock_text.json: what many customers write alike, from a bounded number of first messages."""
    ids = job.read("load/conversations", ["conversation_id"])["conversation_id"]
    if len(ids) > STOCK_SAMPLE:
        order = ids.map(lambda name: hashlib.blake2b(str(name).encode(), digest_size=8).hexdigest())
        ids = ids[order.argsort(kind="stable").to_numpy()[:STOCK_SAMPLE]]
    chosen = pd.Index(ids)
    parts = [part[part["conversation_id"].isin(chosen)] for part in job.read_shards("redact/messages", COLUMNS)]
    stock = StockText.of(list(first_messages(_joined(parts))))
    job.write_json("understand/stock_text", {name: sorted(lines) for name, lines in asdict(stock).items()})


def read_messages(job: Job, shard: str | None) -> None:
    """Write a shard of understand/{questions,message_facts,follow_ups}."""
    stock = StockText(**{name: frozenset(lines) for name, lines in job.read_json("understand/stock_text").items()})
    conversations = job.read_shard("load/conversations", shard, ["conversation_id", "language"])
    messages = job.read_shard("redact/messages", shard)
    messages = messages[messages["conversation_id"].isin(conversations["conversation_id"])]
    questions = main_questions(messages, stock).merge(conversations, how="left", on="conversation_id")
    job.write_shard("understand/questions", shard, questions[["conversation_id", "question", "language", "key"]])
    job.write_shard("understand/message_facts", shard, message_facts(messages))
    follow_ups = follow_up_questions(messages)
    asked = follow_ups["conversation_id"].isin(questions["conversation_id"])
    job.write_shard("understand/follow_ups", shard, follow_ups[asked])


def write_facts(job: Job) -> None:
    """Write understand/facts, the choice of the embedder, and what scores usually are where many texts show it."""
    choose_embedder(job)
    facts = build_facts(job, _joined(list(job.read_shards("understand/message_facts"))))
    job.write("understand/facts", facts)
    healthy = has_healthy_rest(facts[facts["in_window"]])
    matcher = Matcher(job, 0 if healthy else BY_TEXTS_ALONE)
    usual: Mapping[str, Usual] = {}
    if matcher.compares_texts:
        keys = job.read("understand/questions", ["conversation_id", "key"])
        order = np.lexsort((keys["conversation_id"], keys["key"]))[: job.settings.topics.fit_at_most]
        chosen = pd.Index(keys["conversation_id"].iloc[order])
        shards = job.shards_of("understand/questions")
        usual = matcher.learn_usual(_texts(job, shard, chosen) for shard in shards)
    scores = {name: asdict(of) for name, of in usual.items()}
    job.write_json("understand/usual_scores", {"drawn": matcher.drawn, "usual": scores})


def match_articles(job: Job, shard: str | None) -> None:
    """Write a shard of understand/{vectors,match}."""
    usual = job.read_json("understand/usual_scores")
    matcher = Matcher(job, usual["drawn"], {name: Usual(**of) for name, of in usual["usual"].items()})
    texts = _texts(job, shard)
    ids = job.read_shard("understand/questions", shard, ["conversation_id"])["conversation_id"]
    vectors = pd.DataFrame({"conversation_id": ids, "vector": list(texts.vectors)})
    job.write_shard("understand/vectors", shard, vectors)
    job.write_shard("understand/match", shard, candidates_table(ids, matcher.match(texts)))


def matched_articles(job: Job, _: str | None) -> pd.DataFrame:
    """What :func:`match_articles` reads of the live articles."""
    return live_articles(job)[["article_id", "title", "body"]]


def find_topics(job: Job) -> None:
    """Write the tables of topics and subtopics, and understand/topic_space.npz, by which others are assigned."""
    questions = job.read("understand/questions", ["conversation_id", "key"])
    about = ["conversation_id", "in_window", "p_failed", "customer_id"]
    questions = questions.merge(job.read("understand/facts", about), how="left", on="conversation_id")
    sample = read_sample(job, questions)
    job.write("understand/sample_questions", sample.questions[["conversation_id", "key", "question", "in_window"]])
    write_topic_space(job, group(job, sample, set(questions["key"])))


def assign_topics(job: Job, shard: str | None) -> None:
    """Write a shard of understand/assignments: the topics of its questions and follow-up questions."""
    job.write_shard("understand/assignments", shard, assign_shard(job, shard))


def check_assignments(job: Job) -> None:
    """Write understand/warnings: whether too many questions of the window are in no topic."""
    assigned = job.read("understand/assignments", ["conversation_id", "question_number", "topic_id", "subtopic_id"])
    inside = job.read("understand/facts", ["conversation_id", "in_window"])
    window = assigned.merge(inside, how="left", on="conversation_id").query("in_window and question_number == 1")
    at_most = job.settings.topics.unassigned_at_most
    alarm = unassigned_alarm(window["topic_id"].isna().tolist(), at_most)
    alarm = alarm or unassigned_alarm(window["subtopic_id"].isna().tolist(), at_most, "subtopic")
    job.write_json("understand/warnings", [{"rule": "topics.unassigned_at_most", "message": alarm}] if alarm else [])


def _texts(job: Job, shard: str | None, only: pd.Index | None = None) -> Texts:
    """A shard's questions, or those of some conversations, with what agents answered and what was cited."""
    asked = job.read_shard("understand/questions", shard)
    if only is not None:
        some: Flags = asked["conversation_id"].isin(only).to_numpy()
        asked = asked[some]
    messages = job.read_shard("redact/messages", shard, COLUMNS)
    replies = agent_replies(messages, asked["conversation_id"])
    texts = list(asked["question"])
    vectors = embed(texts, job.embedder, job.store, "embedding questions")
    of_messages = job.read_shard("understand/message_facts", shard, ["conversation_id", "cited", "agent_cited"])
    of_questions = asked[["conversation_id"]].merge(of_messages, how="left", on="conversation_id")
    both = zip(of_questions["cited"], of_questions["agent_cited"], strict=True)
    cited = [list(dict.fromkeys([*(by_bot or ()), *(by_agent or ())])) for by_bot, by_agent in both]
    return Texts(texts, language_codes(asked["language"]), vectors, replies, *embed_replies(job, replies), cited)


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)] or parts[:1]
    return filled[0] if len(filled) == 1 else pd.concat(filled, ignore_index=True)
