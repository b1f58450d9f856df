"""The house form: how a company's best articles are built, so that a draft looks like one of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from lacuna.models.text.markup import LIST_ITEM
from lacuna.models.text.words import is_german, words_of

__all__ = ["HouseForm", "learn_house_form"]

FEWEST, MOST = 3, 30  # articles that a form is learned from
BEST = 0.5  # share of the articles, by readers' votes, that count as the best ones
FEWEST_WORDS = 40  # of an article that shows a form
USUAL = 0.1  # share of the articles that have a heading for it to be a usual one, and at least two of them
FRONT_MATTER = ("title", "language", "product", "owner_id", "status", "summary", "translation_of")

_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*$")
_HTML_HEADING = re.compile(r"<h([1-6])[^>]*>(.*?)</h\1>", re.I | re.S)
_ORDERED, _ITEM = re.compile(r"<ol[^>]*>.*?</ol>", re.I | re.S), re.compile(r"<li[^>]*>", re.I)
_NUMBERED = re.compile(r"^\s*\d{1,2}[.)]\s+")
_PATH = re.compile(r"\w\s>\s\w")
_BOLD_PATH = re.compile(r"\*\*[^*]+\s>\s[^*]+\*\*")
_RELATED = re.compile(
    r"^(?:see also|related|further|more (?:help|on)|siehe auch|mehr (?:dazu|zum)|verwandte|weitere)", re.I
)
_FORMAL, _FAMILIAR = (
    re.compile(r"\b(?:Sie|Ihnen|Ihre?[mnrs]?)\b"),
    re.compile(r"\b(?:du|dir|dich|deine?[mnrs]?)\b", re.I),
)
_YOU = re.compile(r"\byou(?:r|rs)?\b", re.I)
_PLEASE = re.compile(r"\b(?:please|bitte)\b", re.I)

# What a heading is called where the articles have none for it.
_USUAL = {
    "en": {"steps": "What to do", "facts": "Good to know", "related": "Related articles"},
    "de": {"steps": "So geht es", "facts": "Gut zu wissen", "related": "Verwandte Artikel"},
}


@dataclass(frozen=True)
class HouseForm:
    """How the best articles in one language are built.

    Attributes
    ----------
    language
        ISO 639-1, or "".
    articles
        How many articles it was learned from; 0 where there were too few, and the form is a plain one.
    heading_level
        Of the chapters, 1 to 6.
    steps_heading, facts_heading, related_heading
        What these chapters are called; steps and related articles as most articles call them.
    numbered
        Whether steps are numbered lists; else they are prose.
    bold_paths
        Whether menus are bold: **My account > Orders**.
    please
        Whether the articles say please.
    address
        ``you``, ``Sie``, ``du``, or "" where readers are not addressed.
    words
        Median length.
    front_matter
        Which of an article's fields the bundle fills.
    """

    language: str = ""
    articles: int = 0
    heading_level: int = 2
    steps_heading: str = "What to do"
    facts_heading: str = "Good to know"
    related_heading: str = "Related articles"
    numbered: bool = True
    bold_paths: bool = False
    please: bool = False
    address: str = ""
    words: int = 0
    front_matter: tuple[str, ...] = ()

    def in_words(self) -> str:
        """The form in one line, for the writer."""
        if not self.articles:
            return "There are too few articles in this language to learn a form from: this is a plain one."
        steps = "numbered steps" if self.numbered else "steps as prose"
        address = {"Sie": ", “Sie”", "du": ", “du”", "you": ", “you”"}.get(self.address, "")
        return f"In the form of your {self.articles} best articles: {steps}{address}, about {self.words} words."


def learn_house_form(articles: Iterable[Mapping[str, Any]], language: str) -> HouseForm:
    r"""Learn the form of the articles in a language from the half of them that readers find most helpful.

    Parameters
    ----------
    articles
        Rows of the bundle's articles: body, status, language, helpful and unhelpful (votes) where known.
    language
        ISO 639-1; "" takes all articles.

    Examples
    --------
    >>> body = "Send it back free. " * 12 + "\n\n## How to do it\n\n1. Open **My account > Orders**.\n2. Print it."
    >>> form = learn_house_form([{"body": body, "language": "en", "status": "published"}] * 3, "en")
    >>> form.steps_heading, form.numbered, form.bold_paths, form.articles
    ('How to do it', True, True, 3)
    """
    usual = _USUAL.get(language, _USUAL["en"])
    plain = HouseForm(
        language=language, steps_heading=usual["steps"], facts_heading=usual["facts"], related_heading=usual["related"]
    )
    rows = [
        row
        for row in articles
        if (not language or row.get("language") in (None, "", language))
        and row.get("status") in (None, "", "published")
        and len(str(row.get("body") or "").split()) >= FEWEST_WORDS
    ]
    if len(rows) < FEWEST:
        return plain
    rows.sort(key=lambda row: (-_helpfulness(row), str(row.get("article_id"))))
    rows = rows[: min(MOST, max(FEWEST, round(BEST * len(rows))))]
    bodies = [_as_markdown(str(row["body"])) for row in rows]
    least = max(2, round(USUAL * len(bodies)))
    steps, related = _headings(bodies)
    levels = [{len(match[1]) for line in body.splitlines() if (match := _HEADING.match(line))} for body in bodies]
    usual_levels = [level for level in range(1, 7) if 2 * sum(level in own for own in levels) >= len(bodies)]
    n_numbered = sum(any(_NUMBERED.match(line) for line in body.splitlines()) for body in bodies)
    n_listed = sum(any(LIST_ITEM.match(line.strip()) for line in body.splitlines()) for body in bodies)
    return HouseForm(
        language=language, articles=len(rows),
        heading_level=min(usual_levels, default=2),
        steps_heading=_usual(steps, least) or usual["steps"], facts_heading=usual["facts"],
        related_heading=_usual(related, least) or usual["related"],
        numbered=n_numbered > 0 or n_listed > 0,
        bold_paths=2 * sum(len(_BOLD_PATH.findall(body)) for body in bodies)
        >= max(1, sum(len(_PATH.findall(body)) for body in bodies)),
        please=sum(len(_PLEASE.findall(body)) for body in bodies) >= len(bodies),
        address=_address(bodies), words=round(median(len(body.split()) for body in bodies)),
        front_matter=tuple(name for name in FRONT_MATTER if any(row.get(name) not in (None, "") for row in rows)),
    )  # fmt: skip


def _helpfulness(row: Mapping[str, Any]) -> float:
    """The share of readers' votes that say helpful, drawn to a half where there are few."""
    helpful, unhelpful = (float(row.get(name) or 0) for name in ("helpful", "unhelpful"))
    return round((helpful + 2) / (helpful + unhelpful + 4), 6)


def _as_markdown(body: str) -> str:
    """A body whose HTML headings and list items are Markdown ones."""
    body = _HTML_HEADING.sub(lambda match: f"\n{'#' * int(match[1])} {match[2]}\n", body)
    ordered = re.sub(
        r"<ol[^>]*>.*?</ol>", lambda match: re.sub(r"<li[^>]*>", "\n1. ", match[0]), body, flags=re.I | re.S
    )
    return re.sub(r"<li[^>]*>", "\n- ", ordered, flags=re.I)


def _headings(bodies: Sequence[str]) -> tuple[Counter[str], Counter[str]]:
    """In how many articles each heading stands right over a numbered list, and over related articles."""
    steps, related = Counter[str](), Counter[str]()
    for body in bodies:
        heading, over_steps, over_related = "", set[str](), set[str]()
        for line in filter(str.strip, body.splitlines()):
            match = _HEADING.match(line)
            if match:
                heading = match[2]
                over_related |= {heading} if _RELATED.match(heading) else set()
            elif heading and _NUMBERED.match(line):
                over_steps.add(heading)
        steps.update(over_steps)
        related.update(over_related)
    return steps, related


def _usual(headings: Counter[str], least: int) -> str:
    best = min(headings, key=lambda heading: (-headings[heading], heading), default="")
    return best if headings[best] >= least else ""


def _address(bodies: Sequence[str]) -> str:
    text = "\n".join(bodies)
    if is_german(words_of(text)):
        formal, familiar = len(_FORMAL.findall(text)), len(_FAMILIAR.findall(text))
        return "" if formal + familiar < len(bodies) else "Sie" if formal >= familiar else "du"
    return "you" if len(_YOU.findall(text)) >= len(bodies) else ""
