"""Which topic of one run is which topic of the runs before, and what became of the others.

Two things tell that two topics are one: questions that both hold, and the nearness of their centroids. Questions tell
more where windows overlap, and nothing where they don't, so the centroid counts as a few questions more: as many as the
smallest topic has. Every decision below is one of these shares passing one half.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from lacuna.models.retrieval.article_match import unit

__all__ = [
    "Common",
    "Likeness",
    "common_to",
    "keep_labels",
    "likeness",
    "match_topics",
    "trace",
]

Floats = NDArray[np.float32]
Reals = NDArray[np.float64]

HALF = 0.5  # more speaks for it than against it
ENOUGH_TOPICS = 10
PART = 0.25  # of a topic whose questions went several ways: what a way needs to be named (two ways, unevenly shared)


@dataclass(frozen=True)
class Likeness:
    """How much each topic (row) and each known topic (column) have in common.

    Attributes
    ----------
    shared : int (topics, known), questions that both hold
    cosine : float (topics, known), of their centroids as given; nan where the two don't compare
    weight : float (topics, known), ``shared`` and what the centroids add to it, in questions
    old : float (topics,), a topic's questions that any known topic held
    left : float (known,), a known topic's questions that are asked in this run
    least : questions that a centroid counts for
    """

    shared: NDArray[np.int64]
    cosine: Reals
    weight: Reals
    old: Reals
    left: Reals
    least: int

    @property
    def of_topic(self) -> Reals:
        """The share of a topic that was the known topic's, 0 to 1."""
        return self.weight / (self.old + self.least)[:, None]

    @property
    def of_known(self) -> Reals:
        """The share of a known topic that is in the topic now, 0 to 1."""
        return self.weight / (self.left + self.least)[None, :]

    @property
    def both(self) -> Reals:
        """The two shares' geometric mean (Ochiai 1957): one of four equal parts, or of four that merge, has 1/2."""
        return np.sqrt(self.of_topic * self.of_known)


def likeness(
    centroids: Floats,
    members: Sequence[Collection[str]],
    known_centroids: Floats,
    known_members: Sequence[Collection[str]],
    asked: Collection[str],
    same_at_least: float | Floats = 0.8,
    least: int = 5,
) -> Likeness:
    """Compare the topics of a run with the known ones.

    Parameters
    ----------
    centroids, members
        float32 (topics, dim) unit rows, and the question keys of each topic.
    known_centroids, known_members
        The same of the known topics; a row of nan where a centroid does not compare (another embedder's).
    asked
        Every question key of this run: of a known topic's questions, only those still asked could be found again.
    same_at_least
        Cosine from which centroids alone say that two topics are one; for all, or (topics,) for each.
    least
        Questions that the centroid counts for: those of the smallest topic.
    """
    mine, theirs = [set(m) for m in members], [set(m) for m in known_members]
    remembered = set().union(*theirs)
    shared = np.zeros((len(mine), len(theirs)), dtype=np.int64)
    holders: dict[str, list[int]] = {}
    for j, keys in enumerate(theirs):
        for key in keys:
            holders.setdefault(key, []).append(j)
    for i, keys in enumerate(mine):
        for key in keys:
            for j in holders.get(key, ()):
                shared[i, j] += 1
    there = set(asked)
    left = np.array([len(keys & there) for keys in theirs], dtype=float)
    old = np.array([len(keys & remembered) for keys in mine], dtype=float)
    cosine = np.asarray(centroids, dtype=float) @ np.asarray(known_centroids, dtype=float).T
    # One half at ``same_at_least``, one where the centroids are the same, and in between a straight line.
    far = np.maximum(1 - np.broadcast_to(np.asarray(same_at_least, dtype=float), len(mine))[:, None], 1e-6)
    near = np.nan_to_num(1 - HALF * (1 - cosine) / far).clip(0, 1)
    weight = shared + least * near
    return Likeness(shared, cosine, weight, old, left, least)


@dataclass(frozen=True)
class Common:
    """What the topics of a language have in common, which says nothing of which is which.

    All topics of a company are alike, and more so in a language that the embedder knows badly: whole centroids have a
    cosine of 0.8 with many topics that they are not.

    Attributes
    ----------
    means : float32 (languages, dim), the mean of each language's centroids
    told : bool (languages,), whether a language has the topics that it takes to take its mean out: a mean of a few
        topics is mostly these topics
    """

    means: Floats
    told: NDArray[np.bool_]

    def taken_out(self, centroids: Floats) -> Floats:
        """Centroids without what is common to those of their language, where that is told: float32, rows of length 1.

        Examples
        --------
        >>> rows = np.array([[0.9, 0.3, 0.3], [0.9, -0.3, 0.3]], dtype=np.float32)
        >>> common = Common(rows.mean(axis=0, keepdims=True), np.array([True]))
        >>> np.round(common.taken_out(rows)).tolist()
        [[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]]
        """
        if not self.told.any() or not len(centroids):
            return centroids
        language = self._language(centroids)
        return np.where(self.told[language, None], unit(centroids - self.means[language]), centroids)

    def enough(self, centroids: Floats, same_at_least: float) -> Floats:
        """The cosine from which a topic is one with another: ``same_at_least``, or of whole centroids a third nearer 1.

        Examples
        --------
        >>> rows = np.eye(2, dtype=np.float32)
        >>> Common(rows, np.array([True, False])).enough(rows, 0.7).round(2).tolist()
        [0.7, 0.8]
        """
        if not len(self.means):
            return np.full(len(centroids), _whole(same_at_least), dtype=np.float32)
        told = self.told[self._language(centroids)]
        return np.where(told, same_at_least, _whole(same_at_least)).astype(np.float32)

    def _language(self, centroids: Floats) -> NDArray[np.int64]:
        return np.asarray((centroids @ unit(self.means).T).argmax(axis=1), dtype=np.int64)


def _whole(same_at_least: float) -> float:
    return 1 - (1 - same_at_least) * 2 / 3


def common_to(centroids: Floats, languages: Sequence[str]) -> Common:
    """What is common to the topics of each language.

    Parameters
    ----------
    centroids, languages
        float32 (topics, dim) unit rows, and the language of each.
    """
    code = np.asarray(languages, dtype=object)
    counts = sorted(Counter(languages).items())
    means = [centroids[code == language].mean(axis=0) for language, _ in counts]
    told = np.array([count >= ENOUGH_TOPICS for _, count in counts], dtype=bool)
    return Common(np.array(means, dtype=np.float32).reshape(len(means), centroids.shape[1]), told)


def match_topics(alike: Likeness, active: NDArray[np.bool_]) -> dict[int, int]:
    """Which known topic each topic is, one to one; a topic that is none stays out.

    Known topics that were there in the run before (``active``, bool (known,)) come first, absent ones take what is
    left: a question asked last week says more than one asked last month. Among all ways to match, the one that keeps
    the id of most questions is taken (Hungarian method).
    """
    found: dict[int, int] = {}
    for chosen in (active, ~active):
        rows = np.array([i for i in range(len(alike.weight)) if i not in found], dtype=int)
        columns = np.flatnonzero(chosen)
        allowed = alike.both[np.ix_(rows, columns)] >= HALF
        worth = np.where(allowed, alike.weight[np.ix_(rows, columns)], 0)
        taken = zip(*linear_sum_assignment(-worth), strict=True)
        found |= {int(rows[a]): int(columns[b]) for a, b in taken if allowed[a, b]}
    return found


def trace(
    run_id: str,
    previous_run: str | None,
    topics: pd.DataFrame,
    known: pd.DataFrame,
    asked: Collection[str],
    same_at_least: float | Floats = 0.8,
    least: int = 5,
    letter: str = "t",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give each topic of a run its id, and tell what happened to it and to the known topics.

    Parameters
    ----------
    run_id, previous_run
        Last days of this run and of the one before, such as ``2024-06-30``; None for a first run.
    topics
        centroid (float32 arrays of length 1) and members (lists of question keys), one row a topic.
    known
        The latest row of every known topic: topic_id, run_id (when it was last there), first_seen, centroid (as above,
        nan where it does not compare), members.
    asked, same_at_least, least
        As in :func:`likeness`.
    letter
        What new ids begin with.

    Returns
    -------
    named : topic_id, first_seen, lineage (in plain words), same (the known topic that it is, or null); in the order
        of ``topics``
    events : topic_id, event (continue, return, split, birth, merge or death), related (list of topic ids), shared
        (int), cosine (float); one row a topic, and one for each known topic that ended with this run

    Notes
    -----
    The kinds of events are those of MONIC (Spiliopoulou et al., KDD 2006). A topic that continues none is a *split*
    where at least half of it was one topic's of the run before, else a *birth*. A topic of the run before that none
    continues is *merged* where at least half of what is left of it lies in other topics, else it has *died*. A topic
    that was not there in the run before and comes back is a *return*.
    """
    known = known.sort_values("topic_id").reset_index(drop=True)
    order = sorted(
        range(len(topics)), key=lambda i: (sorted(topics["members"].iloc[i]), list(topics["centroid"].iloc[i]))
    )
    now = topics.iloc[order].reset_index(drop=True)
    dim = len(now["centroid"][0]) if len(now) else len(known["centroid"][0]) if len(known) else 0
    alike = likeness(
        _matrix(now["centroid"], dim), list(now["members"]), _matrix(known["centroid"], dim), list(known["members"]),
        asked, np.broadcast_to(same_at_least, len(topics))[order], least,
    )  # fmt: skip
    active = (known["run_id"] == previous_run).to_numpy(dtype=bool)
    same = match_topics(alike, active)
    ids = known["topic_id"].astype(str).tolist()
    own = _ids(run_id, now["members"], same, ids, letter)
    sizes = np.array([len(set(keys)) for keys in now["members"]], dtype=float)
    parents = _parents(alike, active, sizes)
    arrived = []
    for i, name in enumerate(own):
        j = same.get(i, parents.get(i, -1))
        kind = ("continue" if active[j] else "return") if i in same else "split" if i in parents else "birth"
        arrived.append(_event(name, kind, [ids[j]] if j >= 0 else [], alike, [i], j))
    ended = []
    for j in np.flatnonzero(active).tolist():
        if j not in same.values():
            ways = _ways(alike, j)
            rows = ways or range(len(own))
            ended.append(_event(ids[j], "merge" if ways else "death", [own[i] for i in ways], alike, rows, j))
    last = dict(zip(ids, known["run_id"].astype(str), strict=True))
    first = dict(zip(ids, known["first_seen"].astype(str), strict=True))
    named = pd.DataFrame(
        {
            "topic_id": pd.array(own, dtype="str"),
            "first_seen": pd.array([first.get(name, run_id) for name in own], dtype="str"),
            "lineage": pd.array([_sentence(event, ended, run_id, last) for event in arrived], dtype="str"),
            "same": pd.array([ids[same[i]] if i in same else None for i in range(len(own))], dtype="str"),
        },
        index=order,
    ).sort_index()
    columns = ["topic_id", "event", "related", "shared", "cosine"]
    events = pd.DataFrame(arrived + ended, columns=columns)
    return named, events.sort_values(["topic_id", "event"]).reset_index(drop=True)


def keep_labels(labels: Sequence[str], before: Sequence[str | None]) -> list[str]:
    """The labels of a run's topics: those of ``before`` where there are any, all different.

    Parameters
    ----------
    labels
        What each topic would be called if it were new; all different.
    before
        What each topic has been called so far; None for a new one, or one that has changed too much to keep it.

    Examples
    --------
    >>> keep_labels(["Lost refunds", "Late refunds", "Broken zip"], ["Refunds", None, "Late refunds"])
    ['Refunds', 'Late refunds', 'Broken zip']
    """
    kept = [old if isinstance(old, str) else None for old in before]
    while True:
        chosen = [old or new for old, new in zip(kept, labels, strict=True)]
        often = Counter(label.casefold() for label in chosen)
        gives_way = [i for i, old in enumerate(kept) if old and often[old.casefold()] > 1]
        if not gives_way:
            return chosen
        for i in gives_way:
            kept[i] = None


def _matrix(rows: Iterable[Any], dim: int) -> Floats:
    found = list(rows)
    return np.array(found, dtype=np.float32).reshape(len(found), dim)


def _ids(
    run_id: str, members: Iterable[Collection[str]], same: Mapping[int, int], known: Sequence[str], letter: str
) -> list[str]:
    """Each topic's id: the known topic's, or one made of the run and the topic's questions."""
    taken, found = set(known), []
    for i, keys in enumerate(members):
        number, name = 0, known[same[i]] if i in same else ""
        while not name or (i not in same and name in taken):
            text = "".join([run_id, *sorted(keys), "+" * number])
            name, number = f"{letter}-{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}", number + 1
        taken.add(name)
        found.append(name)
    return found


def _parents(alike: Likeness, active: NDArray[np.bool_], sizes: Reals) -> dict[int, int]:
    """The known topic of the run before that at least half of each topic comes from.

    A few old questions say nothing of a topic that is otherwise new: they have to be half of what a topic of this run
    has on average.
    """
    share = np.where(active[None, :], alike.of_topic, 0)
    usual = alike.old.sum() / max(sizes.sum(), 1)
    old_enough = alike.old >= HALF * usual * sizes
    return {int(i): int(share[i].argmax()) for i in np.flatnonzero(old_enough) if share[i].max(initial=0) >= HALF}


def _ways(alike: Likeness, j: int) -> list[int]:
    """The topics that a known topic went into, the largest share first; none where it has died."""
    share = alike.of_known[:, j]
    found_again = alike.shared[:, j].sum() / (alike.left[j] + alike.least)
    if max(share.max(initial=0), found_again) < HALF:
        return []
    ways = [int(i) for i in np.lexsort((np.arange(len(share)), -share)) if share[i] >= PART]
    return ways or [int(share.argmax())]


def _event(
    topic: str, kind: str, related: Sequence[str], alike: Likeness, rows: Sequence[int], j: int
) -> dict[str, Any]:
    cosine = alike.cosine[list(rows), j].max(initial=-1) if j >= 0 and len(rows) else np.nan
    return {
        "topic_id": topic,
        "event": kind,
        "related": list(related),
        "shared": int(alike.shared[list(rows), j].sum()) if j >= 0 else 0,
        "cosine": round(float(cosine), 4),
    }


def _sentence(
    event: Mapping[str, Any], ended: Sequence[Mapping[str, Any]], run_id: str, last: Mapping[str, str]
) -> str:
    """What happened to a topic, as a person would say it."""
    name, kind = event["topic_id"], event["event"]
    joined = [end["topic_id"] for end in ended if name in end["related"]]
    if joined and kind in ("continue", "birth"):
        return f"merged from {_listed([*event['related'], *joined])}"
    if kind == "return":
        weeks = max(1, round((date.fromisoformat(run_id) - date.fromisoformat(last[name])).days / 7))
        told = f"back after {weeks} week{'s' if weeks > 1 else ''}"
    else:
        told = {"continue": "continues ", "split": "split from ", "birth": "new"}[kind] + _listed(event["related"])
    return f"{told}, merged with {_listed(joined)}" if joined else told


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
