"""Sign-ins to the board, in the state database, so that they survive a restart and hold for every board."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from lacuna.pipelines.board.roles import hashed, new_token
from lacuna.pipelines.state import schema
from lacuna.pipelines.state.repository import State
from lacuna.pipelines.state.schema import sessions

__all__ = ["Sessions"]


class Sessions:
    """Sign-ins by token, each identified by the random value of a cookie, of which only the hash is kept.

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
        """Start a session for the holder of this token and return the cookie's value; ended sessions are deleted."""
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
        """The hash of the token of a session; None where it has ended or never existed."""
        if not value:
            return None
        query = sa.select(sessions.c.token_sha256, sessions.c.ends).where(sessions.c.cookie_sha256 == hashed(value))
        with self._state.reading() as connection:
            session = connection.execute(query).first()
        return session.token_sha256 if session and schema.utc(session.ends) > datetime.now(UTC) else None

    def end(self, value: str) -> None:
        """Sign out."""
        query = sa.delete(sessions).where(sessions.c.cookie_sha256 == hashed(value))
        self._state.write(lambda connection: connection.execute(query))
