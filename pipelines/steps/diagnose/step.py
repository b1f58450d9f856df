"""diagnose: for every subtopic that fails, why; for every article that went stale, since when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.arrays import Ints
from lacuna.models.diagnosis import rules
from lacuna.models.diagnosis.change_point import Change
from lacuna.models.diagnosis.evidence import Evidence, Verdict
from lacuna.models.diagnosis.explanations import joined_reason
from lacuna.models.text import vectors
from lacuna.models.topics.failure_tree import excess, usual_failure
from lacuna.pipelines.gaps.history import read_past
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.diagnose.agreement import judge_by_agreement
from lacuna.pipelines.steps.diagnose.article_care import write_article_care
from lacuna.pipelines.steps.diagnose.context import (
    FAILED,
    MIN_FAILED,
    DiagnosisContext,
    collect_evidence,
    day_of,
    evenly,
    failed_rows,
    is_pattern,
    joined_rows,
    main_language,
    main_subtopic,
    read_context,
)
from lacuna.pipelines.steps.diagnose.judged import judged_subtopics
from lacuna.pipelines.steps.diagnose.needs import Needs
from lacuna.pipelines.steps.diagnose.regroup import join_same_needs, part_needs, say_again, similar_gaps
from lacuna.pipelines.steps.diagnose.supporting_reasons import supporting_reasons
from lacuna.pipelines.steps.rank.carry_over import carry_over, in_progress

MOST_COMPARED = 2000  # conversations of a group that show what it has in common with another
ENOUGH_ANSWERS = 3  # fewer agents' answers than this do not show whether two groups get the same answer


def diagnose(job: Job) -> None:
    """Write diagnose/gaps (one row per gap, unranked), diagnose/not_content, and the tables of articles to care for."""
    past = read_past(job)
    context = read_context(job, past.precision)
    demand = job.read("measure/subtopic_demand").set_index("subtopic_id")
    gaps: list[dict[str, Any]] = []
    not_content, undecided = [], []
    articles = _incomplete_articles(context) | _stale_articles(context)
    article_verdicts = {article: row["verdict"] for article, row in articles.items()}
    # Where all conversations failed alike, no subtopic fails more than others: all in demand are judged.
    candidates = _failing(context, demand) if context.comparable else dict.fromkeys(context.in_demand, np.inf)
    for subtopic, gain in candidates.items():
        rows = failed_rows(context, [subtopic])
        if not is_pattern(context, rows):
            continue
        evidence = collect_evidence(context, [subtopic], rows, article_verdicts)
        verdict = rules.by_sign(evidence, context.limits)
        if verdict is None:
            if gain >= context.limits.hint_evidence:
                undecided.append({"subtopics": [subtopic], "rows": rows, "excess": gain})
        elif verdict.kind == "not_content":
            not_content.append(_cluster(context, subtopic, rows, verdict, evidence, demand))
        elif verdict.article_id in article_verdicts and verdict.kind in ("stale", "incomplete"):
            article = articles[verdict.article_id]
            article["rows"] = np.union1d(article["rows"], rows)
        else:
            gaps.append(_gap([subtopic], rows, verdict, evidence))
    if context.comparable:
        decided = _judge_by_answers(context, undecided, article_verdicts)
    else:
        decided = judge_by_agreement(job, context, undecided, article_verdicts)
    gaps += [gap for gap in decided if gap["verdict"].article_id not in article_verdicts]
    gaps = _by_article(context, gaps, article_verdicts)
    verdicts: list[Verdict] = [gap["verdict"] for gap in gaps]
    settled = {verdict.article_id for verdict in verdicts if verdict.kind == "contradictory"}
    for article_id, row in articles.items():
        subtopics = main_subtopic(context, row["rows"])
        if subtopics and not (article_id in settled and row["verdict"].kind == "incomplete"):
            gaps.append(
                _gap(
                    subtopics,
                    row["rows"],
                    row["verdict"],
                    collect_evidence(context, subtopics, row["rows"], article_verdicts),
                )
            )
    if context.comparable:
        joined = _put_right(job, context, gaps, candidates, in_progress(past), article_verdicts)
        not_content = [cluster for cluster in not_content if cluster["subtopic_id"] not in joined]
    gap_rows = [_gap_row(context, gap) for gap in gaps]
    carried = carry_over(past, context, gap_rows, article_verdicts)
    gap_rows += [_gap_row(context, gap) | {"other_article_id": gap["other"]} for gap in carried]
    gaps += carried
    needs = Needs.of(job, context, [gap["rows"] for gap in gaps])
    for row, similar in zip(gap_rows, similar_gaps(needs, gaps), strict=True):
        row["similar"] = similar
    job.write("diagnose/gaps", pd.DataFrame(gap_rows, columns=_GAP_COLUMNS))
    job.write_json("diagnose/not_content", not_content)
    job.write("diagnose/judged", judged_subtopics(context, demand, gaps, not_content))
    write_article_care(job, context, {row["article_id"] for row in gap_rows if row["kind"] != "unfindable"})


def _put_right(
    job: Job,
    context: DiagnosisContext,
    gaps: list[dict[str, Any]],
    failing: Mapping[str, float],
    held: set[str],
    article_verdicts: dict[str, Verdict],
) -> set[str]:
    """Regroup the gaps, in place, by what is wanted in them; returns the subtopics that joined one."""
    needs = Needs.of(job, context, [*(failed_rows(context, [s]) for s in failing), *(gap["rows"] for gap in gaps)])
    parted = part_needs(needs, context, gaps)
    joined = join_same_needs(needs, context, gaps, failing, parted, held, article_verdicts)
    # What an article's gap let go, and no gap has, is judged for itself.
    in_gaps = joined_rows(gap["rows"] for gap in gaps)
    left = {s: np.setdiff1d(rows, in_gaps) for s, rows in parted.items()}
    alone = [
        {"subtopics": [s], "rows": rows, "excess": failing[s]}
        for s, rows in left.items()
        if len(rows) >= MIN_FAILED and failing.get(s, 0.0) >= context.limits.hint_evidence
    ]
    gaps[:] = _by_article(context, [*gaps, *_judge_by_answers(context, alone, article_verdicts)], article_verdicts)
    return joined


_GAP_COLUMNS = [
    "kind", "probability", "subtopics", "article_id", "reasons", "conversation_ids", "nearest", "n_tagged",
    "passages", "change_point", "other_article_id", "similar",
]  # fmt: skip


def _failing(context: DiagnosisContext, demand: pd.DataFrame) -> dict[str, float]:
    """The log-likelihood ratio of each subtopic that fails more than usual, by subtopic id."""
    base = usual_failure(context.facts.loc[context.facts["in_window"], "p_failed"])
    gains = {str(s): excess(row["failed"], max(row["reached"], 1), base) for s, row in demand.iterrows()}
    return {subtopic: gain for subtopic, gain in sorted(gains.items()) if gain > 0}


def _stale_articles(context: DiagnosisContext) -> dict[str, dict[str, Any]]:
    """The articles that went stale, by id: the verdict, and the rows of the window that failed since."""
    stale = {}
    failed, in_scope = context.facts["p_failed"].to_numpy(), context.facts["in_scope"].to_numpy(dtype=bool)
    for number, (change, rows) in context.changes.items():
        if not rules.went_stale(change, context.limits):
            continue
        since = rows[change.at :]
        since = since[(failed[since] > 0.5) & in_scope[since]]
        if len(since) < 2:
            continue
        article = context.article_id(number)
        verdict = rules.stale_verdict(article, context.title(number), change, day_of(context, rows[change.at]))
        stale[article] = {"rows": np.sort(since), "verdict": verdict}
    return stale


def _incomplete_articles(context: DiagnosisContext) -> dict[str, dict[str, Any]]:
    """Articles tagged as partial more often than others, by id: the verdict, and the window's rows that failed."""
    facts = context.facts
    tagged = facts[facts["in_window"] & facts["outcome"].notna()]
    partial = tagged["outcome"].eq("partial")
    in_scope = facts["in_scope"].to_numpy(dtype=bool) & (facts["p_failed"].to_numpy() > FAILED)
    incomplete = {}
    for article, answers in tagged.groupby("cited_first", sort=True):
        number = context.number(str(article))
        if number is None:
            continue
        counts = int(partial[answers.index].sum()), len(answers), float(partial.mean())
        verdict = rules.incomplete_verdict(str(article), context.title(number), *counts, context.limits)
        rows = np.flatnonzero(in_scope & (context.cited == number) & (context.weight > 0.5))
        if verdict and len(rows) >= MIN_FAILED:
            incomplete[str(article)] = {"rows": rows, "verdict": verdict}
    return incomplete


def _gap(subtopics: list[str], rows: Ints, verdict: Verdict, evidence: Evidence) -> dict[str, Any]:
    return {"subtopics": subtopics, "rows": rows, "verdict": verdict, "evidence": evidence}


def _judge_by_answers(
    context: DiagnosisContext, groups: list[dict[str, Any]], article_verdicts: dict[str, Verdict]
) -> list[dict[str, Any]]:
    """The gaps among failing subtopics without clear signs; what one piece of writing would close is one gap."""
    gaps = []
    for work in _same_work(context, groups):
        evidence = collect_evidence(context, work["subtopics"], work["rows"], article_verdicts)
        verdict = rules.by_answers(evidence, context.limits, work["excess"])
        if verdict:
            gaps.append(_gap(work["subtopics"], work["rows"], verdict, evidence))
    return gaps


def _same_work(context: DiagnosisContext, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Failing subtopics, those that ask for the same in other words merged; the largest comes first in each."""
    merged: list[dict[str, Any]] = []
    for group in sorted(groups, key=lambda g: (-len(g["rows"]), g["subtopics"])):
        likenesses = [(_likeness(context, group["rows"], other["rows"]), other) for other in merged]
        likeness, nearest = max(likenesses, key=lambda pair: pair[0], default=(0.0, None))
        if nearest is not None and likeness >= context.limits.same_work:
            nearest["subtopics"] = nearest["subtopics"] + group["subtopics"]
            nearest["rows"] = np.union1d(nearest["rows"], group["rows"])
            nearest["excess"] += group["excess"]
        else:
            merged.append(group)
    return merged


def _likeness(context: DiagnosisContext, one: Ints, other: Ints) -> float:
    """How alike two groups of conversations are: their questions and, where agents answered, the answers."""
    places = [context.place(evenly(rows, MOST_COMPARED)) for rows in (one, other)]
    scores = context.scores
    meaning = vectors.group_likeness(*(scores.meanings[place] for place in places))
    with_answers = [place[scores.has_answer[place]] for place in places]
    if min(map(len, with_answers)) < ENOUGH_ANSWERS:
        return meaning
    answers = (scores.answers.take(place).dense() for place in with_answers)
    return (meaning + vectors.group_likeness(*answers)) / 2


def _by_article(
    context: DiagnosisContext, gaps: list[dict[str, Any]], article_verdicts: dict[str, Verdict]
) -> list[dict[str, Any]]:
    """Gaps of the same kind about the same article merged into one."""
    merged: list[dict[str, Any]] = []
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for gap in sorted(gaps, key=lambda g: (-len(g["rows"]), g["subtopics"])):
        verdict = gap["verdict"]
        same = first.setdefault((verdict.kind, verdict.article_id), gap) if verdict.article_id else gap
        if same is gap:
            merged.append(gap)
        else:
            same["subtopics"] = same["subtopics"] + gap["subtopics"]
            same["rows"] = np.union1d(same["rows"], gap["rows"])
            say_again(context, same, article_verdicts)
    return merged


def _gap_row(context: DiagnosisContext, gap: dict[str, Any]) -> dict[str, Any]:
    """A row of diagnose/gaps."""
    rows, verdict, evidence = gap["rows"], gap["verdict"], gap["evidence"]
    facts = context.facts.iloc[rows]
    number = context.number(verdict.article_id or "")
    conflict = evidence.conflict if verdict.kind == "contradictory" else None
    passages = []
    if conflict:
        passages = [
            {"article_id": conflict.article_id, "passage": conflict.sentence, "evidence": conflict.other_sentence},
            {"article_id": conflict.other_id, "passage": conflict.other_sentence, "evidence": conflict.sentence},
        ]
    changed = context.changes.get(number) if verdict.kind == "stale" and number is not None else None
    change = _change_point(context, *changed) if changed else None
    return {
        "kind": verdict.kind,
        "probability": round(verdict.probability, 3),
        "subtopics": list(gap["subtopics"]),
        "article_id": verdict.article_id,
        "reasons": [*verdict.reasons, *supporting_reasons(context, verdict, change), *_joined_reason(context, gap)],
        "conversation_ids": sorted(facts["conversation_id"]),
        "nearest": [
            {"article_id": match.article_id, "title": match.title, "similarity": round(match.similarity, 3)}
            for match in evidence.nearest
        ],
        "n_tagged": int(facts["outcome"].notna().sum()),
        "passages": passages,
        "change_point": change,
        "other_article_id": conflict.other_id if conflict else None,
    }  # fmt: skip


def _joined_reason(context: DiagnosisContext, gap: Mapping[str, Any]) -> list[str]:
    """A sentence that says which conversations ask for the same in other words, or in another language."""
    joined = gap.get("joined", [])
    labels = context.subtopics.set_index("subtopic_id")["label"]
    main = main_language(context, gap["rows"])
    groups = [
        (str(labels.get(each.subtopics[0], "")), len(each.rows), "" if each.language == main else each.language)
        for each in joined
    ]
    return [joined_reason(groups)] if groups else []


def _change_point(context: DiagnosisContext, change: Change, rows: Ints) -> dict[str, Any]:
    """A change as plain data: its day, the interval of days around it, and the failing shares before and after."""
    low, at, high = (day_of(context, rows[min(i, len(rows) - 1)]) for i in (change.low, change.at, change.high))
    shares = {"before": round(change.before, 3), "after": round(change.after, 3)}
    return {"week": at, "low": low, "high": high} | shares


def _cluster(
    context: DiagnosisContext, subtopic: str, rows: Ints, verdict: Verdict, evidence: Evidence, demand: pd.DataFrame
) -> dict[str, Any]:
    """A row of diagnose/not_content: a subtopic that an article would not help."""
    subtopic_row = context.subtopics.set_index("subtopic_id").loc[subtopic]
    figures = {name: float(demand[name][subtopic]) for name in ("reached", "failed", "weekly_rate")}
    return {
        "cluster_id": f"n-{subtopic.partition('-')[2]}",
        "topic_id": str(subtopic_row["topic_id"]),
        "topic_label": str(subtopic_row["topic_label"]),
        "subtopic_id": subtopic,
        "title": str(subtopic_row["label"]),
        "reason": verdict.not_content,
        "conversations": len(rows),
        "weekly_rate": round(figures["weekly_rate"], 3),
        "failure_rate": round(figures["failed"] / max(1, figures["reached"]), 3),
        "why": verdict.reasons,
        "examples": list(subtopic_row["examples"]),
        "true_intent": evidence.true_intent if verdict.not_content == rules.ROUTING else None,
        "predicted_intent": evidence.predicted_intent if verdict.not_content == rules.ROUTING else None,
    }
