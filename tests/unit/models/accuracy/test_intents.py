"""Confused intents are found with their shares, and wrong labels by a classifier that has not seen them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lacuna.models.accuracy.intents import confusion, suspicious_labels, true_intents


def test_the_truth_of_an_intent_is_what_reviewers_say() -> None:
    """A named intent counts, an unnamed one leaves the bot's, and "misclassified" alone says only that it was wrong."""
    predicted = pd.Series({"c1": "a", "c2": "a", "c3": "a", "c4": "a"})
    rows = [("c1", "misclassified", "b"), ("c2", "wrong", None), ("c3", "misclassified", None), ("c4", "correct", None)]
    rows.append(("c4", "misclassified", "b"))
    intents = true_intents(pd.DataFrame(rows, columns=["conversation_id", "outcome", "true_intent"]), predicted)
    assert intents.to_dict() == {"c1": "b", "c2": "a", "c4": "b"}


def test_a_pair_s_share_is_weighed_by_what_its_tags_stand_for() -> None:
    """Four of ten tags, each for one conversation of a hundred, are no 40 % where the others stand for ten each."""
    ids = [f"c{i:03d}" for i in range(100)]
    predicted = pd.Series("billing", index=ids)
    true = pd.Series(["delivery"] * 4 + ["billing"] * 6, index=ids[:10])
    weight = pd.Series([1.0] * 4 + [10.0] * 6, index=ids[:10]).reindex(ids, fill_value=0.0)
    pairs = confusion(predicted, true, weight, weeks=4.0)
    first = pairs.iloc[0]
    assert (first["predicted_intent"], first["true_intent"], first["tags"], first["of"]) == (
        "billing",
        "delivery",
        4,
        10,
    )
    assert first["share"] == pytest.approx(4 / 64)
    assert first["share_low"] < 4 / 64 < first["share_high"]
    assert first["a_week"] == pytest.approx(100 * 4 / 64 / 4)
    assert first["conversation_ids"] == ids[:4]
    assert pairs["share"].sum() == pytest.approx(1.0)
    assert confusion(predicted, true.iloc[:0], weight, 4.0).empty


def test_planted_wrong_labels_come_first() -> None:
    """Of 300 labels of three intents, the ten that were swapped head the list, with their true intent."""
    rng = np.random.default_rng(4)
    truth = np.repeat([0, 1, 2], 100)
    vectors = np.eye(8)[truth] + rng.normal(0, 0.25, (300, 8))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    names = np.array(["billing", "delivery", "returns"])
    swapped = rng.choice(300, 10, replace=False)
    labels = truth.copy()
    labels[swapped] = (truth[swapped] + 1) % 3
    ids = pd.Series([f"c{i:03d}" for i in range(300)])
    suspicious = suspicious_labels(ids, pd.Series(names[labels]), vectors)
    first = suspicious["conversation_id"].head(12)
    assert len(set(ids[swapped]) & set(first)) >= 9
    likelier = suspicious.set_index("conversation_id")["likelier"]
    assert all(likelier[ids[i]] == names[truth[i]] for i in swapped if ids[i] in likelier)
    assert suspicious_labels(ids[:90], pd.Series(["billing"] * 90), vectors[:90]).empty
