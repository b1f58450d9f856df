"""Which conversations are forgotten, in the state database: keyed hashes of their ids, and a line of each forgetting.

A copy lies in the store, ``forgotten.json``, from which a database that is made again takes it over.

No id stands there in plain. The key is drawn by lot for each database and kept in it: the same id has another hash
elsewhere, and no table made beforehand helps. Who has the database can test an id that they know already.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from lacuna.data_contracts.ids import without_address
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.store import usable, write_bytes
from lacuna.pipelines.state.schema import forgetting_key, forgettings, forgotten, plain, utc

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from lacuna.pipelines.state.repository import State

__all__ = [
    "Forgetting",
    "Forgotten",
    "begin_forgetting",
    "copy_forgotten",
    "end_forgetting",
    "forgettings_so_far",
    "read_forgotten",
    "remember_forgotten",
    "take_over_forgotten",
]

COPY = "forgotten.json"  # in the store


@dataclass(frozen=True)
class Forgotten:
    """The forgotten conversations of a state database: tells whether an id is among them.

    There is one key, and another where a database was made again that had forgotten something meanwhile.
    """

    keys: tuple[bytes, ...] = ()
    hashes: frozenset[str] = field(default=frozenset(), repr=False)

    def __bool__(self) -> bool:
        return bool(self.hashes)

    def holds(self, conversation_id: str) -> bool:
        """Whether a conversation is forgotten, by its id in a bundle, or as runs know it."""
        known_as = without_address(conversation_id)
        return bool(self.hashes) and any(_hash(key, known_as) in self.hashes for key in self.keys)

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
        hashes = connection.execute(sa.select(forgotten.c.id_hash)).scalars()
        return Forgotten(tuple(map(bytes.fromhex, _secrets(connection))), frozenset(hashes))


def remember_forgotten(state: State, ids: Collection[str]) -> None:
    """Write down that conversations are forgotten from now on."""

    def write(connection: sa.Connection) -> None:
        if not _secrets(connection):
            connection.execute(sa.insert(forgetting_key), {"secret": secrets.token_hex(16)})
        key = bytes.fromhex(_secrets(connection)[0])
        known = set(connection.execute(sa.select(forgotten.c.id_hash)).scalars())
        new = {_hash(key, without_address(one)) for one in ids} - known
        if new:
            connection.execute(sa.insert(forgotten), [{"id_hash": one} for one in sorted(new)])

    state.write(write)


def copy_forgotten(state: State, store: StorePath) -> None:
    """Write what is forgotten, and the log, into the store: a database may be lost, and is made again without it."""
    with state.reading() as connection:
        keys = _secrets(connection)
        hashes = connection.execute(sa.select(forgotten.c.id_hash).order_by(forgotten.c.id_hash)).scalars().all()
        log = [dict(row) for row in connection.execute(sa.select(forgettings).order_by(forgettings.c.id)).mappings()]
    document = {
        "keys": keys,
        "hashes": hashes,
        "log": [{name: plain(value) for name, value in row.items()} for row in log],
    }
    write_bytes(store / COPY, json.dumps(document, indent=1).encode())


def take_over_forgotten(connection: sa.Connection, store: StorePath) -> None:
    """Take what is forgotten over from the store's copy, in a database that is made again or was restored."""
    try:
        with usable(store, passing=FileNotFoundError):
            document = json.loads((store / COPY).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    if keys := sorted(set(document["keys"]) - set(_secrets(connection))):
        connection.execute(sa.insert(forgetting_key), [{"secret": key} for key in keys])
    known = set(connection.execute(sa.select(forgotten.c.id_hash)).scalars())
    new = [{"id_hash": one} for one in document["hashes"] if one not in known]
    if new:
        connection.execute(sa.insert(forgotten), new)
    lines = set(connection.execute(sa.select(forgettings.c.id)).scalars())
    rows = [row | {name: _moment(row[name]) for name in ("at", "ended_at")} for row in document["log"]]
    if rows := [row for row in rows if row["id"] not in lines]:
        connection.execute(sa.insert(forgettings), rows)


def _moment(text: str | None) -> datetime | None:
    return utc(datetime.fromisoformat(text)) if text else None


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


def _secrets(connection: sa.Connection) -> list[str]:
    return list(connection.execute(sa.select(forgetting_key.c.secret).order_by(forgetting_key.c.secret)).scalars())


def _hash(key: bytes, conversation_id: str) -> str:
    return hmac.new(key, conversation_id.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
