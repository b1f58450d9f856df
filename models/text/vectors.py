"""Vectors: rows of length 1, what is common taken out, cosines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lacuna.models.arrays import F32, F64

__all__ = ["LanguageMeans", "centred", "cosines", "group_likeness", "unit"]

ENOUGH_OF_A_LANGUAGE = 50


def unit(vectors: F32) -> F32:
    """Rows of length 1; a row of zeros stays."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(length > 1e-9, length, 1)).astype(np.float32)


def centred(vectors: F32, languages: Sequence[str]) -> F32:
    """Vectors against the mean of their language, where it has enough of them (:class:`LanguageMeans`)."""
    return LanguageMeans.of(vectors, languages).taken_out(vectors, languages)


class LanguageMeans:
    """The mean vector of each language that has :data:`ENOUGH_OF_A_LANGUAGE` texts.

    A model that knows a language badly sees little in it but the language itself.

    Parameters
    ----------
    mean
        float32 (dim,) by language.
    """

    def __init__(self, mean: Mapping[str, F32]) -> None:
        self._mean = dict(mean)

    @classmethod
    def of(cls, vectors: F32, languages: Sequence[str]) -> LanguageMeans:
        """From float32 (n, dim) and the code of each text's language."""
        code = np.asarray(languages)
        here = {language: code == language for language in sorted(set(languages))}
        enough = {language: rows for language, rows in here.items() if rows.sum() >= ENOUGH_OF_A_LANGUAGE}
        return cls({language: vectors[rows].mean(axis=0) for language, rows in enough.items()})

    @classmethod
    def of_parts(cls, parts: Iterable[F32], languages: Sequence[str]) -> LanguageMeans:
        """From vectors that come part by part, and the languages of all of them."""
        code, start = np.asarray(languages), 0
        total: dict[str, F64] = {}
        for part in parts:
            own = code[start : start + len(part)]
            for language in sorted(set(own.tolist())):
                total[language] = total.get(language, 0.0) + part[own == language].sum(axis=0, dtype=np.float64)
            start += len(part)
        counts = Counter(languages)
        enough = {language: whole for language, whole in total.items() if counts[language] >= ENOUGH_OF_A_LANGUAGE}
        return cls({language: (whole / counts[language]).astype(np.float32) for language, whole in enough.items()})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The means as arrays, from which :meth:`of_arrays` makes the same again."""
        return {f"mean_{language}": mean for language, mean in self._mean.items()}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> LanguageMeans:
        """From :meth:`arrays`; others among them are left alone."""
        return cls({name.removeprefix("mean_"): mean for name, mean in arrays.items() if name.startswith("mean_")})

    def taken_out(self, vectors: F32, languages: Sequence[str]) -> F32:
        """Vectors less the mean of their language; of a language without one, as they are."""
        code, out = np.asarray(languages), vectors.copy()
        for language, mean in self._mean.items():
            out[code == language] -= mean
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
