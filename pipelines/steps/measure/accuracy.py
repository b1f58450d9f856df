"""The accuracy table: how often answers were right, by topic, article, intent, product, language and week."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from lacuna.models.accuracy.groups import COLUMNS, group_accuracy
from lacuna.models.accuracy.outcome_model import Chances, calibration, chance_right, features, known_outcomes
from lacuna.models.arrays import F64
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.understand.matching import live_articles, read_candidates

GROUPINGS = {
    "topic": "topic_id", "article": "cited_first", "intent": "predicted_intent", "product": "product",
    "language": "language", "week": "week",
}  # fmt: skip


def tagged_facts(job: Job, facts: pd.DataFrame) -> tuple[pd.DataFrame, Chances]:
    """The facts with the tag of each answer, and the probability that the answer was right.

    Adds right (float, 1 or 0 where a reviewer tagged the answer, else null), tag_sample (str, or null), and feedback
    (float, or null).
    """
    tags = known_outcomes(job.read("redact/outcomes")).rename(columns={"sample": "tag_sample"})
    facts = facts.merge(tags, how="left", on="conversation_id")
    right = facts["right"].to_numpy(dtype=float)
    return facts, chance_right(features(facts.assign(**_matches(job, facts))), right, _escalated(facts))


def _escalated(facts: pd.DataFrame) -> np.ndarray:
    return facts["escalated"].fillna(False).to_numpy(dtype=bool)


def _matches(job: Job, facts: pd.DataFrame) -> dict[str, F64]:
    """How well the article that the bot answered from matches the question, and agents' answers to it; by way."""
    articles = live_articles(job)
    cited = facts["cited_first"].map({article: i for i, article in enumerate(articles["article_id"])})
    number = cited.fillna(-1).to_numpy(dtype=np.int64)
    ids = job.read("understand/questions", ["conversation_id"])["conversation_id"]
    row_of = pd.Index(facts["conversation_id"]).get_indexer(pd.Index(ids))
    matches = {name: np.full(len(facts), np.nan) for name in ("match", "match_agents")}
    start = 0
    for candidates in read_candidates(job, len(articles), ("score", "agents")):
        rows = row_of[start : start + len(candidates)]
        citing = np.flatnonzero(number[rows] >= 0)
        own, some = rows[citing], candidates.take(citing)
        for name, way in (("match", "score"), ("match_agents", "agents")):
            matches[name][own] = some.standard(way).at(number[own])
        start += len(candidates)
    return matches


def accuracy_table(
    facts: pd.DataFrame,
    chances: Chances,
    names: dict[str, dict[str, str]],
    start: datetime,
    days: int,
    confidence: float,
) -> pd.DataFrame:
    """Accuracy in the window, one row a group; and over all, in the window and in as many days before it.

    Parameters
    ----------
    facts
        From :func:`judged`, with topic_id, started_at and in_window.
    names
        What each topic and article is called, by "topic" and "article" and key.
    start, days
        First instant and length of the window.

    Returns
    -------
    DataFrame
        by ("all", or a way of grouping), key, label_name, and the columns of
        :func:`models.accuracy.groups.group_accuracy`. The rows of "all" have the keys "window" and, where history
        reaches back, "before".
    """
    answered = facts["answered"].to_numpy(dtype=bool) | facts["right"].notna().to_numpy()
    inside = facts["in_window"].to_numpy(dtype=bool)
    earlier = facts["started_at"].ge(pd.Timestamp(start) - pd.Timedelta(days=days)).to_numpy() & ~inside
    period = pd.Series("before", facts.index, dtype="str").mask(inside, "window").where(inside | earlier)
    parts = [_part("all", period.where(answered), facts, chances, confidence)]
    for by, column in GROUPINGS.items():
        parts.append(_part(by, facts[column].where(answered & inside), facts, chances, confidence))
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    shown = [names.get(by, {}).get(key, key) for by, key in zip(table["by"], table["key"], strict=True)]
    table = table.assign(label_name=pd.Series(shown, table.index, dtype="str"))
    return table[["by", "key", "label_name", *COLUMNS[1:]]]


def _part(by: str, group: pd.Series, facts: pd.DataFrame, chances: Chances, confidence: float) -> pd.DataFrame:
    random = facts["tag_sample"].eq("random").to_numpy(dtype=bool)
    right = facts["right"].to_numpy(dtype=float)
    accuracy = group_accuracy(group, right, chances, _escalated(facts), random, confidence)
    return accuracy.assign(by=pd.Series(by, accuracy.index, dtype="str"))


def calibration_table(facts: pd.DataFrame, chances: Chances, confidence: float) -> pd.DataFrame:
    """Calibration of the probabilities on tags held out from the model; empty where the model used no tags."""
    right = facts["right"].to_numpy(dtype=float)
    table = calibration(chances.chance, right, _escalated(facts), confidence)
    return table if chances.drafts is not None else table.iloc[:0]
