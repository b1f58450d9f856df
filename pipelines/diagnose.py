"""diagnose: for every topic that fails, why; for every article that went stale, since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models import diagnosis, evidence
from models import reach as reaching
from models.changes import Change
from models.diagnosis import Cited, Evidence, Limits, Match, PassedOver, Verdict
from models.labels import NOTHING_SAID, STOP_WORDS
from models.retrieval import centred, plain
from models.topics import excess
from pipelines.job import Job
from pipelines.understand import live_articles

Floats = NDArray[np.float32]

ENOUGH_ANSWERS = 3  # agents' answers that tell what two groups have in common
MIN_FAILED = 4  # fewer failed conversations than this are not yet a pattern


@dataclass(frozen=True)
class World:
    """All that the diagnosis looks at; arrays have one row a conversation with a question, in the facts' order."""

    facts: pd.DataFrame
    articles: pd.DataFrame
    topics: pd.DataFrame
    meanings: Floats
    score: Floats
    meaning: Floats
    agents: Floats
    cited: NDArray[np.int64]
    weight: NDArray[np.float64]
    off_topic: float
    answers: Floats
    choice: Floats
    near_enough: float
    changes: dict[int, tuple[Change, NDArray[np.int64]]]
    limits: Limits
    answered: NDArray[np.float64]

    def title(self, number: int) -> str:
        """Title of the article with this number."""
        return str(self.articles["title"].iloc[number])

    def says_nothing(self, topic: str) -> bool:
        """Whether a topic's messages hold no question."""
        label = self.topics.loc[self.topics["topic_id"].eq(topic), "label"]
        return bool(label.str.startswith(NOTHING_SAID).any())

    def number(self, article_id: str) -> int | None:
        """Number of the live article with this id, if there is one."""
        at = np.flatnonzero(self.articles["article_id"].eq(article_id))
        return int(at[0]) if len(at) else None

    def article_id(self, number: int) -> str:
        """Id of the article with this number."""
        return str(self.articles["article_id"].iloc[number])


def diagnose(job: Job) -> None:
    """Write diagnose/gaps (one row a gap, unranked) and diagnose/not_content."""
    world = _world(job)
    demand = job.read("measure/demand").set_index("topic_id")
    gaps: list[dict[str, Any]] = []
    other, unsigned = [], []
    articles = _incomplete_articles(world) | _stale_articles(world)
    known = {article: row["verdict"] for article, row in articles.items()}
    for topic, gain in _failing(world, demand).items():
        rows = _failed_rows(world, topic)
        if len(rows) < MIN_FAILED:
            continue
        seen = _evidence(world, [topic], rows, known)
        verdict = diagnosis.by_sign(seen, world.limits)
        if verdict is None:
            if gain >= world.limits.hint_evidence:
                unsigned.append({"topics": [topic], "rows": rows, "excess": gain})
        elif verdict.kind == "not_content":
            other.append(_cluster(world, topic, rows, verdict, seen, demand))
        elif verdict.article_id in known and verdict.kind in ("stale", "incomplete"):
            article = articles[verdict.article_id]
            article["rows"] = np.union1d(article["rows"], rows)
        else:
            gaps.append(_gap([topic], rows, verdict, seen))
    for work in _same_work(world, unsigned):
        seen = _evidence(world, work["topics"], work["rows"], known)
        hidden = diagnosis.by_answers(seen, world.limits, work["excess"])
        if hidden and hidden.article_id not in known:
            gaps.append(_gap(work["topics"], work["rows"], hidden, seen))
    gaps = _by_article(world, gaps, known)
    verdicts: list[Verdict] = [gap["verdict"] for gap in gaps]
    settled = {verdict.article_id for verdict in verdicts if verdict.kind == "contradictory"}
    for article_id, row in articles.items():
        topics = _main_topic(world, row["rows"])
        if topics and not (article_id in settled and row["verdict"].kind == "incomplete"):
            gaps.append(_gap(topics, row["rows"], row["verdict"], _evidence(world, topics, row["rows"], known)))
    job.write("diagnose/gaps", pd.DataFrame([_told(world, gap) for gap in gaps], columns=_GAP_COLUMNS))
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
        for name in ("score", "meaning", "words", "passage_words", "agents")
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
    choice = reaching.bot_choice(
        [arrays[name] for name in ("meaning", "words", "passage_words")], cited, facts["failed"].to_numpy()
    )
    answers = reaching.usual_answers_out(arrays["agents"])
    near_enough = reaching.near_enough(answers, cited, weight)
    languages = [str(code) for code in facts["language"].fillna("").str[:2]]
    answered = np.bincount(cited[cited >= 0], weights=(weight * success)[cited >= 0], minlength=n).astype(float)
    limits = Limits(**job.settings.diagnosis.model_dump())
    return World(
        facts, articles, job.read("understand/topics"), centred(vectors, languages), arrays["score"],
        arrays["meaning"], arrays["agents"], cited, weight, off_topic, answers, choice, near_enough,
        changes, limits, answered,
    )  # fmt: skip


def _stacked(rows: pd.Series) -> Floats:
    return np.stack(list(rows)).astype(np.float32) if len(rows) else np.zeros((0, 1), dtype=np.float32)


def _failing(world: World, demand: pd.DataFrame) -> dict[str, float]:
    """Topics whose answers fail more than elsewhere, with the log-likelihood by which they do, by id."""
    base = float(np.clip(world.facts.loc[world.facts["in_window"], "failed"].mean(), 0.02, 0.98))
    gains = {str(t): excess(row["failed"], max(row["reached"], 1), base) for t, row in demand.iterrows()}
    return {topic: gain for topic, gain in sorted(gains.items()) if gain > 0}


def _failed_rows(world: World, topic: str) -> NDArray[np.int64]:
    facts = world.facts
    return np.flatnonzero(facts["topic_id"].eq(topic) & facts["mined"] & facts["failed"].gt(0.4))


def _evidence(world: World, topics: list[str], rows: NDArray[np.int64], known: dict[str, Verdict]) -> Evidence:
    facts = world.facts.iloc[rows]
    n = max(1, len(rows))
    tags = facts["outcome"].dropna()
    wrong = facts[facts["outcome"].eq("misclassified") & facts["true_intent"].notna()]
    cited = [_cited(world, article, count / n) for article, count in _top(facts["cited"], world)]
    by_agents = [_cited(world, article, count / n) for article, count in _top(facts["agent_cited"], world)]
    return Evidence(
        failed=float(len(rows)),
        asks=not (len(topics) == 1 and world.says_nothing(topics[0])),
        tags=len(tags),
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
        passed_over=_passed_over(world, topics, rows),
        known=known,
        conflict=_conflict(world, cited, rows),
        complaints=int(facts["complaint"].sum()) if "complaint" in facts else 0,
    )


def _passed_over(world: World, topics: list[str], rows: NDArray[np.int64]) -> PassedOver | None:
    facts = world.facts
    did = np.flatnonzero(facts["topic_id"].isin(topics) & facts["in_window"] & facts["failed"].le(0.5))
    found = reaching.reach(world.answers, world.choice, world.cited, rows, did, world.off_topic)
    if found is None:
        return None
    a = found.article
    return PassedOver(
        world.article_id(a), world.title(a), found.nearness, world.near_enough, found.lead, found.answers,
        found.tried, found.expected, found.worked, found.evidence, float(world.answered[a]),
    )  # fmt: skip


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


def _incomplete_articles(world: World) -> dict[str, dict[str, Any]]:
    """Articles whose answers are tagged as partial more than others', with the window's rows that they failed."""
    facts = world.facts
    tagged = facts[facts["in_window"] & facts["outcome"].notna()]
    partial = tagged["outcome"].eq("partial")
    mined = facts["mined"].to_numpy(dtype=bool) & (facts["failed"].to_numpy() > 0.4)
    found = {}
    for article, own in tagged.groupby("cited_first", sort=True):
        number = world.number(str(article))
        if number is None:
            continue
        counts = int(partial[own.index].sum()), len(own), float(partial.mean())
        verdict = diagnosis.incomplete_verdict(str(article), world.title(number), *counts, world.limits)
        rows = np.flatnonzero(mined & (world.cited == number) & (world.weight > 0.5))
        if verdict and len(rows) >= MIN_FAILED:
            found[str(article)] = {"rows": rows, "verdict": verdict}
    return found


def _main_topic(world: World, rows: NDArray[np.int64]) -> list[str]:
    topic = _mode(world.facts["topic_id"].iloc[rows])
    return [topic] if topic else [str(t) for t in world.topics["topic_id"].iloc[:1]]


def _gap(topics: list[str], rows: NDArray[np.int64], verdict: Verdict, seen: Evidence) -> dict[str, Any]:
    return {"topics": topics, "rows": rows, "verdict": verdict, "seen": seen}


def _same_work(world: World, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Failing topics that ask for the same thing in other words, put together; the largest gives its name."""
    out: list[dict[str, Any]] = []
    for group in sorted(groups, key=lambda g: (-len(g["rows"]), g["topics"])):
        alike = [(_likeness(world, group["rows"], other["rows"]), other) for other in out]
        likeness, nearest = max(alike, key=lambda pair: pair[0], default=(0.0, None))
        if nearest is not None and likeness >= world.limits.same_work:
            nearest["topics"] = nearest["topics"] + group["topics"]
            nearest["rows"] = np.union1d(nearest["rows"], group["rows"])
            nearest["excess"] += group["excess"]
        else:
            out.append(group)
    return out


def _likeness(world: World, one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """How alike two groups of conversations are: in what customers ask and, where agents answered, in the answers."""
    meaning = evidence.group_likeness(world.meanings[one], world.meanings[other])
    said = [rows[np.abs(world.answers[rows]).sum(axis=1) > 0] for rows in (one, other)]
    if min(map(len, said)) < ENOUGH_ANSWERS:
        return meaning
    return (meaning + evidence.group_likeness(*(world.answers[rows] for rows in said))) / 2


def _by_article(world: World, gaps: list[dict[str, Any]], known: dict[str, Verdict]) -> list[dict[str, Any]]:
    """One gap an article and kind: topics that fail for the same reason are one piece of work."""
    out: list[dict[str, Any]] = []
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for gap in sorted(gaps, key=lambda g: (-len(g["rows"]), g["topics"])):
        verdict = gap["verdict"]
        same = first.setdefault((verdict.kind, verdict.article_id), gap) if verdict.article_id else gap
        if same is gap:
            out.append(gap)
        else:
            same["topics"] = same["topics"] + gap["topics"]
            same["rows"] = np.union1d(same["rows"], gap["rows"])
            same["seen"] = _evidence(world, same["topics"], same["rows"], known)
    return out


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
    number = world.number(verdict.article_id or "")
    changed = world.changes.get(number) if verdict.kind == "stale" and number is not None else None
    return {
        "kind": verdict.kind,
        "probability": round(verdict.probability, 3),
        "topic_id": gap["topics"][0],
        "article_id": verdict.article_id,
        "reasons": verdict.reasons,
        "conversation_ids": sorted(facts["conversation_id"]),
        "nearest": [
            {"article_id": m.article_id, "title": m.title, "similarity": round(m.similarity, 3)} for m in seen.nearest
        ],
        "labels": int(facts["outcome"].notna().sum()),
        "customer_words": words,
        "passages": passages,
        "change_point": _change_point(world, *changed) if changed else None,
        "other_article_id": conflict.other_id if conflict else None,
    }  # fmt: skip


def _change_point(world: World, change: Change, rows: NDArray[np.int64]) -> dict[str, Any]:
    """A change as plain data: its day, the days between which it lies, and the failing shares on both sides."""
    low, at, high = (_day(world, rows[min(i, len(rows) - 1)]) for i in (change.low, change.at, change.high))
    shares = {"before": round(change.before, 3), "after": round(change.after, 3)}
    return {"week": at, "low": low, "high": high} | shares


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
