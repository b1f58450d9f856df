"""Searches in vain: help-centre queries that found nothing, or nothing worth a click, and ended in a ticket."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.retrieval.article_match import centred, profile, unit
from lacuna.models.topics.failure_tree import strengths
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.understand.levels import ARTICLES, MEANING
from lacuna.pipelines.steps.understand.step import match_articles

MOST_QUERIES = 8
COLUMNS = [
    "searched_at", "query", "language", "results", "conversation_id", "topic_id", "subtopic_id", "by", "strength",
    "in_window",
]  # fmt: skip


def failed_searches(job: Job, facts: pd.DataFrame) -> pd.DataFrame:
    """Each search in vain with the topic that it belongs to.

    A search belongs to the topic of the ticket that followed, where that has one; else to the subtopic that the query
    itself comes nearest to, and so to its topic, by the threshold that holds for questions. Each is one attempt to help
    oneself, counted apart from conversations: the ticket is one already.

    Parameters
    ----------
    facts
        conversation_id, topic_id, subtopic_id.

    Returns
    -------
    DataFrame
        By searched_at and query: searched_at, query, language, results, conversation_id, topic_id and
        subtopic_id (str or null), by ("ticket", "words" or null), strength (float, the query's cosine to the nearest
        subtopic where the ticket had no topic), in_window (bool).
    """
    searches = job.read("redact/searches")
    vain = searches["results"].eq(0).fillna(False) | searches["clicked_article_id"].isna()
    found = searches[vain & searches["conversation_id"].notna() & searches["query"].notna()]
    found = found.sort_values(["searched_at", "query", "conversation_id"]).reset_index(drop=True)
    found["in_window"] = found["searched_at"] >= pd.Timestamp(job.start_ts)
    if found.empty:
        return found.reindex(columns=COLUMNS).astype(
            {"topic_id": "str", "subtopic_id": "str", "by": "str", "strength": "float64"}
        )
    about = facts.set_index("conversation_id")
    ticket = found["conversation_id"].map(about["topic_id"]).astype("str")
    by_words, strength = _nearest(job, found[ticket.isna()])
    topic_of = job.read("understand/subtopics").set_index("subtopic_id")["topic_id"]
    found["topic_id"] = ticket.fillna(by_words.map(topic_of).astype("str"))
    found["subtopic_id"] = found["conversation_id"].map(about["subtopic_id"]).astype("str").fillna(by_words)
    found["by"] = pd.Series("ticket", found.index, dtype="str").where(ticket.notna())
    found["by"] = found["by"].fillna(pd.Series("words", by_words.index, dtype="str").where(by_words.notna()))
    found["strength"] = strength.round(4)
    return found[COLUMNS]


def _nearest(job: Job, found: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """The subtopic that each query comes nearest to, null where none is near enough, and its cosine to the nearest.

    As for questions, but for the words: three of them say little beside their meaning and the articles near to it.
    """
    match, vectors = job.read("understand/match"), job.read("understand/vectors")
    asked = job.read("understand/questions")
    core = job.read("understand/assignments").query("subtopic_core and question_number == 1")
    subtopic = asked["conversation_id"].map(core.set_index("conversation_id")["subtopic_id"])
    ids = sorted(subtopic.dropna().unique())
    if not ids or found.empty:
        return pd.Series(None, found.index, dtype="str"), pd.Series(np.nan, found.index)
    queries = found[["query", "language"]].drop_duplicates().sort_values(["query", "language"])
    queries = queries.rename(columns={"query": "question"}).assign(conversation_id="")
    said = embed(list(queries["question"]), job.settings.embedder.name, job.store, "embedding searches")
    own = match_articles(job, queries, said)["score"]
    score, agents = (np.stack(list(match[name])).astype(np.float32) for name in ("score", "agents"))
    language = [str(code) for code in pd.concat([asked["language"], queries["language"]]).fillna("").str[:2]]
    meaning = centred(np.vstack([np.stack(list(vectors["vector"])).astype(np.float32), said]), language)
    near = profile(np.vstack([score + agents, own]))
    space = unit(np.hstack([np.sqrt(MEANING) * unit(meaning), np.sqrt(ARTICLES) * near]))
    centres = unit(np.stack([space[: len(asked)][subtopic.eq(s).to_numpy()].mean(axis=0) for s in ids]))
    close = strengths(space[len(asked) :], centres)
    best = queries[["question", "language"]].rename(columns={"question": "query"})
    best = best.assign(subtopic=[ids[i] for i in close.argmax(axis=1)], close=close.max(axis=1).astype(float))
    told = found[["query", "language"]].merge(best, how="left", on=["query", "language"]).set_index(found.index)
    enough = told["close"] >= job.settings.topics.nearest_at_least
    return told["subtopic"].where(enough).astype("str"), told["close"]


def searches_by_topic(searches: pd.DataFrame, days: int) -> pd.DataFrame:
    """The window's searches in vain by topic_id: searches (int), searches_a_week (float), queries (list of dicts).

    A query's dict holds the query as it was typed most often, and its count.
    """
    inside = searches[searches["in_window"] & searches["topic_id"].notna()]
    rows = [(t, len(own), len(own) / (days / 7), _queries(own)) for t, own in inside.groupby("topic_id", sort=True)]
    found = pd.DataFrame(rows, columns=["topic_id", "searches", "searches_a_week", "queries"])
    return found.astype({"topic_id": "str", "searches": "int64", "searches_a_week": "float64"}).set_index("topic_id")


def searches_for(searches: pd.DataFrame, subtopics: Collection[str], conversations: Collection[str]) -> dict[str, Any]:
    """The window's searches in vain for what a gap is about: searches (int) and queries, as in the topics.

    Those of its subtopics, and those before one of its conversations.
    """
    about = searches["subtopic_id"].isin(subtopics) | searches["conversation_id"].isin(conversations)
    own = searches[searches["in_window"] & about]
    return {"searches": len(own), "queries": _queries(own)}


def _queries(searches: pd.DataFrame) -> list[dict[str, Any]]:
    same = searches.assign(key=searches["query"].str.casefold().str.split().str.join(" ")).groupby("key")["query"]
    counted = same.agg(["size", "min"]).sort_values(["size", "min"], ascending=[False, True], kind="stable")
    first = counted.head(MOST_QUERIES).itertuples(index=False, name=None)
    return [{"query": str(query), "count": int(count)} for count, query in first]
