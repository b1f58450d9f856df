"""The tables that the layouts expect are those that Fivetran publishes: its sample rows are pulled without an error."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.support.paths import SHARED
from tests.support.warehouses import Collected, Warehouse, every_kind, source_of

VENDORS = SHARED / "vendors"
pytestmark = pytest.mark.skipif(not VENDORS.is_dir(), reason="Fivetran's sample rows are not beside this checkout")


def load(warehouse: Warehouse, folder: Path) -> None:
    """Load the sample rows: ids as text, which is one of the two ways in which they are landed."""
    for file in sorted(folder.glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as lines:
            header, *rows = csv.reader(lines)
        columns = {name: _kind(name) for name in header}
        warehouse.create(file.stem, columns, [[value or None for value in row] for row in rows])


def _kind(column: str) -> str:
    if column in {"_fivetran_active", "_fivetran_deleted", "public", "active", "suspended", "is_public"}:
        return "BOOLEAN"
    return "TIMESTAMP" if column in {"_fivetran_synced", "created_at", "updated_at", "updated", "created"} else "TEXT"


@every_kind
def test_zendesks_sample_tickets_are_pulled(warehouse: Warehouse) -> None:
    """Ten tickets, two of them deleted; the others' comments are not among the rows, so their description speaks."""
    load(warehouse, VENDORS / "fivetran-zendesk")
    pulled = Collected().read(source_of(warehouse, layout="fivetran_zendesk"))
    assert sorted(pulled.conversations) == ["11071", "1404", "14173", "16988", "1966", "4721", "6171", "6605"]
    assert sorted(pulled.gone) == ["11013", "1595"]
    assert {key: len(rows) for key, rows in pulled.messages.items()} == dict.fromkeys(pulled.conversations, 1)
    assert [row["owner_id"] for row in pulled.rows["owners"]] == ["1111"]
    assert pulled.names["11071"] >= {"Earnest End User", "Arthur Agent"}


@every_kind
def test_intercoms_sample_conversations_are_pulled(warehouse: Warehouse) -> None:
    """Two conversations of nine versions, and four articles; the notes among the parts are of neither."""
    load(warehouse, VENDORS / "fivetran-intercom")
    pulled = Collected().read(source_of(warehouse, layout="fivetran_intercom"))
    assert sorted(pulled.conversations) == ["156643300001311", "156643300001372"]
    assert [row["text"] for rows in pulled.messages.values() for row in rows] == [
        "Wwv4V+vvEudRW0Hi5bSkeQ==",
        "qkfzcFA4UoF9SvG054IVUw==",
    ]
    assert [row["article_id"] for row in pulled.rows["articles"]] == [f"article_00{n}" for n in range(1, 5)]
    assert {row["team"] for row in pulled.rows["owners"]} == {"Customer support", "Management", "Robots"}
