"""The names that a run's conversations show, learned shard by shard: in memory are one shard and all words."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Hashable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lacuna.models.redaction.known_names import WordCounts, names_shown
from lacuna.models.redaction.name_patterns import Level
from lacuna.models.redaction.names import Place
from lacuna.models.redaction.redact import CustomerNames, Lexicon, names_by_conversation
from lacuna.pipelines.io.store import read_parquet, write_parquet
from lacuna.pipelines.presentation import progress

if TYPE_CHECKING:
    from lacuna.pipelines.runtime.job import Job

__all__ = ["Names", "read_names"]

NamesOf = dict[Hashable, list[str]]


class Names:
    """What the texts of a run show of names.

    Parameters
    ----------
    job
        The run.
    folder
        A folder for scratch files.
    lexicon
        What all texts teach of words.
    customers
        The names that each customer's conversations show.
    """

    def __init__(self, job: Job, folder: Path, lexicon: Lexicon, customers: CustomerNames) -> None:
        self.lexicon = lexicon
        self._job, self._folder, self._customers = job, folder, customers

    def of_shard(self, number: int, shard: str | None, conversation_ids: Sequence[Hashable]) -> NamesOf:
        """The names of a shard's conversations, those of their customers' other conversations included."""
        own: dict[Hashable, dict[str, None]] = {}
        for conversation, name in read_parquet(_own_file(self._folder, number)).itertuples(index=False):
            own.setdefault(conversation, {})[name] = None
        customers = _customers(self._job, shard)
        shared = self._customers.shared(own, dict.fromkeys(conversation_ids), customers)
        return {conversation: list(names) for conversation, names in shared.items()}


def read_names(job: Job, folder: Path) -> Names:
    """Learn names from ``load/messages`` in two readings: what words are, then which names each text shows.

    ``folder`` is for scratch files: the places of names after the first reading, the names after the second.
    """
    shards = job.shards_of("load/messages")
    products: dict[str, None] = {}
    for rows in job.read_shards("load/conversations", ["product"]):
        products |= dict.fromkeys(rows["product"].dropna().unique().tolist())
    counts, seen = WordCounts(), np.empty(0, dtype=np.uint64)
    for number, _, texts in _texts(job, shards, "learning words"):
        hashes = np.array([_hash(text) for text in texts], dtype=np.uint64)
        places = counts.add(texts, products, (~np.isin(hashes, seen)).tolist())
        seen = np.union1d(seen, hashes)
        _write_places(folder, number, places)
    lexicon = counts.lexicon(products)
    del counts, seen
    customers = CustomerNames()
    several = _with_several_conversations(job)
    for number, messages, texts in _texts(job, shards, "reading names"):
        shown = names_shown(texts, _read_places(folder, number, len(texts)), lexicon)
        own = names_by_conversation(
            messages["conversation_id"].tolist(), messages["text"].tolist(), dict(zip(texts, shown, strict=True))
        )
        customers.add(own, {of: who for of, who in _customers(job, shards[number]).items() if who in several})
        pairs = [(conversation, name) for conversation, names in own.items() for name in names]
        write_parquet(_own_file(folder, number), pd.DataFrame(pairs, columns=["conversation_id", "name"], dtype="str"))
    return Names(job, folder, lexicon, customers)


def _texts(job: Job, shards: Sequence[str | None], label: str) -> Iterator[tuple[int, pd.DataFrame, list[str]]]:
    """Number, messages and distinct texts of each shard."""
    with progress.bar(label) as tick:
        for number, shard in enumerate(shards):
            messages = job.read_shard("load/messages", shard, ["conversation_id", "text"])
            yield number, messages, list(dict.fromkeys(text for text in messages["text"] if isinstance(text, str)))
            tick(number + 1, len(shards))


def _customers(job: Job, shard: str | None) -> dict[Hashable, Hashable]:
    """Conversation to its customer, where one is given."""
    conversations = job.read_shard("load/conversations", shard)
    if "customer_id" not in conversations:
        return {}
    with_customer = conversations[["conversation_id", "customer_id"]].dropna()
    return dict(zip(with_customer["conversation_id"].tolist(), with_customer["customer_id"].tolist(), strict=True))


def _with_several_conversations(job: Job) -> Collection[Hashable]:
    """The customers who have more than one conversation: only they share names."""
    ids = [rows["customer_id"] for rows in job.read_shards("load/conversations") if "customer_id" in rows]
    customers = pd.concat(ids).dropna() if ids else pd.Series([], dtype="str")
    return set(customers[customers.duplicated()])


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def _own_file(folder: Path, number: int) -> Path:
    return folder / f"names-{number}.parquet"


def _write_places(folder: Path, number: int, places: Sequence[Sequence[Place]]) -> None:
    rows = [(text, *place) for text, there in enumerate(places) for place in there]
    np.save(folder / f"places-{number}.npy", np.array(rows, dtype=np.int32).reshape(-1, 5))


def _read_places(folder: Path, number: int, texts: int) -> Iterator[list[Place]]:
    rows = np.load(folder / f"places-{number}.npy")
    starts = np.searchsorted(rows[:, 0], np.arange(texts + 1))
    for start, end in pairwise(starts):
        yield [Place(at, to, Level(level), bool(whole)) for _, at, to, level, whole in rows[start:end].tolist()]
