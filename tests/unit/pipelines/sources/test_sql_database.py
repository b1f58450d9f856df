"""Databases by URL: what goes wrong is told without the password, and values are what the contract takes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from lacuna.data_contracts.errors import SettingsInvalid, SourceUnreadable
from lacuna.pipelines.sources.sql_changes import Changes, Tracked
from lacuna.pipelines.sources.sql_database import Database
from lacuna.pipelines.sources.sql_values import CONVERTERS, as_stored, earlier, from_cursor, to_cursor
from tests.support.vendor_tables import plant_zendesk
from tests.support.warehouses import URL, Warehouse, every_kind, source_of

AT = datetime(2024, 5, 1, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "url", ["no url", "postgresql+psycopg://amara:hunter22@127.0.0.1:1/shop", "nosql://a:hunter22@b/c"]
)
def test_a_url_that_leads_nowhere_is_told_without_its_password(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the URL nor the password is in the message, whatever the driver says."""
    monkeypatch.setenv(URL, url)
    with pytest.raises((SettingsInvalid, SourceUnreadable)) as refused:
        source_of(Warehouse(url), layout="fivetran_zendesk").streams()
    assert "hunter22" not in str(refused.value)
    assert url not in str(refused.value)
    assert "sources.dwh" in str(refused.value)


@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
def test_a_table_that_may_not_be_read_is_not_taken_for_one_that_is_missing(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the table and the right; a user with the rights of the how-to, and no more, can pull."""
    plant_zendesk(warehouse)
    user = f"reader_{warehouse.schema}"
    warehouse.run(f"CREATE ROLE {user} LOGIN")
    warehouse.run(f'GRANT USAGE ON SCHEMA "{warehouse.schema}" TO {user}')
    monkeypatch.setenv(URL, warehouse.url.replace("lacuna@", f"{user}@"))
    try:
        with pytest.raises(SourceUnreadable, match="user can't be read: permission denied") as refused:
            source_of(warehouse, layout="fivetran_zendesk").streams()
        assert f"GRANT SELECT ON {warehouse.schema}" in str(refused.value)
        warehouse.run(f'GRANT SELECT ON ALL TABLES IN SCHEMA "{warehouse.schema}" TO {user}')
        assert source_of(warehouse, layout="fivetran_zendesk").streams()
    finally:
        warehouse.run(f"DROP OWNED BY {user}; DROP ROLE {user}")


@every_kind
def test_changes_of_one_moment_are_paged_by_id_and_none_is_skipped(warehouse: Warehouse) -> None:
    """Forty rows of the same moment, by pages of seven, from any cursor on."""
    warehouse.create("things", {"id": "BIGINT", "seen": "TIMESTAMP"}, [(n, "2024-05-01 09:30:00") for n in range(40)])
    database = Database("dwh", warehouse.url, warehouse.schema)
    there = database.table("things")
    assert there is not None
    main = Tracked(there[0], sa.column("id"), sa.column("seen"))
    changes = Changes(database, main, [main], page=7, overlap=timedelta(hours=1))
    first = list(changes.pages(None, None))
    assert [one for ids, _ in first for one in ids] == list(range(40))
    assert [one for ids, _ in changes.pages(first[2][1], None) for one in ids] == list(range(21, 40))
    later = list(changes.pages(first[-1][1], None))
    assert [one for ids, _ in later for one in ids] == list(range(40))
    assert [one for ids, _ in changes.pages(later[3][1], None) for one in ids] == list(range(28, 40))
    assert later[-1] == ([], first[-1][1])
    database.close()


@pytest.mark.parametrize("warehouse", ["duckdb"], indirect=True)
def test_times_that_are_finer_than_pythons_do_not_hold_a_pull_up(warehouse: Warehouse) -> None:
    """Forty rows of one microsecond, a nanosecond apart, by pages of seven: all come, and there is an end."""
    warehouse.create("things", {"id": "BIGINT", "seen": "TIMESTAMP_NS"})
    rows = [(n, f"2024-05-01 09:30:00.0000010{n:02d}") for n in range(40)]
    warehouse.insert("things", rows)
    database = Database("dwh", warehouse.url)
    there = database.table("things")
    assert there is not None
    main = Tracked(there[0], sa.column("id"), sa.column("seen"))
    changes = Changes(database, main, [main], page=7, overlap=timedelta(hours=1))
    first = list(changes.pages(None, None))
    assert {one for ids, _ in changes.pages(first[-1][1], None) for one in ids} == set(range(40))
    database.close()


@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
def test_colons_and_percent_signs_of_a_query_are_its_own(warehouse: Warehouse) -> None:
    """A cast, a time and a pattern."""
    warehouse.create("things", {"id": "BIGINT"}, [(7,)])
    database = Database("dwh", warehouse.url)
    asked = f"SELECT id::text AS id, ':a %' AS word FROM {warehouse.schema}.things WHERE '12:30' LIKE '%:3%';"
    rows, columns = database.query("articles", asked)
    assert list(columns) == ["id", "word"]
    assert database.rows(sa.select(rows)) == [("7", ":a %")]
    database.close()


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("id", 12, "12"), ("id", Decimal("12"), "12"), ("id", 12.0, "12"), ("text", b"a", "a"), ("text", [1], "[1]"),
        ("timestamp", "2024-05-01 09:30:00", AT), ("timestamp", "2024-05-01T11:30:00+02:00", AT),
        ("timestamp", AT.timestamp(), AT), ("timestamp", int(AT.timestamp() * 1000), AT), ("timestamp", "", None),
        ("timestamp", date(2024, 5, 1), datetime(2024, 5, 1, tzinfo=UTC)),
        ("bool", 1, True), ("bool", "FALSE", False), ("bool", "t", True), ("bool", None, None), ("float", "4.5", 4.5),
        ("int", Decimal("3"), 3), ("list", '["a", " b"]', ["a", "b"]), ("list", "a;b;", ["a", "b"]), ("list", "", None),
    ],
)  # fmt: skip
def test_values_of_databases_become_the_contracts(kind: str, given: Any, value: Any) -> None:
    """Whatever a driver makes of a column."""
    assert CONVERTERS[kind](given) == value


@pytest.mark.parametrize(
    "stored",
    ["2024-05-01 09:30:00", "2024-05-01T09:30:00", AT, AT.replace(tzinfo=None), int(AT.timestamp()), "2024-05-01"],
)
def test_times_go_back_as_the_column_holds_them(stored: Any) -> None:
    """So that the database compares them as its own; also by way of a cursor."""
    before = earlier(from_cursor(to_cursor(stored)), timedelta(days=1))
    assert type(before) is type(stored)
    assert as_stored(AT, stored) == stored
    assert before < stored
