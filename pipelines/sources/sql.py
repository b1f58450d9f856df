"""Any SQL database by its URL: a vendor's tables as a loader lays them out, or queries of somebody's own.

Which conversations changed is asked first, some hundred ids at a time; then everything of these, from every table. So a
conversation always comes whole, and memory does not grow with a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.sources.fields import says_fallback, text_and_links
from lacuna.pipelines.sources.secrets import read_secret
from lacuna.pipelines.sources.source import OF_CONVERSATIONS, Batch, Conversation, Row, Source, SourceSettings, Stream
from lacuna.pipelines.sources.sql_changes import Changes
from lacuna.pipelines.sources.sql_database import Database
from lacuna.pipelines.sources.sql_layout import LayoutStream, VendorTables, read_layout
from lacuna.pipelines.sources.sql_queries import GONE, OwnQueries, QuerySettings
from lacuna.pipelines.sources.sql_values import text

if TYPE_CHECKING:
    from lacuna.pipelines.io.duck import Connection

__all__ = ["SqlSettings", "SqlSource"]

CHOSEN = ("region", "language", "intent", "intent_confidence", "true_intent", "article")
WORDS = ("bot_authors", "bot_tags", "escalated_tags", "escalated_groups", "contained_tags")
OF_PRODUCT = ("brand", "group", "team")  # what a product may be besides a column

Outcome = Literal["correct", "partial", "wrong", "no_answer", "misclassified"]


class SqlSettings(SourceSettings):
    """A section of the type ``sql``; ``sql.toml`` explains its keys."""

    url_env: str
    schema_name: str = Field(alias="schema")
    layout: Literal["", "fivetran_zendesk", "fivetran_intercom"]
    page: Annotated[int, Field(ge=1, le=50_000)]
    overlap_hours: Annotated[float, Field(ge=0)]
    bot_authors: list[str]
    bot_tags: list[str]
    escalated_tags: list[str]
    escalated_groups: list[str]
    contained_tags: list[str]
    fallback_phrases: list[str]
    outcome_tags: dict[str, Outcome]
    outcome_sample: Literal["", "random", "escalated", "feedback"]
    intent_tags: str
    csat_scale: Annotated[int, Field(ge=2)]
    good_rating: Annotated[float, Field(ge=1, le=5)]
    bad_rating: Annotated[float, Field(ge=1, le=5)]
    help_center: str
    product: str
    region: str
    language: str
    intent: str
    intent_confidence: str
    true_intent: str
    article: str
    tables: dict[str, QuerySettings]


class SqlSource(Source):
    """A SQL database; see :class:`pipelines.sources.source.Source`.

    Raises
    ------
    SettingsInvalid
        The URL is missing or none, or the settings name what is not there.
    SourceUnreadable
        The database can't be reached, or lacks a table or column, or the right to read it.
    """

    Settings = SqlSettings

    def __init__(self, name: str, settings: SourceSettings, since: datetime | None = None) -> None:
        super().__init__(name, settings, since)
        assert isinstance(settings, SqlSettings)
        self._settings = settings
        if settings.layout and settings.tables:
            raise SettingsInvalid(
                f"[sources.{name}] has both a layout and queries",
                "make two sources of them: two sections, with the same url_env",
            )
        if settings.layout:
            self.lacks = read_layout(settings.layout).lacks

    def streams(self) -> Sequence[Stream]:
        """The streams of the layout, or one for each query; conversations come last."""
        settings = self._settings
        database = Database(self.name, read_secret(self.name, "url_env", settings.url_env), settings.schema_name)
        try:
            if settings.layout:
                return self._streams_of_layout(database)
            return self._streams_of_queries(database, OwnQueries(self.name, database, settings.tables))
        finally:
            database.close()

    def _streams_of_layout(self, database: Database) -> list[Stream]:
        settings = self._settings
        chosen = {one: getattr(settings, one) for one in CHOSEN}
        chosen["product"] = "" if settings.product in OF_PRODUCT else settings.product
        variables = {
            **{word: [one.lower() for one in getattr(settings, word)] for word in WORDS},
            "outcome_sample": settings.outcome_sample,
            "intent_tags": settings.intent_tags.lower(),
            "csat_scale": float(settings.csat_scale),
            "good_rating": settings.good_rating,
            "bad_rating": settings.bad_rating,
            "help_center": settings.help_center,
            "product": settings.product if settings.product in OF_PRODUCT else "",
        }
        layout = read_layout(settings.layout)
        tables = VendorTables(self.name, database, layout, chosen, variables, settings.outcome_tags)
        return [
            Stream(one.name, one.gives, _closing(database, partial(self._read_layout, tables, one)), one.whole)
            for one in tables.streams()
        ]

    def _read_layout(self, tables: VendorTables, stream: LayoutStream, cursor: Any) -> Iterator[Batch]:
        changes = tables.changes(stream, self._settings.page, timedelta(hours=self._settings.overlap_hours))
        with tables.mapping() as connection:
            for ids, since, after in self._pages(changes, cursor):
                if not ids:
                    yield Batch(cursor=after)
                    continue
                tables.fill(connection, stream, ids)
                if "conversations" not in stream.gives:
                    yield Batch(rows={table: _rows(connection, table) for table in stream.gives}, cursor=after)
                    continue
                found = {table: _rows(connection, table) for table in OF_CONVERSATIONS}
                names: dict[str, list[str]] = {}
                for row in _rows(connection, "names"):
                    names.setdefault(row["conversation_id"], []).append(row["name"])
                gone = [row["conversation_id"] for row in _rows(connection, GONE)]
                found["messages"] = [self._message(row) for row in found["messages"]]
                yield self._batch(found, names, gone, since, after)

    def _message(self, row: Row) -> Row:
        text = text_and_links(row["text"])[0] if self._settings.layout == "fivetran_intercom" else row["text"]
        is_bot = row["role"] == "bot"
        fallback = says_fallback(text, self._settings.fallback_phrases) if is_bot else None
        return {**row, "text": text, "is_fallback": fallback}

    def _streams_of_queries(self, database: Database, queries: OwnQueries) -> list[Stream]:
        streams = []
        for table in queries.others():
            gives = OF_CONVERSATIONS if table in OF_CONVERSATIONS else (table,)
            streams.append(
                Stream(table, gives, _closing(database, partial(self._read_all, queries, table)), whole=True)
            )
        if queries.of_conversations:
            read = _closing(database, partial(self._read_queries, queries))
            streams.append(Stream("conversations", OF_CONVERSATIONS, read, whole=not queries.incremental))
        return streams

    def _read_all(self, queries: OwnQueries, table: str, _: Any) -> Iterator[Batch]:
        for rows in queries.all_rows(table):
            if table in OF_CONVERSATIONS:
                rows = [{**row, "conversation_id": self.id_of(row["conversation_id"])} for row in rows]
            yield Batch(rows={table: rows})

    def _read_queries(self, queries: OwnQueries, cursor: Any) -> Iterator[Batch]:
        changes = queries.changes(self._settings.page, timedelta(hours=self._settings.overlap_hours))
        for ids, since, after in self._pages(changes, cursor):
            found = {table: queries.rows_of(table, ids) for table in OF_CONVERSATIONS}
            found["messages"].sort(key=_place)
            deleted = {row["conversation_id"] for row in queries.rows_of(GONE, ids)}
            there = {row["conversation_id"] for row in found["conversations"]} - deleted
            found["conversations"] = [row for row in found["conversations"] if row["conversation_id"] in there]
            gone = [one for key in ids if (one := text(key)) is not None and one not in there]
            yield self._batch(found, {}, gone, since, after)

    def _pages(self, changes: Changes, cursor: Any) -> Iterator[tuple[list[Any], datetime | None, dict[str, Any]]]:
        """Pages of ids, with the day that the first pull began at: later ones leave out what is older, too."""
        began = cursor["since"] if cursor else (self.since.isoformat() if self.since else None)
        since = datetime.fromisoformat(began) if began else None
        for ids, after in changes.pages(cursor, since):
            yield ids, since, {**after, "since": began}

    def _batch(
        self,
        found: Mapping[str, list[Row]],
        names: Mapping[str, list[str]],
        gone: Sequence[str],
        since: datetime | None,
        after: Any,
    ) -> Batch:
        parts: dict[str, dict[str, list[Row]]] = {}
        for table in ("messages", "outcomes"):
            for row in found[table]:
                parts.setdefault(row["conversation_id"], {}).setdefault(table, []).append(row)
        conversations = {}
        for row in found["conversations"]:
            if since is not None and row["started_at"] is not None and row["started_at"] < since:
                continue
            key = row["conversation_id"]
            of = parts.get(key, {})
            known = [one for one in names.get(key, ()) if one]
            whole = {**row, "conversation_id": self.id_of(key)}
            conversations[key] = Conversation(whole, of.get("messages", ()), of.get("outcomes", ()), known)
        return Batch([*conversations.values()], gone=[self.id_of(one) for one in gone], cursor=after)


def _closing(database: Database, read: Callable[[Any], Iterator[Batch]]) -> Callable[[Any], Iterator[Batch]]:
    """Reads as ``read``, and leaves no connection open afterwards."""

    def read_and_close(cursor: Any) -> Iterator[Batch]:
        try:
            yield from read(cursor)
        finally:
            database.close()

    return read_and_close


def _rows(connection: Connection, view: str) -> list[Row]:
    rows = connection.sql(f"FROM {view}").to_arrow_table().to_pylist()
    return [
        {column: value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for column, value in row.items()}
        for row in rows
    ]


def _place(row: Row) -> tuple[bool, int, bool, datetime]:
    """Where a message stands: by its position, else by its time."""
    position, at = row["position"], row["sent_at"]
    return position is None, position or 0, at is not None, at or datetime.min.replace(tzinfo=UTC)
