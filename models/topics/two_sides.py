"""Questions parted in two by an example of each side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lacuna.models.arrays import F32, F64, Ints
from lacuna.models.text.vectors import unit

__all__ = ["two_sides"]

ROUNDS = 20  # in which the two sides settle, at most


def two_sides(
    points: F32,
    keys: Sequence[str],
    examples: tuple[tuple[str, F32], tuple[str, F32]],
    is_enough: Callable[[Ints], bool],
) -> tuple[Ints, Ints]:
    """The rows that are nearer to each of two examples, and so to the other rows on that example's side.

    A single example may lie at the edge, with next to nothing nearer to it than to the other. Where that leaves a side
    that is too small, the sides begin with the third of the rows that leans most to each example.

    Parameters
    ----------
    points
        float32 (n, dims), rows of length 1.
    keys
        Of each row; equal ones stay on one side, and those of the examples on their own.
    examples
        The key and the place of each, float32 (dims,).
    is_enough
        Whether some rows can be a side.

    Examples
    --------
    >>> points = unit(np.array([[1, 0], [0.9, 0.1], [0.1, 0.9], [0, 1]], dtype=np.float32))
    >>> first, second = two_sides(points, "abcd", (("a", points[0]), ("d", points[3])), lambda rows: len(rows) > 1)
    >>> first.tolist(), second.tolist()
    ([0, 1], [2, 3])
    """
    (first, one), (second, other) = examples
    lean = points @ unit(other[None])[0] - points @ unit(one[None])[0]
    sides = _settled(points, keys, np.sign(lean), (first, second))
    if all(is_enough(side) for side in sides):
        return sides
    third, order = max(1, len(points) // 3), np.argsort(lean, kind="stable")
    start = np.zeros(len(points))
    start[order[:third]], start[order[-third:]] = -1, 1
    again = _settled(points, keys, start, (first, second))
    return again if all(is_enough(side) for side in again) else sides


def _settled(points: F32, keys: Sequence[str], lean: F64, examples: tuple[str, str]) -> tuple[Ints, Ints]:
    """Two sides whose rows are each nearer to their own side's middle.

    ``lean`` says where to begin: below 0 on the first side, above 0 on the second, 0 on neither.
    """
    side = lean
    for _ in range(ROUNDS):
        of_key: dict[str, float] = {examples[0]: -1.0, examples[1]: 1.0}
        side = np.array([of_key.setdefault(key, float(value)) for key, value in zip(keys, lean, strict=True)])
        if not ((side < 0).any() and (side > 0).any()):
            break
        middles = unit(np.array([points[rows].mean(axis=0) for rows in (side < 0, side > 0)]))
        cosines = points @ middles.T
        lean = np.where(cosines[:, 1] > cosines[:, 0], 1.0, -1.0)
        if (lean == side).all():
            break
    return np.flatnonzero(side <= 0), np.flatnonzero(side > 0)
