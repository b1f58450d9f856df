"""Addresses of owners, and digests that were sent, in the state database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.state import schema

if TYPE_CHECKING:
    import pandas as pd

    from lacuna.pipelines.state.repository import State

__all__ = ["Contact", "contacts", "mark", "reached", "remember_contacts"]


@dataclass(frozen=True)
class Contact:
    """An owner's name and address; either may be unknown."""

    name: str | None
    email: str | None


def remember_contacts(state: State, owners: pd.DataFrame) -> None:
    """Keep the addresses of the latest run's owners, and delete those of others."""
    rows = [
        {
            "owner_id": str(row["owner_id"]),
            "name": schema.plain(row.get("name")),
            "email": schema.plain(row.get("email")),
        }
        for row in records(owners)
        if row.get("owner_id")
    ]
    rows = list({row["owner_id"]: row for row in rows}.values())

    def write(connection: sa.Connection) -> None:
        connection.execute(sa.delete(schema.contacts))
        if rows:
            connection.execute(sa.insert(schema.contacts), rows)

    state.write(write)


def contacts(state: State) -> dict[str, Contact]:
    """Names and addresses of the owners, by id."""
    with state.reading() as connection:
        return {
            row.owner_id: Contact(row.name, row.email) for row in connection.execute(sa.select(schema.contacts)).all()
        }


def reached(state: State, run_id: str) -> set[tuple[str, str]]:
    """Recipient and channel of every message of a run's digest that was sent."""
    table = schema.deliveries
    query = sa.select(table.c.recipient, table.c.channel).where(table.c.run_id == run_id)
    with state.reading() as connection:
        return {(row.recipient, row.channel) for row in connection.execute(query).all()}


def mark(state: State, run_id: str, recipient: str, channel: str) -> None:
    """Remember that a message was sent."""
    row = {"run_id": run_id, "recipient": recipient, "channel": channel, "at": datetime.now(UTC)}
    state.write(lambda connection: connection.execute(sa.insert(schema.deliveries), row))
