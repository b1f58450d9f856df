"""What a source is: streams of batches, each batch rows of the contract's tables, and where the next pull goes on.

A source's file knows a vendor's records and turns them into rows. It writes nothing, keeps nothing and repeats no
request: :mod:`pipelines.sources.api` asks, :mod:`pipelines.sources.pull` keeps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from lacuna.pipelines.io.expansion import EXPANDED_BYTES
from lacuna.pipelines.presentation.section import Section

__all__ = ["OF_CONVERSATIONS", "PULL", "Address", "Batch", "Conversation", "Row", "Source", "SourceSettings", "Stream"]

Row = dict[str, Any]
Address = Annotated[str, Field(pattern=r"^https?://[^@\s]+$")]
# The tables that go with a conversation: what a batch says of one replaces all that was there of it.
OF_CONVERSATIONS = ("messages", "outcomes", "conversations")
PULL = "_pull"  # the folder of a bundle with what pulls keep for themselves


@dataclass(frozen=True)
class Conversation:
    """A conversation as a source holds it now, whole: it replaces all that was there of it.

    Attributes
    ----------
    row
        Its row of the table conversations, and ``updated_at``, by which the newest version is found.
    messages
        Its messages in order, of all who took part, without internal notes. ``conversation_id`` and ``position`` are
        filled in.
    outcomes
        Its tags on the bot's answers; ``conversation_id`` is filled in.
    names
        Names and addresses of its people: they are redacted from its texts and kept nowhere.
    """

    row: Row
    messages: Sequence[Row]
    outcomes: Sequence[Row] = ()
    names: Sequence[str] = ()


@dataclass(frozen=True)
class Batch:
    """A part of what a stream holds.

    Rows have the contract's names and Python values: text, bool, int, float, list of str, and datetime with a zone.
    What a vendor does not tell is left out or None, never False.

    Attributes
    ----------
    conversations
        Whole conversations. One that comes twice counts as it was last.
    rows
        Rows of other tables of the contract, by table.
    gone
        Ids of conversations that no longer exist: deleted, redacted by their customer, merged into another.
    cursor
        Where the stream goes on after this batch: plain JSON, None to begin anew.
    """

    conversations: Sequence[Conversation] = ()
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    gone: Sequence[str] = ()
    cursor: Any = None

    def tables(self) -> dict[str, list[Row]]:
        """All rows by table, each conversation once, as it was last, its messages numbered."""
        newest: dict[str, Conversation] = {}
        for one in self.conversations:
            before = newest.get(one.row["conversation_id"])
            if before is None or before.row["updated_at"] <= one.row["updated_at"]:
                newest[one.row["conversation_id"]] = one
        tables = {table: list(rows) for table, rows in self.rows.items()}
        for table in OF_CONVERSATIONS if newest else ():
            tables.setdefault(table, [])
        for key, one in newest.items():
            tables["conversations"].append(one.row)
            tables["messages"] += [
                {**row, "conversation_id": key, "position": place} for place, row in enumerate(one.messages)
            ]
            tables["outcomes"] += [{**row, "conversation_id": key} for row in one.outcomes]
        return tables

    def names(self) -> dict[str, list[str]]:
        """Names and addresses of people, by conversation."""
        return {one.row["conversation_id"]: list(one.names) for one in self.conversations}


@dataclass(frozen=True)
class Stream:
    """What is read in one go, with a cursor of its own.

    Attributes
    ----------
    name
        As progress and messages name it: "conversations", "articles".
    tables
        The tables of the contract whose rows it may give.
    read
        Gives batches, from a cursor on that an earlier batch had; from the first record on where that is None.
    whole
        Every pull reads all of it from the beginning, and what it does not give any more disappears from the bundle.
    version
        Of one that is read whole: a text that is another one once its content is; where the last pull saw the same,
        nothing is read. None where that can't be told.
    """

    name: str
    tables: tuple[str, ...]
    read: Callable[[Any], Iterator[Batch]]
    whole: bool = False
    version: str | None = None


class SourceSettings(Section):
    """What all sources share; their files add to it. Defaults are in ``settings.toml``, beside this file."""

    type: str
    redact: bool
    id_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]*$")]


class Source(ABC):
    """A place that conversations, articles or both are pulled from.

    Parameters
    ----------
    name
        Its name in the settings; files of the bundle bear it.
    settings
        Its section of the settings.
    since
        The day from which on conversations are pulled; None for all of them.
    """

    Settings: type[SourceSettings] = SourceSettings
    # What this vendor can't say, by table and column, and how to get it all the same.
    lacks: Mapping[str, str] = {}
    # Bytes that a packed file may expand to: [input] expands_to_megabytes.
    expanded: int = EXPANDED_BYTES

    def __init__(self, name: str, settings: SourceSettings, since: datetime | None = None) -> None:
        self.name = name
        self.since = since
        self.redacts = settings.redact
        self._prefix = settings.id_prefix

    def listed_ids(self) -> Iterator[str] | None:
        """The ids of all conversations that exist now, as :meth:`id_of` gives them; None where nothing lists them.

        For vendors that say nothing when a conversation is deleted. Those that do put it into ``gone``.
        """
        return None

    def id_of(self, key: object) -> str:
        """The id in the bundle of a conversation that the source knows by ``key``."""
        return f"{self._prefix}{key}"

    @abstractmethod
    def streams(self) -> Sequence[Stream]:
        """The streams, in the order in which they are pulled: articles before the conversations that cite them."""
