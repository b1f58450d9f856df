"""How often the bot's answers fail, from few and biased tags."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.float64]

FAILED = {"correct": 0.0, "partial": 0.5, "wrong": 1.0, "no_answer": 1.0, "misclassified": 1.0}
# What is believed before any tag is seen, as (mean, weight in tags): a person took over because the answer did not
# do; a customer who left after a fallback was not answered; silence after an answer is mostly, not surely, success.
PRIOR = {"escalated": (0.85, 8.0), "fallback": (0.85, 8.0), "resolved": (0.05, 8.0), "quiet": (0.2, 8.0)}
TAG_TRUST = 0.94  # taggers disagree in about one of sixteen cases


def stratum(facts: pd.DataFrame) -> pd.Series:
    """Which of the four situations of :data:`PRIOR` each conversation is in (str)."""
    escalated = facts["escalated"].fillna(False).astype(bool)
    fallback = facts["fallbacks"].gt(0) & (facts["cited_first"].isna())
    happy = facts["csat"].ge(4)
    return pd.Series(
        np.select([escalated, fallback, happy], ["escalated", "fallback", "resolved"], "quiet"), index=facts.index
    )


def failure_chance(facts: pd.DataFrame) -> pd.Series:
    """The chance that each conversation's answer failed, 0 to 1.

    A tagged conversation is taken at its tag, softened by the taggers' own error. An untagged one gets the failing
    share of the tagged ones in its situation, shrunk to a prior; tags by feedback are left out of that share, because
    people who complain are not a sample of anything.

    Parameters
    ----------
    facts : DataFrame
        escalated, fallbacks, cited_first, csat, outcome, sample.
    """
    where, tagged = stratum(facts), facts["outcome"].map(FAILED).astype(float)
    usable = tagged.notna() & ~facts["sample"].eq("feedback")
    chance = pd.Series(np.nan, index=facts.index)
    for name, (mean, weight) in PRIOR.items():
        here = where.eq(name)
        seen = tagged[here & usable]
        chance[here] = (seen.sum() + mean * weight) / (len(seen) + weight)
    known = (1 - TAG_TRUST) + (2 * TAG_TRUST - 1) * tagged
    return known.where(tagged.notna(), chance).astype(float)


def on_topic(features: pd.DataFrame, success: Floats) -> tuple[Floats, float]:
    """How likely the article that the bot cited is the one the question is about.

    Nobody labels that, but success follows from it: where the article is the right one, the answer mostly works, and
    elsewhere it works about as often as luck has it. So success is regressed on how question and article match, out
    of fold, and the fitted chance is read on a scale from luck to certainty.

    Parameters
    ----------
    features : DataFrame (n, k), no nulls
    success : float (n,), 1 − chance of failure

    Returns
    -------
    weight : float (n,), 0.02 to 0.98
    off_topic_failure : float, share of answers that fail where the article is another one
    """
    worked = success > 0.5
    n = len(worked)
    if n < 60 or min(worked.sum(), n - worked.sum()) < 20:
        return np.full(n, 0.7), 0.7
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=1000))
    fitted = cross_val_predict(model, features.to_numpy(), worked, cv=KFold(5), method="predict_proba")[:, 1]
    luck = float(np.clip(np.quantile(fitted, 0.05), 0.05, 0.6))
    return np.clip((fitted - luck) / (0.95 - luck), 0.02, 0.98), 1 - luck
