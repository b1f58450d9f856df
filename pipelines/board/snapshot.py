"""The latest run with the decisions made since, cached until one of them changes."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from lacuna.data_contracts.errors import RunUnreadable, StoreUnusable
from lacuna.models.backlog.due_dates import DueDate
from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.lifecycle import Decision, GapState, gap_state, last_targets
from lacuna.models.backlog.precision import Precision, by_kind
from lacuna.models.topics.edits import names_in_force
from lacuna.pipelines.gaps import due_dates
from lacuna.pipelines.gaps.decisions import as_decided, status_now
from lacuna.pipelines.gaps.first_seen import visible_since_days
from lacuna.pipelines.gaps.read import gaps_of
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.published import read_published
from lacuna.pipelines.io.run_files import read_run, run_file, run_table
from lacuna.pipelines.io.run_folders import Stamp, latest_stamp, run_folder
from lacuna.pipelines.presentation.format import day, line, plural, record, rows, short_day, text
from lacuna.pipelines.presentation.spreadsheet import unguarded
from lacuna.pipelines.report.accuracy import article_accuracy
from lacuna.pipelines.report.due import due_articles, unowned_articles
from lacuna.pipelines.report.gaps import table_row
from lacuna.pipelines.report.impact import fixes
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state import topic_edit_log
from lacuna.pipelines.state.decision_log import read as read_decisions
from lacuna.pipelines.state.repository import State

__all__ = ["GapNow", "Now", "Run", "Snapshot", "owner_names"]

_TRIES = 5


@dataclass(frozen=True, eq=False)
class Run:
    """The parts of a published run that the board shows; immutable."""

    run_id: str
    folder: Path
    run_json: dict[str, Any]
    gaps: tuple[Gap, ...]
    topics: pd.DataFrame
    kpis: pd.DataFrame
    accuracy: pd.DataFrame
    owners: pd.DataFrame
    tag_next: tuple[dict[str, str], ...]
    impact: dict[str, Any]
    unverified: dict[str, Any]
    unowned: dict[str, Any]
    articles: Mapping[str, str]
    top_score: float
    topic_tree: dict[str, Any]

    @property
    def until(self) -> date | None:
        """The window's last day."""
        return day(record(self.run_json.get("window")).get("end"))

    def fix_of(self, gap_id: str) -> dict[str, Any] | None:
        """The measured fix of a gap; None if the gap was not fixed or the fix is not measured yet."""
        return next((fix for fix in self.impact["rows"] if fix["id"] == gap_id), None)

    @property
    def currency(self) -> str:
        """The currency of costs."""
        return text(record(record(self.run_json.get("settings")).get("cost")).get("currency")) or "EUR"


@dataclass(frozen=True)
class GapNow:
    """A gap as of now: the run's record updated by decisions, and its table row as displayed."""

    record: Gap
    shown: dict[str, Any]
    life: GapState
    due_date: DueDate

    @property
    def id(self) -> str:
        """The gap_id."""
        return self.shown["id"]

    @property
    def keys(self) -> dict[str, Any]:
        """The values by which it is filtered and sorted."""
        return self.shown["keys"]

    @property
    def status(self) -> str:
        """One of ``models.backlog.lifecycle.STATUSES``."""
        return self.shown["status"]

    @property
    def owner_id(self) -> str | None:
        """The current owner."""
        return self.keys["owner"] or None


@dataclass(frozen=True, eq=False)
class Now:
    """The backlog at one moment; ``run`` is None if nothing has been published. Compared by identity."""

    run: Run | None
    gaps: tuple[GapNow, ...]
    by_id: Mapping[str, GapNow]
    owner_names: Mapping[str, str]
    day: date

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """The titles of all gaps, by gap_id."""
        return {gap.id: str(gap.shown["title"]) for gap in self.gaps}


class Snapshot:
    """Provides the current backlog to all requests; a lock prevents two of them from reading the same run twice.

    Parameters
    ----------
    store
        The store.
    state
        Its state database.
    settings
        ``[review]`` sets the due days.
    """

    def __init__(self, store: StorePath, state: State, settings: Settings) -> None:
        self._store = store
        self._state = state
        self._settings = settings
        self._lock = threading.Lock()
        self._stamp: Stamp | None = None
        self._by_id: dict[int, Decision] = {}  # by id, in order
        self._by_gap: dict[str, list[Decision]] = {}
        self._lives: dict[str, GapState] = {}
        self._visible_since: dict[str, date] = {}  # the day since which people can see each gap
        self._recorded = False  # whether every gap of the run has one
        self._last_edit = 0  # of any topic
        self._topic_names: dict[str, str] = {}  # that people gave, by topic_id
        self._now = Now(None, (), {}, {}, due_dates.today())

    def now(self) -> Now:
        """The latest run and the decisions up to this moment."""
        with self._lock:
            stamp = latest_stamp(self._store)
            new_run = stamp != self._stamp
            run = self._now.run
            if new_run:
                run, stamp = _latest(self._store)
                self._recorded = False
            today = due_dates.today()
            new_days = run is not None and not self._recorded and self._look_up_visible_since(run)
            rebuild = new_run or new_days or today != self._now.day
            rebuild = self._look_up_topic_names() or rebuild
            if self._update_decisions() or rebuild:
                self._now = self._apply_decisions(run, today, rebuild)
                self._stamp = stamp
            return self._now

    def _look_up_visible_since(self, run: Run) -> bool:
        """Look up since when people can see each gap, and return whether anything is new.

        A run's folder appears a moment before its gaps are recorded; until all are, they are looked up again.
        """
        before = self._visible_since
        with self._state.reading() as connection:
            self._visible_since = visible_since_days(connection, run.run_id)
        self._recorded = all(gap.gap_id in self._visible_since for gap in run.gaps)
        return self._visible_since != before

    def _look_up_topic_names(self) -> bool:
        """Look up the names that people gave topics, and return whether anything is new."""
        before = self._topic_names
        with self._state.reading() as connection:
            if (last := topic_edit_log.last(connection)) != self._last_edit:
                self._topic_names = names_in_force(topic_edit_log.read(connection))
                self._last_edit = last
        return self._topic_names != before

    def decisions(self, ids: Sequence[int]) -> list[Decision]:
        """The decisions with these ids; unknown ids are left out."""
        return [self._by_id[decision_id] for decision_id in ids if decision_id in self._by_id]

    def precision(self, confidence: float) -> list[Precision]:
        """The precision of the backlog by kind, according to people's decisions."""
        with self._lock:
            return by_kind(self._by_gap, confidence)

    def latest(self, limit: int) -> list[Decision]:
        """The latest decisions on any gap, newest first."""
        with self._lock:
            return list(islice(reversed(self._by_id.values()), limit))

    def since(self, moment: datetime) -> list[Decision]:
        """The decisions on any gap made at ``moment`` or later, by id."""
        with self._lock:
            return [decision for decision in self._by_id.values() if decision.at >= moment]

    def _update_decisions(self) -> bool:
        """Read new decisions, and return whether there were any."""
        with self._state.reading() as connection:
            decisions = read_decisions(connection, since=next(reversed(self._by_id), 0))
        for decision in decisions:
            self._by_gap.setdefault(decision.gap_id, []).append(decision)
            self._by_id[decision.id] = decision
        changed = {decision.gap_id for decision in decisions}
        self._lives |= {gap: gap_state(self._by_gap[gap]) for gap in changed}
        return bool(changed)

    def _apply_decisions(self, run: Run | None, today: date, rebuild: bool) -> Now:
        """Apply the decisions to the run's gaps: to all with ``rebuild``, else to those with new decisions."""
        if run is None:
            return Now(None, (), {}, {}, today)
        lives = last_targets(self._lives)
        names = owner_names(run) if rebuild else self._now.owner_names
        before = {} if rebuild else self._now.by_id
        gaps = []
        for gap in run.gaps:
            life, current = lives.get(gap.gap_id, _UNTOUCHED), before.get(gap.gap_id)
            # Compared by identity, which is faster: a life without new decisions is the same object.
            if current is None or current.life is not life:
                named = replace(gap, topic_label=self._topic_names.get(gap.topic_id, gap.topic_label))
                current = _gap(run, named, life, names, self._settings, today, self._visible_since.get(gap.gap_id))
            gaps.append(current)
        return Now(run, tuple(gaps), {gap.id: gap for gap in gaps}, names, today)


_UNTOUCHED = GapState()


def _gap(
    run: Run, gap: Gap, life: GapState, names: Mapping[str, str], settings: Settings, today: date,
    visible_since: date | None,
) -> GapNow:  # fmt: skip
    row = gap.as_row()
    status, note = status_now(row, life)
    now = replace(gap, status=status, status_note=note, **as_decided(row, life, names.get))
    shown = table_row(now, run.currency, run.top_score, run.until)
    due_date = due_dates.due_date_now({**row, "status": status}, life, settings, today, visible_since)
    shown["due"] = _due_words(due_date)
    shown["keys"] |= {"due": due_date.due.isoformat() if due_date.due else None, "overdue": due_date.overdue}
    return GapNow(now, shown, life, due_date)


def _due_words(due_date: DueDate) -> str:
    """`due 12 Jul`, `overdue 3 days`, or nothing."""
    if due_date.overdue:
        return f"overdue {plural(due_date.overdue, 'day')}"
    return f"due {short_day(due_date.due)}" if due_date.due else ""


def owner_names(run: Run) -> dict[str, str]:
    """The names of the run's owners by owner_id; only of those with gaps if the run has no list of owners."""
    from_owners = {text(row.get("owner_id")): line(row.get("name"), 80) for row in rows(run.owners)}
    from_gaps = {text(gap.owner_id): line(gap.owner_name, 80) for gap in run.gaps}
    return {key: name or key for key, name in sorted((from_gaps | from_owners).items()) if key}


def _latest(store: StorePath) -> tuple[Run | None, Stamp | None]:
    """Read the latest run, and read again if it is replaced or removed meanwhile."""
    for attempt in range(_TRIES):
        stamp = latest_stamp(store)
        if stamp is None:
            return None, None
        try:
            folder = run_folder(store, stamp[0])
            if folder is None:
                continue
            run = _read(folder)
        except RunUnreadable:  # perhaps it was replaced meanwhile
            if attempt + 1 == _TRIES:
                raise
            continue
        except (OSError, ValueError) as error:
            if attempt + 1 == _TRIES:
                raise StoreUnusable(f"run {stamp[0]} can't be read: {error}", "run that week again") from error
            continue
        if latest_stamp(store) == stamp:
            return run, stamp
    raise StoreUnusable("the latest run is being replaced again and again", "wait a moment, and load the page again")


def _read(folder: Path) -> Run:
    run_json = read_run(folder)
    backlog = gaps_of(run_table(folder / "backlog.parquet"))
    tables = {name: read_published(folder, name) for name in ("topics", "kpis", "accuracy", "owners")}
    return Run(
        folder.name, folder, run_json, tuple(backlog), **tables, tag_next=_sheet(folder / "tag_next.csv"),
        impact=fixes(read_published(folder, "impact"), read_published(folder, "not_yet_known")),
        unverified=due_articles(pd.DataFrame(_sheet(folder / "due_for_verification.csv")), tables["owners"]),
        unowned=unowned_articles(pd.DataFrame(_sheet(folder / "unowned_articles.csv")), tables["owners"]),
        articles=article_accuracy(tables["accuracy"]),
        top_score=max((gap.score for gap in backlog), default=0.0),
        topic_tree=_topic_tree(folder / "topic_tree.json"),
    )  # fmt: skip


def _topic_tree(path: Path) -> dict[str, Any]:
    """The tree of a run's topics; empty in a run of an earlier version."""
    with run_file(path):
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _sheet(path: Path) -> tuple[dict[str, str], ...]:
    """A sheet's rows, without the apostrophes that guard cells in spreadsheets."""
    if not path.exists():
        return ()
    with path.open(encoding="utf-8-sig", newline="") as file:
        return tuple({name: unguarded(cell or "") for name, cell in row.items()} for row in csv.DictReader(file))
