"""What a test knows of each vendor: its fake, its section of the settings, and which columns the vendor can carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from fastapi import FastAPI

from lacuna.pipelines.settings import Settings, load_settings
from lacuna.pipelines.sources.tables import columns_of
from tests.support.vendors.help_desk import HelpDesk, Thread

Row = dict[str, Any]


@dataclass(frozen=True)
class Vendor:
    """A vendor.

    Attributes
    ----------
    kind
        The type of the source.
    app
        Its fake, made over a help desk.
    section
        Its settings besides type and address.
    secrets
        Environment variables that the settings name, with the secrets that the fake accepts.
    carried
        Columns by table that come through as the help desk has them; ids of conversations, articles and owners are
        the vendor's numbers.
    changes
        What the vendor makes of a value on the way, by table and column.
    """

    kind: str
    app: Callable[..., FastAPI]
    section: Mapping[str, Any]
    secrets: Mapping[str, str]
    carried: Mapping[str, Sequence[str]]
    changes: Mapping[tuple[str, str], Callable[[Any], Any]] = field(default_factory=dict)

    def settings(self, folder: Path, address: str, **more: Any) -> Settings:
        """Settings with the source ``desk`` at an address; texts are not redacted unless ``more`` says so."""
        section = {"type": self.kind, "address": address, "redact": False, **self.section, **more}
        file = folder / "lacuna.toml"
        lines = "\n".join(f"{key} = {_toml(value)}" for key, value in section.items())
        file.write_text(f"[sources.desk]\n{lines}\n", encoding="utf-8")
        return load_settings(str(file))

    def truth(self, desk: HelpDesk) -> dict[str, list[Row]]:
        """What the bundle should hold: rows by table, only of the columns that the vendor carries."""
        rows: dict[str, list[Row]] = {"conversations": [], "messages": [], "outcomes": []}
        for thread in desk.served():
            key = {"conversation_id": str(thread.number)}
            rows["conversations"].append({**thread.row, **key, "updated_at": thread.updated_at})
            rows["messages"] += [
                {**message, **key, "position": place, "article_ids": _numbers(desk, message.get("article_ids"))}
                for place, message in enumerate(thread.messages)
            ]
            rows["outcomes"] += [{**row, **key} for row in self._outcomes(thread)]
        for row in desk.articles:
            owner = desk.owner_number.get(row["owner_id"])
            number = str(desk.article_number[row["article_id"]])
            rows.setdefault("articles", []).append({**row, "article_id": number, "owner_id": owner and str(owner)})
        rows["owners"] = [{**row, "owner_id": str(desk.owner_number[row["owner_id"]])} for row in desk.owners]
        return {
            table: sorted_rows(
                {name: self.changed(table, name, row.get(name)) for name in names} for row in rows[table]
            )
            for table, names in self.carried.items()
        }

    def pulled(self, bundle: Path) -> dict[str, list[Row]]:
        """What a bundle holds, as :meth:`truth` says it."""
        return {table: sorted_rows(read_rows(bundle, table, names)) for table, names in self.carried.items()}

    def _outcomes(self, thread: Thread) -> list[Row]:
        return thread.outcomes[:1]

    def changed(self, table: str, column: str, value: Any) -> Any:
        """What the vendor makes of a value on the way."""
        change = self.changes.get((table, column))
        return change(value) if change else value


def read_rows(bundle: Path, table: str, names: Sequence[str]) -> list[Row]:
    """The rows of a pulled table."""
    assert set(names) <= set(columns_of(table))
    files = sorted((bundle / table).glob("*.parquet"))
    return [row for file in files for row in pq.read_table(file, columns=list(names)).to_pylist()]


def sorted_rows(rows: Any) -> list[Row]:
    """The rows in an order of their own, so that two lists can be compared."""
    return sorted(rows, key=lambda row: [str(value) for value in row.values()])


def whole_seconds(time: datetime | None) -> datetime | None:
    """A time as a vendor that counts seconds has it."""
    return None if time is None else time.replace(microsecond=0)


def one_space(text: str) -> str:
    """A text as HTML leaves it: no spaces at the ends, one where there were several."""
    return "\n".join(" ".join(line.split(" ")).strip() for line in text.strip().split("\n"))


def _numbers(desk: HelpDesk, articles: Sequence[str] | None) -> list[str] | None:
    known = [str(desk.article_number[one]) for one in articles or () if one in desk.article_number]
    return known or None


def _toml(value: Any) -> str:
    import json

    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    return json.dumps(value)
