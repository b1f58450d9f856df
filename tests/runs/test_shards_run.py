"""What a run publishes does not depend on how the bundle is cut into shards."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from lacuna.pipelines.io.store import read_parquet
from lacuna.pipelines.run import run
from tests.worlds.fixed_shop import write_shop

SAME = ("backlog.jsonl", "kpis.parquet", "accuracy.parquet", "not_content.jsonl")


def test_many_shards_give_the_backlog_of_one(tmp_path: Path) -> None:
    """Backlog and figures are the same, byte by byte; so are topics, but for the order of equally good keywords."""
    bundle = write_shop(tmp_path / "bundle", date(2024, 8, 4), tagged=6)
    published, topics = [], []
    for name, megabytes in (("one", 64), ("many", 0.004)):
        config = tmp_path / f"{name}.toml"
        config.write_text(f'[embedder]\nname = "lexical"\n[shards]\nmegabytes = {megabytes}\n')
        folder = run(str(bundle), tmp_path / name, config=str(config)).folder
        topics.append(read_parquet(folder / "topics.parquet").drop(columns="keywords"))
        published.append({file: (folder / file).read_bytes() for file in SAME})
    for file in SAME:
        assert published[0][file] == published[1][file], file
    pd.testing.assert_frame_equal(topics[0], topics[1])
