"""Names for the arrays that functions take and give back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["F32", "F64", "Flags", "Ints"]

F32 = NDArray[np.float32]  # vectors and similarities, of which there are many
F64 = NDArray[np.float64]  # chances, counts that are weighed, statistics
Ints = NDArray[np.int64]  # row numbers, labels, counts
Flags = NDArray[np.bool_]
