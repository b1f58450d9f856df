"""Gaps in data without successful answers to compare with: judged by what customers ask and agents answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32, Ints
from lacuna.models.diagnosis import rules
from lacuna.models.diagnosis.evidence import Contrary, Evidence, Verdict
from lacuna.models.text import amounts, vectors
from lacuna.models.writing import passages
from lacuna.models.writing.agent_sentences import statements
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.diagnose.context import DiagnosisContext, collect_evidence
from lacuna.pipelines.steps.understand.matching import agent_replies, embed_replies

__all__ = ["judge_by_agreement"]


SAME_ANSWERS = 0.9  # likeness from which on agents' answers to two groups are the same answer
ENOUGH_ANSWERS = 3  # agents' answers that tell what two groups have in common


def judge_by_agreement(
    job: Job, context: DiagnosisContext, groups: Sequence[Mapping[str, Any]], article_verdicts: dict[str, Verdict]
) -> list[dict[str, Any]]:
    """The gaps among failing subtopics; what one piece of writing would close is one gap.

    Missing articles are one gap where agents give the same answers, however differently customers ask. An article that
    customers do not find is one gap, whichever subtopics it belongs to.

    Parameters
    ----------
    groups
        subtopics and rows of each group.
    article_verdicts
        Verdicts reached already, by article id.

    Returns
    -------
    list of dict
        subtopics, rows, verdict and evidence.
    """
    agent_answers = _AgentsAnswers.of(job, context)
    gaps: list[dict[str, Any]] = []
    for group in sorted(groups, key=lambda g: (-len(g["rows"]), g["subtopics"])):
        subtopics, rows = list(group["subtopics"]), group["rows"]
        evidence = collect_evidence(context, subtopics, rows, article_verdicts)
        evidence = _with_contrary(job, context, agent_answers, rows, evidence)
        verdict = rules.by_agreement(evidence, context.limits)
        if verdict is None:
            continue
        gap = {"subtopics": subtopics, "rows": rows, "verdict": verdict, "evidence": evidence}
        same = next((other for other in gaps if _same_work(other, gap, agent_answers)), None)
        if same is None:
            gaps.append(gap)
            continue
        same["subtopics"] = same["subtopics"] + subtopics
        same["rows"] = np.union1d(same["rows"], rows)
        evidence = collect_evidence(context, same["subtopics"], same["rows"], article_verdicts)
        evidence = _with_contrary(job, context, agent_answers, same["rows"], evidence)
        same["evidence"], same["verdict"] = evidence, rules.again(same["verdict"], evidence)
    return gaps


@dataclass(frozen=True)
class _AgentsAnswers:
    """What agents answered in conversations that failed.

    Attributes
    ----------
    vectors, place
        float32 (answers, dim), the mean of all answers of the run taken out; and the row of each conversation's answer
        in it, -1 for none.
    messages
        conversation_id and text of agents' messages, in order.
    """

    vectors: F32
    place: Ints
    messages: pd.DataFrame

    @classmethod
    def of(cls, job: Job, context: DiagnosisContext) -> _AgentsAnswers:
        failed = pd.Index(context.facts["conversation_id"][context.scores.place >= 0])
        total, n = np.float64(0), 0
        own, ids, messages = list[F32](), list[str](), list[pd.DataFrame]()
        for part in job.read_shards("redact/messages", ["conversation_id", "position", "role", "text"]):
            agents = part[part["role"] == "agent"].sort_values(["conversation_id", "position"])
            conversations = agents["conversation_id"].drop_duplicates()
            answers, has = embed_replies(job, agent_replies(agents, conversations))
            total, n = total + answers.sum(axis=0, dtype=np.float64), n + len(answers)
            of_vectors = conversations[has]
            here = of_vectors.isin(failed).to_numpy()
            own.append(answers[here])
            ids += of_vectors[here].tolist()
            messages.append(agents.loc[agents["conversation_id"].isin(failed), ["conversation_id", "text"]])
        filled = [each for each in own if len(each)] or own[:1]
        row = {conversation: row for row, conversation in enumerate(ids)}
        place = np.asarray(context.facts["conversation_id"].map(row).fillna(-1), dtype=np.int64)
        answers = np.concatenate(filled)
        return cls((answers - total / max(1, n)).astype(np.float32), place, pd.concat(messages))

    def same(self, one: Ints, other: Ints) -> bool:
        """Whether two groups of conversations got the same answers."""
        groups = [self.vectors[self.place[rows][self.place[rows] >= 0]] for rows in (one, other)]
        return min(map(len, groups)) >= ENOUGH_ANSWERS and vectors.group_likeness(*groups) >= SAME_ANSWERS

    def statements(self, conversations: pd.Series) -> list[tuple[str, str]]:
        """What agents stated in these conversations: sentence and conversation, in order."""
        own = self.messages[self.messages["conversation_id"].isin(conversations)]
        own = own.sort_values("conversation_id", kind="stable")
        rows = zip(own["conversation_id"].astype(str), own["text"].astype(str), strict=True)
        return [(text, conversation) for conversation, reply in rows for text in statements(reply)]


def _same_work(one: Mapping[str, Any], other: Mapping[str, Any], agent_answers: _AgentsAnswers) -> bool:
    kinds, articles = ([getattr(gap["verdict"], name) for gap in (one, other)] for name in ("kind", "article_id"))
    if kinds[0] != kinds[1]:
        return False
    return articles[0] == articles[1] if articles[0] else agent_answers.same(one["rows"], other["rows"])


def _with_contrary(
    job: Job, context: DiagnosisContext, agents: _AgentsAnswers, rows: Ints, evidence: Evidence
) -> Evidence:
    """The evidence, with what agents say that contradicts the article that questions and answers agree on, if any."""
    near = evidence.agreed
    if near is None or near.agreement.nearness < near.near_enough:
        return evidence
    article = passages.lines(str(context.articles["body"].iloc[near.agreement.article]))
    article = [each for each in article if amounts.amounts(each.text)]
    agent_statements = [
        pair for pair in agents.statements(context.facts["conversation_id"].iloc[rows]) if amounts.amounts(pair[0])
    ]
    if not article or not agent_statements:
        return evidence
    texts = [each.text for each in article] + [text for text, _ in agent_statements]
    vectors = embed(texts, job.embedder, job.store, "embedding passages")
    contradiction = passages.contrary(article, vectors[: len(article)], agent_statements, vectors[len(article) :])
    if contradiction is None:
        return evidence
    line, statement, against, agreeing = contradiction
    contrary = Contrary(article[line].text, agent_statements[statement][0], len(against), len(agreeing))
    return replace(evidence, agreed=replace(near, contrary=contrary))
