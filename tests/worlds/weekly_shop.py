"""Four problems that people write about over four weeks, and a store that is run week by week, with edits between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from lacuna.pipelines.run import RunResult, run

CHAIN, LAMP, HOURS, TYRE = (
    "chain fell off the bike",
    "screen of the lamp flickers",
    "opening hours on sunday",
    "flat tyre",
)
WEEKS = ("2024-06-16", "2024-06-23", "2024-06-30")


def weekly_bundle(folder: Path) -> str:
    """Four problems that thirty people each wrote about over four weeks, every text a little different."""
    start = datetime(2024, 6, 2, 9, tzinfo=UTC)
    sides = {CHAIN: ("and the guard", "while riding uphill"), TYRE: ("front wheel", "rear wheel")}
    rows = [
        (
            f"c-{subject[:4]}-{i:02}",
            start + timedelta(hours=22 * i),
            f"my {subject} {sides.get(subject, 'xx')[i % 2]} {i}",
        )
        for subject in (CHAIN, LAMP, HOURS, TYRE)
        for i in range(30)
    ]
    folder.mkdir(parents=True)
    conversations = [
        {"conversation_id": key, "started_at": at, "escalated": True, "customer_id": key} for key, at, _ in rows
    ]
    messages = [
        message
        for key, _, text in rows
        for message in (
            {"conversation_id": key, "position": 0, "role": "customer", "text": text},
            {"conversation_id": key, "position": 1, "role": "bot", "text": "I do not know."},
        )
    ]
    articles = [{"article_id": f"kb-{i}", "title": f"Part {i}", "body": f"About part {i}."} for i in range(3)]
    for name, table in {"conversations": conversations, "messages": messages, "articles": articles}.items():
        pd.DataFrame(table).to_parquet(folder / f"{name}.parquet")
    return str(folder)


class WeeklyStore:
    """A store that is run week by week."""

    def __init__(self, folder: Path) -> None:
        self.bundle, self.store = weekly_bundle(folder / "bundle"), folder / "store"
        self.config = folder / "ours.toml"
        self.config.write_text('[embedder]\nname = "lexical"\n', encoding="utf-8")

    def run(self, week: str) -> RunResult:
        """Run the four weeks up to a day."""
        return run(self.bundle, self.store, end=week, config=str(self.config))
