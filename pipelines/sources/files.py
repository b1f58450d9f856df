"""Files of any layout: exports of help desks, CRM notes, agents' tags, as the settings map their columns and values."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from lacuna.pipelines.io.duck import connect
from lacuna.pipelines.io.processes import temporary_folder
from lacuna.pipelines.sources.files_listing import SourceFile, list_files
from lacuna.pipelines.sources.files_rows import rows_of
from lacuna.pipelines.sources.files_settings import Entry, FilesSettings
from lacuna.pipelines.sources.files_spool import Spool
from lacuna.pipelines.sources.source import OF_CONVERSATIONS, Batch, Conversation, Source, Stream

__all__ = ["Files"]

MEMORY = "512MB"  # beyond it, rows are sorted on disk
BATCH_MESSAGES = 5_000


class Files(Source):
    """Files that the settings name and map."""

    Settings = FilesSettings
    lacks: Mapping[str, str] = {
        "articles": "an export of conversations has none: `lacuna init --type articles` adds a source of them",
        "messages.article_ids": "map the column that says which article an answer came from",
        "outcomes": "map the tags that agents or reviewers gave, see docs/sources-files.md",
    }

    def __init__(self, name: str, settings: FilesSettings, since: datetime | None = None) -> None:
        super().__init__(name, settings, since)
        self._settings = settings

    def streams(self) -> Sequence[Stream]:
        """A stream for conversations and what goes with them, and one for each other table."""
        entries = [(entry, list_files(self.name, entry.path)) for entry in self._settings.files]
        mapped = [table for entry, _ in entries for table in entry.columns]
        streams = []
        for table in dict.fromkeys(table for table in mapped if table not in OF_CONVERSATIONS):
            of = [(entry, files) for entry, files in entries if table in entry.columns]
            read = _reader(self, [(entry, file) for entry, files in of for file in files], table)
            streams.append(Stream(table, (table,), read, whole=True, version=self._version(of)))
        of = [(entry, files) for entry, files in entries if entry.of_conversations]
        if of and self._settings.whole:
            version = self._version(of)
            streams.append(
                Stream("conversations", OF_CONVERSATIONS, lambda _: self._all(of), whole=True, version=version)
            )
        elif of:
            streams.append(Stream("conversations", OF_CONVERSATIONS, lambda cursor: self._changed(of, cursor)))
        return streams

    def rows(self, parts: Iterable[tuple[Entry, SourceFile]], table: str) -> Iterator[Batch]:
        """The rows of a table that stand by themselves."""
        for entry, file in parts:
            for rows in rows_of(self.name, self._settings, entry, file, self.expanded):
                if rows.table == table:
                    yield Batch(rows={table: rows.typed.to_pylist()})

    def _all(self, entries: list[tuple[Entry, list[SourceFile]]]) -> Iterator[Batch]:
        batch: list[tuple[Conversation, bool]] = []
        waiting = 0
        for one, is_stated in self._conversations([(entry, file) for entry, files in entries for file in files]):
            batch.append((one, is_stated))
            waiting += 1 + len(one.messages)
            if waiting >= BATCH_MESSAGES:
                yield _batch(batch)
                batch, waiting = [], 0
        if batch:
            yield _batch(batch)

    def _changed(self, entries: list[tuple[Entry, list[SourceFile]]], cursor: Any) -> Iterator[Batch]:
        """The conversations of each file that is new or has changed: a batch a file, so that none is read in part."""
        seen: dict[str, str] = dict(cursor or {})
        for entry, files in entries:
            for file in files:
                stamp = self._version([(entry, [file])])
                if stamp and seen.get(file.address) == stamp:
                    continue
                every = [one for one, _ in self._conversations([(entry, file)])]
                seen = {**seen, file.address: stamp or ""}
                yield Batch(every, cursor=seen)

    def _conversations(self, parts: list[tuple[Entry, SourceFile]]) -> Iterator[tuple[Conversation, bool]]:
        """Every conversation, and whether it has a row of its own."""
        with temporary_folder("pull") as folder, connect(folder, memory=MEMORY) as connection:
            spool = Spool(connection)
            for entry, file in parts:
                for rows in rows_of(self.name, self._settings, entry, file, self.expanded):
                    if rows.table in OF_CONVERSATIONS:
                        spool.add(rows)
            for one, is_stated in spool.conversations(self._settings.escalated_by_agents):
                if not (self.since and one.row["started_at"] and one.row["started_at"] < self.since):
                    yield one, is_stated

    def _version(self, entries: list[tuple[Entry, list[SourceFile]]]) -> str | None:
        """What the files are and how they are read, as a text; None where that can't be told without reading them."""
        stamps = [(file.address, file.stamp) for _, files in entries for file in files]
        if not all(stamp for _, stamp in stamps):
            return None
        settings = [entry.model_dump_json() for entry, _ in entries]
        shared = self._settings.model_dump_json(exclude={"files"})
        return hashlib.sha256(repr((settings, shared, str(self.since), stamps)).encode()).hexdigest()


def _reader(source: Files, parts: list[tuple[Entry, SourceFile]], table: str) -> Any:
    return lambda _: source.rows(parts, table)


def _batch(conversations: list[tuple[Conversation, bool]]) -> Batch:
    """A batch; what names a conversation that no row states comes as rows of its own: it is as it is in the files."""
    stray = [one for one, is_stated in conversations if not is_stated]
    messages = [{**row, "position": place} for one in stray for place, row in enumerate(one.messages)]
    outcomes = [row for one in stray for row in one.outcomes]
    rows = {table: of for table, of in (("messages", messages), ("outcomes", outcomes)) if of}
    return Batch([one for one, is_stated in conversations if is_stated], rows)
