"""What a run publishes does not depend on how the bundle is cut into shards."""

from __future__ import annotations

import errno
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from lacuna.data_contracts.errors import StoreUnusable
from lacuna.pipelines.run import plan_scheduled, run, run_part, shards_for
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps import PARTS
from lacuna.pipelines.steps.understand import step as understand
from tests.worlds.fixed_shop import write_shop

pytestmark = pytest.mark.slow

SAME = (
    "backlog.jsonl", "topics.parquet", "assignments.parquet", "kpis.parquet", "accuracy.parquet", "not_content.jsonl",
)  # fmt: skip


@dataclass(frozen=True)
class Shop:
    """A bundle, the settings file that cuts it into many shards, and what is published of it in one."""

    bundle: str
    config: str
    published: dict[str, bytes]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A bundle, settings that cut it into many shards, and the files that a run in one shard publishes."""
    folder = tmp_path_factory.mktemp("shards")
    bundle = write_shop(folder / "bundle", date(2024, 8, 4), tagged=6)
    configs = {}
    for name, megabytes in (("one", 64), ("many", 0.004)):
        configs[name] = folder / f"{name}.toml"
        configs[name].write_text(f'[embedder]\nname = "lexical"\n[shards]\nmegabytes = {megabytes}\n')
    published = run(str(bundle), folder / "one", config=str(configs["one"])).folder
    return Shop(str(bundle), str(configs["many"]), {file: (published / file).read_bytes() for file in SAME})


def check_same(folder: Path, shop: Shop) -> None:
    """Backlog, topics and figures are those of a run in one shard, byte by byte."""
    for file in SAME:
        assert (folder / file).read_bytes() == shop.published[file], file


def test_a_run_in_many_shards_goes_on_where_it_was_interrupted(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third shard fails while articles are matched; the next run repeats it alone, and gives the same bytes."""
    matched: list[str | None] = []
    match_articles = understand.match_articles

    def fails_once(job: Job, shard: str | None) -> None:
        matched.append(shard)
        if len(matched) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        match_articles(job, shard)

    monkeypatch.setattr(understand, "match_articles", fails_once)
    with pytest.raises(StoreUnusable):
        run(shop.bundle, tmp_path, config=shop.config)
    folder = run(shop.bundle, tmp_path, config=shop.config).folder
    assert len(matched) > 4
    assert len(matched) == len(set(matched)) + 1
    check_same(folder, shop)


def test_parts_may_be_performed_one_by_one_and_shards_in_any_order(shop: Shop, tmp_path: Path) -> None:
    """As a scheduler does it, the last shard first: the same bytes, and run.json says what each part took."""
    job = plan_scheduled({"bundle": shop.bundle, "store": str(tmp_path), "config": shop.config})
    assert job is not None
    for part in PARTS:
        for shard in reversed(shards_for(part.step, part.name, job)):
            run_part(part.step, part.name, job, shard)
    (folder,) = (tmp_path / "runs").glob("2024*")
    check_same(folder, shop)
    parts = {part["part"]: part for part in json.loads((folder / "run.json").read_text())["parts"]}
    assert list(parts) == [part.name for part in PARTS[:-1]]
    assert parts["match_articles"]["shards"] > 4
    assert parts["find_topics"]["shards"] is None
