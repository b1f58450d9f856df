"""Which gap of one run is which gap of the runs before.

A gap about an article is that article's: what is wrong with it may turn from incomplete to stale. That an article is
not found is another gap, since another hand mends it. Two articles that contradict one another are one gap, whichever
of them is named first. A missing article is known by its subtopics, through what they split from or merged into.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

__all__ = ["heirs", "match_gaps", "subject"]

Gap = Mapping[str, Any]
_SAME, _HEIR = 1.0, 0.5  # a subtopic that both gaps have, and one that came of one of the known gap
_MAIN, _KIND = 0.01, 0.1  # between equals: the subtopic that gives the name, and for articles the kind


def subject(gap: Gap) -> tuple[str, str]:
    """What a gap is about: gaps about different things are never one gap.

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
    """The subtopics that came of these by later splits and mergers, these not among them.

    Parameters
    ----------
    subtopics
        Their ids.
    events
        subtopic_id, event and related of every event since, oldest run first (:func:`models.topics.lineage.trace`).

    Examples
    --------
    >>> sorted(heirs({"a"}, [{"subtopic_id": "b", "event": "split", "related": ["a"]},
    ...                      {"subtopic_id": "b", "event": "merge", "related": ["c"]}]))
    ['b', 'c']
    """
    found = set(subtopics)
    for event in events:
        if event["event"] == "split" and found & set(event["related"]):
            found.add(str(event["subtopic_id"]))
        elif event["event"] == "merge" and event["subtopic_id"] in found:
            found |= {str(other) for other in event["related"]}
    return found - set(subtopics)


def match_gaps(gaps: Sequence[Gap], known: Sequence[Gap], previous: str | None) -> list[str | None]:
    """The id of the known gap that each gap is, one to one; None where it is a new one.

    Known gaps that were there in the run before come first, absent ones take what is left; among all ways to match,
    the one that keeps most subtopics is taken (Hungarian method).

    Parameters
    ----------
    gaps
        kind, article_id (str or null), subtopics (list of str, the one that gives the name first); other_article_id
        (str or null) where two articles contradict one another.
    known
        The same with gap_id, run_id (when it was last there) and heirs (subtopics that came of its own since).
    previous
        The run before.

    Examples
    --------
    >>> was = {"kind": "missing", "article_id": None, "subtopics": ["a"], "gap_id": "g-1", "run_id": "w1"}
    >>> now = {"kind": "missing", "article_id": None, "subtopics": ["b"]}
    >>> match_gaps([now], [was | {"heirs": {"b"}}], "w1")
    ['g-1']
    """
    rows = sorted(range(len(gaps)), key=lambda i: (subject(gaps[i]), str(gaps[i]["kind"]), list(gaps[i]["subtopics"])))
    found: dict[int, str] = {}
    for active in (True, False):
        there = sorted((k for k in known if (k["run_id"] == previous) == active), key=lambda k: str(k["gap_id"]))
        left = [i for i in rows if i not in found]
        if not (left and there):
            continue
        worth = np.array([[_worth(gaps[i], old) for old in there] for i in left])
        for a, b in zip(*linear_sum_assignment(-worth), strict=True):
            if worth[a, b] > 0:
                found[left[a]] = str(there[b]["gap_id"])
    return [found.get(i) for i in range(len(gaps))]


def _worth(gap: Gap, known: Gap) -> float:
    """How much two gaps have in common; 0 where they can't be one."""
    if subject(gap) != subject(known) and not _same_pair(gap, known):
        return 0.0
    mine, theirs = list(gap["subtopics"]), list(known["subtopics"])
    shared = sum(_SAME if t in theirs else _HEIR if t in known["heirs"] else 0.0 for t in mine)
    main = _MAIN * (mine[:1] == theirs[:1])
    if subject(gap)[0] == "missing":
        return shared + main if shared else 0.0
    return _SAME + shared + main + _KIND * (gap["kind"] == known["kind"])


def _same_pair(gap: Gap, known: Gap) -> bool:
    """Whether both say that the same two articles contradict one another, the other way round."""
    both = gap["kind"] == known["kind"] == "contradictory"
    named = (gap.get("article_id"), gap.get("other_article_id"))
    return both and None not in named and named[::-1] == (known.get("article_id"), known.get("other_article_id"))
