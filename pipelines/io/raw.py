"""What a file of a bundle is parsed into, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

__all__ = ["Broken", "Raw"]


@dataclass(frozen=True)
class Broken:
    """A row that could not be parsed: where it stands, why, and its raw text."""

    row: int
    why: str
    text: str


@dataclass(frozen=True)
class Raw:
    """A parsed file: raw columns, the row (Parquet, JSON) or line (CSV, JSONL) of each row, and what was odd."""

    frame: pd.DataFrame
    rows: np.ndarray
    broken: list[Broken] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
