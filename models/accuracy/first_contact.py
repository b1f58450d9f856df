"""First-contact resolution: whether the first conversation about a problem was the last one."""

from __future__ import annotations

import numpy as np
import pandas as pd

WITHIN_DAYS = 7  # who comes back later comes with another problem


def first_contact(facts: pd.DataFrame, good: pd.Series, bad: pd.Series) -> pd.Series:
    """What became of each problem at its first contact: 1 solved, 0 not, NaN not known.

    A problem is one customer's conversations about one topic (where it has none: of one intent), each at most seven
    days after the one before. Its first contact solved it where something says so, nothing says the contrary, and the
    customer did not come back within seven days. Silence is not known, and so is what is too recent to tell.

    Parameters
    ----------
    facts
        conversation_id, started_at, customer_id; topic_id and predicted_intent where there are any.
    good, bad
        bool: something speaks for a solution, or against it.

    Returns
    -------
    Series of float
        On the index of ``facts``; NaN for conversations that are no first contact or have no customer.
    """
    out = pd.Series(np.nan, index=facts.index)
    if not {"customer_id", "started_at"} <= set(facts.columns):
        return out
    about = pd.Series("", index=facts.index, dtype="str")
    for name in ("predicted_intent", "topic_id"):
        if name in facts:
            about = facts[name].astype("str").fillna(about)
    known = facts[["conversation_id", "customer_id", "started_at"]].assign(about=about)
    known = known[known["customer_id"].notna()].sort_values(["customer_id", "about", "started_at", "conversation_id"])
    problem = known.groupby(["customer_id", "about"], sort=False)["started_at"]
    span = pd.Timedelta(days=WITHIN_DAYS)
    first = ~(problem.diff() <= span)
    back = -problem.diff(-1) <= span
    watched = known["started_at"] + span <= facts["started_at"].max()
    failed, solved = bad[known.index] | back, good[known.index]
    told = pd.Series(np.select([failed, solved], [0.0, 1.0], np.nan), index=known.index)
    # Failures show at once and successes a week later: what is not a week old would tell of failures alone.
    out[known.index] = told.where(first & watched)
    return out
