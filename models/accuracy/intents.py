"""Intents: which ones the bot confuses, and which labels look wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from threadpoolctl import threadpool_limits

from lacuna.models.arrays import F32, Ints
from lacuna.models.metrics.intervals import wilson

FOLDS = 5
FEWEST = 2 * FOLDS  # questions that an intent needs for its labels to be checked
MOST = 4000  # questions that are checked at most; more take time and improve little
CONFUSION = [
    "predicted_intent", "true_intent", "tags", "of", "share", "share_low", "share_high", "conversations", "a_week",
    "matters", "conversation_ids",
]  # fmt: skip
SUSPECTS = ["conversation_id", "label", "confidence", "likelier", "likelier_confidence"]


def true_intents(outcomes: pd.DataFrame, predicted: pd.Series) -> pd.Series:
    """The true intent of each conversation by its tags; conversations without such a tag are left out.

    A tag that names an intent decides. A tag that names none, and is not "misclassified", confirms the bot's intent. Of
    several different intents, one that differs from the bot's is preferred.

    Parameters
    ----------
    outcomes : DataFrame
        conversation_id, outcome, true_intent (str or null).
    predicted : Series
        The bot's intents, by conversation_id.
    """
    own = outcomes["conversation_id"].map(predicted)
    wrong = outcomes["outcome"].eq("misclassified")
    intent = outcomes["true_intent"].where(outcomes["true_intent"].notna(), own.where(~wrong))
    tagged = outcomes.assign(intent=intent, other=intent.ne(own))[intent.notna()]
    tagged = tagged.sort_values(["conversation_id", "other", "intent"], ascending=[True, False, True], kind="stable")
    return tagged.drop_duplicates("conversation_id").set_index("conversation_id")["intent"].astype("str")


def confusion(
    predicted: pd.Series, true: pd.Series, weight: pd.Series, weeks: float, confidence: float = 0.95
) -> pd.DataFrame:
    """The confusion matrix of intents, as a table: how often each predicted intent has each true intent.

    Parameters
    ----------
    predicted
        The bot's intent of every conversation in the window, by conversation_id; null for none.
    true
        The true intent, by conversation_id, where a tag gives it.
    weight
        How many conversations each tag represents (:func:`models.accuracy.outcome_model.tag_weights`), by
        conversation_id.
    weeks
        Length of the window.

    Returns
    -------
    DataFrame
        One row a pair that a tag shows, right ones included: predicted_intent, true_intent, tags (int), of (int, tags
        on the predicted intent), share (float, of the conversations with that prediction; weighted), share_low,
        share_high (Wilson's interval with Kish's effective number of tags), conversations, a_week (float, so many in
        the window by that share), matters (bool: a confusion of two tags or more whose share is not within reach of 2
        %), conversation_ids (list of str). The costliest confusions come first, then the right ones.
    """
    n_predicted = predicted.dropna().value_counts()
    tagged = pd.DataFrame(
        {"predicted_intent": predicted.reindex(true.index), "true_intent": true, "weight": weight.reindex(true.index)}
    )
    tagged = (
        tagged[tagged["predicted_intent"].notna() & tagged["weight"].gt(0)].rename_axis("conversation_id").reset_index()
    )
    rows = []
    for intent, own in tagged.groupby("predicted_intent", sort=True):
        total, effective = own["weight"].sum(), own["weight"].sum() ** 2 / (own["weight"] ** 2).sum()
        for true_intent, part in own.groupby("true_intent", sort=True):
            share = float(part["weight"].sum() / total)
            low, high = wilson(part["weight"].sum(), total, confidence, effective=effective)
            matters = intent != true_intent and len(part) >= 2 and float(low) > 0.02
            volume = share * float(n_predicted[intent])
            rows.append(
                (intent, true_intent, len(part), len(own), share, float(low), float(high), volume, volume / weeks,
                 matters, sorted(part["conversation_id"]))
            )  # fmt: skip
    table = pd.DataFrame(rows, columns=CONFUSION)
    table["right"] = table["predicted_intent"] == table["true_intent"]
    order = ["right", "conversations", "predicted_intent", "true_intent"]
    table = table.sort_values(order, ascending=[True, False, True, True], kind="stable")
    return table.drop(columns="right").reset_index(drop=True)


def checked_labels(labels: pd.Series) -> Ints:
    """Row numbers of the labels that are checked: of intents that have enough, and at most :data:`MOST`."""
    rows = np.flatnonzero(labels.map(labels.value_counts()).ge(FEWEST).to_numpy(dtype=bool))
    if len(rows) > MOST:  # every k-th, whatever their order means
        rows = rows[np.linspace(0, len(rows) - 1, MOST).round().astype(int)]
        counts = labels.iloc[rows].value_counts()
        rows = rows[labels.iloc[rows].map(counts).ge(FOLDS).to_numpy(dtype=bool)]
    return rows


def suspicious_labels(ids: pd.Series, labels: pd.Series, vectors: F32) -> pd.DataFrame:
    """Intent labels that a classifier trained on the other questions contradicts, the most doubtful first.

    Parameters
    ----------
    ids, labels
        Conversation and intent of each question, (n,), of those that :func:`checked_labels` names.
    vectors
        The questions' meaning, rows of length 1, (n, dim).

    Returns
    -------
    DataFrame
        conversation_id, label, confidence (float, the classifier's in the label), likelier, likelier_confidence.

    Notes
    -----
    Confident learning (Northcutt, Jiang and Chuang 2021): a label is doubtful where another intent gets at least the
    confidence that questions of that intent get on average, and its own gets less than its own questions' average.
    Confidence is that of the fold that left the question out; an intent of fewer than ten questions is not looked at.
    """
    codes, names = pd.factorize(labels, sort=True)
    if len(names) < 2:
        return pd.DataFrame(columns=SUSPECTS)
    model: Any = LogisticRegression(C=10.0, max_iter=200, tol=1e-3)
    with threadpool_limits(1):  # the matrices are small: several threads would only wait for each other
        chance = cross_val_predict(
            model, vectors.astype(float), codes, cv=StratifiedKFold(FOLDS), method="predict_proba"
        )
    usual = np.array([chance[codes == k, k].mean() for k in range(len(names))])
    own = chance[np.arange(len(codes)), codes]
    sure = np.where(chance >= usual, chance, 0.0)
    sure[np.arange(len(codes)), codes] = 0.0
    other = sure.argmax(axis=1)
    doubtful = np.flatnonzero((sure.max(axis=1) > own) & (own < usual[codes]))
    suspects = pd.DataFrame(
        {
            "conversation_id": ids.iloc[doubtful].to_numpy(),
            "label": names[codes[doubtful]],
            "confidence": np.round(own[doubtful], 4),
            "likelier": names[other[doubtful]],
            "likelier_confidence": np.round(sure.max(axis=1)[doubtful], 4),
        }
    )
    suspects["margin"] = suspects["likelier_confidence"] - suspects["confidence"]
    suspects = suspects.sort_values(["margin", "conversation_id"], ascending=[False, True], kind="stable")
    return suspects[SUSPECTS].reset_index(drop=True)
