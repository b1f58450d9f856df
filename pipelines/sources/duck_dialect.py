"""DuckDB files by URL: the little of a dialect of SQLAlchemy that reading takes.

The known dialects are for older versions of both. Nothing is written, and a file is opened for reading only.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, text
from sqlalchemy.dialects import registry
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.pool import Pool, SingletonThreadPool

from lacuna.pipelines.io.duck import driver

__all__ = ["DuckDialect", "register_duckdb"]


class DuckDialect(DefaultDialect):
    """What SQLAlchemy has to know of DuckDB: ``duckdb:///folder/file.duckdb``."""

    name = "duckdb"
    driver = "duckdb"
    default_paramstyle = "qmark"
    supports_statement_cache = True
    supports_native_boolean = True

    @classmethod
    def import_dbapi(cls) -> Any:
        """The module that connects."""
        return driver()

    @classmethod
    def get_pool_class(cls, url: URL) -> type[Pool]:  # noqa: ARG003 - SQLAlchemy's signature
        """One connection: opening a file takes longer than most queries."""
        return SingletonThreadPool

    def create_connect_args(self, url: URL) -> tuple[list[Any], dict[str, Any]]:
        """Open the file for reading, and load nothing from elsewhere."""
        config = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        return [url.database or ":memory:"], {"read_only": bool(url.database), "config": config}

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Nothing was written."""

    def do_commit(self, dbapi_connection: Any) -> None:
        """Nothing was written."""

    def has_table(self, connection: Connection, table_name: str, schema: str | None = None, **_: Any) -> bool:
        """Whether there is a table or view of this name."""
        query = text(
            "SELECT COUNT(*) FROM information_schema.tables WHERE LOWER(table_name) = LOWER(:name) "
            "AND LOWER(table_schema) = LOWER(COALESCE(:schema, CURRENT_SCHEMA()))"
        )
        return bool(connection.execute(query, {"name": table_name, "schema": schema}).scalar())


def register_duckdb() -> None:
    """Let URLs that begin with duckdb:// be opened by this dialect."""
    registry.register("duckdb", __name__, DuckDialect.__name__)
