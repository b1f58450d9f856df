"""How likely each answer was right, for all the conversations that nobody tagged."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from threadpoolctl import threadpool_limits

from lacuna.models.accuracy.priors import failure_chance
from lacuna.models.arrays import F64, Flags, Ints
from lacuna.models.metrics.intervals import wilson

FOLDS = 10
ENOUGH_TAGS, ENOUGH_OF_EACH = 40, 8  # tags, and tags of each kind, from which on the model beats the situation alone
HEAVIEST = 10.0  # largest weight of one tag, as a multiple of the mean weight
_FLAGS = (
    "escalated", "handoff_request", "frustration", "rephrasing", "repeated_fallback", "account_action",
    "policy_handoff", "abandoned", "thanked",
)  # fmt: skip
_BANDS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def known_outcomes(outcomes: pd.DataFrame) -> pd.DataFrame:
    """The tag from which accuracy is learned, one row a conversation, and the customer's feedback.

    Of several tags, that of a random audit is taken first, because it is an unbiased sample; then one that an agent put
    on an escalated conversation, then one of unknown origin; among equals the worst. Customers' own feedback is a
    biased sample, and is kept apart as ``feedback``.

    Parameters
    ----------
    outcomes : DataFrame
        conversation_id, outcome, sample (random, escalated, feedback or null).

    Returns
    -------
    DataFrame
        conversation_id, right (float, 1 where tagged correct, else 0; null without a reviewer's tag), sample (str,
        "random", "escalated" or "unknown"), feedback (float, 1 for good, 0 for bad, null for none).
    """
    tags = outcomes.assign(
        right=outcomes["outcome"].eq("correct").astype(float), sample=outcomes["sample"].fillna("unknown")
    )
    feedback = tags[tags["sample"].eq("feedback")].groupby("conversation_id")["right"].min().rename("feedback")
    order = {"random": 0, "escalated": 1, "unknown": 2}
    tags = tags[tags["sample"].isin(list(order))].assign(order=lambda t: t["sample"].map(order))
    tags = tags.sort_values(["conversation_id", "order", "right"]).drop_duplicates("conversation_id")
    joined = tags.set_index("conversation_id")[["right", "sample"]].join(feedback, how="outer")
    return joined.rename_axis("conversation_id").reset_index()


def features(facts: pd.DataFrame) -> pd.DataFrame:
    """The features from which the model predicts whether an answer was right: one row a conversation, no nulls.

    Parameters
    ----------
    facts : DataFrame
        escalated, fallbacks, cited_first, csat; and where there are any, the signals of
        :func:`models.conversations.signals.conversation_signals`, resolved, feedback, intent_confidence, and match and
        match_agents (how the cited article matches the question, and what agents answered).
    """
    none = pd.Series(np.nan, index=facts.index)
    prior = failure_chance(facts.assign(outcome=pd.Series(None, index=facts.index, dtype="str"), sample=None))
    out = pd.DataFrame({"situation": logit(1 - prior)}, index=facts.index)
    for name in _FLAGS:
        out[name] = facts[name].fillna(False).astype(float) if name in facts else 0.0
    out["fallbacks"] = facts["fallbacks"].clip(upper=3).astype(float)
    out["cited"] = facts["cited_first"].notna().astype(float)
    for name, middle in (("csat", 3.0), ("resolved", 0.5), ("feedback", 0.5), ("intent_confidence", 0.5)):
        values = facts[name].astype("Float64").astype(float) if name in facts else none
        out[name] = (values - middle).fillna(0.0)
        out[f"{name}_known"] = values.notna().astype(float)
    for name in ("match", "match_agents"):
        out[name] = facts.get(name, none).astype(float).fillna(0.0)
    return out


def tag_weights(right: F64, escalated: Flags) -> F64:
    """How many conversations each tag represents: the inverse of the tagged share in its stratum.

    Reviewers see escalated conversations far more often than others. Within each of the two strata, tags are assumed to
    be missing at random given the model's features.

    Returns
    -------
    float (n,)
        0 for untagged conversations.
    """
    weight = np.zeros(len(right))
    tagged = ~np.isnan(right)
    for kind in (True, False):
        here = escalated == kind
        if (here & tagged).any():
            weight[here & tagged] = here.sum() / (here & tagged).sum()
    return weight


class Chances(NamedTuple):
    """How likely each answer was right.

    Attributes
    ----------
    chance : float (n,), 0.01 to 0.99
        By a model that was fitted without the answer's own tag.
    drafts : float (folds, n), or None
        By each fold's model; their spread shows the model's own error. None where tags are too few for a model, and
        ``chance`` is the prior of the situation alone.
    """

    chance: F64
    drafts: F64 | None


def chance_right(conversation_features: pd.DataFrame, right: F64, escalated: Flags) -> Chances:
    """The chance that each answer was right, by a model that was fitted without the answer's own tag.

    A ridge-penalised logistic regression on the features, with tags weighted by :func:`tag_weights`. Tagged
    conversations get the prediction of the fold that left them out, the others the mean of all folds.

    Parameters
    ----------
    conversation_features
        From :func:`features`, (n, k).
    right
        1 or 0 where tagged, else NaN, (n,).
    escalated
        (n,)

    """
    # Imported late: it takes a second, and importers of Chances alone don't need it.
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    tagged = np.flatnonzero(~np.isnan(right))
    y = right[tagged] > 0.5
    if len(tagged) < ENOUGH_TAGS or min(y.sum(), (~y).sum()) < ENOUGH_OF_EACH:
        return Chances(np.clip(expit(conversation_features["situation"].to_numpy(dtype=float)), 0.01, 0.99), None)
    weight = tag_weights(right, escalated)[tagged]
    weight = np.minimum(weight / weight.mean(), HEAVIEST)
    x = conversation_features.to_numpy(dtype=float)
    fold = _folds(y)
    drafts = np.zeros((FOLDS, len(right)))
    for held_out in range(FOLDS):
        training = fold != held_out
        model: Any = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1000))
        with threadpool_limits(1):  # the matrices are small: several threads would only wait for each other
            model.fit(x[tagged[training]], y[training], logisticregression__sample_weight=weight[training])
        drafts[held_out] = np.clip(model.predict_proba(x)[:, 1], 0.01, 0.99)
    chance = drafts.mean(axis=0)
    chance[tagged] = drafts[fold, tagged]
    return Chances(chance, drafts)


def _folds(y: Flags) -> Ints:
    """Folds of equal size with as many right answers in each, by the order in which the rows come."""
    fold = np.zeros(len(y), dtype=np.int64)
    for kind in (True, False):
        here = np.flatnonzero(y == kind)
        fold[here] = np.arange(len(here)) % FOLDS
    return fold


def calibration(chance: F64, right: F64, escalated: Flags, confidence: float = 0.95) -> pd.DataFrame:
    """Calibration of the chances: by bands such as 60 to 80 %, the predicted and the observed share of right answers.

    Returns
    -------
    DataFrame
        One row a band with tags: low, high (float, the band), tags (int), predicted, observed (float, means weighted
        by :func:`tag_weights`), observed_low, observed_high (Wilson's interval with Kish's effective number of tags).
    """
    weight = tag_weights(right, escalated)
    rows = []
    for low, high in pairwise(_BANDS):
        here = (weight > 0) & (chance >= low) & ((chance < high) | (high == 1))
        if not here.any():
            continue
        w = weight[here]
        good = float(w @ right[here])
        first, last = wilson(good, w.sum(), confidence, effective=w.sum() ** 2 / (w @ w))
        rows.append((low, high, int(here.sum()), float(w @ chance[here] / w.sum()), good / w.sum(), first, last))
    names = ["low", "high", "tags", "predicted", "observed", "observed_low", "observed_high"]
    return pd.DataFrame(rows, columns=names).astype({"tags": "int64"} | {n: "float64" for n in names if n != "tags"})
