"""What is older than the settings allow goes: conversations, published runs, and what is cached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta

from lacuna.data_contracts.errors import LacunaError
from lacuna.pipelines.forgetting.forget import Report, forget
from lacuna.pipelines.forgetting.removal import Removed, remove_cached, withdrawn
from lacuna.pipelines.forgetting.selection import Asked
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.run_folders import published_runs
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state.forgotten import begin_forgetting, end_forgetting
from lacuna.pipelines.state.repository import open_state

__all__ = ["Retained", "retain", "retain_scheduled"]


@dataclass(frozen=True)
class Retained:
    """What went: conversations with their report (None: they are kept for ever), runs by id, and files of caches."""

    conversations: Report | None
    runs: tuple[str, ...]
    cached: Removed


def retain(
    settings: Settings,
    store: StorePath,
    who: str,
    bundle: str | None = None,
    dry: bool = False,
    today: date | None = None,
) -> Retained:
    """Remove what is older than `[retention]` allows.

    Parameters
    ----------
    settings
        Its section ``[retention]``.
    store
        The store.
    who
        Who does it, for the log.
    bundle
        It tells when conversations began.
    dry
        Count what would go, and change nothing.
    today
        The day from which ages count; by the clock where it is left out.

    Raises
    ------
    SettingsInvalid
        Conversations have to go, and no bundle is named.
    StoreUnusable
        As :func:`lacuna.pipelines.forgetting.forget.forget`.
    """
    limits, day = settings.retention, today or datetime.now(UTC).date()
    old_runs = _old_runs(store, day - timedelta(days=limits.runs_days)) if limits.runs_days else []
    gone = sum((withdrawn(settings, store, run_id) for run_id in (() if dry else old_runs)), Removed())
    cached = Removed()
    if limits.cached_days:
        oldest = datetime.combine(day - timedelta(days=limits.cached_days), datetime.min.time(), UTC).timestamp()
        cached = remove_cached(store, lambda written: written < oldest, dry)
    if not dry and (old_runs or cached):
        with open_state(settings, store) as state:
            number = begin_forgetting(state, who, "retention", 0)
            counts = {"runs": gone, "caches": cached}
            end_forgetting(state, number, {place: asdict(one) for place, one in counts.items() if one}, 0)
    report = None
    if limits.conversations_days:
        before = day - timedelta(days=limits.conversations_days)
        progress.say(f"conversations that began before {before} are forgotten")
        report = forget(settings, store, Asked(before=before, by_retention=True), who, bundle, dry)
    return Retained(report, tuple(old_runs), cached)


def retain_scheduled(job_json: Mapping[str, str | None]) -> bool:
    """Do what :func:`retain` does for a scheduler's run; False where the settings keep everything for ever.

    Raises
    ------
    LacunaError
        As :func:`retain`; or something is left of conversations that are forgotten.
    """
    job = Job.from_json(dict(job_json))
    if not job.settings.retention.is_set:
        return False
    retained = retain(job.settings, job.store, "lacuna_weekly", job.bundle)
    report = retained.conversations
    if report is not None and not report.is_done:
        places = ", ".join(sorted(report.found.places)[:10]) if report.found else ""
        raise LacunaError(
            f"something is left of conversations that are older than they may be: {places}",
            "see to these files by hand, or run `lacuna forget --retention` once more",
        )
    return True


def _old_runs(store: StorePath, before: date) -> list[str]:
    """The runs that ended before a day, but for the latest of all."""
    return [run_id for run_id in published_runs(store)[:-1] if run_id < before.isoformat()]
