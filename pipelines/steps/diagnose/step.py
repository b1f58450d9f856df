"""diagnose: for every subtopic that fails, why; for every article that went stale, since when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.arrays import Ints
from lacuna.models.backlog.article_care import due_for_verification, unowned_articles
from lacuna.models.diagnosis import findability, rules
from lacuna.models.diagnosis.change_point import Change
from lacuna.models.diagnosis.evidence import Evidence, Verdict
from lacuna.models.text import vectors
from lacuna.models.topics.failure_tree import excess, usual_failure
from lacuna.pipelines.gaps.history import read_past
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.diagnose.agreement import judge_by_agreement
from lacuna.pipelines.steps.diagnose.context import (
    FAILED,
    MIN_FAILED,
    World,
    day_of,
    failed_rows,
    look,
    main_subtopic,
    read_world,
)
from lacuna.pipelines.steps.diagnose.supporting_reasons import beside
from lacuna.pipelines.steps.rank.carry_over import in_hand

ENOUGH_ANSWERS = 3  # agents' answers that tell what two groups have in common


def diagnose(job: Job) -> None:
    """Write diagnose/gaps (one row a gap, unranked) and not_content, and the articles to look after."""
    past = read_past(job)
    world = read_world(job, past.precision)
    demand = job.read("measure/subtopic_demand").set_index("subtopic_id")
    gaps: list[dict[str, Any]] = []
    other, unsigned = [], []
    articles = _incomplete_articles(world) | _stale_articles(world)
    known = {article: row["verdict"] for article, row in articles.items()}
    # Where all failed alike, no subtopic fails more than another: those that need people most are looked at instead.
    candidates = _failing(world, demand) if world.comparable else dict.fromkeys(world.in_demand, np.inf)
    for subtopic, gain in candidates.items():
        rows = failed_rows(world, [subtopic])
        if len(rows) < MIN_FAILED:
            continue
        seen = look(world, [subtopic], rows, known)
        verdict = rules.by_sign(seen, world.limits)
        if verdict is None:
            if gain >= world.limits.hint_evidence:
                unsigned.append({"subtopics": [subtopic], "rows": rows, "excess": gain})
        elif verdict.kind == "not_content":
            other.append(_cluster(world, subtopic, rows, verdict, seen, demand))
        elif verdict.article_id in known and verdict.kind in ("stale", "incomplete"):
            article = articles[verdict.article_id]
            article["rows"] = np.union1d(article["rows"], rows)
        else:
            gaps.append(_gap([subtopic], rows, verdict, seen))
    if world.comparable:
        judged = _judge_by_answers(world, unsigned, known)
    else:
        judged = judge_by_agreement(job, world, unsigned, known)
    gaps += [gap for gap in judged if gap["verdict"].article_id not in known]
    gaps = _by_article(world, gaps, known)
    verdicts: list[Verdict] = [gap["verdict"] for gap in gaps]
    settled = {verdict.article_id for verdict in verdicts if verdict.kind == "contradictory"}
    for article_id, row in articles.items():
        subtopics = main_subtopic(world, row["rows"])
        if subtopics and not (article_id in settled and row["verdict"].kind == "incomplete"):
            gaps.append(_gap(subtopics, row["rows"], row["verdict"], look(world, subtopics, row["rows"], known)))
    told = [_told(world, gap) for gap in gaps]
    told += [_told(world, gap) | {"other_article_id": gap["other"]} for gap in in_hand(past, world, told, known)]
    job.write("diagnose/gaps", pd.DataFrame(told, columns=_GAP_COLUMNS))
    job.write_json("diagnose/not_content", other)
    _look_after(job, world)


def _look_after(job: Job, world: World) -> None:
    """Write the articles that nobody has looked at for long, as of the window's last day, and those of nobody."""
    cited = world.facts.loc[world.facts["in_window"], ["cited_first", "failed"]]
    today, after = pd.Timestamp(job.end_ts), job.settings.verification.after_days
    due = due_for_verification(world.articles, world.checked, cited, today, after)
    job.write("diagnose/due_for_verification", due)
    owners, revisions = job.read("load/owners"), job.read("load/article_revisions")
    job.write("diagnose/unowned_articles", unowned_articles(world.articles, owners, revisions, cited))


_GAP_COLUMNS = [
    "kind", "probability", "subtopics", "article_id", "reasons", "conversation_ids", "nearest", "labels",
    "passages", "change_point", "other_article_id",
]  # fmt: skip


def _failing(world: World, demand: pd.DataFrame) -> dict[str, float]:
    """Subtopics whose answers fail more than elsewhere, with the log-likelihood by which they do, by id."""
    base = usual_failure(world.facts.loc[world.facts["in_window"], "failed"])
    gains = {str(s): excess(row["failed"], max(row["reached"], 1), base) for s, row in demand.iterrows()}
    return {subtopic: gain for subtopic, gain in sorted(gains.items()) if gain > 0}


def _stale_articles(world: World) -> dict[str, dict[str, Any]]:
    """Articles that went stale, wherever their conversations lie, with the rows that failed since, in the window."""
    found = {}
    failed, mined = world.facts["failed"].to_numpy(), world.facts["mined"].to_numpy(dtype=bool)
    for number, (change, rows) in world.changes.items():
        if not rules.went_stale(change, world.limits):
            continue
        since = rows[change.at :]
        since = since[(failed[since] > 0.5) & mined[since]]
        if len(since) < 2:
            continue
        article = world.article_id(number)
        verdict = rules.stale_verdict(article, world.title(number), change, day_of(world, rows[change.at]))
        found[article] = {"rows": np.sort(since), "verdict": verdict}
    return found


def _incomplete_articles(world: World) -> dict[str, dict[str, Any]]:
    """Articles whose answers are tagged as partial more than others', with the window's rows that they failed."""
    facts = world.facts
    tagged = facts[facts["in_window"] & facts["outcome"].notna()]
    partial = tagged["outcome"].eq("partial")
    mined = facts["mined"].to_numpy(dtype=bool) & (facts["failed"].to_numpy() > FAILED)
    found = {}
    for article, own in tagged.groupby("cited_first", sort=True):
        number = world.number(str(article))
        if number is None:
            continue
        counts = int(partial[own.index].sum()), len(own), float(partial.mean())
        verdict = rules.incomplete_verdict(str(article), world.title(number), *counts, world.limits)
        rows = np.flatnonzero(mined & (world.cited == number) & (world.weight > 0.5))
        if verdict and len(rows) >= MIN_FAILED:
            found[str(article)] = {"rows": rows, "verdict": verdict}
    return found


def _gap(subtopics: list[str], rows: Ints, verdict: Verdict, seen: Evidence) -> dict[str, Any]:
    return {"subtopics": subtopics, "rows": rows, "verdict": verdict, "seen": seen}


def _judge_by_answers(world: World, groups: list[dict[str, Any]], known: dict[str, Verdict]) -> list[dict[str, Any]]:
    """The gaps among failing subtopics without a sign of their own, one a piece of work."""
    gaps = []
    for work in _same_work(world, groups):
        seen = look(world, work["subtopics"], work["rows"], known)
        judged = rules.by_answers(seen, world.limits, work["excess"])
        if judged:
            gaps.append(_gap(work["subtopics"], work["rows"], judged, seen))
    return gaps


def _same_work(world: World, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Failing subtopics that ask for the same thing in other words, put together; the largest gives its name."""
    out: list[dict[str, Any]] = []
    for group in sorted(groups, key=lambda g: (-len(g["rows"]), g["subtopics"])):
        alike = [(_likeness(world, group["rows"], other["rows"]), other) for other in out]
        likeness, nearest = max(alike, key=lambda pair: pair[0], default=(0.0, None))
        if nearest is not None and likeness >= world.limits.same_work:
            nearest["subtopics"] = nearest["subtopics"] + group["subtopics"]
            nearest["rows"] = np.union1d(nearest["rows"], group["rows"])
            nearest["excess"] += group["excess"]
        else:
            out.append(group)
    return out


def _likeness(world: World, one: Ints, other: Ints) -> float:
    """How alike two groups of conversations are: in what customers ask and, where agents answered, in the answers."""
    meaning = vectors.group_likeness(world.meanings[one], world.meanings[other])
    said = [rows[findability.has_answer(world.answers[rows])] for rows in (one, other)]
    if min(map(len, said)) < ENOUGH_ANSWERS:
        return meaning
    return (meaning + vectors.group_likeness(*(world.answers[rows] for rows in said))) / 2


def _by_article(world: World, gaps: list[dict[str, Any]], known: dict[str, Verdict]) -> list[dict[str, Any]]:
    """One gap an article and kind: subtopics that fail for the same reason are one piece of work."""
    out: list[dict[str, Any]] = []
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for gap in sorted(gaps, key=lambda g: (-len(g["rows"]), g["subtopics"])):
        verdict = gap["verdict"]
        same = first.setdefault((verdict.kind, verdict.article_id), gap) if verdict.article_id else gap
        if same is gap:
            out.append(gap)
        else:
            same["subtopics"] = same["subtopics"] + gap["subtopics"]
            same["rows"] = np.union1d(same["rows"], gap["rows"])
            # What contradicts what is the verdict's, and may be less clear among more conversations.
            seen = look(world, same["subtopics"], same["rows"], known)
            same["seen"] = replace(seen, conflict=same["seen"].conflict)
    return out


def _told(world: World, gap: dict[str, Any]) -> dict[str, Any]:
    """A gap as a row of plain data."""
    rows, verdict, seen = gap["rows"], gap["verdict"], gap["seen"]
    facts = world.facts.iloc[rows]
    number = world.number(verdict.article_id or "")
    conflict = seen.conflict if verdict.kind == "contradictory" else None
    passages = []
    if conflict:
        passages = [
            {"article_id": conflict.article_id, "passage": conflict.sentence, "evidence": conflict.other_sentence},
            {"article_id": conflict.other_id, "passage": conflict.other_sentence, "evidence": conflict.sentence},
        ]
    changed = world.changes.get(number) if verdict.kind == "stale" and number is not None else None
    change = _change_point(world, *changed) if changed else None
    return {
        "kind": verdict.kind,
        "probability": round(verdict.probability, 3),
        "subtopics": list(gap["subtopics"]),
        "article_id": verdict.article_id,
        "reasons": verdict.reasons + beside(world, verdict, change),
        "conversation_ids": sorted(facts["conversation_id"]),
        "nearest": [
            {"article_id": m.article_id, "title": m.title, "similarity": round(m.similarity, 3)} for m in seen.nearest
        ],
        "labels": int(facts["outcome"].notna().sum()),
        "passages": passages,
        "change_point": change,
        "other_article_id": conflict.other_id if conflict else None,
    }  # fmt: skip


def _change_point(world: World, change: Change, rows: Ints) -> dict[str, Any]:
    """A change as plain data: its day, the days between which it lies, and the failing shares on both sides."""
    low, at, high = (day_of(world, rows[min(i, len(rows) - 1)]) for i in (change.low, change.at, change.high))
    shares = {"before": round(change.before, 3), "after": round(change.after, 3)}
    return {"week": at, "low": low, "high": high} | shares


def _cluster(
    world: World, subtopic: str, rows: Ints, verdict: Verdict, seen: Evidence, demand: pd.DataFrame
) -> dict[str, Any]:
    """A cluster that an article would not mend, as plain data."""
    told = world.subtopics.set_index("subtopic_id").loc[subtopic]
    flow = {name: float(demand[name][subtopic]) for name in ("reached", "failed", "weekly_rate")}
    return {
        "cluster_id": f"n-{subtopic.partition('-')[2]}",
        "topic_id": str(told["topic_id"]),
        "topic_label": str(told["topic_label"]),
        "subtopic_id": subtopic,
        "title": str(told["label"]),
        "reason": verdict.not_content,
        "conversations": len(rows),
        "weekly_rate": round(flow["weekly_rate"], 3),
        "failure_rate": round(flow["failed"] / max(1, flow["reached"]), 3),
        "why": verdict.reasons,
        "examples": list(told["examples"]),
        "true_intent": seen.true_intent if verdict.not_content == rules.ROUTING else None,
        "predicted_intent": seen.predicted_intent if verdict.not_content == rules.ROUTING else None,
    }
