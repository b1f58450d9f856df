"""People's decisions that override a run: gaps that somebody works on stay in the backlog, and mergers hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.arrays import Ints
from lacuna.models.backlog.lifecycle import IN_PROGRESS, GapState
from lacuna.models.backlog.priority import may_fail
from lacuna.models.diagnosis.evidence import Verdict
from lacuna.pipelines.gaps.history import Past
from lacuna.pipelines.gaps.ids import gap_ids, moves, subtopics_since
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.steps.diagnose.context import (
    FAILED,
    DiagnosisContext,
    collect_evidence,
    failed_rows,
    main_subtopic,
)

__all__ = ["carry_over", "in_progress", "with_merged"]

CARRIED_PROBABILITY = 0.5  # of a gap that people accepted and that this run alone would not have reported


def carry_over(
    past: Past,
    context: DiagnosisContext,
    gaps_of_run: Sequence[Mapping[str, Any]],
    article_verdicts: dict[str, Verdict],
) -> list[dict[str, Any]]:
    """The gaps that somebody works on and that this run did not find, with the run's evidence on them.

    Otherwise accepted work would vanish from board, drafts and digest as soon as answers fail a little less often, or
    its kind needs more evidence because reviewers refused others. A gap that nobody asks about any more is left out.

    Parameters
    ----------
    gaps_of_run
        The gaps that the run found: kind, article_id, other_article_id, subtopics.
    article_verdicts
        Verdicts reached already, by article id.

    Returns
    -------
    list of dict
        subtopics, rows, verdict, evidence and other (the other article of a contradiction), as in the diagnosis.
    """
    in_progress = {gap: life for gap, life in past.lives.items() if life.status in IN_PROGRESS}
    if not in_progress:
        return []
    ids_of_run = set(gap_ids(gaps_of_run, list(past.before.values()), past.events, past.run_id, past.previous))
    last_rows = {**past.replaced, **past.before}
    carried = [
        _carried_gap(context, last_rows[gap], in_progress[gap], past, article_verdicts)
        for gap in sorted(set(in_progress) & set(last_rows) - ids_of_run)
    ]
    return [gap for gap in carried if gap is not None]


def in_progress(past: Past) -> set[str]:
    """The subtopics of the gaps that somebody works on."""
    last_rows = {**past.replaced, **past.before}
    rows = [last_rows[gap] for gap, life in past.lives.items() if life.status in IN_PROGRESS and gap in last_rows]
    all_moves = moves(past.events)
    return {subtopic for row in rows for group in subtopics_since(row, all_moves) for subtopic in group}


def _carried_gap(
    context: DiagnosisContext, row: Mapping[str, Any], life: GapState, past: Past, article_verdicts: dict[str, Verdict]
) -> dict[str, Any] | None:
    article = row["article_id"] if isinstance(row["article_id"], str) else None
    kind, number = str(row["kind"]), context.number(article) if article else None
    if article and number is None:
        return None  # the article was removed: there is nothing to repair
    subtopics = _subtopics(context, row, past)
    if number is None or kind == "unfindable":
        rows = failed_rows(context, subtopics)
    else:
        facts = context.facts
        rows = np.flatnonzero(facts["in_scope"] & facts["p_failed"].gt(FAILED) & (context.cited == number))
    subtopics = subtopics or main_subtopic(context, rows)
    if not len(rows) or not subtopics:
        return None
    verdict = Verdict(kind, article, CARRIED_PROBABILITY, [_why(context, subtopics, article, rows, life)])
    other = row.get("other_article_id")
    return {
        "subtopics": subtopics, "rows": rows, "verdict": verdict,
        "evidence": collect_evidence(context, subtopics, rows, article_verdicts),
        "other": other if isinstance(other, str) else None,
    }  # fmt: skip


def _subtopics(context: DiagnosisContext, row: Mapping[str, Any], past: Past) -> list[str]:
    """The gap's subtopics that still exist, and the successors of the others."""
    current = set(context.subtopics["subtopic_id"].astype(str))
    subtopics, successors = subtopics_since(row, moves(past.events))
    return [each for each in subtopics if each in current] + sorted(successors & current)


def _why(context: DiagnosisContext, subtopics: Sequence[str], article: str | None, rows: Ints, life: GapState) -> str:
    reached = int((context.facts["in_window"] & may_fail(subtopics, article, context.facts)).sum())
    return (
        f"somebody is at work on it (on the view of {life.run_id}); this run alone would not have named it: "
        f"{len(rows)} of {max(reached, len(rows))} conversations failed"
    )


def with_merged(gaps: pd.DataFrame, lives: Mapping[str, GapState], facts: pd.DataFrame) -> pd.DataFrame:
    """The gaps, each with the conversations and subtopics of the gaps that people merged into it.

    Parameters
    ----------
    gaps : DataFrame
        gap_id, subtopics, conversation_ids, labels.
    lives
        Each merged gap pointing to the gap at the end (:func:`models.backlog.lifecycle.last_targets`).
    facts : DataFrame, by conversation_id
        outcome (str or null).
    """
    rows = {str(gap["gap_id"]): gap for gap in records(gaps)}
    for merged in sorted(rows):
        target = rows.get(str(lives.get(merged, GapState()).merged_into))
        if target is not None:
            ids = {*target["conversation_ids"], *rows[merged]["conversation_ids"]}
            target["conversation_ids"] = sorted(ids)
            target["subtopics"] = list(dict.fromkeys([*target["subtopics"], *rows[merged]["subtopics"]]))
            target["n_tagged"] = int(facts.loc[target["conversation_ids"], "outcome"].notna().sum())
    return pd.DataFrame(list(rows.values()), index=gaps.index, columns=gaps.columns)
