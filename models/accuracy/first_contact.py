"""First-contact resolution: whether the first conversation about a problem was the last one."""

from __future__ import annotations

import numpy as np
import pandas as pd

WITHIN_DAYS = 7  # who comes back later comes with another problem


def first_contact(facts: pd.DataFrame, good: pd.Series, bad: pd.Series) -> pd.Series:
    """Whether the first contact solved each problem: 1 solved, 0 not, NaN not known.

    A problem is one customer's conversations about one topic (where it has none: of one intent), each at most seven
    days after the one before. Its first contact solved it where there is a positive sign, no negative sign, and the
    customer did not come back within seven days. Without any sign, or with too few days since, the result is NaN.

    Parameters
    ----------
    facts
        conversation_id, started_at, customer_id; topic_id and predicted_intent where there are any.
    good, bad
        bool: there is a sign of a solution, or of the contrary.

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
    contacts = facts[["conversation_id", "customer_id", "started_at"]].assign(about=about)
    contacts = contacts[contacts["customer_id"].notna()].sort_values(
        ["customer_id", "about", "started_at", "conversation_id"]
    )
    problem = contacts.groupby(["customer_id", "about"], sort=False)["started_at"]
    span = pd.Timedelta(days=WITHIN_DAYS)
    first = ~(problem.diff() <= span)
    back = -problem.diff(-1) <= span
    watched = contacts["started_at"] + span <= facts["started_at"].max()
    failed, solved = bad[contacts.index] | back, good[contacts.index]
    resolution = pd.Series(np.select([failed, solved], [0.0, 1.0], np.nan), index=contacts.index)
    # Failures show at once, successes only after a week: younger problems would bias the share towards failure.
    out[contacts.index] = resolution.where(first & watched)
    return out
