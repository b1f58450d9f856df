"""Themes: a handful of named groups of topics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import silhouette_score

from lacuna.models.arrays import F32, F64, Ints
from lacuna.models.topics.likeness import Likeness
from lacuna.models.topics.lineage import match_topics

__all__ = ["FEWEST", "MOST", "group_topics", "known_themes"]


FEWEST = 6  # least number of topics that are grouped into themes
HANDFUL = 5  # least number of themes with 40 topics or more
MOST = 9  # most themes, so that a legend can show them and a reader can tell them apart
AS_GOOD = 0.8  # least silhouette with which the themes of the run before are kept, as a share of the best


def group_topics(centres: F32, before: Sequence[str | None] | None = None) -> Ints:
    """Theme of each topic, numbered from 0; all −1 where there are fewer than six topics.

    Ward's tree of the topics, cut at the number of themes with the best silhouette (Rousseeuw 1987); a theme of one
    topic then joins the nearest theme. The themes of the run before are kept, and new topics join the nearest one, as
    long as their silhouette is close to that of the best cut. The order of topics affects only the numbers of themes.

    Parameters
    ----------
    centres
        float32 (topics, dim), rows of length 1.
    before
        The theme that each topic was in; None for a topic that is new, or was in none.

    Returns
    -------
    int (topics,)

    Examples
    --------
    >>> group_topics(np.repeat(np.eye(3, dtype=np.float32), 3, axis=0)).tolist()
    [0, 0, 0, 1, 1, 1, 2, 2, 2]
    """
    n = len(centres)
    if n < FEWEST:
        return np.full(n, -1, dtype=np.int64)
    order = np.lexsort(np.round(centres, 4).T)
    points = np.round(centres[order].astype(float), 6)
    tree = linkage(points, "ward")
    fewest = max(2, min(HANDFUL, n // 8))
    best, theme = (False, -2.0), np.zeros(n, dtype=np.int64)
    for count in range(fewest, min(MOST, n // 2) + 1):
        cut = _without_singles(points, np.asarray(fcluster(tree, count, "maxclust"), dtype=np.int64))
        if (quality := _quality(points, cut)) > best:
            best, theme = quality, cut
    if before is not None and len(set(before) - {None}) >= fewest:
        carried = _carried_on(points, [before[i] for i in order.tolist()])
        sorts, apart = _quality(points, carried)
        if fewest <= len(np.unique(carried)) <= MOST and sorts >= best[0] and apart >= AS_GOOD * best[1]:
            theme = carried
    out = np.empty(n, dtype=np.int64)
    out[order] = theme
    first = {label: i for i, label in enumerate(dict.fromkeys(out.tolist()))}
    return np.array([first[label] for label in out.tolist()], dtype=np.int64)


def _quality(points: F64, theme: Ints) -> tuple[bool, float]:
    """Whether no theme holds more than half of all topics, and the silhouette of the themes."""
    if len(np.unique(theme)) < 2:
        return False, -2.0
    return bool(np.bincount(theme).max() <= len(theme) / 2), round(float(silhouette_score(points, theme)), 6)


def _carried_on(points: F64, before: Sequence[str | None]) -> Ints:
    """The themes of the run before, of which there is at least one, with every other topic in the nearest."""
    names = sorted({name for name in before if name is not None})
    theme = np.array([names.index(name) if name is not None else -1 for name in before], dtype=np.int64)
    return _without_singles(points, _in_nearest(points, theme, np.flatnonzero(theme < 0), range(len(names))))


def _without_singles(points: F64, theme: Ints) -> Ints:
    sizes = Counter(theme.tolist())
    several = [k for k, size in sorted(sizes.items()) if size > 1]
    if not several:
        return np.zeros(len(theme), dtype=np.int64)
    return _in_nearest(points, theme, np.flatnonzero([sizes[k] == 1 for k in theme.tolist()]), several)


def _in_nearest(points: F64, theme: Ints, rows: Ints, among: Iterable[int]) -> Ints:
    """The themes with each topic in ``rows`` moved to the theme of ``among`` whose mean is nearest."""
    middles = {k: points[theme == k].mean(axis=0) for k in among}
    out = theme.copy()
    for i in rows:
        out[i] = min(middles, key=lambda k: (float(np.linalg.norm(points[i] - middles[k])), k))
    return out


def known_themes(theme: Ints, before: Sequence[str | None], sizes: Sequence[int]) -> dict[int, str]:
    """The themes that continue one of the run before, and their names.

    Themes are matched one to one. A theme continues another if the geometric mean of the shares of common questions is
    at least one half (Ochiai 1957), counted over topics that were in a theme before.

    Parameters
    ----------
    theme
        int (topics,), as :func:`group_topics` gives it; −1 for none.
    before
        The name of the theme that each topic was in; None for a topic that is new, or was in none.
    sizes
        Questions of each topic.

    Examples
    --------
    >>> known_themes(np.array([0, 0, 1, 1]), ["Parcels", "Parcels", "Parcels", None], [30, 20, 10, 40])
    {0: 'Parcels'}
    """
    topics = pd.DataFrame({"now": theme, "before": pd.array(list(before), dtype="str"), "size": list(sizes)})
    both = topics[(topics["now"] >= 0) & topics["before"].notna()]
    if both.empty:
        return {}
    shared = both.pivot_table(index="now", columns="before", values="size", aggfunc="sum", fill_value=0)
    weight = shared.to_numpy(dtype=float)
    nowhere = np.full(weight.shape, np.nan)
    alike = Likeness(shared.to_numpy(), nowhere, weight, weight.sum(axis=1), weight.sum(axis=0), least=0)
    numbers, names = shared.index.tolist(), shared.columns.tolist()
    same = match_topics(alike, np.ones(len(names), dtype=bool))
    return {int(numbers[i]): str(names[j]) for i, j in same.items()}
