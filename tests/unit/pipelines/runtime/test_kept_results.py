"""A part whose input has not changed is not performed again, and what is put in place is what it would have written."""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import replace
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from lacuna.pipelines.runtime import kept_results
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.runtime.parts import perform_part, shards_of_part
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.steps import PARTS
from lacuna.pipelines.steps.load.step import load
from lacuna.pipelines.steps.redact import step as redact_step
from tests.support.bundles import jsonl, make_job
from tests.worlds.fixed_shop import write_shop

pytestmark = pytest.mark.slow

WEEK, NEXT_WEEK = date(2024, 7, 21), date(2024, 7, 28)
FILL = [f"article {number} about {thing}" for number, thing in enumerate(["lamps", "stoves", "ropes", "boots"] * 4)]
KEPT = [part.name for part in PARTS if part.kept]


@pytest.fixture
def performed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each part that is kept was performed."""
    counts: Counter[str] = Counter()
    for part in (part for part in PARTS if part.kept):
        step, function = import_module(f"lacuna.pipelines.steps.{part.step}.step"), part.function

        def counting(job: Job, shard: str | None, name: str = part.name, function: Any = function) -> None:
            counts[name] += 1
            function(job, shard)

        monkeypatch.setattr(step, part.name, counting)
    return counts


def settings_with(settings: Settings, **sections: dict[str, Any]) -> Settings:
    """The settings with some keys of some sections replaced."""
    changed = {name: getattr(settings, name).model_copy(update=keys) for name, keys in sections.items()}
    return settings.model_copy(update=changed)


def understood(tmp_path: Path, store: str, until: date = WEEK, articles: str = "", **sections: dict[str, Any]) -> Job:
    """The job after all parts up to matching, of the shop's bundle up to a day, in shards of a week."""
    bundle = write_shop(tmp_path / f"bundle-{until}", until, tagged=6, weekly=2)
    file = bundle / "articles.jsonl"
    rows = [{"article_id": f"x-{number}", "title": text, "body": text} for number, text in enumerate(FILL)]
    text = file.read_text() + jsonl(rows)
    file.write_text(text.replace("password", articles) if articles else text)
    job = make_job(str(bundle), tmp_path / store, "2024-05-13", until.isoformat())
    shards = {"megabytes": 0.003} | sections.pop("shards", {})
    settings = settings_with(job.settings, **{"shards": shards, "embedder": {"name": "lexical"}} | sections)
    job = replace(job, settings=settings)
    load(job)
    last = max(number for number, part in enumerate(PARTS) if part.kept)
    for part in PARTS[1 : last + 1]:
        for shard in shards_of_part(job, part):
            perform_part(job, part, shard)
    return job


def files_of(job: Job) -> dict[str, bytes]:
    """The content of all files that understand has written, by name."""
    folder = Path(str(job.work))
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def folders(job: Job, part: str) -> list[Path]:
    """The results that are kept of a part, a folder each."""
    return sorted(Path(str(job.store)).glob(f"cache/parts/*.{part}/*/*"))


def test_a_week_later_only_the_new_week_is_read_and_matched(tmp_path: Path, performed: Counter[str]) -> None:
    """Of nine weeks eight are put in place, and every byte is that of a run from scratch."""
    first = understood(tmp_path, "store")
    shards = len(first.shards)
    assert shards >= 5
    assert performed == dict.fromkeys(KEPT, shards)
    performed.clear()
    second = understood(tmp_path, "store", NEXT_WEEK)
    assert len(second.shards) == shards + 1
    assert performed == dict.fromkeys(KEPT, 1)
    scratch = understood(tmp_path, "scratch", NEXT_WEEK, shards={"keep_results": 0})
    assert not (tmp_path / "scratch/cache/parts").exists()
    assert files_of(second) == files_of(scratch)


@pytest.mark.parametrize("change", ["article", "setting", "source", "embedder"])
def test_whatever_a_result_depends_on_makes_it_anew(
    tmp_path: Path, performed: Counter[str], monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Another text of an article concerns matching alone; another source concerns all parts."""
    shards = len(understood(tmp_path, "store").shards)
    performed.clear()
    if change == "article":
        understood(tmp_path, "store", articles="watchword")
    elif change == "setting":
        understood(tmp_path, "store", embedder={"name": "minilm"})
    else:
        if change == "source":
            monkeypatch.setattr(kept_results, "_source", lambda: "another")
        else:
            monkeypatch.setattr("lacuna.pipelines.embedders.registry.Lexical.version", "another")
        understood(tmp_path, "store")
    assert performed == dict.fromkeys(KEPT if change == "source" else ["match_articles"], shards)


@pytest.mark.parametrize("harm", ["cut", "one byte", "index", "missing"])
def test_a_damaged_result_is_set_aside_and_made_anew(
    tmp_path: Path,
    performed: Counter[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    harm: str,
) -> None:
    """Whatever befell a file, the part is performed for that shard, and its results are kept again."""
    monkeypatch.setattr(kept_results.progress.log, "propagate", True)
    before = files_of(understood(tmp_path, "store"))
    performed.clear()
    job = make_job("", tmp_path / "store")
    damaged = folders(job, "match_articles")[2]
    file = damaged / ("results.json" if harm == "index" else "understand.match.parquet")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    if harm == "missing":
        file.unlink()
    else:
        file.write_bytes({"cut": content[:99], "one byte": content, "index": b"{"}[harm])
    with caplog.at_level(logging.WARNING):
        assert files_of(understood(tmp_path, "store")) == before
    assert performed == {"match_articles": 1}
    if harm != "missing":
        assert damaged.name in caplog.text
        assert damaged.with_name(f"{damaged.name}.damaged").exists()
    performed.clear()
    understood(tmp_path, "store")
    assert not performed


def test_old_results_are_deleted(tmp_path: Path, performed: Counter[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """As many results of a shard are kept as the setting says, those used last."""
    versions = iter("abc")
    monkeypatch.setattr(kept_results, "_source", lambda: version)
    for version in versions:
        job = understood(tmp_path, "store")
        assert len(folders(job, "read_messages")) == len(job.shards) * min(2, "abc".index(version) + 1)
    performed.clear()
    version = "b"
    understood(tmp_path, "store")
    assert not performed
    version = "a"
    understood(tmp_path, "store")
    assert performed == dict.fromkeys(KEPT, len(job.shards))
    version = "b"  # used after c
    performed.clear()
    understood(tmp_path, "store")
    assert not performed


def test_weeks_before_the_bundle_are_forgotten(tmp_path: Path, performed: Counter[str]) -> None:
    """Results of shards that are earlier than all that a run has are deleted once it adds others."""
    job = understood(tmp_path, "store")
    old = Path(str(job.store)) / "cache/parts/understand.match_articles/2023-W01/x"
    old.mkdir(parents=True)
    later = old.parent.with_name("2031-W01") / "x"
    later.mkdir(parents=True)
    understood(tmp_path, "store", NEXT_WEEK)
    assert not old.parent.exists()
    assert later.exists()


@pytest.mark.parametrize(("name", "weeks_done"), [("nobodysays", 0), ("snapped", None)])
def test_a_new_name_concerns_the_weeks_whose_texts_hold_it(
    tmp_path: Path, performed: Counter[str], monkeypatch: pytest.MonkeyPatch, name: str, weeks_done: int | None
) -> None:
    """A lexicon that has grown by a word makes those shards anew in which the word occurs, and no other."""
    learn_lexicon = redact_step.learn_lexicon
    job = understood(tmp_path, "store")
    texts = [job.read_shard("load/messages", shard, ["text"])["text"] for shard in job.shards]
    holding = sum(of.str.contains(name, case=False).any() for of in texts)
    assert weeks_done == holding or (weeks_done is None and 0 < holding < len(texts))

    def learning(job: Job) -> None:
        learn_lexicon(job)
        lexicon = job.read_json("redact/lexicon")
        job.write_json("redact/lexicon", lexicon | {"names": sorted({*lexicon["names"], name})})

    monkeypatch.setattr(redact_step, "learn_lexicon", learning)
    performed.clear()
    again = understood(tmp_path, "store")
    assert performed["redact_messages"] == holding
    scratch = understood(tmp_path, "scratch", shards={"keep_results": 0})
    assert files_of(again) == files_of(scratch)


def test_nothing_that_is_kept_holds_a_text_that_is_not_redacted(tmp_path: Path) -> None:
    """Of what redacting reads, hashes are kept."""
    job = understood(tmp_path, "store")
    used = json.loads((folders(job, "redact_messages")[0] / "redact.words_used.json").read_text())
    words = {word for said in used.values() if isinstance(said, list) for word in said}
    assert words
    assert not {"password", "the", "reset"} & words
