"""Gaps where no answers that did are there to compare with: judged by what customers ask and agents answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32, Flags, Ints
from lacuna.models.diagnosis import rules
from lacuna.models.diagnosis.evidence import Contrary, Evidence, Verdict
from lacuna.models.text import amounts, vectors
from lacuna.models.writing import passages
from lacuna.models.writing.resolution_steps import statements
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.diagnose.context import World, look
from lacuna.pipelines.steps.understand.step import agent_replies, embed_replies

__all__ = ["judge_by_agreement"]


SAME_ANSWERS = 0.9  # likeness from which on agents' answers to two groups are the same answer
ENOUGH_ANSWERS = 3  # agents' answers that tell what two groups have in common


def judge_by_agreement(
    job: Job, world: World, groups: Sequence[Mapping[str, Any]], known: dict[str, Verdict]
) -> list[dict[str, Any]]:
    """The gaps among failing subtopics, one a piece of work.

    Missing articles are one piece of work where agents answer the same, in however different words customers ask; an
    article that is not found is one, whichever subtopics come to it.

    Parameters
    ----------
    groups
        subtopics and rows of each group.
    known
        Verdicts on articles.

    Returns
    -------
    list of dict
        subtopics, rows, verdict and seen.
    """
    told = _AgentsAnswers.of(job, world)
    out: list[dict[str, Any]] = []
    for group in sorted(groups, key=lambda g: (-len(g["rows"]), g["subtopics"])):
        subtopics, rows = list(group["subtopics"]), group["rows"]
        seen = _with_contrary(job, world, rows, look(world, subtopics, rows, known))
        verdict = rules.by_agreement(seen, world.limits)
        if verdict is None:
            continue
        gap = {"subtopics": subtopics, "rows": rows, "verdict": verdict, "seen": seen}
        same = next((other for other in out if _same_work(other, gap, told)), None)
        if same is None:
            out.append(gap)
            continue
        same["subtopics"] = same["subtopics"] + subtopics
        same["rows"] = np.union1d(same["rows"], rows)
        seen = _with_contrary(job, world, same["rows"], look(world, same["subtopics"], same["rows"], known))
        same["seen"], same["verdict"] = seen, rules.again(same["verdict"], seen)
    return out


class _AgentsAnswers:
    """What agents answered in each conversation, against what they usually answer."""

    def __init__(self, vectors: F32, has: Flags) -> None:
        self._vectors, self._has, self._place = vectors, has, np.cumsum(has) - 1

    @classmethod
    def of(cls, job: Job, world: World) -> _AgentsAnswers:
        vectors, has = embed_replies(job, agent_replies(job, world.facts["conversation_id"]))
        return cls(vectors - vectors.mean(axis=0) if len(vectors) else vectors, has)

    def same(self, one: Ints, other: Ints) -> bool:
        """Whether two groups of conversations got the same answers."""
        groups = [self._vectors[self._place[rows[self._has[rows]]]] for rows in (one, other)]
        return min(map(len, groups)) >= ENOUGH_ANSWERS and vectors.group_likeness(*groups) >= SAME_ANSWERS


def _same_work(one: Mapping[str, Any], other: Mapping[str, Any], told: _AgentsAnswers) -> bool:
    kinds, articles = ([getattr(gap["verdict"], name) for gap in (one, other)] for name in ("kind", "article_id"))
    if kinds[0] != kinds[1]:
        return False
    return articles[0] == articles[1] if articles[0] else told.same(one["rows"], other["rows"])


def _with_contrary(job: Job, world: World, rows: Ints, seen: Evidence) -> Evidence:
    """The evidence, with what agents say otherwise than the article that questions and answers agree with, if any."""
    near = seen.agreed
    if near is None or near.agreement.nearness < near.near_enough:
        return seen
    article = passages.lines(str(world.articles["body"].iloc[near.agreement.article]))
    article = [line for line in article if amounts.amounts(line.text)]
    said = [pair for pair in _statements(job, world.facts["conversation_id"].iloc[rows]) if amounts.amounts(pair[0])]
    if not article or not said:
        return seen
    texts = [line.text for line in article] + [text for text, _ in said]
    vectors = embed(texts, job.settings.embedder.name, job.store, "embedding passages")
    found = passages.contrary(article, vectors[: len(article)], said, vectors[len(article) :])
    if found is None:
        return seen
    at, example, against, agreeing = found
    contrary = Contrary(article[at].text, said[example][0], len(against), len(agreeing))
    return replace(seen, agreed=replace(near, contrary=contrary))


def _statements(job: Job, conversations: pd.Series) -> list[tuple[str, str]]:
    """What agents stated in these conversations: sentence and conversation, in order."""
    messages = job.read("redact/messages")
    told = messages[messages["role"].eq("agent") & messages["conversation_id"].isin(conversations)]
    told = told.sort_values(["conversation_id", "position"])
    rows = zip(told["conversation_id"].astype(str), told["text"].astype(str), strict=True)
    return [(text, conversation) for conversation, reply in rows for text in statements(reply)]
