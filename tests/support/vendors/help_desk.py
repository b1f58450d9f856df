"""The conversations, articles and people that every fake vendor serves, taken from the demo."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from lacuna.pipelines.demo import write_demo
from lacuna.pipelines.io.bundle import read_bundle
from lacuna.pipelines.steps.load.shard_writer import messages_spool
from lacuna.pipelines.steps.load.sifting import sift_all

FIRST_NUMBER = 100_001  # ids of as many digits keep the order that the demo's ids have


@dataclass
class Thread:
    """A conversation: its row of the contract, its messages and outcomes, and when it last changed.

    ``number`` is its id where a vendor counts; ``is_deleted`` ones are not served any more.
    """

    number: int
    row: dict[str, Any]
    messages: list[dict[str, Any]]
    outcomes: list[dict[str, Any]]
    updated_at: datetime
    is_deleted: bool = False


@dataclass
class HelpDesk:
    """Everything that a fake serves: rows of the contract as dictionaries, None where there is no value."""

    threads: list[Thread]
    articles: list[dict[str, Any]]
    revisions: list[dict[str, Any]]
    owners: list[dict[str, Any]]
    searches: list[dict[str, Any]]
    article_number: dict[str, int] = field(default_factory=dict)
    owner_number: dict[str, int] = field(default_factory=dict)

    def thread(self, number: int) -> Thread | None:
        """The thread of a number, if it is served."""
        place = number - FIRST_NUMBER
        thread = self.threads[place] if 0 <= place < len(self.threads) else None
        return None if thread is None or thread.is_deleted else thread

    def served(self) -> list[Thread]:
        """The threads that are not deleted."""
        return [thread for thread in self.threads if not thread.is_deleted]

    def reply(self, number: int, text: str, role: str = "customer") -> Thread:
        """Somebody writes once more, now."""
        thread = self.threads[number - FIRST_NUMBER]
        thread.updated_at = datetime.now(UTC).replace(microsecond=0)
        thread.messages.append({"role": role, "text": text, "sent_at": thread.updated_at})
        return thread

    def delete(self, number: int) -> None:
        """Somebody deletes a conversation, later than anything that was written."""
        thread = self.threads[number - FIRST_NUMBER]
        thread.is_deleted = True
        thread.updated_at = max(one.updated_at for one in self.threads) + timedelta(seconds=1)


def help_desk(threads: int | None = None) -> HelpDesk:
    """The demo's clean rows, of the first so many conversations or of all; a copy that a test may change."""
    whole = _demo(1 if threads else 12)
    if threads is None:
        return copy.deepcopy(whole)
    some = HelpDesk(whole.threads[:threads], whole.articles, whole.revisions, whole.owners, [])
    some.article_number, some.owner_number = whole.article_number, whole.owner_number
    return copy.deepcopy(some)


@cache
def _demo(weeks: int) -> HelpDesk:
    with TemporaryDirectory() as folder:
        write_demo(Path(folder), weeks=weeks)
        spool = messages_spool(Path(folder))
        kept: list[pd.DataFrame] = []
        sifted = sift_all(read_bundle(str(Path(folder) / "bundle"), spool=spool), spool, lambda _: kept.append)
        tables = {name: _rows(one.kept) for name, one in sifted.tables.items() if name != "messages"}
        tables["messages"] = _rows(pd.concat(kept))
    messages, outcomes = _by_conversation(tables["messages"]), _by_conversation(tables["outcomes"])
    rows = sorted(tables["conversations"], key=lambda row: row["conversation_id"])
    threads = []
    for number, row in enumerate(rows, FIRST_NUMBER):
        key = row["conversation_id"]
        of = sorted(messages.get(key, []), key=lambda message: message["position"])
        times = [row["started_at"], *(message["sent_at"] for message in of if message["sent_at"])]
        threads.append(Thread(number, row, of, outcomes.get(key, []), max(times)))
    desk = HelpDesk(threads, tables["articles"], tables["article_revisions"], tables["owners"], tables["searches"])
    desk.article_number = {row["article_id"]: i for i, row in enumerate(desk.articles, 5_001)}
    desk.owner_number = {row["owner_id"]: i for i, row in enumerate(desk.owners, 901)}
    return desk


def _by_conversation(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    of: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        of.setdefault(row["conversation_id"], []).append(row)
    return of


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{name: _value(value) for name, value in row.items()} for row in frame.to_dict("records")]


def _value(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    if hasattr(value, "tolist"):  # a list column, or a number of numpy
        value = value.tolist()
    if isinstance(value, list):
        return value
    return None if pd.isna(value) else value
