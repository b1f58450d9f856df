"""The last day of a bundle without outliers: one mistyped date must not move the window."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from lacuna.data_contracts.errors import NothingToMine
from lacuna.pipelines.io.bundle import read_bundle, refuse

if TYPE_CHECKING:
    from lacuna.pipelines.io.mapping import Mapped

__all__ = ["bulk_end", "last_day"]

# Conversations are outliers if they come after a silence of four weeks and are at most this share of all.
SILENCE = timedelta(days=28)
ASTRAY = 0.01
# With fewer conversations than this, a late one may be the first after a quiet time, and no outlier.
FEWEST = 20


def last_day(bundle: str, mapped: Mapped | None = None, today: date | None = None) -> date:
    """The UTC day on which the bundle's last conversation started, outliers left out.

    Parameters
    ----------
    bundle
        A folder, or an fsspec URL of one.
    mapped
        The mapping of the bundle's own names and values.
    today
        The day after which nothing can have happened yet; today by default.

    Raises
    ------
    NothingToMine
        No conversation has a start that can be read.
    ContractBroken
        The table or its column `started_at` is missing.
    """
    read = read_bundle(bundle, ["conversations"], mapped)
    refuse(read.problems)
    last = bulk_end(read.tables["conversations"].frame["started_at"], today)
    if last is None:
        raise NothingToMine("the bundle holds no conversation with a start", "fill the table 'conversations'")
    return last


def bulk_end(started: pd.Series, today: date | None = None) -> date | None:
    """The last day on which conversations started; None where none did.

    What starts after ``today`` counts only where nothing else is there. Of the others, a tail of at most 1 % of all
    conversations (and one of twenty or more) doesn't count where more than four weeks lie between it and the rest.

    Examples
    --------
    >>> days = pd.to_datetime(["2024-06-03"] * 30 + ["2024-09-01"], utc=True)
    >>> bulk_end(pd.Series(days), date(2024, 12, 31)).isoformat()
    '2024-06-03'
    """
    days = started.dropna().dt.tz_convert("UTC").dt.date
    past = days[days <= (today or datetime.now(UTC).date())]
    days = (past if len(past) else days).sort_values(ignore_index=True)
    if days.empty:
        return None
    allowed = max(int(ASTRAY * len(days)), 1) if len(days) >= FEWEST else 0
    counts = days.value_counts(sort=False).sort_index()
    after = len(days) - counts.cumsum()
    for (day, more), following in zip(after.iloc[:-1].items(), counts.index[1:], strict=True):
        if more <= allowed and following - day > SILENCE:
            return day
    return counts.index[-1]
