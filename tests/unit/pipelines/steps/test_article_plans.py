"""Plans and proposals of a run in planted worlds: a draft a language, and sources that hold what is proposed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lacuna.pipelines.io.store import read_parquet, write_parquet
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.rank.gap_evidence import gather
from tests.unit.pipelines.steps.test_gap_evidence import NOTHING, gap, job_of

ENGLISH = ["The customs fee is included in our prices.", "Send us the customs receipt and we refund it within 5 days."]
GERMAN = [
    "Der Zoll ist in unseren Preisen enthalten.",
    "Schicken Sie uns die Quittung vom Zoll, wir erstatten in fünf Werktagen.",
]


def with_answers(job: Job, answers: dict[str, str], languages: dict[str, str]) -> Job:
    """The job with other replies of agents, and other languages."""
    messages = read_parquet(job.path("redact/messages.parquet"))
    told = messages["conversation_id"].map(answers)
    messages["text"] = messages["text"].where(messages["role"].ne("agent") | told.isna(), told)
    write_parquet(job.path("redact/messages.parquet"), messages)
    facts = read_parquet(job.path("measure/facts.parquet"))
    facts["language"] = [languages.get(str(c), "en") for c in facts["conversation_id"]]
    write_parquet(job.path("measure/facts.parquet"), facts)
    return job


def test_each_language_with_enough_evidence_has_a_plan_of_its_own(tmp_path: Path) -> None:
    """The language of most conversations comes first; no sentence of one stands in the other's."""
    ids = [f"c{i}" for i in range(12)]
    german = dict.fromkeys(ids[:4], "de")
    answers = {c: " ".join(GERMAN if c in german else ENGLISH) for c in ids}
    job = with_answers(job_of(tmp_path, [True] * 12, [None] * 12, list("abcdefghijkl")), answers, german)
    plan = gather(job, [gap(12)], NOTHING)["g-1"]["plan"]
    assert list(dict.fromkeys(row["language"] for row in plan)) == ["en", "de"]
    for row in (row for row in plan if row["part"] != "title"):
        assert row["text"] in (GERMAN if row["language"] == "de" else ENGLISH)
        assert all(row["text"] in answers[c] for c in row["conversation_ids"])
        assert row["count"] == (4 if row["language"] == "de" else 8)


def test_a_language_with_too_little_evidence_has_none(tmp_path: Path) -> None:
    """One sentence alike is no draft; the main language keeps what it has."""
    ids = [f"c{i}" for i in range(8)]
    german = dict.fromkeys(ids[:3], "de")
    answers = {c: GERMAN[0] if c in german else " ".join(ENGLISH) for c in ids}
    job = with_answers(job_of(tmp_path, [True] * 8, [None] * 8, list("abcdefgh")), answers, german)
    plan = gather(job, [gap(8)], NOTHING)["g-1"]["plan"]
    assert {row["language"] for row in plan} == {"en"}


def test_what_agents_say_along_with_a_denial_stands_in_for_the_passage_with_its_own_source(tmp_path: Path) -> None:
    """“No longer enough” proposes nothing itself; the sentence beside it does, and its source holds it."""
    code = "Show the customs code from the app at the counter."
    ids = [f"c{i}" for i in range(6)]
    answers = dict.fromkeys(ids, f"The customs e-mail is no longer enough. {code}")
    job = with_answers(job_of(tmp_path, [True] * 6, [None] * 6, list("abcdef")), answers, {})
    body = "## Collect\n\nShow the customs e-mail at the counter.\n\nWe ship tents."
    articles = pd.DataFrame({"title": ["Duty"], "body": [body]}, index=["kb-1"])
    rows = gather(job, [gap(6, kind="stale", article_id="kb-1")], articles)["g-1"]["passages"]
    (row,) = [row for row in rows if row["replacement"]]
    assert (row["passage"], row["replacement"]) == ("Show the customs e-mail at the counter.", code)
    assert row["replacement_ids"]
    assert set(row["replacement_ids"]) <= set(ids)


def test_where_agents_give_different_figures_nothing_is_proposed(tmp_path: Path) -> None:
    """Half say 3 days and half say 5: the passage gets a comment, and no replacement."""
    ids = [f"c{i}" for i in range(8)]
    answers = {c: f"Refunds of customs take {3 if i % 2 else 5} days now, not 14." for i, c in enumerate(ids)}
    job = with_answers(job_of(tmp_path, [True] * 8, [None] * 8, list("abcdefgh")), answers, {})
    articles = pd.DataFrame({"title": ["Duty"], "body": ["Refunds of customs take 14 days."]}, index=["kb-1"])
    rows = gather(job, [gap(8, kind="stale", article_id="kb-1")], articles)["g-1"]["passages"]
    assert rows
    assert {row["replacement"] for row in rows} == {None}
    assert "Agents do not agree" in rows[0]["comment"]
