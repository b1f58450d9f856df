"""understand: one question per conversation, matched to articles and grouped into topics that keep their ids."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from lacuna.models.accuracy.priors import has_healthy_rest
from lacuna.models.arrays import F32, Flags
from lacuna.models.conversations.questions import questions as main_questions
from lacuna.models.retrieval import article_match
from lacuna.models.text import markup
from lacuna.models.topics.describe import unassigned_alarm
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.understand.facts import build_facts
from lacuna.pipelines.steps.understand.follow_ups import with_follow_ups
from lacuna.pipelines.steps.understand.levels import group, question_space

MATCHES = ("score", "meaning", "words", "passage_words", "plain_words", "agents")  # columns of understand/match
# Where no answers succeeded, only texts show what an article answers, and a vague text must not pass for near: weight
# in articles (20 simulated draws of tickets: macro-F1 0.34, without 0.31; with successful answers, 0.48 and 0.47).
BY_TEXTS_ALONE = 10
MIN_REPLY_WORDS = 5  # an agent's answer with fewer words, such as "See this.", does not point at an article


def understand(job: Job) -> None:
    """Write understand/{facts,questions,vectors,match,assignments,warnings} and the tables of topics (`group`)."""
    facts = build_facts(job)
    messages = job.read("redact/messages")
    questions = main_questions(messages[messages["conversation_id"].isin(facts["conversation_id"])])
    questions = facts[["conversation_id", "language", "in_window", "failed", "customer_id"]].merge(
        questions, on="conversation_id"
    )
    vectors = embed(list(questions["question"]), job.settings.embedder.name, job.store, "embedding questions")
    drawn = 0 if has_healthy_rest(facts[facts["in_window"]]) else BY_TEXTS_ALONE
    match = match_articles(job, questions, vectors, drawn)
    window = questions["in_window"].to_numpy()
    space = question_space(questions, vectors, match["score"] + match["agents"])
    assigned = group(job, questions, vectors, space, window)
    job.write("understand/facts", facts)
    job.write("understand/questions", questions[["conversation_id", "question", "language", "key"]])
    job.write(
        "understand/vectors", pd.DataFrame({"conversation_id": questions["conversation_id"], "vector": list(vectors)})
    )
    job.write("understand/match", _match_frame(questions, match))
    job.write("understand/assignments", with_follow_ups(job, messages, questions, assigned, vectors))
    in_window, at_most = assigned[window], job.settings.topics.unassigned_at_most
    alarm = unassigned_alarm(in_window["topic_id"].isna().tolist(), at_most)
    alarm = alarm or unassigned_alarm(in_window["subtopic_id"].isna().tolist(), at_most, "subtopic")
    job.write_json("understand/warnings", [{"rule": "topics.unassigned_at_most", "message": alarm}] if alarm else [])


def live_articles(job: Job) -> pd.DataFrame:
    """Published articles, by article_id: those that the bot could have answered from."""
    articles = job.read("load/articles").sort_values("article_id")
    return articles[articles["status"].fillna("published").eq("published")].reset_index(drop=True)


def match_articles(job: Job, questions: pd.DataFrame, vectors: F32, drawn: int = 0) -> dict[str, F32]:
    """How well each question, and agents' answers to it, match each live article: float32 (n, articles) by column.

    ``drawn`` as in :func:`models.retrieval.article_match.standard_scores`.
    """
    articles = live_articles(job)
    n = len(articles)
    empty = np.zeros((len(questions), n), dtype=np.float32)
    if not n or not len(questions):
        return dict.fromkeys(MATCHES, empty)
    cut = article_match.passages(articles)
    numbers = {article: i for i, article in enumerate(articles["article_id"])}
    article_of = cut["article_id"].map(numbers).to_numpy()
    passages = list(cut["passage"])
    passage_vectors = embed(passages, job.settings.embedder.name, job.store, "embedding articles")
    whole = [f"{a.title}. {a.title}. {markup.plain(str(a.body))}" for a in articles.itertuples()]

    def whole_scores(queries: list[str], code: str) -> F32:
        return article_match.word_scores(queries, whole, code)

    def passage_scores(queries: list[str], code: str) -> F32:
        return article_match.passage_word_scores(queries, passages, article_of, n, code)

    def by_meaning(query_vectors: F32) -> F32:
        return article_match.meaning_scores(query_vectors, passage_vectors, article_of, n)

    texts = list(questions["question"])
    meaning = by_meaning(vectors)
    words = _by_language(questions, texts, whole_scores, n)
    passage_words = _by_language(questions, texts, passage_scores, n)
    plain_words = article_match.plain_word_scores(texts, whole)
    score = article_match.standard_scores(meaning, drawn) + 0.6 * article_match.standard_scores(words, drawn)
    replies = agent_replies(job, questions["conversation_id"])
    agents = empty.copy()
    reply_vectors, is_long = embed_replies(job, replies)
    if is_long.any():
        long_replies = [text for text, long in zip(replies, is_long, strict=True) if long]
        agents[is_long] = 0.6 * article_match.standard_scores(by_meaning(reply_vectors), drawn)
        by_words = _by_language(questions[is_long], long_replies, whole_scores, n)
        agents[is_long] += 0.4 * article_match.standard_scores(by_words, drawn)
    return {
        "score": score, "meaning": meaning, "words": words, "passage_words": passage_words, "plain_words": plain_words,
        "agents": agents,
    }  # fmt: skip


def _by_language(
    questions: pd.DataFrame, texts: list[str], scores: Callable[[list[str], str], F32], articles: int
) -> F32:
    """``scores`` of all texts, those of each language by that language's stems: float32 (texts, articles)."""
    out = np.zeros((len(texts), articles), dtype=np.float32)
    language = questions["language"].fillna("en").str[:2].to_numpy()
    for code in sorted(set(language)):
        rows = np.flatnonzero(language == code)
        out[rows] = scores([texts[i] for i in rows], str(code))
    return out


def agent_replies(job: Job, conversations: pd.Series) -> list[str]:
    """All messages of agents in each of these conversations, in order; empty where there are none."""
    messages = job.read("redact/messages")
    replies = messages[messages["role"] == "agent"].sort_values(["conversation_id", "position"])
    joined = replies.groupby("conversation_id")["text"].agg("\n".join)
    return [str(joined.get(c, "")).strip() for c in conversations]


def embed_replies(job: Job, replies: list[str]) -> tuple[F32, Flags]:
    """Vectors of the replies that are long enough, float32 (long enough, dim), and which those are, bool (replies,)."""
    is_long = np.array([len(text.split()) >= MIN_REPLY_WORDS for text in replies], dtype=bool)
    texts = [text for text, long in zip(replies, is_long, strict=True) if long]
    return embed(texts, job.settings.embedder.name, job.store, "embedding agents' answers"), is_long


def _match_frame(questions: pd.DataFrame, match: dict[str, F32]) -> pd.DataFrame:
    return pd.DataFrame(
        {"conversation_id": questions["conversation_id"]} | {name: list(values) for name, values in match.items()}
    )
