"""diagnose: for every topic that fails, why; for every article that went stale, since when."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models import diagnosis, evidence
from models.diagnosis import Cited, Evidence, Limits, Match, Verdict
from models.labels import STOP_WORDS
from models.retrieval import plain
from models.topics import excess
from pipelines.job import Job
from pipelines.understand import live_articles

Floats = NDArray[np.float32]

MIN_FAILED = 4  # fewer failed conversations than this are not yet a pattern


@dataclass(frozen=True)
class World:
    """All that the diagnosis looks at; arrays have one row a conversation with a question, in the facts' order."""

    facts: pd.DataFrame
    articles: pd.DataFrame
    topics: pd.DataFrame
    vectors: Floats
    score: Floats
    meaning: Floats
    agents: Floats
    cited: NDArray[np.int64]
    weight: NDArray[np.float64]
    coverage: NDArray[np.float64]
    changes: dict[int, Any]
    limits: Limits
    answered: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def title(self, number: int) -> str:
        """Title of the article with this number."""
        return str(self.articles["title"].iloc[number])

    def article_id(self, number: int) -> str:
        """Id of the article with this number."""
        return str(self.articles["article_id"].iloc[number])


def diagnose(job: Job) -> None:
    """Write diagnose/gaps (one row a gap, unranked) and diagnose/not_content."""
    world = _world(job)
    demand = job.read("measure/demand").set_index("topic_id")
    gaps, other = [], []
    stale = _stale_articles(world)
    for topic, excess_failure in _failing(world, demand).items():
        rows = _failed_rows(world, topic)
        if len(rows) < MIN_FAILED:
            continue
        seen = _evidence(world, rows)
        verdict = diagnosis.diagnose(seen, world.limits, excess_failure >= world.limits.excess_evidence)
        if verdict is None:
            continue
        if verdict.kind == "not_content":
            other.append(_cluster(world, topic, rows, verdict, seen, demand))
        elif verdict.article_id and (row := stale.get(verdict.article_id)) is not None and verdict.kind == "stale":
            row["rows"] = np.union1d(row["rows"], rows)
        else:
            gaps.append(_gap(topic, rows, verdict, seen))
    gaps = _merged(world, gaps)
    gaps += [
        _gap(_main_topic(world, row["rows"]), row["rows"], row["verdict"], _evidence(world, row["rows"]))
        for row in stale.values()
    ]
    job.write(
        "diagnose/gaps", pd.DataFrame([_told(world, gap) for gap in gaps if gap["topic_id"]], columns=_GAP_COLUMNS)
    )
    job.write_json("diagnose/not_content", other)


_GAP_COLUMNS = [
    "kind", "probability", "topic_id", "article_id", "reasons", "conversation_ids", "nearest", "labels",
    "customer_words", "passages", "change_point", "other_article_id",
]  # fmt: skip


def _world(job: Job) -> World:
    match = job.read("understand/match")
    facts = match[["conversation_id"]].merge(job.read("measure/facts"), on="conversation_id", how="left")
    facts = facts.merge(
        job.read("understand/questions")[["conversation_id", "question"]], on="conversation_id", how="left"
    )
    articles = live_articles(job)
    empty = np.zeros((len(match), 0), dtype=np.float32)
    arrays: dict[str, Floats] = {
        name: _stacked(match[name]) if len(match) and len(articles) else empty
        for name in ("score", "meaning", "words", "agents")
    }
    number = {article: i for i, article in enumerate(articles["article_id"])}
    cited = facts["cited_first"].map(number).fillna(-1).to_numpy(dtype=np.int64)
    vectors = _stacked(job.read("understand/vectors")["vector"])
    success = 1 - facts["failed"].to_numpy(dtype=float)
    n = len(articles)
    before = evidence.answered_before(vectors, cited, success, n)
    scores = {"meaning": arrays["meaning"], "words": arrays["words"], "before": before}
    weight, off_topic = evidence.citation_weights(cited, success, scores) if n else (np.zeros(len(facts)), 0.7)
    changes = evidence.changes(facts["started_at"], cited, facts["failed"].to_numpy(), weight, off_topic)
    coverage = _coverage(arrays["agents"])
    answered = np.bincount(cited[cited >= 0], weights=(weight * success)[cited >= 0], minlength=n).astype(float)
    limits = Limits(**job.settings.diagnosis.model_dump())
    return World(
        facts, articles, job.read("understand/topics"), vectors, arrays["score"], arrays["meaning"], arrays["agents"],
        cited, weight, coverage, changes, limits, answered,
    )  # fmt: skip


def _stacked(rows: pd.Series) -> Floats:
    return np.stack(list(rows)).astype(np.float32) if len(rows) else np.zeros((0, 1), dtype=np.float32)


def _coverage(agents: Floats) -> NDArray[np.float64]:
    """How decidedly an agent's answer points at one article, in standard deviations over all; null without one."""
    lead = np.full(len(agents), np.nan)
    has = np.abs(agents).sum(axis=1) > 0
    if agents.shape[1] < 6 or has.sum() < 2:
        return lead
    ordered = np.sort(agents[has], axis=1)[:, ::-1]
    lead[has] = ordered[:, 0] - ordered[:, 1:6].mean(axis=1)
    spread = float(np.nanstd(lead))
    return (lead - np.nanmean(lead)) / (spread if spread > 1e-9 else 1)


def _failing(world: World, demand: pd.DataFrame) -> dict[str, float]:
    """Topics whose answers fail more than elsewhere, with the log-likelihood by which they do, by id."""
    base = float(np.clip(world.facts.loc[world.facts["in_window"], "failed"].mean(), 0.02, 0.98))
    gains = {str(t): excess(row["failed"], max(row["reached"], 1), base) for t, row in demand.iterrows()}
    return {topic: gain for topic, gain in sorted(gains.items()) if gain > 0}


def _failed_rows(world: World, topic: str) -> NDArray[np.int64]:
    facts = world.facts
    return np.flatnonzero(facts["topic_id"].eq(topic) & facts["mined"] & facts["failed"].gt(0.4))


def _evidence(world: World, rows: NDArray[np.int64]) -> Evidence:
    facts = world.facts.iloc[rows]
    n = max(1, len(rows))
    tags = facts["outcome"].dropna()
    wrong = facts[facts["outcome"].eq("misclassified") & facts["true_intent"].notna()]
    cited = [_cited(world, article, count / n) for article, count in _top(facts["cited"], world)]
    by_agents = [_cited(world, article, count / n) for article, count in _top(facts["agent_cited"], world)]
    return Evidence(
        failed=float(len(rows)),
        tags=len(tags),
        partial_tags=int(tags.eq("partial").sum()),
        policy_share=float(facts["policy_handover"].mean()) if len(rows) else 0.0,
        account_share=float(facts["account_action"].mean()) if len(rows) else 0.0,
        request_share=float((facts["handoff_request"] & facts["cited_first"].isna()).mean()) if len(rows) else 0.0,
        misrouted_tags=int(tags.eq("misclassified").sum()),
        misrouted_share=float(tags.eq("misclassified").mean()) if len(tags) else 0.0,
        true_intent=_mode(wrong["true_intent"]),
        predicted_intent=_mode(wrong["predicted_intent"]),
        cited=cited,
        by_agents=by_agents,
        nearest=_nearest(world, rows),
        coverage=_mean_known(world.coverage[rows]),
        changes={world.article_id(a): change for a, (change, _) in world.changes.items()},
        change_days={world.article_id(a): _day(world, at[change.at]) for a, (change, at) in world.changes.items()},
        conflict=_conflict(world, cited, rows),
        complaints=int(facts["complaint"].sum()) if "complaint" in facts else 0,
    )


def _mean_known(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) >= 3 else -1.0


def _top(lists: pd.Series, world: World) -> list[tuple[int, int]]:
    number = {article: i for i, article in enumerate(world.articles["article_id"])}
    counts: dict[int, int] = {}
    for ids in lists:
        for article in set(ids):
            if article in number:
                counts[number[article]] = counts.get(number[article], 0) + 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:5]


def _cited(world: World, number: int, share: float) -> Cited:
    return Cited(world.article_id(number), world.title(number), float(share))


def _nearest(world: World, rows: NDArray[np.int64], count: int = 5) -> list[Match]:
    if not len(rows) or not world.score.shape[1]:
        return []
    match = (world.score[rows] + world.agents[rows]).mean(axis=0)
    return [
        Match(
            world.article_id(a), world.title(a), float(match[a]), float(world.meaning[rows, a].mean()),
            float(world.answered[a]),
        )
        for a in np.argsort(-match, kind="stable")[:count]
    ]  # fmt: skip


def _conflict(world: World, cited: list[Cited], rows: NDArray[np.int64]) -> diagnosis.Conflict | None:
    if len(cited) < 2 or cited[1].share < world.limits.conflict_share:
        return None
    pair = world.articles[world.articles["article_id"].isin([c.article_id for c in cited[:3]])]
    words = {w.lower() for q in world.facts["question"].iloc[rows] for w in str(q).split()} - STOP_WORDS
    return evidence.conflict(pair, words)


def _mode(values: pd.Series) -> str | None:
    counts = values.dropna().value_counts()
    return str(sorted(counts[counts == counts.max()].index)[0]) if len(counts) else None


def _day(world: World, row: int) -> str:
    return str(world.facts["started_at"].iloc[row].date())


def _stale_articles(world: World) -> dict[str, dict[str, Any]]:
    """Articles that went stale, wherever their conversations lie, with the rows that failed since, in the window."""
    found = {}
    failed, mined = world.facts["failed"].to_numpy(), world.facts["mined"].to_numpy(dtype=bool)
    for number, (change, rows) in world.changes.items():
        if not diagnosis.went_stale(change, world.limits):
            continue
        since = rows[change.at :]
        since = since[(failed[since] > 0.5) & mined[since]]
        if len(since) < 2:
            continue
        article = world.article_id(number)
        verdict = diagnosis.stale_verdict(article, world.title(number), change, _day(world, rows[change.at]))
        found[article] = {"rows": np.sort(since), "verdict": verdict}
    return found


def _main_topic(world: World, rows: NDArray[np.int64]) -> str | None:
    return _mode(world.facts["topic_id"].iloc[rows]) or (
        str(world.topics["topic_id"].iloc[0]) if len(world.topics) else None
    )


def _gap(topic: str | None, rows: NDArray[np.int64], verdict: Verdict, seen: Evidence) -> dict[str, Any]:
    return {"topic_id": topic, "rows": rows, "verdict": verdict, "seen": seen}


def _merged(world: World, gaps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One gap for one piece of work.

    Topics that fail for the same article and in the same way are one; so are topics without an article that ask in
    like words for something that the same articles nearly answer.
    """
    out: list[dict[str, Any]] = []
    for gap in sorted(gaps, key=lambda g: (-len(g["rows"]), str(g["topic_id"]))):
        verdict = gap["verdict"]
        alike = [
            (_likeness(world, gap["rows"], kept["rows"]) if verdict.kind == "missing" else 1.0, kept)
            for kept in out
            if (kept["verdict"].kind, kept["verdict"].article_id) == (verdict.kind, verdict.article_id)
        ]
        likeness, nearest = max(alike, key=lambda pair: pair[0], default=(0.0, None))
        if nearest is not None and likeness >= world.limits.same_work:
            nearest["rows"] = np.union1d(nearest["rows"], gap["rows"])
            nearest["seen"] = _evidence(world, nearest["rows"])
        else:
            out.append(gap)
    return out


def _likeness(world: World, one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """How alike two groups of conversations are, in meaning and in the articles near them: mean of two cosines."""
    spaces = (world.vectors, world.score + world.agents)
    return float(np.mean([evidence.group_likeness(space[one], space[other]) for space in spaces if space.shape[1]]))


def _told(world: World, gap: dict[str, Any]) -> dict[str, Any]:
    """A gap as a row of plain data."""
    rows, verdict, seen = gap["rows"], gap["verdict"], gap["seen"]
    facts = world.facts.iloc[rows]
    body = world.articles.set_index("article_id")["body"]
    conflict = seen.conflict if verdict.kind == "contradictory" else None
    passages = []
    if conflict:
        passages = [
            {"article_id": conflict.article_id, "passage": conflict.sentence, "evidence": conflict.other_sentence},
            {"article_id": conflict.other_id, "passage": conflict.other_sentence, "evidence": conflict.sentence},
        ]
    words = []
    if verdict.article_id:
        words = evidence.customer_words(list(facts["question"]), plain(str(body[verdict.article_id])), STOP_WORDS)
    change = seen.changes.get(verdict.article_id or "")
    return {
        "kind": verdict.kind,
        "probability": round(verdict.probability, 3),
        "topic_id": gap["topic_id"],
        "article_id": verdict.article_id,
        "reasons": verdict.reasons,
        "conversation_ids": sorted(facts["conversation_id"]),
        "nearest": [
            {"article_id": m.article_id, "title": m.title, "similarity": round(m.similarity, 3)} for m in seen.nearest
        ],
        "labels": int(facts["outcome"].notna().sum()),
        "customer_words": words,
        "passages": passages,
        "change_point": {
            "week": seen.change_days[verdict.article_id],
            "low": None, "high": None, "before": round(change.before, 3), "after": round(change.after, 3),
        } if verdict.kind == "stale" and change and verdict.article_id else None,
        "other_article_id": conflict.other_id if conflict else None,
    }  # fmt: skip


def _cluster(
    world: World, topic: str, rows: NDArray[np.int64], verdict: Verdict, seen: Evidence, demand: pd.DataFrame
) -> dict[str, Any]:
    """A cluster that an article would not mend, as plain data."""
    told = world.topics.set_index("topic_id").loc[topic]
    flow = {name: float(demand[name][topic]) for name in ("reached", "failed", "weekly_rate")}
    return {
        "cluster_id": f"n-{topic.removeprefix('t-')}",
        "topic_id": topic,
        "topic_label": str(told["label"]),
        "reason": verdict.not_content,
        "conversations": len(rows),
        "weekly_rate": round(flow["weekly_rate"], 3),
        "failure_rate": round(flow["failed"] / max(1, flow["reached"]), 3),
        "why": verdict.reasons,
        "examples": list(told["examples"]),
        "true_intent": seen.true_intent if verdict.not_content == diagnosis.ROUTING else None,
        "predicted_intent": seen.predicted_intent if verdict.not_content == diagnosis.ROUTING else None,
    }
