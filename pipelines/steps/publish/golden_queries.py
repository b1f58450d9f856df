"""The golden queries of each gap: questions by which its draft is tried, and asked again in every later run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32, F64, Ints
from lacuna.models.backlog.gap import Gap
from lacuna.models.retrieval.draft_trial import ROLES
from lacuna.models.text.vectors import unit
from lacuna.pipelines.drafts.trial import match_articles
from lacuna.pipelines.io.published import read_published
from lacuna.pipelines.io.run_folders import run_folder
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.state.forgotten import read_forgotten
from lacuna.pipelines.state.repository import open_state
from lacuna.pipelines.steps.understand.matching import live_articles, read_candidates, read_vectors

__all__ = ["golden_queries", "golden_results", "kept_and_new", "published_articles", "still_allowed"]

OF_ROLE = 60  # questions of each role that a gap keeps
WENT_WELL = 0.5  # a chance of failure below this: the answer was probably right
COLUMNS = ["gap_id", "conversation_id", "role", "question", "language", "article_id", "since"]


def published_articles(job: Job) -> pd.DataFrame:
    """The live articles that questions are matched with: article_id, title, body, language."""
    return live_articles(job)[["article_id", "title", "body", "language"]]


def golden_queries(job: Job, gaps: Sequence[Gap]) -> pd.DataFrame:
    """The golden queries of this run's gaps and of those whose fix is watched, with the article that is best today.

    Those of earlier runs come first, unchanged; new ones fill up to :data:`OF_ROLE` of each role. Those that may be
    older than `[retention] conversations_days` go, and those of conversations that are forgotten.
    """
    facts = _facts(job)
    new = _own(gaps, facts) + _near(job, gaps, facts)
    columns = {name: [row[name] for row in new] for name in COLUMNS[:3]}
    rows = pd.DataFrame(columns, dtype="str").merge(
        facts[["conversation_id", "article_id"]], on="conversation_id", how="left"
    )
    rows["article_id"] = rows["article_id"].where(rows["role"].eq("healthy"))
    ids = sorted(set(rows["conversation_id"]))
    texts = job.read_rows("understand/questions", ids, ["conversation_id", "question", "language"])
    rows = rows.merge(texts, on="conversation_id").assign(since=job.run_id)[COLUMNS]
    watched = {gap.gap_id for gap in gaps} | set(job.read("rank/impact")["gap_id"])
    table = kept_and_new(still_allowed(job, _earlier(job, "golden_queries")), rows, watched)
    return table.assign(best_article_id=_best_today(job, table))


def still_allowed(job: Job, earlier: pd.DataFrame) -> pd.DataFrame:
    """The queries of an earlier run that may be kept on."""
    if earlier.empty:
        return earlier
    with open_state(job.settings, job.store) as state:
        earlier = earlier[~read_forgotten(state).among(earlier["conversation_id"])]
    days = job.settings.retention.conversations_days
    if not days:
        return earlier
    # The conversation began in the window of the run that kept it first, on its first day at the earliest.
    oldest = job.end - timedelta(days=days) + timedelta(days=job.days - 1)
    return earlier[earlier["since"] >= oldest.isoformat()]


def kept_and_new(earlier: pd.DataFrame, new: pd.DataFrame, watched: set[str]) -> pd.DataFrame:
    """The earlier queries of the gaps ``watched`` as they are, and new ones up to :data:`OF_ROLE` of each role."""
    kept = earlier[earlier["gap_id"].isin(watched)][COLUMNS] if len(earlier) else new.head(0)
    both = pd.concat([kept, new]) if len(kept) else new
    both = both.astype("str").drop_duplicates(["gap_id", "conversation_id"], ignore_index=True)
    within = both.groupby(["gap_id", "role"], sort=False).cumcount() < OF_ROLE
    order = {role: place for place, role in enumerate(ROLES)}
    chosen = both[within].assign(place=both["role"].map(order))
    return chosen.sort_values(["gap_id", "place"], kind="stable")[COLUMNS].reset_index(drop=True)


def golden_results(job: Job, queries: pd.DataFrame, gaps: Sequence[Gap]) -> pd.DataFrame:
    """How often each gap's article is the best match of its golden queries, in this run and in every earlier one.

    The article is the one that the gap, or what people said of its fix, names; else the best match of most of its own
    queries, where that came after they were first kept.
    """
    fixed = {row["gap_id"]: row.get("article_id") for row in records(job.read("rank/impact"))}
    named = {gap.gap_id: gap.article_id for gap in gaps} | {gap: key for gap, key in fixed.items() if key}
    articles = job.read("load/articles")
    created = dict(zip(articles["article_id"].astype(str), articles["created_at"], strict=True))
    earlier = _earlier(job, "golden_results")
    before = {row["gap_id"]: row["article_id"] for row in records(earlier)} if len(earlier) else {}
    rows = []
    for gap, asked in queries.groupby("gap_id", sort=True):
        own, healthy = (asked[asked["role"] == role] for role in ("own", "healthy"))
        article = named.get(str(gap)) or before.get(str(gap)) or _new_winner(own, created)
        rows.append({
            "gap_id": gap, "run_id": job.run_id, "article_id": article, "asked": len(own),
            "won": int(own["best_article_id"].eq(article).sum()) if article else 0,
            "healthy": len(healthy), "kept": int(healthy["best_article_id"].eq(healthy["article_id"]).sum()),
        })  # fmt: skip
    counts = ["asked", "won", "healthy", "kept"]
    now = pd.DataFrame(rows, columns=["gap_id", "run_id", "article_id", *counts])
    past = earlier[earlier["gap_id"].isin(now["gap_id"])] if len(earlier) else earlier
    both = pd.concat([past, now]) if len(past) else now
    both = both.astype(dict.fromkeys(("gap_id", "run_id", "article_id"), "str") | dict.fromkeys(counts, "int64"))
    return both.sort_values(["gap_id", "run_id"]).reset_index(drop=True)


def _new_winner(own: pd.DataFrame, created: dict[str, Any]) -> str | None:
    best = own["best_article_id"].mode()
    if not len(best):
        return None
    day = created.get(str(best[0]))
    is_new = day is not None and not pd.isna(day) and day.date().isoformat() > own["since"].min()
    return str(best[0]) if is_new else None


def _best_today(job: Job, queries: pd.DataFrame) -> pd.Series:
    """The article that matches each query best among today's, by the run's own scores."""
    articles, asked = live_articles(job), queries.drop_duplicates("question")
    scores = match_articles(articles, asked, job.embedder, job.store, job.read_json("understand/usual_scores"))
    best = articles["article_id"].to_numpy()[scores.argmax(axis=1)] if scores.size else np.full(len(asked), None)
    return queries["question"].map(dict(zip(asked["question"], best, strict=True))).astype("str")


def _facts(job: Job) -> pd.DataFrame:
    """A row a question, in the order of understand/questions: whether it may be shown, how it went, by what."""
    facts = job.read("measure/facts", ["conversation_id", "subtopic_id", "p_failed", "in_window", "cited_first"])
    judged = job.read("diagnose/judged")
    enough = set(judged.loc[judged["customers"] >= job.settings.topics.min_customers, "subtopic_id"])
    order = job.read("understand/questions", ["conversation_id"])
    rows = order.merge(facts, on="conversation_id", how="left")
    shown = rows["in_window"].eq(True) & rows["subtopic_id"].isin(enough)
    return rows.assign(shown=shown.to_numpy(dtype=bool), article_id=rows["cited_first"].astype("str"))


def _own(gaps: Sequence[Gap], facts: pd.DataFrame) -> list[dict[str, Any]]:
    """Of each gap its failed questions, evenly over its conversations, which stand for time and phrasing."""
    asked = set(facts.loc[facts["in_window"].eq(True), "conversation_id"])
    rows = []
    for gap in gaps:
        ids = sorted(asked.intersection(gap.conversation_ids))
        places = np.linspace(0, len(ids) - 1, OF_ROLE).round().astype(int).tolist() if ids else []
        rows += [_row(gap.gap_id, ids[place], "own") for place in dict.fromkeys(places)]
    return rows


def _near(job: Job, gaps: Sequence[Gap], facts: pd.DataFrame) -> list[dict[str, Any]]:
    """Of each gap the questions nearest to it by meaning that are not in it: failed ones, and ones answered well.

    Answered well means: from the article that is also the best match for it, so that a draft could steal it.
    """
    place_of = {key: place for place, key in enumerate(facts["conversation_id"])}
    members = [np.array([place_of[c] for c in gap.conversation_ids if c in place_of], dtype=np.int64) for gap in gaps]
    if not any(map(len, members)):
        return []
    centres = _centres(job, members)
    failed = facts["p_failed"].to_numpy(dtype=float)
    served = (failed < WENT_WELL) & facts["article_id"].eq(_best_of(job)).fillna(False).to_numpy(dtype=bool)
    shown = facts["shown"].to_numpy()
    may = {"neighbour": shown & (failed >= WENT_WELL), "healthy": shown & served}
    ids, answered_by = facts["conversation_id"].tolist(), facts["article_id"].tolist()
    by_id = np.asarray(facts["conversation_id"].rank(), dtype=np.float64)
    rows = []
    for role, allowed in may.items():
        nearest = _nearest(job, centres, np.flatnonzero(allowed), by_id)
        for gap, own, near in zip(gaps, members, nearest, strict=True):
            inside = set(own.tolist())
            others = [
                i for i in near.tolist() if i not in inside and (role != "healthy" or answered_by[i] != gap.article_id)
            ]
            rows += [_row(gap.gap_id, ids[i], role) for i in others[:OF_ROLE]]
    return rows


def _row(gap_id: str, conversation_id: str, role: str) -> dict[str, Any]:
    return {"gap_id": gap_id, "conversation_id": conversation_id, "role": role}


def _blocks(job: Job) -> Iterator[tuple[int, F32]]:
    start = 0
    for vectors in read_vectors(job):
        yield start, vectors
        start += len(vectors)


def _centres(job: Job, members: Sequence[Ints]) -> F32:
    """The mean vector of each group of rows, float32 (groups, dim), rows of length 1."""
    sums: list[Any] = [0.0] * len(members)
    width = 1
    for start, vectors in _blocks(job):
        width = vectors.shape[1] if len(vectors) else width
        for number, own in enumerate(members):
            inside = own[(own >= start) & (own < start + len(vectors))] - start
            sums[number] = sums[number] + vectors[inside].sum(axis=0)
    return unit(np.array([np.broadcast_to(one, (width,)) for one in sums], dtype=np.float32))


def _nearest(job: Job, centres: F32, rows: Ints, by_id: F64) -> list[Ints]:
    """Of some rows the nearest to each centre, the nearest first: enough that a gap's own and its article's may go.

    What is equally near goes by its id, and the last digits don't count: they depend on the cut into shards.
    """
    most = 5 * OF_ROLE
    found: list[list[tuple[Any, Ints]]] = [[] for _ in centres]
    for start, vectors in _blocks(job):
        own = rows[(rows >= start) & (rows < start + len(vectors))]
        if not len(own):
            continue
        near = (vectors[own - start] @ centres.T).round(4)
        for number in range(len(centres)):
            top = np.lexsort((by_id[own], -near[:, number]))[:most]
            found[number].append((near[top, number], own[top]))
    nothing = np.zeros(0, dtype=np.int64)
    chosen = []
    for parts in found:
        near, own = (np.concatenate([part[i] for part in parts] or [nothing]) for i in (0, 1))
        chosen.append(own[np.lexsort((by_id[own], -near))[:most]])
    return chosen


def _best_of(job: Job) -> pd.Series:
    """The best match of each question, in the order of understand/questions."""
    ids = live_articles(job)["article_id"].to_numpy(dtype=object)
    best: list[object] = []
    for block in read_candidates(job, len(ids), ("score",)):
        if block.number.shape[1]:
            rows = np.arange(len(block.number))
            best += ids[block.number[rows, block.value["score"].argmax(axis=1)]].tolist()
        else:
            best += [None] * len(block.number)
    return pd.Series(best, dtype="str")


def _earlier(job: Job, name: str) -> pd.DataFrame:
    before = job.read_json("run")["previous_run"]
    folder = run_folder(job.store, str(before)) if before else None
    return read_published(folder, name) if folder else pd.DataFrame()
