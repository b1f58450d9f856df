"""How many of the replays' stale articles the watch list names on the day they go stale, and how many others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32
from lacuna.models.backlog.article_care import last_checked
from lacuna.models.diagnosis.watch_list import watch_list
from lacuna.models.text.vectors import unit
from lacuna.pipelines.io.vector_cache import embed
from tests.bench.common import REPLAY

DRAWS = ("", "-s12", "-s13", "-s14", "-s15")
NOTHING = pd.DataFrame({"cited_first": [], "p_failed": []})
NO_RELEASE = pd.DataFrame({"product": [], "version": [], "released_at": pd.to_datetime([], utc=True), "notes": []})


def nothing_said(texts: Sequence[str]) -> F32:
    """Vectors of release notes, of which the replays have none."""
    return np.zeros((len(texts), 1), dtype=np.float32)


def watch(folder: Path) -> int:
    """Print a row for each stale article, and the sums."""
    found = named = looked_at = days = 0
    for draw in DRAWS:
        replay = REPLAY.with_name(REPLAY.name + draw)
        articles = pd.read_parquet(replay / "bundle" / "articles.parquet")
        revisions = pd.read_parquet(replay / "bundle" / "article_revisions.parquet")
        vectors = unit(embed((articles["title"] + ". " + articles["body"]).tolist(), "minilm", folder, "articles"))
        stale = json.loads((replay / "truth.json").read_text(encoding="utf-8"))["stale"]
        for article, truth in sorted(stale.items()):
            day = pd.Timestamp(truth["change_date"], tz="UTC")
            there = (articles["created_at"] <= day).to_numpy()
            # Of what an article says of itself, updated_at and verified_at came later; its revisions tell when.
            live = articles[there].reset_index(drop=True)
            unknown = pd.Series(pd.NaT, live.index, dtype="datetime64[us, UTC]")
            live = live.assign(updated_at=unknown, verified_at=unknown)
            known = revisions[revisions["revised_at"] <= day]
            rows = watch_list(
                live, last_checked(live, known), NO_RELEASE, known, NOTHING, vectors[there],
                nothing_said, day, 90,
            )  # fmt: skip
            hit = article in set(rows["article_id"])
            print(f"{'named' if hit else '-':>6}  {len(rows):>3} of {len(live)}  {day.date()}  {truth['title']}")
            found, named, looked_at, days = found + hit, named + len(rows), looked_at + len(live), days + 1
    print(f"{found} of {days} named; {named / days:.1f} articles a day looked at, {named / looked_at:.1%} of all")
    return 0
