"""What goes to whoever trains the bot's intents: confused pairs, and labels that look wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lacuna.models.accuracy.intents import confusion, suspicious_labels, true_intents
from lacuna.models.accuracy.outcome_model import tag_weights
from lacuna.models.text.words import shortened
from lacuna.pipelines.runtime.job import Job

QUESTION_LENGTH = 300


def intent_confusion(job: Job, facts: pd.DataFrame) -> pd.DataFrame:
    """The window's confusion of intents, one row a pair (:func:`models.accuracy.intents.confusion`)."""
    window = facts[facts["in_window"]].set_index("conversation_id")
    predicted = window["predicted_intent"]
    outcomes = job.read("redact/outcomes")
    outcomes = outcomes[outcomes["conversation_id"].isin(window.index) & ~outcomes["sample"].eq("feedback")]
    true = true_intents(outcomes, predicted)
    told = np.where(window.index.isin(true.index), 1.0, np.nan)
    weight = tag_weights(told, window["escalated"].fillna(False).to_numpy(dtype=bool))
    return confusion(predicted, true, pd.Series(weight, window.index), job.days / 7, job.settings.accuracy.confidence)


def intent_suspects(job: Job, facts: pd.DataFrame) -> pd.DataFrame:
    """The window's conversations whose intent looks wrong, with the question, and whether a reviewer gave the label.

    The label is the reviewers' where there is one, else the bot's; ``given_by`` says which ("reviewer", "bot").
    """
    asked = job.read("understand/questions")[["conversation_id", "question"]].merge(
        job.read("understand/vectors"), on="conversation_id"
    )
    own = facts.loc[facts["in_window"], ["conversation_id", "topic_id", "predicted_intent"]].merge(
        asked, on="conversation_id"
    )
    outcomes = job.read("redact/outcomes")
    true = true_intents(
        outcomes[~outcomes["sample"].eq("feedback")], facts.set_index("conversation_id")["predicted_intent"]
    )
    reviewed = own["conversation_id"].map(true).astype("str")
    own = own.assign(
        label=reviewed.fillna(own["predicted_intent"]), given_by=np.where(reviewed.notna(), "reviewer", "bot")
    )
    own = own[own["label"].notna()].sort_values("conversation_id").reset_index(drop=True)
    vectors = np.stack(list(own["vector"])).astype(np.float32) if len(own) else np.zeros((0, 1), dtype=np.float32)
    found = suspicious_labels(own["conversation_id"], own["label"], vectors)
    found = found.merge(own[["conversation_id", "topic_id", "question", "given_by"]], how="left", on="conversation_id")
    found["question"] = pd.array([shortened(str(q), QUESTION_LENGTH) for q in found["question"]], dtype="str")
    return found
