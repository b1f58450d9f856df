"""What a run publishes does not depend on how the bundle is cut into shards."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from lacuna.pipelines.run import run
from tests.worlds.fixed_shop import write_shop

SAME = (
    "backlog.jsonl", "topics.parquet", "assignments.parquet", "kpis.parquet", "accuracy.parquet", "not_content.jsonl",
)  # fmt: skip


def test_many_shards_give_the_backlog_of_one(tmp_path: Path) -> None:
    """Backlog, topics and figures are the same, byte by byte."""
    bundle = write_shop(tmp_path / "bundle", date(2024, 8, 4), tagged=6)
    published = []
    for name, megabytes in (("one", 64), ("many", 0.004)):
        config = tmp_path / f"{name}.toml"
        config.write_text(f'[embedder]\nname = "lexical"\n[shards]\nmegabytes = {megabytes}\n')
        folder = run(str(bundle), tmp_path / name, config=str(config)).folder
        published.append({file: (folder / file).read_bytes() for file in SAME})
    for file in SAME:
        assert published[0][file] == published[1][file], file
