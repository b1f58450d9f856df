"""Which conversations are meant: by id, by customer, or by the day before which they began."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

import pandas as pd

from lacuna.data_contracts.contract import TABLES
from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.forgetting.traces import ids_as_known
from lacuna.pipelines.io.bundle import read_bundle
from lacuna.pipelines.io.mapping import Mapped
from lacuna.pipelines.io.processes import temporary_folder
from lacuna.pipelines.io.spool import Spool

__all__ = ["Asked", "Selection", "ids_in_file", "messages_of", "other_texts_of", "rows_about", "select"]


@dataclass(frozen=True)
class Asked:
    """What somebody asks to forget.

    Attributes
    ----------
    conversations
        Ids of conversations.
    customers
        Ids of customers, of whom all conversations go.
    before
        The day before which a conversation began that goes.
    by_retention
        Whether the settings ask for it, and nobody in person.
    """

    conversations: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    before: date | None = None
    by_retention: bool = False

    @property
    def sort(self) -> str:
        """How the conversations are named, for the log: no id."""
        named = ["conversation"] if self.conversations else []
        named += ["customer"] if self.customers else []
        named += [f"before {self.before}"] if self.before else []
        return ", ".join(["retention"] * self.by_retention + named)


@dataclass(frozen=True)
class Selection:
    """The conversations that go.

    Attributes
    ----------
    ids
        As they were named, and as runs know them.
    began
        When the first of them began, as far as the bundle tells; None where it does not tell it of all.
    unknown_customers
        Customers of whom the bundle holds no conversation.
    """

    ids: frozenset[str]
    began: datetime | None = None
    unknown_customers: tuple[str, ...] = ()


def ids_in_file(file: Path) -> list[str]:
    """The ids in a file, one a line; empty lines are passed over.

    Raises
    ------
    SettingsInvalid
        The file can't be read.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{file} can't be read: {error}", "give a text file with one id a line") from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def select(asked: Asked, bundle: str | None, mapped: Mapped) -> Selection:
    """Find the conversations that are asked for.

    Raises
    ------
    SettingsInvalid
        A customer or a day is named and no bundle, which alone tells whose a conversation is and when it began.
    BundleUnreadable
        The bundle can't be read.
    """
    if bundle is None:
        if asked.customers or asked.before:
            what = "--customer" if asked.customers else "--before"
            raise SettingsInvalid(
                f"{what} needs --bundle: runs don't hold whose a conversation was, or when it began",
                "name the bundle; or name the conversations themselves, with --conversation or --file",
            )
        return _selection(asked.conversations)
    rows = read_bundle(bundle, ["conversations"], mapped).tables["conversations"].frame
    named = ids_as_known(asked.conversations)
    chosen = rows["conversation_id"].isin(named) | rows["customer_id"].isin(asked.customers)
    if asked.before:
        chosen |= rows["started_at"] < datetime.combine(asked.before, time(), UTC)
    own = rows[chosen.fillna(False).astype(bool)]
    ids = frozenset(own["conversation_id"].dropna().astype(str))
    began = own["started_at"].dropna()
    is_told = len(own) and len(began) == len(own) and named <= {*ids, *asked.conversations}
    unknown = tuple(one for one in asked.customers if not rows["customer_id"].eq(one).any())
    return _selection(named | ids, began.min().to_pydatetime() if is_told else None, unknown)


def _selection(ids: Iterable[str], began: datetime | None = None, unknown: tuple[str, ...] = ()) -> Selection:
    return Selection(ids_as_known(ids), began, unknown)


def rows_about(bundle: str, ids: Collection[str], mapped: Mapped) -> dict[str, int]:
    """How many rows a bundle holds about conversations, by table; tables without any are left out."""
    names = ("conversations", "outcomes", "searches")
    counts = {
        name: int(read.frame["conversation_id"].isin(ids).sum())
        for name, read in read_bundle(bundle, names, mapped).tables.items()
    }
    counts["messages"] = sum(int(frame["conversation_id"].isin(ids).sum()) for frame in messages_of(bundle, mapped))
    return {table: rows for table, rows in counts.items() if rows}


def messages_of(bundle: str, mapped: Mapped) -> Iterator[pd.DataFrame]:
    """The messages of a bundle, with at least conversation_id and text, a block at a time."""
    with temporary_folder("forget") as folder:
        spool = Spool(TABLES["messages"], by="conversation_id", text="text", folder=folder / "messages")
        read_bundle(bundle, ["messages"], mapped, spool)
        for block in spool.blocks():
            yield block.frame


def other_texts_of(bundle: str, mapped: Mapped) -> Iterator[tuple[str | None, str]]:
    """Texts of a bundle beside messages: notes, searches, tags and further columns, each with its conversation."""
    names: Sequence[str] = ("conversations", "outcomes", "searches")
    for read in read_bundle(bundle, names, mapped).tables.values():
        for row in read.frame.to_dict("records"):
            owner = row.get("conversation_id")
            for name, value in row.items():
                for text in value if isinstance(value, list) else [value]:
                    if isinstance(text, str) and not str(name).endswith("_id"):
                        yield (str(owner) if isinstance(owner, str) else None), text
