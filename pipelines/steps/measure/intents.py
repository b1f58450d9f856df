"""For whoever trains the bot's intents: pairs that are confused, and labels that look wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lacuna.models.accuracy.intents import SUSPECTS, checked_labels, confusion, suspicious_labels, true_intents
from lacuna.models.accuracy.outcome_model import tag_weights
from lacuna.models.retrieval.candidates import rows_of
from lacuna.models.text.words import shortened
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.understand.matching import read_vectors

QUESTION_LENGTH = 300


def intent_confusion(job: Job, facts: pd.DataFrame) -> pd.DataFrame:
    """The window's confusion of intents, one row per pair (:func:`models.accuracy.intents.confusion`)."""
    needed = ["conversation_id", "predicted_intent", "escalated"]
    window = facts.loc[facts["in_window"], needed].set_index("conversation_id")
    predicted = window["predicted_intent"]
    outcomes = job.read("redact/outcomes")
    outcomes = outcomes[outcomes["conversation_id"].isin(window.index) & ~outcomes["sample"].eq("feedback")]
    true = true_intents(outcomes, predicted)
    tagged = np.where(window.index.isin(true.index), 1.0, np.nan)
    weight = tag_weights(tagged, window["escalated"].fillna(False).to_numpy(dtype=bool))
    return confusion(predicted, true, pd.Series(weight, window.index), job.days / 7, job.settings.accuracy.confidence)


def intent_suspects(job: Job, facts: pd.DataFrame) -> pd.DataFrame:
    """The window's conversations whose intent looks wrong, with the question, and whether a reviewer gave the label.

    The label is the reviewers' where there is one, else the bot's; ``given_by`` says which ("reviewer", "bot").
    """
    questions = job.read("understand/questions", ["conversation_id"])
    questions = questions.assign(row=np.arange(len(questions)))
    labelled = facts.loc[facts["in_window"], ["conversation_id", "topic_id", "predicted_intent"]].merge(
        questions, on="conversation_id"
    )
    outcomes = job.read("redact/outcomes")
    true = true_intents(
        outcomes[~outcomes["sample"].eq("feedback")],
        facts[["conversation_id", "predicted_intent"]].set_index("conversation_id")["predicted_intent"],
    )
    reviewed = labelled["conversation_id"].map(true).astype("str")
    labelled = labelled.assign(
        label=reviewed.fillna(labelled["predicted_intent"]), given_by=np.where(reviewed.notna(), "reviewer", "bot")
    )
    labelled = labelled[labelled["label"].notna()].sort_values("conversation_id").reset_index(drop=True)
    labelled = labelled.iloc[checked_labels(labelled["label"])].reset_index(drop=True)
    row = labelled["row"].to_numpy(dtype=np.int64)
    order = np.argsort(row)
    vectors = np.concatenate(rows_of(read_vectors(job), row[order]))[np.argsort(order)]
    suspects = suspicious_labels(labelled["conversation_id"], labelled["label"], vectors)
    texts = job.read_rows("understand/questions", suspects["conversation_id"], ["conversation_id", "question"])
    texts["question"] = pd.array([shortened(str(q), QUESTION_LENGTH) for q in texts["question"]], dtype="str")
    of_suspects = labelled[["conversation_id", "topic_id", "given_by"]].merge(texts, on="conversation_id")
    suspects = suspects.merge(of_suspects, how="left", on="conversation_id")
    return suspects[[*SUSPECTS, "topic_id", "question", "given_by"]]
