"""What became of the gaps that were fixed: found among decisions and articles, measured over all that a run knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd

from lacuna.models.accuracy.kpis import judged
from lacuna.models.backlog.lifecycle import Life
from lacuna.models.backlog.owners import approved
from lacuna.models.impact.fixes import Fix, Limits, main_articles, measure, weekly
from lacuna.pipelines.gaps.history import Past
from lacuna.pipelines.gaps.ids import moves, subtopics_since
from lacuna.pipelines.io.store import read_parquet
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.runtime.job import Job

__all__ = ["Measured", "measure_fixes"]

MAIN_SHARE = 0.35  # an article that is cited this often is the one that a subtopic is about


@dataclass(frozen=True)
class Measured:
    """The fixes of a run: ``table``, one row a fix (`impact.parquet`), and the past with gaps that articles closed."""

    table: pd.DataFrame
    past: Past

    def effect(self, gap_id: str, start: date) -> str | None:
        """The verdict on a gap that a run has found, which says whether it stays closed; None where none is known.

        Where all of a window that begins on ``start`` lies after the fix and the gap is there again, that counts, and
        not how well the fix did on average.
        """
        row = next((row for row in records(self.table) if row["gap_id"] == gap_id), None)
        if row is None:
            return None
        known = self.past.before[gap_id]
        back = known["run_id"] != self.past.previous or known["status"] == "reopened"
        return None if back and date.fromisoformat(row["fixed_on"]) < start else str(row["verdict"])


def measure_fixes(job: Job, past: Past, facts: pd.DataFrame, unit_cost: float) -> Measured:
    """Measure every gap that was published, or whose article changed after it was accepted.

    Parameters
    ----------
    job
        Its run; what it knows of articles is read from load/articles and load/article_revisions.
    past
        Decisions and gaps up to this run.
    facts
        measure/facts, by conversation_id.
    unit_cost
        Of a human-handled conversation.

    Returns
    -------
    Measured
        ``table`` has gap_id, kind, title, topic_id, article_id, owner_id, fixed_on (day), who, measured_in
        (run_id: an earlier one where this bundle no longer reaches back before the fix), counted_with (the gap_id of an
        earlier fix of the same subtopics, so that nothing is added up twice), status, currency, weekly, and what
        :func:`models.impact.fixes.measure` gives; by fixed_on and gap_id.
    """
    changed = _changes(job)
    fixes, lives = {}, dict(past.lives)
    for gap, life in sorted(past.lives.items()):
        row = past.before.get(gap)
        found = _fixed(row, life, changed) if row else None
        if row is None or found is None or found > job.end:
            continue
        if life.status in ("accepted", "drafting"):
            lives[gap] = replace(life, status="published", published_on=found.isoformat())
        fixes[gap] = Fix(gap, str(row["kind"]), found, _subtopics(row, past), _article(row, life), _began(row))
    past = replace(past, lives=lives)
    table = pd.DataFrame(_rows(job, past, fixes, facts, changed, unit_cost), columns=None if fixes else ["gap_id"])
    return Measured(table, past)


def _changes(job: Job) -> dict[str, list[date]]:
    """The days on which each article came or changed."""
    articles, revisions = job.read("load/articles"), job.read("load/article_revisions")
    done = approved(revisions)
    parts = [
        articles[["article_id", name]].set_axis(["article_id", "day"], axis=1) for name in ("created_at", "updated_at")
    ]
    parts.append(done[["article_id", "revised_at"]].set_axis(["article_id", "day"], axis=1))
    told = pd.concat(parts).dropna()
    days: dict[str, list[date]] = {}
    for article, moment in zip(told["article_id"], told["day"], strict=True):
        days.setdefault(str(article), []).append(moment.date())
    return {article: sorted(set(found)) for article, found in sorted(days.items())}


def _fixed(row: Mapping[str, Any], life: Life, changed: Mapping[str, list[date]]) -> date | None:
    """The day on which a gap was closed: as published, else when its article changed after it was accepted."""
    if life.status in ("published", "verified") and life.published_on:
        return date.fromisoformat(life.published_on)
    article = _article(row, life)
    if life.status not in ("accepted", "drafting") or article is None:
        return None
    accepted = life.run_id or (life.at.date().isoformat() if life.at else "")
    return next((day for day in changed.get(article, []) if day.isoformat() > accepted), None)


def _article(row: Mapping[str, Any], life: Life) -> str | None:
    article = life.article_id or row.get("article_id")
    return article if isinstance(article, str) else None


def _subtopics(row: Mapping[str, Any], past: Past) -> tuple[str, ...]:
    """The gap's subtopics, and what came of them since."""
    own, later = subtopics_since(row, moves(past.events))
    return tuple(sorted({*own, *later}))


def _began(row: Mapping[str, Any]) -> date | None:
    change = row.get("change_point") or {}
    return date.fromisoformat(change["week"]) if change.get("week") else None


def _rows(
    job: Job, past: Past, fixes: Mapping[str, Fix], facts: pd.DataFrame, changed: Mapping[str, list[date]], cost: float
) -> list[dict[str, Any]]:
    if not fixes:
        return []
    limits = Limits(**job.settings.impact.model_dump())
    confidence, seed = job.settings.accuracy.confidence, job.settings.run.seed
    facts = facts.assign(
        day=facts["started_at"].dt.tz_convert(None).dt.normalize(),
        confirmed=judged(facts.reset_index())["confirmed"].to_numpy(),
    )
    main = main_articles(facts, MAIN_SHARE)
    earlier = _earlier(job, past)
    rows: list[dict[str, Any]] = []
    first: dict[str, str] = {}
    with progress.bar("measuring fixes") as tick:
        for number, (gap, fix) in enumerate(sorted(fixes.items(), key=lambda pair: (pair[1].day, pair[0])), start=1):
            known, life = past.before[gap], past.lives[gap]
            touched = _touched(fix, fixes, main, changed, limits, job.end)
            found = measure(facts, fix, touched, job.end, limits, cost, confidence, seed)
            found["weekly"] = weekly(facts, fix, touched)
            told = {
                "gap_id": gap, "kind": fix.kind, "title": str(known["title"]), "topic_id": known["topic_id"],
                "article_id": fix.article_id, "owner_id": life.owner_id if life.assigned else known.get("owner_id"),
                "fixed_on": fix.day.isoformat(), "who": life.who, "currency": job.settings.cost.currency,
                "measured_in": job.run_id, **found,
            }  # fmt: skip
            before = earlier.get(gap)
            if not found["conversations_before"] and before and before["fixed_on"] == told["fixed_on"]:
                told = before
            same = next((other for each in fix.subtopics if (other := first.get(each))), None)
            first |= {each: first.get(each, gap) for each in fix.subtopics}
            rows.append(told | {"status": _status(told["verdict"]), "counted_with": same})
            tick(number, len(fixes))
    return rows


def _status(verdict: str) -> str:
    return {"verified": "verified", "too early": "published"}.get(verdict, "reopened")


def _touched(
    fix: Fix, fixes: Mapping[str, Fix], main: Mapping[str, str], changed: Mapping[str, list[date]], limits: Limits,
    last: date,
) -> set[str]:  # fmt: skip
    """Subtopics that other fixes are about, or whose article changed in the days that are compared."""

    def near(day: date) -> bool:
        return -limits.before_days <= (day - fix.day).days <= limits.after_days and day <= last

    others = {each for other in fixes.values() if other != fix and near(other.day) for each in other.subtopics}
    revised = {each for each, article in main.items() if any(near(day) for day in changed.get(article, []))}
    return (others | revised) - set(fix.subtopics)


def _earlier(job: Job, past: Past) -> dict[str, dict[str, Any]]:
    """What the run before measured, by gap: its bundle may have reached further back."""
    path = job.runs / str(past.previous) / "impact.parquet"
    return {row["gap_id"]: row for row in records(read_parquet(path))} if path.exists() else {}
