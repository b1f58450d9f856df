"""Match the gaps of a run to the gaps of earlier runs.

Gaps in the content of one article are the same gap, even where the kind changes from incomplete to stale. An article
that is not retrieved is another gap, since another person fixes it. Two articles that contradict one another are one
gap, whichever of them is named first. A gap of a missing article is recognised by its subtopics, whose splits and
mergers are followed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

__all__ = ["heirs", "match_gaps", "subject"]

Gap = Mapping[str, Any]
_SAME, _HEIR = 1.0, 0.5  # worth of a subtopic that both gaps have, and of one that descends from the known gap's
_MAIN, _KIND = 0.01, 0.1  # worth of the same main subtopic, and for articles of the same kind, to decide ties


def subject(gap: Gap) -> tuple[str, str]:
    """What a gap is about, as a key: gaps with different keys are never the same gap.

    Examples
    --------
    >>> subject({"kind": "stale", "article_id": "kb-1"}) == subject({"kind": "incomplete", "article_id": "kb-1"})
    True
    """
    article = gap.get("article_id")
    if gap["kind"] == "missing" or not isinstance(article, str):
        return "missing", ""
    return ("unfindable" if gap["kind"] == "unfindable" else "content"), article


def heirs(subtopics: Collection[str], events: Sequence[Mapping[str, Any]]) -> set[str]:
    """The subtopics that descend from the given ones by later splits and mergers, without the given ones.

    Parameters
    ----------
    subtopics
        Ids of subtopics.
    events
        subtopic_id, event and related of every later event, oldest run first (:func:`models.topics.lineage.trace`).

    Examples
    --------
    >>> sorted(heirs({"a"}, [{"subtopic_id": "b", "event": "split", "related": ["a"]},
    ...                      {"subtopic_id": "b", "event": "merge", "related": ["c"]}]))
    ['b', 'c']
    """
    descendants = set(subtopics)
    for event in events:
        if event["event"] == "split" and descendants & set(event["related"]):
            descendants.add(str(event["subtopic_id"]))
        elif event["event"] == "merge" and event["subtopic_id"] in descendants:
            descendants |= {str(other) for other in event["related"]}
    return descendants - set(subtopics)


def match_gaps(gaps: Sequence[Gap], known_gaps: Sequence[Gap], previous: str | None) -> list[str | None]:
    """The id of the known gap that each gap continues, one to one; None for a new gap.

    Known gaps of the run before are matched first, and absent ones to the rest. Of all assignments, the one that keeps
    most subtopics is taken (Hungarian method).

    Parameters
    ----------
    gaps
        kind, article_id (str or null), subtopics (list of str, the one that gives the name first); other_article_id
        (str or null) where two articles contradict one another.
    known_gaps
        The same with gap_id, run_id (the last run that had it) and heirs (from :func:`heirs`).
    previous
        Id of the run before.

    Examples
    --------
    >>> was = {"kind": "missing", "article_id": None, "subtopics": ["a"], "gap_id": "g-1", "run_id": "w1"}
    >>> now = {"kind": "missing", "article_id": None, "subtopics": ["b"]}
    >>> match_gaps([now], [was | {"heirs": {"b"}}], "w1")
    ['g-1']
    """
    rows = sorted(range(len(gaps)), key=lambda i: (subject(gaps[i]), str(gaps[i]["kind"]), list(gaps[i]["subtopics"])))
    matches: dict[int, str] = {}
    for active in (True, False):
        there = sorted((k for k in known_gaps if (k["run_id"] == previous) == active), key=lambda k: str(k["gap_id"]))
        left = [i for i in rows if i not in matches]
        if not (left and there):
            continue
        weights = np.array([[_weight(gaps[i], old) for old in there] for i in left])
        for a, b in zip(*linear_sum_assignment(-weights), strict=True):
            if weights[a, b] > 0:
                matches[left[a]] = str(there[b]["gap_id"])
    return [matches.get(i) for i in range(len(gaps))]


def _weight(gap: Gap, known_gap: Gap) -> float:
    """How much two gaps have in common; 0 where they can't be the same gap."""
    if subject(gap) != subject(known_gap) and not _same_pair(gap, known_gap):
        return 0.0
    subtopics, known_subtopics = list(gap["subtopics"]), list(known_gap["subtopics"])
    shared = sum(_SAME if t in known_subtopics else _HEIR if t in known_gap["heirs"] else 0.0 for t in subtopics)
    main = _MAIN * (subtopics[:1] == known_subtopics[:1])
    if subject(gap)[0] == "missing":
        return shared + main if shared else 0.0
    return _SAME + shared + main + _KIND * (gap["kind"] == known_gap["kind"])


def _same_pair(gap: Gap, known_gap: Gap) -> bool:
    """Whether both are contradictions of the same two articles, named in the opposite order."""
    both = gap["kind"] == known_gap["kind"] == "contradictory"
    named = (gap.get("article_id"), gap.get("other_article_id"))
    return (
        both and None not in named and named[::-1] == (known_gap.get("article_id"), known_gap.get("other_article_id"))
    )
