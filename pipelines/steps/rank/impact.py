"""The effect of fixes: gaps that people or articles closed, measured over all conversations of a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd

from lacuna.models.accuracy.kpis import judged
from lacuna.models.backlog.lifecycle import GapState
from lacuna.models.backlog.owners import approved
from lacuna.models.impact.fixes import Fix, Limits, main_articles, measure, weekly
from lacuna.pipelines.gaps.history import Past
from lacuna.pipelines.gaps.ids import moves, subtopics_since
from lacuna.pipelines.io.published import read_published
from lacuna.pipelines.io.run_folders import run_place
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.runtime.job import Job

__all__ = ["MeasuredFixes", "measure_fixes"]

LEAST_CITED = 3  # conversations that an article answers at least, to be what closed a gap
MAIN_SHARE = 0.35  # an article that is cited this often is the one that a subtopic is about


@dataclass(frozen=True)
class MeasuredFixes:
    """The fixes of a run: ``table``, one row per fix (`impact.parquet`), and ``past`` with those gaps closed."""

    table: pd.DataFrame
    past: Past

    def effect(self, gap_id: str, start: date) -> str | None:
        """The verdict on the fix of a gap that the run has found, which decides whether it stays closed; else None.

        None too if the gap is back in a window that begins, on ``start``, after the fix: then the gap is open, whatever
        the fix achieved on average.
        """
        row = next((row for row in records(self.table) if row["gap_id"] == gap_id), None)
        if row is None:
            return None
        last_row = self.past.before[gap_id]
        is_back = last_row["run_id"] != self.past.previous or last_row["status"] == "reopened"
        return None if is_back and date.fromisoformat(row["fixed_on"]) < start else str(row["verdict"])


def measure_fixes(job: Job, past: Past, facts: pd.DataFrame, unit_cost: float, gaps: pd.DataFrame) -> MeasuredFixes:
    """Measure every gap that was published, or whose article changed after it was accepted.

    A gap that nobody decided on, and that is gone after an article came or was changed, is credited to that article.

    Parameters
    ----------
    job
        The run; articles are read from load/articles and load/article_revisions.
    past
        Decisions and gaps up to this run.
    facts
        measure/facts, by conversation_id.
    unit_cost
        Cost of a human-handled conversation.
    gaps
        gap_id and subtopics of the gaps that this run has found.

    Returns
    -------
    MeasuredFixes
        ``table`` has gap_id, kind, title, topic_id, article_id, owner_id, fixed_on (day), who, measured_in
        (run_id: an earlier one where this bundle no longer reaches back before the fix), counted_with (the gap_id of an
        earlier fix of the same subtopics, so that nothing is added up twice), credited (whether nobody decided on it),
        status, currency, weekly, and what :func:`models.impact.fixes.measure` gives; by fixed_on and gap_id.
    """
    change_days = _changes(job)
    fixes, lives = {}, dict(past.lives)
    for gap, life in sorted(past.lives.items()):
        row = past.before.get(gap)
        fixed_on = _fixed_on(row, life, change_days) if row else None
        if row is None or fixed_on is None or fixed_on > job.end:
            continue
        if life.status in ("accepted", "drafting"):
            lives[gap] = replace(life, status="published", published_on=fixed_on.isoformat())
        fixes[gap] = Fix(gap, str(row["kind"]), fixed_on, _subtopics(row, past), _article(row, life), _began_on(row))
    credited = _credited(past, facts, gaps, change_days, set(fixes), job.end)
    past = replace(past, lives=lives)
    fixes |= credited
    table = pd.DataFrame(
        _rows(job, past, fixes, set(credited), facts, change_days, unit_cost), columns=None if fixes else ["gap_id"]
    )
    return MeasuredFixes(table, past)


def _changes(job: Job) -> dict[str, list[date]]:
    """The days on which each article was created or changed."""
    articles, revisions = job.read("load/articles"), job.read("load/article_revisions")
    approved_revisions = approved(revisions)
    parts = [
        articles[["article_id", name]].set_axis(["article_id", "day"], axis=1) for name in ("created_at", "updated_at")
    ]
    parts.append(approved_revisions[["article_id", "revised_at"]].set_axis(["article_id", "day"], axis=1))
    dates = pd.concat(parts).dropna()
    days: dict[str, list[date]] = {}
    for article, moment in zip(dates["article_id"], dates["day"], strict=True):
        days.setdefault(str(article), []).append(moment.date())
    return {article: sorted(set(moments)) for article, moments in sorted(days.items())}


def _fixed_on(row: Mapping[str, Any], life: GapState, change_days: Mapping[str, list[date]]) -> date | None:
    """The day on which a gap was closed: that of its publication, else of its article's change after acceptance."""
    if life.status in ("published", "verified") and life.published_on:
        return date.fromisoformat(life.published_on)
    article = _article(row, life)
    if life.status not in ("accepted", "drafting") or article is None:
        return None
    accepted = life.run_id or (life.at.date().isoformat() if life.at else "")
    return next((day for day in change_days.get(article, []) if day.isoformat() > accepted), None)


def _credited(
    past: Past,
    facts: pd.DataFrame,
    gaps: pd.DataFrame,
    change_days: Mapping[str, list[date]],
    fixed: Collection[str],
    last_day: date,
) -> dict[str, Fix]:
    """The gaps that nobody decided on and that an article has closed, each with that article and its day.

    The run no longer has such a gap, nor another one about the same subtopics. Its article was changed after it was
    first seen; where an article was missing, one that is new or changed since then answers most of its conversations.
    """
    found = set(gaps["gap_id"])
    open_still = {str(subtopic) for subtopics in gaps["subtopics"] for subtopic in subtopics}
    day = facts["started_at"].dt.tz_convert(None).dt.date
    credited = {}
    for gap, row in sorted(past.before.items()):
        life, subtopics = past.lives.get(gap, GapState()), _subtopics(row, past)
        if gap in found or gap in fixed or life.status is not None or open_still & set(subtopics):
            continue
        known = {
            article: [each for each in days if str(row["first_seen"]) < each.isoformat() <= last_day.isoformat()]
            for article, days in change_days.items()
        }
        own = row["article_id"] if isinstance(row["article_id"], str) else None
        of_gap = facts["subtopic_id"].isin(subtopics)
        candidates = [
            (article, days[0])
            for article, days in known.items()
            if days and (article == own or (own is None and _answers(facts[of_gap & (day > days[0])], article)))
        ]
        for article, changed_on in sorted(candidates, key=lambda pair: (pair[1], pair[0]))[:1]:
            credited[gap] = Fix(gap, str(row["kind"]), changed_on, subtopics, article, _began_on(row))
    return credited


def _answers(since: pd.DataFrame, article: str) -> bool:
    """Whether the bot answers these conversations from an article, mostly."""
    cited = int(since["cited_first"].eq(article).sum())
    return cited >= LEAST_CITED and cited >= MAIN_SHARE * len(since)


def _article(row: Mapping[str, Any], life: GapState) -> str | None:
    article = life.article_id or row.get("article_id")
    return article if isinstance(article, str) else None


def _subtopics(row: Mapping[str, Any], past: Past) -> tuple[str, ...]:
    """The gap's subtopics and their successors."""
    subtopics, successors = subtopics_since(row, moves(past.events))
    return tuple(sorted({*subtopics, *successors}))


def _began_on(row: Mapping[str, Any]) -> date | None:
    change = row.get("change_point") or {}
    return date.fromisoformat(change["week"]) if change.get("week") else None


def _rows(
    job: Job,
    past: Past,
    fixes: Mapping[str, Fix],
    credited: Collection[str],
    facts: pd.DataFrame,
    change_days: Mapping[str, list[date]],
    cost: float,
) -> list[dict[str, Any]]:
    if not fixes:
        return []
    limits = Limits(**job.settings.impact.model_dump(exclude={"randomise"}))
    confidence, seed = job.settings.accuracy.confidence, job.settings.run.seed
    facts = facts.assign(
        day=facts["started_at"].dt.tz_convert(None).dt.normalize(),
        confirmed=judged(facts.reset_index())["confirmed"].to_numpy(),
    )
    main_article_of = main_articles(facts, MAIN_SHARE)
    earlier = _earlier(job, past)
    rows: list[dict[str, Any]] = []
    first_gap_of: dict[str, str] = {}
    with progress.bar("measuring fixes") as tick:
        for number, (gap, fix) in enumerate(sorted(fixes.items(), key=lambda pair: (pair[1].day, pair[0])), start=1):
            last_row, life = past.before[gap], past.lives.get(gap, GapState())
            touched = _touched_subtopics(fix, fixes, main_article_of, change_days, limits, job.end)
            effect = measure(facts, fix, touched, job.end, limits, cost, confidence, seed)
            effect["weekly"] = weekly(facts, fix, touched)
            measured = {
                "gap_id": gap, "kind": fix.kind, "title": str(last_row["title"]), "topic_id": last_row["topic_id"],
                "article_id": fix.article_id, "owner_id": life.owner_id if life.assigned else last_row.get("owner_id"),
                "fixed_on": fix.day.isoformat(), "who": life.who, "currency": job.settings.cost.currency,
                "measured_in": job.run_id, "credited": gap in credited, **effect,
            }  # fmt: skip
            before = earlier.get(gap)
            if not effect["conversations_before"] and before and before["fixed_on"] == measured["fixed_on"]:
                measured = before | {"credited": gap in credited}
            counted_with = next((other for each in fix.subtopics if (other := first_gap_of.get(each))), None)
            first_gap_of |= {each: first_gap_of.get(each, gap) for each in fix.subtopics}
            rows.append(measured | {"status": _status(measured["verdict"]), "counted_with": counted_with})
            tick(number, len(fixes))
    return rows


def _status(verdict: str) -> str:
    return {"verified": "verified", "too early": "published"}.get(verdict, "reopened")


def _touched_subtopics(
    fix: Fix,
    fixes: Mapping[str, Fix],
    main_article_of: Mapping[str, str],
    change_days: Mapping[str, list[date]],
    limits: Limits,
    last_day: date,
) -> set[str]:
    """Subtopics of other fixes, or whose article changed, in the days that are compared."""

    def in_period(day: date) -> bool:
        return -limits.before_days <= (day - fix.day).days <= limits.after_days and day <= last_day

    others = {each for other in fixes.values() if other != fix and in_period(other.day) for each in other.subtopics}
    revised = {
        each for each, article in main_article_of.items() if any(in_period(day) for day in change_days.get(article, []))
    }
    return (others | revised) - set(fix.subtopics)


def _earlier(job: Job, past: Past) -> dict[str, dict[str, Any]]:
    """The measurements of the run before, by gap: its bundle may have reached further back."""
    place = run_place(job.store, str(past.previous)) if past.previous else None
    return {row["gap_id"]: row for row in records(read_published(place, "impact"))} if place else {}
