"""Searches in vain: help-centre queries that found nothing, or nothing worth a click, and ended in a ticket."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from models.retrieval import centred, profile, unit
from models.topics import strengths
from pipelines.job import Job
from pipelines.understand import ARTICLES, MEANING, match_articles
from pipelines.vectors import embed

MOST_QUERIES = 8
COLUMNS = ["searched_at", "query", "language", "results", "conversation_id", "topic_id", "by", "strength", "in_window"]


def failed_searches(job: Job, facts: pd.DataFrame) -> pd.DataFrame:
    """Each search in vain with the topic that it belongs to.

    A search belongs to the topic of the ticket that followed, where that has one; else to the topic that the query
    itself comes nearest to, by the threshold that holds for questions. Each is one attempt to help oneself, counted
    apart from conversations: the ticket is one already.

    Parameters
    ----------
    facts
        conversation_id, topic_id.

    Returns
    -------
    DataFrame
        By searched_at and query: searched_at, query, language, results, conversation_id, topic_id (str or null), by
        ("ticket", "words" or null), strength (float, the query's cosine to the nearest topic where the ticket had
        none), in_window (bool).
    """
    searches = job.read("redact/searches")
    vain = searches["results"].eq(0).fillna(False) | searches["clicked_article_id"].isna()
    found = searches[vain & searches["conversation_id"].notna() & searches["query"].notna()]
    found = found.sort_values(["searched_at", "query", "conversation_id"]).reset_index(drop=True)
    found["in_window"] = found["searched_at"] >= pd.Timestamp(job.start_ts)
    if found.empty:
        return found.reindex(columns=COLUMNS).astype({"topic_id": "str", "by": "str", "strength": "float64"})
    ticket = found["conversation_id"].map(facts.set_index("conversation_id")["topic_id"]).astype("str")
    by_words, strength = _nearest(job, found[ticket.isna()])
    found["topic_id"] = ticket.fillna(by_words)
    found["by"] = pd.Series("ticket", found.index, dtype="str").where(ticket.notna())
    found["by"] = found["by"].fillna(pd.Series("words", by_words.index, dtype="str").where(by_words.notna()))
    found["strength"] = strength.round(4)
    return found[COLUMNS]


def _nearest(job: Job, found: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """The topic that each query comes nearest to, null where none is near enough, and its cosine to the nearest.

    As for questions, but for the words: three of them say little beside their meaning and the articles near to it.
    """
    match, vectors = job.read("understand/match"), job.read("understand/vectors")
    asked = job.read("understand/questions")
    core = job.read("understand/assignments").query("state == 'core' and question_number == 1")
    topic = asked["conversation_id"].map(core.set_index("conversation_id")["topic_id"])
    ids = sorted(topic.dropna().unique())
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
    centres = unit(np.stack([space[: len(asked)][topic.eq(t).to_numpy()].mean(axis=0) for t in ids]))
    close = strengths(space[len(asked) :], centres)
    best = queries[["question", "language"]].rename(columns={"question": "query"})
    best = best.assign(topic=[ids[i] for i in close.argmax(axis=1)], close=close.max(axis=1).astype(float))
    told = found[["query", "language"]].merge(best, how="left", on=["query", "language"]).set_index(found.index)
    enough = told["close"] >= job.settings.topics.nearest_at_least
    return told["topic"].where(enough).astype("str"), told["close"]


def searches_by_topic(searches: pd.DataFrame, days: int) -> pd.DataFrame:
    """The window's searches in vain by topic_id: searches (int), searches_a_week (float), queries (list of dicts).

    A query's dict holds the query as it was typed most often, and its count.
    """
    inside = searches[searches["in_window"] & searches["topic_id"].notna()]
    rows = [(t, len(own), len(own) / (days / 7), _queries(own)) for t, own in inside.groupby("topic_id", sort=True)]
    found = pd.DataFrame(rows, columns=["topic_id", "searches", "searches_a_week", "queries"])
    return found.astype({"topic_id": "str", "searches": "int64"}).set_index("topic_id")


def searches_for(searches: pd.DataFrame, topics: Collection[str], conversations: Collection[str]) -> dict[str, Any]:
    """The window's searches in vain for what a gap is about: searches (int) and queries, as in the topics.

    Those of its topics, and those before one of its conversations.
    """
    about = searches["topic_id"].isin(topics) | searches["conversation_id"].isin(conversations)
    own = searches[searches["in_window"] & about]
    return {"searches": len(own), "queries": _queries(own)}


def _queries(searches: pd.DataFrame) -> list[dict[str, Any]]:
    same = searches.assign(key=searches["query"].str.casefold().str.split().str.join(" ")).groupby("key")["query"]
    counted = same.agg(["size", "min"]).sort_values(["size", "min"], ascending=[False, True], kind="stable")
    first = counted.head(MOST_QUERIES).itertuples(index=False, name=None)
    return [{"query": str(query), "count": int(count)} for count, query in first]
