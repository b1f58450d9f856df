"""The records that a gap holds: plain dicts, each with the names, types and order that the files have."""

from __future__ import annotations

from typing import TypedDict

__all__ = [
    "AgentStep", "Answered", "Carried", "ChangePoint", "Example", "FoundAs", "NearestArticle", "Passage",
    "PlannedSentence", "Query", "Quote", "SimilarGap", "Surge", "Trend", "Week",
]  # fmt: skip


class NearestArticle(TypedDict):
    """An article that comes near the gap's questions; ``similarity`` is from 0 to 1."""

    article_id: str
    title: str | None
    similarity: float | None


class SimilarGap(TypedDict):
    """Another gap that may be the same work.

    ``likeness`` is that of questions and agents' answers, from 0 to 1; ``why`` is same_article, same_answers or
    same_questions.
    """

    gap_id: str
    title: str | None
    likeness: float | None
    why: str | None


class Trend(TypedDict):
    """How demand moves: ``direction`` is up, down or flat; ``ratio`` of the last weeks to those before."""

    direction: str | None
    ratio: float | None
    p_value: float | None


class Surge(TypedDict):
    """A sudden rise of demand: the day on which it began, and how many times as much there is since.

    ``recent`` is the number of conversations of the last seven days, ``usual`` that of seven days before it.
    """

    started: str | None
    ratio: float | None
    p_value: float | None
    recent: int | None
    usual: float | None


class Quote(TypedDict):
    """Redacted words of one conversation."""

    conversation_id: str | None
    quote: str | None


class Example(Quote):
    """A customer's question; ``count`` conversations ask the same way."""

    count: int | None


class Week(TypedDict):
    """A week, named by its Monday: conversations about the gap, and how many of them are expected to fail."""

    week: str | None
    conversations: float | None
    failed: float | None


class Query(TypedDict):
    """Something that was searched for in vain, and how often."""

    query: str | None
    count: int | None


class Passage(TypedDict):
    """What of an article is wrong or missing, and the ``evidence`` for it in agents' words.

    ``count`` conversations hold that evidence. ``replacement`` is what the passage could say instead, or what could be
    added, as the conversations ``replacement_ids`` say it; where agents do not agree, or say nothing that could stand
    there, it is null and ``comment`` says why.
    """

    article_id: str | None
    section: str | None
    passage: str | None
    evidence: str | None
    count: int | None
    conversation_ids: list[str]
    replacement: str | None
    replacement_ids: list[str]
    comment: str | None


class AgentStep(TypedDict):
    """A step that agents tell alike (:class:`models.writing.resolution_steps.Step`).

    ``asked`` is a question to which the answer was given, with its first step alone.
    """

    text: str | None
    count: int | None
    worked: int | None
    conversation_ids: list[str]
    way: int | None
    order: int | None
    asked: str | None


class PlannedSentence(TypedDict):
    """A sentence of the article that a gap needs, in the order of the article (:mod:`models.writing.article_plan`).

    ``part`` is title, answer, step (in order), do (in none), case, fact, or open (agents do not agree); ``group``
    numbers lists, cases and disputes from 1. ``condition`` is what a case holds for, in the words of
    ``condition_by``: agents or customers. ``count`` conversations that did not end badly hold it nearly word for word;
    ``worked`` of them are known to have ended well.
    """

    language: str | None
    part: str | None
    group: int | None
    condition: str | None
    condition_by: str | None
    text: str | None
    count: int | None
    worked: int | None
    conversation_ids: list[str]


class Answered(TypedDict):
    """How many conversations agents answered, and how many of them ended well or badly."""

    conversations: int | None
    well: int | None
    badly: int | None


class ChangePoint(TypedDict):
    """Since which week an article fails, with the interval of that week, and the share that failed before and after."""

    week: str | None
    low: str | None
    high: str | None
    before: float | None
    after: float | None


class FoundAs(TypedDict):
    """What a run found, where people have renamed or reclassified the gap."""

    title: str | None
    kind: str | None
    article_id: str | None
    article_title: str | None
    edited_by: str | None


class Carried(TypedDict):
    """What moved since the run before; ``change`` is new, up, down, same or reopened."""

    weeks_open: int | None
    previous_rank: int | None
    previous_score: float | None
    change: str | None
    previous_run: str | None
    previous_status: str | None
    came_back: bool | None
