"""Vectors: rows of length 1, what is common taken out, cosines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lacuna.models.arrays import F32

__all__ = ["centred", "cosines", "group_likeness", "unit"]

ENOUGH_OF_A_LANGUAGE = 50


def unit(vectors: F32) -> F32:
    """Rows of length 1; a row of zeros stays."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(length > 1e-9, length, 1)).astype(np.float32)


def centred(vectors: F32, languages: Sequence[str]) -> F32:
    """Vectors against the mean of their language, where it has enough of them.

    A model that knows a language badly sees little in it but the language itself.
    """
    code = np.asarray(languages)
    out = vectors.copy()
    for language in sorted(set(languages)):
        here = code == language
        if here.sum() >= ENOUGH_OF_A_LANGUAGE:
            out[here] -= vectors[here].mean(axis=0)
    return out


def cosines(vectors: F32, centroids: F32) -> F32:
    """Cosine of each vector to each centroid, float32 (n, topics)."""
    return np.asarray(vectors @ centroids.T, dtype=np.float32)


def group_likeness(one: F32, other: F32) -> float:
    """Cosine of the means of two groups of vectors, as it would be if both groups were large.

    The mean of a few vectors is a poor measurement of what they have in common, which makes small groups look less
    alike than they are; the cosine is divided by the reliability of both means (Spearman 1904; Brown 1910).
    """
    cosines = unit(one), unit(other)
    means = [group.mean(axis=0) for group in cosines]
    reliable = 1.0
    for group, mean in zip(cosines, means, strict=True):
        n, square = len(group), float(mean @ mean)
        within = max(0.05, (n * square - 1) / (n - 1)) if n > 1 else 0.3
        reliable *= n * within / (1 + (n - 1) * within)
    length = float(np.linalg.norm(means[0]) * np.linalg.norm(means[1]))
    return float(min(1.0, means[0] @ means[1] / max(1e-9, length * np.sqrt(reliable))))
