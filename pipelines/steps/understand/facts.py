"""One row per conversation: what happened in it, according to the bundle."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lacuna.models.accuracy.priors import failure_chance
from lacuna.models.conversations.signals import conversation_signals
from lacuna.pipelines.runtime.job import Job

# Of several tags of a conversation, the gravest counts.
GRAVITY = {"misclassified": 4, "wrong": 3, "no_answer": 2, "partial": 1, "correct": 0}
SIGNALS = [
    "handoff_request", "frustration", "rephrasing", "repeated_fallback", "account_action", "policy_handoff",
    "abandoned",
]  # fmt: skip


def build_facts(job: Job, of_messages: pd.DataFrame) -> pd.DataFrame:
    """One row per conversation in window and history, by conversation_id.

    ``by_people`` says whether people handled it and no bot answered, as in a ticket desk or a forum. ``p_failed`` is
    the probability that the answer failed, 1 where only people answered. ``in_scope`` says whether the conversation is
    in scope: in the window, and of an outcome that ``[mine]`` chooses. Lists hold article ids.

    Parameters
    ----------
    of_messages
        From :func:`message_facts`, of all conversations that have messages.
    """
    facts = job.read("load/conversations").sort_values("conversation_id").reset_index(drop=True)
    facts = facts.merge(of_messages, how="left", on="conversation_id", suffixes=("", "_signal"))
    for column in ("cited", "agent_cited"):
        facts[column] = [list(x) if isinstance(x, (list, np.ndarray)) else [] for x in facts[column]]
    facts["cited_first"] = pd.array([x[0] if x else None for x in facts["cited"]], dtype="str")
    for signal in [*SIGNALS, "answered"]:
        facts[signal] = facts[signal].fillna(False).astype(bool)
    facts["fallbacks"] = facts["fallbacks"].fillna(0).astype(int)
    facts = facts.merge(_tags(job.read("redact/outcomes")), how="left", on="conversation_id")
    people = facts["escalated"].fillna(False).astype(bool) | facts["agent_messages"].gt(0)
    facts["by_people"] = people & ~facts["answered"]
    start = facts["started_at"]
    facts["week"] = (start - pd.to_timedelta(start.dt.day_of_week, unit="D")).dt.strftime("%Y-%m-%d").astype("str")
    facts["in_window"] = start >= pd.Timestamp(job.start_ts)
    facts["p_failed"] = failure_chance(facts).mask(facts["by_people"], 1.0)
    facts["in_scope"] = facts["in_window"] & _in_scope(job, facts)
    return facts


def message_facts(messages: pd.DataFrame) -> pd.DataFrame:
    """What the messages of conversations say of them, one row a conversation, by conversation_id.

    cited and agent_cited (lists of article ids, null for none), handoff triggers and counts
    (:func:`models.conversations.signals.conversation_signals`), answered (bool, a bot wrote in it).
    """
    signals = conversation_signals(messages)
    signals["answered"] = signals["bot_messages"].gt(0)
    cited, agent_cited = _cited(messages, "bot", "cited"), _cited(messages, "agent", "agent_cited")
    of_messages = signals.merge(cited, how="left", on="conversation_id")
    return of_messages.merge(agent_cited, how="left", on="conversation_id")


def _cited(messages: pd.DataFrame, role: str, name: str) -> pd.DataFrame:
    citing = messages[(messages["role"] == role) & messages["article_ids"].notna()].sort_values("position")
    citing = citing[citing["article_ids"].map(len) > 0]
    article_ids = citing.groupby("conversation_id", sort=True)["article_ids"].agg(
        lambda lists: list(dict.fromkeys(article for ids in lists for article in ids))
    )
    return article_ids.rename(name).reset_index()


def _tags(outcomes: pd.DataFrame) -> pd.DataFrame:
    outcomes = outcomes.assign(gravity=outcomes["outcome"].map(GRAVITY))
    last = outcomes.sort_values(["conversation_id", "gravity", "tagged_at"], na_position="first").drop_duplicates(
        "conversation_id", keep="last"
    )
    return last[["conversation_id", "outcome", "sample", "true_intent"]]


def _in_scope(job: Job, facts: pd.DataFrame) -> pd.Series:
    settings = job.settings.mine
    chosen = pd.Series(False, index=facts.index)
    for outcome in ("misclassified", "wrong", "partial", "no_answer"):
        if getattr(settings, outcome):
            chosen |= facts["outcome"].eq(outcome)
    if settings.no_answer:
        chosen |= facts["fallbacks"].gt(0) & facts["cited_first"].isna()
    if settings.escalated:
        chosen |= facts["escalated"].fillna(False).astype(bool) | facts["by_people"]
    if settings.abandoned:
        chosen |= facts["abandoned"]
    return chosen
