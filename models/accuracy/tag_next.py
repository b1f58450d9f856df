"""Which conversations to tag next: those whose tags would most change the backlog."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit

from lacuna.models.accuracy.priors import failure_given_tag
from lacuna.models.topics.failure_tree import excess, usual_failure


def tag_next(facts: pd.DataFrame, evidence_needed: float, weeks: float, count: int = 20) -> pd.DataFrame:
    """The untagged conversations whose tags are expected to move the backlog most, best first.

    A subtopic's share in the backlog is its failing conversations a week times its chance of being a gap: the logistic
    of the log-likelihood ratio of its failure rate, less the evidence needed. A tag changes the chance of failure of
    one conversation. Its worth is the expected change of the subtopic's share over both outcomes of the tag (expected
    value of sample information; Howard 1966). Within a subtopic, worth is divided by rank, since further tags tell
    much the same.

    Parameters
    ----------
    facts : DataFrame
        conversation_id, subtopic_id (str or null), in_window (bool), p_failed (float), outcome (str or null),
        customer_id (str or null).
    evidence_needed : float
        Log-likelihood ratio from which on a subtopic counts as failing.
    weeks : float
        Length of the window.
    count : int
        How many to name.

    Returns
    -------
    DataFrame
        conversation_id, subtopic_id, chance (float, that its answer failed), worth (float, conversations a week by
        which the tag is expected to move its subtopic in the backlog); at most one a customer.
    """
    columns = ["conversation_id", "subtopic_id", "p_failed", "outcome", "customer_id"]
    window = facts.loc[facts["in_window"], columns]
    base = usual_failure(window["p_failed"])
    open_ = window[window["outcome"].isna() & window["subtopic_id"].notna()].sort_values("conversation_id")
    size = window.groupby("subtopic_id")["p_failed"].agg(["size", "sum"])
    chance, worth = open_["p_failed"].to_numpy(dtype=float), np.zeros(len(open_))
    for subtopic, rows in open_.groupby("subtopic_id", sort=True).indices.items():
        n, bad = float(size["size"][str(subtopic)]), float(size["sum"][str(subtopic)])
        now = _in_backlog(bad, n, base, evidence_needed)
        # Many conversations of a subtopic have the same chance.
        chances, of_row = np.unique(chance[rows], return_inverse=True)
        expected = np.zeros(len(chances))
        for tag in (0.0, 1.0):
            likely, then = failure_given_tag(chances, tag)
            moved = [abs(_in_backlog(bad + change, n, base, evidence_needed) - now) for change in then - chances]
            expected += likely * np.array(moved)
        order = np.argsort(-expected[of_row], kind="stable")
        worth[rows[order]] = expected[of_row][order] / np.arange(1, len(rows) + 1)
    candidates = open_[["conversation_id", "subtopic_id", "customer_id"]].assign(chance=chance, worth=worth / weeks)
    candidates = candidates.sort_values(["worth", "conversation_id"], ascending=[False, True], kind="stable")
    who = candidates["customer_id"]
    candidates = candidates[who.isna() | ~who.duplicated()].head(count)
    return candidates[["conversation_id", "subtopic_id", "chance", "worth"]].reset_index(drop=True)


def _in_backlog(bad: float, size: float, base: float, needed: float) -> float:
    return bad * float(expit(excess(bad, size, base) - needed))
