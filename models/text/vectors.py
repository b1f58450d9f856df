"""Vectors: rows of length 1, what is common taken out, cosines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lacuna.models.arrays import F32

__all__ = ["centred", "cosines", "unit"]

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
