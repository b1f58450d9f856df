"""Which gaps count as fixed, since when, and what a later run still knows of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lacuna.models.backlog.lifecycle import GapState
from lacuna.pipelines.gaps.history import Past
from lacuna.pipelines.io.store import write_parquet
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.rank.impact import MeasuredFixes, measure_fixes
from tests.support.bundles import make_job
from tests.support.tables import plant
from tests.unit.models.impact.test_impact import OTHERS, world

ACCEPTED = GapState("accepted", decided=1, run_id="2024-06-23")
PUBLISHED = GapState("published", decided=1, run_id="2024-06-23", published_on="2024-07-01")
NO_GAPS = pd.DataFrame({"gap_id": [], "subtopics": []})
ROW: dict[str, Any] = {
    "gap_id": "g-1", "run_id": "2024-06-23", "kind": "stale", "title": "Update “Poles”", "topic_id": "bad",
    "subtopics": ["bad"], "article_id": "kb-bad", "status": "accepted", "owner_id": "ada",
    "first_seen": "2024-06-16",
}  # fmt: skip


def job(folder: Path, revised: dict[str, str] | None = None) -> Job:
    """A job over the four weeks up to 28 July, with articles and the days on which they changed."""
    job_ = make_job("bundle", folder, "2024-07-01", "2024-07-28")
    names = ["bad", *OTHERS]
    days = [(revised or {}).get(name, "2023-01-01") for name in names]
    articles = pd.DataFrame(
        {"article_id": [f"kb-{name}" for name in names], "created_at": "2023-01-01", "updated_at": days}
    )
    for column in ("created_at", "updated_at"):
        articles[column] = pd.to_datetime(articles[column], utc=True)
    plant(job_, "load/articles", articles)
    none = pd.DataFrame({"article_id": [], "revised_at": [], "approved": []}).astype({"approved": "boolean"})
    plant(job_, "load/article_revisions", none)
    return job_


def past(life: GapState, **row: Any) -> Past:
    """One gap that was found in the run of 23 June, and what was decided on it."""
    events = pd.DataFrame(columns=["run_id", "subtopic_id", "event", "related"])
    return Past("2024-07-28", "2024-07-21", {"g-1": ROW | row}, {}, events, {"g-1": life}, [])


def facts(since: str = "2024-05-20") -> pd.DataFrame:
    """Conversations of a topic that was mended on 1 July, beside eight others."""
    facts_table = world({"bad": (0.85, 0.1), **OTHERS})
    facts_table["started_at"] = facts_table["day"].dt.tz_localize("UTC")
    facts_table = facts_table[facts_table["day"] >= pd.Timestamp(since)].drop(columns=["day", "confirmed"])
    facts_table["conversation_id"] = [f"c-{n}" for n in range(len(facts_table))]
    return facts_table.set_index("conversation_id")


def measured(folder: Path, life: GapState, revised: dict[str, str] | None = None, **row: Any) -> MeasuredFixes:
    return measure_fixes(job(folder, revised), past(life, **row), facts(), 5.0, NO_GAPS)


def test_a_published_gap_is_measured_from_its_day(tmp_path: Path) -> None:
    """The decision's day counts, and what the run knows of the gap is told with it."""
    (row,) = records(measured(tmp_path, PUBLISHED).table)
    assert (row["fixed_on"], row["verdict"], row["status"]) == ("2024-07-01", "verified", "verified")
    assert (row["gap_id"], row["owner_id"], row["measured_in"]) == ("g-1", "ada", "2024-07-28")


def test_an_accepted_gap_is_closed_by_its_article_s_change(tmp_path: Path) -> None:
    """No decision is needed: the article changed after the gap was accepted; what changed before does not count."""
    effects = measured(tmp_path, ACCEPTED, {"bad": "2024-07-01"})
    assert records(effects.table)[0]["fixed_on"] == "2024-07-01"
    assert effects.past.lives["g-1"].status == "published"
    before = measured(tmp_path, ACCEPTED, {"bad": "2024-06-20"})
    assert before.table.empty
    assert before.past.lives["g-1"].status == "accepted"


@pytest.mark.parametrize("life", [GapState("dismissed"), GapState("snoozed", until="2024-09-01"), GapState("reopened")])
def test_what_nobody_fixed_is_not_measured(tmp_path: Path, life: GapState) -> None:
    """Dismissed, snoozed and reopened gaps have no effect to measure, whatever their article did."""
    assert measured(tmp_path, life, {"bad": "2024-07-01"}).table.empty


def test_what_nobody_decided_on_is_credited_to_its_article(tmp_path: Path) -> None:
    """It is gone after its article was changed; with an article that was not, nothing is measured."""
    (fix,) = records(measured(tmp_path, GapState(), {"bad": "2024-07-01"}).table)
    assert (fix["credited"], fix["article_id"], fix["fixed_on"]) == (True, "kb-bad", "2024-07-01")
    assert measured(tmp_path / "unchanged", GapState()).table.empty


def test_a_fix_after_the_window_waits(tmp_path: Path) -> None:
    """What is published after the last day is not in this run's world yet."""
    assert measured(tmp_path, replace(PUBLISHED, published_on="2024-08-02")).table.empty


def test_topics_whose_article_changed_are_not_compared_with(tmp_path: Path) -> None:
    """A revision in the days that are compared makes a topic touched; one of long ago does not."""
    (row,) = records(measured(tmp_path, PUBLISHED, {"h0": "2024-07-10", "h1": "2024-06-10", "h2": "2024-01-01"}).table)
    assert row["compared"] == len(OTHERS) - 2


def test_a_bundle_that_no_longer_reaches_back_keeps_the_verdict(tmp_path: Path) -> None:
    """Without a conversation of before the fix, what the run before measured stands, and says when it was measured."""
    job_ = job(tmp_path)
    first = measure_fixes(job_, past(PUBLISHED), facts(), 5.0, NO_GAPS).table
    write_parquet(job_.runs / "2024-07-21" / "impact.parquet", first.assign(measured_in="2024-07-21"))
    (job_.runs / "2024-07-21" / "run.json").write_text("{}")
    (fix,) = records(measure_fixes(job_, past(PUBLISHED), facts(since="2024-07-02"), 5.0, NO_GAPS).table)
    assert (fix["verdict"], fix["measured_in"]) == ("verified", "2024-07-21")
    moved = past(replace(PUBLISHED, published_on="2024-06-30"))
    (other,) = records(measure_fixes(job_, moved, facts("2024-07-02"), 5.0, NO_GAPS).table)
    assert other["verdict"] == "too early"


def test_a_gap_that_is_back_long_after_its_fix_is_not_excused_by_its_average(tmp_path: Path) -> None:
    """Found again in a window that lies wholly after the fix, having been away, it gets no effect that closes it."""
    effects = measured(tmp_path, PUBLISHED)
    assert effects.effect("g-1", date(2024, 7, 10)) is None
    assert effects.effect("g-1", date(2024, 6, 20)) == "verified"
    assert effects.effect("g-unknown", date(2024, 6, 20)) is None
    there = measured(tmp_path, PUBLISHED, run_id="2024-07-21", status="published")
    assert there.effect("g-1", date(2024, 7, 10)) == "verified"
