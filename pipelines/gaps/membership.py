"""Which conversations are in a gap where people say so: taken out and added from the next run on."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from lacuna.data_contracts.errors import DecisionInvalid
from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.lifecycle import GapState
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.published import read_published
from lacuna.pipelines.presentation.format import plural
from lacuna.pipelines.presentation.spreadsheet import records

__all__ = ["check_membership", "pending", "with_membership"]


def with_membership(gaps: pd.DataFrame, lives: Mapping[str, GapState], facts: pd.DataFrame) -> pd.DataFrame:
    """The gaps without the conversations that people took out, and with those that they added.

    What is added leaves the gaps that it was found in, unless it was added to them too. A gap of which nothing is left
    is left out.

    Parameters
    ----------
    gaps : DataFrame
        gap_id, conversation_ids, n_tagged.
    lives
        By gap_id.
    facts : DataFrame, by conversation_id
        in_window (bool), outcome (str or null). What is not in the window can't be in a gap.
    """
    edited = {gap: life for gap, life in lives.items() if life.excluded or life.included}
    if not edited:
        return gaps
    inside = set(facts.index[facts["in_window"].to_numpy(dtype=bool)])
    moved = {gap: life.included & inside for gap, life in edited.items() if gap in set(gaps["gap_id"])}
    elsewhere = {conversation: gap for gap, added in sorted(moved.items()) for conversation in added}
    rows = []
    for row in records(gaps):
        gap, before = str(row["gap_id"]), list(row["conversation_ids"])
        added = moved.get(gap, frozenset())
        out = edited[gap].excluded if gap in edited else frozenset()
        left = [each for each in before if each in added or (each not in out and each not in elsewhere)]
        after = sorted({*left, *added})
        if after != sorted(before):
            row["conversation_ids"], row["n_tagged"] = after, int(facts.loc[after, "outcome"].notna().sum())
        if after:
            rows.append(row)
    return pd.DataFrame(rows, columns=gaps.columns).astype({name: gaps[name].dtype for name in gaps.columns})


def check_membership(run: StorePath, gap: Gap, action: str, conversation: str) -> None:
    """Check that a conversation can be taken out of a gap of the latest run, or added to it.

    Raises
    ------
    DecisionInvalid
        It is not in the gap, or in it already, or the run has no such conversation in its window.
    """
    here = conversation in gap.conversation_ids
    if action == "exclude" and not here:
        raise DecisionInvalid(
            f"conversation '{conversation}' is not in gap {gap.gap_id}", "name one of its conversations", "conversation"
        )
    if action == "include" and here:
        raise DecisionInvalid(
            f"conversation '{conversation}' is in gap {gap.gap_id} already", "there is nothing to add", "conversation"
        )
    if action == "include":
        known = read_published(run, "assignments")
        if not len(known) or conversation not in set(known["conversation_id"]):
            raise DecisionInvalid(
                f"the latest run has no conversation '{conversation}' in its window",
                "give a conversation_id of assignments.parquet of the run", "conversation",
            )  # fmt: skip


def pending(gap: Gap, life: GapState) -> str:
    """What people said of the gap's conversations since its run, in a sentence; empty where the run knew it all."""
    out, added = life.excluded & set(gap.conversation_ids), life.included - set(gap.conversation_ids)
    parts = [f"{plural(len(out), 'conversation')} taken out"] if out else []
    parts += [f"{plural(len(added), 'conversation')} added"] if added else []
    return f"From the next run on: {' and '.join(parts)}." if parts else ""
