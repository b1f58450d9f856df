"""Articles that may be out of date before anything fails: what a release changed, or what changed around them.

None of them is a proven gap. The list says where a look is worth it, those first that customers meet most.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32
from lacuna.models.backlog.article_care import use_of
from lacuna.models.backlog.owners import approved
from lacuna.models.text.lexicon import STOP_WORDS
from lacuna.models.text.vectors import unit
from lacuna.models.text.words import stems
from lacuna.models.writing.passages import lines

Embed = Callable[[Sequence[str]], F32]

__all__ = ["COLUMNS", "watch_list"]

COLUMNS = ["article_id", "title", "owner_id", "cause", "since", "passage", "why", "cited", "failed"]
SAYS, SHARED = 0.5, 2  # least cosine of a passage and a sentence of release notes, and words that they have in common
NEAREST, NEAR = 3, 0.5  # articles next to one, and their least cosine, the mean of all articles taken out
CHANGED = 2  # of the nearest, so many were changed since
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
_NO_CHANGE = re.compile(r"^\W*(?:no|without|keine?)\b", re.I)


@dataclass(frozen=True)
class _Passage:
    """A sentence of an article, alone and behind the article's title."""

    article_id: str
    text: str
    with_title: str


@dataclass(frozen=True)
class _Cause:
    """Why an article is on the list: ``release`` or ``related``, the day, the passage, and a sentence."""

    kind: str
    since: pd.Timestamp
    passage: str
    why: str


def watch_list(
    articles: pd.DataFrame,
    checked: pd.Series,
    releases: pd.DataFrame,
    revisions: pd.DataFrame,
    cited: pd.DataFrame,
    vectors: F32,
    embed: Embed,
    today: pd.Timestamp,
    days: int,
) -> pd.DataFrame:
    """The articles that a release, or changes nearby, may have made stale and that nobody has looked at since.

    A **release** names what an article tells: a sentence of its notes comes nearest to a passage, with words in common.
    **Related** articles were changed: two of an article's three nearest.

    Parameters
    ----------
    articles : DataFrame
        article_id, title, body, product (str or null), owner_id: those that are published.
    checked : Series
        When each was last verified or changed (:func:`models.backlog.article_care.last_checked`), by article_id.
    releases : DataFrame
        product, version, released_at (UTC), notes (str or null).
    revisions : DataFrame
        article_id, revised_at (UTC), approved (bool or null).
    cited : DataFrame
        cited_first (str or null), p_failed (float): the window's conversations.
    vectors
        float32 (articles, dim), the articles' vectors, in their order.
    embed
        Texts to float32 (texts, dim), rows of length 1.
    today
        The window's last day; what came later is not known.
    days
        How far back releases and changes are looked at.

    Returns
    -------
    DataFrame
        article_id, title, owner_id, cause (release or related), since (UTC), passage ("" for related), why (a
        sentence), cited (conversations answered from it), failed (chances of failure, added up); the most cited first.
    """
    first = today - pd.Timedelta(days=days)
    recent = releases[(releases["released_at"] > first) & (releases["released_at"] <= today)]
    by_release = _released(articles, checked, recent, embed)
    by_related = _related(articles, checked, revisions, vectors, first, today)
    causes = {**by_related, **by_release}  # what a release says is more than what was changed nearby
    rows = articles[articles["article_id"].isin(causes)].copy()
    found = [causes[article] for article in rows["article_id"]]
    rows["cause"] = pd.array([cause.kind for cause in found], dtype="str")
    rows["since"] = pd.to_datetime([cause.since for cause in found], utc=True)
    rows["passage"] = pd.array([cause.passage for cause in found], dtype="str")
    rows["why"] = pd.array([cause.why for cause in found], dtype="str")
    rows["cited"], rows["failed"] = use_of(rows["article_id"], cited)
    order = rows.sort_values(["cited", "since", "article_id"], ascending=[False, False, True])
    return order[COLUMNS].reset_index(drop=True)


def _released(articles: pd.DataFrame, checked: pd.Series, releases: pd.DataFrame, embed: Embed) -> dict[str, _Cause]:
    """By article, the sentence of release notes that comes nearest to one of its passages.

    A sentence speaks of one thing, so it counts for the nearest article alone.
    """
    told = [
        (pd.Timestamp(str(release.released_at)), str(release.product), str(release.version), sentence)
        for release in releases.sort_values(["released_at", "product", "version"]).itertuples()
        for sentence in _sentences(release.notes)
    ]
    passages = _with_words_of([_words(sentence) for *_, sentence in told], articles)
    if not passages:
        return {}
    vectors = embed([passage.with_title for passage in passages])
    cosines = np.round(embed([sentence for *_, sentence in told]) @ vectors.T, 5)
    products = dict(zip(articles["article_id"].astype(str), articles["product"], strict=True))
    best: dict[str, tuple[float, _Cause]] = {}
    for (came_out, released, version, sentence), near in zip(told, cosines, strict=True):
        place = int(near.argmax())
        passage, likeness = passages[place], float(near[place])
        product = products[passage.article_id]
        elsewhere = isinstance(product, str) and product != released
        shared = _words(sentence) & _words(passage.with_title)
        if likeness < SAYS or elsewhere or len(shared) < SHARED:
            continue
        if checked_before(checked, passage.article_id, came_out) and likeness > best.get(passage.article_id, (0.0,))[0]:
            why = f"{released} {version} of {came_out.date()}: “{sentence}”"
            best[passage.article_id] = likeness, _Cause("release", came_out, passage.text, why)
    return {article: cause for article, (_, cause) in best.items()}


def _related(
    articles: pd.DataFrame,
    checked: pd.Series,
    revisions: pd.DataFrame,
    vectors: F32,
    first: pd.Timestamp,
    today: pd.Timestamp,
) -> dict[str, _Cause]:
    """By article, the changes of those nearest to it since it was last looked at."""
    if len(articles) <= NEAREST:
        return {}
    of_interest = approved(revisions)
    of_interest = of_interest[(of_interest["revised_at"] > first) & (of_interest["revised_at"] <= today)]
    changed = of_interest.groupby("article_id")["revised_at"].max()
    centred = unit(vectors - vectors.mean(axis=0, keepdims=True))
    cosines = np.round(centred @ centred.T, 5)
    np.fill_diagonal(cosines, -1.0)
    ids, titles = articles["article_id"].astype(str).tolist(), articles["title"].astype(str).tolist()
    causes = {}
    for row, article in enumerate(ids):
        near = [int(i) for i in np.argsort(-cosines[row], kind="stable")[:NEAREST] if cosines[row, i] >= NEAR]
        since = [
            (changed[ids[i]], titles[i])
            for i in near
            if ids[i] in changed.index and checked_before(checked, article, changed[ids[i]])
        ]
        if len(since) >= CHANGED:
            named = " and ".join(f"“{title}” ({day.date()})" for day, title in sorted(since)[:CHANGED])
            why = f"changed since it was last looked at: {named}, which are near it"
            causes[article] = _Cause("related", max(day for day, _ in since), "", why)
    return causes


def checked_before(checked: pd.Series, article: str, day: pd.Timestamp) -> bool:
    """Whether nobody has verified or changed an article since a day; so too where that is not known."""
    last = checked.get(article)
    return last is None or pd.isna(last) or last < day


def _sentences(notes: object) -> Iterable[str]:
    """The sentences of release notes that tell of a change."""
    parts = _SENTENCE.split(notes) if isinstance(notes, str) else []
    return [part.strip() for part in parts if part.strip() and not _NO_CHANGE.match(part)]


def _words(text: str) -> set[str]:
    return {stem for stem in stems(text) if stem not in STOP_WORDS and len(stem) > 1}


def _with_words_of(sentences: Sequence[set[str]], articles: pd.DataFrame) -> list[_Passage]:
    """The passages that have enough words in common with a sentence, behind their article's title."""
    found = []
    for row in articles.itertuples() if sentences else ():
        title = _words(str(row.title))
        for line in lines(str(row.body)):
            words = title | _words(line.text)
            if any(len(words & said) >= SHARED for said in sentences):
                found.append(_Passage(str(row.article_id), line.text, f"{row.title}. {line.text}"))
    return found
