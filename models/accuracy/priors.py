"""How often the bot's answers fail, from few and biased tags."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lacuna.models.arrays import F64

FAILED = {"correct": 0.0, "partial": 0.5, "wrong": 1.0, "no_answer": 1.0, "misclassified": 1.0}
# The prior of each situation, as (failing share, weight in tags). A person may have taken over because the answer
# failed, or for another reason; silence after an answer mostly means success, but not surely.
SITUATIONS = {
    "no answer": (0.97, 8.0),
    "escalated, content": (0.5, 4.0),
    "escalated": (0.85, 8.0),
    "content": (0.05, 8.0),
    "discontent": (0.6, 4.0),
    "quiet": (0.2, 8.0),
}
HEALTHY_SHARE, HEALTHY_LEAST = 0.05, 10  # least share and number of successful answers to compare failing ones with
TAG_TRUST = 0.94  # taggers disagree in about one of sixteen cases


def situation(facts: pd.DataFrame) -> pd.Series:
    """The situation of each conversation (str): the first of :data:`SITUATIONS` that holds."""
    escalated = facts["escalated"].fillna(False).astype(bool)
    nothing = facts["fallbacks"].gt(0) & facts["cited_first"].isna()
    content, discontent = facts["csat"].ge(4), facts["csat"].le(2)
    holds = [nothing, escalated & content, escalated, content, discontent]
    return pd.Series(np.select(holds, list(SITUATIONS)[:-1], "quiet"), index=facts.index)


def has_healthy_rest(facts: pd.DataFrame) -> bool:
    """Whether there are enough successful answers to compare failing ones with.

    An export of tickets, or of escalated conversations alone, holds none.

    Parameters
    ----------
    facts : DataFrame
        answered, escalated (bool), outcome (str or null), one row a conversation of the window.
    """
    did = (facts["answered"] & ~facts["escalated"].fillna(False).astype(bool)) | facts["outcome"].eq("correct")
    return bool(did.sum() >= max(HEALTHY_LEAST, HEALTHY_SHARE * len(facts)))


def failure_chance(facts: pd.DataFrame) -> pd.Series:
    """The chance that each conversation's answer failed, 0 to 1.

    The failing share of each situation is estimated from its tags, corrected for the taggers' own error (Rogan and
    Gladen 1978) and shrunk to a prior; customers' feedback is left out, because it is a biased sample. A tag on the
    conversation itself is then combined with that share by Bayes' rule.

    Parameters
    ----------
    facts : DataFrame
        escalated, fallbacks, cited_first, csat, outcome, sample.

    Examples
    --------
    >>> import pandas as pd
    >>> columns = {"escalated": [False, True], "fallbacks": 0, "cited_first": "kb-1", "csat": [5.0, None]}
    >>> failure_chance(pd.DataFrame(columns | {"outcome": [None, "wrong"], "sample": None})).round(2).tolist()
    [0.05, 0.99]
    """
    where, tagged = situation(facts), facts["outcome"].map(FAILED).astype(float)
    usable = tagged.notna() & ~facts["sample"].eq("feedback")
    chance = pd.Series(np.nan, index=facts.index)
    for name, (mean, weight) in SITUATIONS.items():
        here = where.eq(name)
        tags = tagged[here & usable]
        cleared = np.clip((tags.sum() - (1 - TAG_TRUST) * len(tags)) / (2 * TAG_TRUST - 1), 0, len(tags))
        chance[here] = (cleared + mean * weight) / (len(tags) + weight)
    chance = chance.clip(0.01, 0.99)
    p_failed = failure_given_tag(chance, tagged)[1]
    # A partial answer succeeded by half at best; where the customer went on to a person all the same, it failed.
    p_failed = p_failed.where(tagged != 0.5, chance.clip(lower=0.5))
    return p_failed.where(tagged.notna(), chance).astype(float)


def failure_given_tag(chance: Any, tagged: Any) -> tuple[Any, Any]:
    """The probability of a tag, and the chance of failure given the tag, by Bayes' rule.

    Parameters
    ----------
    chance
        The chance that the answer failed, before the tag: a number, an array or a Series.
    tagged
        1 for a tag that says "failed", 0 for one that says the contrary, a value in between for a partial answer.

    Examples
    --------
    >>> likely, then = failure_given_tag(0.5, 1.0)
    >>> round(likely, 2), round(then, 2)
    (0.5, 0.94)
    """
    if_failed = (1 - TAG_TRUST) + (2 * TAG_TRUST - 1) * tagged
    likely = chance * if_failed + (1 - chance) * (1 - if_failed)
    return likely, chance * if_failed / likely


def guess_on_topic(features: pd.DataFrame, success: F64) -> tuple[F64, float]:
    """The chance that the article that the bot cited is the one the question is about.

    Nobody labels that, but success depends on it: with the right article the answer mostly works, with another one only
    by luck. So success is regressed on how question and article match, out of fold, and the fitted chance is rescaled
    from the range between luck and certainty.

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
