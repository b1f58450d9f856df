"""What covers the same as a gap already: another gap's draft, or an article that says what agents say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lacuna.models.backlog.gap import Gap
from lacuna.models.text.words import stems
from lacuna.models.writing.passages import lines

__all__ = ["Cover", "covering"]

SAME = 0.6  # least share of the smaller sentence's stems that two sentences about the same have in common
FEWEST_STEMS = 2  # of a sentence that is compared
SHARE, FEWEST = 0.5, 2  # least share and number of a gap's sentences, or half of its questions, that another has
TITLES = 0.75  # least share of all stems of two titles that both have
NEAR = 0.6  # similarity to an article, by the run, from which on it may be about the same


@dataclass(frozen=True)
class Cover:
    """Something that covers the same as a gap.

    Attributes
    ----------
    kind
        ``gap`` or ``article``.
    key, title, status
        Its id, what it is called, and its status ("" for an article).
    why
        In words, what they have in common.
    """

    kind: str
    key: str
    title: str
    status: str
    why: str


def covering(gap: Gap, others: Iterable[Gap], articles: Mapping[str, Mapping[str, Any]]) -> list[Cover]:
    """The gaps and articles that cover the same as a gap, gaps by rank first; the gap's own article is none.

    Gaps cover the same where they change the same article, share half of their agents' sentences, or half of the ways
    in which customers ask. An article covers the same where it says half of what agents say, has the same title, or is
    as near by the run's own measure.

    Parameters
    ----------
    gap
        With plan or steps, examples and nearest articles.
    others
        The other gaps, whatever their status.
    articles
        By id: title, body.
    """
    covers = []
    for other in sorted(others, key=lambda one: (one.rank, one.gap_id)):
        if other.gap_id != gap.gap_id and other.status not in ("dismissed", "verified"):
            why = _why_gap(gap, other)
            covers += [Cover("gap", other.gap_id, other.title, other.status, why)] if why else []
    for near in [] if gap.article_id else gap.nearest_articles:
        article = articles.get(str(near["article_id"]))
        if article is not None and article.get("status") in (None, "", "published"):
            why = _why_article(gap, article, near["similarity"] or 0.0)
            title = str(article.get("title") or "")
            covers += [Cover("article", str(near["article_id"]), title, "", why)] if why else []
    return covers


def _why_gap(gap: Gap, other: Gap) -> str:
    """What two gaps have in common; "" where that is too little."""
    if gap.article_id and gap.article_id == other.article_id:
        return "changes the same article"
    said, shared = _shared(_told(gap), _told(other))
    if shared >= FEWEST and shared >= SHARE * said:
        return f"{shared} of {said} sentences of agents are the same"
    ways, ways_shared = _shared(_asked(gap), _asked(other))
    if ways_shared >= FEWEST and ways_shared > SHARE * ways:
        return f"customers ask the same in {ways_shared} of {ways} ways"
    return ""


def _why_article(gap: Gap, article: Mapping[str, Any], similarity: float) -> str:
    """What an article has of a gap; "" where that is too little."""
    said, shared = _shared(_told(gap), [stems(line.text) for line in lines(str(article.get("body") or ""))])
    if shared >= FEWEST and shared >= SHARE * said:
        return f"says {shared} of {said} sentences of agents already"
    if _same_title(gap.title, str(article.get("title") or "")):
        return "has the same title"
    return f"is near to the questions ({similarity:.2f})" if similarity >= NEAR else ""


def _asked(gap: Gap) -> list[set[str]]:
    return [stems(str(example["quote"])) for example in gap.examples]


def _told(gap: Gap) -> list[set[str]]:
    texts = [str(row["text"]) for row in gap.plan if row["part"] not in ("title", "open")]
    return [stems(text) for text in dict.fromkeys(texts or [str(step["text"]) for step in gap.steps])]


def _shared(own: list[set[str]], others: list[set[str]]) -> tuple[int, int]:
    """How many sentences can be compared, and how many of them have a like one among others."""
    long = [one for one in own if len(one) >= FEWEST_STEMS]
    others = [other for other in others if len(other) >= FEWEST_STEMS]
    like = [one for one in long if any(len(one & other) >= SAME * max(len(one), len(other)) for other in others)]
    return len(long), len(like)


def _same_title(one: str, other: str) -> bool:
    first, second = stems(one), stems(other)
    return len(first & second) >= TITLES * max(1, len(first | second))
