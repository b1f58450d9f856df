"""A backlog as its gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lacuna.models.backlog.gap import Gap
from lacuna.pipelines.presentation.spreadsheet import records

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["gaps_of"]


def gaps_of(backlog: pd.DataFrame) -> list[Gap]:
    """The gaps of a table of them, by rank; a table of an earlier version is read by the names that it has.

    Raises
    ------
    StoreUnusable
        A row lacks what every gap has.
    """
    return sorted(map(Gap.from_row, records(backlog)), key=lambda gap: (gap.rank, gap.gap_id))
