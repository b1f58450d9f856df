"""Match the topics of a run to those of earlier runs, and describe what became of the others.

Two topics are matched where the share that they have in common (:mod:`models.topics.likeness`) is at least one half.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from lacuna.models.arrays import F32, F64, Flags
from lacuna.models.topics.likeness import HALF, Likeness, likeness

__all__ = ["keep_labels", "match_topics", "trace"]


PART = 0.25  # least share of an ended topic's questions that another topic needs to be named as its successor


def match_topics(
    alike: Likeness, active: Flags, given: Mapping[int, int] | None = None, retired: Collection[int] = ()
) -> dict[int, int]:
    """Match topics to known topics, one to one: row number of a topic → row number of its known topic.

    What people have decided (``given``) holds, and known topics that they have ended (``retired``) match none.

    Known topics of the run before (``active``, bool (known,)) are matched first and absent ones to the rest, because a
    question asked last week says more than one asked last month. Of all assignments, the one that keeps the id of most
    questions is taken (Hungarian method).
    """
    matches: dict[int, int] = dict(given or {})
    taken = {*matches.values(), *retired}
    for candidates in (active, ~active):
        rows = np.array([i for i in range(len(alike.weight)) if i not in matches], dtype=int)
        columns = np.array([j for j in np.flatnonzero(candidates).tolist() if j not in taken], dtype=int)
        allowed = alike.both[np.ix_(rows, columns)] >= HALF
        weights = np.where(allowed, alike.weight[np.ix_(rows, columns)], 0)
        pairs = zip(*linear_sum_assignment(-weights), strict=True)
        matches |= {int(rows[a]): int(columns[b]) for a, b in pairs if allowed[a, b]}
    return matches


def trace(
    run_id: str,
    previous_run: str | None,
    topics: pd.DataFrame,
    known_topics: pd.DataFrame,
    question_keys: Collection[str],
    same_at_least: float | F32 = 0.8,
    least: int = 5,
    letter: str = "t",
    given_ids: Mapping[int, str] | None = None,
    retired_ids: Collection[str] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give each topic of a run its id, and record what happened to it and to the known topics.

    Parameters
    ----------
    run_id, previous_run
        Last days of this run and of the one before, such as ``2024-06-30``; None for a first run.
    topics
        centroid (float32 arrays of length 1) and members (lists of question keys), one row a topic.
    known_topics
        The latest row of every known topic: topic_id, run_id (the last run that had it), first_seen, centroid (as
        above, nan where it can't be compared), members.
    question_keys, same_at_least, least
        As in :func:`likeness`.
    letter
        What new ids begin with.
    given_ids
        The id that a topic has because people have said so, by its row number in ``topics``: a known topic's, or one
        of the same run, done before.
    retired_ids
        Known topics that people have ended: no topic continues them.

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
    known_topics = known_topics.sort_values("topic_id").reset_index(drop=True)
    order = sorted(
        range(len(topics)), key=lambda i: (sorted(topics["members"].iloc[i]), list(topics["centroid"].iloc[i]))
    )
    now = topics.iloc[order].reset_index(drop=True)
    dim = len(now["centroid"][0]) if len(now) else len(known_topics["centroid"][0]) if len(known_topics) else 0
    alike = likeness(
        _matrix(now["centroid"], dim), list(now["members"]),
        _matrix(known_topics["centroid"], dim), list(known_topics["members"]),
        question_keys, np.broadcast_to(same_at_least, len(topics))[order], least,
    )  # fmt: skip
    active = (known_topics["run_id"] == previous_run).to_numpy(dtype=bool)
    ids = known_topics["topic_id"].astype(str).tolist()
    place = {name: j for j, name in enumerate(ids)}
    now_at = {original: i for i, original in enumerate(order)}
    named_by_people = {now_at[row]: name for row, name in (given_ids or {}).items()}
    given = {i: place[name] for i, name in named_by_people.items() if name in place}
    same = match_topics(alike, active, given, {place[name] for name in retired_ids if name in place})
    own = _ids(run_id, now["members"], {i: ids[j] for i, j in same.items()} | named_by_people, ids, letter)
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
    last = dict(zip(ids, known_topics["run_id"].astype(str), strict=True))
    first = dict(zip(ids, known_topics["first_seen"].astype(str), strict=True))
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
    old_labels = [old if isinstance(old, str) else None for old in before]
    while True:
        result = [old or new for old, new in zip(old_labels, labels, strict=True)]
        often = Counter(label.casefold() for label in result)
        gives_way = [i for i, old in enumerate(old_labels) if old and often[old.casefold()] > 1]
        if not gives_way:
            return result
        for i in gives_way:
            old_labels[i] = None


def _matrix(rows: Iterable[Any], dim: int) -> F32:
    arrays = list(rows)
    return np.array(arrays, dtype=np.float32).reshape(len(arrays), dim)


def _ids(
    run_id: str, members: Iterable[Collection[str]], same: Mapping[int, str], known_ids: Sequence[str], letter: str
) -> list[str]:
    """Each topic's id: that of the known topic which it is (``same``), or a hash of the run and its questions."""
    used_ids, topic_ids = {*known_ids, *same.values()}, []
    for i, keys in enumerate(members):
        number, name = 0, same.get(i, "")
        while not name or (i not in same and name in used_ids):
            text = "".join([run_id, *sorted(keys), "+" * number])
            name, number = f"{letter}-{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}", number + 1
        used_ids.add(name)
        topic_ids.append(name)
    return topic_ids


def _parents(alike: Likeness, active: Flags, sizes: F64) -> dict[int, int]:
    """The topic of the run before that at least half of each topic comes from, where there is one.

    A topic with few old questions is new: their share must be at least half of what topics of this run have on average.
    """
    share = np.where(active[None, :], alike.of_topic, 0)
    usual = alike.old.sum() / max(sizes.sum(), 1)
    old_enough = alike.old >= HALF * usual * sizes
    return {int(i): int(share[i].argmax()) for i in np.flatnonzero(old_enough) if share[i].max(initial=0) >= HALF}


def _ways(alike: Likeness, j: int) -> list[int]:
    """The topics that a known topic merged into, the largest share first; none where it has died."""
    share = alike.of_known[:, j]
    returning = alike.shared[:, j].sum() / (alike.left[j] + alike.least)
    if max(share.max(initial=0), returning) < HALF:
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
        phrase = f"back after {weeks} week{'s' if weeks > 1 else ''}"
    else:
        phrase = {"continue": "continues ", "split": "split from ", "birth": "new"}[kind] + _listed(event["related"])
    return f"{phrase}, merged with {_listed(joined)}" if joined else phrase


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
