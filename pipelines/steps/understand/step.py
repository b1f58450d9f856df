"""understand: one question a conversation, matched to articles, grouped into topics that keep their ids."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from lacuna.models.accuracy.priors import has_healthy_rest
from lacuna.models.arrays import F32, Flags
from lacuna.models.conversations.questions import questions as find_questions
from lacuna.models.retrieval import article_match
from lacuna.models.text import markup
from lacuna.models.topics.describe import unassigned_alarm
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.understand.facts import build_facts
from lacuna.pipelines.steps.understand.follow_ups import with_further
from lacuna.pipelines.steps.understand.levels import group, question_space

MATCHES = ("score", "meaning", "words", "passage_words", "plain_words", "agents")  # columns of understand/match
# Where texts alone tell what an article answers, a vague one must not pass for near: weight in articles (20 simulated
# draws of tickets: macro-F1 0.34, without 0.31; where failures tell too, 0.48 and 0.47).
BY_TEXTS_ALONE = 10
SAYS_SOMETHING = 5  # words that an agent's answer needs to point at an article; "See this." points nowhere


def understand(job: Job) -> None:
    """Write understand/{facts,questions,vectors,match,assignments,warnings} and what `group` finds of topics."""
    facts = build_facts(job)
    messages = job.read("redact/messages")
    asked = find_questions(messages[messages["conversation_id"].isin(facts["conversation_id"])])
    asked = facts[["conversation_id", "language", "in_window", "failed", "customer_id"]].merge(
        asked, on="conversation_id"
    )
    vectors = embed(list(asked["question"]), job.settings.embedder.name, job.store, "embedding questions")
    drawn = 0 if has_healthy_rest(facts[facts["in_window"]]) else BY_TEXTS_ALONE
    match = match_articles(job, asked, vectors, drawn)
    window = asked["in_window"].to_numpy()
    space = question_space(asked, vectors, match["score"] + match["agents"])
    assigned = group(job, asked, vectors, space, window)
    job.write("understand/facts", facts)
    job.write("understand/questions", asked[["conversation_id", "question", "language", "key"]])
    job.write(
        "understand/vectors", pd.DataFrame({"conversation_id": asked["conversation_id"], "vector": list(vectors)})
    )
    job.write("understand/match", _match_frame(asked, match))
    job.write("understand/assignments", with_further(job, messages, asked, assigned, vectors))
    inside, at_most = assigned[window], job.settings.topics.unassigned_at_most
    alarm = unassigned_alarm(inside["topic_id"].isna().tolist(), at_most)
    alarm = alarm or unassigned_alarm(inside["subtopic_id"].isna().tolist(), at_most, "subtopic")
    job.write_json("understand/warnings", [{"rule": "topics.unassigned_at_most", "message": alarm}] if alarm else [])


def live_articles(job: Job) -> pd.DataFrame:
    """Published articles, by article_id: what the bot could have answered from."""
    articles = job.read("load/articles").sort_values("article_id")
    return articles[articles["status"].fillna("published").eq("published")].reset_index(drop=True)


def match_articles(job: Job, asked: pd.DataFrame, vectors: F32, drawn: int = 0) -> dict[str, F32]:
    """How each question, and what agents answered to it, matches each live article: float32 (n, articles).

    ``drawn`` as in :func:`models.retrieval.article_match.standard_scores`.
    """
    articles = live_articles(job)
    n = len(articles)
    empty = np.zeros((len(asked), n), dtype=np.float32)
    if not n or not len(asked):
        return dict.fromkeys(MATCHES, empty)
    cut = article_match.passages(articles)
    number = {article: i for i, article in enumerate(articles["article_id"])}
    of = cut["article_id"].map(number).to_numpy()
    passages = list(cut["passage"])
    place = embed(passages, job.settings.embedder.name, job.store, "embedding articles")
    meaning = article_match.meaning_scores(vectors, place, of, n)
    whole = [f"{a.title}. {a.title}. {markup.plain(str(a.body))}" for a in articles.itertuples()]
    questions = list(asked["question"])
    words = _by_language(asked, questions, lambda texts, code: article_match.word_scores(texts, whole, code), n)
    passage_words = _by_language(
        asked, questions, lambda texts, code: article_match.passage_word_scores(texts, passages, of, n, code), n
    )
    plain_words = article_match.plain_word_scores(questions, whole)
    score = article_match.standard_scores(meaning, drawn) + 0.6 * article_match.standard_scores(words, drawn)
    replies = agent_replies(job, asked["conversation_id"])
    agents = empty.copy()
    there, has = embed_replies(job, replies)
    if has.any():
        said = [text for text, points in zip(replies, has, strict=True) if points]
        agents[has] = 0.6 * article_match.standard_scores(article_match.meaning_scores(there, place, of, n), drawn)
        in_words = _by_language(asked[has], said, lambda texts, code: article_match.word_scores(texts, whole, code), n)
        agents[has] += 0.4 * article_match.standard_scores(in_words, drawn)
    return {
        "score": score, "meaning": meaning, "words": words, "passage_words": passage_words, "plain_words": plain_words,
        "agents": agents,
    }  # fmt: skip


def _by_language(asked: pd.DataFrame, texts: list[str], scores: Callable[[list[str], str], F32], articles: int) -> F32:
    """``scores`` of the texts of each language with that language's stems, float32 (texts, articles)."""
    out = np.zeros((len(texts), articles), dtype=np.float32)
    language = asked["language"].fillna("en").str[:2].to_numpy()
    for code in sorted(set(language)):
        here = np.flatnonzero(language == code)
        out[here] = scores([texts[i] for i in here], str(code))
    return out


def agent_replies(job: Job, conversations: pd.Series) -> list[str]:
    """All that agents said in each of these conversations, in order; empty where they said nothing."""
    messages = job.read("redact/messages")
    said = messages[messages["role"] == "agent"].sort_values(["conversation_id", "position"])
    joined = said.groupby("conversation_id")["text"].agg("\n".join)
    return [str(joined.get(c, "")).strip() for c in conversations]


def embed_replies(job: Job, replies: list[str]) -> tuple[F32, Flags]:
    """Vectors of the replies that say something, float32 (said, dim), and which those are, bool (replies,)."""
    has = np.array([len(text.split()) >= SAYS_SOMETHING for text in replies], dtype=bool)
    said = [text for text, points in zip(replies, has, strict=True) if points]
    return embed(said, job.settings.embedder.name, job.store, "embedding agents' answers"), has


def _match_frame(asked: pd.DataFrame, match: dict[str, F32]) -> pd.DataFrame:
    return pd.DataFrame(
        {"conversation_id": asked["conversation_id"]} | {name: list(values) for name, values in match.items()}
    )
