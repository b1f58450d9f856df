"""understand: one question a conversation, matched to articles, grouped into topics that keep their ids."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models import labels as naming
from models import lexical, retrieval, topics
from models.questions import questions as find_questions
from models.themes import group_topics, known_themes, name_themes
from pipelines import progress
from pipelines.facts import build_facts
from pipelines.further import with_further
from pipelines.job import Job
from pipelines.naming import propose
from pipelines.registry import identify, name
from pipelines.vectors import embed

Floats = NDArray[np.float32]

# What a question is to the grouping: shares of meaning, of words, and of nearness to articles.
MEANING, WORDS, ARTICLES = 0.45, 0.2, 0.35
MATCHES = ("score", "meaning", "words", "passage_words", "plain_words", "agents")  # columns of understand/match
SAYS_SOMETHING = 5  # words that an agent's answer needs to point at an article; "See this." points nowhere


def understand(job: Job) -> None:
    """Write understand/{facts,questions,vectors,match,assignments,topics,registry,events,warnings}."""
    facts = build_facts(job)
    messages = job.read("redact/messages")
    asked = find_questions(messages[messages["conversation_id"].isin(facts["conversation_id"])])
    asked = facts[["conversation_id", "language", "in_window", "failed", "customer_id"]].merge(
        asked, on="conversation_id"
    )
    vectors = embed(list(asked["question"]), job.settings.embedder.name, job.store, "embedding questions")
    match = match_articles(job, asked, vectors)
    window = asked["in_window"].to_numpy()
    space = _space(asked, vectors, match["score"] + match["agents"])
    assigned, table, registry, events = _topics(job, asked, vectors, space, window)
    job.write("understand/facts", facts)
    job.write("understand/questions", asked[["conversation_id", "question", "language", "key"]])
    job.write(
        "understand/vectors", pd.DataFrame({"conversation_id": asked["conversation_id"], "vector": list(vectors)})
    )
    job.write("understand/match", _match_frame(asked, match))
    job.write("understand/assignments", with_further(job, messages, asked, assigned, vectors))
    job.write("understand/topics", table)
    job.write("understand/registry", registry)
    alarm = topics.unassigned_alarm(assigned["state"][window].tolist(), job.settings.topics.unassigned_at_most)
    job.write_json("understand/warnings", [{"rule": "topics.unassigned_at_most", "message": alarm}] if alarm else [])
    job.write("understand/events", events)


def live_articles(job: Job) -> pd.DataFrame:
    """Published articles, by article_id: what the bot could have answered from."""
    articles = job.read("load/articles").sort_values("article_id")
    return articles[articles["status"].fillna("published").eq("published")].reset_index(drop=True)


def match_articles(job: Job, asked: pd.DataFrame, vectors: Floats) -> dict[str, Floats]:
    """How each question, and what agents answered to it, matches each live article: float32 (n, articles)."""
    articles = live_articles(job)
    n = len(articles)
    empty = np.zeros((len(asked), n), dtype=np.float32)
    if not n or not len(asked):
        return dict.fromkeys(MATCHES, empty)
    cut = retrieval.passages(articles)
    number = {article: i for i, article in enumerate(articles["article_id"])}
    of = cut["article_id"].map(number).to_numpy()
    passages = list(cut["passage"])
    place = embed(passages, job.settings.embedder.name, job.store, "embedding articles")
    meaning = retrieval.meaning_scores(vectors, place, of, n)
    whole = [f"{a.title}. {a.title}. {retrieval.plain(str(a.body))}" for a in articles.itertuples()]
    questions = list(asked["question"])
    words = _by_language(asked, questions, lambda texts, code: retrieval.word_scores(texts, whole, code), n)
    passage_words = _by_language(
        asked, questions, lambda texts, code: retrieval.passage_word_scores(texts, passages, of, n, code), n
    )
    plain_words = retrieval.plain_word_scores(questions, whole)
    score = retrieval.standardise(meaning) + 0.6 * retrieval.standardise(words)
    replies = _agent_replies(job, asked)
    agents = empty.copy()
    has = np.array([len(text.split()) >= SAYS_SOMETHING for text in replies])
    if has.any():
        said = [text for text, points in zip(replies, has, strict=True) if points]
        there = embed(said, job.settings.embedder.name, job.store, "embedding agents' answers")
        agents[has] = 0.6 * retrieval.standardise(retrieval.meaning_scores(there, place, of, n))
        in_words = _by_language(asked[has], said, lambda texts, code: retrieval.word_scores(texts, whole, code), n)
        agents[has] += 0.4 * retrieval.standardise(in_words)
    return {
        "score": score, "meaning": meaning, "words": words, "passage_words": passage_words, "plain_words": plain_words,
        "agents": agents,
    }  # fmt: skip


def _by_language(
    asked: pd.DataFrame, texts: list[str], scores: Callable[[list[str], str], Floats], articles: int
) -> Floats:
    """``scores`` of the texts of each language with that language's stems, float32 (texts, articles)."""
    out = np.zeros((len(texts), articles), dtype=np.float32)
    language = asked["language"].fillna("en").str[:2].to_numpy()
    for code in sorted(set(language)):
        here = np.flatnonzero(language == code)
        out[here] = scores([texts[i] for i in here], str(code))
    return out


def _agent_replies(job: Job, asked: pd.DataFrame) -> list[str]:
    messages = job.read("redact/messages")
    said = messages[messages["role"] == "agent"].sort_values(["conversation_id", "position"])
    joined = said.groupby("conversation_id")["text"].agg("\n".join)
    return [str(joined.get(c, "")).strip() for c in asked["conversation_id"]]


def _match_frame(asked: pd.DataFrame, match: dict[str, Floats]) -> pd.DataFrame:
    return pd.DataFrame(
        {"conversation_id": asked["conversation_id"]} | {name: list(values) for name, values in match.items()}
    )


def _topics(
    job: Job, asked: pd.DataFrame, vectors: Floats, space: Floats, window: NDArray[np.bool_]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    settings = job.settings.topics
    inside = np.flatnonzero(window)
    chosen = _bounded(asked, window, settings.fit_at_most)
    with progress.bar("grouping questions") as tick:
        labels, words = topics.fit_topics(
            list(asked["question"].iloc[chosen]), space[chosen], asked["failed"].to_numpy()[chosen],
            sorted(naming.STOP_WORDS),
            max_distance=settings.max_distance, min_size=settings.min_questions, evidence=settings.evidence,
        )  # fmt: skip
        tick(1, 1)
    kept = [k for k in sorted(words) if _customers(asked, chosen[labels == k]) >= settings.min_customers]
    groups = [chosen[labels == k] for k in kept]
    centres = retrieval.unit(np.array([space[g].mean(axis=0) for g in groups]).reshape(len(groups), space.shape[1]))
    assigned = _assign(asked, groups, centres, space, settings.nearest_at_least)
    registry, events = identify(job, asked, groups, vectors)
    names = _names(job, asked, groups, words, kept, centres, space, registry["known_theme"])
    registry = name(job, registry, names["label"]).assign(theme=names["theme"])
    names["label"] = registry["label"]
    ids = registry["topic_id"].tolist()
    assigned["topic_id"] = pd.array([ids[t] if t >= 0 else None for t in assigned.pop("topic")], dtype="str")
    inside_rows = assigned[assigned["conversation_id"].isin(asked["conversation_id"].iloc[inside])]
    core = inside_rows[inside_rows["state"] == "core"]["topic_id"].value_counts()
    near = inside_rows[inside_rows["state"] == "nearest"]["topic_id"].value_counts()
    table = pd.concat([registry[["topic_id", "first_seen", "lineage"]], names, topics.map_coordinates(centres)], axis=1)
    table["core"] = table["topic_id"].map(core).fillna(0).astype(int)
    table["nearest"] = table["topic_id"].map(near).fillna(0).astype(int)
    table["last_seen"] = job.run_id
    return assigned[["conversation_id", "topic_id", "state", "strength"]], table, registry, events


def _space(asked: pd.DataFrame, vectors: Floats, match: Floats) -> Floats:
    """The space that topics are found in: meaning, words and nearness to articles side by side, rows of length 1.

    Meaning is taken against the mean of its language, since a model that knows a language badly sees little in it but
    the language itself; words carry what the model misses.
    """
    language = [str(code) for code in asked["language"].fillna("").str[:2]]
    centred = retrieval.centred(vectors, language)
    words = lexical.word_vectors(list(asked["question"]), language)
    return retrieval.unit(
        np.hstack(
            [
                np.sqrt(MEANING) * retrieval.unit(centred),
                np.sqrt(WORDS) * words,
                np.sqrt(ARTICLES) * retrieval.profile(match),
            ]
        )
    )


def _bounded(asked: pd.DataFrame, window: NDArray[np.bool_], at_most: int) -> NDArray[np.int64]:
    """The questions that topics are found on: the window's first, then the history's, each by its content key."""
    order = np.lexsort((asked["conversation_id"], asked["key"], ~window))
    return np.sort(order[:at_most])


def _customers(asked: pd.DataFrame, rows: NDArray[np.int64]) -> int:
    who = asked["customer_id"].iloc[rows]
    return int(who.nunique() + who.isna().sum())


def _assign(
    asked: pd.DataFrame, groups: list[NDArray[np.int64]], centres: Floats, space: Floats, at_least: float
) -> pd.DataFrame:
    topic = np.full(len(asked), -1)
    state = np.full(len(asked), "unassigned", dtype=object)
    strength = np.zeros(len(asked))
    if groups:
        close = topics.strengths(space, centres)
        best = close.argmax(axis=1)
        strength = close.max(axis=1).astype(float)
        for number, rows in enumerate(groups):
            topic[rows], state[rows] = number, "core"
            strength[rows] = close[rows, number]
        near = (topic < 0) & (close.max(axis=1) >= at_least)
        topic[near], state[near] = best[near], "nearest"
    return pd.DataFrame(
        {
            "conversation_id": asked["conversation_id"],
            "topic": topic,
            "state": pd.array(state, dtype="str"),
            "strength": np.round(strength, 4),
        }
    )


def _names(
    job: Job,
    asked: pd.DataFrame,
    groups: list[NDArray[np.int64]],
    words: dict[int, list[tuple[str, float]]],
    kept: list[int],
    centres: Floats,
    space: Floats,
    known_theme: pd.Series,
) -> pd.DataFrame:
    texts = [list(asked["question"].iloc[g]) for g in groups]
    keywords = [[word for word, _ in words[k]][:10] for k in kept]
    shown = [
        [texts[i][j] for j in naming.examples(texts[i], list(space[g] @ centres[i]))] for i, g in enumerate(groups)
    ]
    labels = naming.label_topics(
        texts, keywords, lambda some: embed(some, job.settings.embedder.name, job.store, "embedding names")
    )
    labels, warnings = propose(labels, keywords, shown, texts, job.settings.labels, job.store)
    job.write_json("understand/naming", warnings)
    return pd.DataFrame(
        {
            "label": pd.array(labels, dtype="str"),
            "theme": pd.array(_themes(texts, centres, known_theme), dtype="str"),
            "keywords": keywords,
            "examples": shown,
            "conversations": [len(g) for g in groups],
            "customers": [_customers(asked, g) for g in groups],
        }
    )


def _themes(texts: list[list[str]], centres: Floats, known_theme: pd.Series) -> list[str | None]:
    """The name of each topic's theme; a theme that most of a known one is in keeps its name."""
    before = [name if isinstance(name, str) else None for name in known_theme]
    theme = group_topics(centres, before)
    return name_themes(theme, texts, known_themes(theme, before, [len(topic) for topic in texts]))
