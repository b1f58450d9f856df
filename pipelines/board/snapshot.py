"""The latest run, with what people have decided up to now: read once, and anew where either has changed."""

from __future__ import annotations

import csv
import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from lacuna.data_contracts.errors import StoreUnusable
from lacuna.models.backlog.due_dates import DueDate
from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.lifecycle import Decision, GapState, gap_state, last_targets
from lacuna.models.backlog.precision import Precision, by_kind
from lacuna.pipelines.gaps import due_dates
from lacuna.pipelines.gaps.decisions import as_decided, status_now
from lacuna.pipelines.gaps.first_seen import seen_days
from lacuna.pipelines.gaps.read import gaps_of
from lacuna.pipelines.io.store import read_parquet
from lacuna.pipelines.presentation.format import day, line, plural, record, rows, short_day, text
from lacuna.pipelines.presentation.spreadsheet import unguarded
from lacuna.pipelines.report.accuracy import article_accuracy
from lacuna.pipelines.report.due import due_articles, unowned_articles
from lacuna.pipelines.report.gaps import table_row
from lacuna.pipelines.report.impact import fixes
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state.decision_log import read as read_decisions
from lacuna.pipelines.state.repository import State

__all__ = ["GapNow", "Now", "Run", "Snapshot", "owner_names"]

_RUN = re.compile(r"\d{4}-\d{2}-\d{2}")
_TRIES = 5


@dataclass(frozen=True, eq=False)
class Run:
    """What the board shows of a published run; read whole, and never changed."""

    run_id: str
    folder: Path
    told: dict[str, Any]
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

    @property
    def until(self) -> date | None:
        """The window's last day."""
        return day(record(self.told.get("window")).get("end"))

    def fix_of(self, gap_id: str) -> dict[str, Any] | None:
        """What became of a gap that was fixed; None where it was not, or nothing is known of that yet."""
        return next((fix for fix in self.impact["rows"] if fix["id"] == gap_id), None)

    @property
    def currency(self) -> str:
        """What costs are in."""
        return text(record(record(self.told.get("settings")).get("cost")).get("currency")) or "EUR"


@dataclass(frozen=True)
class GapNow:
    """A gap as it stands now: the run's record with people's decisions over it, and how a table shows it."""

    record: Gap
    shown: dict[str, Any]
    life: GapState
    duty: DueDate

    @property
    def id(self) -> str:
        """The gap_id."""
        return self.shown["id"]

    @property
    def keys(self) -> dict[str, Any]:
        """What it is filtered and sorted by."""
        return self.shown["keys"]

    @property
    def status(self) -> str:
        """One of ``models.backlog.lifecycle.STATUSES``."""
        return self.shown["status"]

    @property
    def owner_id(self) -> str | None:
        """Who owns it now."""
        return self.keys["owner"] or None


@dataclass(frozen=True, eq=False)
class Now:
    """The backlog at one moment; ``run`` is None where nothing has been published yet. Each is itself alone."""

    run: Run | None
    gaps: tuple[GapNow, ...]
    by_id: Mapping[str, GapNow]
    owner_names: Mapping[str, str]
    day: date


class Snapshot:
    """Gives the backlog as of now. One for all requests: a lock keeps two of them from reading the same run twice.

    Parameters
    ----------
    store
        The store's folder.
    state
        Its state database.
    settings
        ``[review]`` says until when gaps have to be dealt with.
    """

    def __init__(self, store: Path, state: State, settings: Settings) -> None:
        self._runs = store / "runs"
        self._state = state
        self._settings = settings
        self._lock = threading.Lock()
        self._stamp: tuple[str, int, int] | None = None
        self._said: dict[int, Decision] = {}  # by id, in order
        self._told: dict[str, list[Decision]] = {}
        self._lives: dict[str, GapState] = {}
        self._seen: dict[str, date] = {}  # since when people can see each gap
        self._recorded = False  # whether every gap has one
        self._now = Now(None, (), {}, {}, due_dates.today())

    def now(self) -> Now:
        """The latest run and the decisions up to this moment."""
        with self._lock:
            stamp = _stamp(self._runs)
            fresh = stamp != self._stamp
            run = self._now.run
            if fresh:
                run, stamp = _latest(self._runs)
                self._recorded = False
            today = due_dates.today()
            recorded = run is not None and not self._recorded and self._look_up_seen(run)
            anew = fresh or recorded or today != self._now.day
            if self._listen() or anew:
                self._now = self._stand(run, today, anew)
                self._stamp = stamp
            return self._now

    def _look_up_seen(self, run: Run) -> bool:
        """Look up since when people can see each gap, and say whether there is more than was known.

        A run's folder is there a moment before its gaps are recorded: until all are, they are looked up again.
        """
        before = self._seen
        with self._state.reading() as connection:
            self._seen = seen_days(connection, run.run_id)
        self._recorded = all(gap.gap_id in self._seen for gap in run.gaps)
        return self._seen != before

    def said(self, ids: Sequence[int]) -> list[Decision]:
        """The decisions with these ids, as far as there are any."""
        return [self._said[one] for one in ids if one in self._said]

    def precision(self, confidence: float) -> list[Precision]:
        """Of the gaps that people have judged, how many of each kind were right."""
        with self._lock:
            return by_kind(self._told, confidence)

    def latest(self, most: int) -> list[Decision]:
        """The latest decisions on any gap, the latest first."""
        with self._lock:
            return list(islice(reversed(self._said.values()), most))

    def _listen(self) -> bool:
        """Take in the decisions that are new, and say whether there were any."""
        with self._state.reading() as connection:
            said = read_decisions(connection, since=next(reversed(self._said), 0))
        for one in said:
            self._told.setdefault(one.gap_id, []).append(one)
            self._said[one.id] = one
        touched = {one.gap_id for one in said}
        self._lives |= {gap: gap_state(self._told[gap]) for gap in touched}
        return bool(touched)

    def _stand(self, run: Run | None, today: date, anew: bool) -> Now:
        """Put the decisions over the run's rows: ``anew`` over all, else over those whose life has changed."""
        if run is None:
            return Now(None, (), {}, {}, today)
        lives = last_targets(self._lives)
        names = owner_names(run) if anew else self._now.owner_names
        before = {} if anew else self._now.by_id
        gaps = []
        for gap in run.gaps:
            life, known = lives.get(gap.gap_id, _UNTOUCHED), before.get(gap.gap_id)
            # A life that nobody has touched is the very same object: comparing its fields would take longer.
            if known is None or known.life is not life:
                known = _gap(run, gap, life, names, self._settings, today, self._seen.get(gap.gap_id))
            gaps.append(known)
        return Now(run, tuple(gaps), {gap.id: gap for gap in gaps}, names, today)


_UNTOUCHED = GapState()


def _gap(
    run: Run, gap: Gap, life: GapState, names: Mapping[str, str], settings: Settings, today: date,
    seen: date | None,
) -> GapNow:  # fmt: skip
    row = gap.as_row()
    status, note = status_now(row, life)
    now = replace(gap, status=status, status_note=note, **as_decided(row, life, names.get))
    shown = table_row(now, run.currency, run.top_score, run.until)
    duty = due_dates.due_date_now({**row, "status": status}, life, settings, today, seen)
    shown["due"] = _due_words(duty)
    shown["keys"] |= {"due": duty.due.isoformat() if duty.due else None, "overdue": duty.overdue}
    return GapNow(now, shown, life, duty)


def _due_words(duty: DueDate) -> str:
    """`due 12 Jul`, `overdue 3 days`, or nothing."""
    if duty.overdue:
        return f"overdue {plural(duty.overdue, 'day')}"
    return f"due {short_day(duty.due)}" if duty.due else ""


def owner_names(run: Run) -> dict[str, str]:
    """The name of every owner that the run knows, by owner_id; of those with gaps where it kept no list."""
    listed = {text(row.get("owner_id")): line(row.get("name"), 80) for row in rows(run.owners)}
    named = {text(gap.owner_id): line(gap.owner_name, 80) for gap in run.gaps}
    return {key: name or key for key, name in sorted((named | listed).items()) if key}


def _stamp(runs: Path) -> tuple[str, int, int] | None:
    """What tells the latest run from any other: its id, and which file its run.json is; None where there is none."""
    try:
        ids = sorted((p.name for p in runs.iterdir() if _RUN.fullmatch(p.name)), reverse=True)
    except OSError:
        return None
    for run_id in ids:
        try:
            stat = (runs / run_id / "run.json").stat()
        except OSError:
            continue
        return run_id, stat.st_mtime_ns, stat.st_ino
    return None


def _latest(runs: Path) -> tuple[Run | None, tuple[str, int, int] | None]:
    """Read the latest run; one that is replaced or removed while it is read is read again."""
    for attempt in range(_TRIES):
        stamp = _stamp(runs)
        if stamp is None:
            return None, None
        try:
            run = _read(runs / stamp[0])
        except (OSError, ValueError) as error:
            if attempt + 1 == _TRIES:
                raise StoreUnusable(f"run {stamp[0]} can't be read: {error}", "run that week again") from error
            continue
        if _stamp(runs) == stamp:
            return run, stamp
    raise StoreUnusable("the latest run is being replaced again and again", "wait a moment, and load the page again")


def _read(folder: Path) -> Run:
    told = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    backlog = gaps_of(read_parquet(folder / "backlog.parquet"))
    tables = {name: _table(folder / f"{name}.parquet") for name in ("topics", "kpis", "accuracy", "owners")}
    return Run(
        folder.name, folder, told, tuple(backlog), **tables, tag_next=_sheet(folder / "tag_next.csv"),
        impact=fixes(_table(folder / "impact.parquet")),
        unverified=due_articles(pd.DataFrame(_sheet(folder / "due_for_verification.csv")), tables["owners"]),
        unowned=unowned_articles(pd.DataFrame(_sheet(folder / "unowned_articles.csv")), tables["owners"]),
        articles=article_accuracy(tables["accuracy"]),
        top_score=max((gap.score for gap in backlog), default=0.0),
    )  # fmt: skip


def _table(path: Path) -> pd.DataFrame:
    return read_parquet(path) if path.exists() else pd.DataFrame()


def _sheet(path: Path) -> tuple[dict[str, str], ...]:
    """A sheet without the apostrophes that keep a spreadsheet from running a cell; a page needs none."""
    if not path.exists():
        return ()
    with path.open(encoding="utf-8-sig", newline="") as file:
        return tuple({name: unguarded(cell or "") for name, cell in row.items()} for row in csv.DictReader(file))
