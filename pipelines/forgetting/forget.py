"""Forget conversations: everywhere, for good, and with a proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lacuna.pipelines.forgetting import removal
from lacuna.pipelines.forgetting.collect import Kept, collect, keep, kept, throw_away
from lacuna.pipelines.forgetting.places import bundles_within, sources_of
from lacuna.pipelines.forgetting.removal import Removed
from lacuna.pipelines.forgetting.search import Found, search
from lacuna.pipelines.forgetting.selection import Asked, rows_about, select
from lacuna.pipelines.forgetting.traces import Traces, known_as
from lacuna.pipelines.io.addresses import StorePath, is_page, store_path
from lacuna.pipelines.io.run_folders import published_runs
from lacuna.pipelines.io.store import check_writable
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.sources.source import PULL
from lacuna.pipelines.state.forgotten import (
    begin_forgetting,
    copy_forgotten,
    end_forgetting,
    read_forgotten,
    remember_forgotten,
)
from lacuna.pipelines.state.leases import lease
from lacuna.pipelines.state.repository import State, open_state

__all__ = ["AT_ONCE", "Report", "forget"]

AT_ONCE = 10_000  # conversations whose words are in memory together
LEASE = "forget"  # one forgets at a time


@dataclass
class Report:
    """What came of it.

    Attributes
    ----------
    conversations
        How many go.
    unknown
        Ids that were named, and that neither the bundle nor the store holds.
    unknown_customers
        Customers of whom the bundle holds no conversation.
    removed
        What went, or would go, by place in words.
    elsewhere
        Rows by table in bundles that others write, by bundle: they are to be deleted there.
    found
        The proof; None where nothing was changed.
    """

    conversations: int = 0
    unknown: tuple[str, ...] = ()
    unknown_customers: tuple[str, ...] = ()
    removed: dict[str, Removed] = field(default_factory=dict)
    elsewhere: dict[str, dict[str, int]] = field(default_factory=dict)
    found: Found | None = None

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return self.found is None or not self.found.places


def forget(
    settings: Settings, store: StorePath, asked: Asked, who: str, bundle: str | None = None, dry: bool = False
) -> Report:
    """Remove conversations from a store, and from bundles as far as they are ours, and keep them out from now on.

    What was stopped half way is ended by the same call, or by the next one.

    Parameters
    ----------
    settings
        ``[state]`` and ``[input]`` are used.
    store
        The store.
    asked
        Which conversations.
    who
        Who does it, for the log.
    bundle
        Where their texts are whole: with it, more of their words are known, and its pulled files are cleaned. What
        others have written there is read and never changed.
    dry
        Count what would go, and change nothing.

    Raises
    ------
    SettingsInvalid
        A customer or a day is named and no bundle.
    StoreUnusable
        The store can't be written, or a run, a pull or another forgetting is at work.
    """
    if not dry:
        check_writable(store)
    chosen = select(asked, bundle, settings.input)
    old_runs = [run_id for run_id in published_runs(store) if asked.before and run_id < asked.before.isoformat()]
    ids = sorted(chosen.ids.union(*(removal.conversations_of(store, run_id) for run_id in old_runs)))
    with open_state(settings, store) as state:
        if asked.by_retention:  # a bundle of others may hold for long what was forgotten weeks ago
            forgotten = read_forgotten(state)
            ids = [one for one in ids if not forgotten.holds(one)]
        report = Report(len({known_as(one) for one in ids}), unknown_customers=chosen.unknown_customers)
        work = _Forgetting(settings, store, state, bundle, report, asked.by_retention)
        if dry:
            for batch in _batches(ids):
                work.remove(Kept(0, batch, chosen.began), dry=True)
            return work.with_unknown(asked.conversations)
        with lease(settings, store, LEASE):
            if (begun := kept(store)) is not None:
                progress.say("ending a forgetting that was stopped half way")
                work.perform(begun)
                ids = sorted(set(ids) - set(begun.ids))
            for batch in _batches(ids) or [[]] * bool(old_runs):
                number = begin_forgetting(state, who, asked.sort, len({known_as(one) for one in batch}))
                work.perform(Kept(number, batch, chosen.began), old_runs if batch[-1:] == ids[-1:] else ())
            return work.with_unknown(asked.conversations)


def _batches(ids: list[str]) -> list[list[str]]:
    return [ids[first : first + AT_ONCE] for first in range(0, len(ids), AT_ONCE)]


@dataclass
class _Forgetting:
    """A forgetting at work."""

    settings: Settings
    store: StorePath
    state: State
    bundle: str | None
    report: Report
    by_retention: bool
    seen: set[str] = field(default_factory=set)

    def perform(self, what: Kept, withdrawn: Sequence[str] = ()) -> None:
        """Remove conversations, and runs of such conversations alone, and prove that they are gone."""
        # First they are written down, so that no run and no pull that begins from here on reads them …
        keep(self.store, what)
        remember_forgotten(self.state, what.ids)
        copy_forgotten(self.state, self.store)
        for bundle in self.own_bundles():
            with open_state(self.settings, bundle / PULL) as state:
                remember_forgotten(state, what.ids)
        # … then whoever has begun already is waited for.
        self.check_idle()
        traces = self.remove(what, dry=False)
        for run_id in withdrawn:
            self.count("runs that are older", removal.withdrawn(self.settings, self.store, run_id))
        throw_away(self.store)
        if not self.state.overwrite_deleted():
            progress.log.warning(
                "somebody reads the state database: pages of it that are free may still hold something"
            )
        passing = tuple(f"{place}/" for place in bundles_within(self.store))
        found = search(self.store, self.state, self.own_bundles(), traces, passing)
        self.report.found = found if self.report.found is None else self.report.found + found
        counts = {place: {"files": one.files, "rows": one.rows} for place, one in self.report.removed.items()}
        end_forgetting(self.state, what.number, counts, len(found.places))
        copy_forgotten(self.state, self.store)

    def remove(self, what: Kept, dry: bool) -> Traces:
        """Remove what is found of conversations, place by place; what tells of them goes last."""
        what, traces, seen = collect(self.store, self.bundle, self.settings.input, what)
        self.seen |= seen
        if not dry:
            keep(self.store, what)
        runs = removal.run_ids(self.store)
        with progress.bar("runs") as tick:
            for number, run_id in enumerate(runs):
                removed = removal.from_run(self.settings, self.store, run_id, traces, dry)
                self.count("runs", removed)
                tick(number + 1, len(runs))
        self.count("other files of the store", removal.beside_runs(self.store, traces, dry))
        self.count("caches", removal.from_kept_results(self.store, dry))
        if not self.by_retention:  # that has a limit of its own for them: else it would empty them every week
            self.count("caches", removal.from_caches(self.store, what.began, dry))
        self.count("state database", removal.from_state(self.state, traces, dry))
        for bundle in self.own_bundles():
            self.count(f"the bundle {bundle}", removal.from_bundle(self.settings, bundle, traces, dry))
        for name in self.bundles():
            if dry and not is_page(name) and sources_of(store_path(name)):
                continue  # nothing of it is gone yet
            for table, rows in rows_about(name, traces.ids, self.settings.input).items():
                tables = self.report.elsewhere.setdefault(name, {})
                tables[table] = tables.get(table, 0) + rows
        return traces

    def bundles(self) -> list[str]:
        """The bundle that was named, and those that lie in the store."""
        within = [str(self.store / place) for place in bundles_within(self.store)]
        return list(dict.fromkeys([*([self.bundle] if self.bundle else []), *within]))

    def own_bundles(self) -> list[StorePath]:
        """Those that `lacuna pull` has written into."""
        places = [store_path(bundle) for bundle in self.bundles() if not is_page(bundle)]
        return [place for place in places if sources_of(place)]

    def check_idle(self) -> None:
        """Refuse while somebody works on a run or pulls: they may hold in memory what has to go."""
        for run_id in removal.begun_runs(self.store):
            with lease(self.settings, self.store, run_id):
                pass
        for bundle in self.own_bundles():
            for source in sources_of(bundle):
                with lease(self.settings, bundle / PULL, f"pull-{source}"):
                    pass

    def count(self, place: str, removed: Removed) -> None:
        """Count what went in a place."""
        if removed:
            self.report.removed[place] = self.report.removed.get(place, Removed()) + removed

    def with_unknown(self, named: Sequence[str]) -> Report:
        """The report, with the ids among those named that were found nowhere."""
        self.report.unknown = tuple(one for one in named if known_as(one) not in self.seen and one not in self.seen)
        return self.report
