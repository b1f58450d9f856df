"""A database, asked by SELECTs that every one understands; what it says no with is explained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import Engine

from lacuna.data_contracts.errors import SettingsInvalid, SourceUnreadable
from lacuna.pipelines.sources.duck_dialect import register_duckdb
from lacuna.pipelines.sources.secrets import masked

__all__ = ["IDS_A_QUERY", "Database"]

IDS_A_QUERY = 500  # Oracle takes 1,000 values in one IN, others more
STREAMED_ROWS = 1_000  # at a time, of a query that is read to its end
ATTEMPTS = 3  # where the connection broke
_NOT_ALLOWED = ("permission", "denied", "not authorized", "insufficient", "access")


class Database:
    """A database by its URL.

    Parameters
    ----------
    source
        The source's name, for messages.
    url
        As SQLAlchemy writes it. It holds a password, so it never stands in a message.
    schema
        Where the tables are; the database user's own by default.

    Raises
    ------
    SettingsInvalid
        The URL can't be read, or the driver of such databases is not installed.
    """

    def __init__(self, source: str, url: str, schema: str = "") -> None:
        register_duckdb()
        self._source, self._schema = source, schema
        try:
            address = sa.make_url(url)
        except (exc.ArgumentError, ValueError):
            raise SettingsInvalid(
                f"[sources.{source}] url_env: what the variable holds is no URL of a database",
                "write it as SQLAlchemy does, such as postgresql+psycopg://user:password@host:5432/database",
            ) from None
        password = str(address.password or "")
        self._secrets = [url, password, address.render_as_string(hide_password=False)]
        try:
            self._engine: Engine = sa.create_engine(address, pool_pre_ping=True)
        except (ImportError, exc.NoSuchModuleError) as error:
            raise SettingsInvalid(
                f"[sources.{source}] url_env: the driver of {address.drivername} is not installed: {error}",
                "pip install 'lacuna-kb[postgres]' for Postgres; for others, the dialect that SQLAlchemy's docs name",
            ) from None

    def table(self, name: str) -> tuple[sa.TableClause, dict[str, str]] | None:
        """A table, and its columns' names by their lower-case spelling; None where there is no such table.

        Raises
        ------
        SourceUnreadable
            The table is there, and the database user may not read it, or the database can't be reached.
        """
        # Warehouses that spell names in capitals need these where a name is a word of SQL ("user", "group").
        for spelt in (name, sa.quoted_name(name.upper(), True)):
            table = sa.table(spelt, schema=self._schema or None)
            try:
                with self._engine.connect() as connection:
                    names = connection.execute(sa.select(sa.text("*")).select_from(table).where(sa.false())).keys()
                return table, {one.lower(): one for one in names}
            except exc.SQLAlchemyError as error:
                if self._exists(spelt):
                    raise self._refused(f"the table {self._shown(name)} can't be read", error) from None
        return None

    def query(self, name: str, query: str) -> tuple[sa.Subquery, dict[str, str]]:
        """A query of somebody's own as a table, and its columns' names by their lower-case spelling.

        Raises
        ------
        SourceUnreadable
            The database does not take the query.
        """
        asked = query.strip().rstrip(";").replace(":", "\\:")  # a colon is the query's own, and names no parameter
        try:
            with self._engine.connect() as connection:
                probe = sa.text(f"SELECT * FROM ({asked}) asked WHERE 1 = 0")  # noqa: S608
                names = list(connection.execute(probe).keys())
        except exc.SQLAlchemyError as error:
            raise self._refused(f"the query of {name} is refused", error) from None
        columns: list[sa.ColumnClause[Any]] = [sa.column(one) for one in names]
        return sa.text(asked).columns(*columns).subquery("asked"), {one.lower(): one for one in names}

    def rows(self, query: sa.Select[Any]) -> list[Sequence[Any]]:
        """All rows of a query."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._engine.connect() as connection:
                    return [tuple(row) for row in connection.execute(query)]
            except exc.DBAPIError as error:
                if not error.connection_invalidated or attempt == ATTEMPTS:
                    raise self._refused("a query is refused", error) from None
            except exc.SQLAlchemyError as error:
                raise self._refused("a query is refused", error) from None
        raise AssertionError

    def rows_of(self, query: sa.Select[Any], column: sa.ColumnElement[Any], ids: Sequence[Any]) -> list[Sequence[Any]]:
        """The rows of a query whose column holds one of some ids."""
        found: list[Sequence[Any]] = []
        for start in range(0, len(ids), IDS_A_QUERY):
            found += self.rows(query.where(column.in_(ids[start : start + IDS_A_QUERY])))
        return found

    def stream(self, query: sa.Select[Any]) -> Iterator[list[Sequence[Any]]]:
        """The rows of a query, some at a time, without holding them all."""
        try:
            with self._engine.connect() as connection:
                result = connection.execution_options(yield_per=STREAMED_ROWS).execute(query)
                for rows in result.partitions():
                    yield [tuple(row) for row in rows]
        except exc.SQLAlchemyError as error:
            raise self._refused("a query is refused", error) from None

    def close(self) -> None:
        """Leave no connection open, and no file that others want to write; the next query opens one."""
        self._engine.dispose()

    def _exists(self, name: str) -> bool:
        """Whether the table is there; False too where the database can't be asked, which the caller finds out."""
        try:
            return sa.inspect(self._engine).has_table(name, schema=self._schema or None)
        except exc.SQLAlchemyError as error:
            raise self._refused("the database can't be asked", error) from None

    def _shown(self, table: str) -> str:
        return f"{self._schema}.{table}" if self._schema else table

    def _refused(self, what: str, error: exc.SQLAlchemyError) -> SourceUnreadable:
        said = " ".join(str(getattr(error, "orig", None) or error).split())[:300]
        remedy = "check the settings and the database; the same command goes on from here"
        if any(word in said.lower() for word in _NOT_ALLOWED):
            remedy = f"give the database user the right to read it: GRANT SELECT ON {self._schema or '…'} TO …"
        return SourceUnreadable(masked(f"[sources.{self._source}] {what}: {said}", self._secrets), remedy)
