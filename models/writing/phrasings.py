"""Different phrasings of the same question: near-duplicates count once, the most frequent phrasing comes first."""

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
SHARED = 0.6  # least share of the shorter text's stems that the other has too, for both to be one phrasing
TEXTS = 800  # most texts of a gap that are compared; more add no phrasings
READABLE = (4, 45)  # words


class Phrasing(NamedTuple):
    """The position of a text, and how many texts say it about the same way."""

    at: int
    times: int


def different(texts: Sequence[str], closeness: Sequence[float], count: int = 5) -> list[Phrasing]:
    """The most frequent phrasings among ``texts``, no two alike.

    Texts are compared by runs of three to five letters (TF-IDF, average linkage), which typing errors change little.

    Parameters
    ----------
    texts
        The questions, without the sentences that are not about the gap.
    closeness
        How near each text is to the mean of all; the larger, the more typical.
    count
        How many phrasings to return at most.

    Returns
    -------
    list of Phrasing
        The largest groups first. Each is represented by a text of readable length with few words that no other text
        has (they may be typing errors), and of these by the most typical.

    Examples
    --------
    >>> texts = ["where is my parcel", "wher is my parcel?", "the driver never came", "where is my parcel now"]
    >>> different(texts, [1.0, 0.9, 0.5, 0.8])
    [Phrasing(at=0, times=3), Phrasing(at=2, times=1)]
    """
    rows = [i for i, text in enumerate(texts) if text.strip()]
    rows = [rows[int(i * len(rows) / TEXTS)] for i in range(TEXTS)] if len(rows) > TEXTS else rows
    if not rows:
        return []
    word_counts = Counter(word for i in rows for word in stems(texts[i]))
    slips = {i: sum(word_counts[word] == 1 for word in stems(texts[i])) for i in rows}  # words that no other text has
    group = _groups([texts[i] for i in rows])
    groups = []
    for number in sorted(set(group)):
        own = [rows[i] for i in np.flatnonzero(group == number)]
        best = min(own, key=lambda i: (not _readable(texts[i]), slips[i], -round(closeness[i], 6), texts[i], i))
        groups.append(Phrasing(best, len(own)))
    order = sorted(
        groups, key=lambda p: (-p.times, not _readable(texts[p.at]), -round(closeness[p.at], 6), texts[p.at])
    )
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
