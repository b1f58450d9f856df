"""Gaps put right by what is wanted in them: what differs leaves a gap, a few more of the same join one.

Subtopics keep apart what is asked in other words, too seldom to be a pattern, or in another language; and an article's
gap holds whatever was answered from the article. Here groups are compared by questions and agents' answers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lacuna.models.arrays import Ints
from lacuna.models.diagnosis import rules, same_need
from lacuna.models.diagnosis.evidence import Verdict
from lacuna.pipelines.steps.diagnose.context import (
    MIN_FAILED,
    DiagnosisContext,
    collect_evidence,
    failed_rows,
    joined_rows,
    main_language,
    main_subtopic,
)
from lacuna.pipelines.steps.diagnose.needs import Needs

__all__ = ["Joined", "join_same_needs", "part_needs", "say_again", "similar_gaps"]

FEWEST = 2  # conversations of a group that is compared
MOST_SIMILAR = 3  # gaps that are named beside a gap
Gap = dict[str, Any]


@dataclass(frozen=True)
class Joined:
    """Conversations that joined a gap: the subtopics that they were found in, their rows, and their language."""

    subtopics: list[str]
    rows: Ints
    language: str


def part_needs(needs: Needs, context: DiagnosisContext, gaps: Sequence[Gap]) -> dict[str, Ints]:
    """Take out of each gap about an article the groups that want something else than the rest of it.

    A group is what a gap holds of one subtopic. It wants something else where it is clearly more like another gap, or
    where agents answer it differently. The clearest leaves first, since what is left is compared anew without it.

    Parameters
    ----------
    gaps
        subtopics, rows and verdict; changed in place.

    Returns
    -------
    dict
        The rows taken out, by subtopic.
    """
    subtopic = context.facts["subtopic_id"].fillna("").to_numpy(dtype=object)
    parted: dict[str, list[Ints]] = {}
    for gap in gaps:
        if gap["verdict"].article_id is None:
            continue
        groups = {s: gap["rows"][subtopic[gap["rows"]] == s] for s in sorted(set(subtopic[gap["rows"]]) - {""})}
        groups = {s: rows for s, rows in groups.items() if len(rows) >= FEWEST}
        others = [other for other in gaps if other is not gap]
        elsewhere = {
            s: max((needs.likeness(rows, other["rows"]).mean for other in others), default=0.0)
            for s, rows in groups.items()
        }
        while True:
            leaving = _leaving(needs, gap["rows"], groups, elsewhere)
            if leaving is None:
                break
            rows = groups.pop(leaving)
            gap["rows"] = np.setdiff1d(gap["rows"], rows)
            parted.setdefault(leaving, []).append(rows)
            gap["subtopics"] = [s for s in gap["subtopics"] if s != leaving] or main_subtopic(context, gap["rows"])
    return {own: joined_rows(rows) for own, rows in sorted(parted.items())}


def _leaving(needs: Needs, rows: Ints, groups: Mapping[str, Ints], elsewhere: Mapping[str, float]) -> str | None:
    """The group that least belongs to a gap's conversations, if one does not."""
    leaving, most = None, -2.0
    for own, group in groups.items():
        rest = np.setdiff1d(rows, group)
        # What is left must stay the larger part: it is what the verdict is about.
        if len(rest) < len(group) + FEWEST:
            continue
        inside = needs.likeness(group, rest)
        farther = elsewhere[own] - inside.mean
        if (same_need.is_another_need(inside) or same_need.belongs_to(elsewhere[own], inside)) and farther > most:
            leaving, most = own, farther
    return leaving


def join_same_needs(
    needs: Needs,
    context: DiagnosisContext,
    gaps: list[Gap],
    failing: Collection[str],
    parted: Collection[str],
    held: Collection[str],
    article_verdicts: dict[str, Verdict],
) -> set[str]:
    """Add to each gap what wants the same: smaller gaps, and failing subtopics that are in no gap.

    Parameters
    ----------
    gaps
        subtopics, rows, verdict and evidence; changed in place.
    failing, parted, held
        The subtopics that fail more than usual, those that a gap let go, and those of gaps that people work on, which
        stay where they are.

    Returns
    -------
    set of str
        The subtopics that joined.
    """
    in_gaps = joined_rows(gap["rows"] for gap in gaps)
    additions: dict[int, tuple[Gap, list[Joined]]] = {}

    def add(gap: Gap, subtopics: list[str], rows: Ints) -> None:
        additions.setdefault(id(gap), (gap, []))[1].append(Joined(subtopics, rows, main_language(context, rows)))

    for gap in sorted(gaps, key=lambda gap: (len(gap["rows"]), gap["subtopics"])):
        others = [other for other in gaps if other is not gap]
        target = None if id(gap) in additions or set(gap["subtopics"]) & set(held) else _same_work(needs, gap, others)
        if target is not None:
            add(target, gap["subtopics"], gap["rows"])
            gaps[:] = others
    for subtopic in sorted({*failing, *parted} - set(held)):
        rows = np.setdiff1d(failed_rows(context, [subtopic]), in_gaps)
        place = (
            same_need.same_need([needs.likeness(rows, gap["rows"]) for gap in gaps]) if len(rows) >= FEWEST else None
        )
        if place is None:
            continue
        joined = sum(len(group.rows) for group in additions.get(id(gaps[place]), (None, []))[1])
        if subtopic in parted or _is_few(context, rows, gaps[place], joined):
            add(gaps[place], [subtopic], rows)
    for gap, groups in additions.values():
        gap["joined"] = groups
        gap["subtopics"] = list(dict.fromkeys([*gap["subtopics"], *(s for group in groups for s in group.subtopics)]))
        gap["rows"] = joined_rows([gap["rows"], *(group.rows for group in groups)])
        say_again(context, gap, article_verdicts)
    return {s for _, groups in additions.values() for group in groups for s in group.subtopics}


def _same_work(needs: Needs, gap: Gap, others: Sequence[Gap]) -> Gap | None:
    """The larger gap that the gap of a missing article is part of, where both want the same; None for any other gap.

    It is part of one that is twice as large, or of a missing one to which agents give the same answer. What is wrong
    with an article stays a gap of its own, whatever else wants the same: its verdict rests on more than its questions.
    """
    if gap["verdict"].kind != "missing":
        return None
    found = [needs.likeness(gap["rows"], other["rows"]) for other in others]
    place = same_need.same_need(found)
    if place is None:
        return None
    target, size = others[place], len(gap["rows"])
    same_answer = target["verdict"].kind == "missing" and same_need.same_answer(found[place])
    return target if size <= (1.0 if same_answer else same_need.FEW) * len(target["rows"]) else None


def _is_few(context: DiagnosisContext, rows: Ints, gap: Gap, joined: int) -> bool:
    """Whether a subtopic is a few more of a gap's conversations, so that it need not be judged for itself.

    It is small beside the gap and what joined it already, and too small to be judged, or in another language.
    """
    few = len(rows) + joined <= same_need.FEW * len(gap["rows"])
    return few and (len(rows) < MIN_FAILED or main_language(context, rows) != main_language(context, gap["rows"]))


def say_again(context: DiagnosisContext, gap: Gap, article_verdicts: dict[str, Verdict]) -> None:
    """Collect the evidence of a gap that has grown anew, and rewrite its reasons; changed in place."""
    evidence = collect_evidence(context, gap["subtopics"], gap["rows"], article_verdicts)
    gap["verdict"] = rules.said_again(gap["verdict"], evidence, context.limits)
    # The verdict names the contradiction; among more conversations another one might come first.
    gap["evidence"] = replace(evidence, conflict=gap["evidence"].conflict)


def similar_gaps(needs: Needs, gaps: Sequence[Gap]) -> list[list[dict[str, Any]]]:
    """For each gap, the others that may be the same work, the most alike first; at most three.

    Returns
    -------
    list of list of dict
        gap (its place in ``gaps``), likeness (float, 0 to 1; of the questions and answers) and why: ``same_article``,
        ``same_answers`` or ``same_questions``.
    """
    pairs: dict[int, list[dict[str, Any]]] = {}
    for one in range(len(gaps)):
        for other in range(one):
            rows = sorted((gaps[one]["rows"], gaps[other]["rows"]), key=len)
            found = needs.likeness(*rows)
            why = _why_similar(gaps[one], gaps[other], found)
            if why:
                for a, b in ((one, other), (other, one)):
                    pairs.setdefault(a, []).append({"gap": b, "likeness": round(max(0.0, found.mean), 3), "why": why})
    return [
        sorted(pairs.get(i, []), key=lambda pair: (pair["why"] != "same_article", -pair["likeness"], pair["gap"]))[
            :MOST_SIMILAR
        ]
        for i in range(len(gaps))
    ]


def _why_similar(one: Gap, other: Gap, found: same_need.Likeness) -> str:
    articles = [_articles(gap) for gap in (one, other)]
    if articles[0] & articles[1]:
        return "same_article"
    if found.mean < same_need.SAME:
        return ""
    return "same_answers" if (found.answers or 0.0) >= same_need.MUCH_THE_SAME else "same_questions"


def _articles(gap: Gap) -> set[str]:
    """The articles that work on the gap would change."""
    conflict = gap["evidence"].conflict if gap["verdict"].kind == "contradictory" else None
    named = {gap["verdict"].article_id, conflict.other_id if conflict else None}
    return {article for article in named if article}
