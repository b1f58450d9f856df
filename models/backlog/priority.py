"""Priority of gaps: the conversations with a person a week that closing a gap would avoid, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.arrays import Flags
from lacuna.models.backlog.gap_kinds import GAP_KINDS

DRAWS = 2000
SCORES = [
    "demand", "p_fail", "p_fixable", "score", "score_low", "score_high", "failure_rate", "failure_low", "failure_high",
]  # fmt: skip
# Prior share of gaps of each kind that an article closes, and its weight in gaps; reviewers' verdicts update it.
FIXABLE = {kind.name: kind.fixable for kind in GAP_KINDS.values()}
FIXABLE_WEIGHT = 12.0


def reach_of(gaps: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """How many conversations of the window each gap concerns, and how many of them failed.

    Parameters
    ----------
    gaps : DataFrame
        subtopics (list of str), article_id (str or null), conversation_ids (list of str), one row a gap.
    facts : DataFrame, by conversation_id
        subtopic_id, cited_first (str or null), in_window (bool), p_failed (float).

    Returns
    -------
    DataFrame, with the gaps' index
        reached (float) and failed (float, chances added up).
    """
    rows = []
    for gap in gaps.to_dict("records"):
        own = facts.index.isin(gap["conversation_ids"])
        reached = own | (facts["in_window"].to_numpy(dtype=bool) & may_fail(gap["subtopics"], gap["article_id"], facts))
        rows.append((float(reached.sum()), float(facts.loc[own, "p_failed"].sum())))
    return pd.DataFrame(rows, columns=["reached", "failed"], index=gaps.index, dtype=float)


def may_fail(subtopics: Sequence[str], article_id: Any, facts: pd.DataFrame) -> Flags:
    """Whether the gap concerns each conversation: it is of the gap's subtopics, or was answered from its article."""
    of_subtopic = facts["subtopic_id"].isin(list(subtopics))
    return (of_subtopic | (facts["cited_first"].notna() & facts["cited_first"].eq(article_id))).to_numpy(dtype=bool)


def mendable(kind: str, judged: Mapping[str, tuple[int, int]]) -> tuple[float, float]:
    """The share of gaps of a kind that an article closes, and its weight in gaps, given reviewers' verdicts.

    The posterior of a Beta prior with mean ``FIXABLE[kind]`` and weight :data:`FIXABLE_WEIGHT`: every gap that
    reviewers judged counts as one of those.

    Examples
    --------
    >>> mendable("missing", {}), mendable("missing", {"missing": (2, 12)})
    ((0.7, 12.0), (0.43333333333333335, 24.0))
    """
    right, of = judged.get(kind, (0, 0))
    weight = FIXABLE_WEIGHT + of
    return FIXABLE[kind] + (right - FIXABLE[kind] * of) / weight, weight


def rank_gaps(
    gaps: pd.DataFrame,
    weeks: float,
    confidence: float,
    seed: int,
    judged: Mapping[str, tuple[int, int]] | None = None,
) -> pd.DataFrame:
    """Score gaps and put them in order.

    score = demand × p_fail × p_fixable, with demand in conversations a week that reach the gap (Gamma posterior of a
    Poisson rate, Jeffreys prior), p_fail the share of them whose answer fails (Beta posterior), p_fixable the chance
    that an article would mend it (Beta around :data:`FIXABLE` and what reviewers judged, see :func:`mendable`, scaled
    by the probability of the verdict). Intervals and rank bands come from joint draws. Each gap has its own random
    stream, so that its draws do not depend on other gaps.

    Parameters
    ----------
    gaps : DataFrame
        gap_id, kind, probability, reached (float, conversations in the window that reach the gap), failed (float).
    weeks : float
        Length of the window.
    judged
        How many gaps of each kind reviewers judged right, and how many they judged.

    Returns
    -------
    DataFrame
        The gaps in order of rank, with rank, demand, p_fail, p_fixable, score, score_low, score_high, rank_low,
        rank_high, failure_rate, failure_low, failure_high.
    """
    gaps = gaps.sort_values("gap_id", kind="stable").reset_index(drop=True)
    low, high = (1 - confidence) / 2, (1 + confidence) / 2
    draws = np.zeros((len(gaps), DRAWS))
    rows = []
    for i, gap in enumerate(gaps.to_dict("records")):
        stream = np.random.default_rng([seed, int.from_bytes(str(gap["gap_id"]).encode(), "big") % 2**63])
        failed, reached = float(gap["failed"]), max(float(gap["reached"]), float(gap["failed"]))
        mean, weight = mendable(str(gap["kind"]), judged or {})
        fixable = mean * float(gap["probability"])
        demand = stream.gamma(reached + 0.5, 1 / weeks, DRAWS)
        fails = stream.beta(failed + 0.5, reached - failed + 0.5, DRAWS)
        mends = stream.beta(max(fixable, 1e-9) * weight, (1 - fixable) * weight, DRAWS)
        draws[i] = demand * fails * mends
        rate = failed / max(reached, 1e-9)
        rows.append(
            {
                "demand": reached / weeks,
                "p_fail": rate,
                "p_fixable": fixable,
                "score": reached / weeks * rate * fixable,
                "score_low": np.quantile(draws[i], low),
                "score_high": np.quantile(draws[i], high),
                "failure_rate": rate,
                "failure_low": min(rate, np.quantile(fails, low)),
                "failure_high": max(rate, np.quantile(fails, high)),
            }
        )
    out = pd.concat([gaps, pd.DataFrame(rows, columns=SCORES)], axis=1)
    out["rank_low"] = out["rank_high"] = 0
    if len(out):
        places = (-draws).argsort(axis=0, kind="stable").argsort(axis=0, kind="stable") + 1
        out["rank_low"] = np.floor(np.quantile(places, low, axis=1)).astype(int)
        out["rank_high"] = np.ceil(np.quantile(places, high, axis=1)).astype(int)
        out["score_low"] = np.minimum(out["score_low"], out["score"])
        out["score_high"] = np.maximum(out["score_high"], out["score"])
    out = out.sort_values(["score", "gap_id"], ascending=[False, True], kind="stable").reset_index(drop=True)
    out["rank"] = np.arange(1, len(out) + 1)
    if len(out):
        out["rank_low"] = np.minimum(out["rank_low"], out["rank"])
        out["rank_high"] = np.maximum(out["rank_high"], out["rank"])
    return out
