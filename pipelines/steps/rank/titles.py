"""What is asked in a gap, as its title has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lacuna.models.topics.names import label_topics
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.diagnose.context import most_common

__all__ = ["wanted_in"]

OTHERS = 600  # questions outside of the gaps that names are told apart from


def wanted_in(job: Job, gaps: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What customers want in each gap about an article, named from all of its questions; by gap_id.

    What was answered from an article is asked in many subtopics, so that the name of none is the gap's. Names are
    taken from the questions in the language that most are in.

    Parameters
    ----------
    gaps
        gap_id, article_id (str or null) and conversation_ids of all gaps.
    """
    of_articles = [gap for gap in gaps if isinstance(gap["article_id"], str)]
    if not of_articles:
        return {}
    asked = job.read("understand/sample_questions", ["conversation_id", "question"])
    in_gaps = {conversation for gap in gaps for conversation in gap["conversation_ids"]}
    others = asked[~asked["conversation_id"].isin(in_gaps)]
    texts = [_questions(job, gap["conversation_ids"]) for gap in gaps]
    texts.append(others["question"].iloc[:: max(1, -(-len(others) // OTHERS))].tolist())

    def embedded(some: Sequence[str]) -> Any:
        return embed(some, job.embedder, job.store, "naming gaps")

    names = label_topics(texts, [[]] * len(texts), embedded)
    named = dict(zip((str(gap["gap_id"]) for gap in gaps), names, strict=False))
    return {str(gap["gap_id"]): named[str(gap["gap_id"])] for gap in of_articles}


def _questions(job: Job, conversations: Sequence[str]) -> list[str]:
    """The questions of a gap in its main language."""
    asked = job.read_rows("understand/questions", conversations, ["conversation_id", "question", "language"])
    codes = asked["language"].fillna("").str[:2]
    return asked["question"][codes.eq(most_common(codes) or "")].tolist()
