"""Tags that reviewers put on the bot's answers: appended to the state, read by the next run as outcomes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from lacuna.data_contracts.errors import TagInvalid
from lacuna.pipelines.presentation.suggestions import did_you_mean
from lacuna.pipelines.state import schema
from lacuna.pipelines.state.forgotten import read_forgotten
from lacuna.pipelines.state.repository import State

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["OUTCOMES", "enter_tag", "entered_tags", "with_tags"]

OUTCOMES = ("correct", "partial", "wrong", "no_answer", "misclassified")
_SAID = ("outcome", "tagged_by", "true_intent", "article_id", "note")
_COLUMNS = ("conversation_id", "outcome", "tagged_at", "tagged_by", "true_intent", "article_id", "note")


def enter_tag(
    state: State,
    conversation_id: str,
    outcome: str,
    who: str,
    *,
    true_intent: str | None = None,
    article_id: str | None = None,
    note: str | None = None,
) -> int:
    """Append a tag and return its number; of several on one conversation the latest counts.

    One that says the same as the latest, by the same person, is that one: who got no answer may send it again.

    Raises
    ------
    TagInvalid
        The outcome is none of ``OUTCOMES``, no conversation or person is named, or the conversation is forgotten.
    """
    if outcome not in OUTCOMES:
        remedy = did_you_mean(outcome, OUTCOMES, f"one of {', '.join(OUTCOMES)}")
        raise TagInvalid(f"there is no outcome '{outcome}'", remedy)
    if not conversation_id.strip() or not who.strip():
        raise TagInvalid("a tag needs a conversation and a person", "say which conversation, and who tags it")
    if read_forgotten(state).holds(conversation_id.strip()):
        raise TagInvalid("this conversation is forgotten, and nothing is kept of it", "tag another one")

    def write(connection: sa.Connection) -> int:
        row = {
            "conversation_id": conversation_id.strip(), "outcome": outcome, "tagged_at": datetime.now(UTC),
            "tagged_by": who, "true_intent": true_intent or None, "article_id": article_id or None,
            "note": note or None, "run_id": connection.execute(sa.select(sa.func.max(schema.runs.c.run_id))).scalar(),
        }  # fmt: skip
        plain = {name: schema.plain(value) if isinstance(value, str) else value for name, value in row.items()}
        of_conversation = sa.select(schema.tags).where(schema.tags.c.conversation_id == plain["conversation_id"])
        latest = connection.execute(of_conversation.order_by(schema.tags.c.id.desc()).limit(1)).mappings().first()
        if latest is not None and all(latest[name] == plain[name] for name in _SAID):
            return int(latest["id"])
        return int(connection.execute(sa.insert(schema.tags).returning(schema.tags.c.id), plain).scalar_one())

    return state.write(write)


def entered_tags(state: State, up_to: str | None = None, among: Sequence[str] | None = None) -> pd.DataFrame:
    """The latest tag of every conversation, by conversation_id.

    Parameters
    ----------
    up_to
        A run: only tags that were entered while it, or an earlier run, was the latest.
    among
        Only these conversations.
    """
    query = sa.select(*(schema.tags.c[name] for name in _COLUMNS)).order_by(schema.tags.c.id)
    if up_to is not None:
        query = query.where(schema.made_by(schema.tags, up_to))
    if among is not None:
        query = query.where(schema.tags.c.conversation_id.in_(list(among)))
    with state.reading() as connection:
        frame = pd.DataFrame([tuple(row) for row in connection.execute(query)], columns=list(_COLUMNS))
    frame["tagged_at"] = pd.to_datetime(frame["tagged_at"], utc=True)
    latest = frame.drop_duplicates("conversation_id", keep="last")
    return latest.sort_values("conversation_id").reset_index(drop=True)


def with_tags(outcomes: pd.DataFrame, entered: pd.DataFrame, end: datetime) -> pd.DataFrame:
    """The bundle's outcomes, and below them the tags entered in review.

    A tag that was entered after the window's ``end`` counts too; its time is left empty.
    """
    if entered.empty:
        return outcomes
    timed = entered.assign(tagged_at=entered["tagged_at"].where(entered["tagged_at"] < end))
    rows = timed.reindex(columns=outcomes.columns).astype(outcomes.dtypes.to_dict())
    return pd.concat([outcomes, rows], ignore_index=True)
