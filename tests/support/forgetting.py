"""A store that knows somebody who wants to be forgotten: pulled, run, tagged, decided on, edited and exported."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from lacuna.pipelines.gaps import decisions
from lacuna.pipelines.io.bundle import read_bundle
from lacuna.pipelines.io.run_folders import find_run
from lacuna.pipelines.run import run
from lacuna.pipelines.settings import Settings, load_settings
from lacuna.pipelines.sources.pull import pull_source
from lacuna.pipelines.sources.source import Batch, Conversation, Source, SourceSettings, Stream
from lacuna.pipelines.state.repository import open_state
from lacuna.pipelines.state.tags import enter_tag
from lacuna.pipelines.topic_edits import edit_topic
from tests.support.paths import REPO

CUSTOMER = "cu-quokka"
IDS = ("c-quokka-0", "c-quokka-1", "c-quokka-2")
END = "2024-06-30"
# Nobody else writes these.
CANARIES = (
    "zibblewort", "gromulent", "quombled", "frobnitz", "snarfblatt", "vexillum", "brumbyfax", "plonkus", "wazzock",
    "yottering", "kerfuffled",
)  # fmt: skip
_ASKED = (
    "customs charge on my zibblewort parcel, who pays this gromulent fee?",
    "there's a brokerage charge on my snarfblatt delivery from you, who pays?",
    "The courier wants me to pay customs before delivering my wazzock.",
)
_ANSWERED = (
    "Nothing is due on your side, the duty was quombled by us. Press the frobnitz lever twice.",
    "Please refuse to pay, the brumbyfax desk settles it with the carrier.",
    "The message is real but wrong, our yottering team paid the duty.",
)


class Desk(Source):
    """A help desk that has the rows of the example bundle, and three conversations of that customer."""

    def __init__(self) -> None:
        super().__init__("desk", SourceSettings(type="listed", redact=False, id_prefix=""))
        self.conversations, self.others = _example()

    def streams(self) -> Sequence[Stream]:
        """Articles and owners, searches, then conversations."""
        return [
            Stream("articles", ("articles", "owners"), lambda _: iter([Batch(rows=self.others)]), whole=True),
            Stream("searches", ("searches",), self._searches),
            Stream("conversations", ("conversations", "messages", "outcomes"), self._conversations),
        ]

    def _searches(self, cursor: Any) -> Iterator[Batch]:
        if cursor is None:
            at = self.conversations[0].row["started_at"]
            rows = [
                {"searched_at": at, "query": "plonkus customs", "results": 0, "conversation_id": IDS[0]},
                {"searched_at": at, "query": "import fee", "results": 0, "conversation_id": None},
            ]
            yield Batch(rows={"searches": rows}, cursor=1)

    def _conversations(self, cursor: Any) -> Iterator[Batch]:
        yield Batch(self.conversations if cursor is None else (), cursor=1)


def _example() -> tuple[list[Conversation], dict[str, list[dict[str, Any]]]]:
    tables = {name: _rows(read.frame) for name, read in read_bundle(str(REPO / "docs/example-bundle")).tables.items()}
    of: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for name in ("messages", "outcomes"):
        for row in tables[name]:
            own = of.setdefault(row.pop("conversation_id"), {"messages": [], "outcomes": []})
            row.pop("position", None)
            own[name].append(row)
    conversations = []
    for row in tables["conversations"]:
        own = of.get(row["conversation_id"], {"messages": [], "outcomes": []})
        conversations.append(Conversation(row | {"updated_at": row["started_at"]}, own["messages"], own["outcomes"]))
    last = max(one.row["started_at"] for one in conversations)
    for number, key in enumerate(IDS):
        at = last - timedelta(hours=number + 1)
        row = {
            "conversation_id": key, "started_at": at, "updated_at": at, "escalated": True, "customer_id": CUSTOMER,
            "language": "en", "channel": "chat", "product": "bikes", "predicted_intent": "delivery",
            "tags": ["vexillum"],
        }  # fmt: skip
        messages = [
            {"role": "customer", "text": _ASKED[number]},
            {"role": "bot", "text": "I'm sorry, I don't have an answer to that.", "is_fallback": True},
            {"role": "agent", "text": _ANSWERED[number]},
        ]
        outcomes = [
            {"outcome": "no_answer", "sample": "random", "tagged_by": "qa-2", "tagged_at": at, "note": "kerfuffled"}
        ]
        conversations.append(Conversation(row, messages, outcomes))
    return conversations, {name: tables[name] for name in ("articles", "owners")}


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    kept = frame.drop(columns=["__unreadable__"])
    return [
        {
            name: value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
            for name, value in row.items()
            if isinstance(value, list) or not pd.isna(value)
        }
        for row in kept.to_dict("records")
    ]


@dataclass(frozen=True)
class Known:
    """The store, the pulled bundle, and the settings file of both."""

    folder: Path

    @property
    def store(self) -> Path:
        """The store."""
        return self.folder / "store"

    @property
    def bundle(self) -> Path:
        """The bundle that was pulled."""
        return self.folder / "bundle"

    @property
    def config(self) -> str:
        """The settings file."""
        return str(self.folder / "ours.toml")

    @property
    def settings(self) -> Settings:
        """The settings."""
        return load_settings(self.config)

    @property
    def run(self) -> Path:
        """The folder of the run."""
        return find_run(self.store)

    def mine(self) -> None:
        """Run the week."""
        run(str(self.bundle), self.store, end=END, config=self.config)

    def copied(self, folder: Path) -> Known:
        """The same in another folder."""
        shutil.copytree(self.folder, folder)
        return Known(folder)


def make_known(folder: Path) -> Known:
    """Pull, run, and do what people do with a run, in the customer's words."""
    known = Known(folder)
    folder.mkdir(parents=True, exist_ok=True)
    Path(known.config).write_text('[embedder]\nname = "lexical"\n', encoding="utf-8")
    pull_source(known.settings, Desk(), known.bundle)
    known.mine()
    with open_state(known.settings, known.store) as state:
        frame = decisions.backlog_now(known.store, state, known.settings)
        gap = str(frame["gap_id"].iloc[0])
        decisions.decide(state, gap, "accept", "ada", why=f"see {IDS[0]}: {_ASKED[0]}")
        enter_tag(state, IDS[1], "wrong", "ada", note="kerfuffled, says " + _ASKED[1])
        rows = pd.read_parquet(known.run / "topic_questions.parquet")
        own = rows[rows["conversation_id"].isin(IDS) & rows["topic_id"].notna()].iloc[0]
        other = rows[rows["topic_id"].eq(own["topic_id"]) & ~rows["conversation_id"].isin(IDS)].iloc[0]
        examples = [str(own["conversation_id"]), str(other["conversation_id"])]
        edit_topic(known.store, state, "split", str(own["topic_id"]), "ada", payload={"examples": examples})
    for name in ("report.html", "backlog.csv"):
        shutil.copy(known.run / name, known.store / f"of Monday, {name}")
    return known
