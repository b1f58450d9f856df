"""Handoff triggers: why customers leave the bot for a person, detected by phrases in the messages.

Detectors map a column of texts to a column of bool; `conversation_signals` combines them, one row a conversation. The
phrases are in ``models.conversations.signal_phrases``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from lacuna.models.conversations.signal_phrases import (
    ACCOUNT_ACTION,
    FALLBACK,
    FRUSTRATION,
    HUMAN_REQUEST,
    POLICY_HANDOVER,
    REPHRASING,
    SOLVED,
    THANKS,
    Phrases,
)
from lacuna.models.text.repetition import alike
from lacuna.models.text.words import CHAT_SENTENCE_END

__all__ = [
    "TRIGGERS",
    "conversation_signals",
    "is_rephrased",
    "reports_account_action",
    "says_fallback",
    "says_policy_handoff",
    "shows_frustration",
    "shows_thanks",
    "trigger_shares",
    "wants_human",
]

# Why a conversation goes to a person, or ends without an answer; the names of columns of `conversation_signals`.
TRIGGERS = ("handoff_request", "policy_handoff", "account_action", "repeated_fallback", "rephrasing", "frustration")

_QUOTED = re.compile(r"^>.*$", re.MULTILINE)
_SPACE = re.compile(r"\s+")
_LONGEST = 4000
_SHORT = 160
_SHOUTED = re.compile(r"(?:\b[A-ZÄÖÜ']{2,}\b[ ,!.?]{1,4}){5,}")
_MARKS = re.compile(r"!{3,}|\?{3,}|[!?]{4,}")


def _clean(texts: pd.Series) -> pd.Series:
    """Texts ready to match: the start of long ones, lower case, no quoted lines, straight apostrophes, single spaces."""
    text = texts.astype("object").where(texts.notna(), "").astype(str).str.slice(0, _LONGEST)
    quoted = text.str.startswith(">") | text.str.contains("\n>", regex=False)
    if quoted.any():
        text = text.where(~quoted, text.str.replace(_QUOTED, " ", regex=True))
    return text.str.replace("’", "'", regex=False).str.replace(_SPACE, " ", regex=True).str.strip().str.lower()


def _matches(texts: pd.Series, phrases: Phrases) -> pd.Series:
    """Where clean texts hold a trigger phrase, look-alike phrases (``unless``) taken out."""
    hits = {text: _has_phrase(text, phrases) for text in texts.unique()}
    return texts.map(hits).astype(bool)


def _has_phrase(text: str, phrases: Phrases) -> bool:
    if not _holds(text, phrases.stems):
        return False
    for sentence in CHAT_SENTENCE_END.split(text) if len(text) > _SHORT else (text,):
        if not _holds(sentence, phrases.stems) or phrases.pattern.search(sentence) is None:
            continue
        if phrases.unless is None or phrases.pattern.search(phrases.unless.sub(" ~ ", sentence)) is not None:
            return True
    return False


def _holds(text: str, stems: Sequence[str]) -> bool:
    for stem in stems:  # noqa: SIM110 (a generator takes thrice as long, and this is what most of the time goes into)
        if stem in text:
            return True
    return False


def wants_human(texts: pd.Series) -> pd.Series:
    """Customers' messages that ask for a person ("let me talk to someone real", "kann mich jemand anrufen?").

    Parameters
    ----------
    texts
        Customers' messages; null reads as empty.

    Returns
    -------
    Series of bool
        On the same index.

    Examples
    --------
    >>> wants_human(pd.Series(["agent please", "was it human error?"])).tolist()
    [True, False]
    """
    return _matches(_clean(texts), HUMAN_REQUEST)


def shows_frustration(texts: pd.Series) -> pd.Series:
    """Customers' messages that show anger or despair, in words, in capitals or in rows of ``!?``."""
    cleaned = _clean(texts)
    shown = texts.astype("object").where(texts.notna(), "").astype(str).str.slice(0, _LONGEST)
    loud = shown.str.contains(_SHOUTED, regex=True) | shown.str.contains(_MARKS, regex=True)
    return _matches(cleaned, FRUSTRATION) | (loud & ~_matches(cleaned.where(loud, ""), THANKS))


def shows_thanks(texts: pd.Series) -> pd.Series:
    """Customers' messages that thank for an answer, or say that the problem is solved.

    "Thanks in advance" does not count, nor does the "thanks" that closes a question: thanks alone count only at the
    start of a message, or in a short message without a question.
    """
    cleaned = _clean(texts)
    brief = (cleaned.str.len() <= _SHORT) & ~cleaned.str.contains("?", regex=False)
    return _matches(cleaned, SOLVED) | _matches(cleaned.where(brief, cleaned.str.slice(0, 40)), THANKS)


def says_fallback(texts: pd.Series) -> pd.Series:
    """Bot messages that say that the bot has no answer, for bundles that don't mark them."""
    return _matches(_clean(texts), FALLBACK)


def reports_account_action(texts: pd.Series) -> pd.Series:
    """Agents' messages that report what only a person with access could do ("I have cancelled it for you")."""
    return _matches(_clean(texts), ACCOUNT_ACTION)


def says_policy_handoff(texts: pd.Series) -> pd.Series:
    """Bot messages that hand over by rule ("I'll connect you with a colleague", "das darf nur ein Mitarbeiter")."""
    return _matches(_clean(texts), POLICY_HANDOVER)


def is_rephrased(texts: pd.Series, previous: pd.Series) -> pd.Series:
    """Customers' messages that repeat their previous message in other words.

    Either the words say so ("as I said", "das war nicht meine Frage"), or the two messages share most of their
    significant words or of their character trigrams.

    Parameters
    ----------
    texts, previous
        A customer's messages and the same customer's message before each, null where there is none.

    Returns
    -------
    Series of bool
        False where there is no message before.
    """
    now, before = _clean(texts), _clean(previous)
    there = (before.str.len() > 0) & (now.str.len() > 0)
    rephrases = _matches(now.where(there, ""), REPHRASING)
    near = [bool(ok) and alike(a, b) for ok, a, b in zip(there, now, before, strict=True)]
    return there & (rephrases | pd.Series(near, index=texts.index, dtype=bool))


def conversation_signals(messages: pd.DataFrame) -> pd.DataFrame:
    """Handoff triggers and counts, one row a conversation.

    Parameters
    ----------
    messages
        Columns of the contract: conversation_id, position, role, text; is_fallback where there is one (a bot message
        whose mark is missing is judged by its words).

    Returns
    -------
    DataFrame
        Sorted by conversation_id. Bool: ``handoff_request``, ``frustration``, ``rephrasing``, ``repeated_fallback``
        (two or more), ``account_action``, ``policy_handoff``, ``thanked`` (after a bot's or an agent's message),
        ``abandoned`` (no agent, and it ends with a fallback, or with a customer who waits and didn't say thanks; a
        candidate only, as the table doesn't know whether a ticket was opened). Int64-free counts: ``fallbacks``,
        ``bot_messages``, ``agent_messages``, ``customer_messages``.
    """
    frame = messages[["conversation_id", "position", "role", "text"]].copy()
    marks = messages["is_fallback"] if "is_fallback" in messages else pd.Series(pd.NA, index=messages.index)
    frame["marked"] = marks.astype("boolean")
    frame = frame.sort_values(["conversation_id", "position"], kind="stable", ignore_index=True)
    bot, agent, customer = (frame["role"] == role for role in ("bot", "agent", "customer"))
    off = pd.Series(False, index=frame.index)

    def on(rows: pd.Series, flags: pd.Series) -> pd.Series:
        hits = off.copy()
        hits[rows] = flags
        return hits

    customer_texts = frame.loc[customer, "text"]
    unmarked = bot & frame["marked"].isna()
    frame["fallbacks"] = on(unmarked, says_fallback(frame.loc[unmarked, "text"])) | (
        bot & frame["marked"].fillna(False)
    ).astype(bool)
    frame["handoff_request"] = on(customer, wants_human(customer_texts))
    frame["frustration"] = on(customer, shows_frustration(customer_texts))
    grateful = on(customer, shows_thanks(customer_texts))
    answered = (~customer).groupby(frame["conversation_id"]).cumsum() > 0
    frame["thanked"] = grateful & answered
    previous = customer_texts.groupby(frame.loc[customer, "conversation_id"]).shift()
    frame["rephrasing"] = on(customer, is_rephrased(customer_texts, previous)) & ~grateful
    frame["account_action"] = on(agent, reports_account_action(frame.loc[agent, "text"]))
    frame["policy_handoff"] = on(bot, says_policy_handoff(frame.loc[bot, "text"]))
    frame["bot_messages"], frame["agent_messages"], frame["customer_messages"] = bot, agent, customer

    groups = frame.groupby("conversation_id", sort=True)
    any_columns = ["handoff_request", "frustration", "rephrasing", "account_action", "policy_handoff", "thanked"]
    signals = groups[any_columns].any()
    counts = groups[["fallbacks", "bot_messages", "agent_messages", "customer_messages"]].sum().astype("int64")
    last = groups.tail(1).set_index("conversation_id").reindex(signals.index)
    waiting = (last["role"] == "customer") & ~last["thanked"]
    signals["repeated_fallback"] = counts["fallbacks"] >= 2
    signals["abandoned"] = (waiting | last["fallbacks"]) & (counts["agent_messages"] == 0)
    order = [
        "handoff_request",
        "frustration",
        "rephrasing",
        "repeated_fallback",
        "fallbacks",
        "bot_messages",
        "agent_messages",
        "customer_messages",
        "account_action",
        "policy_handoff",
        "thanked",
        "abandoned",
    ]
    return signals.join(counts)[order].reset_index()


def trigger_shares(facts: pd.DataFrame) -> pd.DataFrame:
    """Why people leave the bot, topic by topic: the share of a topic's conversations with each trigger.

    Parameters
    ----------
    facts
        topic_id (str or null) and the columns of :data:`TRIGGERS` (bool).

    Returns
    -------
    DataFrame of float
        By topic_id; one column a trigger, 0 to 1. One conversation may have several, so they need not add up.
    """
    own = facts[facts["topic_id"].notna()]
    return own.groupby("topic_id", sort=True)[list(TRIGGERS)].mean()
