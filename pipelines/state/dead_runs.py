"""What runs that were killed have left in a store: texts as they came in go at the next start of anything."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from lacuna.data_contracts.errors import StoreUnusable
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.processes import remove_abandoned_folders
from lacuna.pipelines.io.raw_texts import holds_raw_texts, remove_raw_texts
from lacuna.pipelines.io.store import usable
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state.leases import lease
from lacuna.pipelines.state.repository import State, open_state

__all__ = ["SCHEDULED", "clear_dead_runs", "open_store"]

SCHEDULED = "scheduled"  # the document of a run whose tasks a scheduler starts: nobody holds it between two of them


def open_store(settings: Settings, store: StorePath) -> State:
    """The state database of a store, as :func:`open_state` gives it, for whatever begins to work on the store.

    First, texts that killed runs have left are removed.
    """
    clear_dead_runs(settings, store)
    return open_state(settings, store)


def clear_dead_runs(settings: Settings, store: StorePath, but: str = "") -> None:
    """Remove texts as they came in from the work folders of runs that nobody works on any more.

    A run is worked on while anybody holds it or a part of it; one that a scheduler has planned, whose tasks hold it one
    after the other, until nothing was done of it for ``[state] raw_hours``. What was done of a run is kept: it loads
    its texts again if it goes on. So does the run ``but``, which its caller is about to go on with.
    """
    remove_abandoned_folders()
    # Who may only read the store leaves this to others.
    with suppress(StoreUnusable, PermissionError), usable(store):
        if not (store / ".work").exists():
            return
        for work in [*(store / ".work").iterdir()]:
            if work.name != but and _is_left(work, settings):
                with suppress(StoreUnusable), lease(settings, store, work.name):
                    if _is_left(work, settings):  # nobody has gone on with it meanwhile
                        remove_raw_texts(work)
                        progress.log.warning(
                            "run %s ended before its texts were redacted: they were removed from %s, and are loaded "
                            "again if it goes on", work.name, work,
                        )  # fmt: skip


def _is_left(work: StorePath, settings: Settings) -> bool:
    if not holds_raw_texts(work):
        return False
    if not (work / f"{SCHEDULED}.json").exists():
        return True
    last = max(path.stat().st_mtime for path in _documents(work))
    return time.time() - last > settings.state.raw_hours * 3600


def _documents(work: StorePath) -> list[Path]:
    """Every part of a run writes one when it is done."""
    return [*work.rglob("*.json")]
