"""What is asked in each gap, as its title has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lacuna.models.topics.names import label_topics
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.diagnose.context import most_common

__all__ = ["asked_in"]

OTHERS = 600  # questions outside of the gaps that names are told apart from


def asked_in(
    job: Job, gaps: Sequence[Mapping[str, Any]], searched: Mapping[str, Mapping[str, int]], before: Mapping[str, str]
) -> dict[str, str]:
    """What customers ask in each gap, named from all of its questions and the searches about it; by gap_id.

    A gap holds questions of several subtopics, so that the name of none is the gap's. Names are taken from the
    questions in the language that most are in, and from what people typed into the help center's search.

    Parameters
    ----------
    gaps
        gap_id and conversation_ids of all gaps.
    searched
        How often each query about a gap was searched for, by gap_id.
    before
        What was asked in gaps of the run before, by gap_id; such a name is kept while it is about as good as the best.
    """
    if not gaps:
        return {}
    ids = [str(gap["gap_id"]) for gap in gaps]
    asked = job.read("understand/sample_questions", ["conversation_id", "question"])
    in_gaps = {conversation for gap in gaps for conversation in gap["conversation_ids"]}
    others = asked[~asked["conversation_id"].isin(in_gaps)]
    texts = [_questions(job, gap["conversation_ids"]) for gap in gaps]
    texts.append(others["question"].iloc[:: max(1, -(-len(others) // OTHERS))].tolist())

    def embedded(some: Sequence[str]) -> Any:
        return embed(some, job.embedder, job.store, "naming gaps")

    names = label_topics(
        texts, [[]] * len(texts), embedded, [*(searched[gap_id] for gap_id in ids), {}], [*map(before.get, ids), None]
    )
    return dict(zip(ids, names, strict=False))


def _questions(job: Job, conversations: Sequence[str]) -> list[str]:
    """The questions of a gap in its main language."""
    asked = job.read_rows("understand/questions", conversations, ["conversation_id", "question", "language"])
    codes = asked["language"].fillna("").str[:2]
    return asked["question"][codes.eq(most_common(codes) or "")].tolist()
