"""The kept rows of conversations and messages, taken a block at a time and written shard by shard."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lacuna.data_contracts.contract import TABLES
from lacuna.models.data_coverage.coverage import messages_carry
from lacuna.pipelines.io.parts import Parts
from lacuna.pipelines.io.spool import Spool, text_lengths
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.steps.load.shard_plan import plan_shards

if TYPE_CHECKING:
    from lacuna.pipelines.runtime.job import Job

__all__ = ["ShardWriter", "messages_spool"]


def messages_spool(folder: Path) -> Spool:
    """Scratch files for the table messages."""
    return Spool(TABLES["messages"], by="conversation_id", text="text", folder=folder / "messages")


class ShardWriter:
    """Takes the kept messages in blocks, in the order of their conversations, and writes the shards of a run.

    Parameters
    ----------
    job
        Its settings say how large a shard is.
    folder
        An empty folder for scratch files.
    spool
        The messages as they were read.
    conversations
        Those until the window's end.
    late
        The ids of those after it, whose messages are left out.
    """

    def __init__(self, job: Job, folder: Path, spool: Spool, conversations: pd.DataFrame, late: pd.Series) -> None:
        self._job, self._conversations = job, conversations
        self._parts = Parts(folder, spool.schema())
        started = conversations.set_index(conversations["conversation_id"].astype("object"))["started_at"]
        sizes = spool.text_bytes()
        sizes.index = sizes.index.astype("object")
        self._late = pd.Index(late.astype("object"))
        sizes = sizes[self._late.get_indexer(sizes.index) < 0] if len(late) else sizes
        plan = plan_shards(started, sizes, job.settings.shards.megabytes * 1e6)
        self._ids = plan.index
        self._codes, names = pd.factorize(plan, sort=True)
        self._names = [str(name) for name in names]
        self._in_window = np.zeros(len(plan), dtype=bool)
        self._in_window[: len(started)] = (started >= job.start_ts).to_numpy(dtype=bool)
        self._text_bytes = np.zeros(len(names), dtype=np.int64)
        self._messages = np.zeros(len(names), dtype=np.int64)
        self._carried: list[pd.DataFrame] = []
        self.answerable = False

    @property
    def kept(self) -> int:
        """Messages until the window's end."""
        return int(self._messages.sum())

    def add(self, messages: pd.DataFrame) -> None:
        """Take a block."""
        ids = pd.Index(messages["conversation_id"].astype("object"))
        if len(self._late):
            inside = self._late.get_indexer(ids) < 0
            messages, ids = messages[inside], ids[inside]
        if not len(messages):
            return
        places = self._ids.get_indexer(ids)
        codes = self._codes[places]
        self._parts.add(messages, codes)
        lengths = text_lengths(messages["text"])
        self._text_bytes += np.bincount(codes, weights=lengths, minlength=len(self._names)).astype(np.int64)
        self._messages += np.bincount(codes, minlength=len(self._names))
        self.answerable = self.answerable or bool(self._in_window[places].any())
        self._carried.append(messages_carry(messages[self._in_window[places]]))

    def coverage(self) -> pd.DataFrame:
        """What the messages of the window's conversations carry."""
        return pd.concat(self._carried, ignore_index=True)

    def write(self) -> list[dict[str, Any]]:
        """Write ``load/conversations`` and ``load/messages`` shard by shard; what to know of each, in order."""
        self._parts.close()
        of_conversations = self._codes[: len(self._conversations)]
        shards = []
        with progress.bar("writing shards") as tick:
            for code, shard in enumerate(self._names):
                conversations = self._conversations[of_conversations == code].reset_index(drop=True)
                tables = {"conversations": conversations, "messages": self._parts.read(code)}
                if any(len(rows) for rows in tables.values()):
                    shards.append(self._written(shard, tables, int(self._text_bytes[code])))
                tick(code + 1, len(self._names))
        return shards

    def _written(self, shard: str, tables: dict[str, pd.DataFrame], text_bytes: int) -> dict[str, Any]:
        digest = hashlib.sha256()
        for name, rows in tables.items():
            self._job.write_shard(f"load/{name}", shard, rows)
            # The same rows give the same bytes.
            digest.update(self._job.shard_path(f"load/{name}", shard).read_bytes())
        counts = {name: len(rows) for name, rows in tables.items()}
        return {"shard": shard, **counts, "text_bytes": text_bytes, "sha256": digest.hexdigest()}
