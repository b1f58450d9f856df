"""The window of a run: its first and last day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.data_contracts.units import FIRST_YEAR, LAST_YEAR
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state.repository import open_state

__all__ = ["resolve_window", "scheduled_window"]

WEEK = timedelta(days=7)
DAY = timedelta(days=1)


def resolve_window(
    start: str | date | None, end: str | date | None, settings: Settings, bundle: str
) -> tuple[date, date]:
    """First and last day of a run's window, both included.

    Without ``end`` the window ends with the bundle's last day, as its bulk has it and never after today (see
    :func:`pipelines.runtime.days.bulk_end`); without ``start`` it is ``[window] days`` long.

    Raises
    ------
    SettingsInvalid
        A day can't be read, or the window ends before it starts.
    NothingToMine
        ``end`` is left out and the bundle has no conversation.
    """
    first, last = _day(start, "start"), _day(end, "end")
    if last is None:
        from lacuna.pipelines.runtime.days import last_day

        last = last_day(bundle, settings.input)
    if first is None:
        first = last - (settings.window.days - 1) * DAY
    if first > last:
        raise SettingsInvalid(
            f"the window ends ({last}) before it starts ({first})",
            "give an --end on or after --start; both days are part of the window",
        )
    return first, last


def scheduled_window(
    start: str | date | None,
    end: str | date | None,
    interval: tuple[datetime, datetime] | None,
    store: StorePath,
    settings: Settings,
    bundle: str,
) -> tuple[date, date]:
    """The window of a scheduled run: the given days, else the schedule's interval, else the week after the last run.

    A run that was started by hand or by an asset has no interval, or an empty one. Its window then is the week after
    the last recorded run, as far as the bundle reaches.

    Parameters
    ----------
    start, end
        Days given by hand; they take precedence.
    interval
        The schedule's half-open data interval, or None. Its last full day ends the window.
    store, settings, bundle
        Of the run.

    Raises
    ------
    SettingsInvalid, NothingToMine
        As :func:`resolve_window`.
    """
    if end is None and interval is not None and interval[0] < interval[1]:
        end = interval[1].date() - DAY
    if end is None:
        with open_state(settings, store) as state:
            recorded = state.last_run()
        if recorded is not None:
            _, newest = resolve_window(None, None, settings, bundle)
            end = min(date.fromisoformat(recorded) + WEEK, newest)
    return resolve_window(start, end, settings, bundle)


def _day(value: str | date | None, name: str) -> date | None:
    if value is None or value == "":
        return None
    try:
        day = value.date() if isinstance(value, datetime) else value if isinstance(value, date) else None
        day = day or date.fromisoformat(str(value))
    except ValueError:
        raise SettingsInvalid(f"--{name} {value!r} is not a day", "write it as YYYY-MM-DD, like 2024-06-30") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise SettingsInvalid(f"--{name} {day} can't be", f"give a day of the years {FIRST_YEAR} to {LAST_YEAR}")
    return day
