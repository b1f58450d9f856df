"""What people decided about gaps, where it says more than a run: what they are at work on stays, and mergers hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.arrays import Ints
from lacuna.models.backlog.lifecycle import IN_PROGRESS, Life
from lacuna.models.backlog.priority import may_fail
from lacuna.models.diagnosis.evidence import Verdict
from lacuna.pipelines.gaps.history import Past
from lacuna.pipelines.gaps.ids import gap_ids, moves, subtopics_since
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.steps.diagnose.context import FAILED, World, failed_rows, look, main_subtopic

__all__ = ["in_hand", "with_merged"]

AS_SURE = 0.5  # that a gap is one, where people said so and the run would not have


def in_hand(
    past: Past, world: World, found: Sequence[Mapping[str, Any]], known: dict[str, Verdict]
) -> list[dict[str, Any]]:
    """The gaps that somebody is at work on and that the run did not find, with what it sees of them.

    Else accepted work would be gone from board, drafts and digest as soon as an answer fails a little less, or other
    people's verdicts ask more evidence of its kind. What nobody asks any more, no run can show.

    Parameters
    ----------
    found
        The gaps that the run did find: kind, article_id, other_article_id, subtopics.
    known
        Verdicts on articles.

    Returns
    -------
    list of dict
        subtopics, rows, verdict, seen and other (the other article of a contradiction), as the diagnosis makes them.
    """
    working = {gap: life for gap, life in past.lives.items() if life.status in IN_PROGRESS}
    if not working:
        return []
    there = set(gap_ids(found, list(past.before.values()), past.events, past.run_id, past.previous))
    told = {**past.replaced, **past.before}
    gaps = [_held(world, told[gap], working[gap], past, known) for gap in sorted(set(working) & set(told) - there)]
    return [gap for gap in gaps if gap is not None]


def _held(
    world: World, row: Mapping[str, Any], life: Life, past: Past, known: dict[str, Verdict]
) -> dict[str, Any] | None:
    article = row["article_id"] if isinstance(row["article_id"], str) else None
    kind, number = str(row["kind"]), world.number(article) if article else None
    if article and number is None:
        return None  # it is not there any more: nobody can mend it
    subtopics = _subtopics(world, row, past)
    if number is None or kind == "unfindable":
        rows = failed_rows(world, subtopics)
    else:
        facts = world.facts
        rows = np.flatnonzero(facts["mined"] & facts["failed"].gt(FAILED) & (world.cited == number))
    subtopics = subtopics or main_subtopic(world, rows)
    if not len(rows) or not subtopics:
        return None
    verdict = Verdict(kind, article, AS_SURE, [_why(world, subtopics, article, rows, life)])
    other = row.get("other_article_id")
    return {
        "subtopics": subtopics, "rows": rows, "verdict": verdict, "seen": look(world, subtopics, rows, known),
        "other": other if isinstance(other, str) else None,
    }  # fmt: skip


def _subtopics(world: World, row: Mapping[str, Any], past: Past) -> list[str]:
    """The gap's subtopics that are still there, and those that came of the others."""
    here = set(world.subtopics["subtopic_id"].astype(str))
    own, later = subtopics_since(row, moves(past.events))
    return [each for each in own if each in here] + sorted(later & here)


def _why(world: World, subtopics: Sequence[str], article: str | None, rows: Ints, life: Life) -> str:
    reached = int((world.facts["in_window"] & may_fail(subtopics, article, world.facts)).sum())
    return (
        f"somebody is at work on it (on the view of {life.run_id}); this run alone would not have named it: "
        f"{len(rows)} of {max(reached, len(rows))} conversations failed"
    )


def with_merged(gaps: pd.DataFrame, lives: Mapping[str, Life], facts: pd.DataFrame) -> pd.DataFrame:
    """The gaps with the conversations and subtopics of those that people merged into them.

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
    for part in sorted(rows):
        whole = rows.get(str(lives.get(part, Life()).merged_into))
        if whole is not None:
            ids = {*whole["conversation_ids"], *rows[part]["conversation_ids"]}
            whole["conversation_ids"] = sorted(ids)
            whole["subtopics"] = list(dict.fromkeys([*whole["subtopics"], *rows[part]["subtopics"]]))
            whole["labels"] = int(facts.loc[whole["conversation_ids"], "outcome"].notna().sum())
    return pd.DataFrame(list(rows.values()), index=gaps.index, columns=gaps.columns)
