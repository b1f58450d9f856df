"""Different ways in which the same thing was asked: near-duplicates count once, the most usual way comes first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist
from sklearn.feature_extraction.text import TfidfVectorizer

from lacuna.models.arrays import Ints
from lacuna.models.text.lexicon import TIMES
from lacuna.models.text.words import stems

__all__ = ["Phrasing", "different"]

ALIKE = 0.4  # mean cosine within a group of texts that say it the same way
SHARED = 0.6  # words of weight of the shorter of two texts that the other has too, where both say the same
TEXTS = 800  # per gap; more show no other ways
READABLE = (4, 45)  # words


class Phrasing(NamedTuple):
    """The position of a text, and how many texts say it about the same way."""

    at: int
    times: int


def different(texts: Sequence[str], closeness: Sequence[float], count: int = 5) -> list[Phrasing]:
    """The most usual ways in which ``texts`` say it, no two alike.

    Texts are compared by runs of three to five letters (TF-IDF, average linkage), which slips of the pen change little.

    Parameters
    ----------
    texts
        What was asked, without what is not about the matter.
    closeness
        Of each text to the middle of them all; the larger, the more typical.
    count
        At most so many.

    Returns
    -------
    list of Phrasing
        The largest groups first, each by a text of readable length with few words that no other has, such as slips of
        the pen, and of these the most typical.

    Examples
    --------
    >>> said = ["where is my parcel", "wher is my parcel?", "the driver never came", "where is my parcel now"]
    >>> different(said, [1.0, 0.9, 0.5, 0.8])
    [Phrasing(at=0, times=3), Phrasing(at=2, times=1)]
    """
    rows = [i for i, text in enumerate(texts) if text.strip()]
    rows = [rows[int(i * len(rows) / TEXTS)] for i in range(TEXTS)] if len(rows) > TEXTS else rows
    if not rows:
        return []
    said = Counter(word for i in rows for word in stems(texts[i]))
    slips = {i: sum(said[word] == 1 for word in stems(texts[i])) for i in rows}  # words that nobody else writes
    group = _groups([texts[i] for i in rows])
    found = []
    for number in sorted(set(group)):
        own = [rows[i] for i in np.flatnonzero(group == number)]
        best = min(own, key=lambda i: (not _readable(texts[i]), slips[i], -round(closeness[i], 6), texts[i], i))
        found.append(Phrasing(best, len(own)))
    order = sorted(found, key=lambda p: (-p.times, not _readable(texts[p.at]), -round(closeness[p.at], 6), texts[p.at]))
    chosen: list[Phrasing] = []
    for phrasing in order:
        words = stems(texts[phrasing.at]) - TIMES
        like = [i for i, other in enumerate(chosen) if _same_words(words, stems(texts[other.at]) - TIMES)]
        if like:
            chosen[like[0]] = Phrasing(chosen[like[0]].at, chosen[like[0]].times + phrasing.times)
        elif len(chosen) < count:
            chosen.append(phrasing)
    return sorted(chosen, key=lambda p: -p.times)


def _same_words(one: set[str], other: set[str]) -> bool:
    return len(one & other) >= SHARED * max(1, min(len(one), len(other)))


def _readable(text: str) -> bool:
    return READABLE[0] <= len(text.split()) <= READABLE[1]


def _groups(texts: Sequence[str]) -> Ints:
    if len(texts) == 1:
        return np.zeros(1, dtype=np.int64)
    try:
        counted = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True).fit_transform(texts)
    except ValueError:  # nothing but signs
        return np.zeros(len(texts), dtype=np.int64)
    far = np.nan_to_num(pdist(np.round(counted.toarray(), 9), "cosine"), nan=1.0).clip(0, 2)
    return fcluster(linkage(np.round(far, 9), "average"), 1 - ALIKE, "distance").astype(np.int64)
