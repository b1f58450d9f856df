"""Failed searches: help-centre queries without results, or without a click, that ended in a ticket."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.arrays import Ints
from lacuna.models.retrieval.candidates import Candidates, rows_of
from lacuna.models.text.vectors import centred, unit
from lacuna.models.topics.nearest import assign_nearest
from lacuna.models.topics.question_space import ARTICLES, MEANING
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.understand.matching import (
    Matcher,
    Texts,
    language_codes,
    live_articles,
    nearness,
    read_candidates,
    read_vectors,
)
from lacuna.pipelines.steps.understand.sample import sample_rows

MOST_QUERIES = 8
COLUMNS = [
    "searched_at", "query", "language", "results", "conversation_id", "topic_id", "subtopic_id", "by", "strength",
    "in_window",
]  # fmt: skip


def failed_searches(job: Job, facts: pd.DataFrame) -> pd.DataFrame:
    """Each failed search with its topic.

    A search belongs to the topic of the ticket that followed, if that has one; else to the subtopic nearest to the
    query, and so to its topic, by the same threshold as for questions. Searches are counted apart from conversations,
    since the ticket is counted already.

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
    unanswered = searches["results"].eq(0).fillna(False) | searches["clicked_article_id"].isna()
    failed = searches[unanswered & searches["conversation_id"].notna() & searches["query"].notna()]
    failed = failed.sort_values(["searched_at", "query", "conversation_id"]).reset_index(drop=True)
    failed["in_window"] = failed["searched_at"] >= pd.Timestamp(job.start_ts)
    if failed.empty:
        return failed.reindex(columns=COLUMNS).astype(
            {"topic_id": "str", "subtopic_id": "str", "by": "str", "strength": "float64"}
        )
    by_conversation = facts[["conversation_id", "topic_id", "subtopic_id"]].set_index("conversation_id")
    ticket = failed["conversation_id"].map(by_conversation["topic_id"]).astype("str")
    by_words, strength = _nearest(job, failed[ticket.isna()])
    topic_of = job.read("understand/subtopics").set_index("subtopic_id")["topic_id"]
    failed["topic_id"] = ticket.fillna(by_words.map(topic_of).astype("str"))
    failed["subtopic_id"] = failed["conversation_id"].map(by_conversation["subtopic_id"]).astype("str").fillna(by_words)
    failed["by"] = pd.Series("ticket", failed.index, dtype="str").where(ticket.notna())
    failed["by"] = failed["by"].fillna(pd.Series("words", by_words.index, dtype="str").where(by_words.notna()))
    failed["strength"] = strength.round(4)
    return failed[COLUMNS]


def _nearest(job: Job, searches: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """The subtopic nearest to each query, null where none is near enough, and the cosine to the nearest.

    As for questions, but without the share of words: queries have few, whose meaning and nearest articles say more.
    """
    columns = ["conversation_id", "question_number", "subtopic_id", "subtopic_core"]
    core = job.read("understand/assignments", columns).query("subtopic_core and question_number == 1")
    rows, questions = _sample(job)
    subtopic = questions["conversation_id"].map(core.set_index("conversation_id")["subtopic_id"])
    ids = sorted(subtopic.dropna().unique())
    if not ids or searches.empty:
        return pd.Series(None, searches.index, dtype="str"), pd.Series(np.nan, searches.index)
    queries = searches[["query", "language"]].drop_duplicates().sort_values(["query", "language"])
    queries = queries.rename(columns={"query": "question"}).assign(conversation_id="")
    query_vectors = embed(list(queries["question"]), job.embedder, job.store, "embedding searches")
    texts = Texts.without_replies(list(queries["question"]), language_codes(queries["language"]), query_vectors)
    matcher = Matcher(job)
    if matcher.compares_texts:
        matcher.learn_usual([texts])
    vectors = np.concatenate(rows_of(read_vectors(job), rows))
    candidates = Candidates.joined(rows_of(read_candidates(job, len(live_articles(job)), ("score", "agents")), rows))
    language = language_codes(pd.concat([questions["language"], queries["language"]]), "")
    meaning = centred(np.vstack([vectors, query_vectors]), language)
    near = np.vstack([nearness(candidates), nearness(matcher.match(texts))])
    space = unit(np.hstack([np.sqrt(MEANING) * unit(meaning), np.sqrt(ARTICLES) * near]))
    centres = unit(np.stack([space[: len(questions)][subtopic.eq(s).to_numpy()].mean(axis=0) for s in ids]))
    nearest = assign_nearest(space[len(questions) :], centres, job.settings.topics.nearest_at_least)
    by_query = pd.DataFrame(
        {
            "query": queries["question"],
            "language": queries["language"],
            "subtopic": pd.Series([ids[i] if i >= 0 else None for i in nearest.topic], queries.index, dtype="str"),
            "strength": nearest.strength.astype(float),
        }
    )
    by_search = searches[["query", "language"]].merge(by_query, how="left", on=["query", "language"])
    by_search = by_search.set_index(searches.index)
    return by_search["subtopic"].astype("str"), by_search["strength"]


def _sample(job: Job) -> tuple[Ints, pd.DataFrame]:
    """The questions that topics were found on: their row numbers, and conversation_id and language."""
    questions = job.read("understand/questions", ["conversation_id", "language", "key"])
    inside = job.read("understand/facts", ["conversation_id", "in_window"]).set_index("conversation_id")["in_window"]
    questions["in_window"] = questions["conversation_id"].map(inside).astype(bool)
    rows = sample_rows(questions, job.settings.topics.fit_at_most)
    return rows, questions.iloc[rows].reset_index(drop=True)


def searches_by_topic(searches: pd.DataFrame, days: int) -> pd.DataFrame:
    """The window's failed searches by topic_id: searches (int), searches_a_week (float), queries (list of dicts).

    A query's dict holds the query as it was typed most often, and its count.
    """
    inside = searches[searches["in_window"] & searches["topic_id"].notna()]
    rows = [
        (t, len(of_topic), len(of_topic) / (days / 7), _queries(of_topic))
        for t, of_topic in inside.groupby("topic_id", sort=True)
    ]
    table = pd.DataFrame(rows, columns=["topic_id", "searches", "searches_a_week", "queries"])
    return table.astype({"topic_id": "str", "searches": "int64", "searches_a_week": "float64"}).set_index("topic_id")


def searches_for(searches: pd.DataFrame, subtopics: Collection[str], conversations: Collection[str]) -> dict[str, Any]:
    """The window's failed searches about a gap, searches (int) and queries, in the same form as those of topics.

    They are of the gap's subtopics, or were followed by one of its conversations.
    """
    is_about = searches["subtopic_id"].isin(subtopics) | searches["conversation_id"].isin(conversations)
    failed = searches[searches["in_window"] & is_about]
    return {"searches": len(failed), "queries": _queries(failed)}


def _queries(searches: pd.DataFrame) -> list[dict[str, Any]]:
    by_wording = searches.assign(key=searches["query"].str.casefold().str.split().str.join(" ")).groupby("key")["query"]
    counted = by_wording.agg(["size", "min"]).sort_values(["size", "min"], ascending=[False, True], kind="stable")
    first = counted.head(MOST_QUERIES).itertuples(index=False, name=None)
    return [{"query": str(query), "count": int(count)} for count, query in first]
