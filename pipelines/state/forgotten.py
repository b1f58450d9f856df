"""Which conversations are forgotten, in the state database: keyed hashes of their ids, and a line of each forgetting.

No id stands there in plain. The key is drawn by lot for each database and kept in it: the same id has another hash
elsewhere, and no table made beforehand helps. Who has the database can test an id that they know already.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from lacuna.data_contracts.ids import without_address
from lacuna.pipelines.state.schema import forgetting_key, forgettings, forgotten, plain, utc

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from lacuna.pipelines.state.repository import State

__all__ = [
    "Forgetting",
    "Forgotten",
    "begin_forgetting",
    "end_forgetting",
    "forgettings_so_far",
    "read_forgotten",
    "remember_forgotten",
]


@dataclass(frozen=True)
class Forgotten:
    """The forgotten conversations of a state database: tells whether an id is among them."""

    key: bytes = b""
    hashes: frozenset[str] = field(default=frozenset(), repr=False)

    def __bool__(self) -> bool:
        return bool(self.hashes)

    def holds(self, conversation_id: str) -> bool:
        """Whether a conversation is forgotten, by its id in a bundle, or as runs know it."""
        return bool(self.hashes) and _hash(self.key, without_address(conversation_id)) in self.hashes

    def among(self, ids: pd.Series) -> NDArray[np.bool_]:
        """Of each id whether its conversation is forgotten; False for none."""
        if not self.hashes:
            return np.zeros(len(ids), dtype=bool)
        gone = [one for one in ids.dropna().unique() if self.holds(str(one))]
        return ids.isin(gone).to_numpy(dtype=bool)


@dataclass(frozen=True)
class Forgetting:
    """One line of the log: who has forgotten how many conversations when, how they were named, and what went where."""

    id: int
    at: datetime
    who: str
    sort: str
    conversations: int
    ended_at: datetime | None
    removed: Mapping[str, Any]
    places_left: int | None


def read_forgotten(state: State) -> Forgotten:
    """The conversations that a state database knows as forgotten."""
    with state.reading() as connection:
        secret = connection.execute(sa.select(forgetting_key.c.secret)).scalar()
        hashes = connection.execute(sa.select(forgotten.c.id_hash)).scalars()
        return Forgotten(bytes.fromhex(secret or ""), frozenset(hashes))


def remember_forgotten(state: State, ids: Collection[str]) -> None:
    """Write down that conversations are forgotten from now on."""

    def write(connection: sa.Connection) -> None:
        secret = connection.execute(sa.select(forgetting_key.c.secret)).scalar()
        if secret is None:
            secret = secrets.token_hex(16)
            connection.execute(sa.insert(forgetting_key), {"secret": secret})
        known = set(connection.execute(sa.select(forgotten.c.id_hash)).scalars())
        new = {_hash(bytes.fromhex(secret), without_address(one)) for one in ids} - known
        if new:
            connection.execute(sa.insert(forgotten), [{"id_hash": one} for one in sorted(new)])

    state.write(write)


def begin_forgetting(state: State, who: str, sort: str, conversations: int) -> int:
    """Begin a line of the log, and return its number.

    Parameters
    ----------
    state
        The state database.
    who, sort
        Who does it, and how the conversations were named: "conversation", "customer", "before 2024-01-01".
    conversations
        How many they are.
    """
    row = {
        "at": datetime.now(UTC), "who": plain(who), "sort": sort, "conversations": conversations,
        "ended_at": None, "removed": {}, "places_left": None,
    }  # fmt: skip
    inserted = sa.insert(forgettings).returning(forgettings.c.id)
    return state.write(lambda connection: int(connection.execute(inserted, row).scalar_one()))


def end_forgetting(state: State, number: int, removed: Mapping[str, Any], places_left: int) -> None:
    """Write down what one has removed, in files and rows by place, and in how many places something is left."""
    values: dict[str, Any] = {
        "ended_at": datetime.now(UTC),
        "removed": plain(dict(removed)),
        "places_left": places_left,
    }
    query = sa.update(forgettings).where(forgettings.c.id == number).values(values)
    state.write(lambda connection: connection.execute(query))


def forgettings_so_far(state: State) -> list[Forgetting]:
    """The log, oldest first."""
    with state.reading() as connection:
        rows = connection.execute(sa.select(forgettings).order_by(forgettings.c.id)).all()
    return [
        Forgetting(
            row.id, utc(row.at), row.who, row.sort, row.conversations, utc(row.ended_at) if row.ended_at else None,
            row.removed, row.places_left,
        )
        for row in rows
    ]  # fmt: skip


def _hash(key: bytes, conversation_id: str) -> str:
    return hmac.new(key, conversation_id.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
