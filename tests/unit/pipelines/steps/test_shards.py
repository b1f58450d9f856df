from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.data_contracts.contract import INPUTS, TABLES
from lacuna.pipelines.io import spool as spools
from lacuna.pipelines.io.bundle import read_bundle
from lacuna.pipelines.io.spool import Spool
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.load import step as load_step
from lacuna.pipelines.steps.load.shard_plan import OTHER, plan_shards
from lacuna.pipelines.steps.load.step import check_bundle, load
from lacuna.pipelines.steps.redact.step import redact
from tests.support.bundles import jsonl, make_job, write_bundle

START = pd.Timestamp("2024-01-01", tz="UTC")

sizes_by_week = st.lists(st.lists(st.integers(0, 300), max_size=6), min_size=1, max_size=12)


def weeks_of(sizes: list[list[int]]) -> tuple[pd.Series, pd.Series]:
    """Conversations as ``plan_shards`` takes them, given the text bytes of each week's."""
    rows = [(f"c{week}-{n}", week, size) for week, week_sizes in enumerate(sizes) for n, size in enumerate(week_sizes)]
    ids = pd.Index([row[0] for row in rows], dtype="object")
    started = START + pd.to_timedelta([row[1] * 7 for row in rows], unit="D")
    return pd.Series(started, index=ids), pd.Series([row[2] for row in rows], index=ids, dtype="int64")


@given(sizes_by_week, st.integers(50, 500), st.randoms(use_true_random=False))
def test_a_plan_is_a_partition_that_does_not_depend_on_row_order(
    sizes: list[list[int]], limit: int, chance: random.Random
) -> None:
    """Every conversation has one shard, whatever the order of the rows; shards that can be parted keep the limit."""
    started, text_bytes = weeks_of(sizes)
    plan = plan_shards(started, text_bytes, limit)
    assert plan.index.tolist() == started.index.tolist()
    order = list(range(len(started)))
    chance.shuffle(order)
    again = plan_shards(started.iloc[order], text_bytes.iloc[order[::-1]], limit)
    assert again.loc[plan.index].tolist() == plan.tolist()
    if text_bytes.sum() <= limit:
        assert plan.nunique() <= 1
    joined = text_bytes.groupby(plan).sum()
    assert (
        all(total <= limit for shard, total in joined.items() if "-of-" not in str(shard)) or text_bytes.max() > limit
    )


@given(sizes_by_week, st.lists(st.integers(0, 300), min_size=1, max_size=6), st.integers(50, 500))
def test_a_new_week_leaves_old_shards_as_they_are(sizes: list[list[int]], new: list[int], limit: int) -> None:
    """Only the last shard may change, when the new week joins it."""
    before = plan_shards(*weeks_of(sizes), limit)
    after = plan_shards(*weeks_of([*sizes, new]), limit)
    old = {shard: set(before.index[before == shard]) for shard in before.unique()}
    now = {shard: set(after.index[after == shard]) for shard in after.unique()}
    changed = [shard for shard in old if now.get(shard) != old[shard]]
    assert changed in ([], [max(old, default=None)])
    assert all(old[shard] <= now[shard] for shard in changed)


def test_names_of_shards_sort_by_time_and_a_large_week_is_parted() -> None:
    """A week above the limit is parted in a power of two; messages of no conversation are a shard of their own."""
    started, text_bytes = weeks_of([[40], [50], [30] * 64, [10]])
    plan = plan_shards(started, pd.concat([text_bytes, pd.Series([5], index=["nobody"])]), 100)
    names = sorted(plan.unique())
    assert plan.unique().tolist()[0] == "2024-W01"
    assert [name for name in names if name.startswith("2024-W03")] == [
        f"2024-W03-{n:02d}-of-32" for n in range(1, 33) if f"2024-W03-{n:02d}-of-32" in set(plan)
    ]
    assert (names[0], names[-2], names[-1]) == ("2024-W01", "2024-W04", OTHER)
    assert plan["nobody"] == OTHER


def test_one_enormous_conversation_makes_a_shard_of_its_size() -> None:
    """It is never parted, and does not part the rest of its week into crumbs."""
    started, text_bytes = weeks_of([[1_000_000, 40, 40]])
    assert plan_shards(started, text_bytes, 100).nunique() <= 2


def messy_bundle(folder: Path, conversations: int = 90) -> str:
    """A bundle of several files and formats with rows of every kind of fault."""
    chance = random.Random(3)
    rows: list[dict[str, Any]] = []
    begin = datetime(2024, 4, 1, tzinfo=UTC)
    names = ["Anna", "Zeynep", "Quandt", "Olga"]
    for n in range(conversations):
        started = begin + timedelta(hours=18 * chance.randrange(conversations))
        rows.append(
            {"conversation_id": f"c{n}", "started_at": started.isoformat(), "escalated": n % 3 == 0,
             "customer_id": f"u{n % 40}", "product": ["Vexor", None][n % 2]}
        )  # fmt: skip
    messages: list[dict[str, Any]] = []
    for n in chance.sample(range(conversations + 12), conversations + 12):
        for position in range(chance.randrange(0, 4)):
            name = chance.choice(names)
            text = chance.choice(
                [
                    "Where is my parcel?",
                    f"Hi {name}, it left.",
                    f"Thanks,\n{name}",
                    f"call {name} at a@b.example",
                    "é" * 90,
                ]
            )
            messages.append(
                {"conversation_id": f"c{n}", "position": position, "role": ["customer", "bot", "agent"][position],
                 "text": text, "article_ids": [["a1", "a1,a2"], ["a77"], None][position], "sent_at": "2024-05-01"}
            )  # fmt: skip
    some = chance.sample(range(len(messages)), 40)
    for at in some[:8]:
        messages[at]["role"] = "user"
    for at in some[8:14]:
        messages[at]["sent_at"] = "soon"
    for at in some[14:18]:
        messages[at]["conversation_id"] = None
    for at in some[18:24]:
        messages.append({**messages[at], "text": "said again"})
    for at in some[24:27]:
        messages.append(dict(messages[at]))
    for at, message in enumerate(messages):
        message["note"] = [at, "text", None, {"k": 1}][at % 4 if at < 150 else 2]
        message["rank"] = at
    half = len(messages) // 2
    place = Path(write_bundle(folder / "bundle", conversations=rows, messages=None)) / "messages"
    place.mkdir()
    (place / "a.jsonl").write_text(jsonl(messages[:half]) + "{broken\n" + "[1]\n", encoding="utf-8")
    frame = pd.DataFrame(messages[half:]).drop(columns=["article_ids", "note"])
    (place / "b.csv").write_text(frame.to_csv(index=False) + "", encoding="utf-8")
    return str(folder / "bundle")


def small_pieces(monkeypatch: pytest.MonkeyPatch, block_bytes: int, chunk_bytes: int) -> None:
    """Read and check in pieces of a few rows."""

    def spool(folder: Path) -> Spool:
        return Spool(TABLES["messages"], "conversation_id", "text", folder / "messages", block_bytes, chunk_bytes)

    monkeypatch.setattr(load_step, "messages_spool", spool)


def in_shards(job: Job, megabytes: float) -> Job:
    """The job with another size of shards."""
    shards = job.settings.shards.model_copy(update={"megabytes": megabytes})
    settings = job.settings.model_copy(update={"shards": shards})
    return Job(job.bundle, job.store, job.start, job.end, job.config, settings)


def by_key(rows: pd.DataFrame) -> list[str]:
    """The rows as sorted text: shards are in the order of time, one shard is in the order of ids."""
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in rows.astype("object").to_dict("records"))


def test_many_small_shards_hold_what_one_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, findings, quarantine, counts and redacted texts are the same, however a bundle is cut."""
    bundle = messy_bundle(tmp_path)
    whole = make_job(bundle, tmp_path / "whole", end="2024-06-20")
    load(whole)
    redact(whole)
    assert whole.shards == ["2024-W14"]
    small_pieces(monkeypatch, 4_000, 2_000)
    parted = in_shards(make_job(bundle, tmp_path / "parted", end="2024-06-20"), 0.0008)
    load(parted)
    redact(parted)
    assert len(parted.shards) > 5
    for name in ("load/load", "load/data", "redact/redact"):
        assert parted.read_json(name) == whole.read_json(name), name
    for step in ("load", "redact"):
        names = [f"{step}/quarantine/{name}" for name in (*INPUTS, "values")]
        for name in names:
            pd.testing.assert_frame_equal(parted.read(name), whole.read(name), obj=name)
    for name in ("load/conversations", "load/messages", "redact/messages"):
        assert by_key(parted.read(name)) == by_key(whole.read(name)), name
        assert parted.read(name).dtypes.to_dict() == whole.read(name).dtypes.to_dict()
    warned = {(w["rule"], w["column"]) for w in whole.read_json("load/warnings") if "column" in w}
    assert {("versions", "conversation_id, position"), ("references", "article_ids"), ("readable", "sent_at")} <= warned


def test_a_shard_says_what_it_holds(tmp_path: Path) -> None:
    """All of a conversation lies in one shard; the counts and the text of all shards are those of the bundle."""
    job = in_shards(make_job(messy_bundle(tmp_path), tmp_path / "store", end="2024-06-20"), 0.001)
    load(job)
    entries = job.read_json("load/shards")
    assert [entry["shard"] for entry in entries] == sorted(entry["shard"] for entry in entries)
    seen: set[str] = set()
    for entry in entries:
        conversations = job.read_shard("load/conversations", entry["shard"])
        messages = job.read_shard("load/messages", entry["shard"])
        assert (entry["conversations"], entry["messages"]) == (len(conversations), len(messages))
        assert entry["text_bytes"] == sum(len(text.encode()) for text in messages["text"])
        ids = set(conversations["conversation_id"]) | set(messages["conversation_id"])
        assert not ids & seen
        seen |= ids
    assert sum(entry["messages"] for entry in entries) == job.read_json("load/load")["tables"]["messages"]["rows_kept"]


def test_a_new_week_leaves_the_rows_of_old_shards_as_they_are(tmp_path: Path) -> None:
    """The hash of a shard's rows is the same a week later, of all shards but the last."""
    bundle = messy_bundle(tmp_path)
    hashes = []
    for end in ("2024-06-13", "2024-06-20"):
        job = in_shards(make_job(bundle, tmp_path / end, end=end), 0.001)
        load(job)
        hashes.append({entry["shard"]: entry["sha256"] for entry in job.read_json("load/shards")})
    old, new = hashes
    same = [shard for shard in old if new.get(shard) == old[shard]]
    others = [shard for shard in old if shard not in same]
    assert len(same) >= len(old) - 2
    assert all(shard in (OTHER, max(shard for shard in old if shard != OTHER)) for shard in others)


def test_check_says_the_same_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`lacuna check` finds the same in a bundle that is read in small pieces."""
    bundle = messy_bundle(tmp_path)
    whole = check_bundle(bundle)
    small_pieces(monkeypatch, 6_000, 1_000)
    assert check_bundle(bundle) == whole


@pytest.mark.parametrize("block_bytes", [1, 500, 10**9])
def test_a_spool_gives_back_what_was_read(tmp_path: Path, block_bytes: int) -> None:
    """Frame, raw values and places of all blocks together are those of the table read whole, in the order of ids."""
    bundle = messy_bundle(tmp_path)
    read = read_bundle(bundle).tables["messages"]
    spool = Spool(TABLES["messages"], "conversation_id", "text", tmp_path / "spool", block_bytes, 700)
    again = read_bundle(bundle, spool=spool)
    assert "messages" not in again.tables
    order = read.frame.sort_values("conversation_id", kind="stable").index
    blocks = list(spool.blocks())
    key: Callable[[pd.DataFrame], pd.DataFrame] = lambda f: f.sort_values("conversation_id", kind="stable")  # noqa: E731
    frame = pd.concat([key(block.frame) for block in blocks], ignore_index=True)
    pd.testing.assert_frame_equal(frame, read.frame.loc[order].reset_index(drop=True))
    where = pd.concat([block.where.loc[key(block.frame).index] for block in blocks], ignore_index=True)
    pd.testing.assert_frame_equal(where, read.where.loc[order].reset_index(drop=True))
    raw = pd.concat([block.raw.loc[key(block.frame).index] for block in blocks], ignore_index=True)
    assert raw["sent_at"].dropna().tolist() == read.raw.loc[order, "sent_at"].dropna().tolist()
    assert [(b["file"], b["row"]) for b in spool.broken] == list(
        zip(read.broken["file"], read.broken["row"], strict=True)
    )
    assert np.array_equal(spool.text_bytes().index, np.sort(read.frame["conversation_id"].dropna().unique()))


def test_rows_of_no_text_still_weigh_something(tmp_path: Path) -> None:
    """A block's limit holds for many rows of hardly any text."""
    assert spools.BLOCK_BYTES > 1 << 20
    spool = Spool(TABLES["messages"], "conversation_id", "text", tmp_path / "spool", 2_000)
    rows = [{"conversation_id": f"c{n}", "position": 0, "role": "bot", "text": ""} for n in range(100)]
    read_bundle(write_bundle(tmp_path / "b", messages=rows), spool=spool)
    assert len(list(spool.blocks())) >= 5
