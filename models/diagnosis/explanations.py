"""Supporting reasons of a verdict: since when, after which release, for whom, in which words; sentences with figures.

None of them decides the kind of a gap. They tell a writer where to look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

from lacuna.models.text.words import LONG_WORD, shortened

GROUPS = {"region": "customers in {}", "product": "conversations about {}", "language": "questions in language '{}'"}
NAMED = 4  # groups in a sentence
EACH_SIDE = 5  # conversations that each side of a comparison needs
FARTHER_APART = 0.3  # and how far apart their failing shares must be to be worth a writer's time
BY_CHANCE = 0.01  # and how seldom chance may bring that about, among all groups looked at
BEFORE = timedelta(days=7)  # customers meet a release some days after it came out


def release_reason(
    releases: pd.DataFrame, low: date, high: date, product: str | None, article: str, common: frozenset[str]
) -> str | None:
    """The release that came out when an article's answers began to fail, if one did.

    Parameters
    ----------
    releases : DataFrame
        product, version (str), released_at (UTC), notes (str or null).
    low, high
        Days between which the change lies.
    product
        The article's product; where it has one, releases of other products count only if their notes are about it.
    article
        Title and body.
    common
        Words that say nothing about what a text is about.
    """
    day = releases["released_at"].dt.date
    near = releases[(day >= low - BEFORE) & (day <= high)]
    candidates = []
    words = _words(article) - common
    for release in near.itertuples():
        shared = len(words & (_words(f"{release.version} {release.notes if isinstance(release.notes, str) else ''}")))
        same = product is not None and str(release.product) == product
        if same or shared >= 2:
            candidates.append((-shared, release.released_at, f"{release.product} {release.version}"))
    if not candidates:
        return None
    _, when, name = min(candidates)
    return f"{name} came out on {when.date()}, about when the answers began to fail"


def joined_reason(groups: Sequence[tuple[str, int, str]]) -> str:
    """Which conversations are in a gap because they want the same in other words, or in another language.

    Parameters
    ----------
    groups
        What each group is called, its number of conversations, and the code of its language.

    Examples
    --------
    >>> joined_reason([("Punkte fehlen", 5, "de"), ("No points yet", 3, "")])
    "8 of its conversations want the same in other words: “Punkte fehlen” (5, language 'de'), “No points yet” (3)"
    """
    ordered = sorted(groups, key=lambda group: (-group[1], group[0]))
    named = [
        f"“{name}” ({count}, language '{language}')" if language else f"“{name}” ({count})"
        for name, count, language in ordered[:NAMED]
    ]
    rest = f" and {len(ordered) - NAMED} more" if len(ordered) > NAMED else ""
    total = sum(count for _, count, _ in ordered)
    return f"{total} of its conversations want the same in other words: {', '.join(named)}{rest}"


def _words(text: str) -> set[str]:
    return {word.lower() for word in LONG_WORD.findall(text)}


def group_reason(about: pd.DataFrame) -> str | None:
    """The group of customers for whom an article fails, where it fails for them and works for the others.

    Each value of region, product and language is compared with all other conversations (Fisher 1922, one-sided), and
    the chance is multiplied by the number of groups looked at (Bonferroni).

    Parameters
    ----------
    about : DataFrame
        The conversations that the article answered: p_failed (float) and any of region, product, language.

    Examples
    --------
    >>> about = pd.DataFrame({"p_failed": [0.9] * 9 + [0.1] * 30, "region": ["us"] * 9 + ["eu"] * 30})
    >>> group_reason(about)
    'of the answers from the article in this window: customers in us, 9 of 9 failed; all others, 0 of 30'
    """
    failed = about["p_failed"].gt(0.5)
    compared, sentences = 0, []
    for column, words in GROUPS.items():
        if column not in about:
            continue
        for value in sorted(about[column].dropna().unique()):
            inside = about[column].eq(value).fillna(False).astype(bool)
            n, others = int(inside.sum()), int((~inside).sum())
            if min(n, others) < EACH_SIDE:
                continue
            compared += 1
            bad, bad_others = int(failed[inside].sum()), int(failed[~inside].sum())
            if bad / n - bad_others / others < FARTHER_APART:
                continue
            chance = float(
                fisher_exact(np.array([[bad, n - bad], [bad_others, others - bad_others]]), "greater").pvalue
            )
            figures = f"{words.format(value)}, {bad} of {n} failed; all others, {bad_others} of {others}"
            sentences.append((chance, f"of the answers from the article in this window: {figures}"))
    if not sentences or min(sentences)[0] * compared > BY_CHANCE:
        return None
    return min(sentences)[1]


def words_reason(words: Sequence[str], most: int = 5) -> str | None:
    """The customers' words that an article lacks."""
    if not words:
        return None
    return f"customers write {', '.join(f'“{word}”' for word in words[:most])}, and the article does not"


def against_reason(passages: Sequence[Mapping[str, Any]], most: int = 160) -> str | None:
    """The article's sentence that agents contradict most often, and what they say instead.

    Parameters
    ----------
    passages
        passage, evidence (what agents say) and count (in how many conversations).
    """
    opposed = [p for p in passages if p.get("passage") and p.get("evidence") and p.get("count")]
    if not opposed:
        return None
    best = min(opposed, key=lambda p: (-int(p["count"]), str(p["evidence"])))
    passage, evidence = (shortened(str(best[name]), most) for name in ("passage", "evidence"))
    times = "1 conversation" if best["count"] == 1 else f"{int(best['count'])} conversations"
    return f"the article says “{passage}”; agents said in {times}: “{evidence}”"


def searches_reason(searches: int, queries: Sequence[Mapping[str, Any]], most: int = 4) -> str | None:
    """What customers searched for in vain before a ticket; None for fewer than two searches.

    Parameters
    ----------
    searches
        How many searches there were.
    queries
        query and count, the most frequent first.

    Examples
    --------
    >>> searches_reason(6, [{"query": "spare pole", "count": 5}, {"query": "tent pole", "count": 1}])
    '6 searches found nothing of use before a ticket: “spare pole” (5), “tent pole”'
    """
    if searches < 2:
        return None
    listed = [f"“{row['query']}”" + (f" ({row['count']})" if row["count"] > 1 else "") for row in queries[:most]]
    return f"{searches} searches found nothing of use before a ticket: {', '.join(listed)}"


def checked_reason(checked: date | None, began: date) -> str | None:
    """Since when nobody has verified an article that began to fail; None where somebody has since then."""
    if checked is None:
        return "nobody is on record as having verified or changed it"
    if checked >= began:
        return None
    return f"nobody has verified or changed it since: the last time was {checked}"
