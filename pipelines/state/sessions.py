"""Who is signed in to the board, in the state database: a restart signs nobody out, and another board knows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from lacuna.pipelines.board.roles import hashed, new_token
from lacuna.pipelines.state import schema
from lacuna.pipelines.state.repository import State
from lacuna.pipelines.state.schema import sessions

__all__ = ["Sessions"]


class Sessions:
    """The sign-ins by token, each known by the random value of a cookie, of which only the hash is kept.

    Parameters
    ----------
    state
        The state database.
    hours
        How long a sign-in lasts.
    """

    def __init__(self, state: State, hours: float) -> None:
        self._state = state
        self.seconds = int(hours * 3600)

    def begin(self, token_sha256: str) -> str:
        """Start a session for whoever has this token, and return the cookie's value; those that ended are forgotten."""
        value, now = new_token(), datetime.now(UTC)
        row = {
            "cookie_sha256": hashed(value), "token_sha256": token_sha256, "ends": now + timedelta(seconds=self.seconds)
        }  # fmt: skip

        def write(connection: sa.Connection) -> None:
            connection.execute(sa.delete(sessions).where(sessions.c.ends <= now))
            connection.execute(sa.insert(sessions), row)

        self._state.write(write)
        return value

    def token_of(self, value: str) -> str | None:
        """The hash of the token that a session was begun with; None where it has ended or never was."""
        if not value:
            return None
        query = sa.select(sessions.c.token_sha256, sessions.c.ends).where(sessions.c.cookie_sha256 == hashed(value))
        with self._state.reading() as connection:
            found = connection.execute(query).first()
        return found.token_sha256 if found and schema.utc(found.ends) > datetime.now(UTC) else None

    def end(self, value: str) -> None:
        """Sign out."""
        query = sa.delete(sessions).where(sessions.c.cookie_sha256 == hashed(value))
        self._state.write(lambda connection: connection.execute(query))
